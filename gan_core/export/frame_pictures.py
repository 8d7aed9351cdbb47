"""Pictures of single frames: the plane with its points, a grid of images, with their captions."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from gan_core.data.datasets import DATASETS
from gan_core.data.points import tick
from gan_core.recording.thumbnail import FAKE, MOST_REAL, PAPER, REAL, tiled
from gan_core.runs import run_reading

if TYPE_CHECKING:
    from PIL.Image import Image

    from gan_core.data.points import Data
    from gan_core.recording.recorder import Arrays
    from gan_core.runs.run_reading import Saved

SIDE = 480  # pixels of the plane, and about those of a grid
MOST_LETTERS = 32  # of an axis's name
SHADES, TINTS = 8, 41  # whole numbers of steps; TINTS odd, so that one is the middle
FIRST_TINT = SHADES + 1
# The GIF's palette: paper to ink, then p(real) from generated to real, then the two kinds of dots.
INK, FAKE_TINT, MIDDLE, REAL_TINT = (49, 51, 63), (248, 207, 165), (247, 247, 247), (168, 211, 240)
REAL_DOT, FAKE_DOT = FIRST_TINT + TINTS, FIRST_TINT + TINTS + 1


def _palette() -> list[int]:
    ink = np.linspace(PAPER, INK, SHADES + 1)
    half = (TINTS + 1) // 2
    tints = [*np.linspace(FAKE_TINT, MIDDLE, half), *np.linspace(MIDDLE, REAL_TINT, half)[1:]]
    return np.rint([*ink, *tints, REAL, FAKE]).astype(int).ravel().tolist()


def _write(canvas: np.ndarray, texts: Sequence[tuple[float, float, str, str]], size: int) -> None:
    """Puts texts, (x, y, Pillow's anchor, words) each, in ink on the canvas, whose 0 is paper and SHADES is ink.

    The anchor "up": around the place, read from below.
    """
    from PIL import Image, ImageDraw, ImageFont

    mask = Image.new("L", canvas.shape[::-1])
    font = ImageFont.load_default(size)
    for x, y, anchor, words in texts:
        if anchor != "up":
            ImageDraw.Draw(mask).text((x, y), words, 255, font, anchor)
            continue
        strip = Image.new("L", (round(font.getlength(words)) + 2, 2 * size))
        ImageDraw.Draw(strip).text((1, size), words, 255, font, "lm")
        mask.paste(strip.rotate(90, expand=True), (round(x) - size, round(y - strip.width / 2)))
    level = np.rint(np.asarray(mask) / 255 * SHADES).astype(np.uint8)
    canvas[level > 0] = level[level > 0]


def _stamp(plane: np.ndarray, place: np.ndarray, radius: float, color: int) -> None:
    """Discs of `radius` pixels at `place`, float [n, 2] as (row, column); what lies outside is left out."""
    place = place[np.isfinite(place).all(1) & (np.abs(place) < 1e6).all(1)].round().astype(np.int64)
    reach = range(-math.floor(radius), math.floor(radius) + 1)
    for d in ((dy, dx) for dy in reach for dx in reach if math.hypot(dy, dx) <= radius + 0.3):
        at = place + d
        at = at[((at >= 0) & (at < plane.shape)).all(1)]
        rows, columns = at.T
        plane[rows, columns] = color


def plane_picture(
    samples: np.ndarray, data: Data, heat: np.ndarray | None = None, caption: str = "", side: int = SIDE
) -> Image:
    """The plane with real and generated points (float32 [n, 2], in the data's units), as an image with a palette.

    heat: p(real) as views.heat_map makes it, the pale background. The axes' ends are labelled.
    """
    from PIL import Image

    unit = side / SIDE
    top, left, rest = round(36 * unit), round(56 * unit), round(12 * unit)
    canvas = np.zeros((top + side + round(30 * unit), left + side + rest), np.uint8)
    canvas[top - 1 : top + side + 1, left - 1 : left + side + 1] = SHADES // 2  # the frame
    plane = canvas[top : top + side, left : left + side]
    plane[:] = 0
    if heat is not None:
        # Cells stand for their middles, and those of the outermost lie on the edges.
        cells = Image.fromarray(np.clip(np.asarray(heat, np.float32)[::-1], 0, 1))
        box = (0.5, 0.5, cells.width - 0.5, cells.height - 0.5)
        shown = np.asarray(cells.resize((side, side), Image.Resampling.BILINEAR, box=box))
        plane[:] = FIRST_TINT + np.rint(shown * (TINTS - 1))
    reach = np.array(data.limits)
    low, high = np.array(data.center) - reach, np.array(data.center) + reach
    for points, radius, color in ((data.points[:MOST_REAL], 3.6, REAL_DOT), (samples, 2.0, FAKE_DOT)):
        x, y = ((np.asarray(points, np.float64) - low) / (2 * reach)).T * (side - 1)
        _stamp(plane, np.stack([side - 1 - y, x], 1), radius * unit, color)
    right, bottom, middle = left + side, top + side, top / 2
    ends = [(tick(low[i], reach[i]), tick(high[i], reach[i])) for i in range(2)]
    across, up = (axis if len(axis) <= MOST_LETTERS else f"{axis[: MOST_LETTERS - 1]}…" for axis in data.axes)
    beside = (top + bottom) / 2
    name = (left - 5 * unit, beside, "rm", up) if len(up) < 3 else (left - 24 * unit, beside, "up", up)
    legend = [(right - 190 * unit, "real", REAL_DOT), (right - 100 * unit, "generated", FAKE_DOT)]
    for x, _, color in legend:
        _stamp(canvas, np.array([[middle, x]]), 5 * unit, color)
    _write(
        canvas,
        [
            (left, middle, "lm", caption),
            *((x + 12 * unit, middle, "lm", name) for x, name, _ in legend),
            (left, bottom + 5 * unit, "lt", ends[0][0]),
            ((left + right) / 2, bottom + 5 * unit, "mt", across),
            (right, bottom + 5 * unit, "rt", ends[0][1]),
            (left - 5 * unit, top, "rt", ends[1][1]),
            (left - 5 * unit, bottom, "rb", ends[1][0]),
            name,
        ],
        round(17 * unit),
    )
    picture = Image.fromarray(canvas)
    picture.putpalette(_palette())
    return picture


def grid_picture(pixels: np.ndarray, caption: str = "", columns: int | None = None) -> Image:
    """Pictures, uint8 [n, H, W, C], in a square grid, whole pixels enlarged, below the caption if there is one."""
    from PIL import Image

    sheet = tiled(pixels, columns or math.isqrt(len(pixels)))
    factor = max(1, round(SIDE / max(sheet.shape[:2])))
    sheet = sheet.repeat(factor, 0).repeat(factor, 1)
    if caption:
        strip = np.zeros((36, sheet.shape[1]), np.uint8)
        _write(strip, [(2, 18, "lm", caption)], 17)
        shades = np.linspace(PAPER, INK, SHADES + 1).round().astype(np.uint8)
        sheet = np.concatenate([shades[strip], sheet])
    if pixels.shape[3] == 3:
        return Image.fromarray(sheet).quantize(256, dither=Image.Dither.NONE)
    return Image.fromarray(sheet).convert("L")


def frame_picture(frame: Arrays, data: Any, caption: str) -> Image:
    """What views.record made of a moment, points or images. data: only points need theirs."""
    if "grid" in frame:
        return grid_picture(frame["grid"], caption)
    return plane_picture(frame["samples"], data, frame.get("heat"), caption)


def file_of(picture: Image, kind: str = "PNG", **options: Any) -> bytes:
    """The picture as a file of that kind."""
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def data_to_draw(run: Saved) -> Any:
    """The run's data where its frames are drawn among them; None for images, so that a run whose pictures are
    elsewhere can be shown too."""
    return None if DATASETS[run.config.data].kind == "images" else run_reading.data_of(run)
