"""The user's own images, from a .zip of PNG or JPEG files."""

import io
import zipfile
from pathlib import PurePosixPath

import numpy as np
from PIL import Image, ImageOps

from gan_core.data.image_datasets import LEAST_PICTURES
from gan_core.data.image_rules import (
    LEAST_SIDE,
    MOST_CLASSES,
    MOST_MEMBER,
    MOST_PIXELS,
    MOST_SIDE,
    STORED_SIDE,
    SUFFIXES,
    PictureError,
    many,
    sample,
)
from gan_core.data.pictures import Pictures
from gan_core.data.resizing import resize
from gan_core.foundations.hyperparameters import shorten

_BAD = "that cannot be decoded"
_SIZE = f"under {LEAST_SIDE} or over {MOST_SIDE:,} pixels wide or high"
_OTHER = "other than PNG or JPEG"


class _SkippedError(Exception):
    """A picture that is left out; the message is one of the reasons above."""


def from_zip(archive: zipfile.ZipFile, name: str) -> tuple[Pictures, list[str]]:
    found, other = [], 0
    for member in archive.infolist():
        path = PurePosixPath(member.filename.replace("\\", "/"))
        if member.is_dir() or any(part == "__MACOSX" or part.startswith(".") for part in path.parts):
            continue
        if path.suffix.lower() not in SUFFIXES:
            other += 1
            continue
        if member.file_size > MOST_MEMBER:
            raise PictureError(
                f"The image {shorten(path.name)} in {name} has {member.file_size / 1e6:,.0f} MB; at most "
                f"{MOST_MEMBER / 1e6:,.0f} MB are read."
            )
        found.append((path, member))
    if not found:
        raise PictureError(f"{name} has no PNG or JPEG files.")
    found.sort(key=lambda pair: str(pair[0]))  # the order within the zip is whatever the packer left
    keep, notes = sample(len(found))
    images, folders, sizes, pixels = [], [], set(), 0
    skipped = {_BAD: 0, _SIZE: 0, _OTHER: other}
    for i in keep:
        path, member = found[i]
        try:
            image = _header_of(archive, member)
            pixels += image.width * image.height
            if pixels > MOST_PIXELS:
                raise PictureError(f"The images of {name} have more than {MOST_PIXELS / 1e6:,.0f} million pixels.")
            images.append(_square(image))
        except _SkippedError as error:
            skipped[str(error)] += 1
            continue
        folders.append(path.parent.name)
        sizes.add((image.height, image.width))
    reasons = ", ".join(f"{count:,} {reason}" for reason, count in skipped.items() if count)
    if len(images) < LEAST_PICTURES:
        usable = f"only {many(len(images), 'usable image', 'usable images')}" if images else "no usable image"
        raise PictureError(f"{name} has {usable}{f' (skipped: {reasons})' if reasons else ''}.")
    sides = {image.shape[0] for image in images}
    mixed = len({min(size) for size in sizes}) > 1
    side = STORED_SIDE if mixed else sides.pop()
    notes += [f"Skipped: {reasons}."] if reasons else []
    notes += size_note(sizes, side)
    labels, names = _folder_labels(folders)
    return Pictures(_stacked(images, side), labels, names), notes


def _header_of(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Image.Image:
    """A picture of a usable size, of which only the header is read; raises _SkippedError."""
    try:
        with archive.open(member) as file:
            raw = file.read(MOST_MEMBER)
        image = Image.open(io.BytesIO(raw), formats=("PNG", "JPEG"))
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise _SkippedError(_SIZE) from None
    except Exception:  # a decoder raises anything on damaged bytes
        raise _SkippedError(_BAD) from None
    if min(image.size) < LEAST_SIDE or max(image.size) > MOST_SIDE:
        raise _SkippedError(_SIZE)
    return image


def _square(image: Image.Image) -> np.ndarray:
    """The central square, at most STORED_SIDE: uint8 [side, side] if gray, else [side, side, 3]; or _SkippedError."""
    try:
        image = _plain(image)
    except Exception:  # as above
        raise _SkippedError(_BAD) from None
    square = min(image.size)
    left, top = (image.width - square) // 2, (image.height - square) // 2
    image = image.crop((left, top, left + square, top + square))
    if square > STORED_SIDE:
        image = image.resize((STORED_SIDE, STORED_SIDE), Image.Resampling.BILINEAR)
    pixels = np.asarray(image)
    gray = pixels.ndim == 3 and (pixels == pixels[..., :1]).all()
    return pixels[..., 0].copy() if gray else pixels


def _plain(image: Image.Image) -> Image.Image:
    """The picture, decoded and upright, in mode L or RGB. What is transparent becomes white."""
    if image.mode.startswith("I"):  # 16 bits; converting to 8 would clip
        image = Image.fromarray((np.clip(np.asarray(image, np.float64), 0, 65535) / 257).astype(np.uint8))
    image = ImageOps.exif_transpose(image)
    if image.has_transparency_data:  # the colours beneath are arbitrary
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return image.convert("L" if image.mode in ("1", "L") else "RGB")


def _stacked(images: list[np.ndarray], side: int) -> np.ndarray:
    """uint8 [N, side, side, C] of pictures that may differ in size and in colour; empties the list as it goes."""
    channels = max(1 if image.ndim == 2 else 3 for image in images)
    out = np.empty((len(images), side, side, channels), np.uint8)
    images.reverse()
    for i in range(len(out)):
        image = images.pop()
        one = image.reshape(1, *image.shape[:2], -1)
        out[i] = resize(one, side)[0]  # one channel fills three
    return out


def _folder_labels(folders: list[str]) -> tuple[np.ndarray | None, tuple[str, ...]]:
    """Labels from the folder that each picture lies in directly, if every one has a folder and there are 2 to 100."""
    names = sorted(set(folders), key=lambda text: (0, int(text), text) if _is_number(text) else (1, 0, text))
    if "" in names or not 2 <= len(names) <= MOST_CLASSES:
        return None, ()
    number = {folder: i for i, folder in enumerate(names)}
    return np.array([number[folder] for folder in folders], np.int32), tuple(names)


def _is_number(text: str) -> bool:
    """Whether a folder's name sorts as a number: 10 after 9."""
    return text.isascii() and text.isdecimal() and len(text) < 10


def size_note(sizes, side: int) -> list[str]:
    """A note if the pictures, of these (height, width), were cut or resized to `side`."""
    cut = any(height != width for height, width in sizes)
    resized = any(min(size) != side for size in sizes)
    if not (cut or resized):
        return []
    what = " and ".join(["cropped to the central square"] * cut + [f"resized to {side} x {side}"] * resized)
    return [f"Images are {what}."]
