"""The user's own file on a page: good, bad, the same good one again, another; and what is shown is what was in it."""

import io
import threading
import time

import numpy as np
import pytest
from PIL import Image

from pages.ui.run.own_file import OwnFile
from pages.ui.session import own_run
from tests.support.app import FakeHub, open_page, own
from tests.support.picture_files import in_folders, zipped


@pytest.fixture(autouse=True)
def hub(monkeypatch):
    """The pages' hub."""
    fake = FakeHub()
    monkeypatch.setattr(own_run, "hub", lambda: fake)


def csv(first):
    return ("x,y\n" + "".join(f"{first + i % 7},{first + 10 + i % 5}\n" for i in range(200))).encode()


def dropped(app, kind, name, content):
    """The page once it has read the file."""
    app.file_uploader(key=f"upload_file_{kind}").set_value((name, content, "application/octet-stream")).run()
    return read(app, kind)


def read(app, kind):
    until = time.monotonic() + 60
    while own(app, kind).own_file is not None and not own(app, kind).own_file.done(0.2):
        assert time.monotonic() < until
    app.run()
    assert not app.exception
    return app


def given(app, kind, name, content):
    """The page once it trains on the file, if it can."""
    dropped(app, kind, name, content)
    if f"use_own_{kind}" in [button.key for button in app.button] and not app.button(key=f"use_own_{kind}").disabled:
        app.button(key=f"use_own_{kind}").click().run()
        assert not app.exception
    return app


def errors(app):
    return "\n".join(error.value for error in app.error)


def test_points_good_bad_the_same_good_again_and_another():
    app = open_page(data="file")
    points = lambda: own(app, "points").run.data.points  # noqa: E731
    assert own(given(app, "points", "good.csv", csv(10)), "points").run.config.data == "file"
    assert points()[:, 0].min() == 10 and points()[:, 1].min() == 20 and not errors(app)
    before = points()
    given(app, "points", "bad.csv", b"x,y\n" + b"4,no number\n" * 30)
    assert "bad.csv" in errors(app) and "no number" in errors(app)
    assert np.array_equal(points(), before)  # the last good one stays, and is used on
    app.button(key="new_seed").click().run()
    assert "bad.csv" in errors(app) and own(app, "points").run.config.data == "file"
    given(app, "points", "good.csv", csv(10))
    assert not errors(app) and points()[:, 0].min() == 10 and len(points()) == len(before)
    given(app, "points", "other.csv", csv(500))
    assert not errors(app) and points()[:, 0].min() == 500 and points()[:, 0].max() == 506


def test_images_are_those_of_the_file_to_the_pixel():
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 255, (40, 28, 28), np.uint8)
    app = open_page("pages/images.py", data="picture_file")

    def npz(images):
        content = io.BytesIO()
        np.savez(content, images=images, labels=np.arange(len(images)) % 4)
        return content.getvalue()

    def rows(images):
        return sorted(image.tobytes() for image in images)

    given(app, "images", "own.npz", npz(pixels))
    data = own(app, "images").run.data
    assert data.pixels.shape == (40, 28, 28, 1) and rows(data.pixels[..., 0]) == rows(pixels)
    broken = io.BytesIO()
    Image.new("L", (28, 28)).save(broken, "PNG")
    given(app, "images", "broken.npz", broken.getvalue())
    assert "broken.npz" in errors(app)
    assert rows(own(app, "images").run.data.pixels[..., 0]) == rows(pixels)
    given(app, "images", "other.npz", npz(255 - pixels))
    assert not errors(app) and rows(own(app, "images").run.data.pixels[..., 0]) == rows(255 - pixels)


# -- what was understood, before it is used -----------------------------------------------------------------


def texts(app):
    return " ".join(
        str(element.value) for element in (*app.caption, *app.markdown, *app.info, *app.warning, *app.error)
    )


def test_nothing_is_used_before_it_is_confirmed():
    app = dropped(
        open_page("pages/images.py", data="picture_file"), "images", "a.zip", zipped(in_folders(["cat", "dog"]))
    )
    here = own(app, "images")
    assert here.upload is None and here.run.config.data == "digits"
    assert "16 images, 28 x 28, gray, 2 classes" in app.sidebar.expander[0].label
    assert "Classes: cat 8 · dog 8" in texts(app) and "press *Use these*" in texts(app)
    app.button(key="use_own_images").click().run()
    assert here.upload.class_names == ("cat", "dog") and here.run.config.data == "picture_file"
    assert "use_own_images" not in [button.key for button in app.button]


def test_an_answer_has_the_file_read_anew_at_once():
    app = dropped(
        open_page("pages/images.py", data="picture_file"), "images", "a.zip", zipped(in_folders(["cat", "dog"]))
    )
    app.selectbox(key="own_classes_from_images").set_value("none").run()
    read(app, "images")
    assert own(app, "images").own_file.proposal().classes == {} and "Classes: cat" not in texts(app)
    app.selectbox(key="own_classes_from_images").set_value("parent").run()
    read(app, "images")
    assert "Classes: cat 8" in texts(app)
    # Changed once it is used, it is to be confirmed again.
    app.button(key="use_own_images").click().run()
    app.selectbox(key="own_classes_from_images").set_value("none").run()
    read(app, "images")
    assert own(app, "images").upload.class_names == ("cat", "dog")
    app.button(key="use_own_images").click().run()
    assert own(app, "images").upload.class_names == ()


def test_a_refused_file_is_a_sentence_and_the_proposal_before_stays_away():
    app = dropped(
        open_page("pages/images.py", data="picture_file"), "images", "a.zip", zipped(in_folders(["cat", "dog"]))
    )
    dropped(app, "images", "b_1.zip", b"junk")
    assert "cannot be opened" in errors(app) and "use_own_images" not in [button.key for button in app.button]


@pytest.mark.parametrize("page, kind, other", [("app.py", "points", "images"), ("pages/images.py", "images", "points")])
def test_a_file_of_the_other_kind_is_used_on_the_other_page(page, kind, other):
    app = open_page(page, data={"points": "file", "images": "picture_file"}[kind])
    name, content = ("a.csv", csv(3)) if kind == "images" else ("a.zip", zipped(in_folders(["cat", "dog"])))
    dropped(app, kind, name, content)
    assert f"This file holds {other}" in texts(app)
    app.button(key=f"use_own_{kind}").click().run()
    there = own(app, other)
    assert own(app, kind).upload is None and len(there.upload) == (200 if other == "points" else 16)
    assert there.config.data == {"points": "file", "images": "picture_file"}[other]


@pytest.mark.parametrize("content", [csv(3), b"junk"])
def test_a_file_that_is_looked_at_can_be_put_away_and_what_is_trained_on_stays(content):
    app = given(open_page(data="file"), "points", "a.csv", csv(40))
    before = own(app, "points").upload
    assert before is not None and "leave_own_points" not in [button.key for button in app.button]
    dropped(app, "points", "b.csv", csv(3))
    assert "leave_own_points" not in [button.key for button in app.button]  # it is taken out where it was dropped
    for _ in range(2):  # the same can be pasted again
        app.text_area(key="paste_points").set_value(content.decode()).run()
        read(app, "points")
        app.button(key="leave_own_points").click().run()
        assert not app.exception and not app.error and app.text_area(key="paste_points").value == ""
        assert own(app, "points").own_file is None and own(app, "points").upload is before


def test_a_pasted_table():
    app = open_page(data="file")
    app.text_area(key="paste_points").set_value(csv(40).decode()).run()
    read(app, "points")
    app.button(key="use_own_points").click().run()
    assert own(app, "points").run.data.points[:, 0].min() == 40


def test_the_servers_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("GANSCOPE_DATA", str(tmp_path))
    (tmp_path / "set").mkdir()
    for path, content in in_folders(["cat", "dog"]).items():
        (tmp_path / "set" / path).parent.mkdir(exist_ok=True)
        (tmp_path / "set" / path).write_bytes(content)
    (tmp_path / "b.zip").write_bytes(zipped(in_folders(["x", "y", "z"])))
    (tmp_path / "link").symlink_to("/etc")
    app = open_page("pages/images.py", data="picture_file")
    assert app.selectbox(key="server_file_images").options == ["choose", "b.zip", "set"]
    for _ in range(2):  # what was put away can be chosen again
        app.selectbox(key="server_file_images").set_value("set").run()
        read(app, "images")
        app.button(key="leave_own_images").click().run()
        assert own(app, "images").own_file is None and app.selectbox(key="server_file_images").value == ""
    for name, classes in (("set", ("cat", "dog")), ("b.zip", ("x", "y", "z"))):
        app.selectbox(key="server_file_images").set_value(name).run()
        read(app, "images")
        app.button(key="use_own_images").click().run()
        assert own(app, "images").upload.class_names == classes


def test_a_long_reading_shows_how_far_it_is_and_can_be_stopped(monkeypatch):
    from pages.ui.run import own_file

    let = threading.Event()

    def slow(name, content, choices, progress):
        progress("Decoding the images", 3, 10)
        assert let.wait(60)
        progress("Decoding the images", 4, 10)

    monkeypatch.setattr(own_file, "propose", slow)
    app = open_page("pages/images.py", data="picture_file")
    app.file_uploader(key="upload_file_images").set_value(("a.zip", b"x", "application/zip")).run()
    assert own(app, "images").own_file.progress == ("Decoding the images", 3, 10)
    app.button(key="own_stop_images").click().run()
    let.set()
    assert "was not read to its end" in texts(app) and not errors(app)
    monkeypatch.undo()
    app.file_uploader(key="upload_file_images").set_value(("b.zip", zipped(in_folders(["cat", "dog"])), "x")).run()
    read(app, "images")
    assert "Classes: cat 8" in texts(app)


def test_a_question_that_is_open_must_be_answered_first(monkeypatch):
    from gan_core.data.proposal import Proposal, Question
    from pages.ui.run import own_file

    def two_ways(name, content, choices, progress):
        options = {"point": "101.037", "comma": "101,037"}
        chosen = choices.get("decimal", "")
        question = Question("decimal", "Decimal mark", options, chosen, "How numbers are written.", open=not chosen)
        data = np.float32([[0, 0], [1, 2]]) if chosen else None
        return Proposal("points", 2, (2,), questions=(question,), data=data)

    monkeypatch.setattr(own_file, "propose", two_ways)
    app = dropped(open_page(data="file"), "points", "a.csv", b"x")
    assert "Answer first: decimal mark." in texts(app) and app.button(key="use_own_points").disabled
    assert app.selectbox(key="own_decimal_points").value is None
    app.selectbox(key="own_decimal_points").set_value("comma").run()
    read(app, "points")
    assert "Answer first" not in texts(app) and not app.button(key="use_own_points").disabled


# -- answers that are changed, and such as do not fit --------------------------------------------------------


def measures(*names):
    """A table of these columns, each with values of its own."""
    head = ",".join(f'"{name}"' for name in names)
    rows = (",".join(f"{100 * k + (i * (k + 3)) % 41 + 0.5}" for k in range(len(names))) for i in range(60))
    return "\n".join([head, *rows]).encode()


def chosen_columns(app):
    return tuple(app.selectbox(key=f"own_columns_{i}_points").value for i in range(2))


def test_each_of_the_two_columns_is_exchanged_by_itself_and_both_can_change_places():
    names = ("length, cm", "width, cm", "mass", "age")
    app = dropped(open_page(data="file"), "points", "a.csv", measures(*names))
    assert chosen_columns(app) == names[:2]
    assert app.selectbox(key="own_columns_0_points").options[2].startswith("mass: ")
    for i, name, after in (
        (0, "mass", ("mass", "width, cm")),
        (1, "age", ("mass", "age")),
        (0, "age", ("age", "mass")),  # the other axis's: the two change places
        (1, "length, cm", ("age", "length, cm")),
        (0, "width, cm", ("width, cm", "length, cm")),
    ):
        app.selectbox(key=f"own_columns_{i}_points").set_value(name).run()
        read(app, "points")
        assert not errors(app) and chosen_columns(app) == after == own(app, "points").own_file.proposal().columns
    app.button(key="use_own_points").click().run()
    assert own(app, "points").upload.axes == ("width, cm", "length, cm")


def arrays(**found):
    content = io.BytesIO()
    np.savez(content, **found)
    return content.getvalue()


def test_an_answer_that_is_refused_is_said_and_forgotten():
    rng = np.random.default_rng(0)
    images = rng.integers(0, 255, (40, 28, 28), np.uint8)
    content = arrays(good=images, flat=np.full((40, 28, 28), 7, np.uint8), labels=np.arange(40) % 4)
    app = dropped(open_page("pages/images.py", data="picture_file"), "images", "a.npz", content)
    app.selectbox(key="own_array_images").set_value("flat").run()
    read(app, "images")
    assert "the same single colour" in errors(app) and "What was understood before stands." in texts(app)
    assert app.selectbox(key="own_array_images").value == "good"
    app.selectbox(key="own_classes_from_images").set_value("none").run()
    read(app, "images")
    assert not errors(app) and own(app, "images").own_file.choices == {"classes_from": "none"}
    app.selectbox(key="own_array_images").set_value("flat").run()
    read(app, "images")
    assert errors(app)
    app.button(key="use_own_images").click().run()  # the good answers, which the boxes show
    assert len(own(app, "images").upload.pixels) == 40


def test_an_answer_that_others_depend_on_drops_them_and_a_refused_one_is_not_kept():
    from pages.ui.run.own_file import OwnFile
    from pages.ui.session.works import Works

    works, content = Works(), measures("a", "b", "c")
    file = OwnFile("a", "a.csv", content).start(works)
    for name, value, left in (
        ("header", "names", {"header": "names"}),
        ("columns", "b,c", {"header": "names", "columns": "b,c"}),
        ("classes_from", "none", {"header": "names", "columns": "b,c", "classes_from": "none"}),
        ("encoding", "utf-8", {"header": "names", "encoding": "utf-8"}),
    ):
        file = file.chosen(name, value, works)
        assert file.done(60) and file.choices == left and not file.error()
    refused = file.chosen("columns", "b", works)
    assert refused.done(60) and refused.error() and refused.proposal() is file.proposal()
    again = refused.chosen("columns", "c", works)
    assert again.done(60) and again.error() and again.good == file.choices
    good = again.chosen("columns", "c,a", works)
    assert good.done(60) and not good.error() and good.proposal().columns == ("c", "a")
    stopped = good.chosen("columns", "b", works)
    stopped.stop()
    assert stopped.chosen("classes_from", "none", works).choices == {**good.choices, "classes_from": "none"}


def test_two_folders_to_leave_out_of_which_one_has_a_comma():
    some = in_folders(["cat, old", "dog"])
    content = zipped({f"{place}/{path}": file for place in ("red", "blue") for path, file in some.items()})
    app = dropped(open_page("pages/images.py", data="picture_file"), "images", "a.zip", content)
    app.multiselect(key="own_leave_out_images").set_value(["cat, old"]).run()
    read(app, "images")
    assert not errors(app) and app.multiselect(key="own_leave_out_images").value == ["cat, old"]
    assert own(app, "images").own_file.proposal().count == len(some)


def test_a_file_that_is_trained_on_no_more_can_be_used_again():
    from gan_core.data.own_files import uploads

    app = given(open_page(data="file"), "points", "a.csv", csv(10))
    assert "use_own_points" not in [button.key for button in app.button]
    here, (other, _) = own(app, "points"), uploads.parsed("b.csv", csv(70))
    here.upload, first = other, here.upload  # as a run that is opened brings its own
    app.run()
    app.button(key="use_own_points").click().run()
    assert not app.exception and uploads.same(here.upload, first)


def test_a_sheet_beyond_those_that_are_offered():
    from openpyxl import Workbook

    book, content = Workbook(), io.BytesIO()
    book.remove(book.active)
    for i in range(55):
        sheet = book.create_sheet(f"s{i}")
        for j in range(40 if i == 54 else 0):
            sheet.append([j + 0.5, j * j % 17])
    book.save(content)
    app = dropped(open_page(data="file"), "points", "a.xlsx", content.getvalue())
    assert app.selectbox(key="own_sheet_points").value == "s54"


@pytest.mark.parametrize("again", [True, False])
def test_a_click_counts_for_the_same_file_that_was_dropped_again_meanwhile(again):
    """The script that would have drawn the button anew was interrupted by the click on it."""
    app = dropped(open_page(data="file"), "points", "a.csv", csv(40))
    here = own(app, "points")
    content = csv(40 if again else 50)
    here.own_file = OwnFile("upload 2", "a.csv", content).start(app.session_state["ganscope"].works)
    app.button(key="use_own_points").click().run()
    assert (here.upload is not None) is again
    read(app, "points")
    if not again:
        app.button(key="use_own_points").click().run()
    assert here.upload.points[:, 0].min() == (40 if again else 50)
