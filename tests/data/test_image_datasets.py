"""The data sets of images: their files, their classes and sizes, and what is said of a file that will not do."""

import io
import math
import os
import pickle
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gan_core.data import image_datasets, image_sources, resizing
from gan_core.data.image_sources import MissingFile
from gan_core.data.pictures import Pictures
from gan_core.foundations.files import cache_folder, keras_folder
from gan_core.foundations.hyperparameters import ConfigError

TRAIN, TEST = 300, 60


def arrays(shape=(28, 28), train=TRAIN, test=TEST, column=False, seed=0):
    """The four arrays of a known file; the first three pixels of an image give its class, its number and its part."""
    rng = np.random.default_rng(seed)
    out = {}
    for p, (part, count) in enumerate((("train", train), ("test", test))):
        x = rng.integers(0, 256, (count, *shape), dtype=np.uint8)
        y = rng.integers(0, 10, count).astype(np.uint8)
        flat = x.reshape(count, math.prod(shape))
        flat[:, 0], flat[:, 1], flat[:, 2] = y, np.arange(count) % 256, p
        out[f"x_{part}"], out[f"y_{part}"] = x, y[:, None] if column else y
    return out


@pytest.fixture(autouse=True)
def folders(tmp_path, monkeypatch):
    """Empty folders in place of all three in which files are looked for."""
    for variable, name in (("GANSCOPE_DATA", "data"), ("KERAS_HOME", "keras"), ("GANSCOPE_CACHE", "cache")):
        (tmp_path / name).mkdir()
        monkeypatch.setenv(variable, str(tmp_path / name))
    (tmp_path / "keras" / "datasets").mkdir()
    return tmp_path


@pytest.fixture
def files(folders):
    """All three known sets, in small; returns their arrays."""
    made = {"mnist": arrays(), "fashion_mnist": arrays(seed=1), "cifar10": arrays((32, 32, 3), column=True)}
    for name, content in made.items():
        np.savez(folders / "data" / f"{name}.npz", **content)
    return made


def rng(seed=0):
    return np.random.default_rng(seed)


# -- values -------------------------------------------------------------------------------------------------


def test_every_value_survives_training_units():
    every = np.arange(256, dtype=np.uint8).reshape(1, 16, 16, 1)
    p = Pictures(every)
    unit = p.to_unit(every)
    assert unit.dtype == np.float32 and unit.min() == -1 and unit.max() == 1
    np.testing.assert_array_equal(p.from_unit(unit), every)
    assert every.dtype == np.uint8 and every.max() == 255  # untouched


def test_values_out_of_range_are_clipped_and_rounded():
    back = Pictures(np.zeros((1, 8, 8, 1), np.uint8)).from_unit(
        np.array([-np.inf, -7, -0.999, 0, 0.999, 7, np.inf, np.nan])
    )
    assert back.dtype == np.uint8
    assert back.tolist() == [0, 0, 0, 128, 255, 255, 255, 128]


def test_what_a_data_set_tells_of_itself():
    p = Pictures(np.zeros((5, 28, 20, 3), np.uint8))
    assert (len(p), p.shape, p.kind, p.array is p.pixels) == (5, (28, 20, 3), "images", True)


def test_nothing_heavy_is_imported():
    code = (
        "import sys, gan_core.data.image_datasets, gan_core.data.own_images.image_files, gan_core.data.download;"
        "print([m for m in ('tensorflow', 'keras', 'streamlit', 'sklearn') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "[]", done.stderr


# -- resizing -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("old", "new"), [(28, 64), (32, 64), (32, 28), (64, 28), (100, 64), (9, 64), (28, 32)])
@pytest.mark.parametrize("channels", [1, 3])
def test_resizing_agrees_with_pillow(old, new, channels):
    images = rng().integers(0, 256, (7, old, old, channels), dtype=np.uint8)
    mine = resizing.resize(images, new)
    assert mine.shape == (7, new, new, channels) and mine.dtype == np.uint8
    for image, got in zip(images, mine, strict=True):
        theirs = Image.fromarray(image.squeeze()).resize((new, new), Image.Resampling.BILINEAR)
        expected = np.asarray(theirs).reshape(new, new, channels).astype(int)
        assert np.abs(got.astype(int) - expected).max() <= 1


def test_resizing_many_at_once_is_resizing_each(monkeypatch):
    images = rng().integers(0, 256, (3000, 28, 28, 1), dtype=np.uint8)  # more than one step
    whole = resizing.resize(images, 64)
    for i in (0, 1500, 2999):
        np.testing.assert_array_equal(whole[i], resizing.resize(images[i : i + 1], 64)[0])
    assert resizing.resize(images, 28) is images


# -- digits -------------------------------------------------------------------------------------------------


def test_digits_come_with_scikit_learn():
    p = image_datasets.digits(10_000, rng())
    assert p.pixels.shape == (1500, 28, 28, 1) and p.test_pixels.shape == (297, 28, 28, 1)
    assert p.pixels.dtype == np.uint8 and p.labels.dtype == np.int32
    assert p.class_names == tuple("0123456789") and sorted(set(p.labels)) == list(range(10))
    assert p.pixels.max() == 255 and p.pixels[:, :3].max() == 0 and p.pixels[:, :, -3:].max() == 0  # a black margin
    from sklearn.datasets import load_digits

    small = load_digits()
    np.testing.assert_array_equal(np.concatenate([p.labels, p.test_labels]), small.target)
    reduced = resizing.resize(p.pixels[:, 4:24, 4:24], 8)[..., 0].reshape(1500, -1).astype(float)
    for i in range(0, 1500, 100):
        assert np.corrcoef(reduced[i], small.data[i])[0, 1] > 0.9


def test_a_classifier_tells_the_enlarged_digits_apart():
    p = image_datasets.digits(10_000, rng())
    mean = np.stack([p.pixels[p.labels == c].mean(0) for c in range(10)])
    distance = ((p.test_pixels[:, None].astype(np.float32) - mean) ** 2).sum((2, 3, 4))
    assert (distance.argmin(1) == p.test_labels).mean() > 0.8


# -- known files --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["mnist", "fashion_mnist", "cifar10"])
def test_a_file_comes_as_it_is(name, files):
    p = getattr(image_datasets, name)(10_000, rng())
    content, shape = files[name], (32, 32, 3) if name == "cifar10" else (28, 28, 1)
    np.testing.assert_array_equal(p.pixels, content["x_train"].reshape(-1, *shape))
    np.testing.assert_array_equal(p.test_pixels, content["x_test"].reshape(-1, *shape))
    np.testing.assert_array_equal(p.labels, content["y_train"].ravel())
    np.testing.assert_array_equal(p.test_labels, content["y_test"].ravel())
    assert p.labels.dtype == p.test_labels.dtype == np.int32
    assert len(p.class_names) == 10 and not p.per_channel


def test_two_runs_share_the_file(files):
    one, two = image_datasets.mnist(10_000, rng()), image_datasets.mnist(TRAIN, rng(1))
    assert np.shares_memory(one.pixels, two.pixels)
    with pytest.raises(ValueError):  # and neither can change it for the other
        one.pixels[0] = 0


def test_a_replaced_file_is_read_again(files, folders):
    before = image_datasets.mnist(10_000, rng()).pixels
    np.savez(folders / "data" / "mnist.npz", **arrays(train=200, seed=9))
    assert len(image_datasets.mnist(10_000, rng())) == 200 and len(before) == TRAIN


def test_fewer_are_a_random_part_without_doubles(files):
    p, again, other = (
        image_datasets.mnist(100, rng()),
        image_datasets.mnist(100, rng()),
        image_datasets.mnist(100, rng(1)),
    )
    numbers = [tuple(image.ravel()) for image in p.pixels]
    assert len(p) == len(p.labels) == 100 == len(set(numbers))
    np.testing.assert_array_equal(p.pixels[:, 0, 0, 0], p.labels)  # labels stay with their images
    np.testing.assert_array_equal(p.pixels, again.pixels)
    assert not np.array_equal(p.pixels, other.pixels)
    assert len(p.test_pixels) == TEST
    assert (p.pixels[:, 0, 2, 0] == 0).all() and (p.test_pixels[:, 0, 2, 0] == 1).all()  # the parts do not mix


SETS = ["digits", "mnist", "fashion_mnist", "mnist_rgb", "stacked_mnist", "cifar10"]


@pytest.mark.parametrize("size", ["native", "28", "32", "48", "64"])
@pytest.mark.parametrize("name", SETS)
def test_sizes(name, size, files):
    p = getattr(image_datasets, name)(50, rng(), size)
    side = int(size) if size != "native" else 32 if name == "cifar10" else 28
    channels = 1 if name in ("digits", "mnist", "fashion_mnist") else 3
    assert p.pixels.shape == (50, side, side, channels) and p.pixels.dtype == np.uint8
    assert p.test_pixels.shape[1:] == p.shape and len(p.test_pixels) == len(p.test_labels) > 0
    assert len(p.labels) == 50


@pytest.mark.parametrize(("name", "side", "channels"), [("shapes", 28, 1), ("shapes_rgb", 32, 3)])
def test_shapes_are_what_their_factors_say(name, side, channels):
    factors = {"darkest": 90, "lightest": 200, "smallest": 0.3, "largest": 0.6}
    p = getattr(image_datasets, name)(3_000, rng(), **factors)
    assert p.pixels.shape == (3_000, side, side, channels) and p.class_names == ("circle", "square", "triangle")
    assert len(p.test_pixels) == len(p.test_labels) == 1_000
    assert np.abs(np.bincount(p.labels) / 3_000 - 1 / 3).max() < 0.04
    tones = p.pixels.reshape(3_000, -1, channels).max(1)
    assert 90 <= tones.min() < 95 and 195 < tones.max() <= 200 and np.abs(tones.mean() - 145) < 3
    area = (p.pixels / tones[:, None, None]).sum((1, 2)).mean(1)
    diameter = 2 * np.sqrt(area / np.pi) / side
    for kind, share in ((0, 1), (1, 1), (2, np.sqrt(3 * np.sqrt(3) / 4 / np.pi))):
        some = diameter[p.labels == kind] / share
        assert some.min() > 0.27 and some.max() < 0.62 and abs(some.mean() - 0.45) < 0.02, kind
    edges = [p.pixels[:, 0], p.pixels[:, -1], p.pixels[:, :, 0], p.pixels[:, :, -1]]
    assert max(edge.mean() for edge in edges) < 3  # every shape is whole
    again = getattr(image_datasets, name)(3_000, rng(), **factors)
    np.testing.assert_array_equal(p.pixels, again.pixels)


def test_shapes_of_some_classes_and_another_size():
    factors = {"darkest": 255, "lightest": 255, "smallest": 0.5, "largest": 0.5}
    p = image_datasets.shapes(50, rng(), "48", "2,0", **factors)
    assert p.shape == (48, 48, 1) and p.class_names == ("circle", "triangle") and set(p.labels) == {0, 1}
    area = (p.pixels / 255.0).sum((1, 2, 3))
    assert np.allclose(area[p.labels == 0], np.pi * 12**2, rtol=0.02)  # a circle of radius 12
    assert np.allclose(area[p.labels == 1], 3 * np.sqrt(3) / 4 * 12**2, rtol=0.03)
    assert p.whole.kept == (0, 2) and p.whole.load().pixels.shape == (6_000, 28, 28, 1)
    assert p.whole.native(p.pixels).shape == (50, 28, 28, 1)


def test_from_28_to_32_every_pixel_stays(files):
    small, large = image_datasets.mnist(50, rng()), image_datasets.mnist(50, rng(), "32")
    np.testing.assert_array_equal(large.pixels[:, 2:30, 2:30], small.pixels)
    assert large.pixels[:, :2].max() == large.pixels[:, :, 30:].max() == 0


def test_at_64_a_picture_is_the_same_seen_larger(files):
    small, large = image_datasets.cifar10(50, rng()), image_datasets.cifar10(50, rng(), "64")
    back = resizing.resize(large.pixels, 32).astype(int)
    assert np.corrcoef(back.ravel(), small.pixels.ravel())[0, 1] > 0.8


@pytest.mark.parametrize("size", ["16", "", "native ", "big", "28.0", "٢٨"])
@pytest.mark.parametrize("name", SETS)
def test_a_wrong_size_is_refused(name, size, files):
    with pytest.raises(ConfigError, match="size must be one of native, 28, 32, 48, 64"):
        getattr(image_datasets, name)(50, rng(), size)


# -- classes ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["3,8", " 8 , 3 ", "8,3,3", "03,8"])
@pytest.mark.parametrize("name", ["digits", "mnist", "fashion_mnist", "cifar10"])
def test_only_the_chosen_classes_are_left(name, text, files):
    draw = getattr(image_datasets, name)
    everything, p = draw(10_000, rng()), draw(10_000, rng(), "native", text)
    assert p.class_names == (everything.class_names[3], everything.class_names[8])
    for part in ("", "test_"):
        pixels, labels = getattr(everything, f"{part}pixels"), getattr(everything, f"{part}labels")
        kept = np.isin(labels, [3, 8])
        np.testing.assert_array_equal(getattr(p, f"{part}pixels"), pixels[kept])
        np.testing.assert_array_equal(getattr(p, f"{part}labels"), (labels[kept] == 8).astype(int))
        assert getattr(p, f"{part}labels").dtype == np.int32


def test_classes_and_a_part_of_them(files):
    p = image_datasets.mnist(20, rng(), "native", "2,5,7")
    assert len(p) == 20
    np.testing.assert_array_equal(np.array([2, 5, 7])[p.labels], p.pixels[:, 0, 0, 0])


def test_all_is_every_class(files):
    assert image_datasets.mnist(10_000, rng(), "native", " ALL ").pixels.shape[0] == TRAIN


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("10", "there is no class 10"),
        ("3,12", "there is no class 12"),
        ("9" * 5000, "there is no class 99"),
        ("-1", "got '-1'"),
        ("", "got ''"),
        ("3,,8", "got '3,,8'"),
        ("3;8", "got '3;8'"),
        ("1.0", "got '1.0'"),
        ("seven", "got 'seven'"),
        ("²", "got '²'"),
        ("٣", "got"),
        ("all,3", "got 'all,3'"),
    ],
)
@pytest.mark.parametrize("name", ["digits", "mnist", "mnist_rgb", "stacked_mnist"])
def test_a_wrong_class_is_refused(name, text, words, files):
    with pytest.raises(ConfigError) as caught:
        getattr(image_datasets, name)(50, rng(), "native", text)
    message = str(caught.value)
    assert words in message and "class numbers from 0 to 9" in message and len(message) < 300


@pytest.mark.parametrize("name", ["mnist", "mnist_rgb", "stacked_mnist"])
def test_too_few_of_a_class(name, folders):
    content = arrays()
    content["y_train"] = np.where(np.arange(TRAIN) < 15, 4, 5).astype(np.uint8)
    np.savez(folders / "data" / "mnist.npz", **content)
    with pytest.raises(ConfigError, match="'4' leaves 15 images; training needs 16 or more"):
        getattr(image_datasets, name)(50, rng(), "native", "4")
    assert len(getattr(image_datasets, name)(50, rng(), "native", "5")) == 50


def test_a_file_of_too_few_images(folders):
    np.savez(folders / "data" / "mnist.npz", **arrays(train=15))
    with pytest.raises(ConfigError, match="leaves 15 images"):
        image_datasets.mnist(50, rng())


# -- coloured and stacked digits ----------------------------------------------------------------------------


def test_every_coloured_digit_is_the_gray_one_in_one_bright_colour(files):
    gray, coloured = image_datasets.mnist(10_000, rng()), image_datasets.mnist_rgb(10_000, rng())
    np.testing.assert_array_equal(coloured.pixels.max(-1), gray.pixels[..., 0])  # full value: the gray is kept
    np.testing.assert_array_equal(coloured.labels, gray.labels)
    x = gray.pixels.reshape(TRAIN, -1).astype(float)
    tints = []
    for c in range(3):
        y = coloured.pixels[..., c].reshape(TRAIN, -1).astype(float)
        tint = (x * y).sum(1) / (x * x).sum(1)
        assert np.abs(y - tint[:, None] * x).max() < 1  # one factor for the whole image
        tints.append(tint)
    tints = np.stack(tints, 1)
    assert (tints.min(1) <= 0.51).all() and len(np.unique(tints.round(3), axis=0)) == TRAIN
    assert (np.bincount(tints.argmax(1), minlength=3) > TRAIN / 6).all()  # of every hue


def test_a_digit_has_its_colour_in_every_run(files):
    everything = image_datasets.mnist_rgb(10_000, rng())
    of = {image.max(-1).tobytes(): image.tobytes() for image in everything.pixels}
    for p in (image_datasets.mnist_rgb(40, rng(3)), image_datasets.mnist_rgb(10_000, rng(4), "native", "1,6")):
        assert len(p) >= 16
        for image in p.pixels:
            assert of[image.max(-1).tobytes()] == image.tobytes()


def test_stacked_digits(files):
    p, gray = image_datasets.stacked_mnist(500, rng()), image_datasets.mnist(10_000, rng())
    assert p.pixels.shape == (500, 28, 28, 3) and p.per_channel
    assert p.class_names[0] == "000" and p.class_names[999] == "999" and len(p.class_names) == 1000
    for part in ("", "test_"):
        digit = {
            image.tobytes(): label
            for image, label in zip(getattr(gray, f"{part}pixels"), getattr(gray, f"{part}labels"), strict=True)
        }
        for stack, label in zip(getattr(p, f"{part}pixels"), getattr(p, f"{part}labels"), strict=True):
            found = [digit[stack[..., c].tobytes()] for c in range(3)]
            assert label == 100 * found[0] + 10 * found[1] + found[2]
    assert len(p.test_pixels) == TEST
    assert len(np.unique(p.labels)) > 250  # the three are drawn apart from each other


def test_stacks_are_the_same_of_the_same_seed_at_every_size(files):
    one, two, other = (image_datasets.stacked_mnist(60, rng(s)) for s in (0, 0, 1))
    np.testing.assert_array_equal(one.pixels, two.pixels)
    np.testing.assert_array_equal(one.test_pixels, two.test_pixels)
    assert not np.array_equal(one.labels, other.labels)
    large = image_datasets.stacked_mnist(60, rng(), "32")
    np.testing.assert_array_equal(large.pixels[:, 2:30, 2:30], one.pixels)
    np.testing.assert_array_equal(large.labels, one.labels)


def test_stacks_of_some_digits(files):
    p = image_datasets.stacked_mnist(100, rng(), "native", "3,8")
    assert set("".join(p.class_names[i] for i in p.labels)) == {"3", "8"} and len(p.class_names) == 1000
    assert set("".join(p.class_names[i] for i in p.test_labels)) == {"3", "8"}


def test_stacks_without_held_out_digits(folders):
    np.savez(folders / "data" / "mnist.npz", **arrays(test=0))
    p = image_datasets.stacked_mnist(20, rng(), "32")
    assert p.test_pixels.shape == (0, 32, 32, 3) and p.test_labels.shape == (0,)
    assert image_datasets.mnist(20, rng(), "64").test_pixels.shape == (0, 64, 64, 1)


# -- the user's own -----------------------------------------------------------------------------------------


def upload(side, n=40, channels=3, labelled=True):
    pixels = rng().integers(0, 256, (n, side, side, channels), dtype=np.uint8)
    labels = (np.arange(n, dtype=np.int32) % 2) if labelled else None
    pixels[:, 0, 0, 0] = np.arange(n)
    return Pictures(pixels, labels, ("cat", "dog") if labelled else ())


@pytest.mark.parametrize(
    ("side", "size", "expected"),
    [(28, "native", 28), (32, "native", 32), (64, "native", 64), (40, "native", 28), (8, "native", 28), (64, "32", 32)],
)
def test_sizes_of_the_users_own(side, size, expected):
    p = image_datasets.from_upload(upload(side), 100, rng(), size)
    assert p.pixels.shape == (40, expected, expected, 3) and p.pixels.dtype == np.uint8
    assert p.test_pixels is None


def test_the_users_own_at_their_size_are_no_copy():
    mine = upload(32)
    assert image_datasets.from_upload(mine, 100, rng()).pixels is mine.pixels


def test_classes_of_the_users_own():
    p = image_datasets.from_upload(upload(28), 10, rng(), "native", "1")
    assert p.class_names == ("dog",) and (p.labels == 0).all() and len(p) == 10
    assert (p.pixels[:, 0, 0, 0] % 2 == 1).all()
    with pytest.raises(ConfigError, match="no class 2"):
        image_datasets.from_upload(upload(28), 10, rng(), "native", "2")


def test_without_labels_there_is_no_choice():
    bare = upload(28, labelled=False)
    assert image_datasets.from_upload(bare, 20, rng()).labels is None
    with pytest.raises(ConfigError, match="these images have no classes"):
        image_datasets.from_upload(bare, 20, rng(), "native", "0")


# -- finding files ------------------------------------------------------------------------------------------


def test_files_are_found_in_order(folders):
    places = [
        folders / "data" / "mnist.npz",
        folders / "keras" / "datasets" / "mnist.npz",
        folders / "cache" / "mnist.npz",
    ]
    assert image_sources.find_file("mnist") is None
    for place in reversed(places):
        place.write_bytes(b"")
        assert image_sources.find_file("mnist") == place
    assert image_sources.find_file("cifar10") is None


def test_without_variables_the_home_folder_is_meant(folders, monkeypatch):
    for variable in ("GANSCOPE_DATA", "KERAS_HOME", "GANSCOPE_CACHE"):
        monkeypatch.setenv(variable, "")
    monkeypatch.setenv("HOME", str(folders))
    assert cache_folder() == folders / ".cache" / "ganscope"
    assert keras_folder() == folders / ".keras" / "datasets"
    (folders / ".keras" / "datasets").mkdir(parents=True)
    (folders / ".keras" / "datasets" / "mnist.npz").write_bytes(b"")
    assert image_sources.find_file("mnist") == folders / ".keras" / "datasets" / "mnist.npz"


@pytest.mark.parametrize("what", ["absent", "a file"])
def test_a_folder_that_is_none(what, folders, monkeypatch):
    place = folders / "nowhere"
    if what == "a file":
        place.write_bytes(b"")
    monkeypatch.setenv("GANSCOPE_DATA", str(place))
    with pytest.raises(ConfigError, match="GANSCOPE_DATA must name a folder that exists"):
        image_datasets.mnist(50, rng())


@pytest.mark.parametrize("name", ["mnist", "fashion_mnist", "cifar10"])
def test_a_missing_file_says_where_to_put_it(name):
    with pytest.raises(MissingFile) as caught:
        getattr(image_datasets, name)(50, rng())
    message = str(caught.value)
    assert caught.value.name == name and isinstance(caught.value, ConfigError)
    for word in (f"{name} is not on this machine", f"{name}.npz", "GANSCOPE_DATA", "~/.keras/datasets", "https://"):
        assert word in message
    assert str(pickle.loads(pickle.dumps(caught.value))) == message


@pytest.mark.parametrize("name", ["mnist_rgb", "stacked_mnist"])
def test_sets_made_of_mnist_miss_mnist(name):
    with pytest.raises(MissingFile) as caught:
        getattr(image_datasets, name)(50, rng())
    assert caught.value.name == "mnist"


# -- bad files ----------------------------------------------------------------------------------------------


def npz(**content):
    out = io.BytesIO()
    np.savez(out, **content)
    return out.getvalue()


def npy(array):
    out = io.BytesIO()
    np.save(out, array)
    return out.getvalue()


class Trap:
    """Unpickled, it would write a file."""

    def __reduce__(self):
        return open, (os.environ["TRAP"], "w")


def with_member(member, content):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for key, array in arrays().items():
            archive.writestr(f"{key}.npy", content if key == member else npy(array))
    return out.getvalue()


def huge_header():
    """x_train claims a hundred thousand times what is there."""
    small = npy(np.zeros((300, 28, 28), np.uint8))
    return with_member("x_train", small.replace(b"(300, 28, 28), }      ", b"(30000000, 28, 28), } "))


BAD = {
    "empty": (lambda: b"", "cannot be read"),
    "junk": (lambda: bytes(range(256)) * 40, "cannot be read"),
    "a web page": (lambda: b"<!DOCTYPE html><html>404</html>", "cannot be read"),
    "a lone array": (lambda: npy(np.zeros((20, 28, 28), np.uint8)), "cannot be read"),
    "truncated": (lambda: npz(**arrays())[:-3000], "cannot be read"),
    "a pickle": (lambda: pickle.dumps(Trap()), "cannot be read"),
    "Python objects": (lambda: npz(**{**arrays(), "x_train": np.array([Trap()], object)}), "cannot be read"),
    "no test": (lambda: npz(x_train=arrays()["x_train"], y_train=arrays()["y_train"]), "no x_test and no y_test"),
    "float": (lambda: npz(**{**arrays(), "x_train": np.zeros((300, 28, 28))}), "x_train of float64"),
    "wrong side": (lambda: npz(**arrays((32, 32))), "shape (300, 32, 32)"),
    "cifar10's": (lambda: npz(**arrays((32, 32, 3))), "shape (300, 32, 32, 3)"),
    "flat": (lambda: npz(**arrays((784,))), "shape (300, 784)"),
    "lengths": (lambda: npz(**{**arrays(), "y_train": np.zeros(299, np.uint8)}), "y_train of shape (299,)"),
    "one-hot": (lambda: npz(**{**arrays(), "y_test": np.zeros((60, 10), np.uint8)}), "y_test of shape (60, 10)"),
    "class 10": (lambda: npz(**{**arrays(), "y_test": np.full(60, 10, np.uint8)}), "other classes"),
    "class -1": (lambda: npz(**{**arrays(), "y_train": np.full(300, -1)}), "other classes"),
    "float classes": (lambda: npz(**{**arrays(), "y_train": np.zeros(300)}), "other classes"),
    "damaged": (lambda: npz(**arrays()).replace(arrays()["x_train"].tobytes()[:50], bytes(50)), "cannot be read"),
    "claims more": (huge_header, "cannot be read"),
}


@pytest.mark.parametrize(("make", "words"), BAD.values(), ids=BAD.keys())
def test_a_bad_file_is_refused_and_left_as_it_is(make, words, folders, monkeypatch):
    trap = folders / "sprung"
    monkeypatch.setenv("TRAP", str(trap))
    place, content = folders / "keras" / "datasets" / "mnist.npz", make()
    assert len(content) == 0 or content != npz(**arrays())
    place.write_bytes(content)
    os.utime(place, ns=(10**18, 10**18))
    with pytest.raises(ConfigError) as caught:
        image_datasets.mnist(50, rng())
    message = str(caught.value)
    assert words in message and str(place) in message and "Expected" in message and "N x 28 x 28" in message
    assert not isinstance(caught.value, MissingFile)
    assert place.read_bytes() == content and place.stat().st_mtime_ns == 10**18
    assert not trap.exists()
    assert [p.name for p in Path(folders / "keras" / "datasets").iterdir()] == ["mnist.npz"]


def test_cifar10_says_its_own_shape(folders):
    np.savez(folders / "data" / "cifar10.npz", **arrays())
    with pytest.raises(ConfigError, match="N x 32 x 32 x 3"):
        image_datasets.cifar10(50, rng())


def test_what_is_left_out_of_ones_own_pictures_is_kept_to_be_judged_and_changes_nothing():
    mine = upload(28)
    some = image_datasets.from_upload(mine, 20, rng())
    left, labels = some.never_trained
    assert some.test_pixels is None and len(left) == min(len(mine.pixels) - 20, image_datasets.LEFT) == len(labels)
    trained, kept = {p.tobytes() for p in some.pixels}, {p.tobytes() for p in left}
    assert not trained & kept and kept <= {p.tobytes() for p in mine.pixels}
    assert len(image_datasets.from_upload(mine, 1_000, rng()).never_trained[0]) == 0
    digits = image_datasets.digits(20, rng())
    assert digits.never_trained[0] is digits.test_pixels and digits.left_pixels is None
