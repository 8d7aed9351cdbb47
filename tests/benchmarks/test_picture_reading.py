"""The benchmark of reading pictures: what it times is the same work, and its line says the ratio."""

import io
import zipfile

from gan_core.benchmarks import picture_reading


def test_both_read_all_pictures_and_the_line_says_how_they_compare():
    with zipfile.ZipFile(io.BytesIO(picture_reading.archive(40))) as file:
        assert len(file.namelist()) == 40
    result = picture_reading.run(1, 40)
    assert result["pictures"] == 40 and result["ratio"] > 0
    line = picture_reading.as_text(result)
    assert "a zip of 40 pictures" in line and f"{result['ratio']:.2f} times as long" in line
