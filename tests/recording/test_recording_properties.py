"""The bounded memory of a run against a plain list, however its rows and frames arrive."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from gan_core.recording.history import CAPACITY, History
from gan_core.recording.recorder import Timeline
from gan_core.training.train_step import COLUMNS


@given(st.lists(st.integers(1, 3_000), max_size=12), st.integers(0, 11), st.integers(0, 2**32 - 1))
def test_a_history_is_the_rows_in_bins_of_a_power_of_two(blocks, broken, seed):
    """Written down and taken back on the way, too."""
    rows = np.random.default_rng(seed).normal(size=(sum(blocks), len(COLUMNS))).astype(np.float32)
    history, at = History(), 0
    for turn, n in enumerate(blocks):
        if turn == broken:
            history = History.of_state(history.state())
        history.append(rows[at : at + n])
        at += n
    frame = history.frame()
    stride, bins = frame["stride"], len(frame["step"])
    assert stride & (stride - 1) == 0 and bins <= CAPACITY + 1 and history.steps == len(rows)
    edges = range(0, len(rows), stride)
    assert list(frame["step"]) == [min(edge + stride, len(rows)) for edge in edges]
    for i, edge in enumerate(edges):
        part = rows[edge : edge + stride]
        np.testing.assert_allclose(frame["mean"][i], part.mean(0, dtype=float), atol=1e-5)
        assert (frame["low"][i] == part.min(0)).all() and (frame["high"][i] == part.max(0)).all()


@given(
    st.lists(st.integers(0, 500), max_size=80).map(sorted), st.integers(2, 12), st.integers(1, 30), st.integers(-5, 600)
)
def test_a_timeline_is_a_thinned_list(steps, most, density, asked):
    timeline, newest = Timeline(most, density), {}
    for number, step in enumerate(steps):
        timeline.add(step, number)
        newest[step] = number  # one at the newest step replaces it
    assert len(timeline) <= most and timeline.steps == sorted(set(timeline.steps))
    assert all(newest[step] == item for step, item in zip(timeline.steps, timeline.items, strict=True))
    if not steps:
        assert timeline.at(asked) is None and timeline.due == 0
        return
    assert timeline.steps[0] == steps[0] and timeline.steps[-1] == steps[-1] and timeline.due > steps[-1]
    before = [step for step in timeline.steps if step <= asked] or timeline.steps[:1]
    assert timeline.at(asked) == (before[-1], newest[before[-1]])
    assert timeline.until(asked).steps == [step for step in timeline.steps if step <= asked]
