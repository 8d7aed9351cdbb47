"""The user's own pictures, from the bytes of a .npz file or of a zip of PNG and JPEG files.

The bytes are not trusted: every size is checked before memory is taken for it, and nothing is unpickled.
"""

import io
import math
import zipfile
import zlib
from pathlib import PurePosixPath

import numpy as np

from gan_core.data.image_archives import from_zip, size_note
from gan_core.data.image_datasets import LEAST_PICTURES
from gan_core.data.image_rules import (
    IMAGE_ARRAYS,
    LABEL_ARRAYS,
    LEAST_SIDE,
    MOST_BYTES,
    MOST_CLASSES,
    MOST_ENTRIES,
    MOST_SIDE,
    MOST_UNPACKED,
    STORED_SIDE,
    PictureError,
    many,
    sample,
)
from gan_core.data.pictures import Pictures
from gan_core.data.resizing import resize
from gan_core.foundations.hyperparameters import shorten


def parse_pictures(content: bytes, name: str) -> tuple[Pictures, str]:
    """The bytes of the file `name` -> (pictures with square uint8 pixels, a note of what was done or "").

    Pictures are cut to their central square and reduced to at most STORED_SIDE a side. Raises PictureError.
    """
    shown = shorten(name, 80).strip("'")
    suffix = PurePosixPath(name.lower()).suffix
    if len(content) > MOST_BYTES:
        raise PictureError(f"{shown} has {len(content) / 1e6:,.1f} MB.")
    if not content:
        raise PictureError(f"{shown} is empty.")
    if suffix not in (".npz", ".zip"):
        raise PictureError(
            f"{shown} is neither a .npz nor a .zip file. Upload a .npz file, or a .zip of PNG or JPEG images."
        )
    with _opened(content, shown) as archive:
        pictures, notes = (_from_npz if suffix == ".npz" else from_zip)(archive, shown)
    if pictures.pixels.min() == pictures.pixels.max():
        raise PictureError(f"All images of {shown} are the same single colour: there is nothing to learn.")
    return pictures, " ".join(notes)


def _opened(content: bytes, name: str) -> zipfile.ZipFile:
    """The archive, once what it claims of itself is harmless; nothing of it has been unpacked yet."""
    # Counted before the archive's table is read: a million entries would take hundreds of MB.
    entries = content.count(b"PK\x01\x02")  # the signature of an entry of the table
    if entries > MOST_ENTRIES:
        raise PictureError(f"{name} has {entries:,} entries; at most {MOST_ENTRIES:,} are read.")
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError, EOFError):
        raise PictureError(
            f"{name} cannot be opened: it is damaged, or not a .npz or .zip file. Create it again."
        ) from None
    unpacked = 0
    for member in archive.infolist():
        path = member.filename.replace("\\", "/")
        if path.startswith("/") or path[1:2] == ":" or ".." in path.split("/"):
            raise PictureError(f"{name} has an entry that points outside the archive: {shorten(member.filename)}.")
        if member.flag_bits & 1:
            raise PictureError(f"{name} is encrypted.")
        if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise PictureError(f"{name} is compressed with a method other than deflate.")
        unpacked += member.file_size
    if unpacked > MOST_UNPACKED:
        raise PictureError(
            f"{name} would unpack to {unpacked / 1e6:,.0f} MB; at most {MOST_UNPACKED / 1e6:,.0f} MB are read."
        )
    return archive


# -- arrays -------------------------------------------------------------------------------------------------


def _header(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> tuple[tuple[int, ...], bool, np.dtype, int]:
    """(shape, Fortran order, dtype, where the values begin) of a .npy member; raises ValueError."""
    with archive.open(member) as file:
        start = io.BytesIO(file.read(20_000))  # NumPy would read as long a header as the file claims
    version = np.lib.format.read_magic(start)
    if version == (1, 0):
        header = np.lib.format.read_array_header_1_0(start)
    elif version == (2, 0):
        header = np.lib.format.read_array_header_2_0(start)
    else:  # version 3 is for arrays of named fields
        raise ValueError
    return *header, start.tell()


def _values(archive: zipfile.ZipFile, key: str, members: dict, headers: dict, name: str) -> np.ndarray:
    """The array `key`. Its claimed size must be what the archive holds, which is bounded already."""
    shape, fortran, dtype, start = headers[key]
    length = math.prod(shape) * dtype.itemsize
    if length != members[key].file_size - start:
        raise PictureError(f"The array {shorten(key)} of {name} is truncated: it should have {length:,} bytes.")
    raw = np.empty(length, np.uint8)
    try:
        with archive.open(members[key]) as file:
            file.read(start)
            view, at = memoryview(raw.data), 0
            while at < length:
                part = file.read(min(4_000_000, length - at))
                if not part:
                    raise EOFError
                view[at : at + len(part)] = part
                at += len(part)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError):
        raise PictureError(f"The array {shorten(key)} of {name} is damaged.") from None
    array = raw.view(dtype)
    return array.reshape(shape[::-1]).T if fortran else array.reshape(shape)


def _is_image_array(header: tuple) -> bool:
    shape, _, dtype, _ = header
    return dtype.kind in "buif" and len(shape) in (3, 4)


def _image_key(headers: dict, name: str) -> str:
    """Which array holds the images: one of IMAGE_ARRAYS, or the first that can."""
    named = [key for want in IMAGE_ARRAYS for key in headers if key.lower() == want]
    key = next((key for key in named + list(headers) if _is_image_array(headers[key])), None)
    if key is not None:
        return key
    key = named[0] if named else next(iter(headers))
    shape, _, dtype, _ = headers[key]
    if dtype.hasobject:
        raise PictureError(f"The array {shorten(key)} of {name} holds Python objects, which are never read for safety.")
    raise PictureError(f"{name} has no array of images; {shorten(key)} is {dtype} of shape {shape}.")


def _from_npz(archive: zipfile.ZipFile, name: str) -> tuple[Pictures, list[str]]:
    members = {m.filename[:-4]: m for m in archive.infolist() if m.filename.endswith(".npy")}
    if not members:
        raise PictureError(f"{name} has no arrays.")
    try:
        headers = {key: _header(archive, member) for key, member in members.items()}
    except Exception:  # NumPy's parser of headers raises anything on junk
        raise PictureError(f"{name} is damaged: an array in it has no readable header.") from None
    key = _image_key(headers, name)
    shape = headers[key][0]
    count, height, width = shape[:3]
    channels = shape[3] if len(shape) == 4 else 1
    if channels not in (1, 3, 4) or min(height, width) < LEAST_SIDE or max(height, width) > MOST_SIDE:
        raise PictureError(f"The array {shorten(key)} of {name} has the shape {shape}.")
    if count < LEAST_PICTURES:
        raise PictureError(f"{name} has only {many(count, 'image', 'images')}.")
    values = _values(archive, key, members, headers, name).reshape(count, height, width, channels)
    values = values[..., :3]  # without alpha
    keep, notes = sample(count)
    if channels == 4:
        notes.append("The fourth channel, transparency, is dropped.")
    low, span, note = _range(values, name)
    pixels = _converted(values, keep, low, span)
    notes += note + size_note([(height, width)], pixels.shape[1])
    labels, names, note = _npz_labels(archive, members, headers, count, name)
    return Pictures(pixels, None if labels is None else labels[keep], names), notes + note


def _range(values: np.ndarray, name: str) -> tuple[float, float, list[str]]:
    """(the value that is black, the span from there to white, a note); raises PictureError."""
    if values.dtype == np.uint8:
        return 0.0, 255.0, []
    if values.dtype == bool:
        return 0.0, 1.0, ["The values true and false are read as white and black."]
    low, high = float(values.min()), float(values.max())  # NaN and infinities come through
    if not (math.isfinite(low) and math.isfinite(high)):
        raise PictureError(f"{name} has values that are NaN or infinite.")
    if low == high:
        raise PictureError(f"All values of {name} are {low:g}: there is nothing to learn.")
    whole = values.dtype.kind in "iu"
    slack = 0.0 if whole else 1e-3  # of rounding
    if low >= -slack and high <= 1 + slack:
        return 0.0, 1.0, ["Values from 0 to 1 are read as black to white."]
    if not whole and low >= -1 - slack and high <= 1 + slack:
        return -1.0, 2.0, ["Values from -1 to 1 are read as black to white."]
    if low >= -slack and high <= 255 + slack:
        return 0.0, 255.0, [] if whole else ["Values from 0 to 255 are read as black to white."]
    raise PictureError(
        f"{name} has values from {low:g} to {high:g}; images are whole numbers from 0 to 255, or numbers "
        f"from 0 to 1, from -1 to 1 or from 0 to 255."
    )


def _converted(values: np.ndarray, keep: np.ndarray, low: float, span: float) -> np.ndarray:
    """Numbers [N, H, W, C] -> uint8 [len(keep), side, side, 1 or 3], cut to the square and reduced."""
    _, height, width, channels = values.shape
    square = min(height, width)
    side = min(square, STORED_SIDE)
    top, left = (height - square) // 2, (width - square) // 2
    values = values[:, top : top + square, left : left + square]
    out = np.empty((len(keep), side, side, channels), np.uint8)
    step = max(1, 4_000_000 // (square * square * channels))
    for i in range(0, len(keep), step):
        part = values[keep[i : i + step]]
        if part.dtype != np.uint8:
            part = np.rint(np.clip((part.astype(np.float64) - low) / span, 0, 1) * 255).astype(np.uint8)
        out[i : i + step] = resize(part, side)
    gray = channels == 3 and (out == out[..., :1]).all()
    return np.ascontiguousarray(out[..., :1]) if gray else out


def _npz_labels(
    archive: zipfile.ZipFile, members: dict, headers: dict, count: int, name: str
) -> tuple[np.ndarray | None, tuple[str, ...], list[str]]:
    """(int32 [count] from 0 or None, the classes' names, a note if there are labels that cannot be used)."""
    key = next((key for want in LABEL_ARRAYS for key in headers if key.lower() == want), None)
    if key is None:
        return None, (), []
    shape, _, dtype, _ = headers[key]
    if dtype.kind in "iu" and shape in ((count,), (count, 1)):
        classes, labels = np.unique(_values(archive, key, members, headers, name), return_inverse=True)
        if 2 <= len(classes) <= MOST_CLASSES:
            return labels.reshape(-1).astype(np.int32), tuple(str(c) for c in classes), []
    wanted = f"one whole number per image, with 2 to {MOST_CLASSES} different values"
    return None, (), [f"The array {shorten(key)} is not used as classes: it is not {wanted}."]
