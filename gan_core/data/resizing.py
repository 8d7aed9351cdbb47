"""Images of another size."""

from functools import lru_cache

import numpy as np

Pixels = np.ndarray  # uint8 [N, H, W, C]


@lru_cache(maxsize=32)
def _weights(old: int, new: int) -> np.ndarray:
    """float32 [new, old]: bilinear interpolation; when reducing, the triangle spans all that is covered."""
    scale = max(old / new, 1.0)
    centre = (np.arange(new) + 0.5) * old / new - 0.5
    weight = np.maximum(0.0, 1 - np.abs(centre[:, None] - np.arange(old)) / scale)
    return (weight / weight.sum(1, keepdims=True)).astype(np.float32)


def resize(pixels: Pixels, side: int) -> Pixels:
    """uint8 [N, H, W, C] -> [N, side, side, C], bilinear; the array itself where nothing is to do."""
    n, height, width, channels = pixels.shape
    if (height, width) == (side, side):
        return pixels
    rows, columns = _weights(height, side), _weights(width, side)
    out = np.empty((n, side, side, channels), np.uint8)
    step = max(1, 4_000_000 // max(height * width * channels, side * side * channels))  # bounds the memory
    for i in range(0, n, step):
        # [n, H, W C] -> [n, side, W C], then [n side, W, C] -> [n side, side, C]: both matrix products
        part = pixels[i : i + step].astype(np.float32).reshape(-1, height, width * channels)
        part = columns @ (rows @ part).reshape(-1, width, channels)
        out[i : i + step] = np.rint(part).reshape(-1, side, side, channels)  # a mean of 0..255 stays inside
    return out


def pad(pixels: Pixels, side: int) -> Pixels:
    """The images in the middle of black ones of `side`."""
    before = (side - pixels.shape[1]) // 2
    after = side - pixels.shape[1] - before
    return np.pad(pixels, ((0, 0), (before, after), (before, after), (0, 0)))


def sized(pixels: Pixels, side: int, black: bool) -> Pixels:
    """The images at `side`. On a black ground 28 become 32 by a black margin, which keeps every pixel as it is."""
    if black and pixels.shape[1] == 28 and side > 28:
        pixels = pad(pixels, 32)
    return resize(pixels, side)
