"""The values of a user's pictures: from any numbers to uint8, square, and at most STORED_SIDE a side."""

from __future__ import annotations

import numpy as np

from gan_core.data.own_images.image_reading import Reading
from gan_core.data.own_images.image_rules import STORED_SIDE, PictureError
from gan_core.data.resizing import resize

PART = 4_000_000  # values at once


def value_range(values: np.ndarray, reading: Reading) -> tuple[float, float]:
    """(the value that is black, the value that is white)."""
    shown = values[..., :3]
    step = max(1, PART // max(1, int(np.prod(shown.shape[1:]))))
    lows, highs = [], []
    for i in range(0, len(shown), step):
        part = shown[i : i + step]
        lows.append(float(part.min()))  # NaN and infinities come through
        highs.append(float(part.max()))
    low, high = float(np.min(lows)), float(np.max(highs))
    if values.dtype.kind == "u" and low == high:
        raise PictureError(f"All images of {reading.name} are the same single colour: there is nothing to learn.")
    return reading.black_and_white(values.dtype, low, high)


def converted(
    values: np.ndarray,
    keep: np.ndarray,
    scale: tuple[float, float],
    fit: str,
    colour: tuple[int, int, int],
    reading: Reading,
) -> np.ndarray:
    """Numbers [N, H, W, C] -> uint8 [len(keep), side, side, 1 or 3], square and reduced."""
    _, height, width, channels = values.shape
    square = max(height, width) if fit == "pad" else min(height, width)
    side = min(square, STORED_SIDE)
    out = np.empty((len(keep), side, side, min(channels, 3)), np.uint8)
    step = max(1, PART // (height * width * channels))
    black, white = scale
    for i in range(0, len(keep), step):
        reading.at("Converting the images", i, len(keep))
        part = values[keep[i : i + step]]
        alpha = None
        if channels == 4:
            alpha = part[..., 3:].astype(np.float64)
            alpha /= 255 if values.dtype.kind in "iu" else max(1.0, float(alpha.max()))
            part = part[..., :3]
        if part.dtype != np.uint8 or (black, white) != (0, 255) or alpha is not None:
            real = np.clip((part.astype(np.float64) - black) / (white - black), 0, 1) * 255
            if alpha is not None:
                real = real * alpha + np.array(colour) * (1 - alpha)
            part = np.rint(real).astype(np.uint8)
        out[i : i + step] = resize(fitted(part, fit, colour), side)
    reading.at("Converting the images", len(keep), len(keep))
    return out


def gray_if_all(*parts: np.ndarray) -> list[np.ndarray]:
    """uint8 [N, H, W, 3] arrays with one channel, where no picture of any of them has a colour."""
    if not all(part.shape[3] == 3 and (part == part[..., :1]).all() for part in parts):
        return list(parts)
    return [np.ascontiguousarray(part[..., :1]) for part in parts]


def fitted(pixels: np.ndarray, fit: str, colour: tuple[int, int, int]) -> np.ndarray:
    """uint8 [N, H, W, C], cut or padded to squares; those that are to be stretched stay as they are."""
    height, width = pixels.shape[1:3]
    if height == width or fit == "stretch":
        return pixels
    if fit == "cut":
        square = min(height, width)
        top, left = (height - square) // 2, (width - square) // 2
        return pixels[:, top : top + square, left : left + square]
    square = max(height, width)
    top, left = (square - height) // 2, (square - width) // 2
    out = np.empty((len(pixels), square, square, pixels.shape[3]), np.uint8)
    out[:] = colour[: pixels.shape[3]] if pixels.shape[3] > 1 else round(sum(colour) / 3)
    out[:, top : top + height, left : left + width] = pixels
    return out


def size_note(sizes, side: int, fit: str = "cut") -> list[str]:
    """A note if the pictures, of these (height, width), were made square or resized to `side`."""
    done = {"cut": "cropped to the central square", "pad": "padded to a square", "stretch": "stretched to a square"}
    uneven = any(height != width for height, width in sizes)
    resized = any((max(size) if fit == "pad" else min(size)) != side for size in sizes)
    if not (uneven or resized):
        return []
    what = " and ".join([done[fit]] * uneven + [f"resized to {side} x {side}"] * resized)
    return [f"Images are {what}."]
