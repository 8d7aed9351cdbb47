"""The benchmark of reading a user's file measures both readers, each in a process of its own."""

from gan_core.benchmarks import own_data_speed


def test_both_are_measured_and_told(monkeypatch):
    monkeypatch.setattr(own_data_speed, "ROWS", 5_000)
    monkeypatch.setattr(own_data_speed, "PICTURES", 200)
    told = []
    result = own_data_speed.run(1, told.append)
    assert result["bytes"] > 100_000 and result["seconds"] > 0 and result["pandas_seconds"] > 0
    assert result["times_pandas"] > 0 and result["times_size"] >= 0 and len(told) == 2
    assert result["times_pillow"] > 0 and result["pictures"] == 200
    text = own_data_speed.as_text(result)
    assert "x pandas (at most 3)" in text and "x Pillow (at most 2)" in text
