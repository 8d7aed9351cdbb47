"""Which axes of an array of pictures are which: N (pictures), H, W and C (colours), found out by their lengths."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from gan_core.data.own_images.image_rules import LEAST_SIDE, MOST_SIDE

CHANNELS = (1, 3, 4)


@dataclass(frozen=True)
class Layout:
    """One way to read an array as pictures.

    name: of the choice. text: for people. count, height, width, channels: of its pictures. view: the array -> the same
    as [N, H, W, C], a view where NumPy has one.
    """

    name: str
    text: str
    count: int
    height: int
    width: int
    channels: int
    view: Callable[[np.ndarray], np.ndarray]

    @property
    def usual(self) -> bool:
        """Whether nothing has to be moved."""
        return self.name in ("nhw", "nhwc")


_LETTERS = {"n": "images", "h": "height", "w": "width", "c": "colours"}


def _moved(name: str, shape: tuple[int, ...]) -> Layout:
    at = {letter: i for i, letter in enumerate(name)}
    axes = [at[letter] for letter in "nhwc" if letter in at]

    def view(array: np.ndarray) -> np.ndarray:
        moved = array.transpose(axes)
        return moved if len(axes) == 4 else moved[..., None]

    length = {letter: shape[i] for letter, i in at.items()}
    text = " x ".join(_LETTERS[letter] for letter in name)
    return Layout(name, text, length["n"], length["h"], length["w"], length.get("c", 1), view)


def _flat(shape: tuple[int, ...], columns: bool) -> list[Layout]:
    """Of an array [N, K], or [K, N] whose columns are the pictures: K is the square of the side, or three of them."""
    count, length = shape[::-1] if columns else shape
    which = "columns" if columns else "rows"

    def rows(array: np.ndarray) -> np.ndarray:
        return array.T if columns else array

    found = []
    for channels in (1, 3):
        side = math.isqrt(max(0, length) // channels)
        if side * side * channels != length:
            continue
        if channels == 1:
            found.append(
                Layout(
                    which,
                    f"{which} of {side} x {side}",
                    count,
                    side,
                    side,
                    1,
                    lambda a, s=side: rows(a).reshape(-1, s, s, 1),
                )
            )
            continue
        found.append(
            Layout(
                f"{which}_planes",
                f"{which} of {side} x {side}: all red, then all green, then all blue",
                count,
                side,
                side,
                3,
                lambda a, s=side: rows(a).reshape(-1, 3, s, s).transpose(0, 2, 3, 1),
            )
        )
        found.append(
            Layout(
                f"{which}_pixels",
                f"{which} of {side} x {side}: red, green and blue of each pixel together",
                count,
                side,
                side,
                3,
                lambda a, s=side: rows(a).reshape(-1, s, s, 3),
            )
        )
    return found


def layouts(shape: tuple[int, ...], count: int | None = None) -> list[Layout]:
    """The ways to read an array of this shape as pictures, the likeliest first; count: how many labels there are."""
    if len(shape) == 2:
        found = _flat(shape, columns=False) + _flat(shape, columns=True)
    elif len(shape) == 3:
        found = [_moved(name, shape) for name in ("nhw", "hwn")]
    elif len(shape) == 4:
        found = [_moved(name, shape) for name in ("nhwc", "nchw", "hwcn", "hwnc", "chwn")]
    else:
        return []
    found = [
        way
        for way in found
        if way.channels in CHANNELS
        and min(way.height, way.width) >= LEAST_SIDE
        and max(way.height, way.width) <= MOST_SIDE
    ]
    return sorted(found, key=lambda way: (way.count != count, way.height != way.width, -min(way.count, 2)))


def smoother(array: np.ndarray, ways: list[Layout]) -> Layout:
    """Of ways that differ in where colours lie, the one in which neighbours are most alike."""

    def roughness(way: Layout) -> float:
        some = way.view(array[:64] if way.name.startswith("rows") else array[:, :64]).astype(np.float64)
        return float(np.abs(np.diff(some, axis=1)).mean() + np.abs(np.diff(some, axis=2)).mean())

    return min(ways, key=roughness)
