"""A run as a plain Python script: TensorFlow and Keras alone, to be read from top to bottom and run.

A script holds only what the settings need. Its random draws are those of trainer.py, by (seed, step, purpose), and its
networks start from the same weights, so that its first losses are those of the run, up to rounding.
"""

from __future__ import annotations

import csv
import inspect
import io
import itertools
import re
from typing import TYPE_CHECKING, Any

from gan_core.data.datasets import DATASETS
from gan_core.data.image_datasets import STACK_NAMES, chosen_classes
from gan_core.data.loading import MOST_CLASSES, sample_shape
from gan_core.export.script_drawing import drawing_text
from gan_core.export.script_images import DRAWN, IMAGES, images_text
from gan_core.export.script_needs import PHILOX
from gan_core.export.script_networks import INDENT, networks, unwritten
from gan_core.export.script_points import is_written, points_text
from gan_core.export.script_sources import as_literal
from gan_core.export.script_steps import Steps
from gan_core.foundations.hyperparameters import ConfigError
from gan_core.objectives.augmentations import AUGMENTATIONS
from gan_core.objectives.losses import LOSSES
from gan_core.objectives.optimizers import OPTIMIZERS
from gan_core.objectives.penalties import PENALTIES
from gan_core.objectives.schedules import SCHEDULES
from gan_core.training import updates
from gan_core.training.compilation import first_steps

if TYPE_CHECKING:
    from gan_core.data.points import Data
    from gan_core.settings.config import GANConfig

POINT_SAMPLES = 2500
GRID = 10  # pictures a side

PURPOSES = ("REAL_D", "Z_D", "Z_G", "REAL_G", "LABELS", "PENALTY", "NOISE_D", "NOISE_G")  # of random draws

# What a constant means, where its name does not say it.
MEANINGS = {
    "DATA_SIZE": "samples to learn from",
    "LATENT_DIM": "length of z, the latent vector",
    "D_STEPS": "discriminator updates a round",
    "G_STEPS": "generator updates a round",
    "GP_WEIGHT": "of the gradient penalty",
    "FILTERS": "of the stage with the finest pixels",
    "EMA_DECAY": "of the averaged generator",
    "SCHEDULE_FLOOR": "final share of the learning rates",
    "INSTANCE_NOISE_STEPS": "until it is gone",
    "PACKING": "samples that are judged at once",
    "UNROLL": "discriminator updates that the generator looks ahead",
    "GRAD_CLIP": "largest gradient norm of a network",
    "CLASSES": "that both networks are told",
}
TOGETHER = (  # on one line
    ("G_LR", "D_LR"),
    ("G_UNITS", "D_UNITS"),
    ("G_BETA_1", "G_BETA_2"),
    ("D_BETA_1", "D_BETA_2"),
    ("G_MOMENTUM", "D_MOMENTUM"),
)
IMPORTS = (  # (what needs it, the line), in the order of the lines; "" parts Python's own from the others
    (r"\bargparse\.", "import argparse"),
    (r"(?<![.\w])math\.", "import math"),
    (r"\bzipfile\.", "import zipfile"),
    (r"\bSimpleNamespace\(", "from types import SimpleNamespace"),
    (r"", ""),
    (r"\bkeras\.", "import keras"),
    (r"\bnp\.", "import numpy as np"),
    (r"\btf\.", "import tensorflow as tf"),
    (r"\blayers\.", "from keras import layers"),
    (r"\A(?!.*\bImageOps\.).*\bImage\.", "from PIL import Image"),
    (r"\bImageOps\.", "from PIL import Image, ImageOps"),
    (r"\bload_breast_cancer\(", "from sklearn.datasets import load_breast_cancer"),
    (r"\bload_digits\(", "from sklearn.datasets import load_digits"),
    (r"\bload_iris\(", "from sklearn.datasets import load_iris"),
    (r"\bload_wine\(", "from sklearn.datasets import load_wine"),
)


def unpresentable(config: GANConfig) -> str:
    """Why there is no script of these settings, in a sentence, or "" where there is one."""
    c = config
    data = DATASETS.get(c.data)
    points = data is not None and data.kind == "points" and is_written(c.data)
    if not points and c.data not in (*IMAGES, *DRAWN) and not (data is not None and data.upload):
        return f"There is no script of the data set {c.data} yet."
    for kind, name, row, function in _functions(c):
        if row is None:
            return f"There is no script of the {kind} {name}, which is unknown here."
        if not inspect.isfunction(function) or not function.__name__.isidentifier():
            return f"There is no script of the {kind} {name}, whose function has no name."
    try:
        missing, count = unwritten(c, sample_shape(c)), _class_count(c)
    except ConfigError as error:
        return str(error)
    if missing:
        return missing
    if c.conditional and count is not None and not 2 <= count <= MOST_CLASSES:
        return f"Conditional training needs data of 2 to {MOST_CLASSES} classes; {c.data} has {count:,}."
    return ""


def _functions(c: GANConfig) -> list[tuple[str, str, Any, Any]]:
    """(what it is, its name, its row, a function) of each that a script writes out."""
    found = []
    for kind, name, registry, functions in (
        ("loss", c.loss, LOSSES, ("discriminator", "generator")),
        ("penalty", c.penalty, PENALTIES, ("function",)),
        ("augmentation", c.augment, AUGMENTATIONS, ("function",)),
        ("optimizer", c.g_optimizer, OPTIMIZERS, ("update",)),
        ("optimizer", c.d_optimizer, OPTIMIZERS, ("update",)),
        ("schedule", c.schedule, SCHEDULES, ("share",)),
    ):
        row = registry.get(name)
        for part in functions:
            function = getattr(row, part, None)
            if (kind, name) not in (("penalty", "none"), ("augmentation", "none"), ("schedule", "constant")):
                found.append((kind, name, row, function))
    return found


def script(
    config: GANConfig, upload_name: str = "", shape: tuple[int, ...] | None = None, own: Data | None = None
) -> str:
    """The text of a Python script that trains what `config` says; raises ConfigError where `unpresentable` objects.

    upload_name: the user's own file. shape: of one sample, for the user's own pictures, of whose size and colours the
    config does not tell; else as sample_shape guesses. Those pictures are read in a simpler way than GANscope's, which
    may differ by a gray level where it resizes. own: the user's own points, whose columns the config does not tell.
    """
    reason = unpresentable(config)
    if reason:
        raise ConfigError(reason)
    c, shape = config, tuple(shape or sample_shape(config))
    if c.g_steps == 0:  # nothing of a generator that is frozen: its average, and what it would look ahead at
        c = c.updated({"unroll": 0, "ema_decay": 0})
    steps, back = Steps(c, shape), ""
    if steps.images:
        data = images_text(c, shape, _kept(c), upload_name)
    elif c.data == "drawn":
        data = drawing_text(c.params())
    else:
        data, back = points_text(c.data, c.params(), own)
    blocks = [data, *networks(c, shape, steps.averaged), *steps.blocks(), _loop(steps), _samples(steps, back, own)]
    blocks = _called([block for block in blocks if block])
    body = _joined(blocks)
    body = body.replace("{purposes}", _purposes(body))
    body = f"{_constants(c, body)}\n\n{_arguments(c, upload_name, 'args.data' in data)}\n\n{body}\n"
    imports = [line for needs, line in IMPORTS if re.search(needs, body, re.DOTALL)]
    return f"{_docstring(steps, upload_name, imports)}\n\n" + "\n".join(imports) + f"\n\n{body}"


def _called(blocks: list[str]) -> list[str]:
    """The blocks without functions that no other one calls: where a network is frozen, those of its update."""
    for block in blocks:
        name = re.match(r"(?:#.*\n|@.*\n)*def (\w+)", block)
        if name and not any(re.search(rf"\b{name[1]}\b", other) for other in blocks if other is not block):
            return _called([other for other in blocks if other is not block])
    return blocks


def _joined(blocks: list[str]) -> str:
    """The blocks with the blank lines that a formatter wants around functions and classes."""

    def defines(text: str) -> bool:
        line = next((line for line in text.splitlines() if not line.startswith("#")), "")
        return line.startswith(("def ", "class ", "@"))

    body = blocks[0]
    for before, after in itertools.pairwise(blocks):
        body += ("\n\n\n" if defines(before) or defines(after) else "\n\n") + after
    return body


# -- classes ------------------------------------------------------------------------------------------------


def _class_count(c: GANConfig) -> int | None:
    """How many classes the data of a config has; None for the user's own."""
    if c.data == "picture_file":
        return None
    if c.data == "stacked_mnist":
        return len(STACK_NAMES)
    return len(_kept(c) or DATASETS[c.data].class_names)


def _kept(c: GANConfig) -> list[int] | None:
    """The chosen classes, or None for all."""
    most = 10**9 if c.data == "picture_file" else len(DATASETS[c.data].class_names)
    return chosen_classes(str(c.params().get("classes", "all")), most)


# -- the head -----------------------------------------------------------------------------------------------


def _docstring(steps: Steps, upload_name: str, imports: list[str]) -> str:
    c = steps.c
    penalty = f", penalty {c.penalty}" if steps.penalty else ""
    packages = "tensorflow keras numpy"
    packages += " scikit-learn" * any("sklearn" in line for line in imports) + " pillow" * steps.images
    given = " --data FILE" * (DATASETS[c.data].upload and not upload_name)
    about = f"architecture {c.architecture}, loss {c.loss}{penalty}"
    return f'''"""A GAN that learns {c.data}: {about}. Written by GANscope.

    pip install {packages}
    python script.py{given} --steps 2000

Initial weights and random draws are GANscope's, so the first losses of a seed are the same.
"""'''


def _number(value) -> str:
    return f"{value:_}" if isinstance(value, int) and value >= 10_000 else repr(value)


def _constants(c: GANConfig, body: str) -> str:
    """The settings whose names the rest of the script holds."""
    flat, named = c.to_flat(), set(re.findall(r"\b[A-Z][A-Z0-9_]+\b", body))
    values = {"SEED": c.seed}
    values |= {name.removeprefix("data.").upper(): value for name, value in flat.items() if not isinstance(value, str)}
    count = _class_count(c) if c.conditional else None
    if count is not None:
        values["CLASSES"] = count
    left = [name for name in values if name in named]
    own = tuple(name for name in left if f"data.{name.lower()}" in flat)
    lines = ["# -- settings"]
    while left:
        group = next((group for group in (*TOGETHER, own) if left[0] in group), left[:1])
        names = [name for name in left if name in group]
        left = [name for name in left if name not in group]
        about = f"  # {MEANINGS[names[0]]}" if names[0] in MEANINGS else ""
        lines.append(f"{', '.join(names)} = {', '.join(_number(values[name]) for name in names)}{about}")
    return "\n".join(lines)


def _arguments(c: GANConfig, upload_name: str, reads: bool) -> str:
    """The command line; reads: whether the script may read a file."""
    output = "samples.csv" if DATASETS[c.data].kind == "points" else "samples.png"
    lines = [
        "parser = argparse.ArgumentParser()",
        'parser.add_argument("--steps", type=int, default=2000)',
        'parser.add_argument("--print-every", type=int, default=100)',
        f'parser.add_argument("--output", default="{output}")',
    ]
    if DATASETS[c.data].upload:
        rest = f"default={as_literal(upload_name)}" if upload_name else "required=True"
        lines.append(f'parser.add_argument("--data", {rest}, help="your file, or data.npz as GANscope exports it")')
    elif reads:
        about = "a .npz file with x_train and y_train, instead of Keras's own"
        lines.append(f'parser.add_argument("--data", help="{about}")')
    return "\n".join([*lines, "args = parser.parse_args()"])


# -- the end ------------------------------------------------------------------------------------------------


def _purposes(body: str) -> str:
    """What tells the random draws of a step apart."""
    names = [name for name in PURPOSES if re.search(rf"\b{name}\b", body)]
    numbers = ", ".join(str(getattr(updates, name)) for name in names)
    text = f"{', '.join(names)} = {numbers}  # what a random draw is for"
    far = {"AUGMENT_D": "-(2**62)", "AUGMENT_G": "1 - 2**62"}
    far = {name: number for name, number in far.items() if re.search(rf"\b{name}\b", body)}
    if far:
        text += f"\n{', '.join(far)} = {', '.join(far.values())}  # far from all others"
    if re.search(r"\bUNROLLED\b", body):
        text += f"\nUNROLLED = {updates.UNROLLED}  # stands for the update in its draws"
    return text


def _loop(steps: Steps) -> str:
    c, start = steps.c, []
    sides = [side for side, count in (("d", c.d_steps), ("g", c.g_steps)) if count]  # a count of 0: it is frozen
    d_step, g_step = "train_discriminator", "train_generator"
    if steps.dense:
        start = [
            "if i in (0, FIRST_STEPS):  # XLA makes threefry numbers fastest, a plain graph only knows philox",
            f'{INDENT}ALG, xla = ("philox", False) if i < FIRST_STEPS else ("threefry", True)',
            *(
                f"{INDENT}{side}_step = tf.function({step}, jit_compile=xla)"
                for side, step in (("d", d_step), ("g", g_step))
                if side in sides
            ),
        ]
        d_step, g_step = "d_step", "g_step"
    update = [f"d_loss = {d_step}(step)"] if "d" in sides else []
    if c.d_steps > 1:
        update = [
            "for update in range(D_STEPS):",
            f"{INDENT}d_loss = {d_step}(step, tf.constant(update, tf.int64))",
        ]
    if c.g_steps > 1 and update:
        update = ["if i % G_STEPS == 0:", *(INDENT + line for line in update)]
    losses = "".join(f"  {side}_loss {{{side}_loss:.4f}}" for side in "gd" if side in sides)
    lines = [
        *start,
        "step = tf.constant(i, tf.int64)",
        *update,
        *[f"g_loss = {g_step}(step)"] * ("g" in sides),
        "if (i + 1) % args.print_every == 0:",
        f'{INDENT}print(f"step {{i + 1}}{losses}", flush=True)',
    ]
    first = []
    if steps.dense:
        first = [f"FIRST_STEPS = {first_steps(c, steps.shape)}  # as a plain graph: XLA takes seconds to compile\n\n"]
    return "\n".join([*first, "for i in range(args.steps):", *(INDENT + line for line in lines)])


def _head(own: Data | None) -> str:
    """The samples' header, as savetxt takes it: the names of the axes."""
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow(("x", "y") if own is None else own.axes)
    encoding = "" if text.getvalue().isascii() else ', encoding="utf-8"'
    return f'header={as_literal(text.getvalue())}, comments=""{encoding}'


def _samples(steps: Steps, back: str, own: Data | None) -> str:
    """Saves what the generator has learnt; back: what brings points to the data's units; own: the user's points."""
    lines = [f"# -- samples{' of the averaged generator' * steps.averaged}"]
    lines += ["generator.set_weights([weight.numpy() for weight in average])"] * steps.averaged
    z = steps.z(GRID**2 if steps.images else POINT_SAMPLES, "[SEED, -1]", PHILOX)
    lines += [f"z = {z}"]
    if not steps.images:
        lines += [
            f"samples = generator(z).numpy(){back}",
            f'np.savetxt(args.output, samples, delimiter=",", {_head(own)})',
        ]
        return "\n".join(lines)
    height, width, channels = steps.shape
    if steps.c.conditional:
        rows = f"tf.one_hot(tf.range({GRID**2}) // {GRID} % CLASSES, CLASSES)"
        lines.append(f"z = tf.concat([z, {rows}], 1)  # a class a row")
    lines += [
        f"grid = generator(z).numpy().reshape({GRID}, {GRID}, {height}, {width}, {channels}).swapaxes(1, 2)",
        f"grid = grid.reshape({GRID * height}, {GRID * width}, {channels})",
        "keras.utils.save_img(args.output, np.rint(np.clip(grid, -1, 1) * 127.5 + 127.5), scale=False)",
    ]
    return "\n".join(lines)
