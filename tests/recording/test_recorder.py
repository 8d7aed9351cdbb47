"""What a run remembers: dense early, sparse late, bounded, and a branch knows its own past only."""

import numpy as np
import pytest

from gan_core.recording import recorder
from gan_core.recording.history import History
from gan_core.recording.recorder import Checkpoint, Parent, Recording, Timeline
from gan_core.training.train_step import COLUMNS


def filled(until, most=240, density=80, most_bytes=1 << 62, size=10):
    """A timeline that got an item whenever one was due."""
    line = Timeline(most, density, most_bytes)
    while line.due <= until:
        line.add(line.due, np.zeros(size, np.uint8))
    return line


def rows(n, start=0):
    return np.arange(start, start + n * len(COLUMNS), dtype=np.float32).reshape(n, len(COLUMNS))


def recorded(steps):
    """A recording with a frame, scores and a checkpoint at each of the steps."""
    made = Recording()
    for step in steps:
        made.history.append(rows(step - made.history.steps))
        made.frames.add(step, {"samples": np.full((4, 2), step, np.float32)})
        made.scores.add(step, {"step": step, "w1": float(step)})
        made.checkpoints.add(step, Checkpoint({"g_lr": step}, {"step": np.full(3, step)}, made.history.state()))
    return made


# -- the timeline -------------------------------------------------------------------------------------------


def test_early_training_is_dense_and_late_training_sparse():
    line = filled(1_000_000)
    assert filled(20).steps == list(range(21)) and line.steps[:6] == list(range(6))
    gaps = np.diff(line.steps)
    assert gaps[-1] > 10_000 and 100 < len(line) <= 240
    assert (gaps[1:] >= gaps[:-1] * 0.4).all()  # no crowd beside a hole


@pytest.mark.parametrize("most", [2, 3, 10, 60])
def test_there_are_never_too_many_and_the_first_and_the_newest_stay(most):
    line = Timeline(most, most)
    for step in range(0, 5_000, 7):
        line.add(step, step)
        assert len(line) <= most and line.steps[0] == 0 and line.steps[-1] == step
        assert line.items == line.steps == sorted(line.steps)


def test_bytes_are_bounded_but_two_items_always_stay():
    line = filled(100_000, most_bytes=1_000, size=100)
    assert 5 <= len(line) <= 10 and recorder.weight(line.items) <= 1_000
    heavy = filled(100_000, most_bytes=1_000, size=5_000)
    assert len(heavy) == 2 and heavy.steps[0] == 0


def test_thinning_keeps_the_spacing_even_in_cube_roots():
    line = filled(2_000_000, most=60, density=60)
    gaps = np.diff(np.cbrt(line.steps[5:]))
    assert gaps.max() < 4 * gaps.min()


def test_at_gives_the_newest_up_to_a_step():
    line = Timeline(10, 10)
    assert line.at(5) is None
    for step in (3, 7, 9):
        line.add(step, str(step))
    assert [line.at(step) for step in (0, 3, 6, 7, 100)] == [(3, "3"), (3, "3"), (3, "3"), (7, "7"), (9, "9")]


def test_the_newest_step_may_be_replaced_and_an_earlier_one_is_an_error():
    line = Timeline(10, 10)
    line.add(4, "a")
    line.add(4, "b")
    assert line.items == ["b"]
    with pytest.raises(ValueError, match="step 3 comes after step 4"):
        line.add(3, "c")


def test_a_copy_stands_still_while_the_original_goes_on():
    line = filled(50)
    copy = line.copy()
    before = list(copy.steps)
    line.add(60, np.zeros(1))
    assert copy.steps == before and line.steps[-1] == 60


# -- branches and copies ------------------------------------------------------------------------------------


def test_a_branch_has_the_past_up_to_its_step_and_nothing_after():
    whole = recorded((0, 1, 5, 9))
    whole.parent = Parent("grandparent", 2)
    branch = whole.until(5)
    assert branch.history.steps == 5 and branch.parent == whole.parent
    for line in (branch.frames, branch.scores, branch.checkpoints):
        assert line.steps == [0, 1, 5]
    branch.history.append(rows(3))
    branch.frames.add(6, {"samples": np.zeros((4, 2), np.float32)})
    assert whole.history.steps == 9 and whole.frames.steps == [0, 1, 5, 9]


def test_a_branch_leaves_at_a_checkpoint_only():
    with pytest.raises(KeyError):
        recorded((0, 1, 5)).until(4)
    with pytest.raises(KeyError):
        Recording().until(0)


def test_looking_back_shows_the_frame_and_the_scores_of_then():
    made = recorded((0, 1, 5, 9))
    seen = made.look(7)
    assert seen["at"] == 5 and seen["samples"][0, 0] == 5 and seen["metrics"]["w1"] == 5.0
    assert seen["history"]["step"][-1] == 9  # the losses of all steps
    assert made.look(0)["metrics"]["w1"] == 0.0
    late = Recording()
    late.scores.add(8, {"w1": 1.0})
    assert "No scores" in late.scores_at(7)["note"]


def test_a_copy_can_be_written_while_training_goes_on():
    made = recorded((0, 4))
    copy = made.copy()
    made.history.append(rows(2))
    made.checkpoints.add(6, Checkpoint({}, {}, made.history.state()))
    assert copy.history.steps == 4 and copy.checkpoints.steps == [0, 4]


def test_the_weight_counts_every_array():
    made = recorded((0, 4))
    kept = recorder.weight([c.history for c in made.checkpoints.items]) + recorder.weight(made.history.state())
    assert made.bytes == kept + 2 * (4 * 2 * 4) + 2 * (3 * 8)


# -- the history, kept and taken back -----------------------------------------------------------------------


@pytest.mark.parametrize("n", [0, 1, 5, 512, 513, 3_000])
def test_a_history_taken_back_goes_on_as_if_nothing_had_been(n):
    one = History()
    one.append(rows(n))
    one.mark(n, "g_lr 1 → 2")
    other = History.of_state(one.state())
    for history in (one, other):
        history.append(rows(777, start=5))
    a, b = one.frame(), other.frame()
    assert a["markers"] == b["markers"] and a["stride"] == b["stride"]
    assert all(np.array_equal(a[name], b[name]) for name in ("step", "mean", "low", "high"))


@pytest.mark.parametrize(
    "change",
    [
        {"stride": 0},
        {"stride": "many"},
        {"count": 99},
        {"count": -1},
        {"table": np.zeros((3, 5, 2))},
        {"table": np.zeros((2, 5, len(COLUMNS)))},
        {"table": np.zeros((3, 600, len(COLUMNS)))},
        {"sum": np.zeros(3)},
        {"low": "x"},
    ],
    ids=str,
)
def test_what_is_no_history_is_refused(change):
    history = History()
    history.append(rows(10))
    with pytest.raises(ValueError):
        History.of_state({**history.state(), **change})


def test_the_kept_item_stays_whatever_goes():
    line = Timeline(6, 6)
    for step in range(200):
        line.add(step, step)
        if step == 7:
            line.kept = 7
    assert 7 in line.steps and len(line) == 6 and line.copy().kept == 7
    heavy = Timeline(60, 60, most_bytes=100)
    for step in range(5):
        heavy.add(step, np.zeros(100, np.uint8))
        heavy.kept = 2 if step == 2 else heavy.kept
    assert heavy.steps == [0, 2, 4]


def test_the_best_is_the_frame_that_was_scored_best_at_its_own_step_whether_it_has_a_checkpoint_or_not():
    recording = Recording()
    assert recording.best() is None
    for step, value in ((0, 90.0), (5, 12.0), (8, 30.0), (9, 5.0)):
        recording.scores.add(step, {"classifier_fid": value, "classifier_fid_floor": 1.0, "step": step})
        if step != 9:  # that has no frame
            recording.frames.add(step, {})
    recording.checkpoints.add(0, ())
    assert recording.best() == {"step": 5, "name": "classifier-FID", "value": "12"}
    recording.keep_best()
    assert recording.frames.kept == recording.checkpoints.kept == recording.scores.kept == 5
    recording.scores.add(10, {"note": "none"})
    recording.frames.add(10, {})
    assert recording.best()["step"] == 5
    assert recording.best(framed=[8, 9])["step"] == 9
