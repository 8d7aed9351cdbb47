"""The sets of points as script.py writes them: NumPy that makes the very samples of point_datasets.py."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gan_core.data import real_tables
from gan_core.data.datasets import DATASETS
from gan_core.export.script_sources import as_literal, sources

if TYPE_CHECKING:
    from gan_core.data.points import Data


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

_TABLE = """# -- data: two columns of a table as text, with or without a header, or what GANscope exports as data
if args.data.endswith(".npz"):
    with np.load(args.data) as file:
        points = file["points"].astype("float32")
else:
    with open(args.data, encoding="utf-8-sig") as file:
        rows = [row for row in file.read().splitlines() if row.strip()]
    mark = next((mark for mark in "\\t,;" if mark in rows[0]), None)
{columns}    points = np.genfromtxt(rows, delimiter=mark{use})
    points = points[np.isfinite(points).all(1)]  # a header is no row of numbers
    points = points[np.random.default_rng(0).permutation(len(points))][:200_000].astype("float32")
low, high = points.min(0).astype(float), points.max(0).astype(float)
center, scale = np.float32((low + high) / 2), np.float32((high - low){longest} / 2)
data = tf.constant((points - center) / scale)  # {about}"""
_NAMED = """    names = [name.strip().strip("\\"'") for name in rows[0].split(mark)]
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
