"""The figures of a sweep's loop: right for trials that wait."""

from gan_core.__main__ import main
from gan_core.benchmarks import sweep_speed


def test_the_loop_trains_all_and_says_how_busy_its_slots_were():
    found = sweep_speed.waiting(trials=60, slots=10, mean_seconds=0.2)
    assert found["trials"] == 60 and found["slots"] == 10
    assert 0 < found["busy"] <= 1 and found["seconds"] >= 60 / 10 * 0.2 * sweep_speed.SHORTEST


def test_bench_sweep_prints_its_ratio(monkeypatch, capsys):
    monkeypatch.setattr(sweep_speed, "_beside_each_other", lambda space, processes: 10.0 * processes)
    monkeypatch.setattr(sweep_speed, "TRIALS", 20)
    monkeypatch.setattr(sweep_speed, "cores", lambda: 2)
    monkeypatch.setattr(sweep_speed, "SLOTS", 20)
    assert main(["bench", "sweep", "--rounds", "1", "--seconds", "3"]) == 0
    said = capsys.readouterr().out
    assert "2.00 times as many" in said and "20 trials that wait" in said
