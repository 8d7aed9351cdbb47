"""Finished trainings on the pages, drawn without a browser and without any training process."""

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from gan_core.runs import finished_runs, run_reading
from gan_core.runs.finished_runs import FINISHED
from gan_core.runs.run_folders import runs_folder
from pages.ui.session import own_run
from tests.conftest import ROOT
from tests.support.app import FakeHub, news, open_page, own

SCRIPTS = {"points": "app.py", "images": "pages/images.py"}


@pytest.fixture
def hub(monkeypatch):
    """The pages' hub."""
    fake = FakeHub()
    monkeypatch.setattr(own_run, "hub", lambda: fake)
    return fake


def watched(name: str = "ring-two-of-eight") -> AppTest:
    """A first screen on which this finished training was chosen and opened."""
    kind = FINISHED[name].kind
    app = open_page(SCRIPTS[kind])
    app.selectbox(key=f"finished_name_{kind}").set_value(name).run()
    app.button(key="watch_finished").click().run()
    assert not app.exception and not app.error
    return app


def said(app: AppTest, kind: str = "points") -> str:
    feed = own(app, kind).feed
    return feed.texts(feed.look()[0])["steps_per_second"]


@pytest.mark.parametrize("kind", SCRIPTS)
def test_the_first_screen_offers_those_of_its_kind(hub, kind):
    app = open_page(SCRIPTS[kind])
    offered = app.selectbox(key=f"finished_name_{kind}").options
    rows = [row for row in FINISHED.values() if row.kind == kind]
    assert len(offered) == len(rows)
    for row, text in zip(rows, offered, strict=True):
        assert row.title in text and ("ends well" in text) is row.good
    app.button(key="play").click().run()
    own(app, kind).run._last = {"step": 1}
    app.run()
    hub.full = True  # it has its place in the queue
    app.run()
    assert "watch_finished" not in {button.key for button in app.button}


@pytest.mark.parametrize("name", ["ring-two-of-eight", "digits-all-alike"])
def test_one_is_opened_at_its_first_frame_without_a_process(hub, name):
    row = FINISHED[name]
    app = watched(name)
    here, end = own(app, row.kind), finished_runs.read(name).step
    assert hub.started == [] and here.run.worker is None and here.run.step == end
    snapshot, _ = here.feed.look()
    assert snapshot.shown == here.feed.at == 0 and len(snapshot.frame["recorded"]) >= 30
    assert row.title in said(app, row.kind) and "watch_finished" not in {button.key for button in app.button}
    here.feed.look_at(end // 2, here.feed.era)
    snapshot, place = here.feed.look()
    assert 0 < snapshot.shown <= end // 2
    drawn = here.feed.shown(snapshot, place)
    assert drawn["texts"]["step_counter"] == f"<p>step {snapshot.shown:,}</p>"
    assert drawn["scrubber"]["data"]["step"] == end and drawn["wait"] == 0
    app.button(key="play").click().run()
    assert hub.started == [here.run] and here.run.wants_play and here.feed.at is None


def test_the_replay_begins_once(hub):
    app = watched()

    def begins():
        here = own(app, "points")
        return here.feed.scrubber[1](here.feed.look()[0], 0)["replay"]

    assert begins()
    app.run()
    assert not begins()


def test_its_settings_are_the_page_s_and_another_structure_is_another_run(hub):
    app = watched()
    config = finished_runs.read("ring-two-of-eight").config
    assert app.slider(key="knob_g_layers").value == config.g_layers == 2
    app.slider(key="knob_g_layers").set_value(1).run()
    run = own(app, "points").run
    assert run.config.g_layers == 1 and run.step == 0 and not run.sources
    assert "Press Play" in said(app) and not any("restarts training" in m.value for m in app.markdown)
    assert "watch_finished" in {button.key for button in app.button}


def test_what_is_watched_can_be_saved(hub):
    app = watched()
    app.text_input(key="save_name_points").set_value("my copy")
    next(b for b in app.button if b.label == "Save").click().run()
    app.run()
    assert "Saved: “my copy”" in news(app)
    copy = run_reading.read(runs_folder() / "my copy")
    assert copy.step == finished_runs.read("ring-two-of-eight").step
    recording = run_reading.recording_of(copy)
    assert np.isfinite(recording.frames.items[-1]["samples"]).all()


def test_the_examples_have_a_card_for_each(hub):
    app = AppTest.from_file(str(ROOT / "pages" / "tutorials.py"), default_timeout=30).run()
    assert not app.exception
    text = " ".join([m.value for m in app.markdown] + [c.value for c in app.caption])
    for name, row in FINISHED.items():
        assert row.title in text and row.look_for in text
        assert app.button(key=f"watch_{name}").label == "Watch"


def test_one_that_was_deleted_is_a_sentence(hub, monkeypatch, tmp_path):
    monkeypatch.setattr(finished_runs, "FOLDER", tmp_path)
    app = AppTest.from_file(str(ROOT / "pages" / "tutorials.py"), default_timeout=30).run()
    assert not app.exception
    assert sum("cannot be read" in c.value for c in app.caption) == len(FINISHED)
    page = open_page()
    page.button(key="watch_finished").click().run()
    assert not page.exception and "not a readable run" in news(page)
