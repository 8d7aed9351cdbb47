"""A user's own data in a saved run's file: as arrays by name, and back."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from gan_core.data.pictures import Pictures, from_arrays, to_arrays
from gan_core.data.points import OwnPoints
from gan_core.foundations.hyperparameters import printable


def arrays_of(upload: Any) -> dict[str, Any]:
    """What is written of an upload (OwnPoints, Pictures, or points of an earlier version)."""
    if isinstance(upload, np.ndarray):  # opened from a run of an earlier version, whose axes share one scale
        return {"points": upload}
    if isinstance(upload, Pictures):
        return to_arrays(upload)
    arrays: dict[str, Any] = {"class_names": np.array(upload.class_names, np.str_)}
    arrays |= {"points": upload.points, "axes": np.array(upload.axes, np.str_)}
    return arrays if upload.labels is None else {**arrays, "labels": upload.labels}


def upload_of(arrays: dict[str, np.ndarray], native: bool) -> OwnPoints | Pictures | np.ndarray:
    """The upload that was written, if one can train on it; raises ValueError, TypeError.

    native: the run trained on its pictures as they come.
    """
    if "points" in arrays:
        return _points(**arrays)
    pictures = from_arrays(native, **arrays)
    return replace(pictures, class_names=tuple(printable(name) for name in pictures.class_names))


def _points(
    points: np.ndarray,
    axes: np.ndarray | None = None,
    class_names: np.ndarray | tuple[str, ...] = (),
    labels: np.ndarray | None = None,
) -> OwnPoints | np.ndarray:
    """The points, if one can train on them; raises ValueError."""
    if points.ndim != 2 or points.shape[1] != 2 or points.dtype != np.float32 or not np.isfinite(points).all():
        raise ValueError
    if (points.min(0) == points.max(0)).any():
        raise ValueError
    if axes is None:
        return points
    across, up = (printable(str(name)) for name in axes)
    names = _class_names(class_names, labels, len(points))
    return OwnPoints(points, labels, names, (across, up))


def _class_names(class_names: Any, labels: np.ndarray | None, count: int) -> tuple[str, ...]:
    """The names that the labels of `count` samples stand for; raises ValueError."""
    names = tuple(printable(str(name)) for name in class_names)
    if labels is not None:
        inside = labels.dtype == np.int32 and 0 <= labels.min() <= labels.max() < len(names)
        if not inside or labels.shape != (count,):
            raise ValueError
    return names
