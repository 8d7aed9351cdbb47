"""The files in a user's .zip, .tar or folder, none of them unpacked yet; what is claimed of them is checked first."""

from __future__ import annotations

import io
import os
import re
import stat
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from gan_core.data import gzip_parts
from gan_core.data.own_images.image_reading import Reading
from gan_core.data.own_images.image_rules import MOST_ENTRIES, MOST_MEMBER, MOST_UNPACKED, PictureError
from gan_core.foundations.hyperparameters import shorten

# Of the names of files in archives that say nothing of their code page, the commonest beside UTF-8.
CODE_PAGES = ("cp932", "gb18030", "cp949", "big5", "cp1251", "cp866", "cp850")
LATIN = "cp850"  # whose letters with accents stand alone among those of ASCII; in the others they stand together


@dataclass(frozen=True)
class Member:
    """A file of an archive or folder. parts: its folders and its name. read: its first bytes, at most so many."""

    parts: tuple[str, ...]
    size: int
    read: Callable[[int], bytes]

    @property
    def name(self) -> str:
        return self.parts[-1]

    @property
    def hidden(self) -> bool:
        return any(part == "__MACOSX" or part.startswith(".") for part in self.parts)

    def content(self, archive: str, most: int = MOST_MEMBER) -> bytes:
        """All of it; raises PictureError where it is larger than what is read."""
        if self.size > most:
            raise PictureError(
                f"The file {shorten(self.name)} in {archive} has {self.size / 1e6:,.0f} MB; at most "
                f"{most / 1e6:,.0f} MB are read."
            )
        return self.read(most)


def _parts(path: str, archive: str) -> tuple[str, ...]:
    """A path's folders and name; raises PictureError where it points outside the archive."""
    said, path = path, path.replace("\\", "/")
    if path.startswith("/") or path[1:2] == ":" or ".." in path.split("/"):
        raise PictureError(f"{archive} has an entry that points outside the archive: {shorten(said)}.")
    return tuple(part for part in path.split("/") if part not in ("", "."))


def _bounded(unpacked: int, archive: str) -> None:
    if unpacked > MOST_UNPACKED:
        raise PictureError(
            f"{archive} would unpack to {unpacked / 1e6:,.0f} MB; at most {MOST_UNPACKED / 1e6:,.0f} MB are read."
        )


def _many_entries(count: int, archive: str) -> None:
    if count > MOST_ENTRIES:
        raise PictureError(f"{archive} has {count:,} entries; at most {MOST_ENTRIES:,} are read.")


# -- zip ----------------------------------------------------------------------------------------------------


def opened_zip(content: bytes, name: str) -> zipfile.ZipFile:
    """The archive, once what it claims of itself is harmless."""
    # Counted before the archive's table is read: a million entries would take hundreds of MB.
    _many_entries(content.count(b"PK\x01\x02"), name)  # the signature of an entry of the table
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError, EOFError):
        raise PictureError(
            f"{name} cannot be opened: it is damaged, or not a .npz or .zip file. Create it again."
        ) from None
    unpacked = 0
    for member in archive.infolist():
        _parts(member.filename, name)
        if member.flag_bits & 1:
            raise PictureError(f"{name} is encrypted.")
        if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise PictureError(f"{name} is compressed with a method other than deflate.")
        unpacked += member.file_size
    _bounded(unpacked, name)
    return archive


def of_zip(archive: zipfile.ZipFile, reading: Reading) -> list[Member]:
    files = [member for member in archive.infolist() if not member.is_dir()]
    foreign = [member for member in files if not member.flag_bits & 0x800 and not member.filename.isascii()]
    names = _decoded([member.filename.encode("cp437") for member in foreign], reading)
    by_member = {id(member): name for member, name in zip(foreign, names, strict=True)}

    def reader(member: zipfile.ZipInfo) -> Callable[[int], bytes]:
        def read(most: int) -> bytes:
            with archive.open(member) as file:
                return file.read(most)

        return read

    found = [
        Member(_parts(by_member.get(id(member), member.filename), reading.name), member.file_size, reader(member))
        for member in files
    ]
    return [member for member in found if member.parts]


def _decoded(raw: list[bytes], reading: Reading) -> list[str]:
    """Names of an unsaid code page as text: distinct as they are, and readable where the code page can be found out."""
    if not raw:
        return []
    runs = [len(run) for name in raw for run in re.findall(rb"[\x80-\xff]+", name)]
    together = sum(runs) >= 1.5 * len(runs)
    for page in ("utf-8", *(CODE_PAGES if together else [LATIN])):
        try:
            names = [name.decode(page) for name in raw]
        except UnicodeDecodeError:
            continue
        letters = [c for name in names for c in name if ord(c) > 127]
        plain = sum(c.isalpha() and c.isprintable() for c in letters)
        if page == "utf-8" or (plain >= 0.9 * len(letters) and len(set(names)) == len(set(raw)) and _alike(letters)):
            if page != "utf-8":
                reading.say(f"The names in the archive are read in the code page {page}.")
            return names
    return [name.decode("cp437") for name in raw]


def _alike(letters: list[str]) -> bool:
    """Whether letters are of one or two scripts, as in words; those of a wrong code page are of many."""
    scripts = [
        ((0x80, 0x24F), "latin"), ((0x370, 0x3FF), "greek"), ((0x400, 0x52F), "cyrillic"), ((0x3040, 0x30FF), "kana"),
        ((0x4E00, 0x9FFF), "han"), ((0xAC00, 0xD7AF), "hangul"), ((0xFF00, 0xFFEF), "half width"),
    ]  # fmt: skip
    counts: dict[str, int] = {}
    for letter in letters:
        script = next((name for (low, high), name in scripts if low <= ord(letter) <= high), "other")
        counts[script] = counts.get(script, 0) + 1
    usual = sum(counts.get(script, 0) for script in ("kana", "han", "hangul"))
    return max([usual, *(n for s, n in counts.items() if s not in ("half width", "other"))]) >= 0.9 * len(letters)


# -- tar ----------------------------------------------------------------------------------------------------


def unpacked_gzip(content: bytes, reading: Reading, most: int = MOST_UNPACKED) -> bytes:
    """What a .gz file holds; raises PictureError before those of one reading take more than `most` bytes together."""
    name, parts, length = reading.name, [], reading.unpacked
    for part in _pieces(content, name):
        length += len(part)
        parts.append(part)
        if length > most:
            raise PictureError(f"{name} would unpack to more than {most / 1e6:,.0f} MB.")
    reading.unpacked = length
    return b"".join(parts)


def _pieces(content: bytes, name: str) -> Iterator[bytes]:
    try:
        for piece, _ in gzip_parts.pieces(content):
            yield piece
    except ValueError as error:
        raise PictureError(f"{name} cannot be unpacked: {error}.") from None


def _unpacked_to_disk(content: bytes, name: str) -> BinaryIO:
    """The same, in a file without a name, for archives, which may be larger than what should lie in memory."""
    file, length = tempfile.TemporaryFile(), 0  # noqa: SIM115 (the members that are read from it keep it open)
    for part in _pieces(content, name):
        length += len(part)
        _bounded(length, name)
        file.write(part)
    file.seek(0)
    return file


def is_tar(start: bytes) -> bool:
    return len(start) >= 512 and start[257:262] == b"ustar"


def of_tar(content: bytes, reading: Reading) -> list[Member]:
    """The files of a .tar or .tar.gz. Links and devices are left out, and nothing is written where they point."""
    name = reading.name
    packed = content.startswith(gzip_parts.GZIP)
    file = _unpacked_to_disk(content, name) if packed else io.BytesIO(content)
    found, raw, links, unpacked, count = [], [], 0, 0, 0
    try:
        with tarfile.open(fileobj=file, mode="r:", encoding="utf-8", errors="surrogateescape") as archive:
            for entry in archive:
                count += 1
                _many_entries(count, name)
                if entry.size < 0:
                    raise PictureError(f"{name} is damaged: a file in it has a size below nothing.")
                _parts(entry.name, name)
                if entry.isdir():
                    continue
                if not entry.isreg() or entry.issparse():
                    links += 1
                    continue
                unpacked += entry.size
                _bounded(unpacked, name)
                raw.append(entry.name)
                found.append((entry.offset_data, entry.size))
    except PictureError:
        raise
    except Exception:  # tarfile raises anything on junk
        raise PictureError(f"{name} is damaged: it cannot be read as a .tar archive.") from None
    reading.leave("links and devices", links)
    foreign = [i for i, path in enumerate(raw) if any("\udc80" <= c <= "\udcff" for c in path)]
    decoded = _decoded([raw[i].encode("utf-8", "surrogateescape") for i in foreign], reading)
    for i, path in zip(foreign, decoded, strict=True):
        raw[i] = path

    def reader(at: int, size: int) -> Callable[[int], bytes]:
        def read(most: int) -> bytes:
            file.seek(at)
            return file.read(min(size, most))

        return read

    members = [Member(_parts(path, name), size, reader(at, size)) for path, (at, size) in zip(raw, found, strict=True)]
    return [member for member in members if member.parts]


# -- folder -------------------------------------------------------------------------------------------------


def of_folder(folder: Path, reading: Reading) -> list[Member]:
    """The files below a folder. Links are left out, so that nothing outside the folder is read."""
    if not os.path.isdir(folder):  # False for a path that cannot be one, where Path.is_dir() raises
        raise PictureError(f"{shorten(str(folder), 200)} is no folder that can be read.")
    found, others = [], 0

    def reader(path: str) -> Callable[[int], bytes]:
        def read(most: int) -> bytes:
            # What has become a link or a pipe since it was listed is not followed, and nobody waits for it.
            handle = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
            with os.fdopen(handle, "rb") as file:
                if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                    raise OSError
                return file.read(most)

        return read

    for where, folders, names in os.walk(folder, followlinks=False):
        folders[:] = sorted(each for each in folders if not os.path.islink(os.path.join(where, each)))
        inside = Path(where).relative_to(folder).parts
        for each in names:
            path = os.path.join(where, each)
            try:
                about = os.lstat(path)
            except OSError:
                others += 1
                continue
            if not stat.S_ISREG(about.st_mode):
                others += 1
                continue
            found.append(Member((*inside, each.encode("utf-8", "replace").decode()), about.st_size, reader(path)))
        _many_entries(len(found), reading.name)
        reading.at("Looking through the folder", len(found), 0)
    reading.leave("links and devices", others)
    return found
