"""A small picture of a recorded moment, for lists: points in the plot's colours, or the first images of the grid."""

import io
from typing import TYPE_CHECKING

import numpy as np

from gan_core.data.points import as_points

if TYPE_CHECKING:
    from gan_core.data.pictures import Pictures
    from gan_core.data.points import Data

SIDE = 192
REAL, FAKE, PAPER = (0, 114, 178), (217, 104, 10), (255, 255, 255)
MOST_REAL = 600
COLUMNS = 4


def thumbnail(frame: dict[str, np.ndarray], data: "Data | Pictures") -> bytes | None:
    """A PNG of SIDE x SIDE pixels of what views.record made; None where there is nothing to show."""
    if "samples" in frame:
        return png(points_picture(frame["samples"], as_points(data), SIDE))
    if "grid" in frame:
        return png(scaled(tiled(frame["grid"][: COLUMNS * COLUMNS], COLUMNS), SIDE))
    return None


def is_thumbnail(content: bytes) -> bool:
    """Whether `content` is a picture that `thumbnail` could have made, and so can be shown."""
    from PIL import Image

    try:
        with Image.open(io.BytesIO(content), formats=("PNG",)) as image:
            if max(image.size) > SIDE:
                return False
            image.load()
    except Exception:  # Pillow raises anything on junk
        return False
    return True


def points_picture(samples: np.ndarray, data: "Data", side: int, dot: int = 2) -> np.ndarray:
    """uint8 [side, side, 3]: real points blue, `samples` float32 [n, 2] orange, on what the plot of the data shows."""
    picture = np.full((side, side, 3), PAPER, np.uint8)
    for points, color in ((data.points[:MOST_REAL], REAL), (samples, FAKE)):
        place = (np.asarray(points, np.float64) - data.center) / (2 * np.array(data.limits)) + 0.5
        with np.errstate(invalid="ignore"):
            x, y = (place[:, 0] * side).astype(np.int64), ((1 - place[:, 1]) * side).astype(np.int64)
        for dx in range(dot):
            for dy in range(dot):
                inside = (x + dx >= 0) & (x + dx < side) & (y + dy >= 0) & (y + dy < side) & np.isfinite(place).all(1)
                picture[(y + dy)[inside], (x + dx)[inside]] = color
    return picture


def tiled(pixels: np.ndarray, columns: int, gap: int = 1) -> np.ndarray:
    """uint8 [n, H, W, C] side by side in `columns`, as uint8 [height, width, 3]."""
    n, height, width, channels = pixels.shape
    rows = -(-n // columns)
    sheet = np.full((rows * (height + gap) - gap, columns * (width + gap) - gap, 3), 128, np.uint8)
    for i, one in enumerate(pixels):
        top, left = (i // columns) * (height + gap), (i % columns) * (width + gap)
        sheet[top : top + height, left : left + width] = one if channels == 3 else one[..., :1]
    return sheet


def scaled(picture: np.ndarray, side: int) -> np.ndarray:
    """The picture, uint8 [H, W, 3], so large that it fits a square of `side`, its pixels still square."""
    from PIL import Image

    height, width = picture.shape[:2]
    factor = side / max(height, width)
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    return np.asarray(
        Image.fromarray(picture).resize(size, Image.Resampling.NEAREST if factor >= 1 else Image.Resampling.BOX)
    )


def png(picture: np.ndarray) -> bytes:
    """uint8 [H, W, 3] as a PNG file."""
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "PNG", optimize=True)
    return buffer.getvalue()
