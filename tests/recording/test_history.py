"""The history: right numbers in bounded memory, however the rows arrive."""

import pickle

import numpy as np
import pytest

from gan_core.recording.history import CAPACITY, MARKERS, History
from gan_core.training.train_step import COLUMNS

WIDTH = len(COLUMNS)


def rows_of(n, seed=0):
    """Noise on a drift, a column of ones, and a rare spike."""
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(n, WIDTH)).astype(np.float32) + np.linspace(0, 5, n, dtype=np.float32)[:, None]
    rows[:, 4] = 1.0
    rows[n // 3, 0] = 1_000.0
    return rows


def filled(rows, blocks):
    """A history of `rows`, appended in blocks of the given sizes, over and over."""
    history = History()
    at = turn = 0
    while at < len(rows):
        n = blocks[turn % len(blocks)]
        history.append(rows[at : at + n])
        at, turn = at + n, turn + 1
    return history


def expected(rows, stride):
    """(mean, low, high, step) of `rows` in bins of `stride`, the last one perhaps shorter."""
    edges = np.arange(0, len(rows), stride)
    counts = np.diff(np.append(edges, len(rows)))[:, None]
    return (
        np.add.reduceat(rows.astype(float), edges) / counts,
        np.minimum.reduceat(rows, edges),
        np.maximum.reduceat(rows, edges),
        np.append(edges[1:], len(rows)),
    )


def check(history, rows):
    frame = history.frame()
    mean, low, high, step = expected(rows, frame["stride"])
    np.testing.assert_array_equal(frame["step"], step)
    np.testing.assert_allclose(frame["mean"], mean, rtol=1e-3, atol=2e-4)
    np.testing.assert_array_equal(frame["low"], low)
    np.testing.assert_array_equal(frame["high"], high)
    assert history.steps == len(rows)


MILLION = rows_of(1_000_000)
UNEVEN = [1, 1_000, 37, 4_096, 513, 2, 9_999, 1_024]


@pytest.mark.parametrize("n", [1, 2, 511, 512, 513, 1_024, 1_025, 12_345, 100_000])
def test_means_and_extremes(n):
    check(filled(rows_of(n), UNEVEN), rows_of(n))


def test_a_million_rows_in_uneven_blocks():
    check(filled(MILLION, UNEVEN), MILLION)


def test_a_million_rows_at_once():
    check(filled(MILLION, [1_000_000]), MILLION)


def test_row_by_row():
    check(filled(rows_of(3_000), [1]), rows_of(3_000))


@pytest.mark.parametrize("n", [1, 600, 10_000, 100_000, 1_000_000])
def test_the_frame_is_bounded_and_the_stride_a_power_of_two(n):
    history = filled(MILLION[:n], UNEVEN)
    frame = history.frame()
    bins = len(frame["step"])
    assert bins <= CAPACITY + 1
    assert bins >= min(n, CAPACITY // 2)
    assert frame["stride"] & (frame["stride"] - 1) == 0
    assert frame["stride"] * CAPACITY >= n - frame["stride"]
    assert frame["step"].dtype == np.int32
    for name in ("mean", "low", "high"):
        assert frame[name].shape == (bins, WIDTH) and frame[name].dtype == np.float32


def test_a_million_rows_take_about_the_memory_of_ten_thousand():
    small, large = (filled(MILLION[:n], UNEVEN) for n in (10_000, 1_000_000))
    assert len(pickle.dumps(large)) < 3 * len(pickle.dumps(small)) < 300_000
    assert len(pickle.dumps(large.frame())) < 100_000


def test_bins_never_hold_more_rows_than_their_stride():
    """Every full bin stands for the same number of steps: the steps are evenly spaced but for the tail."""
    frame = filled(rows_of(5_000), UNEVEN).frame()
    assert set(np.diff(np.append(0, frame["step"]))[:-1]) == {frame["stride"]}
    assert 1 <= np.diff(frame["step"])[-1] <= frame["stride"]


def test_the_newest_row_always_shows():
    """In the tail, long before its bin is full."""
    history = filled(rows_of(100_000), [1_000])
    history.append(np.full((1, WIDTH), -777.0, np.float32))
    frame = history.frame()
    assert frame["step"][-1] == 100_001
    assert (frame["low"][-1] == -777).all()


def test_a_spike_stays_visible():
    frame = filled(MILLION, UNEVEN).frame()
    i = int(frame["high"][:, 0].argmax())
    assert frame["high"][i, 0] == 1_000
    assert frame["step"][i] - frame["stride"] < len(MILLION) // 3 + 1 <= frame["step"][i]


def test_the_mean_of_a_constant_is_the_constant():
    np.testing.assert_allclose(filled(MILLION, UNEVEN).frame()["mean"][:, 4], 1.0, rtol=1e-5)


def test_an_empty_history():
    frame = History().frame()
    assert History().steps == 0
    assert frame["step"].shape == (0,) and frame["mean"].shape == (0, WIDTH)
    history = History()
    history.append(np.zeros((0, WIDTH), np.float32))
    assert history.steps == 0 and len(history.frame()["step"]) == 0


def test_a_frame_does_not_change_when_more_rows_come():
    history = filled(rows_of(2_000), UNEVEN)
    frame = history.frame()
    copy = frame["mean"].copy()
    history.append(rows_of(50_000, seed=1))
    np.testing.assert_array_equal(frame["mean"], copy)


def test_a_history_keeps_no_hold_of_the_rows():
    rows = rows_of(100)
    history = History()
    history.append(rows)
    before = history.frame()["mean"]
    rows[:] = 0
    np.testing.assert_array_equal(history.frame()["mean"], before)


# -- markers ------------------------------------------------------------------------------------------------


def texts(history):
    return [(m["step"], m["text"]) for m in history.frame()["markers"]]


def test_a_drag_leaves_one_marker():
    """The newest at the same step of the same knob; other steps and other knobs stay."""
    history = History()
    history.mark(10, "g_lr 0.001 → 0.002")
    history.mark(10, "d_lr 0.001 → 0.1")
    history.mark(10, "g_lr 0.002 → 0.003")
    history.mark(20, "g_lr 0.003 → 0.004")
    assert texts(history) == [
        (10, "d_lr 0.001 → 0.1"),
        (10, "g_lr 0.002 → 0.003"),
        (20, "g_lr 0.003 → 0.004"),
    ]


def test_knobs_are_told_apart_by_their_whole_name():
    history = History()
    history.mark(1, "g_lr a")
    history.mark(1, "g_lr_late b")
    assert len(history.markers) == 2


def test_markers_are_bounded_and_the_newest_stay():
    history = History()
    for step in range(1_000):
        history.mark(step, f"g_lr {step}")
    assert [m["step"] for m in history.markers] == list(range(1_000 - MARKERS, 1_000))


def test_a_frame_has_its_own_list_of_markers():
    history = History()
    history.mark(1, "g_lr a")
    frame = history.frame()
    history.mark(2, "g_lr b")
    assert len(frame["markers"]) == 1
