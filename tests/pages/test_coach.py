"""What the coach says on a page, what its buttons do, and what the popover Breakpoints asks of a run."""

import numpy as np
import pytest

from gan_core.diagnosis.coach import EARLY
from gan_core.diagnosis.finding import Finding
from gan_core.objectives.losses import LN2
from gan_core.recording.snapshot import Snapshot
from gan_core.settings.config import GANConfig
from gan_core.training.train_step import COLUMNS
from pages.ui.figures import loss_figures
from pages.ui.frames import feed
from pages.ui.run import coach_line, run_page, status
from pages.ui.session import own_run, remembered
from tests.support.app import FakeHub, news, open_page, own

REMEDY = {"loss": "relativistic", "penalty": "r1_r2", "gp_weight": 0.1}
COLLAPSE = Finding("mode_collapse", "Mode collapse", "2 of 8 <modes>.", "It is paid & not.", "modes", 300, 900, REMEDY)
FAST = Finding("diverged", "Diverged", "Not finite.", "Too fast.", "d_loss", 899, 900, {"g_lr": 2e-4, "d_lr": 3e-4})
ROOM = GANConfig(data="ring", loss="non_saturating", penalty="none")


def snapshot(*findings, config=ROOM, step=900, at=None, losses=(LN2 + 0.25, 2 * LN2 - 0.5), scored=9):
    means = np.zeros((9, len(COLUMNS)), np.float32)
    means[:, COLUMNS.index("g_loss")], means[:, COLUMNS.index("d_loss")] = losses
    history = {"step": np.arange(1, 10) * step // 9, "mean": means, "low": means, "high": means, "stride": 100}
    frame = {
        "step": step,
        "at": at,
        "scored": scored,
        "findings": [one.state() for one in findings],
        "history": {**history, "markers": []},
    }
    return Snapshot(config, None, "paused", step, frame=frame)


# -- the line -----------------------------------------------------------------------------------------------


def test_before_the_first_steps_it_says_that_nothing_is_known():
    assert "seen nothing yet" in coach_line.line(Snapshot(ROOM, None, "idle"))
    assert "Too early" in coach_line.line(snapshot(step=EARLY - 1))
    assert "Too early" in coach_line.line(snapshot(at=EARLY - 1))


def test_where_all_is_well_it_says_how_far_losses_with_an_equilibrium_are_from_it():
    assert coach_line.line(snapshot()) == (
        '<p class="ganscope-coach">All is well. Distance of each loss from its equilibrium: '
        "generator 0.25 (ln 2), discriminator 0.50 (2 ln 2).</p>"
    )
    wasserstein = ROOM.updated({"loss": "wasserstein", "penalty": "wgan_gp"})
    assert coach_line.line(snapshot(config=wasserstein)) == '<p class="ganscope-coach">All is well.</p>'
    assert "At step 500 all was well." in coach_line.line(snapshot(at=500))
    for at in (None, 500):  # a collapse is not named before the fourth
        assert "the coach waits for 4 scores and has 3." in coach_line.line(snapshot(at=at, scored=3))
        assert "As far as the losses show, all is well." in coach_line.line(snapshot(at=at, scored=0))


def test_a_finding_is_its_title_and_its_sentence_with_its_reason_and_the_others_named():
    said = coach_line.line(snapshot(COLLAPSE, FAST))
    assert '<b title="It is paid &amp; not.">Mode collapse.</b> 2 of 8 &lt;modes&gt;.' in said
    assert "+1 more" in said and 'aria-label="1 more: Diverged. Not finite."' in said
    assert "more" not in coach_line.line(snapshot(COLLAPSE))
    assert coach_line.for_watchers(snapshot()) == "" and "Mode collapse" in coach_line.for_watchers(snapshot(COLLAPSE))


def test_only_a_remedy_of_the_latest_step_is_offered():
    assert coach_line.shown(snapshot(COLLAPSE))["remedy"] == REMEDY
    assert coach_line.shown(snapshot(COLLAPSE, at=500)) is None and coach_line.shown(snapshot()) is None
    helpless = Finding(*(getattr(COLLAPSE, name) for name in list(vars(COLLAPSE))[:-1]), {})
    assert coach_line.shown(snapshot(helpless)) is None
    seen = {
        coach_line.offered(one) for one in (snapshot(), snapshot(COLLAPSE), snapshot(FAST), snapshot(FAST, COLLAPSE))
    }
    assert len(seen) == 3  # what decides whether the page is drawn anew


# -- the evidence -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("finding", "domain"), [(COLLAPSE, (0.0, 1.0)), (FAST, loss_figures.LOSS_DOMAIN)])
def test_the_evidence_is_a_band_with_its_title_behind_the_curve_that_it_names(finding, domain):
    layout = loss_figures.losses(snapshot(finding))["layout"]
    (band,) = [shape for shape in layout["shapes"] if shape["type"] == "rect"]
    assert (band["x0"], band["x1"]) == (finding.first, finding.last) and (band["y0"], band["y1"]) == domain
    (title,) = [note for note in layout["annotations"] if note["text"] == finding.title]
    early = finding.first < 450  # the title stays inside of the plot
    assert (title["x"], title["xanchor"]) == ((finding.first, "left") if early else (finding.last, "right"))
    assert band["line"]["dash"] == "dash"
    assert (title["y"], title["yanchor"]) == (
        loss_figures.LOSS_DOMAIN[0],
        "top",
    )  # between the plots: it hides no curve


def test_titles_of_bands_that_share_a_place_stand_in_one_line_and_that_of_the_accuracies_in_their_plot():
    wins = Finding("discriminator_wins", "D wins", "Right.", "No gradient.", "d_accuracy", 100, 900, {})
    layout = loss_figures.losses(snapshot(COLLAPSE, FAST, wins))["layout"]
    notes = {note["text"]: note for note in layout["annotations"]}
    assert "Mode collapse, Diverged" in notes and notes["D wins"]["y"] == loss_figures.ACCURACY_DOMAIN[0]
    assert [shape["y1"] for shape in layout["shapes"] if shape["type"] == "rect"] == [
        1.0,
        1.0,
        loss_figures.ACCURACY_DOMAIN[1],
    ]


def test_without_a_finding_there_is_no_band():
    assert all(shape["type"] == "line" for shape in loss_figures.losses(snapshot())["layout"]["shapes"])


# -- a page -------------------------------------------------------------------------------------------------


@pytest.fixture
def hub(monkeypatch):
    hub = FakeHub()
    monkeypatch.setattr(own_run, "hub", lambda: hub)
    return hub


def finds(app, *findings, **rest):
    """The run's training process answers so from now on."""
    run = own(app, "points").run
    about = {"generation": run.generation, "error": None, "pending": 0, "ready": True, "steps_per_second": 0.0}
    run._taken += 1
    states = [one.state() for one in findings]
    run._last = {**about, "step": 900, "at": None, "findings": states, "autosave": None, **rest}
    return app.run()


def keys(app):
    return {button.key for button in app.button}


def test_a_live_remedy_is_applied_as_a_change_of_settings(hub):
    app = open_page()
    assert not {"coach_apply", "coach_race"} & keys(app)
    finds(app, FAST)
    assert {"coach_apply", "coach_race"} <= keys(app)
    app.button(key="coach_apply").click().run()
    config = own(app, "points").config
    assert (config.g_lr, config.d_lr) == (2e-4, 3e-4) and own(app, "points").run.config == config
    finds(app)
    assert not {"coach_apply", "coach_race"} & keys(app)


def test_another_remedy_is_raced_against_the_present_settings_with_the_same_seed(hub):
    app = open_page(loss="non_saturating", penalty="none")
    finds(app, COLLAPSE)
    assert "coach_race" in keys(app) and "coach_apply" not in keys(app)
    app.button(key="coach_race").click().run()
    tab = app.session_state["ganscope"]
    assert tab.goes_to == "pages/compare.py"
    app.switch_page("pages/compare.py").run()
    assert not app.exception and tab.racing is None
    plain, helped = own(app, "race").run.configs
    assert plain == own(app, "points").run.config and helped == plain.updated(REMEDY) and plain.seed == helped.seed


def test_a_remedy_whose_finding_is_over_changes_nothing_and_says_so(hub):
    app = open_page()
    finds(app, FAST)
    before = own(app, "points").config
    own(app, "points").run._last["findings"] = []
    app.button(key="coach_apply").click().run()
    assert own(app, "points").config == before and "over" in news(app)


def test_the_page_is_drawn_anew_when_another_finding_is_first_and_not_with_each_frame(hub):
    app = open_page()
    run = own(app, "points").run
    seen = {run_page._revision(run, None, None, snapshot(COLLAPSE, step=step)) for step in (900, 1_000, 1_100)}
    assert len(seen) == 1 and run_page._revision(run, None, None, snapshot(step=1_100)) not in seen


def test_breakpoints_are_sent_live_and_kept_over_pages_and_a_refresh(hub):
    app = open_page()
    run = own(app, "points").run
    assert run.breakpoints == []
    app.number_input(key="break_step_points").set_value(500)
    app.toggle(key="break_modes_points").set_value(True)
    app.selectbox(key="break_score_points").set_value("w1")
    app.selectbox(key="break_side_points").set_value(False)
    app.number_input(key="break_value_points").set_value(0.2)
    app.text_input(key="break_condition_points").set_value("modes == 8  and hq > 0.9").run()
    assert not app.exception
    wanted = [
        {"kind": "step", "step": 500},
        {"kind": "score", "score": "w1", "above": False, "value": 0.2},
        {"kind": "modes"},
        {"kind": "condition", "text": "modes == 8 and hq > 0.9"},
    ]
    assert run.breakpoints == wanted
    app.switch_page("pages/guide.py").run()
    app.switch_page("pages/playground.py").run()
    assert run.breakpoints == wanted and app.number_input(key="break_step_points").value == 500
    assert any("break_step_points".startswith(family) for family in remembered.FAMILIES)


def test_a_condition_that_cannot_be_read_is_a_sentence_and_no_breakpoint(hub):
    app = open_page()
    app.text_input(key="break_condition_points").set_value("beauty > 3").run()
    assert not app.exception and own(app, "points").run.breakpoints == []
    assert any("beauty" in html.body and "There are:" in html.body for html in app.get("html"))


def test_the_status_line_says_at_which_breakpoint_training_stands(hub):
    app = open_page()
    run = own(app, "points").run
    about = snapshot(step=1_234)
    about.frame["breakpoint"] = {"step": 1_234, "said": "modes lost (8 to 7)"}
    assert status.status(run, about) == "paused at step 1,234: breakpoint: modes lost (8 to 7)"
    assert feed.STATUS["paused"] == "paused"
