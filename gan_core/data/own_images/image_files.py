"""The user's own pictures, from the bytes of whatever file they come in, or from a folder of the same machine.

What a file is its first bytes say, not its name. The bytes are not trusted: every size is checked before memory is
taken for it, and nothing is unpickled.
"""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import numpy as np

from gan_core.data import gzip_parts
from gan_core.data.image_datasets import LEAST_PICTURES, native_side
from gan_core.data.own_images import (
    image_archives,
    image_arrays,
    image_decoding,
    image_members,
    image_sets,
    image_tables,
)
from gan_core.data.own_images.image_arrays import Stored
from gan_core.data.own_images.image_columns import is_table_of_pixels
from gan_core.data.own_images.image_layout import layouts
from gan_core.data.own_images.image_members import Member
from gan_core.data.own_images.image_reading import Reading
from gan_core.data.own_images.image_rules import MOST_BYTES, MOST_UNPACKED, PictureError
from gan_core.data.pictures import Pictures
from gan_core.data.proposal import Choices, Progress, Proposal
from gan_core.foundations.hyperparameters import shorten

__all__ = ["LEAST_PICTURES", "looks_like_pictures", "propose_folder", "propose_pictures"]

ZIP, MAT, HDF5 = b"PK\x03\x04", b"MATLAB 5.0", b"\x89HDF"
ZIP_HEADER = 30  # bytes before the name of a zip's first file
OPEN_DOCUMENT = b"mimetypeapplication/vnd.oasis.opendocument."  # the first file of the zip that it is
FOLDER_PIXELS = 20_000_000_000  # of all pictures of a folder on the same machine
DEEPEST = 3  # a file in an archive that is packed itself; one could hold itself
# What is not read, by its first bytes, and what to do instead.
_HDF5 = "is an HDF5 file (as MATLAB 7.3 writes, too). Save the array of images as .npz, or with MATLAB's -v7."
REFUSED = {
    HDF5: _HDF5,
    b"MATLAB 7.3": _HDF5,  # before which stands a text of MATLAB's
    b"\x80\x02": "is a pickle of Python objects, which is never read for safety. Save its arrays as .npz.",
    b"\x80\x03": "is a pickle of Python objects, which is never read for safety. Save its arrays as .npz.",
    b"\x80\x04": "is a pickle of Python objects, which is never read for safety. Save its arrays as .npz.",
    b"\x80\x05": "is a pickle of Python objects, which is never read for safety. Save its arrays as .npz.",
    b"7z\xbc\xaf": "is a 7z archive. Unpack it and pack its files as .zip.",
    b"Rar!": "is a RAR archive. Unpack it and pack its files as .zip.",
    b"%PDF": "is a PDF. Save its images one by one and pack them as .zip.",
}


def propose_pictures(
    content: bytes, name: str, choices: Choices | None = None, progress: Progress | None = None, most: int = MOST_BYTES
) -> Proposal:
    """What the bytes of the file `name` hold; most: bytes that are accepted. Raises PictureError."""
    pictures, reading = _read(content, name, choices or {}, progress, most)
    return _proposal(pictures, reading)


def propose_folder(path: str | Path, choices: Choices | None = None, progress: Progress | None = None) -> Proposal:
    """What a folder of this machine holds. Links in it are not followed. Raises PictureError."""
    reading = Reading(_shown(Path(path).name or str(path)), choices or {}, progress)
    members = image_members.of_folder(Path(path), reading)
    return _proposal(_checked(_of_members(members, reading, FOLDER_PIXELS), reading), reading)


def looks_like_pictures(content: bytes, name: str = "") -> bool:
    """Whether a file is to be read as pictures rather than as a table of points, by its first bytes."""
    start = content[:4096]
    if start.startswith(ZIP):
        return b"[Content_Types].xml" not in content[:4096] and not _all_points(content, name)
    if start.startswith(image_arrays.NPY):
        try:
            return any(map(_able, image_arrays.from_npy(content, name).values()))
        except PictureError:
            return True
    if start.startswith(image_tables.PARQUET):
        return b"bytes" in content[-20_000:] or b"image" in content[-20_000:] or b"pixel" in content[-20_000:]
    if image_members.is_tar(start) or image_arrays.is_idx(start) or start.startswith((gzip_parts.GZIP, MAT, *REFUSED)):
        return True
    return image_decoding.is_picture(start) or is_table_of_pixels(content)


def _able(stored: Stored) -> bool:
    return bool(layouts(stored.shape))


def _all_points(content: bytes, name: str) -> bool:
    """Whether an .npz file holds arrays, and none that can be pictures."""
    try:
        with image_members.opened_zip(content, name) as archive:
            return not any(map(_able, image_arrays.from_npz(archive, name).values()))
    except PictureError:
        return False


# -- what kind of file --------------------------------------------------------------------------------------


def _shown(name: str) -> str:
    return shorten(name, 80).strip("'")


def _read(
    content: bytes, name: str, choices: Choices, progress: Progress | None, most: int
) -> tuple[Pictures, Reading]:
    reading = Reading(_shown(name), choices, progress)
    if len(content) > most:
        raise PictureError(f"{reading.name} has {len(content) / 1e6:,.1f} MB.")
    if not content:
        raise PictureError(f"{reading.name} is empty.")
    return _checked(_of_file(content, name, reading), reading), reading


def _checked(pictures: Pictures, reading: Reading) -> Pictures:
    if pictures.pixels.min() == pictures.pixels.max():
        raise PictureError(f"All images of {reading.name} are the same single colour: there is nothing to learn.")
    return pictures


def _of_file(content: bytes, name: str, reading: Reading) -> Pictures:
    """The pictures of a file that is no archive of files, or of one that is."""
    shown, start = reading.name, content[:4096]
    reading.depth += 1
    if reading.depth > DEEPEST:
        raise PictureError(f"{shown} holds archives within archives. Unpack it first.")
    if start.startswith(ZIP) and (unread := _unread(content)):
        raise PictureError(f"{shown} {unread}")
    if (
        start.startswith(ZIP)
        or start.startswith(b"PK\x05\x06")
        or PurePosixPath(name.lower()).suffix in (".zip", ".npz")
    ):
        with image_members.opened_zip(content, shown) as archive:
            names = [member.filename for member in archive.infolist() if not member.is_dir()]
            if PurePosixPath(name.lower()).suffix == ".npz" or (
                names and all("/" not in n and n.endswith(".npy") for n in names)
            ):
                arrays = image_arrays.from_npz(archive, shown)
                if not name.lower().endswith(".npz"):
                    arrays = image_sets.of_files(arrays, reading)
                return image_sets.from_arrays(arrays, reading)
            return _of_members(image_members.of_zip(archive, reading), reading)
    if image_members.is_tar(start):
        return _of_members(image_members.of_tar(content, reading), reading)
    if start.startswith(gzip_parts.GZIP):
        if image_members.is_tar(gzip_parts.head(content, 512)):
            return _of_members(image_members.of_tar(content, reading), reading)
        return _of_file(image_members.unpacked_gzip(content, reading), name.removesuffix(".gz"), reading)
    arrays = _arrays(content, PurePosixPath(name).name, reading)
    if arrays is not None:
        return image_sets.from_arrays(arrays, reading)
    if start.startswith(image_tables.PARQUET):
        found = image_tables.from_parquet(content, reading)
        if isinstance(found, dict):
            return image_sets.from_arrays(found, reading)
        return image_archives.from_members(found, reading, are_classes=True)
    if unread := _unread(content):
        raise PictureError(f"{shown} {unread}")
    if is_table_of_pixels(content):
        return image_sets.from_arrays(image_tables.from_csv(content, reading), reading)
    raise PictureError(f"{shown} is damaged, or of a kind that is not read.")


def _unread(content: bytes) -> str:
    """Why a file of a known kind is not read, and what to do instead; "" where it may be read."""
    for mark, said in REFUSED.items():
        if content.startswith(mark):
            return said
    if content.startswith(ZIP) and content.startswith(OPEN_DOCUMENT, ZIP_HEADER):
        if content.startswith(b"spreadsheet", ZIP_HEADER + len(OPEN_DOCUMENT)):
            return "is an OpenDocument spreadsheet. Save it as .xlsx or .csv."
        return "is an OpenDocument file. Save its images one by one and pack them as .zip."
    if not image_decoding.is_picture(content[:4096]):
        return ""
    pages = image_decoding.pages_of(content)
    if pages > 1:
        return (
            f"is a single TIFF file of {pages:,} pages, of which one would be read. Save each page as an image and put "
            f"{LEAST_PICTURES} or more into a .zip."
        )
    return f"is a single image. Put {LEAST_PICTURES} or more into a .zip."


def _arrays(content: bytes, key: str, reading: Reading) -> dict[str, Stored] | None:
    """The arrays of a file of arrays; None where it is none."""
    if content.startswith(image_arrays.NPY):
        return image_arrays.from_npy(content, reading.name)
    if image_arrays.is_idx(content[:16]):
        return {key: image_arrays.from_idx(content, key, reading.name)}
    if content.startswith(MAT):
        arrays, others = image_arrays.from_mat(content, reading.name)
        reading.leave("variables that are no plain arrays", others)
        return arrays
    return None


def _of_members(members: list[Member], reading: Reading, most_pixels: int | None = None) -> Pictures:
    """The pictures of an archive or folder: encoded ones, or arrays of them where there are none."""
    plain = [member for member in members if not member.hidden]
    suffixes = {PurePosixPath(member.name.lower()).suffix for member in plain}
    if not suffixes & image_decoding.suffixes():
        arrays: dict[str, Stored] = {}
        tables: list[tuple[str, bytes]] = []
        for member in plain:
            start = image_archives.start_of(member)
            known = (image_arrays.NPY, MAT, gzip_parts.GZIP, ZIP, image_tables.PARQUET)
            if start.startswith(known) or image_arrays.is_idx(start):
                content = member.content(reading.name, MOST_UNPACKED)
                key = PurePosixPath(member.name).name
                if content.startswith(gzip_parts.GZIP):
                    content, key = image_members.unpacked_gzip(content, reading), key.removesuffix(".gz")
                found = _arrays(content, key, reading)
                if found is None:
                    tables.append((key, content))
                elif len(found) == 1:
                    arrays[PurePosixPath(key).stem if content.startswith(image_arrays.NPY) else key] = next(
                        iter(found.values())
                    )
                else:
                    arrays |= found
        if arrays:
            return image_sets.from_arrays(image_sets.of_files(arrays, reading), reading)
        if len(tables) == 1:
            return _of_file(tables[0][1], tables[0][0], reading)
        text = [m for m in plain if PurePosixPath(m.name.lower()).suffix in (".csv", ".tsv", ".txt")]
        if len(text) == 1 and text[0].size <= MOST_UNPACKED:
            content = text[0].content(reading.name, MOST_UNPACKED)
            if is_table_of_pixels(content):
                return _of_file(content, text[0].name, reading)
    return image_archives.from_members(members, reading, most_pixels)


# -- what is proposed ---------------------------------------------------------------------------------------


def _proposal(pictures: Pictures, reading: Reading) -> Proposal:
    stored = pictures.shape[0]
    side = native_side(stored)
    notes = list(reading.notes)
    if side != stored:
        notes.append(f"At their original size, {stored} x {stored}, they are trained on as {side} x {side}.")
    counts = {}
    if pictures.labels is not None:
        numbers = np.bincount(pictures.labels, minlength=len(pictures.class_names)).tolist()
        counts = dict(zip(pictures.class_names, numbers, strict=True))
    return Proposal(
        kind="images",
        count=len(pictures),
        shape=(side, side, pictures.shape[2]),
        classes=counts,
        ranges={"pixels": {"before": reading.before, "after": reading.after}},
        left_out=dict(reading.left_out),
        notes=tuple(notes),
        questions=tuple(reading.questions.values()),
        data=pictures,
    )
