"""Hostile and broken files at every door for pictures: each is refused in a sentence, and takes little memory."""

import gzip
import io
import os
import pickle
import random
import struct
import tarfile
import time
import tracemalloc
import zipfile
import zlib

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gan_core.data import parquet_pages
from gan_core.data.own_files import own_data
from gan_core.data.own_images import image_archives, image_arrays, image_decoding, image_members, image_tables
from gan_core.data.own_images.image_files import propose_folder, propose_pictures
from gan_core.data.own_images.image_rules import ACCEPTED, PictureError
from gan_core.foundations.hyperparameters import ConfigError
from tests.support.picture_files import (
    GRAY,
    LABELS,
    N,
    csv_of,
    encoded,
    fer,
    files,
    hugging_face,
    idx,
    in_folders,
    mat,
    npy,
    npz,
    parquet,
    parse_pictures,
    stack,
    tarred,
    zipped,
)

pytestmark = pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")


def refused(content, *said, name="file"):
    began = time.monotonic()
    with pytest.raises(PictureError) as caught:
        propose_pictures(content, name)
    message = str(caught.value)
    assert message.endswith(ACCEPTED) and "\n" not in message and len(message) < 700
    for words in said:
        assert words in message, message
    assert time.monotonic() - began < 20
    return message


def peak_of(action):
    tracemalloc.start()
    try:
        action()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


class Trap:
    """Unpickled, it would write a file."""

    def __reduce__(self):
        return open, (os.environ["TRAP"], "w")


# -- pickles ------------------------------------------------------------------------------------------------


def test_nothing_is_unpickled_at_any_door(tmp_path, monkeypatch):
    monkeypatch.setenv("TRAP", str(tmp_path / "sprung"))
    for protocol in range(2, 6):
        refused(pickle.dumps([Trap()] * 20, protocol), "pickle of Python objects, which is never read")
    traps = np.array([Trap()] * 20, object)
    refused(npy(traps), "Python objects, which are never read")
    refused(zipped({"a/x.npy": npy(traps)}), "Python objects")
    refused(tarred({"x.npy": npy(traps)}), "Python objects")
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "x.npy").write_bytes(npy(traps))
    with pytest.raises(PictureError, match="Python objects"):
        propose_folder(tmp_path / "set")
    content = zipped({"X.npy": npy(GRAY), "y.npy": npy(np.array([Trap()] * N, object))})
    assert propose_pictures(content, "a.zip").classes == {}
    assert not (tmp_path / "sprung").exists()


# -- .npy and idx -------------------------------------------------------------------------------------------


def test_headers_that_lie():
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "|u1", "fortran_order": False, "shape": (10**9, 28, 28)})
    assert peak_of(lambda: refused(header.getvalue() + bytes(1000), "truncated", "784,000,000,000")) < 1_000_000
    lie = idx(GRAY)[:4] + struct.pack(">3I", 2**31, 2**10, 2**10) + bytes(100)
    assert peak_of(lambda: refused(lie, "its header says 2147483648 x 1024 x 1024")) < 1_000_000
    refused(idx(GRAY)[:-1], "truncated or damaged")
    refused(idx(GRAY) + b"1", "truncated or damaged")
    refused(idx(GRAY)[:10], "cut off")


# -- packed once more ---------------------------------------------------------------------------------------


def test_bombs_of_gzip(monkeypatch):
    monkeypatch.setattr(image_members, "MOST_UNPACKED", 2_000_000)
    bomb = gzip.compress(bytes(50_000_000))
    assert len(bomb) < 60_000
    monkeypatch.setattr(image_members.unpacked_gzip, "__defaults__", (2_000_000,))
    assert peak_of(lambda: refused(bomb, "would unpack to more than 2 MB")) < 8_000_000
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        entry = tarfile.TarInfo("a.png")
        entry.size = 50_000_000
        archive.addfile(entry, io.BytesIO(bytes(50_000_000)))
    assert peak_of(lambda: refused(out.getvalue(), "would unpack to", "at most 2 MB")) < 40_000_000
    refused(bomb[:-20], "would unpack")
    refused(gzip.compress(idx(GRAY))[:-20], "its end is missing")
    refused(b"\x1f\x8b" + bytes(100), "cannot be unpacked")


def test_a_gzip_of_several_parts_is_read_whole():
    whole, out = idx(GRAY), io.BytesIO()
    two = gzip.compress(whole[:1_000]) + gzip.compress(whole[1_000:])
    assert np.array_equal(parse_pictures(two, "a.idx.gz")[0].pixels, parse_pictures(whole, "a.idx")[0].pixels)
    with tarfile.open(fileobj=out, mode="w") as archive:
        entry = tarfile.TarInfo("a.idx")
        entry.size = len(whole)
        archive.addfile(entry, io.BytesIO(whole))
    tar = out.getvalue()
    two = gzip.compress(tar[:2_000]) + gzip.compress(tar[2_000:])
    assert np.array_equal(parse_pictures(two, "a.tar.gz")[0].pixels, parse_pictures(whole, "a.idx")[0].pixels)
    for behind in (gzip.compress(b""), gzip.compress(whole[:2]) + bytes(10)):
        late = behind + gzip.compress(whole[2 * (len(behind) > 25) :])
        assert np.array_equal(parse_pictures(late, "a.idx.gz")[0].pixels, parse_pictures(whole, "a.idx")[0].pixels)
        assert own_data.propose("a.idx.gz", late).kind == "images"
    refused(two[:-20], "its end is missing")
    refused(gzip.compress(b"") * 30_000, "more than 20,000 parts")


def test_archives_in_archives_end():
    content = idx(GRAY)
    for _ in range(6):
        content = gzip.compress(content)
    refused(content, "archives within archives")
    content = zipped(files())
    for _ in range(6):
        content = zipped({"a.zip": content})
    refused(content, "archives within archives", name="a.zip")


# -- tar ----------------------------------------------------------------------------------------------------


def entries(*members):
    """A tar of (TarInfo, content) beside good pictures."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for info, content in members:
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
        for path, content in files().items():
            info = tarfile.TarInfo(path)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return out.getvalue()


def of_kind(kind, name, target=""):
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info, b""


def test_links_and_devices_are_left_out():
    kinds = {tarfile.SYMTYPE: "/etc/passwd", tarfile.LNKTYPE: "000.png", tarfile.CHRTYPE: "", tarfile.FIFOTYPE: ""}
    content = entries(*(of_kind(kind, f"link{i}.png", target) for i, (kind, target) in enumerate(kinds.items())))
    found = propose_pictures(content, "a.tar")
    assert found.count == N and found.left_out == {"links and devices": 4}


@pytest.mark.parametrize("path", ["/etc/a.png", "../a.png", "a/../../b.png", "C:\\a.png"])
def test_paths_out_of_a_tar_are_refused(path):
    refused(entries((tarfile.TarInfo(path), b"x")), "points outside")


def test_a_tar_that_lies_about_sizes():
    content = bytearray(entries())
    content[124:136] = b"77777777777\0"  # 8 GB, and the header's checksum with it
    content[148:156] = b" " * 8
    content[148:156] = b"%06o\0 " % sum(content[:512])
    refused(bytes(content), "would unpack to", name="a.tar")
    content[124:136] = b"\xff" * 12  # below nothing
    content[148:156] = b" " * 8
    content[148:156] = b"%06o\0 " % sum(content[:512])
    refused(bytes(content), "damaged", name="a.tar")


def test_a_tar_of_too_many_entries(monkeypatch):
    monkeypatch.setattr(image_members, "MOST_ENTRIES", 20)
    refused(entries(), "21 entries; at most 20")


# -- folder -------------------------------------------------------------------------------------------------


def test_links_out_of_a_folder_are_not_followed(tmp_path):
    inside, outside = tmp_path / "set", tmp_path / "secret"
    for folder in (inside, outside):
        folder.mkdir()
        for name, content in files().items():
            (folder / name).write_bytes(content)
    (inside / "link.png").symlink_to(outside / "000.png")
    (inside / "folder").symlink_to(outside)
    (inside / "loop").symlink_to(inside)
    os.mkfifo(inside / "pipe.png")
    found = propose_folder(inside)
    assert found.count == N and found.left_out == {"links and devices": 2}
    for nothing in (tmp_path / "none", inside / "000.png", tmp_path / ("x" * 300)):
        with pytest.raises(PictureError, match="no folder that can be read"):
            propose_folder(nothing)


def test_what_becomes_a_link_while_it_is_read_is_left_out(tmp_path):
    for name, content in files().items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "z.png").write_bytes(encoded(GRAY[0]))

    def swap(text, done, total):
        if (tmp_path / "z.png").is_symlink() or "Decoding" not in text:
            return
        (tmp_path / "z.png").unlink()
        (tmp_path / "z.png").symlink_to(tmp_path / "000.png")

    assert propose_folder(tmp_path, {}, swap).left_out == {"files that cannot be decoded": 1}


def test_folders_within_folders_without_end_take_no_time():
    began = time.process_time()
    for deep in ("train/" * 9_000, "a/" * 30_000):
        members = {f"{i % 3}/{deep}{i % 2}/{i}.png": encoded(x) for i, x in enumerate(GRAY)}
        found = propose_pictures(zipped(members), "a.zip")
        assert found.count == N and all(len(question.options) < 50 for question in found.questions)
    assert time.process_time() - began < 6


# -- MATLAB -------------------------------------------------------------------------------------------------


def element(kind, content):
    return struct.pack("<II", kind, len(content)) + content


def mat_file(*elements):
    return b"MATLAB 5.0 MAT-file".ljust(124) + struct.pack("<H", 0x0100) + b"IM" + b"".join(elements)


def matrix(kind, shape=(20, 64), values=b""):
    flags = element(6, struct.pack("<II", kind, 0))
    sides = element(5, struct.pack(f"<{len(shape)}i", *shape))
    sides += bytes(-len(sides) % 8)
    return element(14, flags + sides + element(1, b"x".ljust(8)) + element(2, values))


@pytest.mark.parametrize("kind", [1, 2, 3, 5, 16, 17, 18, 99])
def test_objects_of_matlab_never_reach_scipy(kind, monkeypatch):
    monkeypatch.setattr(image_arrays.matlab, "loadmat", lambda file, **_: {} if len(file.read()) == 128 else 1 / 0)
    refused(mat_file(matrix(kind)), "no plain arrays")


def test_mat_files_that_lie(monkeypatch):
    refused(mat_file(matrix(9, (20, 2**30), bytes(1000))), "damaged")
    refused(mat_file(matrix(9, (-20, -64), bytes(1280))), "damaged")
    refused(mat_file(matrix(9))[:-40], "truncated")
    refused(mat_file(struct.pack("<II", 14, 2**31 - 1)), "truncated")
    refused(mat_file(element(15, b"junk")), "cannot be unpacked")
    refused(mat_file(element(15, zlib.compress(b"short"))), "no readable header")
    refused(mat_file(), "no variables")
    refused(mat(images=GRAY)[:126] + b"XX" + mat(images=GRAY)[128:], "does not go on as one")
    monkeypatch.setattr(image_arrays, "MOST_UNPACKED", 2_000_000)
    bomb = mat_file(element(15, zlib.compress(matrix(9, (50_000_000, 1), bytes(50_000_000)))))
    assert len(bomb) < 60_000
    assert peak_of(lambda: refused(bomb, "would unpack to more than 2 MB")) < 5_000_000
    many = mat_file(*[element(15, zlib.compress(matrix(9, (400_000, 1), bytes(400_000))))] * 10)
    refused(many, "would unpack")


# -- tables -------------------------------------------------------------------------------------------------


def test_csv_that_is_hostile_or_broken():
    began = time.monotonic()
    refused(b"," * 20_000_000, "not read")
    refused(b"1," * (600 * 600 - 1) + b"2\n", "360,000 columns; at most")
    refused(b"pixel0" + b",1" * 255 + b"\n" + b"1," * 40 + b"\n" + b"5" + b",5" * 300, "not a regular table")
    lines = csv_of(GRAY).split(b"\n")
    refused(b"\n".join([*lines[:5], lines[5].replace(b",", b",x", 1), *lines[6:]]), "no number")
    refused(
        b"\n".join([*lines[:5], lines[5].split(b",", 1)[0] + b"," + lines[5].split(b",", 1)[1][3:], *lines[6:]]), ""
    )
    refused(fer(GRAY, LABELS, ["Training"] * N).replace(b" 3 ", b" ", 1), "different sizes")
    refused(csv_of(GRAY[:10]), "only 10 images")
    assert time.monotonic() - began < 30


def written(table, **options):
    out = io.BytesIO()
    pq.write_table(table, out, **options)
    return out.getvalue()


def test_bombs_of_parquet(monkeypatch):
    zeros = written(pa.table({"image": [bytes(40_000_000)] * 2}), compression="zstd")
    assert len(zeros) < 200_000
    monkeypatch.setattr(image_tables, "MOST_UNPACKED", 2_000_000)
    refused(zeros, "would unpack to")
    monkeypatch.undo()
    # The table of contents says little, and the page itself much.
    monkeypatch.setattr(parquet_pages, "MOST_PAGE", 2_000_000)
    refused(zeros, "2 MB in one page")
    monkeypatch.undo()
    # One picture, repeated by its number alone.
    picture = encoded(np.random.default_rng(0).integers(0, 256, (300, 300), np.uint8))
    same = written(pa.table({"image": [picture] * 3_000}))
    assert len(same) < 200_000
    refused(same, "would unpack to more than 10")
    monkeypatch.setattr(parquet_pages, "MOST_VALUES", 1_000)
    refused(same, "1,000 values")
    refused(written(pa.table({"image": [[0] * 64] * 3_000})), "1,000 values")


def test_parquet_that_is_broken():
    content = hugging_face(GRAY, LABELS, ["a", "b", "c"])
    refused(content[:-8], "Parquet")
    refused(content[:4] + bytes(50) + content[54:], "damaged")
    refused(b"PAR1" + bytes(20) + b"PAR1", "Parquet")
    refused(parquet(x=[1.0] * 20, y=[2.0] * 20), "no column of encoded images")
    refused(parquet(image=[[1] * 64] * 10 + [[1] * 63] * 5 + [[1] * 65] * 5), "different sizes")
    refused(parquet(image=[b"junk"] * 20), "no usable image")


def test_more_rows_than_are_read(monkeypatch):
    monkeypatch.setattr(image_tables, "MOST_ENTRIES", 20)
    refused(hugging_face(GRAY, LABELS, ["a", "b", "c"]), "24 rows; at most 20")


def test_a_header_of_many_hashes_takes_no_time():
    began = time.monotonic()
    for mark in (b" #", b"\n#", b" # ", b"1", b"\n", b" "):
        assert not image_decoding.is_picture(b"P1" + mark * 2_000 + b" x,b\n")
    assert time.monotonic() - began < 5


@pytest.mark.parametrize(
    "head", [b"P5\n16 16\n255\n", b"P5 16 16 255 ", b"P6\n# by hand\n16 16\n255\n", b"P2\n#a\n#b\n16\n#c\n16 255\n"]
)
def test_headers_of_portable_pictures_are_known(head):
    assert image_decoding.is_picture(head)


# -- other kinds --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\x89HDF\r\n\x1a\n" + bytes(100), "HDF5"),
        (b"7z\xbc\xaf\x27\x1c" + bytes(100), "7z archive"),
        (b"Rar!\x1a\x07" + bytes(100), "RAR"),
        (b"%PDF-1.7" + bytes(100), "PDF"),
        (encoded(GRAY[0]), "a single image"),
        (b"hello", "not read"),
        (bytes(100), "not read"),
    ],
)
def test_what_else_people_have_is_named(content, said):
    refused(content, said)


def test_a_lone_stack_of_pages_is_named_as_one():
    refused(stack(GRAY), f"a single TIFF file of {N} pages", name="cells.tif")
    again = bytearray(stack(GRAY[:2]))
    second = struct.unpack("<I", again[4:8])[0]
    after = second + 2 + 12 * struct.unpack("<H", again[second : second + 2])[0]
    again[after : after + 4] = struct.pack("<I", second)  # a page that comes after itself
    refused(bytes(again), "a single image", name="loop.tif")


def test_the_pages_that_are_counted_are_bounded(monkeypatch):
    monkeypatch.setattr(image_archives, "MOST_PAGES", 30)
    found = propose_pictures(zipped({f"{i}.tif": stack(GRAY[:9]) for i in range(N)}), "a.zip")
    assert 28 <= found.left_out["pages of TIFF files after the first"] <= 30


def test_no_other_program_is_started(nothing_is_run):
    eps = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 20 20\nshowpage\n"
    refused(eps, "not read")
    refused(zipped({f"{i}.png": eps for i in range(20)}), "20 that cannot be decoded", name="a.zip")
    refused(zipped({f"{i}.eps": eps for i in range(20)}), "no images", name="a.zip")
    assert "EPS" not in image_decoding.formats()


def test_whatever_is_damaged_there_is_an_answer(nothing_is_run, tmp_path, monkeypatch):
    """Bytes changed, cut out, put in and doubled at random: pictures or a sentence, never another exception."""
    whole = {
        "a.tar": tarred(in_folders("abc"), "w:"),
        "a.tgz": tarred(in_folders("abc")),
        "a.npy": npy(GRAY),
        "a.mat": mat(X=GRAY, y=LABELS),
        "a.idx": idx(GRAY),
        "a.idx.gz": gzip.compress(idx(GRAY)),
        "a.csv": csv_of(GRAY, LABELS),
        "fer.csv": fer(GRAY, LABELS, ["Training"] * N),
        "a.parquet": hugging_face(GRAY, LABELS, ["a", "b", "c"]),
        "b.parquet": parquet(image=GRAY.reshape(N, -1).tolist(), label=LABELS.tolist()),
        "b.zip": zipped({"x.npy": npy(GRAY), "y.npy": npy(LABELS)}),
        "c.zip": zipped(files(kind="TIFF", end="tif")),
        "d.zip": zipped(files(kind="WEBP", end="jpg")),
        "b.npz": npz(images=GRAY, labels=np.eye(3)[LABELS]),
    }
    outcomes = {"pictures": 0, "refused": 0}
    for seed in range(900):
        source = random.Random(seed)
        name = source.choice(list(whole))
        damaged = bytearray(whole[name])
        for _ in range(source.choice([1, 5, 50])):
            at = source.randrange(len(damaged))
            if source.random() < 0.8:
                damaged[at] = source.randrange(256)
            else:
                damaged[at : at + source.randrange(30)] = source.choice(
                    [b"", source.randbytes(9), damaged[at : at + 200] * 2]
                )
        try:
            p = propose_pictures(bytes(damaged), source.choice([name, name, *whole]))
        except ConfigError as error:
            outcomes["refused"] += 1
            assert str(error).endswith((".", "?")) and len(str(error)) < 700
            continue
        outcomes["pictures"] += 1
        assert p.data.pixels.dtype == np.uint8 and p.data.pixels.ndim == 4 and len(p.data) >= 16
    assert min(outcomes.values()) > 100, outcomes


def test_the_gz_files_of_one_archive_share_one_bound(monkeypatch):
    monkeypatch.setattr(image_members.unpacked_gzip, "__defaults__", (2_000_000,))
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for i in range(4):
            archive.writestr(f"{i}.npy.gz", gzip.compress(npy(np.zeros((1_000, 28, 28), np.uint8))))
    refused(out.getvalue(), "would unpack to more than 2 MB", name="mine.zip")
