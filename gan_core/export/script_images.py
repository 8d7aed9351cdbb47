"""The sets of images as script.py writes them: NumPy that makes the very samples of image_datasets.py."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gan_core.data.image_datasets import DIGITS_TEST, chosen_classes
from gan_core.data.shapes import SHAPE_NAMES, draw_shapes
from gan_core.export.script_sources import sources

if TYPE_CHECKING:
    from gan_core.settings.config import GANConfig


@dataclass(frozen=True)
class Images:
    """A set of pictures: what it is, code that makes `pixels` and `labels`, and at most how many there are.

    black: the ground is black, so that 28 pixels become 32 by a margin. side: that of `pixels`, None for any. drawn: as
    many as are asked for, of the chosen classes alone.
    """

    about: str
    code: str
    count: int = 60_000
    side: int | None = 28
    black: bool = True
    drawn: bool = False


def _keras(name: str) -> str:
    return f"""if args.data:
    with np.load(args.data) as file:
        pixels, labels = file["x_train"], file["y_train"]
else:
    (pixels, labels), _ = keras.datasets.{name}.load_data()"""


_GRAY = "\npixels = pixels[..., None]"
_LABELLED = f"small, labels = (array[:-{DIGITS_TEST}] for array in load_digits(return_X_y=True))"
_DIGITS = f"""{_LABELLED}
small = np.rint(small.reshape(-1, 8, 8) * (255 / 16)).astype("uint8")
small = np.pad(small, ((0, 0), (1, 1), (1, 1)))  # so that strokes at the edge fade out
large = [np.asarray(Image.fromarray(one).resize((24, 24), Image.Resampling.BICUBIC)) for one in small]
pixels = np.pad(np.stack(large), ((0, 0), (2, 2), (2, 2)))[..., None]"""
_PAINT = """
paint = np.random.default_rng(0)  # hue, saturation and full value, to RGB
hue, saturation = paint.random(len(pixels)), paint.uniform(0.5, 1.0, len(pixels))
ramp = np.abs((hue[:, None] * 6 + [0, 4, 2]) % 6 - 3) - 1
tints = (1 - saturation[:, None] * (1 - np.clip(ramp, 0, 1))).astype("float32")[:, None, None]
parts = zip(*(np.array_split(array, 100) for array in (pixels, tints)))
pixels = np.concatenate([np.rint(gray * tint).astype("uint8") for gray, tint in parts])"""

IMAGES: dict[str, Images] = {
    "digits": Images("scikit-learn's 8 x 8 digits, enlarged, with a black margin", _DIGITS, 1797 - DIGITS_TEST),
    "mnist": Images("handwritten digits", _keras("mnist") + _GRAY),
    "fashion_mnist": Images("pieces of clothing", _keras("fashion_mnist") + _GRAY),
    "mnist_rgb": Images("handwritten digits, each in a colour of its own", _keras("mnist") + _GRAY + _PAINT),
    "stacked_mnist": Images("three random digits as red, green and blue", _keras("mnist") + _GRAY),
    "cifar10": Images("photographs of ten kinds of things", _keras("cifar10"), 50_000, side=32, black=False),
}

DRAWN = ("shapes", "shapes_rgb")  # made by the very function that draws them

_NPZ = """with np.load(args.data) as file:
    names = [name for name in ("x_train", "images", "x", "data", *file) if name in file]
    pixels = next(file[name] for name in names if file[name].ndim in (3, 4))
    labels = next(file[name] for name in ("y_train", "labels", "y") if name in file)
if pixels.dtype != np.uint8:  # numbers from 0 to 1, from -1 to 1 or from 0 to 255
    low, high = (-1, 1) if pixels.min() < -0.01 else (0, 1 if pixels.max() < 1.01 else 255)
    pixels = np.rint(np.clip((pixels - low) / (high - low), 0, 1) * 255).astype("uint8")
pixels = pixels.reshape(*pixels.shape[:3], -1)[..., :{channels}]
height, width = pixels.shape[1:3]
edge = min(height, width)  # of the square in the middle
top, left = (height - edge) // 2, (width - edge) // 2
pixels = pixels[:, top : top + edge, left : left + edge]"""
_ZIP = """pixels, labels = [], []
with zipfile.ZipFile(args.data) as archive:
    for name in sorted(archive.namelist()):
        if name.lower().endswith((".png", ".jpg", ".jpeg")):
            picture = Image.open(archive.open(name)).convert("{mode}")
            pixels.append(np.asarray(ImageOps.fit(picture, ({side}, {side}), Image.Resampling.BILINEAR)))
            labels.append(name.split("/")[-2])  # the folder is the class
pixels = np.stack(pixels).reshape(-1, {side}, {side}, {channels})"""

_UNLABELLED = {  # how a line reads where nobody asks for labels
    'pixels, labels = file["x_train"], file["y_train"]': 'pixels = file["x_train"]',
    "(pixels, labels), _ = ": "(pixels, _), _ = ",
    _LABELLED: f"small = load_digits().data[:-{DIGITS_TEST}]",
    "pixels, labels = [], []": "pixels = []",
}


def _without_labels(code: str) -> str:
    for old, new in _UNLABELLED.items():
        code = code.replace(old, new)
    return "\n".join(line for line in code.splitlines() if not line.strip().startswith(("labels ", "labels.")))


def _source(c: GANConfig, shape: tuple[int, ...], upload_name: str) -> Images:
    """Where the pictures of a config come from, before classes are chosen and sizes changed."""
    if c.data in DRAWN:
        return _shapes(c, shape)
    if c.data != "picture_file":
        return IMAGES[c.data]
    side, _, channels = shape
    zipped = upload_name.lower().endswith(".zip")
    mode = "L" if channels == 1 else "RGB"
    code = (_ZIP if zipped else _NPZ).format(side=side, channels=channels, mode=mode)
    return Images("your own images", code, side=side if zipped else None, black=False)


def _shapes(c: GANConfig, shape: tuple[int, ...]) -> Images:
    """Shapes are drawn in their size, and of the chosen classes alone."""
    texts, _ = sources(draw_shapes)
    classes = chosen_classes(str(c.params()["classes"]), len(SHAPE_NAMES)) or list(range(len(SHAPE_NAMES)))
    p = c.params()
    factors = f"({p['darkest']}, {p['lightest']}), ({p['smallest']}, {p['largest']})"
    made = f"draw_shapes(DATA_SIZE, np.random.default_rng([SEED, 0]), {shape[0]}, {shape[2]}, chosen, {factors})"
    first = f"chosen = {classes}  # of circle, square, triangle"
    code = "\n\n\n".join([first, *texts, f"pixels, labels = {made}"])
    return Images("circles, squares and triangles", code, side=shape[0], black=False, drawn=True)


def _resized(side: int, of: int | None, black: bool) -> list[str]:
    """Code that brings `pixels` from the side `of` (None: any) to `side`, as pictures.resize does."""
    if of == side:
        return []
    padded = ["pixels = np.pad(pixels, ((0, 0), (2, 2), (2, 2), (0, 0)))"] if black else []
    if padded and side == 32:
        return padded
    smooth = ", antialias=True" if of is None or of > side else ""
    part = f"np.rint(tf.image.resize(part, ({side}, {side}){smooth}))"
    return [
        *padded,
        "parts = np.array_split(pixels, len(pixels) // 500 + 1)",
        f'pixels = np.concatenate([{part}.astype("uint8") for part in parts])',
    ]


def images_text(c: GANConfig, shape: tuple[int, ...], kept: list[int] | None, upload_name: str) -> str:
    """Code that makes `pixels`, uint8 [N, side, side, C], and, for conditional networks, `labels`.

    kept: the chosen classes, None for all.
    """
    row, stacked = _source(c, shape, upload_name), c.data == "stacked_mnist"
    fewer = c.data_size < row.count and not stacked and not row.drawn
    labelled = c.conditional or kept is not None
    lines = [f"# -- data: {row.about}", row.code if labelled else _without_labels(row.code)]
    if labelled and c.data == "cifar10":
        lines += ["labels = labels.reshape(-1)"]
    if labelled and c.data == "picture_file":
        lines += ["labels = np.unique(labels, return_inverse=True)[1].reshape(-1)"]
    if kept is not None and not row.drawn:
        lines += [f"chosen = np.isin(labels, {kept})", "pixels = pixels[chosen]"]
        if c.conditional:
            lines += [f"labels = np.searchsorted({kept}, labels[chosen])  # classes from 0 on"]
    if fewer or stacked:
        lines += ["rng = np.random.default_rng([SEED, 0])"]
    if fewer:
        lines += [
            "some = np.sort(rng.choice(len(pixels), min(DATA_SIZE, len(pixels)), replace=False))",
            "pixels, labels = pixels[some], labels[some]" if c.conditional else "pixels = pixels[some]",
        ]
    lines += _resized(shape[0], row.side, row.black)
    if stacked:
        lines += [
            "which = rng.integers(len(pixels), size=(DATA_SIZE, 3))",
            "pixels = np.stack([pixels[which[:, channel], ..., 0] for channel in range(3)], -1)",
        ]
    if c.conditional:
        lines += ["CLASSES = int(labels.max()) + 1"] * (c.data == "picture_file")
        lines += ["pixels, labels = tf.constant(pixels), tf.constant(labels, tf.int32)"]
    else:
        lines += ["pixels = tf.constant(pixels)"]
    return "\n".join(lines)
