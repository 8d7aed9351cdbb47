"""Inception Score and FID: by hand, against POT, what is refused, and once with the whole network."""

import hashlib
import http.server
import threading

import h5py
import numpy as np
import ot
import pytest

from gan_core.data import download
from gan_core.foundations.hyperparameters import ConfigError
from gan_core.foundations.lazy_imports import keras, tf
from gan_core.scores import image_metrics, inception
from gan_core.scores.inception import Inception


@pytest.fixture(autouse=True)
def folders(tmp_path, monkeypatch):
    """Folders of the test's own."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.setenv("GANSCOPE_CACHE", str(tmp_path / "cache"))
    yield
    for job in download._downloads.values():
        job.cancel()
    download._downloads.clear()


def pictures(n, channels=1, side=6, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (n, side, side, channels), np.uint8)


def colours(images):
    """Instead of the network: features are the mean colour, probabilities its softmax."""
    mean = tf.reduce_mean(images, [1, 2])
    return mean, tf.nn.softmax(10.0 * mean)


# -- Inception Score ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("splits", [1, 4, 10])
def test_inception_score_of_images_that_look_like_nothing_is_1(splits):
    mean, std = inception.inception_score(np.full((40, 8), 1 / 8, np.float32), splits)
    assert mean == pytest.approx(1) and std == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("k", [2, 5, 10])
def test_inception_score_of_sure_and_even_classes_is_their_number(k):
    mean, std = inception.inception_score(np.tile(np.eye(k, dtype=np.float32), (10, 1)))
    assert mean == pytest.approx(k) and std == pytest.approx(0, abs=1e-9)


def test_inception_score_of_one_sure_class_is_1():
    assert inception.inception_score(np.tile([1.0, 0.0, 0.0], (10, 1)))[0] == pytest.approx(1)


def test_inception_score_by_hand():
    """Two halves: in one both classes, in the other one of them; p(y) = (3/4, 1/4) of (1, 0) and (1/2, 1/2)."""
    mean, std = inception.inception_score(np.array([[1, 0], [0, 1], [1, 0], [1, 0]]), splits=2)
    assert (mean, std) == (pytest.approx(1.5), pytest.approx(0.5))
    p = np.array([[1.0, 0.0], [0.5, 0.5]])
    first = np.log(1 / 0.75)
    second = 0.5 * np.log(0.5 / 0.75) + 0.5 * np.log(0.5 / 0.25)
    assert inception.inception_score(p, 1)[0] == pytest.approx(np.exp((first + second) / 2))


def test_inception_score_is_at_most_the_images_in_a_split():
    """So the published 50,000 images and these few hundred cannot reach the same."""
    assert inception.inception_score(np.eye(100), splits=1)[0] == pytest.approx(100)
    assert inception.inception_score(np.eye(100), splits=10)[0] == pytest.approx(10)


@pytest.mark.parametrize("splits", [0, 5])
def test_inception_score_needs_an_image_a_split(splits):
    with pytest.raises(ValueError, match="cannot be split"):
        inception.inception_score(np.full((4, 2), 0.5), splits)


# -- FID ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("n", "m", "dimension"), [(300, 200, 3), (90, 80, 20), (40, 40, 2)])
def test_fid_is_pots_distance_squared(n, m, dimension):
    """With covariances over n - 1, as FID has them, where POT divides by n."""
    rng = np.random.default_rng(n)
    a = rng.normal(size=(n, dimension)) @ rng.normal(size=(dimension, dimension))
    b = rng.normal(size=(m, dimension)) @ rng.normal(size=(dimension, dimension)) + 1

    def spread(x):
        return x.mean(0) + (x - x.mean(0)) * np.sqrt(len(x) / (len(x) - 1))

    expected = ot.gaussian.empirical_bures_wasserstein_distance(spread(a), spread(b), reg=0) ** 2
    assert inception.fid(a, b) == pytest.approx(float(expected), rel=1e-5)


def test_fid_of_fewer_images_than_features_is_the_same_distance():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(20, 60)), rng.normal(size=(25, 60)) * 2 + 1
    direct = image_metrics.frechet(a.mean(0), np.cov(a.T), b.mean(0), np.cov(b.T))
    assert inception.fid(a, b) == pytest.approx(direct, rel=1e-6)
    assert inception.fid(a, a) == pytest.approx(0, abs=1e-6)


def test_fid_by_hand():
    """One feature ±1 against 3 ± 2 (variances 2 and 8), and one that is always 0: 3² + (√8 - √2)²."""
    assert inception.fid(np.array([[-1.0, 0], [1, 0]]), np.array([[1.0, 0], [5, 0]])) == pytest.approx(9 + 2)


def test_fid_needs_two_images():
    with pytest.raises(ValueError, match="at least two"):
        inception.fid(np.zeros((5, 3)), np.zeros((1, 3)))


# -- looking ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("channels", [1, 3])
def test_look_scales_the_values_and_repeats_gray(channels):
    images = np.stack([np.full((5, 7, channels), value, np.uint8) for value in (0, 255, 51)])
    features, probabilities = Inception(colours).look(images)
    np.testing.assert_allclose(features, np.repeat([[-1], [1], [-0.6]], 3, 1), atol=1e-3)
    np.testing.assert_allclose(probabilities, 1 / 3, atol=1e-3)
    assert features.dtype == probabilities.dtype == np.float32


def test_look_gives_the_network_its_size_and_says_how_far_it_is(monkeypatch):
    seen, said = [], []

    def network(images):
        seen.append(images.shape)
        return colours(images)

    monkeypatch.setattr(inception, "BATCH", 4)
    look = Inception(network).look
    images = pictures(9, 3)
    features, _ = look(images, said.append)
    assert [tuple(shape[1:]) for shape in seen] == [(299, 299, 3)]  # traced once
    assert said == [f"Inception has seen {n} of 9 images" for n in (4, 8, 9)]
    np.testing.assert_array_equal(features[4:8], look(images[4:8])[0])
    np.testing.assert_allclose(features, images.mean((1, 2)) / 127.5 - 1, atol=0.05)


def test_the_resize_is_bilinear():
    """Two pixels, black and white: half-pixel centres, so a ramp between a quarter and three quarters."""
    images = np.zeros((1, 1, 2, 1), np.uint8)
    images[0, 0, 1] = 255
    ramp = Inception(lambda x: (x[:, 0, :, 0], x[:, 0, :, 0])).look(images)[0][0]
    assert ramp[:74].max() == -1 and ramp[-74:].min() == 1
    np.testing.assert_allclose(np.diff(ramp[76:223]), 4 / 299, rtol=1e-3)


@pytest.mark.parametrize(
    "images",
    [
        pictures(2).astype(np.float32),
        pictures(2)[..., 0],
        pictures(2, channels=2),
        pictures(2)[:0],
        pictures(2)[:, :0],
    ],
    ids=["float", "flat", "channels", "none", "empty"],
)
def test_look_refuses_what_is_no_image(images):
    with pytest.raises(ConfigError, match="uint8 images"):
        Inception(colours).look(images)


def test_broken_weights_are_a_sentence():
    broken = Inception(lambda images: (colours(images)[0] * np.nan, colours(images)[1]))
    with pytest.raises(ConfigError, match="not finite"):
        broken.look(pictures(2))


# -- all at once --------------------------------------------------------------------------------------------


def test_scores_beside_their_floors():
    real, fake = pictures(45, 3), pictures(20, 3, seed=1) // 2
    look = Inception(colours)
    result = inception.scores(look, real, fake)
    assert list(result) == [
        "inception_score",
        "inception_score_std",
        "inception_score_real",
        "fid",
        "fid_floor",
        "samples",
    ]
    assert result["samples"] == 20
    assert all(type(value) in (int, float) for value in result.values())
    (a, p), (b, _), (c, q) = (look.look(x) for x in (real[:20], real[20:40], fake))
    own = result["inception_score"], result["inception_score_std"]
    assert own == pytest.approx(inception.inception_score(q), rel=1e-6)  # sums of float32, in any order
    assert result["inception_score_real"] == pytest.approx(inception.inception_score(p)[0], rel=1e-6)
    assert result["fid"] == pytest.approx(inception.fid(a, c))
    assert result["fid_floor"] == pytest.approx(inception.fid(a, b))
    assert result["fid"] > 10 * result["fid_floor"]


def test_scores_take_half_of_few_real_images():
    assert inception.scores(Inception(colours), pictures(9), pictures(20))["samples"] == 4


@pytest.mark.parametrize(("real", "fake"), [(3, 5), (10, 1)])
def test_scores_need_a_few_images(real, fake):
    with pytest.raises(ConfigError, match=f"there are {fake} and {real}"):
        inception.scores(Inception(colours), pictures(real), pictures(fake))


# -- the weights --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["imagnet", "", "weights.npz", "model.keras", "weights.pkl", "."])
def test_only_h5_files_are_weights(name):
    with pytest.raises(ConfigError, match=r'"imagenet" or a file'):
        inception.load(name)


@pytest.mark.parametrize("name", ["nothing.h5", "nothing.weights.h5", "x" * 5_000 + ".h5", "a\0b.h5"])
def test_a_missing_file_is_a_sentence(tmp_path, name):
    with pytest.raises(ConfigError, match="There is no file"):
        inception.load(str(tmp_path / name))


@pytest.fixture
def small(monkeypatch):
    """A network of one layer in the place of InceptionV3: what Keras says of a file does not depend on its size."""

    def build(weights):
        image = keras.Input((299, 299, 3))
        pooled = keras.layers.GlobalAveragePooling2D(name="avg_pool")(image)
        return keras.Model(image, keras.layers.Dense(4, activation="softmax", name="predictions")(pooled))

    monkeypatch.setattr(keras.applications, "InceptionV3", build)
    return build(None)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", ["w.h5", "w.weights.h5"])
@pytest.mark.parametrize("kind", ["text", "empty", "half", "other"])
def test_a_file_of_something_else_is_a_sentence(tmp_path, small, name, kind):
    path = tmp_path / name
    if kind == "text":
        path.write_text("hello")
    elif kind == "empty":
        h5py.File(path, "w").close()
    elif kind == "half":
        small.save_weights(tmp_path / "whole.weights.h5")
        whole = (tmp_path / "whole.weights.h5").read_bytes()
        path.write_bytes(whole[: len(whole) // 2])
    else:
        other = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
        (other.save_weights if name == "w.weights.h5" else other.save)(path)
    with pytest.raises(ConfigError, match="does not hold the weights of Keras's InceptionV3") as caught:
        inception.load(str(path))
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 500


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", ["w.h5", "w.weights.h5"])
def test_both_kinds_of_file_are_read(tmp_path, small, name):
    (small.save_weights if name == "w.weights.h5" else small.save)(tmp_path / name)
    images = pictures(2, side=299, channels=3)
    features, probabilities = inception.load(str(tmp_path / name)).look(images)
    np.testing.assert_allclose(features, images.mean((1, 2)) / 127.5 - 1, atol=1e-5)
    np.testing.assert_allclose(probabilities, small(images / 127.5 - 1.0).numpy(), atol=1e-5)


class Answers(http.server.BaseHTTPRequestHandler):
    """Gives the server's `content`; fewer bytes than promised where it is cut."""

    def do_GET(self):
        if self.server.content is None:
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.server.content)))
        self.end_headers()
        self.wfile.write(self.server.content[: self.server.upto])
        if self.server.waits:
            self.wfile.flush()
            self.server.waits.wait(30)

    def log_message(self, *args):
        pass


@pytest.fixture
def web(monkeypatch):
    """A server on this machine in the place of Google's."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        server.content, server.upto, server.waits = None, None, None
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        monkeypatch.setattr(inception, "URL", f"http://127.0.0.1:{server.server_address[1]}/{inception.NAME}")
        yield server
        if server.waits:
            server.waits.set()
        server.shutdown()
        thread.join(10)


def test_imagenet_is_downloaded_once(web, small, tmp_path, monkeypatch):
    small.save(tmp_path / "w.h5")
    web.content = (tmp_path / "w.h5").read_bytes()
    monkeypatch.setattr(inception, "MD5", hashlib.md5(web.content).hexdigest())
    inception.load("imagenet")
    assert [path.name for path in (tmp_path / "cache").iterdir()] == [inception.NAME]
    web.content = None
    inception.load("imagenet")


def test_imagenet_is_taken_where_keras_keeps_it(web, small, tmp_path):
    path = tmp_path / "keras" / "models" / inception.NAME
    path.parent.mkdir(parents=True)
    small.save(path)
    before = path.read_bytes()
    inception.load("imagenet")
    assert path.read_bytes() == before and not (tmp_path / "cache").exists()


def failed(tmp_path) -> str:
    with pytest.raises(ConfigError, match="could not be downloaded") as caught:
        inception.load("imagenet")
    assert list((tmp_path / "cache").iterdir()) == []
    return str(caught.value)


def test_a_failed_download_says_why_and_leaves_nothing(web, tmp_path):
    said = failed(tmp_path)
    assert "Not Found" in said and "name the file" in said
    web.content = b"something else"
    assert "does not match" in failed(tmp_path)
    web.content, web.upto = bytes(1_000), 500
    assert "500 out of 1000" in failed(tmp_path)


def test_a_stalled_download_ends(web, tmp_path, monkeypatch):
    monkeypatch.setattr(download, "START_BYTES", 600)
    monkeypatch.setattr(download, "STALL_SECONDS", 0.5)
    web.content, web.upto, web.waits = bytes(100_000), 50_000, threading.Event()
    assert "nothing arrived" in failed(tmp_path)


def test_without_a_network(tmp_path, monkeypatch):
    monkeypatch.setattr(inception, "URL", "http://127.0.0.1:9/w.h5")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    assert "refused" in failed(tmp_path)


def test_a_cache_that_cannot_be_written(web, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("GANSCOPE_CACHE", str(tmp_path / "file"))
    with pytest.raises(ConfigError, match="could not be downloaded"):
        inception.load("imagenet")


# -- the whole network --------------------------------------------------------------------------------------


def test_inception_from_end_to_end(tmp_path):
    whole = keras.applications.InceptionV3(weights=None)
    whole.save_weights(tmp_path / "w.weights.h5")
    look = inception.load(str(tmp_path / "w.weights.h5"))
    gray = np.full((1, 8, 8, 1), 200, np.uint8)
    features, probabilities = look.look(np.concatenate([gray, pictures(1, side=8)]))
    assert features.shape == (2, 2048) and probabilities.shape == (2, 1000)
    expected = whole(np.full((1, 299, 299, 3), 200 / 127.5 - 1, np.float32), training=False)
    np.testing.assert_allclose(probabilities[:1], expected.numpy(), rtol=1e-4)
    result = inception.scores(look, pictures(4, side=8), pictures(2, side=8, seed=1))
    assert result["samples"] == 2 and all(np.isfinite(value) for value in result.values())
