"""The coach's findings: each on a recording that has it, none on one that is well, and what a coach keeps."""

from dataclasses import replace

import numpy as np
import pytest

from gan_core.diagnosis import facts
from gan_core.diagnosis.coach import Coach, findings
from gan_core.diagnosis.conditions import Condition
from gan_core.diagnosis.facts import Recorded
from gan_core.diagnosis.findings import FINDINGS
from gan_core.runs import finished_runs, run_reading
from gan_core.settings.presets import PRESETS
from gan_core.training.train_step import COLUMNS

RING = PRESETS["ring"].config
PLAIN = RING.updated({"loss": "non_saturating", "penalty": "none"})


def history(steps, **columns):
    table = np.full((len(steps), len(COLUMNS)), 0.6)
    for name, values in columns.items():
        table[:, COLUMNS.index(name)] = values
    return {"step": np.asarray(steps), "mean": table, "low": table, "high": table, "markers": []}


def scored(steps, counts=None, **values):
    """Scores at these steps; counts: of each mode, [n, modes]."""
    rows = []
    for i, step in enumerate(steps):
        row = {"step": int(step), "samples": 2_500, "w1_floor": 0.1}
        row |= {name: float(np.broadcast_to(value, len(steps))[i]) for name, value in values.items()}
        if counts is not None:
            own = np.asarray(counts[i])
            row |= {"mode_counts": own.tolist(), "modes": int((own > 0).sum()), "modes_total": len(own)}
            row["hq"] = float(own.sum()) / 2_500
        rows.append(row)
    return rows


STEPS = np.arange(200, 3_200, 200)
ALL = np.full((len(STEPS), 8), 300)
TWO = np.tile([900, 900, 0, 0, 0, 0, 0, 0], (len(STEPS), 1))


def recorded(config=PLAIN, scores=(), judged=None, diverged=False, **columns):
    return Recorded(config, history(STEPS, **columns), scores, judged or {}, diverged)


def names(run):
    return [finding.name for finding in findings(run)]


def test_a_run_that_is_well_has_none():
    assert names(recorded(scores=scored(STEPS, ALL, w1=np.linspace(1, 0.12, len(STEPS))))) == []
    assert names(recorded()) == []


def test_mode_collapse():
    run = recorded(scores=scored(STEPS, TWO, w1=1.0))
    (found,) = findings(run)
    assert found.name == "mode_collapse" and found.curve == "modes"
    assert (found.first, found.last) == (200, 3_000)
    assert "2 of 8 modes" in found.sentence


def test_modes_that_are_still_being_found_are_no_collapse():
    assert names(recorded(scores=scored(STEPS, TWO, w1=np.linspace(3, 0.5, len(STEPS))))) == []


def test_a_collapse_is_one_though_it_came_nearer_long_ago():
    """The first scores are of a blob that has just found its modes; nothing has moved in the last half of the way."""
    w1 = np.where(STEPS <= 1_000, 2.0, 1.0)
    assert names(recorded(scores=scored(STEPS, TWO, w1=w1))) == ["mode_collapse"]


def test_a_collapse_comes_once_it_has_held_and_goes_when_it_is_over():
    counts = np.concatenate([ALL[:8], TWO[8:]])
    scores = scored(STEPS, counts, w1=1.0)
    collapsed = [names(recorded(scores=scores[:n])) == ["mode_collapse"] for n in range(1, len(STEPS) + 1)]
    assert not any(collapsed[:10]) and collapsed[-1]
    assert names(recorded(scores=scored(STEPS, np.concatenate([TWO[:14], ALL[:1]]), w1=1.0))) != ["mode_collapse"]


def test_hopping():
    counts = np.zeros((len(STEPS), 8), int)
    counts[np.arange(len(STEPS)), np.arange(len(STEPS)) % 8] = 400
    w1 = np.where(np.arange(len(STEPS)) % 2, 0.9, 1.8)
    assert names(recorded(scores=scored(STEPS, counts, w1=w1))) == ["mode_hopping"]


def test_the_discriminator_wins_where_accuracy_means_that():
    run = recorded(real_accuracy=0.99, fake_accuracy=0.99)
    assert names(run) == ["discriminator_wins"]
    critic = PLAIN.updated({"loss": "wasserstein"})  # whose accuracy says nothing
    assert names(replace(run, config=critic)) == []


def test_oscillation_and_no_progress():
    swing = np.where(np.arange(len(STEPS)) % 2, 0.5, 1.2)
    assert names(recorded(scores=scored(STEPS, w1=swing))) == ["oscillation"]
    rising = np.linspace(0.5, 1.2, len(STEPS))  # it drifts away, which is no swing
    assert "oscillation" not in names(recorded(scores=scored(STEPS[:7], w1=rising[:7])))
    assert names(recorded(scores=scored(STEPS, w1=1.0))) == ["no_progress"]
    assert names(recorded(scores=scored(STEPS, w1=np.linspace(1.2, 0.85, len(STEPS))))) == ["no_progress"]
    falling = np.where(STEPS < 2_700, 1.2, 0.9)  # it moves at last
    assert names(recorded(scores=scored(STEPS, w1=falling))) == []


def test_memorizing():
    judged = {"step": STEPS, "values": np.tile([0.9, 0.4, 0.1, np.nan, np.nan], (len(STEPS), 1))}
    (found,) = findings(recorded(PRESETS["digits"].config, judged=judged))
    assert found.name == "memorizing" and found.remedy == {"augment": "ada"}


def test_a_divergence_is_said_at_once_and_its_remedy_acts_at_once():
    (found,) = findings(recorded(diverged=True))
    assert found.name == "diverged" and found.live
    assert found.state()["remedy"] == {"g_lr": PLAIN.g_lr / 4, "d_lr": PLAIN.d_lr / 4}


def test_batch_norm_against_a_penalty_is_said_where_it_goes_badly():
    config = PLAIN.updated({"penalty": "r1", "d_norm": "batch"})
    assert names(recorded(config, scored(STEPS, w1=1.0)))[0] == "batch_norm_and_penalty"
    assert names(recorded(config, scored(STEPS, ALL, w1=0.11))) == []


def test_looking_back_nothing_later_counts():
    scores = scored(STEPS, np.concatenate([ALL[:7], TWO[7:]]), w1=1.0)
    run = recorded(scores=scores)
    assert names(run) == ["mode_collapse"]
    assert names(replace(run, at=1_400)) != ["mode_collapse"]


def test_a_remedy_is_a_change_that_the_settings_take():
    for name, row in FINDINGS.items():
        config = PRESETS["digits"].config if name == "memorizing" else PLAIN.updated({"d_lr": 1e-4, "g_beta_1": 0.5})
        assert config.updated(dict(row.remedy(config))) != config, name


def test_a_remedy_that_the_data_do_not_take_is_none():
    judged = {"step": STEPS, "values": np.tile([0.9, 0.4, 0.1, np.nan, np.nan], (len(STEPS), 1))}
    (found,) = findings(recorded(judged=judged))
    assert found.remedy == {} and not found.live


def test_the_coach_keeps_what_came_and_went():
    coach = Coach()
    scores = scored(STEPS, np.concatenate([TWO[:12], ALL[:3]]), w1=1.0)
    for n in range(1, len(scores) + 1):
        coach.look(replace(recorded(scores=scores[:n]), at=scores[n - 1]["step"]))
    marks = [mark for mark in coach.marks if mark["name"] == "mode_collapse"]
    assert [mark["last"] is not None for mark in marks] == [True]
    assert marks[0]["first"] < marks[0]["last"] == 2_600


@pytest.mark.parametrize("name", finished_runs.FINISHED)
def test_the_finished_trainings_are_named_as_their_titles_do(name):
    """Those that end well have no finding at their end; each that ends badly had one on its way."""
    saved = finished_runs.read(name)
    recording = run_reading.recording_of(saved)
    run = Recorded(saved.config, recording.history.frame(), recording.scores.items, recording.judged())
    on_the_way = {found for step in recording.scores.steps for found in names(replace(run, at=step))}
    if finished_runs.FINISHED[name].good:
        assert names(run) == []
    else:
        assert on_the_way


def test_every_name_has_a_value_or_none():
    known = facts.known(recorded(scores=scored(STEPS, TWO, w1=1.0)), {"mode_collapse": True})
    for name in facts.names(FINDINGS):
        assert known.values[name] is None or isinstance(known.values[name], (int, float, str, bool)), name
    condition = Condition.read(
        "mode_collapse and modes == 2 and mean(w1) == 1 and g_layers >= 1", facts.names(FINDINGS)
    )
    assert condition.holds(known)


def test_what_a_run_is_known_by():
    counts = np.zeros((4, 3), int)
    counts[np.arange(4), [0, 1, 1, 2]] = 100
    run = Recorded(PLAIN, history([100, 200, 300, 400]), scored([100, 200, 300, 400], counts, w1=[4, 3, 2, 1]))
    values = facts.known(run).values
    assert (values["step"], values["best_modes"], values["mode_changes"], values["largest_mode"]) == (400, 1, 1, 1.0)
    assert (values["w1"], values["data.std"], values["diverged"]) == (1.0, PLAIN.params()["std"], False)
    assert facts.known(run).series["w1"] == [2.0, 1.0]
    assert facts.known(replace(run, at=250)).values["w1"] == 3.0


def test_a_trouble_that_comes_again_at_once_has_one_mark():
    coach = Coach()
    well, lost = recorded(scores=scored(STEPS, ALL, w1=0.11)), recorded(scores=scored(STEPS, TWO, w1=1.0))
    for at, run in ((2_000, lost), (2_200, well), (2_400, lost), (2_600, well), (3_000, well)):
        coach.look(replace(run, at=at))
    assert [(mark["first"], mark["last"]) for mark in coach.marks if mark["name"] == "mode_collapse"] == [
        (2_000, 2_600)
    ]


def test_nothing_is_known_before_the_first_step():
    run = Recorded(PLAIN, history([]))
    assert names(run) == [] and facts.known(run).values["d_accuracy"] is None
