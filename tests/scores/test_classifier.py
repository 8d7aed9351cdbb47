"""The classifier: that it learns, that it comes back from the cache as it was, and that it can be stopped."""

import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

from gan_core.data import image_datasets
from gan_core.data.pictures import Pictures
from gan_core.scores import classifier, classifier_cache, image_metrics, image_scores


def quadrants(n: int, seed: int = 0, side: int = 12, channels: int = 1):
    """Noise images with one bright quadrant, which is the class, 0 to 3."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 4, n).astype(np.int32)
    pixels = rng.integers(0, 120, (n, side, side, channels)).astype(np.uint8)
    half = side // 2
    for image, label in zip(pixels, labels, strict=True):
        top, left = half * (label // 2), half * (label % 2)
        image[top : top + half, left : left + half] += 80
    return Pictures(pixels, labels, tuple("abcd"))


def stacks(n: int, seed: int = 0):
    """Three single images of classes 0 to 3, one in each channel; the label has their classes as its digits."""
    single = quadrants(3 * n, seed)
    pixels = single.pixels[..., 0].reshape(n, 3, 12, 12).transpose(0, 2, 3, 1)
    labels = (single.labels.reshape(n, 3) @ [100, 10, 1]).astype(np.int32)
    return Pictures(pixels, labels, image_datasets.STACK_NAMES, per_channel=True)


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty cache folder, and few steps of training."""
    monkeypatch.setenv("GANSCOPE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(classifier, "STEPS", (60, 60))
    return tmp_path / "cache"


def files(cache):
    """The classifiers in the cache."""
    return sorted(cache.glob("classifier-*"))


def never(text):
    pytest.fail(f"trained, though the cache had it: {text}")


def same(a, b) -> bool:
    return a.key == b.key and all(np.array_equal(x, y) for x, y in zip(a.weights, b.weights, strict=True))


# -- learning -----------------------------------------------------------------------------------------------


def test_it_learns_easy_images_and_comes_identical_from_the_cache(cache):
    data, said = quadrants(400), []
    first = classifier.trained(data, said.append)
    assert first.accuracy > 0.95
    assert said == [f"training the classifier: step 60 of 60, loss {said[0].split()[-1]}"]
    (file,) = files(cache)
    assert file.name == f"classifier-{first.key[:16]}.npz"

    second = classifier.trained(data, never)
    assert same(first, second) and second.accuracy == first.accuracy
    for a, b in zip(first.predict(data.pixels), second.predict(data.pixels), strict=True):
        np.testing.assert_array_equal(a, b)
    fresh = quadrants(200, seed=1)
    assert (second.predict(fresh.pixels)[1].argmax(1) == fresh.labels).mean() > 0.95


def test_it_learns_real_digits_in_few_steps(cache, monkeypatch):
    monkeypatch.setattr(classifier, "STEPS", (150, 150))
    data = image_datasets.digits(1_500, np.random.default_rng(0))
    assert classifier.trained(data).accuracy > 0.85


def test_training_is_repeatable_and_leaves_the_global_seed_alone(cache):
    data = quadrants(200)
    np.random.seed(3)
    expected = np.random.RandomState(3).random()
    first = classifier.trained(data)
    assert np.random.random() == expected
    files(cache)[0].unlink()
    assert same(first, classifier.trained(data))


def test_the_accuracy_is_of_the_test_images_where_there_are_some(cache):
    test = quadrants(100, seed=1)
    data = replace(quadrants(400), test_pixels=test.pixels, test_labels=(test.labels + 1) % 4)  # all wrong
    assert classifier.trained(data).accuracy < 0.05


def test_without_test_images_a_tenth_of_the_images_is_held_out_of_training(cache, monkeypatch):
    seen = {}

    def train(x, y, classes, seed, say, stopped):
        seen.update(x=x, y=y)
        return classifier._initial(x.shape[1:], classes, np.random.default_rng(0))

    monkeypatch.setattr(classifier, "_train", train)
    data = quadrants(50)
    accuracy = classifier.trained(data).accuracy
    assert len(seen["x"]) == len(seen["y"]) == 45
    assert accuracy * 5 == pytest.approx(round(accuracy * 5))
    kept = {x.tobytes() for x in seen["x"]}
    assert len(kept) == 45 and kept < {x.tobytes() for x in data.pixels}


def test_the_number_of_steps_is_bounded(cache, monkeypatch):
    monkeypatch.setattr(classifier, "STEPS", (3, 5))
    for n, steps in ((10, 3), (30, 4), (400, 5)):
        said = []
        classifier.trained(quadrants(n), said.append)
        assert f" of {steps}," in said[-1]


@pytest.mark.parametrize("side, channels", [(9, 3), (28, 1), (50, 3), (64, 3)])
def test_sizes_and_channels(cache, monkeypatch, side, channels):
    monkeypatch.setattr(classifier, "STEPS", (2, 2))
    data = quadrants(20, side=side, channels=channels)
    features, probabilities = classifier.trained(data).predict(data.pixels)
    assert features.shape == (20, classifier.FEATURES) and probabilities.shape == (20, 4)
    assert classifier.trained(data, never).channels == channels


def test_large_images_are_averaged_down():
    image = np.zeros((1, 64, 67, 1), np.uint8)
    image[0, :2, :2, 0] = [[0, 100], [200, 255]]
    small = classifier._shrunk(image)
    assert small.shape == (1, 32, 33, 1) and small[0, 0, 0, 0] == round(555 / 4) and small.sum() == 139
    assert classifier._shrunk(image[:, :47, :47]).shape == (1, 47, 47, 1)


def test_the_labels_need_not_start_at_zero_nor_have_names(cache):
    data = replace(quadrants(200), labels=quadrants(200).labels + 3, class_names=())
    assert classifier.trained(data).classes == 7


# -- predicting ---------------------------------------------------------------------------------------------


@pytest.fixture
def untrained():
    return classifier.Classifier(classifier._initial((12, 12, 1), 4, np.random.default_rng(0)), 0.5, "00")


@pytest.mark.parametrize("n", [0, 1, 255, 256, 257, 600])
def test_predict_in_batches_is_predict_one_by_one(untrained, n):
    pixels = quadrants(600).pixels[:n]
    features, probabilities = untrained.predict(pixels)
    assert features.shape == (n, 64) and probabilities.shape == (n, 4)
    assert features.dtype == probabilities.dtype == np.float32
    assert (features >= 0).all()
    np.testing.assert_allclose(probabilities.sum(1), 1, rtol=1e-5)
    for i in {0, n // 2, n - 1} & set(range(n)):
        f, p = untrained.predict(pixels[i : i + 1])
        np.testing.assert_allclose(features[i : i + 1], f, rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(probabilities[i : i + 1], p, rtol=1e-4, atol=1e-6)


def test_predict_is_traced_once(untrained):
    for n in (3, 256, 300, 1):
        untrained.predict(quadrants(n).pixels)
    assert untrained._forward.experimental_get_tracing_count() == 1


def test_predict_is_the_network_written_out_in_numpy(untrained):
    pixels = quadrants(2).pixels
    k1, b1, k2, b2, k3, b3, k4, b4 = untrained.weights

    def layer(x, kernel, bias):
        padded = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
        h, w = x.shape[1:3]
        y = sum(padded[:, i : i + h, j : j + w] @ kernel[i, j] for i in range(3) for j in range(3)) + bias
        return np.maximum(y.reshape(len(x), h // 2, 2, w // 2, 2, -1).max((2, 4)), 0)

    x = layer(layer(pixels / 255, k1, b1), k2, b2).reshape(2, -1)
    features = np.maximum(x @ k3 + b3, 0)
    logits = np.exp(features @ k4 + b4)
    f, p = untrained.predict(pixels)
    np.testing.assert_allclose(f, features, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(p, logits / logits.sum(1, keepdims=True), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("shape", [(2, 16, 16, 1), (2, 12, 12, 3)])
def test_images_of_another_size_are_refused(untrained, shape):
    with pytest.raises(ValueError, match="shape"):
        untrained.predict(np.zeros(shape, np.uint8))


# -- stacked digits -----------------------------------------------------------------------------------------


def test_stacks_are_taken_apart_in_the_order_of_their_digits():
    data = stacks(5)
    single = quadrants(15)
    np.testing.assert_array_equal(classifier.singles(data.pixels, data), single.pixels)
    np.testing.assert_array_equal(classifier.single_labels(data.labels, data), single.labels)
    np.testing.assert_array_equal(classifier.single_labels(np.array([907, 12, 5]), data), [9, 0, 7, 0, 1, 2, 0, 0, 5])


def test_stacks_are_learnt_as_single_gray_images(cache):
    found = classifier.trained(stacks(150))
    fresh = quadrants(200, seed=5)
    assert found.classes == 10 and found.channels == 1
    assert (found.predict(fresh.pixels)[1].argmax(1) == fresh.labels).mean() > 0.95


# -- the cache ----------------------------------------------------------------------------------------------


def break_text(path, data):
    path.write_text("not a classifier")


def break_half(path, data):
    path.write_bytes(path.read_bytes()[:1_000])


def break_empty(path, data):
    path.write_bytes(b"")


def break_array(path, data):
    with path.open("wb") as file:
        np.save(file, np.zeros(3))


def break_pickle(path, data):
    np.savez(path, key=np.array([{}], object))


def break_shape(path, data):
    with np.load(path) as file:
        arrays = dict(file)
    np.savez(path, **{**arrays, "w0": arrays["w0"][:2]})


def break_nan(path, data):
    with np.load(path) as file:
        arrays = dict(file)
    arrays["w6"][0, 0] = np.nan
    np.savez(path, **arrays)


def break_key(path, data):
    with np.load(path) as file:
        arrays = dict(file)
    np.savez(path, **{**arrays, "key": np.array("0" * 64)})


@pytest.mark.parametrize(
    "damage",
    [break_text, break_half, break_empty, break_array, break_pickle, break_shape, break_nan, break_key],
)
def test_a_broken_or_foreign_cache_file_is_replaced(cache, monkeypatch, damage):
    monkeypatch.setattr(classifier, "STEPS", (2, 2))
    data, said = quadrants(40), []
    first = classifier.trained(data)
    (path,) = files(cache)
    damage(path, data)
    assert same(first, classifier.trained(data, said.append)) and said
    assert same(first, classifier.trained(data, never))
    assert files(cache) == [path]


def test_other_images_labels_or_classes_are_another_classifier(cache, monkeypatch):
    monkeypatch.setattr(classifier, "STEPS", (1, 1))
    data = quadrants(40)
    pixels, labels = data.pixels.copy(), data.labels.copy()
    pixels[7, 0, 0, 0] ^= 1
    labels[7] = (labels[7] + 1) % 4
    changed = [
        data,
        replace(data, pixels=pixels),
        replace(data, labels=labels),
        replace(data, class_names=tuple("abcde")),
        replace(data, test_pixels=pixels[:5], test_labels=labels[:5]),
    ]
    keys = [classifier.trained(each).key for each in changed]
    assert len(set(keys)) == 5 == len(files(cache))


def test_an_unwritable_cache_folder_is_no_error(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("GANSCOPE_CACHE", str(tmp_path / "file" / "folder"))
    monkeypatch.setattr(classifier, "STEPS", (2, 2))
    assert classifier.trained(quadrants(40)).classes == 4


def test_a_file_that_could_not_be_renamed_leaves_nothing_behind(cache, monkeypatch, untrained):
    def fail(*paths):
        raise PermissionError

    monkeypatch.setattr(os, "replace", fail)
    classifier._save(cache / "classifier-00.npz", untrained)
    assert list(cache.iterdir()) == []


# -- one for all of a set -----------------------------------------------------------------------------------


def digits(n=1_500, seed=0, **choice):
    return image_datasets.digits(n, np.random.default_rng(seed), **choice)


@pytest.fixture
def quick(cache, monkeypatch):
    monkeypatch.setattr(classifier, "STEPS", (2, 2))
    return cache


CHOICES = {
    "another seed": {"n": 300, "seed": 5},
    "few": {"n": 20},
    "larger": {"n": 100, "size": "64"},
    "with a margin": {"n": 100, "size": "32"},
    "some classes": {"classes": "3,8"},
    "one class": {"n": 100, "classes": "7"},
}


@pytest.mark.parametrize("choice", CHOICES.values(), ids=CHOICES)
def test_whatever_is_chosen_of_a_set_has_the_same_judge(quick, choice):
    first = classifier.trained(digits())
    data = digits(**choice)
    assert same(first, classifier.trained(data, never)) and len(files(quick)) == 1
    features, predicted, _ = image_metrics.judged(first, data, data.pixels[:16])
    assert features.shape == (16, classifier.FEATURES) and predicted.max() < len(data.class_names)
    reference = image_scores.reference(first, data, 8, seed=0)
    assert len(reference.histogram) == len(data.class_names) and 0 < reference.floors["confidence"] <= 1
    json.dumps(image_scores.scores(reference, first, data.pixels[:8]), allow_nan=False)


@pytest.mark.parametrize(("size", "off"), [("32", 0), ("64", 12)])
def test_another_size_is_brought_back_to_the_set_s_own(size, off):
    same_rows = [image_datasets.digits(1_500, np.random.default_rng(0), size=s) for s in ("native", size)]
    back = classifier.singles(same_rows[1].pixels[:50], same_rows[1])
    assert back.shape == (50, 28, 28, 1)
    assert np.abs(back.astype(int) - same_rows[0].pixels[:50]).mean() <= off


def test_classes_that_were_left_out_are_never_seen(cache, monkeypatch):
    monkeypatch.setattr(classifier, "STEPS", (150, 150))
    data = digits(classes="3,8")
    judge = classifier.trained(data)
    _, predicted, top = image_metrics.judged(judge, data, data.pixels)
    assert (predicted == data.labels).mean() > 0.9
    _, predicted, other = image_metrics.judged(judge, data, digits(classes="0").pixels)
    assert set(predicted) <= {0, 1} and other.mean() < 0.6 * top.mean()  # of a 0 it is not sure


def test_stacks_are_judged_by_the_classifier_of_their_digits(quick, monkeypatch):
    base = digits()
    monkeypatch.setattr(image_datasets, "known_set", lambda name: base)
    data = image_datasets.stacked_mnist(50, np.random.default_rng(0), size="32", classes="1,2")
    assert classifier.trained(data).key == classifier.trained(base).key
    assert classifier.singles(data.pixels, data).shape == (150, 28, 28, 1)


def test_a_user_s_own_images_are_judged_by_all_of_them(quick):
    upload = replace(quadrants(200, side=28), test_pixels=None)
    chosen = [
        image_datasets.from_upload(upload, n, np.random.default_rng(n), size=size, classes=classes)
        for n, size, classes in ((200, "native", "all"), (60, "64", "all"), (60, "native", "1,2"))
    ]
    assert len({classifier.trained(data).key for data in chosen}) == 1 and len(files(quick)) == 1
    held, labels = classifier.unseen(chosen[2])
    trained_on = classifier._divided(upload)[0][0]
    assert 0 < len(held) < 20 and set(labels) <= {0, 1}
    assert not {x.tobytes() for x in held} & {x.tobytes() for x in trained_on}


# -- once ---------------------------------------------------------------------------------------------------


def counted(monkeypatch, seconds=0.3):
    """How often a classifier is trained; each time lasts a while."""
    calls, train = [], classifier._train

    def slow(*args):
        calls.append(1)
        time.sleep(seconds)
        return train(*args)

    monkeypatch.setattr(classifier, "_train", slow)
    return calls


def test_two_threads_train_it_once(quick, monkeypatch):
    calls = counted(monkeypatch)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: classifier.trained(quadrants(40)), range(4)))
    assert len(calls) == 1 and all(same(found[0], other) for other in found)


def test_another_process_is_waited_for(quick, monkeypatch):
    """It holds the lock file, and leaves what it has trained."""
    made = classifier.trained(quadrants(40))
    (path,) = files(quick)
    content, calls, said = path.read_bytes(), counted(monkeypatch), []
    path.unlink()
    code = """import sys, filelock
with filelock.FileLock(sys.argv[1]):
    print("has it", flush=True)
    input()
"""
    other = [sys.executable, "-c", code, str(quick / "classifier.lock")]
    with subprocess.Popen(other, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "has it\n"
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(classifier.trained, quadrants(40), said.append)
            until = time.monotonic() + 30
            while not said and time.monotonic() < until:
                time.sleep(0.02)
            assert said == ["waiting for another training of the classifier"]
            path.write_bytes(content)
            process.communicate("\n", timeout=30)
            assert same(waiting.result(30), made) and calls == []


def test_who_waits_can_be_stopped(quick):
    from filelock import FileLock

    quick.mkdir(parents=True)
    with FileLock(quick / "classifier.lock"):
        calls = iter([False, False, True])
        with pytest.raises(classifier_cache.Stopped):
            classifier.trained(quadrants(40), stopped=lambda: next(calls))
    assert classifier.trained(quadrants(40)).classes == 4  # nothing is held any more


def test_the_cache_keeps_what_was_used_last(quick, monkeypatch):
    monkeypatch.setattr(classifier_cache, "KEPT", 2)
    sets = [quadrants(40, seed) for seed in range(3)]
    first, second = (classifier.trained(data) for data in sets[:2])
    for age, found in ((200, first), (100, second)):
        path = quick / f"classifier-{found.key[:16]}.npz"
        os.utime(path, (time.time() - age,) * 2)
    old, new = (quick / f"classifier-{name}.npz.tmp" for name in "ab")
    for path in (old, new):
        path.write_bytes(b"half")
    os.utime(old, (time.time() - 2 * classifier_cache.STALE_SECONDS,) * 2)
    assert same(first, classifier.trained(sets[0], never))
    third = classifier.trained(sets[2])
    assert {path.name[11:27] for path in quick.glob("*.npz")} == {first.key[:16], third.key[:16]}
    assert new.exists() and not old.exists()


# -- refusals -----------------------------------------------------------------------------------------------


def test_stopped_aborts_the_training(cache):
    calls = []

    def stopped():
        calls.append(1)
        return len(calls) > 5

    with pytest.raises(classifier_cache.Stopped):
        classifier.trained(quadrants(40), stopped=stopped)
    assert len(calls) > 5 and files(cache) == []


def test_images_without_labels_or_of_one_class_are_refused(cache):
    data = quadrants(20)
    with pytest.raises(ValueError, match="labels"):
        classifier.trained(replace(data, labels=None))
    with pytest.raises(ValueError, match="two classes"):
        classifier.trained(replace(data, labels=np.full(20, 3, np.int32)))


def test_importing_it_imports_no_tensorflow():
    code = "import sys, gan_core.scores.image_metrics; sys.exit(bool({'tensorflow', 'keras'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
