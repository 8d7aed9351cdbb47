"""The data sets as script.py writes them: NumPy that makes the samples of point_datasets.py and image_datasets.py."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gan_core.data import real_tables
from gan_core.data.datasets import DATASETS
from gan_core.data.image_datasets import DIGITS_TEST, chosen_classes
from gan_core.data.shapes import SHAPE_NAMES, draw_shapes
from gan_core.export.script_sources import as_literal, sources

if TYPE_CHECKING:
    from gan_core.data.points import Data
    from gan_core.settings.config import GANConfig


# -- points -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Points:
    """A set of points: what it is, code that makes `points` with `rng`, and what brings them to unit size.

    The data set's own parameters are constants in capitals; the calls of `rng` are those of point_datasets.py.
    """

    about: str
    code: str
    scale: str = ""


_MODES = "points = centers[rng.integers(len(centers), size=DATA_SIZE)] + rng.normal(size=(DATA_SIZE, 2)) * STD"
_CURVE = "points = np.stack([x, y], 1)"
_NOISE = " + rng.normal(size=(DATA_SIZE, 2)) * NOISE"

POINTS: dict[str, Points] = {
    "ring": Points(
        "tight Gaussians at equal angles of a circle (as in PacGAN, arXiv 1712.04086)",
        f"""angle = np.linspace(0, 2 * np.pi, MODES, endpoint=False)
centers = RADIUS * np.stack([np.cos(angle), np.sin(angle)], 1)
{_MODES}""",
        "RADIUS",
    ),
    "grid": Points(
        "tight Gaussians on a square grid (as in PacGAN, arXiv 1712.04086)",
        f"""line = (np.arange(SIDE) - (SIDE - 1) / 2) * SPACING
centers = np.stack(np.meshgrid(line, line, indexing="ij"), -1).reshape(-1, 2)
{_MODES}
scale = np.float32(max(line[-1], SPACING / 2))""",
        "scale",
    ),
    "gaussian": Points("one Gaussian blob", "points = rng.normal(size=(DATA_SIZE, 2)) * STD"),
    "disc": Points(
        "uniform in a disc",
        """r, angle = RADIUS * np.sqrt(rng.random(DATA_SIZE)), rng.random(DATA_SIZE) * 2 * np.pi
points = np.stack([r * np.cos(angle), r * np.sin(angle)], 1)""",
        "RADIUS",
    ),
    "moons": Points(
        "two interleaving half circles",
        f"""angle, upper = rng.random(DATA_SIZE) * np.pi, rng.random(DATA_SIZE) < 0.5
x = np.where(upper, np.cos(angle), 1 - np.cos(angle)) - 0.5
y = np.where(upper, np.sin(angle), 0.5 - np.sin(angle)) - 0.25
{_CURVE} / 1.5{_NOISE}""",
    ),
    "circles": Points(
        "one circle inside another",
        f"""angle, outer = rng.random(DATA_SIZE) * 2 * np.pi, rng.random(DATA_SIZE) < 0.5
radius = np.where(outer, 1.0, FACTOR)
x, y = radius * np.cos(angle), radius * np.sin(angle)
{_CURVE}{_NOISE}""",
    ),
    "swiss_roll": Points(
        "one rolled-up curve",
        f"""t = 1.5 * np.pi * (1 + 2 * rng.random(DATA_SIZE))
x, y = t * np.cos(t), t * np.sin(t)
{_CURVE} / (4.5 * np.pi){_NOISE}""",
    ),
    "spirals": Points(
        "arms that wind outwards",
        f"""t = np.sqrt(rng.uniform(0.04, 1.0, DATA_SIZE))
angle = 2 * np.pi * (TURNS * t + rng.integers(ARMS, size=DATA_SIZE) / ARMS)
x, y = t * np.cos(angle), t * np.sin(angle)
{_CURVE}{_NOISE}""",
    ),
    "pinwheel": Points(
        "twisted Gaussian blades (arXiv 1603.06277)",
        f"""blade = rng.integers(ARMS, size=DATA_SIZE)
radial = 1 + 0.3 * rng.normal(size=DATA_SIZE)
tangential = NOISE * rng.normal(size=DATA_SIZE)
angle = 2 * np.pi * blade / ARMS + TWIST * np.exp(radial)
x = radial * np.cos(angle) - tangential * np.sin(angle)
y = radial * np.sin(angle) + tangential * np.cos(angle)
{_CURVE} / 2""",
    ),
    "checkerboard": Points(
        "uniform on the dark squares of a board",
        """board = np.indices((SQUARES, SQUARES)).reshape(2, -1).T
dark = board[board.sum(1) % 2 == 0]
points = 2 * (dark[rng.integers(len(dark), size=DATA_SIZE)] + rng.random((DATA_SIZE, 2))) / SQUARES - 1""",
    ),
    "line": Points(
        "a line segment",
        f"""t = rng.uniform(-1, 1, DATA_SIZE)
x, y = t, 0.6 * t
{_CURVE}{_NOISE}""",
    ),
}

_TABLE = """# -- data: two columns of numbers, with or without a header
with open(args.data, encoding="utf-8-sig") as file:
    rows = [row for row in file.read().splitlines() if row.strip()]
mark = next((mark for mark in "\\t,;" if mark in rows[0]), None)
{columns}points = np.genfromtxt(rows, delimiter=mark{use})
points = points[np.isfinite(points).all(1)]  # a header is no row of numbers
points = points[np.random.default_rng(0).permutation(len(points))][:200_000].astype("float32")
low, high = points.min(0).astype(float), points.max(0).astype(float)
center, scale = np.float32((low + high) / 2), np.float32((high - low){longest} / 2)
data = tf.constant((points - center) / scale)  # {about}"""
_NAMED = """names = [name.strip().strip("\\"'") for name in rows[0].split(mark)]
columns = [names.index(name) for name in {axes}]
"""


def _table_text(data: Data | None) -> str:
    """Code that reads the user's table as `data` was read from it; None: a table of two columns, nothing named."""
    about, longest = "so that they fill the square from -1 to 1, each axis by its own span", ""
    if data is not None and data.equal_axes:  # as earlier versions scaled all tables
        about, longest = "so that the longer side goes from -1 to 1", ".max()"
    columns, use, axes = "", "", ("x", "y") if data is None else data.axes
    numbered = [re.fullmatch(r"column (\d+)", name) for name in axes]
    if all(numbered):
        use = ", usecols=({}, {})".format(*(int(found[1]) - 1 for found in numbered if found))
    elif axes != ("x", "y"):
        columns, use = _NAMED.format(axes=f"({as_literal(axes[0])}, {as_literal(axes[1])})"), ", usecols=columns"
    return _TABLE.format(columns=columns, use=use, longest=longest, about=about)


def _measured_text(data: str, params: Mapping[str, Any]) -> str:
    """Code that makes two columns of a table that scikit-learn brings, as real_tables.py does."""
    columns = real_tables.TABLES[data]
    x, y = real_tables.places(columns, params["x"], params["y"])
    return f"""# -- data: {columns[x]} and {columns[y]} of scikit-learn's {data.replace("_", " ")} table
points = load_{data}().data[:, [{x}, {y}]].astype("float32")
low, high = points.min(0).astype(float), points.max(0).astype(float)
center, scale = np.float32((low + high) / 2), np.float32((high - low) / 2)
points = points[np.random.default_rng([SEED, 0]).permutation(len(points))[:DATA_SIZE]]
data = tf.constant((points - center) / scale)  # so that they fill the square from -1 to 1, each axis by its own span"""


def points_text(data: str, params: Mapping[str, Any], own: Data | None = None) -> tuple[str, str]:
    """(code that makes `data`, in training units; what brings samples back to the data's units).

    params: the data set's own. own: the user's points, whose columns and scale the config does not tell.
    """
    if data == "file":
        return _table_text(own), " * scale + center"
    if data in real_tables.TABLES:
        return _measured_text(data, params), " * scale + center"
    if data not in POINTS:
        return _own_text(data), " * made.scale + made.center"
    row = POINTS[data]
    unit = f" / {row.scale}" if row.scale else ""
    lines = [f"# -- data: {row.about}", "rng = np.random.default_rng([SEED, 0])", row.code]
    lines += [f'data = tf.constant(points.astype("float32"){unit})' + "  # of about unit size" * bool(unit)]
    return "\n".join(lines), unit.replace("/", "*")


_DATA = '''class Data:
    """Points, and what brings them to about unit size."""

    def __init__(self, points, limit=1, scale=1, center=(0, 0), modes=None, mode_std=0, spans=(1, 1), **about):
        self.points, self.center = points, np.float32(center)
        self.scale = (scale * np.array(spans)).astype("float32")'''


def _own_text(data: str) -> str:
    """Code that makes a data set by the very function that is registered for it: one of a user's own."""
    row = DATASETS[data]
    texts, _ = sources(row.draw)
    given = "".join(f", {name}={name.upper()}" for name in row.knobs)
    made = f"made = {row.draw.__name__}(DATA_SIZE, np.random.default_rng([SEED, 0]){given})"
    made += '\ndata = tf.constant(((made.points - made.center) / made.scale).astype("float32"))'
    return "\n\n\n".join([f"# -- data: {row.description}\n{_DATA}", *texts, made])


def is_written(data: str) -> bool:
    """Whether a script can hold this data set of points: by a text of its own, or by its function's."""
    function = DATASETS[data].draw
    return (
        data in POINTS
        or data in real_tables.TABLES
        or (inspect.isfunction(function) and function.__name__.isidentifier())
    )


# -- pictures -----------------------------------------------------------------------------------------------


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
