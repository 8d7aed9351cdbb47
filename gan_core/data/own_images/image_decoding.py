"""One encoded picture of a user's: decoded, upright, square and small; only in formats that start no other program."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np
from PIL import Image, ImageOps

from gan_core.data.own_images.image_rules import LEAST_SIDE, MOST_SIDE, STORED_SIDE

# Pillow's formats without those that start another program (EPS) or are no pictures of their own.
FORMATS = ("PNG", "JPEG", "MPO", "GIF", "BMP", "DIB", "TIFF", "WEBP", "PPM", "JPEG2000", "ICO", "PCX", "SGI", "TGA")
FORMATS += ("AVIF", "QOI")
LOSSY = frozenset({"JPEG", "MPO", "WEBP", "JPEG2000", "AVIF"})  # photographs, whose values are never numbers of a class
TURNED = frozenset({"JPEG", "MPO", "TIFF"})  # formats that keep the turn of the camera elsewhere than in `info`
# Pillow knows these two by letters that tables begin with, too ("BMI,age", "P1,P2"); so their whole headers are asked
# for: the size of the second header of a BMP, and two numbers in a PPM, of which no second line begins as the first.
# A comment ends with its line, so there is one way only to part a run of hashes: otherwise a few dozen take years.
_BMP = re.compile(rb"BM.{12}[\x0c\x10\x28\x34\x38\x40\x6c\x7c]\0\0\0", re.DOTALL)
_PPM = re.compile(rb"P(?:[1-6f]|0CMYK|y(?:P|RGBA|CMYK))(?![^\n]*\nP)\s+(?:#[^\n]*\n\s*)*\d+\s+(?:#[^\n]*\n\s*)*\d+\s")
TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
MOST_PAGES = 10_000  # that are counted, which takes seconds
BAD = "that cannot be decoded"
SIZE = f"under {LEAST_SIDE} or over {MOST_SIDE:,} pixels wide or high"


class SkippedError(Exception):
    """A picture that is left out; the message is one of the reasons above."""


@cache
def formats() -> tuple[str, ...]:
    """Those of FORMATS that this Pillow has."""
    Image.init()
    return tuple(name for name in FORMATS if name in Image.OPEN)


@cache
def suffixes() -> frozenset[str]:
    """How files in these formats are called, such as .jpg."""
    return frozenset(end for end, name in Image.registered_extensions().items() if name in formats())


def is_picture(start: bytes) -> bool:
    """Whether a file begins as an encoded picture, whatever it is called; start: its first bytes, some 500."""
    if (start.startswith(b"BM") and not _BMP.match(start)) or (start.startswith(b"P") and not _PPM.match(start)):
        return False
    tests: list[Callable[[bytes], bool | str] | None] = [Image.OPEN[name][1] for name in formats() if name != "TGA"]
    try:
        return any(test is not None and test(start[:16]) is True for test in tests)
    except Exception:  # a test of too few bytes
        return False


@dataclass(eq=False)
class Decoder:
    """How pictures become arrays. What the first decoding finds out of all of them decides on the second, if any.

    scale: (black, white) of the values, None: those of the pictures' own type. clear: some are transparent. uneven:
    some are not square. more_pages: after the first ones of their files. deep: the type and the lowest and highest
    value of those of more than 8 bits.
    """

    fit: str
    colour: tuple[int, int, int]
    scale: tuple[float, float] | None = None
    clear: bool = False
    uneven: bool = False
    more_pages: int = 0
    low: float = np.inf
    high: float = -np.inf
    deep: np.dtype | None = None
    deep_low: float = np.inf
    deep_high: float = -np.inf
    sizes: set[tuple[int, int]] = field(default_factory=set)

    def array(self, image: Image.Image) -> np.ndarray:
        """The picture, square and at most STORED_SIDE: uint8 [side, side] if gray, else [side, side, 3]."""
        width, height = image.size
        lossy = image.format in LOSSY
        try:
            image = self._plain(image)
        except Exception:  # a decoder raises anything on damaged bytes
            raise SkippedError(BAD) from None
        self.sizes.add((image.height, image.width))
        self.uneven |= width != height
        if self.scale is None:
            low, high = (0.0, 255.0) if lossy else _extrema(image)
            self.low, self.high = min(self.low, low), max(self.high, high)
        elif self.deep is None:
            image = _scaled(image, self.scale)
        image = self._square(image)
        pixels = np.asarray(image)
        return pixels[..., 0].copy() if pixels.ndim == 3 and _is_gray(pixels) else pixels

    def _plain(self, image: Image.Image) -> Image.Image:
        """Decoded and upright, in mode L or RGB; what is transparent stands on the colour."""
        image.load()
        if image.mode.startswith("I") or image.mode == "F":  # more than 8 bits; converting to 8 would clip
            values = np.asarray(image)
            self.deep = np.dtype(np.float32) if image.mode == "F" else self.deep or np.dtype(np.uint16)
            self.deep_low = min(self.deep_low, float(values.min()))
            self.deep_high = max(self.deep_high, float(values.max()))
            black, white = self.scale or (0.0, 65535.0)
            part = np.clip((values.astype(np.float64) - black) / (white - black), 0, 1) * 255
            exif = image.getexif()
            image = Image.fromarray(np.rint(np.nan_to_num(part)).astype(np.uint8))
            image.info["exif"] = exif.tobytes() if exif else b""
        if image.info or image.format in TURNED:  # else nothing says how it was held
            image = ImageOps.exif_transpose(image)
        if image.has_transparency_data:  # the colours beneath are arbitrary
            self.clear = True
            image = image.convert("RGBA")
            image = Image.alpha_composite(Image.new("RGBA", image.size, (*self.colour, 255)), image)
        if image.mode in ("L", "RGB"):
            return image
        return image.convert("L" if image.mode == "1" else "RGB")

    def _square(self, image: Image.Image) -> Image.Image:
        width, height = image.size
        if self.fit == "pad" and width != height:
            side = max(width, height)
            ground = (
                Image.new("RGB", (side, side), self.colour)
                if image.mode == "RGB"
                else Image.new("L", (side, side), round(sum(self.colour) / 3))
            )
            ground.paste(image, ((side - width) // 2, (side - height) // 2))
            image = ground
        elif self.fit == "cut" and width != height:
            square = min(width, height)
            left, top = (width - square) // 2, (height - square) // 2
            image = image.crop((left, top, left + square, top + square))
        side = min(STORED_SIDE, *image.size)
        if image.size != (side, side):
            image = image.resize((side, side), Image.Resampling.BILINEAR)
        return image


def _is_gray(pixels: np.ndarray) -> bool:
    """Whether the three channels are one; a few pixels tell of most pictures that they are not."""
    some = pixels[::7, ::7]
    if (some[..., 0] != some[..., 1]).any():
        return False
    red = pixels[..., 0]
    return bool((red == pixels[..., 1]).all() and (red == pixels[..., 2]).all())


def _extrema(image: Image.Image) -> tuple[float, float]:
    found: Any = image.getextrema()  # a pair, or one of each band
    pairs = found if isinstance(found[0], tuple) else (found,)
    return float(min(pair[0] for pair in pairs)), float(max(pair[1] for pair in pairs))


def _scaled(image: Image.Image, scale: tuple[float, float]) -> Image.Image:
    black, white = scale
    table = [round(min(max((value - black) / (white - black), 0), 1) * 255) for value in range(256)]
    return image.point(table * len(image.getbands()))


def pages_of(content: bytes, most: int = MOST_PAGES) -> int:
    """How many pages a TIFF file has, at most `most`; 1 of any other file."""
    if not content.startswith(TIFF):
        return 1
    pages = 1
    try:
        with Image.open(io.BytesIO(content), formats=["TIFF"]) as image:  # its own, for the search leaves it elsewhere
            while pages < most:
                image.seek(pages)
                pages += 1
    except Exception:  # the last page, or damaged ones
        pass
    return pages


def header_of(content: bytes) -> Image.Image:
    """A picture of a usable size, of which only the header is read; raises SkippedError."""
    try:
        image = Image.open(io.BytesIO(content), formats=formats())
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise SkippedError(SIZE) from None
    except Exception:  # a decoder raises anything on damaged bytes
        raise SkippedError(BAD) from None
    if min(image.size) < LEAST_SIDE or max(image.size) > MOST_SIDE:
        raise SkippedError(SIZE)
    return image
