"""The user's own file on a page: good, bad, the same good one again, another; and what is shown is what was in it."""

import io
import threading
import time

import numpy as np
import pytest
from PIL import Image

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
