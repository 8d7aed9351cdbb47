"""Drawings: the text that carries them, and the points that they become."""

import base64
import zlib

import numpy as np
import pytest

from gan_core.data import drawing, loading
from gan_core.data.datasets import DATASETS
from gan_core.data.drawing import MOST_PLACES, MOST_STROKES, MOST_TEXT, Stroke, decode, encode, sample
from gan_core.foundations.hyperparameters import ConfigError
from gan_core.settings.config import GANConfig

LINE = Stroke(np.array([[-1.0, 0.5], [1.0, 0.5]]), width=0.2)
RNG = np.random.default_rng


def test_a_drawing_comes_back_from_its_text():
    strokes = [LINE, Stroke(np.array([[0.1, -1.499]]), 0.6, 5.0, "second"), Stroke(LINE.places, 0.02, 0.2, "eraser")]
    back = decode(encode(strokes))
    assert [(s.tool, s.width, s.density) for s in back] == [
        ("brush", 0.2, 1),
        ("second", 0.6, 5),
        ("eraser", 0.02, 0.2),
    ]
    for one, other in zip(strokes, back, strict=True):
        np.testing.assert_allclose(other.places, one.places, atol=0.5 / drawing.UNIT)
    assert encode(back) == encode(strokes)  # nothing is lost by going there and back again


def test_widths_and_densities_of_another_browser_are_brought_into_their_ranges():
    (stroke,) = decode(encode([Stroke(LINE.places, 9.0, 1e9)]))
    assert (stroke.width, stroke.density) == (drawing.WIDTHS[1], drawing.DENSITIES[1])


def test_an_eraser_over_everything_costs_no_more_than_a_few_rounds(monkeypatch):
    """A link of a hundred letters may name an eraser of thousands of places and 200,000 points."""
    zigzag = np.tile([[-1.5, -1.5], [1.5, 1.5]], (MOST_PLACES // 2, 1))
    rounds, along = [], drawing._along
    monkeypatch.setattr(drawing, "_along", lambda *given: rounds.append(1) or along(*given))
    with pytest.raises(ConfigError, match="almost"):
        drawing.drawn(200_000, RNG(0), strokes=encode([Stroke(zigzag[:2]), Stroke(zigzag[2:], 0.6, tool="eraser")]))
    assert len(rounds) <= 3


def test_places_off_the_plane_are_moved_to_its_edge():
    (stroke,) = decode(encode([Stroke(np.array([[9.0, -9.0], [0.0, 0.0]]))]))
    assert stroke.places.tolist() == [[1.5, -1.5], [0, 0]]


def test_an_empty_drawing_has_a_text_too():
    assert decode(encode([])) == []


@pytest.mark.parametrize(
    "strokes",
    [
        [LINE] * (MOST_STROKES + 1),
        [Stroke(np.zeros((MOST_PLACES + 1, 2)))],
        [Stroke(RNG(0).uniform(-1, 1, (3_000, 2)))],
    ],
    ids=["strokes", "places", "text"],
)
def test_what_is_too_much_for_a_link_is_refused(strokes):
    with pytest.raises(ConfigError, match="The drawing is full"):
        encode(strokes)


def test_a_long_drawing_fits_a_link():
    """A hand that scribbles for a minute: 1,500 places."""
    angle = np.linspace(0, 60, 1_500)
    places = np.stack([np.cos(angle), np.sin(1.3 * angle)], 1) * angle[:, None] / 60
    assert len(encode([Stroke(places)])) < MOST_TEXT


def packed(content: bytes) -> str:
    return base64.urlsafe_b64encode(zlib.compress(content)).decode().rstrip("=")


WHOLE = encode([LINE])
DAMAGED = {
    "nothing": "",
    "cut off": WHOLE[:-7],
    "changed": WHOLE[:8] + ("A" if WHOLE[8] != "A" else "B") + WHOLE[9:],
    "not base64": "*" * 20,
    "not packed": base64.urlsafe_b64encode(b"hello").decode(),
    "of another version": packed(b"\x09"),
    "a bomb": packed(b"\x01" + bytes(50_000_000)),
    "an unknown tool": packed(b"\x01" + drawing._HEAD.pack(7, 10, 20, 1) + bytes(4)),
    "no width": packed(b"\x01" + drawing._HEAD.pack(0, 0, 20, 1) + bytes(4)),
    "no places": packed(b"\x01" + drawing._HEAD.pack(0, 10, 20, 0)),
    "fewer places than it says": packed(b"\x01" + drawing._HEAD.pack(0, 10, 20, 9) + bytes(4)),
    "far away": packed(b"\x01" + drawing._HEAD.pack(0, 10, 20, 1) + b"\xff\x7f\xff\x7f"),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_a_damaged_text_is_a_sentence(name):
    with pytest.raises(ConfigError, match="is damaged"):
        decode(DAMAGED[name])


def test_a_stroke_becomes_points_evenly_along_it_and_within_its_width():
    points, labels = sample(40_000, RNG(0), [LINE])
    assert points.dtype == np.float32 and points.shape == (40_000, 2) and not labels.any()
    assert np.abs(points[:, 1] - 0.5).max() <= 0.1 + 1e-6
    assert np.std(points[:, 1]) == pytest.approx(0.05, abs=2e-3)  # of a disc of radius 0.1
    share = np.histogram(points[:, 0], bins=8, range=(-1, 1))[0] / 40_000
    np.testing.assert_allclose(share, 1 / 8, atol=0.01)


def test_points_are_shared_by_length_times_density():
    short = Stroke(np.array([[0.0, -1.0], [0.5, -1.0]]), 0.02, 4.0, "second")  # 0.5 x 4, LINE 2 x 1
    points, labels = sample(40_000, RNG(1), [LINE, short])
    assert labels.mean() == pytest.approx(0.5, abs=0.01)
    assert ((points[:, 1] < 0) == labels.astype(bool)).all()


def test_a_dot_is_a_disc():
    points, _ = sample(5_000, RNG(2), [Stroke(np.array([[0.3, 0.4]]), 0.5)])
    far = np.linalg.norm(points - [0.3, 0.4], axis=1)
    assert far.max() <= 0.25 + 1e-6 and np.quantile(far, 0.5) == pytest.approx(0.25 * 0.5**0.5, abs=5e-3)


def test_an_eraser_takes_what_was_before_it_and_leaves_what_comes_after():
    wipe = Stroke(np.array([[0.0, -1.0], [0.0, 1.0]]), 0.4, tool="eraser")
    before, _ = sample(5_000, RNG(3), [LINE, wipe])
    assert len(before) == 5_000 and np.abs(before[:, 0]).min() > 0.2
    after, _ = sample(5_000, RNG(3), [wipe, LINE])
    assert np.abs(after[:, 0]).min() < 0.01


def test_strokes_are_added_to_a_set_to_start_from():
    start = RNG(4).normal(0, 0.1, (1_000, 2)).astype(np.float32) - 1
    points, _ = sample(40_000, RNG(5), [LINE], start)
    assert (points[:, 1] < 0).mean() == pytest.approx(6 / 8, abs=0.01)  # as dense as a stroke of length 6
    corner = Stroke(np.array([[-1.0, -1.0]]), 2.0, tool="eraser")
    points, _ = sample(500, RNG(5), [corner, LINE], start)
    assert (points[:, 1] > 0).all()


@pytest.mark.parametrize("strokes", [[], [LINE, Stroke(LINE.places, 0.6, tool="eraser")]], ids=["empty", "erased"])
def test_a_drawing_of_nothing_is_a_sentence(strokes):
    with pytest.raises(ConfigError, match=r"The drawing is empty|left \(almost\) nothing"):
        drawing.drawn(100, RNG(0), strokes=encode(strokes))


def test_it_is_a_data_set_like_any_other():
    """In the link, the same points for the same seed, another drawing other points."""
    config = GANConfig.from_flat({"data": "drawn", "data.strokes": encode([LINE]), "data.start": "ring"})
    again = GANConfig.from_flat(config.to_query())
    assert again == config
    data = loading.load(config)
    np.testing.assert_array_equal(data.points, loading.load(again).points)
    assert len(data) == config.data_size and np.abs(data.points).max() <= data.limit
    heart = loading.load(GANConfig.from_flat({"data": "drawn"}))
    assert not np.array_equal(heart.points[:100], data.points[:100])


@pytest.mark.parametrize("start", DATASETS["drawn"].knobs["start"].choices)
def test_every_set_to_start_from_fits_the_plane(start):
    data = DATASETS["drawn"].draw(2_000, RNG(0), start=start, strokes=encode([LINE]))
    assert (np.abs(data.points) <= data.limit).mean() > 0.99


def test_a_damaged_link_is_a_sentence_before_anything_trains():
    config = GANConfig.from_flat({"data": "drawn", "data.strokes": WHOLE[:-7]})
    with pytest.raises(ConfigError, match="Copy the whole link"):
        loading.load(config)
    with pytest.raises(ConfigError, match=r"data.strokes must be the text of a drawing"):
        GANConfig.from_flat({"data": "drawn", "data.strokes": "<script>"})
