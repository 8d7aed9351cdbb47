"""The sets of points: each a function `(n, rng, **parameters) -> Data` and a row of `POINT_DATASETS`."""

from __future__ import annotations

import numpy as np

from gan_core.data.dataset import Dataset
from gan_core.data.points import Data, OwnPoints, Points
from gan_core.foundations.hyperparameters import Hyperparameter


def _mixture(centers: np.ndarray, std: float, n: int, rng: np.random.Generator, **about) -> Data:
    which = rng.integers(len(centers), size=n)
    points = centers[which] + rng.normal(size=(n, 2)) * std
    return Data(points.astype(np.float32), modes=centers.astype(np.float32), mode_std=std, **about)


def gaussian(n: int, rng: np.random.Generator, std: float = 0.5) -> Data:
    """N(0, std² I), unscaled; the axes reach ±3 for the tutorial's std of 0.5."""
    points = rng.normal(size=(n, 2)) * std
    return Data(points.astype(np.float32), limit=6 * std)


def disc(n: int, rng: np.random.Generator, radius: float = 1.0) -> Data:
    """Uniform in the disc: r = radius sqrt(u)."""
    r, angle = radius * np.sqrt(rng.random(n)), rng.random(n) * 2 * np.pi
    points = np.stack([r * np.cos(angle), r * np.sin(angle)], 1)
    return Data(points.astype(np.float32), limit=1.5 * radius, scale=radius)


def ring(n: int, rng: np.random.Generator, modes: int = 8, radius: float = 1.0, std: float = 0.01) -> Data:
    """Gaussian modes at equal angles of a circle (PacGAN, arXiv 1712.04086: 8 modes, radius 1, std 0.01)."""
    angle = np.linspace(0, 2 * np.pi, modes, endpoint=False)
    centers = radius * np.stack([np.cos(angle), np.sin(angle)], 1)
    return _mixture(centers, std, n, rng, limit=1.5 * radius, scale=radius)


def grid(n: int, rng: np.random.Generator, side: int = 5, spacing: float = 2.0, std: float = 0.05) -> Data:
    """side x side Gaussian modes (PacGAN: 25 at {-4, -2, 0, 2, 4}², std 0.05)."""
    line = (np.arange(side) - (side - 1) / 2) * spacing
    centers = np.stack(np.meshgrid(line, line, indexing="ij"), -1).reshape(-1, 2)
    half = max(line[-1], spacing / 2)
    return _mixture(centers, std, n, rng, limit=half + 0.75 * spacing, scale=half)


def _shape(x: np.ndarray, y: np.ndarray, noise: float, rng: np.random.Generator, scale: float) -> Data:
    """A curve with noise, brought to about unit size in its own units."""
    points = np.stack([x, y], 1) / scale
    points += rng.normal(size=points.shape) * noise
    return Data(points.astype(np.float32), limit=1.5 + noise)


def moons(n: int, rng: np.random.Generator, noise: float = 0.04) -> Data:
    """Two interleaving half circles (as scikit-learn's make_moons), centred, radius 2/3."""
    angle, upper = rng.random(n) * np.pi, rng.random(n) < 0.5
    x = np.where(upper, np.cos(angle), 1 - np.cos(angle)) - 0.5
    y = np.where(upper, np.sin(angle), 0.5 - np.sin(angle)) - 0.25
    return _shape(x, y, noise, rng, scale=1.5)


def circles(n: int, rng: np.random.Generator, noise: float = 0.02, factor: float = 0.5) -> Data:
    """Two circles of radius 1 and `factor` (as scikit-learn's make_circles)."""
    angle, outer = rng.random(n) * 2 * np.pi, rng.random(n) < 0.5
    radius = np.where(outer, 1.0, factor)
    return _shape(radius * np.cos(angle), radius * np.sin(angle), noise, rng, scale=1.0)


def swiss_roll(n: int, rng: np.random.Generator, noise: float = 0.02) -> Data:
    """Columns 0 and 2 of scikit-learn's make_swiss_roll: t (cos t, sin t), t in [1.5 π, 4.5 π]."""
    t = 1.5 * np.pi * (1 + 2 * rng.random(n))
    return _shape(t * np.cos(t), t * np.sin(t), noise, rng, scale=4.5 * np.pi)


def spirals(n: int, rng: np.random.Generator, arms: int = 2, turns: float = 1.25, noise: float = 0.02) -> Data:
    """Archimedean arms from near the centre outwards."""
    t = np.sqrt(rng.uniform(0.04, 1.0, n))
    angle = 2 * np.pi * (turns * t + rng.integers(arms, size=n) / arms)
    return _shape(t * np.cos(angle), t * np.sin(angle), noise, rng, scale=1.0)


def pinwheel(n: int, rng: np.random.Generator, arms: int = 5, twist: float = 0.25, noise: float = 0.1) -> Data:
    """Gaussian blades, twisted (Johnson et al., arXiv 1603.06277): `noise` is a blade's tangential width."""
    blade = rng.integers(arms, size=n)
    radial = 1 + 0.3 * rng.normal(size=n)
    tangential = noise * rng.normal(size=n)
    angle = 2 * np.pi * blade / arms + twist * np.exp(radial)
    x = radial * np.cos(angle) - tangential * np.sin(angle)
    y = radial * np.sin(angle) + tangential * np.cos(angle)
    return Data((np.stack([x, y], 1) / 2).astype(np.float32), limit=1.5)


def checkerboard(n: int, rng: np.random.Generator, squares: int = 4) -> Data:
    """Uniform on the dark squares of a board over [-1, 1]²."""
    board = np.indices((squares, squares)).reshape(2, -1).T
    dark = board[board.sum(1) % 2 == 0]
    corner = dark[rng.integers(len(dark), size=n)] + rng.random((n, 2))
    return Data((2 * corner / squares - 1).astype(np.float32), limit=1.5)


def line(n: int, rng: np.random.Generator, noise: float = 0.02) -> Data:
    """A diagonal line segment."""
    t = rng.uniform(-1, 1, n)
    return _shape(t, 0.6 * t, noise, rng, scale=1.0)


def from_points(own: Points | OwnPoints) -> Data:
    """The user's own points, finite, neither column constant (tables.py sees to it): each axis by its own span.

    An array, float32 [N, 2], is an upload of a run that an earlier version saved: both its axes share the longer span,
    as they did when it was trained.
    """
    points = own if isinstance(own, np.ndarray) else own.points
    low, high = points.min(0).astype(float), points.max(0).astype(float)
    center = (float((low[0] + high[0]) / 2), float((low[1] + high[1]) / 2))
    if isinstance(own, np.ndarray):
        scale = float((high - low).max() / 2)
        return Data(points, limit=1.25 * scale, scale=scale, center=center)
    spans = (float((high[0] - low[0]) / 2), float((high[1] - low[1]) / 2))
    about = {"labels": own.labels, "class_names": own.class_names, "axes": own.axes}
    return Data(points, limit=1.25, center=center, spans=spans, **about)


# -- the registry's rows ------------------------------------------------------------------------------------


def _amount(default: float, low: float, high: float, label: str, text: str) -> Hyperparameter:
    return Hyperparameter(float, default, label, text, low=low, high=high)


def _count(default: int, low: int, high: int, label: str, text: str) -> Hyperparameter:
    return Hyperparameter(int, default, label, text, low=low, high=high)


def _noise(default: float, high: float = 0.5) -> Hyperparameter:
    return _amount(
        default,
        0.0,
        high,
        "Noise",
        "Standard deviation of the Gaussian noise on every point. 0: a bare curve that no generator can match exactly. "
        "Too high: the shape is one blob.",
    )


_STD = "Standard deviation of each mode. Small: hard to hit. Large: modes run into each other."
_ARMS = "How many arms. The generator may miss one of them (mode collapse)."

POINT_DATASETS: dict[str, Dataset] = {
    "ring": Dataset(
        ring,
        "8 tight Gaussians on a circle: the classic test for mode collapse",
        {
            "modes": _count(
                8,
                1,
                32,
                "Modes",
                "How many modes; a mode is one cluster of the real data. With more modes, mode collapse is more "
                "likely.",
            ),
            "radius": _amount(
                1.0,
                0.1,
                10.0,
                "Radius",
                "Radius of the circle, in the data's units. Larger: more empty space between modes.",
            ),
            "std": _amount(0.01, 0.001, 0.3, "Standard deviation", _STD),
        },
    ),
    "grid": Dataset(
        grid,
        "25 tight Gaussians on a square grid: many modes to cover",
        {
            "side": _count(
                5,
                1,
                10,
                "Modes per side",
                "The grid has this number squared of modes. With more, mode collapse is more likely.",
            ),
            "spacing": _amount(
                2.0,
                0.2,
                10.0,
                "Spacing",
                "Distance between neighbouring modes, in the data's units. Larger: harder to cross.",
            ),
            "std": _amount(0.05, 0.001, 0.5, "Standard deviation", _STD),
        },
    ),
    "gaussian": Dataset(
        gaussian,
        "one Gaussian: the simplest data set",
        {"std": _amount(0.5, 0.05, 2.0, "Standard deviation", "Width of the Gaussian, in the data's units.")},
    ),
    "disc": Dataset(
        disc,
        "uniform in a circle: can it learn a hard edge?",
        {"radius": _amount(1.0, 0.1, 10.0, "Radius", "Radius of the disc, in the data's units.")},
    ),
    "moons": Dataset(moons, "two interleaving half circles", {"noise": _noise(0.04)}),
    "circles": Dataset(
        circles,
        "one circle inside another",
        {
            "noise": _noise(0.02),
            "factor": _amount(
                0.5, 0.1, 0.9, "Inner radius", "Radius of the inner circle. Near 0.9 the two circles touch."
            ),
        },
    ),
    "swiss_roll": Dataset(swiss_roll, "one rolled-up curve", {"noise": _noise(0.02)}),
    "spirals": Dataset(
        spirals,
        "arms that wind outwards",
        {
            "arms": _count(2, 1, 6, "Arms", _ARMS),
            "turns": _amount(
                1.25, 0.25, 3.0, "Turns", "How often an arm winds around. More turns need larger networks."
            ),
            "noise": _noise(0.02),
        },
    ),
    "pinwheel": Dataset(
        pinwheel,
        "twisted blades",
        {
            "arms": _count(5, 2, 10, "Arms", _ARMS),
            "twist": _amount(0.25, 0.0, 1.0, "Twist", "How much the blades bend with the radius. 0: straight."),
            "noise": _noise(0.1, 0.5),
        },
    ),
    "checkerboard": Dataset(
        checkerboard,
        "the dark squares of a board: hard edges everywhere",
        {"squares": _count(4, 2, 10, "Squares per side", "More squares have more edges to learn.")},
    ),
    "line": Dataset(line, "a line segment: one dimension in two", {"noise": _noise(0.02)}),
}
