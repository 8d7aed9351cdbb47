"""The panel of a data set that is not on this machine, with real downloads of stand-ins: slow, offline, and one that
arrives."""

import sys

import pytest

from gan_core.data import download, image_sources, loading
from gan_core.data.memory_cache import Kept
from pages.ui.session import own_run
from tests.conftest import wait_until
from tests.support.app import FakeHub, open_page, own

SLOW = """
import sys, time
with open(sys.argv[2] + ".part", "wb") as file:
    for _ in range(600):
        file.write(bytes(200_000))
        file.flush()
        time.sleep(0.1)
"""
OFFLINE = """
import sys
failed = "URL fetch failure on https://data.example.org/mnist.npz: None -- [Errno -2] Name or service not known"
sys.exit(f"Exception: {failed}")
"""
ARRIVES = """
import sys
import numpy as np
labels = np.arange(60) % 10
pixels = np.random.default_rng(0).integers(0, 255, (60, 28, 28)).astype(np.uint8)
np.savez(sys.argv[2], x_train=pixels, y_train=labels, x_test=pixels[:20], y_test=labels[:20])
"""


@pytest.fixture
def downloads(monkeypatch, tmp_path):
    """A machine without any data set; returns what sets the stand-in that the next download is."""
    hub = FakeHub()
    monkeypatch.setattr(own_run, "hub", lambda: hub)
    for name in ("GANSCOPE_DATA", "GANSCOPE_CACHE", "KERAS_HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    monkeypatch.setattr(download, "_downloads", {})
    monkeypatch.setattr(download, "TICK_SECONDS", 0.05)
    for module, name in ((loading, "_SETS"), (image_sources, "_FILES")):
        monkeypatch.setattr(module, name, Kept())  # nothing that another test has loaded
    yield lambda program: monkeypatch.setattr(download, "COMMAND", (sys.executable, "-c", program))
    for one in download._downloads.values():
        one.cancel()


def chosen(app):
    """The page after mnist was chosen."""
    app.selectbox(key="knob_data").set_value("mnist").run()
    assert not app.exception
    return app


def keys(app):
    return {button.key for button in app.button}


def said(app):
    """All that stands on the page as text or warning."""
    return "\n".join(element.value for element in (*app.markdown, *app.warning))


def ended(app):
    """The page once the download has ended."""
    wait_until(lambda: download.get("mnist").status().state != "running", 60, "the download to end")
    app.run()
    assert not app.exception
    return app


def test_a_slow_download_shows_its_progress_and_can_be_stopped_and_tried_again(downloads):
    downloads(SLOW)
    app = chosen(open_page("pages/images.py"))
    assert "Downloading mnist: " in said(app) and "stop_download" in keys(app) and "download_again" not in keys(app)
    wait_until(lambda: download.get("mnist").status().bytes > 400_000, 30, "some of it")
    app.run()
    some = float(said(app).split("Downloading mnist: ")[1].split()[0])
    assert some >= 0.4 and own(app, "images").run.config.data == "digits"  # the run is as it was
    app.button(key="stop_download").click().run()
    ended(app)
    assert "it was stopped" in said(app) and "download_again" in keys(app) and "stop_download" not in keys(app)
    downloads(ARRIVES)
    app.button(key="download_again").click().run()
    assert not app.exception
    ended(app)
    assert own(app, "images").run.config.data == "mnist"
    assert len(own(app, "images").run.data) >= 60 and not keys(app) & {"stop_download", "download_again"}


def test_offline_it_says_so_as_often_as_it_is_tried_and_the_run_stays(downloads):
    downloads(OFFLINE)
    app = ended(chosen(open_page("pages/images.py")))
    for _ in range(2):
        assert "data.example.org could not be reached" in said(app) and "GANSCOPE_DATA" in said(app)
        assert own(app, "images").run.config.data == "digits"
        app.button(key="new_seed").click().run()  # the page can be used meanwhile
        assert not app.exception
        app.button(key="download_again").click().run()
        ended(app)
    app.selectbox(key="knob_data").set_value("digits").run()
    assert not app.exception and "download_again" not in keys(app)
