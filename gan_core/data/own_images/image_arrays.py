"""Arrays from a user's .npz, .npy, idx and .mat files, whose bytes are not trusted.

Every size is checked before memory is taken for it, and nothing is unpickled.
"""

from __future__ import annotations

import io
import math
import struct
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO

import numpy as np

from gan_core.data.own_images.image_rules import MOST_ENTRIES, MOST_UNPACKED, PictureError
from gan_core.foundations.hyperparameters import shorten
from gan_core.foundations.lazy_imports import matlab

PART = 4_000_000  # bytes that are read at once
NPY = b"\x93NUMPY"
IDX_TYPES = {8: ">u1", 9: ">i1", 11: ">i2", 12: ">i4", 13: ">f4", 14: ">f8"}
MAT_NUMBERS = range(6, 16)  # MATLAB's classes double ... uint64
MAT_TEXT = 4
_COMPRESSED, _MATRIX = 15, 14  # types of a .mat file's elements


@dataclass(frozen=True)
class Stored:
    """An array of a file, which `read` brings into memory; it may raise PictureError.

    unread: why its values are never read, "" where they are.
    """

    shape: tuple[int, ...]
    dtype: np.dtype
    read: Callable[[], np.ndarray]
    unread: str = ""

    @property
    def numeric(self) -> bool:
        return self.dtype.kind in "buif" and not self.unread


def in_memory(array: np.ndarray) -> Stored:
    return Stored(array.shape, array.dtype, lambda: array)


# -- NumPy's own --------------------------------------------------------------------------------------------


def _header(start: bytes) -> tuple[tuple[int, ...], bool, np.dtype, int]:
    """(shape, Fortran order, dtype, where the values begin) of a .npy file; raises ValueError and others."""
    file = io.BytesIO(start[:20_000])  # NumPy would read as long a header as the file claims
    version = np.lib.format.read_magic(file)
    if version == (1, 0):
        header = np.lib.format.read_array_header_1_0(file)
    elif version == (2, 0):
        header = np.lib.format.read_array_header_2_0(file)
    else:  # version 3 is for arrays of named fields
        raise ValueError
    return *header, file.tell()


def _npy(open_file: Callable[[], IO[bytes]], size: int, key: str, name: str) -> Stored:
    """The .npy file that `open_file` opens, of `size` bytes. Its claimed shape must be what the file holds."""
    with open_file() as file:
        shape, fortran, dtype, start = _header(file.read(20_000))

    def read() -> np.ndarray:
        length = math.prod(shape) * dtype.itemsize
        if length != size - start:
            raise PictureError(f"The array {shorten(key)} of {name} is truncated: it should have {length:,} bytes.")
        raw = np.empty(length, np.uint8)
        try:
            with open_file() as file:
                file.read(start)
                view, at = memoryview(raw.data), 0
                while at < length:
                    part = file.read(min(PART, length - at))
                    if not part:
                        raise EOFError
                    view[at : at + len(part)] = part
                    at += len(part)
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError):
            raise PictureError(f"The array {shorten(key)} of {name} is damaged.") from None
        array = raw.view(dtype)
        return array.reshape(shape[::-1]).T if fortran else array.reshape(shape)

    return Stored(shape, dtype, read, "Python objects, which are never read for safety" if dtype.hasobject else "")


def from_npy(content: bytes, name: str) -> dict[str, Stored]:
    try:
        return {"array": _npy(lambda: io.BytesIO(content), len(content), "array", name)}
    except Exception:  # NumPy's parser of headers raises anything on junk
        raise PictureError(f"{name} is damaged: it has no readable header.") from None


def from_npz(archive: zipfile.ZipFile, name: str) -> dict[str, Stored]:
    members = {m.filename[:-4]: m for m in archive.infolist() if m.filename.endswith(".npy")}
    if not members:
        raise PictureError(f"{name} has no arrays.")
    try:
        return {
            key: _npy(lambda m=member: archive.open(m), member.file_size, key, name) for key, member in members.items()
        }
    except Exception:  # as above
        raise PictureError(f"{name} is damaged: an array in it has no readable header.") from None


# -- idx ----------------------------------------------------------------------------------------------------


def is_idx(start: bytes) -> bool:
    """Whether a file begins as the files of MNIST do."""
    return len(start) >= 8 and start[:2] == b"\0\0" and start[2] in IDX_TYPES and 1 <= start[3] <= 4


def from_idx(content: bytes, key: str, name: str) -> Stored:
    kind, dimensions = np.dtype(IDX_TYPES[content[2]]), content[3]
    start = 4 + 4 * dimensions
    if len(content) < start:
        raise PictureError(f"{name} is truncated: its header is cut off.")
    shape = struct.unpack(f">{dimensions}I", content[4:start])
    length = math.prod(shape) * kind.itemsize
    if length != len(content) - start:
        raise PictureError(
            f"{name} is truncated or damaged: its header says {' x '.join(map(str, shape))}, which is {length:,} "
            f"bytes, but it holds {len(content) - start:,}."
        )
    return Stored(shape, kind, lambda: np.frombuffer(content, kind, offset=start).reshape(shape))


# -- MATLAB -------------------------------------------------------------------------------------------------


def _unpacked(part: bytes, room: int, name: str) -> bytes:
    """What a compressed element holds, at most `room` bytes."""
    unpacker = zlib.decompressobj()
    try:
        plain = unpacker.decompress(part, room + 1)
    except zlib.error:
        raise PictureError(f"{name} is damaged: a variable in it cannot be unpacked.") from None
    if len(plain) > room:
        raise PictureError(f"{name} would unpack to more than {MOST_UNPACKED / 1e6:,.0f} MB.")
    return plain


def _mat_elements(content: bytes, name: str) -> tuple[list[bytes], int]:
    """(the variables that are plain numbers or text, unpacked, how many others there are) of a .mat file of version 5.

    SciPy unpacks what a file claims, so what it gets is unpacked here, within bounds, and holds nothing else: neither
    objects nor functions nor what MATLAB hides.
    """
    order = {b"IM": "<", b"MI": ">"}.get(content[126:128])
    if order is None:
        raise PictureError(f"{name} is damaged: it begins as a MATLAB file and does not go on as one.")
    kept, others, at, room = [], 0, 128, MOST_UNPACKED
    while at + 8 <= len(content):
        kind, length = struct.unpack(f"{order}II", content[at : at + 8])
        element = content[at : at + 8 + length]
        if len(element) < 8 + length or len(kept) + others >= MOST_ENTRIES:
            raise PictureError(f"{name} is truncated: a variable in it is cut off.")
        at += 8 + length
        if kind == _COMPRESSED:
            element = _unpacked(element[8:], room, name)
        if len(element) < 24:
            raise PictureError(f"{name} is damaged: a variable in it has no readable header.")
        kind, length = struct.unpack(f"{order}II", element[:8])
        if kind != _MATRIX or length != len(element) - 8:
            raise PictureError(f"{name} is damaged: a variable in it has no readable header.")
        room -= len(element)
        flags = struct.unpack(f"{order}I", element[16:20])[0] & 0xFF
        if flags in MAT_NUMBERS or flags == MAT_TEXT:
            kept.append(element)
        else:
            others += 1
    return kept, others


def from_mat(content: bytes, name: str) -> tuple[dict[str, Stored], int]:
    """(the arrays of a .mat file, how many variables are of another kind)."""
    elements, others = _mat_elements(content, name)
    plain = b"".join([content[:128], *elements])
    try:
        found = matlab.loadmat(io.BytesIO(plain), mat_dtype=False, chars_as_strings=True)
    except Exception:  # SciPy's reader raises anything on junk
        raise PictureError(f"{name} is damaged: a variable in it cannot be read.") from None
    arrays = {k: in_memory(v) for k, v in found.items() if isinstance(v, np.ndarray) and not k.startswith("__")}
    if not arrays:
        what = "only variables that are no plain arrays (structures, cells or objects)" if others else "no variables"
        raise PictureError(f"{name} has {what}. Save the array of images and the labels as variables of their own.")
    return arrays, others
