"""What the discriminator sees of pictures while it is trained: moved at random, real ones and generated ones alike.

`AUGMENTATIONS` is their registry. Each is `function(x, u, **own) -> x`: x float32 [n, H, W, C] in [-1, 1], u float32
[n, draws] uniform in [0, 1), a row of numbers for each picture; `own` are those of the row's hyperparameters that it
names, and `p` where it adapts. The generator's gradient passes through it. Strengths are tensors, so that they may
change while training.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from gan_core.data.datasets import DATASETS
from gan_core.foundations.hyperparameters import Hyperparameter, Settings
from gan_core.foundations.lazy_imports import tf

ADA_MEMORY = 0.75  # of r from one batch to the next: the paper takes the mean over four


def _gray(c: Settings) -> str:
    row = DATASETS[c.data]
    return f"the pictures of {c.data} are gray" if row.native[-1] == 1 and not row.upload else ""


AUGMENT_COLOR = Hyperparameter(
    float,
    1.0,
    "Color",
    "How far brightness, saturation and contrast are changed at random; 1 is the paper's. Too high: real colors are "
    "hardly learned. Too low: the discriminator memorizes pictures by their colors. 0: off.",
    "Augmentation",
    low=0.0,
    high=1.0,
    live=True,
    idle=_gray,
    needs="pictures in color",
    carriers="an augmentation",
    lacking="there is no augmentation",
    quiet=True,
)
AUGMENT_TRANSLATION = replace(
    AUGMENT_COLOR,
    default=0.125,
    label="Translation",
    help="How far pictures are shifted at random, as a share of their side; what comes in is middle gray. Too high: "
    "most of a picture is gone. Too low: the discriminator memorizes where single pixels are. 0: off. Usual: 0.125.",
    high=0.5,
    idle=None,
    needs="",
)
AUGMENT_CUTOUT = replace(
    AUGMENT_TRANSLATION,
    default=0.5,
    label="Cutout",
    help="Side of a square that is cut out at a random place, as a share of the picture's. Too high: the discriminator "
    "hardly sees anything. Too low: it memorizes single parts of pictures. 0: off. Usual: 0.5.",
    high=1.0,
)
STRENGTHS = {
    "augment_color": AUGMENT_COLOR,
    "augment_translation": AUGMENT_TRANSLATION,
    "augment_cutout": AUGMENT_CUTOUT,
}

ADA_TARGET = Hyperparameter(
    float,
    0.6,
    "ADA target for r_t",
    "r_t is the mean sign of the discriminator on real pictures: 0 where it guesses, 1 where it is sure of each. Above "
    "this target there is more augmentation, below it less. Too high: it may overfit. Too low: pictures are moved "
    "where that only disturbs. Usual: 0.6.",
    "Augmentation",
    low=0.0,
    high=1.0,
    live=True,
)
ADA_KIMG = Hyperparameter(
    float,
    100.0,
    "ADA speed (thousand images)",
    "Over so many thousand real images the probability p can rise from 0 to 1. Too low: p swings. Too high: the "
    "discriminator has overfitted before p is there. The paper takes 500 for 25 million images.",
    "Augmentation",
    stops=(1, 2, 5, 10, 20, 50, 100, 200, 500, 1000),
    low=1.0,
    high=1000.0,
    live=True,
)


@dataclass(frozen=True)
class Augmentation:
    """A row of the registry.

    function: None where pictures stay as they are. draws: how many random numbers it takes for each picture. adapt:
    (p, r, right, images, **own) -> the next p and r, for a row whose function is given a probability p; r is the mean
    sign of the discriminator on real pictures, right its accuracy on those of a batch, images how many those are.
    knobs: its own hyperparameters, by name.
    """

    function: Callable | None
    description: str
    source: str = ""
    draws: int = 0
    adapt: Callable | None = None
    knobs: dict[str, Hyperparameter] = field(default_factory=lambda: dict(STRENGTHS))


def color(x, u, strength):
    """Brightness, saturation and contrast of pictures with colors; u [n, 3], strength [n, 1, 1, 1]."""
    if x.shape[3] == 1:
        return x
    by = strength * tf.reshape(u - 0.5, [-1, 3, 1, 1])
    x = x + by[:, :1]
    gray = tf.reduce_mean(x, 3, keepdims=True)
    x = x + (x - gray) * 2.0 * by[:, 1:2]
    mean = tf.reduce_mean(x, [1, 2, 3], keepdims=True)
    return x + (x - mean) * by[:, 2:]


def shift(u, strength, side):
    """Matrices [n, side, side] that shift the rows of a picture; zeros come in. u [n], strength [n] of the side."""
    most = tf.round(strength * side)
    by = tf.cast(tf.floor(u * (2.0 * most + 1.0)) - most, tf.int32)
    return tf.one_hot(tf.range(side) + by[:, None], side)


def inside(u, strength, side):
    """Where a cut of `strength` [n] of the side lies, its middle anywhere: 0 or 1, [n, side]."""
    distance = tf.abs(tf.range(side, dtype=tf.float32) + 0.5 - side * u[:, None])
    return tf.cast(distance < 0.5 * side * strength[:, None], tf.float32)


def moved(x, u, on, augment_color, augment_translation, augment_cutout):
    """Color, translation and cutout of each picture; on [n, 3]: 1 where it has the kind, 0 where it has not.

    A shift is a product with a matrix, which passes gradients, and is as fast in XLA as in a graph.
    """
    height, width = x.shape[1:3]
    x = color(x, u[:, :3], tf.reshape(augment_color * on[:, 0], [-1, 1, 1, 1]))
    far, large = augment_translation * on[:, 1], augment_cutout * on[:, 2]
    x = tf.einsum("nij,njkc->nikc", shift(u[:, 3], far, height), x)
    x = tf.einsum("nij,nkjc->nkic", shift(u[:, 4], far, width), x)
    cut = inside(u[:, 5], large, height)[:, :, None] * inside(u[:, 6], large, width)[:, None, :]
    return x * (1.0 - cut[..., None])


def diffaugment(x, u, augment_color, augment_translation, augment_cutout):
    """Each picture is moved (Zhao et al., arXiv 2006.10738: color, translation, cutout)."""
    return moved(x, u, tf.ones_like(u[:, :3]), augment_color, augment_translation, augment_cutout)


def ada(x, u, p, augment_color, augment_translation, augment_cutout):
    """Each kind with probability p, for each picture by itself (Karras et al., arXiv 2006.06676)."""
    on = tf.cast(u[:, 7:] < p, tf.float32)
    return moved(x, u, on, augment_color, augment_translation, augment_cutout)


def adapt(p, r, right, images, ada_target, ada_kimg):
    """(p a step nearer to where r is the target, r over about the last four batches): arXiv 2006.06676, section 3.

    The sign's mean is 2 right - 1; in a relativistic loss it is that of D(real) - D(fake).
    """
    r = ADA_MEMORY * r + (1.0 - ADA_MEMORY) * (2.0 * right - 1.0)
    return tf.clip_by_value(p + tf.sign(r - ada_target) * images / (1000.0 * ada_kimg), 0.0, 1.0), r


AUGMENTATIONS: dict[str, Augmentation] = {
    "none": Augmentation(None, "D sees pictures as they are", knobs={}),
    "diffaugment": Augmentation(
        diffaugment,
        "D sees each picture moved: its color, its place, a part cut out",
        "arXiv 2006.10738",
        draws=7,
    ),
    "ada": Augmentation(
        ada,
        "the same, with a probability that rises while D overfits and falls while it does not",
        "arXiv 2006.06676",
        draws=10,
        adapt=adapt,
        knobs={**STRENGTHS, "ada_target": ADA_TARGET, "ada_kimg": ADA_KIMG},
    ),
}
