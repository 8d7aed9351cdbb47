"""The user's own file on a page: good, bad, the same good one again, another; and what is shown is what was in it."""

import io

import numpy as np
import pytest
from PIL import Image

from pages.ui.session import own_run
from tests.support.app import FakeHub, open_page, own


@pytest.fixture(autouse=True)
def hub(monkeypatch):
    """The pages' hub."""
    fake = FakeHub()
    monkeypatch.setattr(own_run, "hub", lambda: fake)


def csv(first):
    return ("x,y\n" + "".join(f"{first + i % 7},{first + 10 + i % 5}\n" for i in range(200))).encode()


def given(app, kind, name, content):
    app.file_uploader(key=f"upload_file_{kind}").set_value((name, content, "application/octet-stream")).run()
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
