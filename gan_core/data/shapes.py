"""Images whose factors are known: circles, squares and triangles in random place, size and tone, on black."""

import numpy as np

from gan_core.foundations.hyperparameters import Hyperparameter

SHAPE_NAMES = ("circle", "square", "triangle")
_TONE, _SIZE = "each channel's brightness, 0 to 255", "a shape's diameter, as a share of the image"


def _tone(default: int, label: str, text: str) -> Hyperparameter:
    return Hyperparameter(int, default, label, text, low=0, high=255)


def _share(default: float, label: str, text: str) -> Hyperparameter:
    return Hyperparameter(float, default, label, text, low=0.1, high=0.9)


FACTORS = {
    "darkest": _tone(80, "Lowest tone", f"The lowest of {_TONE}. Near 0 a shape can hardly be seen."),
    "lightest": _tone(255, "Highest tone", f"The highest of {_TONE}. Like the lowest: all have one tone."),
    "smallest": _share(0.3, "Smallest size", f"The smallest of {_SIZE}."),
    "largest": _share(0.7, "Largest size", f"The largest of {_SIZE}. Like the smallest: all have one size."),
}


def draw_shapes(n, rng, side, channels, classes, tone, size):
    """n images, uint8 [n, side, side, channels], and int32 [n], which of `classes` (0 circle, 1 square, 2 triangle).

    tone: the lowest and highest brightness of each channel, 0 to 255. size: the smallest and largest diameter of the
    circle of the same area (of a triangle: of the circle around it), as shares of the side. Place, size and tone are
    uniform; every shape is whole, and its edges are smooth.
    """
    kinds = rng.integers(len(classes), size=n).astype(np.int32)
    radius = side / 2 * rng.uniform(min(size), max(size), n)
    x, y = rng.uniform(radius, side - radius, (2, n))
    tones = rng.uniform(min(tone), max(tone), (n, channels))
    pixels = np.empty((n, side, side, channels), np.uint8)
    grid = np.arange(side) + 0.5
    for i in range(0, n, 4096):
        part = slice(i, i + 4096)
        r, kind = radius[part, None, None], np.asarray(classes)[kinds[part], None, None]
        dx, dy = np.abs(grid - x[part, None, None]), grid[:, None] - y[part, None, None]
        circle = np.hypot(dx, dy) - r
        square = np.maximum(dx, np.abs(dy)) - r * np.sqrt(np.pi) / 2
        triangle = np.maximum(dy, (np.sqrt(3) * dx - dy) / 2) - r / 2
        outside = np.where(kind == 0, circle, np.where(kind == 1, square, triangle))  # distances to the edge, in pixels
        cover = np.clip(0.5 - outside, 0, 1)[..., None]
        pixels[part] = np.rint(cover * tones[part, None, None])
    return pixels, kinds
