"""Points of the plane and what is known of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

Points = np.ndarray  # float32 [N, 2]


@dataclass(frozen=True, eq=False)  # arrays have no single truth value to compare by
class OwnPoints:
    """A user's points as a table gave them (tables.py).

    points: float32 [N, 2] in random order, finite, neither column constant. labels: int32 [N] in
    0..len(class_names) - 1, or None. axes: the names of the columns, with their units.
    """

    points: Points
    labels: np.ndarray | None = None
    class_names: tuple[str, ...] = ()
    axes: tuple[str, str] = ("x", "y")

    def __len__(self) -> int:
        return len(self.points)


@dataclass(frozen=True, eq=False)
class Data:
    """Points and what is known of them, in the data's own units.

    points: float32 [N, 2]. Training sees (points - center) / (scale * spans): `spans` are the units of the two axes,
    (1, 1) where both are measured alike. limit: half the width of the square to plot around `center`, in `spans`, too.
    modes: float32 [M, 2], the centres, or None; mode_std: the standard deviation of a mode, in each direction; both
    are for axes that are measured alike. labels: int32 [N], classes to colour the points by, or None; class_names:
    theirs. axes: what the two columns are called.
    """

    kind: ClassVar[str] = "points"

    points: Points
    limit: float
    scale: float = 1.0
    center: tuple[float, float] = (0.0, 0.0)
    modes: Points | None = None
    mode_std: float = 0.0
    spans: tuple[float, float] = (1.0, 1.0)
    labels: np.ndarray | None = None
    class_names: tuple[str, ...] = ()
    axes: tuple[str, str] = ("x", "y")

    def __len__(self) -> int:
        return len(self.points)

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of one sample."""
        return self.points.shape[1:]

    @property
    def array(self) -> Points:
        """What training gathers its batches from: the points in training units."""
        return self.to_unit(self.points)

    @property
    def known_modes(self) -> Points:
        """`modes`, of a mixture; raises ValueError for data without."""
        if self.modes is None:
            raise ValueError("these points have no modes")
        return self.modes

    @property
    def equal_axes(self) -> bool:
        """Whether both axes are measured alike: only then is a distance of two points one in the data's units."""
        return self.spans[0] == self.spans[1]

    @property
    def scales(self) -> np.ndarray:
        """What a step of 1 in training units is on each axis, float64 [2]."""
        return self.scale * np.array(self.spans)

    @property
    def limits(self) -> tuple[float, float]:
        """Half the width and half the height to plot around `center`."""
        return self.limit * self.spans[0], self.limit * self.spans[1]

    def to_unit(self, points: Points) -> Points:
        """float32 [N, 2] in the data's units -> the same in training units."""
        return ((points - np.array(self.center, np.float32)) / self.scales.astype(np.float32)).astype(np.float32)

    def from_unit(self, points: Points) -> Points:
        """float32 [N, 2] in training units -> the same in the data's units."""
        return (points * self.scales.astype(np.float32) + np.array(self.center, np.float32)).astype(np.float32)

    def measured(self, points: Points) -> Points:
        """[N, 2] in the data's units -> in those that distances are taken in: the same, or, where the two axes are not
        measured alike (minutes and dollars), training's, in which each axis has its own span."""
        return points if self.equal_axes else self.to_unit(points)


def as_points(data: object) -> Data:
    """`data`, which is points; raises TypeError for images."""
    if not isinstance(data, Data):
        raise TypeError("points are needed here, not images")
    return data


def tick(value: float, half: float) -> str:
    """A number on an axis that is 2 `half` wide: as many digits as tell its places apart (1,952 and 1,957)."""
    if not 1e-4 <= abs(value) < 1e6:
        return f"{value:.3g}"
    digits = 3
    while digits < 9 and 10.0 ** (int(np.floor(np.log10(abs(value)))) + 1 - digits) > 0.02 * half:
        digits += 1
    return f"{value:.{digits}g}"
