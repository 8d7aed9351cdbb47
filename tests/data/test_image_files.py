"""The user's own pictures: what is read, what is said of it, and what is refused."""

import io
import os
import pickle
import random
import struct
import time
import tracemalloc
import warnings
import zipfile
import zlib

import numpy as np
import pytest
from PIL import Image

from gan_core.data import image_datasets, resizing
from gan_core.data.own_images import image_archives, image_members, image_rules
from gan_core.data.own_images.image_files import LEAST_PICTURES, propose_pictures
from gan_core.data.own_images.image_rules import ACCEPTED, MOST_BYTES, PictureError
from gan_core.foundations.hyperparameters import ConfigError
from tests.support.picture_files import parse_pictures

N = 20


# Pillow warns of what is refused anyway.
pytestmark = pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")


def rng(seed=0):
    return np.random.default_rng(seed)


def noise(*shape, seed=0):
    return rng(seed).integers(0, 256, shape, dtype=np.uint8)


def npz(compressed=False, **content):
    out = io.BytesIO()
    (np.savez_compressed if compressed else np.savez)(out, **content)
    return out.getvalue()


def npy(array):
    out = io.BytesIO()
    np.save(out, array)
    return out.getvalue()


def encoded(array, kind="PNG", **options):
    out = io.BytesIO()
    image = array if isinstance(array, Image.Image) else Image.fromarray(array)
    image.save(out, kind, **options)
    return out.getvalue()


def zipped(members, compression=zipfile.ZIP_STORED):
    """A zip of {path: bytes}, or of pairs where a path comes twice."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compression) as archive:
        for path, content in members.items() if isinstance(members, dict) else members:
            archive.writestr(zipfile.ZipInfo(path) if path.startswith("/") else path, content)
    return out.getvalue()


def gallery(n=N, shape=(28, 28), kind="png", folder=""):
    return {f"{folder}{i:03d}.{kind}": encoded(noise(*shape, seed=i)) for i in range(n)}


def refused(content, *words, name="my.npz"):
    """The message for `content`, which must hold `words` and what is accepted."""
    began = time.monotonic()
    with pytest.raises(PictureError) as caught:
        parse_pictures(content, name)
    message = str(caught.value)
    assert isinstance(caught.value, ConfigError)
    assert message.endswith(ACCEPTED) and "Accepted:" in message
    for word in words:
        assert word in message, message
    assert len(message) < 700 and "\n" not in message
    assert time.monotonic() - began < 20
    return message


# -- good arrays --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["x_train", "images", "x", "data", "X", "anything"])
@pytest.mark.parametrize("compressed", [False, True])
def test_arrays_come_as_they_are(key, compressed):
    x = noise(N, 28, 28)
    p, note = parse_pictures(npz(compressed, **{key: x}), "my.NPZ")
    np.testing.assert_array_equal(p.pixels, x[..., None])
    assert p.pixels.dtype == np.uint8 and p.labels is None and p.class_names == () and note == ""


def test_the_named_array_goes_before_others():
    x = noise(N, 28, 28)
    for key in ("x_train", "images", "x", "data"):
        p, _ = parse_pictures(npz(a=noise(N, 9, 9), **{key: x}), "my.npz")
        np.testing.assert_array_equal(p.pixels[..., 0], x)
    p, _ = parse_pictures(npz(data=noise(N, 9, 9), x_train=x), "my.npz")
    assert p.shape == (28, 28, 1)
    p, _ = parse_pictures(npz(x=np.zeros((N, 2)), pictures=x), "my.npz")  # x holds no images
    assert p.shape == (28, 28, 1)


@pytest.mark.parametrize("channels", [1, 3])
def test_channels(channels):
    x = noise(N, 16, 16, channels)
    p, note = parse_pictures(npz(x=x), "my.npz")
    np.testing.assert_array_equal(p.pixels, x)
    assert note == ""


def test_what_is_transparent_stands_on_white():
    x = noise(N, 16, 16, 4)
    p, note = parse_pictures(npz(x=x), "my.npz")
    share = x[..., 3:] / 255
    assert np.abs(p.pixels - (x[..., :3] * share + 255 * (1 - share))).max() <= 0.51 and note == ""


def test_gray_in_three_channels_becomes_one():
    x = noise(N, 16, 16, 1)
    p, _ = parse_pictures(npz(x=x.repeat(3, -1)), "my.npz")
    np.testing.assert_array_equal(p.pixels, x)


def test_fortran_order():
    x = noise(N, 10, 12, 3)
    p, _ = parse_pictures(npz(x=np.asfortranarray(x)), "my.npz")
    np.testing.assert_array_equal(p.pixels, x[:, :, 1:11])


RANGES = {
    "0 to 1": (lambda x: x / 255, "Values from 0 to 1"),
    "-1 to 1": (lambda x: x / 127.5 - 1, "Values from -1 to 1"),
    "0 to 255": (lambda x: x.astype(float), "Values from 0 to 255"),
    "0 to 1 with rounding": (lambda x: x / 255 * 1.0005, "Values from 0 to 1"),
    "int32": (lambda x: x.astype(np.int32), ""),
    "uint16": (lambda x: x.astype(">u2"), ""),
    "int64": (lambda x: x.astype(np.int64), ""),
}


@pytest.mark.parametrize("kind", ["float16", "float32", "float64", ">f4"])
@pytest.mark.parametrize(("change", "words"), RANGES.values(), ids=RANGES.keys())
def test_ranges_are_found_out_and_told(change, words, kind):
    x = noise(N, 28, 28)
    changed = change(x)
    changed = changed.astype(kind) if changed.dtype.kind == "f" else changed
    p, note = parse_pictures(npz(x=changed), "my.npz")
    assert np.abs(p.pixels[..., 0].astype(int) - x).max() <= 1
    assert words in note and bool(words) == bool(note)


@pytest.mark.parametrize("kind", [bool, np.uint16, np.float32])
def test_two_values_are_black_and_white(kind):
    x = rng().random((N, 28, 28)) < 0.5
    p, note = parse_pictures(npz(x=x.astype(kind)), "my.npz")
    np.testing.assert_array_equal(p.pixels[..., 0], np.where(x, 255, 0))
    assert "read as" in note


def test_large_pictures_are_reduced():
    p, note = parse_pictures(npz(x=noise(N, 100, 150, 3)), "my.npz")
    assert p.pixels.shape == (N, 64, 64, 3)
    assert note == "Images are cropped to the central square and resized to 64 x 64."
    x = np.zeros((N, 16, 40), np.uint8)
    x[:, :, 12:28] = noise(N, 16, 16)
    p, note = parse_pictures(npz(x=x), "my.npz")
    np.testing.assert_array_equal(p.pixels[..., 0], x[:, :, 12:28])
    assert note == "Images are cropped to the central square."


def test_the_fewest_that_do():
    assert len(parse_pictures(npz(x=noise(LEAST_PICTURES, 8, 8)), "my.npz")[0]) == LEAST_PICTURES
    assert len(parse_pictures(zipped(gallery(LEAST_PICTURES, (8, 8))), "my.zip")[0]) == LEAST_PICTURES


@pytest.mark.parametrize("key", ["y_train", "labels", "y"])
def test_labels(key):
    y = np.array([7, -2, 300] * 10)
    p, note = parse_pictures(npz(**{key: y.astype(np.int16)[:, None], "x": noise(30, 9, 9)}), "my.npz")
    assert p.class_names == ("-2", "7", "300") and p.labels.dtype == np.int32
    assert note == f"The classes are those of '{key}'."
    assert [int(p.class_names[i]) for i in p.labels] == y.tolist()


@pytest.mark.parametrize(
    "y",
    [
        np.arange(19),
        np.arange(20.0) / 2,
        np.ones((20, 3), int),
        np.zeros(20, int),
        np.array([None] * 20),
    ],
    ids=["length", "float", "not one-hot", "one class", "objects"],
)
def test_labels_that_are_none_are_left_out_with_a_note(y):
    p, note = parse_pictures(npz(x=noise(N, 9, 9), y=y), "my.npz")
    assert p.labels is None and p.class_names == () and "'y' is not used as classes" in note


def test_more_classes_than_a_hundred():
    x = noise(101, 8, 8)
    assert parse_pictures(npz(x=x, y=np.arange(101)), "my.npz")[0].labels is None
    assert len(parse_pictures(npz(x=x, y=np.arange(101) % 100), "my.npz")[0].class_names) == 100


def test_more_held_out_pictures_than_are_kept_are_said():
    p, note = parse_pictures(npz(True, x_train=noise(30, 8, 8), x_test=noise(5_010, 8, 8)), "my.npz")
    assert len(p.test_pixels) == 5_000
    assert "Of the 5,010 images of x_test, 5,000 are held out; the others are left out." in note


def test_what_is_not_held_out_is_not_said_to_be():
    x, y = noise(30, 8, 8), np.arange(30) % 3
    p, note = parse_pictures(npz(x_train=x, y_train=y, x_test=x), "my.npz")
    assert p.test_pixels is None and "None of the 30 images of x_test is held out: the file does not tell" in note
    found = propose_pictures(npz(x_train=x, x_test=x), "my.npz", {"held_out": "train"})
    assert found.count == 30 and found.data.test_pixels is None
    assert "The 30 images of x_test are not used." in found.notes


def test_of_too_many_a_sample_is_taken_with_its_labels(monkeypatch):
    monkeypatch.setattr(image_rules, "MOST_PICTURES", 100)
    x = noise(250, 8, 8)
    x[:, 0, 0] = np.arange(250)
    content = npz(x=x, y=np.arange(250) % 2)
    p, note = parse_pictures(content, "my.npz")
    assert len(p) == len(p.labels) == 100
    assert note == "The classes are those of 'y'. 250 images; a random 100 of them are used."
    first = p.pixels[:, 0, 0, 0]
    assert len(set(first)) == 100 and first.max() > 200 and first.min() < 50  # from all over the file
    np.testing.assert_array_equal(first % 2, p.labels)
    np.testing.assert_array_equal(p.pixels, parse_pictures(content, "my.npz")[0].pixels)


def test_the_real_bound_holds():
    p, note = parse_pictures(npz(True, x=np.tile(noise(1, 8, 8), (60_010, 1, 1))), "my.npz")
    assert len(p) == 60_000 and "60,010 images" in note


def test_what_is_read_can_be_trained_on():
    upload, _ = parse_pictures(npz(x=noise(30, 40, 40, 3), y=np.arange(30) % 3), "my.npz")
    p = image_datasets.from_upload(upload, 20, rng(), "32", "0,2")
    assert p.pixels.shape == (20, 32, 32, 3) and p.class_names == ("0", "2")


# -- bad arrays ---------------------------------------------------------------------------------------------


class Trap:
    """Unpickled, it would write a file."""

    def __reduce__(self):
        return open, (os.environ["TRAP"], "w")


def test_objects_are_never_unpickled(tmp_path, monkeypatch):
    monkeypatch.setenv("TRAP", str(tmp_path / "sprung"))
    traps = np.array([Trap()] * 20, object)
    refused(npz(x=traps), "'x'", "Python objects, which are never read for safety")
    refused(npz(x=np.array([[[Trap()] * 8] * 8] * 20, object)), "Python objects")
    parse_pictures(npz(x=noise(N, 9, 9), y=traps, z=traps), "my.npz")  # beside others they stay unread
    refused(pickle.dumps(Trap()), "damaged")
    assert not (tmp_path / "sprung").exists()
    open(tmp_path / "sprung", "w").close()


def claimed(shape, dtype="|u1", rest=b"\0" * 1000):
    """The bytes of a .npy file that claims `shape`."""
    out = io.BytesIO()
    np.lib.format.write_array_header_1_0(out, {"descr": dtype, "fortran_order": False, "shape": shape})
    return out.getvalue() + rest


BAD_ARRAYS = {
    "nothing": (b"", ["is empty"]),
    "junk": (random.Random(0).randbytes(5000), ["damaged"]),
    "text": (b"1,2,3\n" * 100, ["damaged"]),
    "a lone array": (npy(noise(N, 28, 28)), ["damaged"]),
    "truncated": (npz(x=noise(N, 28, 28))[:-100], ["damaged"]),
    "an empty archive": (zipped({}), ["has no arrays"]),
    "pictures in it": (zipped(gallery()), ["has no arrays"]),
    "a member that is no array": (zipped({"x.npy": b"hello"}), ["no readable header"]),
    "an empty member": (zipped({"x.npy": b""}), ["no readable header"]),
    "a header cut short": (zipped({"x.npy": claimed((20, 8, 8))[:40]}), ["no readable header"]),
    "a header of code": (
        zipped({"x.npy": b"\x93NUMPY\x01\x00\x20\x00" + b"__import__('os').getcwd()".ljust(31) + b"\n"}),
        ["no readable header"],
    ),
    "a header of 4 GB": (zipped({"x.npy": b"\x93NUMPY\x02\x00\xff\xff\xff\xff" + b" " * 100}), ["no readable header"]),
    "a header of brackets": (
        zipped({"x.npy": b"\x93NUMPY\x01\x00" + struct.pack("<H", 9000) + b"[" * 8999 + b"\n"}),
        ["no readable header"],
    ),
    "a claim of 28 TB": (zipped({"x.npy": claimed((10**10, 28, 100))}), ["'x'", "truncated", "28,000,000,000,000"]),
    "a claim below nothing": (zipped({"x.npy": claimed((-20, 28, 28))}), ["only -20 images"]),
    "a claim below nothing, twice": (zipped({"x.npy": claimed((20, -28, -28))}), ["shape (20, -28, -28)"]),
    "one byte short": (zipped({"x.npy": claimed((20, 8, 8), rest=bytes(1279))}), ["truncated"]),
    "one byte over": (zipped({"x.npy": claimed((20, 8, 8), rest=bytes(1281))}), ["truncated"]),
    "two dimensions": (npz(x=noise(N, 783)), ["no array of images", "uint8 of shape (20, 783)"]),
    "five dimensions": (npz(x=noise(N, 2, 8, 8, 3)), ["no array of images"]),
    "complex": (npz(x=noise(N, 8, 8) * 1j), ["no array of images", "complex128"]),
    "text in it": (npz(x=np.full((N, 8, 8), "a")), ["no array of images"]),
    "two channels": (npz(x=noise(N, 8, 8, 2)), ["shape (20, 8, 8, 2)"]),
    "one colour picture": (npz(x=noise(64, 64, 3)), ["only 3 images"]),
    "1 x 1": (npz(x=noise(N, 1, 1)), ["shape (20, 1, 1)"]),
    "7 x 9": (npz(x=noise(N, 7, 9)), ["shape (20, 7, 9)"]),
    "wide": (npz(x=noise(7, 8, 5001)), ["shape (7, 8, 5001)"]),
    "few": (npz(x=noise(15, 8, 8)), ["only 15 images"]),
    "one": (npz(x=noise(1, 8, 8)), ["only 1 image."]),
    "none": (npz(x=noise(0, 8, 8)), ["only 0 images"]),
    "NaN": (npz(x=np.where(np.arange(N)[:, None, None] == 7, np.nan, noise(N, 8, 8) / 255)), ["NaN or infinite"]),
    "infinite": (npz(x=np.where(noise(N, 8, 8) > 250, np.inf, 0.5)), ["NaN or infinite"]),
    "constant": (npz(x=np.full((N, 8, 8), 7, np.uint8)), ["the same single colour"]),
    "constant floats": (npz(x=np.full((N, 8, 8), 0.25)), ["All values", "0.25"]),
}


@pytest.mark.parametrize(("content", "words"), BAD_ARRAYS.values(), ids=BAD_ARRAYS.keys())
def test_bad_arrays_are_refused(content, words):
    refused(content, *words)


def test_damaged_values_are_refused():
    for compressed in (False, True):
        content = bytearray(npz(compressed, x=noise(N, 28, 28)))
        content[len(content) // 2] ^= 255
        refused(bytes(content), "damaged")


@pytest.mark.parametrize("name", ["my.csv", "my", "", "npz", "my.npz.txt", "my.npy", "my.png", "my.tar.gz", ".zip"])
def test_what_a_file_is_its_bytes_say(name):
    x = noise(N, 28, 28)
    np.testing.assert_array_equal(parse_pictures(npz(x=x), name)[0].pixels[..., 0], x)
    np.testing.assert_array_equal(parse_pictures(zipped(gallery()), name)[0].pixels[3, ..., 0], noise(28, 28, seed=3))
    refused(b"x,y\n1,2\n" * 50, "of a kind that is not read", name=name.replace("npz", "csv").replace("zip", "csv"))


def test_a_long_name_is_cut():
    assert len(refused(b"junk", name="x" * 5000 + ".npz")) < 500


def test_files_of_too_many_bytes(monkeypatch):
    assert MOST_BYTES == 50_000_000
    for name in ("my.npz", "my.zip"):
        refused(bytes(MOST_BYTES + 1), "has 50.0 MB", name=name)
        refused(bytes(100), "damaged", name=name)


# -- bombs --------------------------------------------------------------------------------------------------


def peak_of(action):
    """The most bytes that Python had taken at once while `action` ran."""
    tracemalloc.start()
    try:
        action()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def patched(content, claimed_size):
    """The same zip, of one member, that claims another unpacked size in both of its headers."""
    content = bytearray(content)
    for mark, at in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        start = content.index(mark)
        content[start + at : start + at + 4] = struct.pack("<I", claimed_size)
    return bytes(content)


def test_a_zip_that_would_unpack_to_too_much(monkeypatch):
    monkeypatch.setattr(image_members, "MOST_UNPACKED", 2_000_000)
    zeros = npz(True, x=np.zeros((50, 200, 201), np.uint8))
    assert len(zeros) < 20_000
    assert peak_of(lambda: refused(zeros, "would unpack to 2 MB; at most 2 MB")) < 500_000
    many = zipped({f"{i}.png": bytes(30_000) for i in range(70)}, zipfile.ZIP_DEFLATED)
    refused(many, "would unpack to 2 MB", name="my.zip")


def test_a_zip_that_lies_about_its_size():
    """2 MB that say they are fewer: no more than those are unpacked."""
    shape = (500, 64, 64)
    lying = patched(zipped({"x.npy": claimed(shape, rest=bytes(2_048_000))}, zipfile.ZIP_DEFLATED), 100_000)
    assert peak_of(lambda: refused(lying, "truncated")) < 1_000_000
    lying = patched(zipped({"x.npy": claimed((500, 8, 8), rest=bytes(2_048_000))}, zipfile.ZIP_DEFLATED), 32_128)
    assert peak_of(lambda: refused(lying, "damaged")) < 1_000_000
    lying = patched(zipped({"a.png": encoded(noise(300, 300)) + bytes(1_000_000)}, zipfile.ZIP_DEFLATED), 1000)
    refused(lying, "no usable image", name="my.zip")


def test_a_zip_of_4_gb_by_its_own_word():
    refused(patched(npz(x=noise(N, 8, 8)), 0xFFFFFFF0), "would unpack to 4,295 MB")


def test_a_picture_of_too_many_bytes(monkeypatch):
    monkeypatch.setattr(image_archives, "MOST_MEMBER", 10_000)
    refused(zipped({**gallery(), "big.png": bytes(10_001)}), "'big.png'", "at most 0 MB", name="my.zip")


def test_more_entries_than_are_read(monkeypatch):
    monkeypatch.setattr(image_members, "MOST_ENTRIES", 50)
    refused(zipped({f"{i}.txt": b"" for i in range(51)}), "51 entries; at most 50", name="my.zip")
    assert len(parse_pictures(zipped(gallery(50)), "my.zip")[0]) == 50


def test_a_million_entries_are_refused_at_once():
    entry = struct.pack("<4s4B4HL2L5H2L", b"PK\x01\x02", 20, 0, 20, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0) + b"a"
    content = entry * 1_000_000
    content += struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 65535, 65535, len(content), 0, 0)
    began = time.monotonic()
    refused(content, "1,000,000 entries", name="my.zip")
    assert time.monotonic() - began < 5


def png_of(width, height, body=b""):
    """A PNG whose header claims the size."""

    def chunk(kind, content):
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(body)) + chunk(b"IEND", b"")


@pytest.mark.parametrize("side", [5_001, 10_000, 12_000, 60_000])
def test_huge_pictures_are_left_out_unopened(side):
    content = zipped({**gallery(), "huge.png": png_of(side, side, bytes(100_000))})
    results = []
    assert peak_of(lambda: results.append(parse_pictures(content, "my.zip"))) < 20_000_000
    p, note = results[0]
    assert len(p) == N and note == "Skipped: 1 under 8 or over 5,000 pixels wide or high."


def test_only_huge_pictures():
    huge = png_of(10_000, 10_000)
    refused(zipped({f"{i}.png": huge for i in range(N)}), "no usable image", "20 under 8 or over", name="my.zip")


def test_pillow_s_warning_of_a_bomb_is_a_refusal_too():
    content = zipped({**gallery(), "huge.png": png_of(4_999, 25_000)})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        p, note = parse_pictures(content, "my.zip")
    assert len(p) == N and "1 under 8 or over" in note
    assert Image.MAX_IMAGE_PIXELS == 89478485  # Pillow's own, not changed for the whole process


def test_too_many_pixels_together(monkeypatch):
    monkeypatch.setattr(image_archives, "MOST_PIXELS", 20 * 28 * 28 - 1)
    refused(zipped(gallery()), "more than", "million pixels", name="my.zip")


# -- good zips ----------------------------------------------------------------------------------------------


def test_pictures_come_as_they_are_in_the_order_of_their_names():
    members = gallery()
    shuffled = sorted(members.items(), key=lambda item: zlib.crc32(item[0].encode()))
    for compression in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        p, note = parse_pictures(zipped(shuffled, compression), "my.zip")
        np.testing.assert_array_equal(p.pixels[..., 0], [noise(28, 28, seed=i) for i in range(N)])
        assert p.labels is None and note == ""


def test_colour():
    members = {f"{i}.png": encoded(noise(16, 16, 3, seed=i)) for i in range(10, 30)}
    p, note = parse_pictures(zipped(members), "my.zip")
    np.testing.assert_array_equal(p.pixels, [noise(16, 16, 3, seed=i) for i in range(10, 30)])
    assert note == ""


def test_gray_pictures_saved_as_colour_are_gray():
    members = {f"{i}.png": encoded(noise(16, 16, 1, seed=i).repeat(3, -1)) for i in range(10, 30)}
    assert parse_pictures(zipped(members), "my.zip")[0].shape == (16, 16, 1)


def test_one_colour_picture_makes_all_colour():
    p, _ = parse_pictures(zipped({**gallery(), "z.png": encoded(noise(28, 28, 3, seed=99))}), "my.zip")
    assert p.shape == (28, 28, 3)
    for c in range(3):
        np.testing.assert_array_equal(p.pixels[0, ..., c], noise(28, 28, seed=0))
    np.testing.assert_array_equal(p.pixels[-1], noise(28, 28, 3, seed=99))


@pytest.mark.parametrize("suffix", ["jpg", "JPEG", "Jpg"])
def test_jpeg(suffix):
    ramp = np.add.outer(np.arange(32), np.arange(32)).astype(np.uint8)
    members = {f"{i}.{suffix}": encoded(ramp + i, "JPEG", quality=95) for i in range(N)}
    p, _ = parse_pictures(zipped(members), "my.zip")
    order = sorted(range(N), key=lambda i: f"{i}.")
    assert np.abs(p.pixels[..., 0].astype(int) - [ramp + i for i in order]).max() < 8


def test_a_photo_is_turned_upright():
    wide = np.zeros((16, 16), np.uint8)
    wide[:, :8] = 255
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned: rotate by 90 degrees, left becomes top
    members = {f"{i}.jpg": encoded(wide, "JPEG", exif=exif, quality=95) for i in range(N)}
    p, _ = parse_pictures(zipped(members), "my.zip")
    assert p.pixels[:, :6].min() > 200 and p.pixels[:, 10:].max() < 50


def test_all_kinds_of_png():
    x = noise(16, 16)
    x[0, 0], x[0, 1] = 0, 255
    clear = np.full((16, 16, 4), 255, np.uint8)
    clear[..., :3], clear[8:, :, 3] = x[..., None], 0
    kinds = {
        "16 bits": (encoded(x.astype(np.uint16) * 257), x),
        "1 bit": (encoded(Image.fromarray(x).convert("1", dither=Image.Dither.NONE)), np.where(x > 127, 255, 0)),
        "palette": (encoded(Image.fromarray(x).convert("P")), x),
        "gray and alpha": (encoded(Image.fromarray(x).convert("LA")), x),
        "transparent": (encoded(clear), np.where(np.arange(16)[:, None] < 8, x, 255)),
    }
    for name, (content, expected) in kinds.items():
        p, _ = parse_pictures(zipped({f"{i}.png": content for i in range(N)}), "my.zip")
        assert p.shape == (16, 16, 1), name
        assert np.abs(p.pixels[0, ..., 0].astype(int) - expected).max() <= 1, name


def test_pictures_are_cut_and_reduced():
    p, note = parse_pictures(zipped(gallery(shape=(70, 100))), "my.zip")
    assert p.pixels.shape == (N, 64, 64, 1)
    assert note == "Images are cropped to the central square and resized to 64 x 64."
    middle = Image.fromarray(noise(70, 100, seed=3)[:, 15:85]).resize((64, 64), Image.Resampling.BILINEAR)
    assert np.abs(p.pixels[3, ..., 0].astype(int) - np.asarray(middle)).max() <= 1


def test_mixed_sizes_all_become_64():
    members = {**gallery(10, (28, 28), folder="a"), **gallery(10, (40, 30), folder="b")}
    p, note = parse_pictures(zipped(members), "my.zip")
    assert p.pixels.shape == (20, 64, 64, 1)
    assert note == "Images are cropped to the central square and resized to 64 x 64."
    expected = resizing.resize(noise(28, 28, seed=2)[None, ..., None], 64)[0]
    np.testing.assert_array_equal(p.pixels[2], expected)


def test_equal_squares_of_pictures_of_mixed_sizes_stay():
    members = {**gallery(10, (30, 40), folder="a"), **gallery(10, (50, 30), folder="b")}
    p, note = parse_pictures(zipped(members), "my.zip")
    assert p.shape == (30, 30, 1) and note == "Images are cropped to the central square."


def test_folders_are_classes():
    members = {
        **gallery(3, folder="set/10/"),
        **gallery(8, folder="set/9/"),
        **gallery(6, folder="more/dog/"),
        **gallery(4, folder="set/dog/"),
    }
    p, note = parse_pictures(zipped({"set/": b"", **members}), "my.zip")
    assert p.class_names == ("9", "10", "dog") and p.labels.dtype == np.int32 and note == ""
    assert np.bincount(p.labels).tolist() == [8, 3, 10]
    for i, path in enumerate(sorted(members)):
        assert p.class_names[p.labels[i]] == path.split("/")[1]
        np.testing.assert_array_equal(p.pixels[i, ..., 0], noise(28, 28, seed=int(path.split("/")[2][:3])))


@pytest.mark.parametrize(
    "folders",
    [["a/"], ["a/", ""], [""]],
    ids=["one folder", "some without", "none"],
)
def test_folders_that_are_no_classes(folders):
    members = {f"{folder}{i}.png": encoded(noise(8, 8)) for folder in folders for i in range(17)}
    p, _ = parse_pictures(zipped(members), "my.zip")
    assert p.labels is None and p.class_names == () and len(p) == len(members)


def test_of_more_folders_than_a_hundred_the_largest_are_classes():
    members = {f"{i:03d}/{j}.png": encoded(noise(8, 8)) for i in range(103) for j in range(3 if i in (7, 9, 11) else 4)}
    p, note = parse_pictures(zipped(members), "my.zip")
    assert len(p) == 400 and len(p.class_names) == 100 and not {"007", "009", "011"}.intersection(p.class_names)
    assert note == "103 classes; the 100 largest are used, 9 images are left out. Images are resized"[: len(note)]


def test_what_is_no_picture_is_left_out_and_counted():
    members = {
        **gallery(),
        "readme.txt": b"hello",
        "data.csv": b"1,2",
        "__MACOSX/._000.png": b"resource fork",
        ".DS_Store": b"",
        ".hidden/a.png": b"",
        "a/.b.png": b"",
        "broken.png": b"no picture",
        "cut.png": encoded(noise(28, 28))[:300],
        "gif.png": encoded(noise(28, 28), "GIF"),
        "dot.png": encoded(noise(1, 1)),
        "thin.png": encoded(noise(7, 50)),
    }
    p, note = parse_pictures(zipped(members), "my.zip")
    assert len(p) == N + 1 and p.shape == (28, 28, 1)  # gif.png is a GIF, which is read, too
    assert note == (
        "Skipped: 2 that cannot be decoded, 2 under 8 or over 5,000 pixels wide or high, 2 that are no images."
    )


def test_labels_stay_with_their_pictures_when_some_are_left_out():
    members = {**gallery(10, folder="a/"), **gallery(10, folder="b/"), "a/005.png": b"", "c/x.png": b"broken"}
    p, note = parse_pictures(zipped(members), "my.zip")
    assert p.class_names == ("a", "b") and p.labels.tolist() == [0] * 9 + [1] * 10 and "2 that cannot" in note


def test_of_too_many_pictures_a_sample_is_taken(monkeypatch):
    monkeypatch.setattr(image_rules, "MOST_PICTURES", 20)
    content = zipped({**gallery(30, folder="a/"), **gallery(30, folder="b/")})
    p, note = parse_pictures(content, "my.zip")
    assert len(p) == len(p.labels) == 20 and note == "60 images; a random 20 of them are used."
    assert set(p.labels) == {0, 1}
    np.testing.assert_array_equal(p.pixels, parse_pictures(content, "my.zip")[0].pixels)


# -- bad zips -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path", ["/etc/a.png", "../a.png", "a/../../b.png", "a\\..\\b.png", "C:\\a.png", "..", "/readme.txt"]
)
@pytest.mark.parametrize("name", ["my.zip", "my.npz"])
def test_paths_that_point_outside_are_refused(path, name):
    members = {**gallery(), **{"x.npy": npy(noise(N, 8, 8))}, path: b"x"}
    refused(zipped(members), "points outside", path.replace("\\", "\\\\"), name=name)


def test_dots_within_a_name_are_fine():
    assert len(parse_pictures(zipped(gallery(folder="a..b/c...")), "my.zip")[0]) == N


def encrypted(content):
    """The same zip with every member marked as encrypted."""
    content = bytearray(content)
    for mark, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        start = content.find(mark)
        while start >= 0:
            content[start + at] |= 1
            start = content.find(mark, start + 4)
    return bytes(content)


@pytest.mark.parametrize("compression", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_compressions_are_refused(compression):
    refused(zipped(gallery(), compression), "a method other than deflate", name="my.zip")


BAD_ZIPS = {
    "empty": (b"", ["is empty"]),
    "junk": (random.Random(1).randbytes(5000), ["damaged"]),
    "a picture": (encoded(noise(28, 28)), ["damaged"]),
    "truncated": (zipped(gallery())[:-50], ["damaged"]),
    "no entries": (zipped({}), ["has no images"]),
    "only hidden ones": (zipped(gallery(folder="__MACOSX/")), ["has no images"]),
    "few": (zipped(gallery(15)), ["only 15 usable images."]),
    "one": (zipped(gallery(1)), ["only 1 usable image."]),
    "few that decode": (
        zipped({**gallery(15), **{f"b{i}.png": b"junk" for i in range(9)}}),
        ["only 15 usable images (skipped: 9 that cannot be decoded)"],
    ),
    "none that decodes": (zipped({f"{i}.jpg": b"junk" for i in range(20)}), ["no usable image", "20 that cannot"]),
    "1 x 1": (zipped(gallery(20, (1, 1))), ["no usable image", "20 under 8"]),
    "7 x 100": (zipped(gallery(20, (7, 100))), ["no usable image", "20 under 8"]),
    "constant": (
        zipped({f"{i}.png": encoded(np.full((9, 9), 3, np.uint8)) for i in range(20)}),
        ["the same single colour"],
    ),
    "encrypted": (encrypted(zipped(gallery())), ["is encrypted"]),
}


@pytest.mark.parametrize(("content", "words"), BAD_ZIPS.values(), ids=BAD_ZIPS.keys())
def test_bad_zips_are_refused(content, words):
    refused(content, *words, name="my.zip")


def test_encrypted_arrays_are_refused():
    refused(encrypted(npz(x=noise(N, 8, 8))), "is encrypted")


def test_whatever_is_damaged_there_is_an_answer(nothing_is_run, tmp_path, monkeypatch):
    """Bytes changed, cut out, put in and doubled at random: pictures or a sentence, never another exception."""
    monkeypatch.setenv("TRAP", str(tmp_path / "sprung"))
    whole = [
        ("a.zip", zipped(gallery(), zipfile.ZIP_DEFLATED)),
        ("a.zip", zipped(gallery())),
        ("a.npz", npz(True, x=noise(N, 9, 9), y=np.arange(N))),
        ("a.npz", npz(x=noise(N, 9, 9), y=np.array([Trap()] * N, object))),
    ]
    outcomes = {"pictures": 0, "refused": 0}
    for seed in range(1_000):
        source = random.Random(seed)
        name, content = source.choice(whole)
        damaged = bytearray(content)
        for _ in range(source.choice([1, 5, 50])):
            at = source.randrange(len(damaged))
            if source.random() < 0.8:
                damaged[at] = source.randrange(256)
            else:
                damaged[at : at + source.randrange(30)] = source.choice(
                    [b"", source.randbytes(9), damaged[at : at + 200] * 2]
                )
        try:
            p, _ = parse_pictures(bytes(damaged), source.choice([name, name, name, "a.npz", "a.zip"]))
        except ConfigError as error:
            outcomes["refused"] += 1
            assert str(error).endswith((".", "?")) and len(str(error)) < 500
            continue
        outcomes["pictures"] += 1
        assert p.pixels.dtype == np.uint8 and p.pixels.ndim == 4 and len(p) >= LEAST_PICTURES
    assert min(outcomes.values()) > 100, outcomes
    assert not (tmp_path / "sprung").exists()
