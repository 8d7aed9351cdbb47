"""One door for a user's file: what is a table, what is pictures, what can be both, and the same choices everywhere."""

import gzip
import io
import zipfile

import numpy as np
import pandas as pd
import pytest
import scipy.io
from PIL import Image

from gan_core.data.own_files import own_data, own_data_options, uploads
from gan_core.data.own_files.own_data import propose
from gan_core.data.pictures import Pictures
from gan_core.data.points import OwnPoints
from gan_core.foundations.hyperparameters import ConfigError
from tests.support.picture_files import encoded
from tests.support.picture_files import zipped as stored
from tests.support.table_files import GROUPED, POINTS, TABLES, lines, npy, npz, saved, text, workbook, zipped

RNG = np.random.default_rng(0)
PIXELS = RNG.integers(0, 256, (40, 28, 28), np.uint8)
FLAT = PIXELS.reshape(40, -1)


def pixel_table(head=True):
    names = ",".join(["label", *(f"pixel{i}" for i in range(784))])
    return lines(*[names] * head, *(",".join(map(str, [i % 3, *row])) for i, row in enumerate(FLAT.tolist())))


def survey(names):
    answers = RNG.integers(1, 6, (40, len(names)))
    answers[:, 0] = np.arange(40) + 1_000 if names[0] == "id" else answers[:, 0]
    return lines(",".join(names), *(",".join(map(str, row)) for row in answers.tolist()))


def wide(names, low, high):
    values = RNG.uniform(low, high, (40, len(names)))
    return lines(",".join(names), *(",".join(f"{v:.3f}" for v in row) for row in values))


def tarred():
    content = bytearray(1024)
    content[257:262] = b"ustar"
    return bytes(content)


KINDS = {
    "a table": (text(), "points", False),
    "a workbook": (workbook(Sheet1=POINTS.tolist()), "points", False),
    "a packed table": (gzip.compress(text()), "points", False),
    "a .npy of points": (npy(POINTS), "points", False),
    "a .npy of two rows": (npy(POINTS.T), "points", False),
    "a .npz of points": (npz(x=POINTS[:, 0], y=POINTS[:, 1]), "points", False),
    "a zip with one table": (zipped(**{"a.csv": text()}), "points", False),
    "a Parquet file": (TABLES["Parquet"].content, "points", False),
    "a wide table of measurements": (
        lines(*(",".join(f"{v:.3f}" for v in row) for row in RNG.random((40, 30)))),
        "points",
        False,
    ),
    "a .npy of pictures": (npy(PIXELS), "images", False),
    "a .npy of flat pictures (QuickDraw)": (npy(FLAT), "images", True),
    "a .npz of pictures": (npz(images=PIXELS, labels=np.zeros(40, int)), "images", False),
    "a .npz of flat pictures": (npz(X=FLAT, y=np.zeros(40, int)), "images", True),
    "a zip of pictures": (zipped(**{"a__1.png": b"x", "a__2.jpg": b"y", "labels.csv": b"z"}), "images", False),
    "a table of pixels": (pixel_table(), "images", True),
    "a table of pixels without names": (pixel_table(False), "images", True),
    "a packed table of pixels": (gzip.compress(pixel_table()), "images", True),
    "a table of 64 measurements": (
        lines(*(",".join(f"{v:.3f}" for v in row) for row in RNG.random((40, 64)))),
        "points",
        True,
    ),
    "the answers of a questionnaire": (survey([f"Q{i}" for i in range(100)]), "points", True),
    "64 answers": (survey([f"Q{i}" for i in range(64)]), "points", True),
    "64 answers and a number of the row": (survey(["id", *(f"Q{i}" for i in range(64))]), "points", True),
    "answers by R's names": (survey([f"V{i}" for i in range(1, 101)]), "points", True),
    "answers that are called pixels": (survey([f"pixel{i}" for i in range(64)]), "images", True),
    "R's names over numbers below nothing": (wide([f"V{i}" for i in range(1, 101)], -3, 3), "points", True),
    "R's names over gray values": (
        lines(",".join(f"V{i}" for i in range(784)), *(",".join(map(str, row)) for row in FLAT.tolist())),
        "images",
        True,
    ),
    "R's names over parts of white": (wide([f"V{i}" for i in range(1, 101)], 0, 1), "images", True),
    "102 measurements": (wide([f"f{i}" for i in range(102)], -3, 3), "points", True),
    "Parquet of R's names over numbers below nothing": (
        saved(pd.DataFrame(RNG.normal(size=(40, 64)), columns=[f"V{i}" for i in range(64)]), "to_parquet"),
        "points",
        True,
    ),
    "Parquet of pixels that pandas numbers": (
        saved(pd.DataFrame(FLAT).rename(columns=str), "to_parquet"),
        "images",
        True,
    ),
    "a .npy of two rows that could be a square": (npy(POINTS.T[:, :36].repeat(4, 1)), "points", True),
    "Parquet with shapes on a map": (
        saved(
            pd.DataFrame({"x": POINTS[:, 0], "y": POINTS[:, 1], "geometry": [b"\1\1\0"] * len(POINTS)}), "to_parquet"
        ),
        "points",
        True,
    ),
    "Parquet with words in a cell": (
        saved(pd.DataFrame({"x": POINTS[:, 0], "y": POINTS[:, 1], "tags": [["u", "v"]] * len(POINTS)}), "to_parquet"),
        "points",
        True,
    ),
    "Parquet of lists of pixels, with sizes": (
        saved(pd.DataFrame({"width": [28] * 40, "id": range(40), "image": FLAT.tolist()}), "to_parquet"),
        "images",
        False,
    ),
    "Parquet with pictures in it, and sizes": (
        saved(pd.DataFrame({"width": [28] * 40, "id": range(40), "image": [encoded(x) for x in PIXELS]}), "to_parquet"),
        "images",
        False,
    ),
    "Parquet with pictures in it": (
        saved(pd.DataFrame({"image": [b"\x89PNG"] * 20, "label": 1}), "to_parquet"),
        "images",
        False,
    ),
    "idx": (b"\0\0\x08\x03" + bytes(12 + 784), "images", False),
    "idx, packed": (gzip.compress(b"\0\0\x08\x03" + bytes(12 + 784)), "images", False),
    "a .mat": (b"MATLAB 5.0 MAT-file" + bytes(200), "images", False),
    "a single picture": (b"\x89PNG\r\n\x1a\n" + bytes(100), "images", False),
    "a tar": (tarred(), "images", False),
    "a packed tar": (gzip.compress(tarred()), "images", False),
}


@pytest.mark.parametrize("what", KINDS)
def test_what_a_file_is_is_seen_by_its_content(what):
    content, kind, doubtful = KINDS[what]
    assert own_data._kind("mine", content) == (kind, doubtful)


@pytest.mark.parametrize("suffix", [".npz", ".zip"])
def test_a_damaged_archive_is_refused_as_what_it_should_be(suffix):
    with pytest.raises(ConfigError, match="image"):
        propose(f"mine{suffix}", b"nothing of the kind")


def test_a_table_that_could_be_pictures_asks_for_its_kind():
    content = lines(*(",".join(f"{v:.3f}" for v in row) for row in RNG.random((40, 64))))
    found = propose("mine.csv", content)
    assert found.questions[0].name == "kind" and found.questions[0].chosen == "points" and found.kind == "points"
    assert isinstance(propose("digits.csv", pixel_table(), {"kind": "points"}).data, OwnPoints)
    with pytest.raises(ConfigError, match="points or images, not 'words'"):
        propose("mine.csv", text(), {"kind": "words"})


def test_what_a_file_is_read_as_is_said_where_it_could_be_another():
    flat = npy(RNG.normal(size=(200, 64)))
    for content, kind, said in (
        (flat, "images", "Each row is read as a picture. As its kind"),
        (survey([f"Q{i}" for i in range(64)]), "points", "The file is read as points. As its kind"),
    ):
        found = propose("mine", content)
        assert found.kind == kind and found.notes[0].startswith(said)
        assert not any("--kind" in note for note in propose("mine", content, {"kind": kind}).notes)


def mat(**arrays):
    file = io.BytesIO()
    scipy.io.savemat(file, arrays)
    return file.getvalue()


@pytest.mark.parametrize(
    ("arrays", "columns", "count"),
    [
        ({"X": POINTS}, 2, len(POINTS)),
        ({"X": POINTS.T}, 2, len(POINTS)),
        ({"X": POINTS, "y": np.arange(len(POINTS))[:, None] % 3}, 2, len(POINTS)),
        ({"file": POINTS[:, 0], "b": POINTS[:, 1], "n": 3.0}, 2, len(POINTS)),
    ],
)
def test_a_mat_file_without_pictures_is_read_as_points(arrays, columns, count):
    found = propose("ex7data1.mat", mat(**arrays))
    assert found.kind == "points" and found.count == count and len(found.columns) == columns
    np.testing.assert_allclose(np.sort(found.data.points[:, 0]), np.sort(POINTS[:, 0]), rtol=1e-6)
    assert "No array of the .mat file can be pictures: its numbers are read as points." in found.notes
    assert propose("faces.mat", mat(X=FLAT, y=np.arange(40) % 2)).kind == "images"


@pytest.mark.parametrize(
    ("arrays", "said"),
    [
        ({"n": 3.0, "t": "text"}, "A .mat file is read for images, or for points"),
        ({"s": {"a": 1}}, "no plain arrays"),
        ({"file": np.arange(9.0), "b": np.arange(7.0)}, "in columns of equal length"),
    ],
)
def test_a_mat_file_of_neither_is_refused_in_a_sentence(arrays, said):
    with pytest.raises(ConfigError, match=said):
        propose("mine.mat", mat(**arrays))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(512, b"\0") + b"\x89HDF\r\n\x1a\n" + bytes(600), "HDF5"),
        (
            stored({"mimetype": b"application/vnd.oasis.opendocument.spreadsheet", "Thumbnails/thumbnail.png": b"x"}),
            r"is an OpenDocument spreadsheet. Save it as \.xlsx or \.csv",
        ),
        (
            zipped(**{f"{i}.heic": b"x" for i in range(20)}),
            r"no images that are read: it holds 20 \.heic. Save them as",
        ),
        (zipped(**{f"{i}.svg": b"<svg" for i in range(20)}, **{"a.dcm": b"x"}), r"20 \.svg, 1 \.dcm"),
        (zipped(**{f"a/{i}": b"x" for i in range(20)}), "20 without an ending"),
    ],
)
def test_what_is_not_read_is_named(content, said):
    with pytest.raises(ConfigError, match=said):
        propose("mine", content)


def test_pictures_come_with_their_counts():
    content = npz(images=PIXELS, labels=np.arange(40) % 4)
    found = propose("mine.npz", content)
    assert (found.kind, found.count, found.shape) == ("images", 40, (28, 28, 1)) and isinstance(found.data, Pictures)
    assert sum(found.classes.values()) == 40 and found.record()["kind"] == "images"


def test_a_path_and_bytes_say_the_same(tmp_path):
    path = tmp_path / "mine.csv"
    path.write_bytes(text())
    assert own_data.propose_path(path).record() == propose("mine.csv", text()).record()
    with pytest.raises(ConfigError, match=r"none\.csv cannot be read: No such file"):
        own_data.propose_path(tmp_path / "none.csv")
    folder = tmp_path / "empty"
    folder.mkdir()
    with pytest.raises(ConfigError, match="empty has no"):
        own_data.propose_path(folder)


def test_what_is_parsed_for_who_cannot_ask_has_no_open_question():
    data, note = uploads.parsed("mine.csv", text(head="eruptions,waiting,kind\n", form="{x!r},{y!r},{kind}"))
    assert isinstance(data, OwnPoints) and "kind" in note
    asked = lines("a;b", *(f"{x:,.0f};{y:.0f}" for x, y in GROUPED.tolist()))
    with pytest.raises(ConfigError, match="--decimal point or --decimal comma"):
        uploads.parsed("mine.csv", asked)
    assert uploads.parsed("mine.csv", asked, {"decimal": "comma"})[0].points[:, 0].max() < 10


def test_other_columns_are_other_data():
    content = text(head="a,b,n\n", form="{x!r},{y!r},{i}5")
    first, other, again = (uploads.parsed("mine.csv", content, {"columns": c})[0] for c in ("a,b", "a,n", "a,b"))
    assert uploads.same(first, again) and not uploads.same(first, other)
    classes = uploads.parsed("mine.csv", content, {"columns": "a,b", "classes_from": "n"})[0]
    assert not uploads.same(first, classes)


def test_every_question_of_a_table_is_an_option_of_the_command_line():
    asked = {q.name for case in TABLES.values() for q in propose(case.name, case.content, case.choices).questions}
    assert asked <= set(own_data_options.OPTIONS)


def test_what_is_said_of_a_file_fits_on_a_screen():
    said = own_data_options.as_text(propose("mine.csv", text(head="a,b,kind\n", form="{x!r},{y!r},{kind}")))
    assert said.splitlines()[0] == "40 points of 2" and "--columns a,b (of: a, b)" in said
    assert "classes: long" in said and "in training units -1 to 1" in said


def test_an_archive_that_is_a_bomb_is_not_unpacked_to_see_what_it_is():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.npy", bytes(100_000_000))
    assert own_data._kind("mine.npz", file.getvalue()) == ("points", False)


@pytest.mark.parametrize("names", ["BMI,age", "P1,P2", "Python,R", "P1 P2", "RIFF,x", "GIF8,x"])
def test_a_table_whose_first_name_begins_as_a_picture_does_is_a_table(names):
    mark = " " if " " in names else ","
    content = lines(names, *(f"{x}{mark}{y}" for x, y in POINTS.tolist()))
    assert propose("mine.csv", content).kind == "points"


@pytest.mark.parametrize(("name", "mode"), [("BMP", "RGB"), ("PPM", "RGB"), ("PPM", "L"), ("PPM", "1"), ("DIB", "L")])
def test_a_single_picture_of_a_short_signature_is_still_seen_as_one(name, mode):
    file = io.BytesIO()
    Image.fromarray(PIXELS[0]).convert(mode).save(file, name)
    for content in (file.getvalue(), file.getvalue().replace(b"P6\n", b"P6\n# by hand\n", 1)):
        with pytest.raises(ConfigError, match="is a single image"):
            propose("mine", content)
