"""Labs on their page, the page Learn, and links that hide settings: in Streamlit's AppTest, without a worker."""

import json
from dataclasses import replace

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from gan_core.labs import lab as lab_file
from gan_core.labs import library, receipts
from gan_core.recording.snapshot import Snapshot
from gan_core.serving.run_origins import Source
from gan_core.settings.presets import PRESETS
from gan_core.training.train_step import COLUMNS
from pages.ui.components.markdown import plain
from pages.ui.learn import failures_view, lab_maker, lab_panel
from pages.ui.run import coach_line
from pages.ui.session import own_run, page_state, remembered
from pages.ui.session.page_state import Progress, Tab
from tests.conftest import ROOT
from tests.support.app import FakeHub, open_page, own


@pytest.fixture
def hub(monkeypatch):
    fake = FakeHub()
    monkeypatch.setattr(own_run, "hub", lambda: fake)
    return fake


def collapse():
    return library.built_in()["collapse"]


def answered(app, index=1):
    """The page after a click on an answer of the prediction."""
    buttons = next(g for g in app.get("button_group") if g.key.startswith("lab_answer"))
    buttons.set_value(index).run()
    return app


def test_play_is_free_after_the_prediction(hub):
    app = open_page(lab="collapse")
    assert dict(app.query_params) == {"lab": ["collapse"]} or dict(app.query_params) == {"lab": "collapse"}
    for key in ("play", "step"):
        assert app.button(key=key).disabled
    assert app.button(key="new_seed").disabled and "prediction" in app.button(key="play").help
    app.session_state["ganscope"].anatomy = True
    app.run()
    assert all(app.button(key=key).disabled for key in ("step_d", "step_g", "phase_next", "phase_back"))
    app.session_state["ganscope"].anatomy = False
    answered(app)
    assert not app.button(key="play").disabled and not app.button(key="step").disabled
    assert app.button(key="new_seed").disabled
    assert app.session_state["ganscope"].progress["collapse"].answer == 1
    assert not app.exception


def test_only_the_shown_settings_are_there_and_leaving_shows_all(hub):
    app = open_page(lab="collapse", g_lr="0.001")
    knobs = [w.key for kind in (app.slider, app.select_slider, app.selectbox, app.toggle) for w in kind]
    assert {key for key in knobs if key.startswith("knob_")} == {"knob_g_lr", "knob_d_lr"}
    assert any("other settings are hidden" in c.value for c in app.caption)
    assert own(app, "points").config.g_lr == 0.001
    app.button(key="lab_leave").click().run()
    assert app.selectbox(key="preset") is not None and own(app, "points").config.g_lr == 0.001
    assert "lab" not in dict(app.query_params) and not app.button(key="play").disabled


def test_a_link_to_a_lab_cannot_set_what_it_does_not_show(hub):
    app = open_page(lab="collapse", batch_size="64", d_lr="fast")
    said = app.warning[0].value
    assert "does not show batch\\_size" in said and "d_lr" in said
    assert own(app, "points").config == collapse().start
    assert "There is no lab 'nix'" in open_page(lab="nix").warning[0].value


def test_a_lab_of_the_other_page_is_opened_there(hub):
    app = open_page(lab="memorizing")
    assert "is on the page Images" in app.warning[0].value
    app.button(key="open_elsewhere").click().run()
    assert own(app, "images").lab is library.built_in()["memorizing"]


def test_a_link_hides_settings(hub):
    app = open_page(hide="g_lr,preset,data,nix,data.std")
    assert "no setting 'nix'" in app.warning[0].value
    keys = [w.key for kind in (app.slider, app.select_slider, app.selectbox) for w in kind]
    assert not {"knob_g_lr", "preset", "knob_data", "knob_data.std"} & set(keys) and "knob_d_lr" in keys
    assert "data.std,g_lr,preset" in str(dict(app.query_params)["hide"])
    app.button(key="show_all").click().run()
    assert app.select_slider(key="knob_g_lr") is not None and "hide" not in dict(app.query_params)


def test_settings_that_a_lab_does_not_have_leave_it(monkeypatch):
    monkeypatch.setattr(page_state.st, "session_state", {"ganscope": Tab(kind="points")})
    page_state.enter(collapse())
    there = page_state.page("points")
    page_state.set_config(collapse().start.updated({"d_lr": 0.01}))
    assert there.lab == collapse()
    page_state.set_config(PRESETS["ring"].config)
    assert there.lab is None and "You left the lab" in page_state.news()[0]["text"]


def test_what_is_known_of_a_lab_survives_a_refresh(monkeypatch):
    tab = Tab(kind="points", key="k" * 40, progress={"collapse": Progress(2, "{}", 5)})
    tab.pages["points"].lab = collapse()
    monkeypatch.setattr(page_state.st, "session_state", {"ganscope": tab})
    remembered.keep()
    for linked, kept in ((False, collapse()), (True, None)):
        again = Tab(kind="points")
        again.pages["points"].linked = linked  # then the address says which lab it is
        monkeypatch.setattr(page_state.st, "session_state", {"ganscope": again})
        remembered.restore("k" * 40)
        assert again.pages["points"].lab == kept and again.progress["collapse"].receipt == "{}"


class Standing:
    """A run of no saved one."""

    sources = ()


def snapshot(step, reached=None, changes=(), config=None, **frame):
    lab = collapse()
    goal = {"text": lab.goal.condition.text, "changes": list(changes), "reached": reached}
    metrics = {"step": step, "modes": 5, "modes_total": 8, "hq": 0.25}
    history = {"step": [step], "mean": np.zeros((1, len(COLUMNS)))}
    frame = {"goal": goal, "metrics": metrics, "history": history, **frame}
    return Snapshot(config or lab.start, None, "paused", step, frame=frame)


def state(shot, run=Standing, progress=None):
    return lab_panel._state(run, collapse(), progress or Progress(1), shot)


def test_the_goal_says_how_far_it_is():
    lab = collapse()
    assert state(snapshot(0)) == "○ Not yet."
    assert state(snapshot(40)).startswith("○ Not yet: ") and "25.0 %" in state(snapshot(40))
    assert "3,000 steps are over" in state(snapshot(3_001))
    flat = lab.start.to_flat()
    reached = {"step": 900, "settings": flat, "changes": [], "scores": {}, "scored": [], "framed": []}
    assert state(snapshot(3_001, reached)) == "✓ Reached at step 900."
    wrong = {"step": 40, "name": "penalty", "old": "none", "new": "r1"}
    assert "penalty was changed; only g_lr and d_lr may be" in state(snapshot(50, changes=[wrong]))
    assert "does not count" in state(snapshot(50, {**reached, "settings": {**flat, "seed": 3}}))
    assert "Reached before, at step 7" in state(snapshot(50), progress=Progress(1, "{}", 7))

    class Opened:
        sources = (Source(None, None),)

    assert "goes on from a saved run" in state(snapshot(50, reached), Opened)
    assert lab_panel.stage(Opened, lab, snapshot(50, reached)) == ""
    assert lab_panel.stage(Standing, lab, snapshot(50, reached)) == "reached"
    assert lab_panel.stage(Standing, None, snapshot(50, reached)) == ""


def test_a_reached_goal_gives_receipt_reveal_and_the_next_lab(hub):
    app = answered(open_page(lab="collapse"), 0)
    lab = collapse()
    reached = {"step": 900, "settings": lab.start.to_flat(), "changes": [], "scores": {"step": 900, "modes": 8}}
    run = own(app, "points").run
    run._last = {"step": 950, "goal": {**snapshot(1).frame["goal"], "reached": {**reached, "scored": [], "framed": []}}}
    app.run()
    assert not app.exception
    progress = app.session_state["ganscope"].progress["collapse"]
    receipt = receipts.read(progress.receipt.encode())
    assert (receipt.lab, receipt.prediction, receipt.step) == ("collapse", "All 8", 900)
    assert len(app.get("download_button")) >= 1
    assert any("Two or three. You predicted: All 8." in str(each.proto) for each in app.get("html"))
    app.button(key="lab_next").click().run()
    assert dict(app.query_params)["lab"] in ("loss-and-quality", ["loss-and-quality"])
    assert app.button(key="play").disabled and not app.exception


def test_who_runs_out_of_steps_can_see_the_answer(hub):
    app = answered(open_page(lab="collapse"))
    own(app, "points").run._last = {"step": 3_500}
    app.run()
    app.button(key="lab_answer_now").click().run()
    assert any("What happens" in str(each.proto) for each in app.get("html"))
    assert not app.session_state["ganscope"].progress["collapse"].receipt


def test_learn_lists_labs_failures_and_examples(hub, tmp_path, monkeypatch):
    content = {**json.loads((library.FOLDER / "collapse.json").read_text()), "title": "Mine *and* [yours](http://x)"}
    (tmp_path / "mine.json").write_text(json.dumps(content))
    (tmp_path / "bad.json").write_text("{")
    monkeypatch.setenv(library.VARIABLE, str(tmp_path))
    app = AppTest.from_file(str(ROOT / "pages" / "learn.py"), default_timeout=30).run()
    assert not app.exception and len([b for b in app.button if b.key.startswith("open_lab_")]) == 13
    assert "The lab bad" in app.warning[0].value
    assert any(plain("Mine *and* [yours](http://x)") in m.value for m in app.markdown)
    app.get("button_group")[0].set_value("failures").run()
    assert app.button(key="race_failure_mode-collapse") is not None and not app.exception
    app.get("button_group")[0].set_value("examples").run()
    assert app.button(key="open_tutorial-disc") is not None


def test_a_card_opens_its_lab_on_its_page(monkeypatch):
    tab = Tab(kind="points")
    monkeypatch.setattr(page_state.st, "session_state", {"ganscope": tab})
    lab_panel.open_from_list("memorizing")
    there = tab.pages["images"]
    assert there.lab == library.built_in()["memorizing"] and there.config == there.lab.start and there.begins
    assert tab.goes_to == "pages/images.py"
    lab_panel.open_from_list("gone")
    assert "not there any more" in page_state.news()[-1]["text"]


def test_the_cure_of_a_failure_is_raced(monkeypatch):
    tab = Tab(kind="points")
    monkeypatch.setattr(page_state.st, "session_state", {"ganscope": tab})
    failures_view._race("mode-collapse")
    (config, cured), upload = tab.racing
    assert page_state.st.session_state["compare_way"] == "race"  # whatever Compare showed last
    assert (config.d_lr, cured.d_lr, upload, tab.goes_to) == (0.002, 0.001, None, failures_view.COMPARE)
    words = failures_view.cure_in_words(failures_view.FAILURES["mode-collapse"])
    assert "0.001 in place of 0.002" in words


def test_a_lab_is_made_of_the_page(hub):
    app = open_page(seed="5", d_lr="0.003")
    app.button(key="make_lab").click().run()
    app.text_input(key="maker_title").set_value("My first: Lab!").run()
    assert any("must be a" in w.value for w in app.warning)  # what is missing is said, one at a time
    app.text_input(key="maker_question").set_value("Why?")
    app.text_area(key="maker_answers").set_value("yes\nno\n")
    app.text_input(key="maker_look_at").set_value("the plot")
    app.text_input(key="maker_task").set_value("all 8")
    app.text_input(key="maker_goal").set_value("modes == 8 and")
    app.text_area(key="maker_reveal").set_value("So it is.")
    app.run()
    assert any("`goal`: The condition" in w.value for w in app.warning)
    app.text_input(key="maker_goal").set_value("modes == 8").run()
    assert not app.warning and not app.exception
    assert any("?lab=my-first-lab" in c.value for c in app.code) and app.get("download_button")


def test_a_made_lab_starts_from_the_settings_of_the_page():
    config = PRESETS["grid"].config.updated({"seed": 9, "data.side": 3})
    content = {
        **{"title": "t", "question": "q", "answers": ["a", "b"], "look_at": "l", "task": "t", "goal": "modes == 9"},
        **{"within": 5, "reveal": "r", "shown": ["g_lr"], "settings": lab_maker.settings_of(config)},
    }
    assert lab_file.read("t", json.loads(lab_file.written(content, "t"))).start == config


def test_a_lab_that_its_teacher_has_changed_begins_anew(monkeypatch):
    monkeypatch.setattr(page_state.st, "session_state", {"ganscope": Tab(kind="points")})
    lab = collapse()
    page_state.progress_of(lab).answer = 2
    assert page_state.progress_of(lab).answer == 2
    assert (
        page_state.progress_of(replace(lab, answers=lab.answers[:2])).answer is None
    )  # there is no third one any more


def test_what_the_coach_would_change_is_offered_only_where_the_lab_shows_it(monkeypatch):
    tab = Tab(kind="points")
    monkeypatch.setattr(page_state.st, "session_state", {"ganscope": tab})
    here = tab.pages["points"]
    here.lab, here.config = collapse(), collapse().start
    assert coach_line._is_allowed({"d_lr": 1e-3}) and not coach_line._is_allowed({"d_lr": 1e-3, "d_steps": 2})
    here.lab = None
    assert coach_line._is_allowed({"d_steps": 2})
