"""Inception Score (Salimans et al., arXiv 1606.03498) and Fréchet Inception Distance (Heusel et al., arXiv 1706.08500).

Both look at images through InceptionV3 (arXiv 1512.00567), trained on ImageNet, here the one of keras.applications.
What to know before comparing a value with a published one:

- Published values come from TensorFlow 1's Inception of 2015, which has other weights, 1,008 outputs and a resize of
  its own. Values from here are near to them, and not comparable to two digits.
- FID is biased upwards in small samples, often by more than two generators differ by. Published ones take 50,000
  images; so `scores` gives the sample size, and the floor: what real images score against real ones at that size.
- Inception Score is at most the number of images in each of its splits, and never looks at the real ones.
- ImageNet has no digits and no letters: of such pictures the classes mean little, and the features not much more.

Images are uint8 [n, H, W, C] of 1 or 3 channels; a hundred take some ten seconds on two cores.
"""

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from gan_core.data.download import Wanted, download
from gan_core.foundations.files import cache_folder, keras_folder
from gan_core.foundations.hyperparameters import ConfigError, shorten
from gan_core.foundations.lazy_imports import keras, tf
from gan_core.scores import image_metrics

SIDE = 299  # pixels, that InceptionV3 takes
BATCH = 32
SPLITS = 10  # of the Inception Score, as published
ENDINGS = (".weights.h5", ".h5")

# What keras.applications loads for weights="imagenet".
NAME = "inception_v3_weights_tf_dim_ordering_tf_kernels.h5"
URL = f"https://storage.googleapis.com/tensorflow/keras-applications/inception_v3/{NAME}"
MD5 = "9a0d58056eeedaa3f26cb7ebd46da564"
MEGABYTES = 96

Say = Callable[[str], None]


class Inception:
    """A network that looks at images.

    network: float32 [b, 299, 299, 3] in -1..1 -> (features [b, F], probabilities [b, K]), in TensorFlow.
    """

    def __init__(self, network: Callable):
        def forward(pixels):
            images = tf.image.resize(pixels, (SIDE, SIDE), "bilinear") / 127.5 - 1.0
            return network(tf.ensure_shape(images, (None, SIDE, SIDE, 3)))

        anything = tf.TensorSpec((None, None, None, 3), tf.uint8)  # one trace for every size of image and of batch
        self._forward = tf.function(forward, input_signature=[anything], autograph=False)

    def look(self, pixels: np.ndarray, say: Say | None = None) -> tuple[np.ndarray, np.ndarray]:
        """uint8 [n, H, W, C] -> features float32 [n, 2048], probabilities float32 [n, 1000]. `say` hears of progress.

        ConfigError for anything but images, and where the network's answer is not finite.
        """
        if pixels.dtype != np.uint8 or pixels.ndim != 4 or pixels.shape[3] not in (1, 3) or 0 in pixels.shape:
            raise ConfigError(
                "Inception looks at uint8 images [n, height, width, 1 or 3 channels]; "
                f"these are {pixels.dtype} {list(pixels.shape)}."
            )
        parts = []
        for start in range(0, len(pixels), BATCH):
            part = pixels[start : start + BATCH]
            if part.shape[3] == 1:
                part = np.repeat(part, 3, 3)
            parts.append([answer.numpy() for answer in self._forward(tf.constant(part))])
            if say:
                say(f"Inception has seen {start + len(part):,} of {len(pixels):,} images")
        features, probabilities = (np.concatenate(answers).astype(np.float32) for answers in zip(*parts, strict=True))
        if not (np.isfinite(features).all() and np.isfinite(probabilities).all()):
            raise ConfigError("The weights of InceptionV3 are damaged: what it says of the images is not finite.")
        return features, probabilities


# -- the two scores -----------------------------------------------------------------------------------------


def inception_score(probabilities: np.ndarray, splits: int = SPLITS) -> tuple[float, float]:
    """Mean and standard deviation over `splits` parts of exp(mean KL(p(y|x) || p(y))), from probabilities [n, K].

    From 1 (each image looks like all others, or like nothing) to the smaller of K and n / splits (each image surely
    of one class, all classes alike). ValueError for fewer images than splits.
    """
    if not 1 <= splits <= len(probabilities):
        raise ValueError(f"{len(probabilities)} images cannot be split into {splits} parts")
    values = []
    for p in np.array_split(probabilities.astype(np.float64), splits):
        ratio = np.divide(p, p.mean(0), out=np.ones_like(p), where=p > 0)  # 0 log 0 is 0
        values.append(np.exp((p * np.log(ratio)).sum(1).mean()))
    return float(np.mean(values)), float(np.std(values))


def fid(real_features: np.ndarray, fake_features: np.ndarray) -> float:
    """Squared Fréchet distance between the Gaussians with the features' means and covariances, [n, F] each.

    ValueError for fewer than two images on a side. With 2,048 features and as many images it takes half a minute.
    """
    n = len(real_features)
    if min(n, len(fake_features)) < 2:
        raise ValueError("FID needs at least two images on each side")
    both = np.concatenate([real_features, fake_features]).astype(np.float64)
    both -= both.mean(0)
    if len(both) < both.shape[1]:
        # so few points have as many coordinates in which they lie just as far apart: seconds instead of a minute
        values, vectors = np.linalg.eigh(both @ both.T)
        both = vectors * np.sqrt(np.clip(values, 0, None))
    return image_metrics.frechet(*image_metrics.gaussian(both[:n]), *image_metrics.gaussian(both[n:]))


def scores(
    inception: Inception, real_pixels: np.ndarray, fake_pixels: np.ndarray, say: Say | None = None
) -> dict[str, Any]:
    """Both scores of the first `samples` generated images; `samples` = min(generated, half of the real ones).

    inception_score, inception_score_std; inception_score_real: of as many real images. fid: against that half of the
    real images; fid_floor: the other half against it. Give the real images in random order: the halves are the first
    images and the next. ConfigError for fewer than 2 generated or 4 real images, and from `look`.
    """
    n = min(len(fake_pixels), len(real_pixels) // 2)
    if n < 2:
        raise ConfigError(
            "Inception Score and FID need at least 2 generated images and 4 real ones; "
            f"there are {len(fake_pixels)} and {len(real_pixels)}."
        )
    real, real_probabilities = inception.look(real_pixels[: 2 * n], say)
    fake, fake_probabilities = inception.look(fake_pixels[:n], say)
    splits = min(SPLITS, n)
    mean, std = inception_score(fake_probabilities, splits)
    return {
        "inception_score": mean,
        "inception_score_std": std,
        "inception_score_real": inception_score(real_probabilities[:n], splits)[0],
        "fid": fid(real[:n], fake),
        "fid_floor": fid(real[:n], real[n:]),
        "samples": n,
    }


# -- the weights --------------------------------------------------------------------------------------------


def load(weights: str, say: Say | None = None) -> Inception:
    """InceptionV3 with these weights: "imagenet", or the path of a .weights.h5 or .h5 file of the user's.

    "imagenet" is looked for where Keras keeps it, then in our cache; else it is downloaded there, within 10 minutes.
    The file is read as numbers only: nothing in it is run. ConfigError, with a sentence, whatever goes wrong.
    """
    path = _imagenet(say or (lambda text: None)) if weights == "imagenet" else _own(weights)
    whole = keras.applications.InceptionV3(weights=None)
    try:
        with warnings.catch_warnings():  # Keras warns once a layer before it raises
            warnings.simplefilter("ignore")
            whole.load_weights(str(path))
    except Exception as error:  # Keras and HDF5 have a dozen kinds for a file that is another one
        line = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise ConfigError(
            f"{shorten(str(path), 200)} does not hold the weights of Keras's InceptionV3 with its 1,000 classes "
            f"({shorten(line, 160)})."
        ) from None
    network = keras.Model(whole.input, [whole.get_layer("avg_pool").output, whole.output])
    return Inception(lambda images: network(images, training=False))


def _own(weights: str) -> Path:
    """The user's file; ConfigError where there is none, or one of another kind."""
    path = Path(weights).expanduser()
    if not path.name.endswith(ENDINGS):
        raise ConfigError(
            f'Weights of Inception are "imagenet" or a file that ends in {" or ".join(ENDINGS)}; '
            f"got {shorten(weights, 200)}."
        )
    try:
        there = path.is_file()
    except OSError:  # a name too long for the file system
        there = False
    if not there:
        raise ConfigError(f"There is no file {shorten(weights, 200)} with weights of InceptionV3.")
    return path


def _imagenet(say: Say) -> Path:
    """Keras's file of weights: the one that is there, or a fresh download into our cache."""
    target = cache_folder() / NAME
    for path in (keras_folder().parent / "models" / NAME, target):
        if path.is_file():
            return path
    download(Wanted.single_file("InceptionV3 with ImageNet's weights", URL, MD5, MEGABYTES), say)
    return target
