"""Points of the plane and what is known of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

Points = np.ndarray  # float32 [N, 2]


@dataclass(frozen=True)
class Data:
    """Points and what is known of them, in the data's own units.

    points: float32 [N, 2]. limit: half the width of the square to plot, around `center`. Training sees
    (points - center) / scale. modes: float32 [M, 2], the centres, or None; mode_std: the standard deviation
    of a mode, in each direction.
    """

    kind: ClassVar[str] = "points"
    labels: ClassVar[None] = None
    class_names: ClassVar[tuple[str, ...]] = ()

    points: Points
    limit: float
    scale: float = 1.0
    center: tuple[float, float] = (0.0, 0.0)
    modes: Points | None = None
    mode_std: float = 0.0

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

    def to_unit(self, points: Points) -> Points:
        """float32 [N, 2] in the data's units -> the same in training units."""
        return ((points - np.array(self.center, np.float32)) / np.float32(self.scale)).astype(np.float32)

    def from_unit(self, points: Points) -> Points:
        """float32 [N, 2] in training units -> the same in the data's units."""
        return (points * np.float32(self.scale) + np.array(self.center, np.float32)).astype(np.float32)


def as_points(data: object) -> Data:
    """`data`, which is points; raises TypeError for images."""
    if not isinstance(data, Data):
        raise TypeError("points are needed here, not images")
    return data
