"""A drawing as a data set: strokes of a brush on the plane, which become points.

A drawing travels as one text, a setting like any other, in links and saved runs: URL-safe base64 of zlib of a byte for
the version, then for each stroke a byte for the tool, one for the width, one for the density, two for the number of
places, and their coordinates as 16 bits each, all but the first as the difference to the one before.
"""

from __future__ import annotations

import base64
import binascii
import struct
import zlib
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from gan_core.data.points import Data, Points
from gan_core.foundations.hyperparameters import ConfigError, Hyperparameter

TOOLS = ("brush", "second", "eraser")  # the brush, that of the second class, and what takes points away
REACH = 1.5  # the plane to draw on is [-REACH, REACH]²
UNIT = 500  # steps of a coordinate in a length of 1
WIDTHS = (0.02, 0.6)  # of a stroke, in the data's units
DENSITIES = (0.2, 5.0)  # of a stroke's points, where 1 is the usual
MOST_PLACES, MOST_STROKES, MOST_TEXT = 2_500, 300, 6_000
_VERSION = 1
_HEAD = struct.Struct("<BBBH")
_CELLS = 300  # of the plane along each side, in which an eraser works
_ROUNDS = 60  # of draws, in which the eraser must leave enough
_START_LENGTH = 6.0  # the set to start from has as many points as a stroke of this length


class DrawingError(ConfigError):
    """A drawing that cannot be used, as a sentence."""


class Stroke(NamedTuple):
    """One stroke: places float [M, 2] along it, within the plane; width in the data's units; tool: one of TOOLS."""

    places: np.ndarray
    width: float = 0.12
    density: float = 1.0
    tool: str = "brush"


def encode(strokes: Sequence[Stroke]) -> str:
    """The drawing as a text; raises DrawingError where it is too much for a link."""
    if len(strokes) > MOST_STROKES or sum(len(s.places) for s in strokes) > MOST_PLACES:
        raise DrawingError(
            f"The drawing is full: a drawing may have {MOST_STROKES} strokes and {MOST_PLACES:,} places on them."
        )
    parts = [bytes([_VERSION])]
    for stroke in strokes:
        grid = np.rint(np.clip(stroke.places, -REACH, REACH) * UNIT).astype("<i2")
        steps = np.diff(grid, axis=0, prepend=np.zeros((1, 2), "<i2")).astype("<i2")
        width = round(100 * float(np.clip(stroke.width, *WIDTHS)))
        density = round(20 * float(np.clip(stroke.density, *DENSITIES)))
        parts.append(_HEAD.pack(TOOLS.index(stroke.tool), width, density, len(grid)) + steps.tobytes())
    text = base64.urlsafe_b64encode(zlib.compress(b"".join(parts), 9)).decode().rstrip("=")
    if len(text) > MOST_TEXT:
        raise DrawingError("The drawing is full: it would make its link too long for browsers.")
    return text


def decode(text: str) -> list[Stroke]:
    """The strokes of a drawing's text; raises DrawingError."""
    try:
        packed = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        unpacker = zlib.decompressobj()
        content = unpacker.decompress(packed, _HEAD.size * MOST_STROKES + 4 * MOST_PLACES + 1)
        if not unpacker.eof or content[:1] != bytes([_VERSION]):
            raise ValueError
        return list(_strokes(content[1:]))
    except (ValueError, binascii.Error, zlib.error, struct.error, IndexError):
        raise DrawingError(
            "The drawing in these settings is damaged: its text was cut off or changed. Copy the whole link, or draw "
            "anew."
        ) from None


def _strokes(content: bytes):
    while content:
        tool, width, density, count = _HEAD.unpack_from(content)
        body, content = content[_HEAD.size : _HEAD.size + 4 * count], content[_HEAD.size + 4 * count :]
        if len(body) < 4 * count or not count:
            raise ValueError
        places = np.frombuffer(body, "<i2").reshape(-1, 2).cumsum(0) / UNIT
        if not (np.abs(places) <= REACH).all() or not (width and density):
            raise ValueError
        yield Stroke(places, width / 100, density / 20, TOOLS[tool])


def sample(n, rng, strokes, start=None):
    """n points of a drawing: (float32 [n, 2], class int32 [n]: 1 for the second brush's, else 0).

    Along a stroke points are uniform, and uniform in a disc of its width around it; each stroke has as many as its
    length times its density. start: points [N, 2] of a set to draw on, as many as on a stroke of length 6. An eraser
    takes away what was there before it. Raises ValueError where (almost) nothing is left.
    """
    masses = [(tool != "eraser") * density * _length(places, width) for places, width, density, tool in strokes]
    masses.append(0.0 if start is None else _START_LENGTH)
    if not sum(masses):
        raise ValueError("The drawing is empty. Draw a stroke, or choose a data set to start from.")
    second = [i for i, (_, _, _, tool) in enumerate(strokes) if tool == "second"]
    wiped = [_near(places, width) if tool == "eraser" else None for places, width, _, tool in strokes]
    points, labels = [], []
    for round_ in range(_ROUNDS):
        which = rng.choice(len(masses), n, p=np.array(masses) / sum(masses))
        made, kept = np.empty((n, 2)), np.ones(n, bool)
        started = which == len(strokes)
        if start is not None:
            made[started] = start[rng.integers(len(start), size=started.sum())]
        for i, (places, width, _, tool) in enumerate(strokes):
            if tool == "eraser":
                older = np.flatnonzero(kept & ((which < i) | started))
                kept[older] = ~_hit(made[older], wiped[i])
            else:
                made[which == i] = _along(places, width, (which == i).sum(), rng)
        points.append(made[kept])
        labels.append(np.isin(which[kept], second))
        if sum(map(len, points)) >= n:
            return np.concatenate(points)[:n].astype("float32"), np.concatenate(labels)[:n].astype("int32")
        if round_ and sum(map(len, points)) * _ROUNDS < n * round_:  # too few are left for all rounds
            break
    raise ValueError("The eraser has left (almost) nothing of the drawing. Draw a stroke, or undo the eraser.")


def _length(places, width):
    """How long a stroke is, at least its width: a dot is a stroke too."""
    return max(width, np.linalg.norm(np.diff(places, axis=0), axis=1).sum())


def _along(places, width, n, rng):
    """n places of a stroke, [n, 2]."""
    lengths = np.linalg.norm(np.diff(places, axis=0), axis=1)
    middle = np.repeat(places[:1], n, 0)
    if lengths.sum() > 0:
        which = rng.choice(len(lengths), n, p=lengths / lengths.sum())
        share = rng.random((n, 1))
        middle = places[which] * (1 - share) + places[which + 1] * share
    radius, angle = width / 2 * np.sqrt(rng.random(n)), 2 * np.pi * rng.random(n)
    return middle + radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], 1)


def _near(places, width):
    """Which cells of the plane lie within half the width of a stroke's line, bool [_CELLS, _CELLS], by y and x."""
    middles = ((np.arange(_CELLS) + 0.5) / _CELLS * 2 - 1) * REACH
    near, radius = np.zeros((_CELLS, _CELLS), bool), width / 2
    for i in range(max(1, len(places) - 1)):
        ends = places[i : i + 2]
        step = ends[-1] - ends[0]
        low = np.searchsorted(middles, ends.min(0) - radius)
        high = np.searchsorted(middles, ends.max(0) + radius)
        x = middles[None, low[0] : high[0]] - ends[0, 0]
        y = middles[low[1] : high[1], None] - ends[0, 1]
        share = np.clip((x * step[0] + y * step[1]) / max(step @ step, 1e-12), 0, 1)
        inside = (x - share * step[0]) ** 2 + (y - share * step[1]) ** 2 <= radius**2
        near[low[1] : high[1], low[0] : high[0]] |= inside
    return near


def _hit(points, near):
    """Whether each point lies in one of those cells, bool [len(points)]."""
    column, row = np.clip((points / REACH + 1) / 2 * _CELLS, 0, _CELLS - 1).astype(int).T
    return near[row, column]


def heart() -> list[Stroke]:
    """What a new drawing shows."""
    t = np.linspace(0, 2 * np.pi, 60)
    x, y = 16 * np.sin(t) ** 3, 13 * np.cos(t) - 5 * np.cos(2 * t) - 2 * np.cos(3 * t) - np.cos(4 * t)
    return [Stroke(np.stack([x, y + 2.5], 1) / 15.5)]


HEART = encode(heart())
STROKES = Hyperparameter(
    str,
    HEART,
    "Drawing",
    "The strokes, as a text that links and saved runs carry.",
    pattern=f"[A-Za-z0-9_-]{{0,{MOST_TEXT}}}",
    form="the text of a drawing, as the page Points makes it",
)


def drawn(n: int, rng: np.random.Generator, start: Points | None = None, strokes: str = "") -> Data:
    """n points of a drawing's text, with two classes where the second brush was used; raises DrawingError."""
    made = decode(strokes)
    try:
        points, labels = sample(n, rng, made, start)
    except ValueError as error:
        raise DrawingError(str(error)) from None
    if not labels.any():
        return Data(points, limit=REACH)
    return Data(points, limit=REACH, labels=labels, class_names=("first", "second"))
