"""Images and what is known of them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from gan_core.data.resizing import Pixels, resize

Labels = np.ndarray  # int32 [N]


@dataclass(frozen=True, eq=False)
class Whole:
    """The set that images were chosen from, for what must be the same whatever was chosen (classifier.py).

    load: () -> all of its images, with all classes, `side` pixels a side. class_names: of all its classes. kept: which
    of them the classes 0, 1, ... of the chosen images are; None: all, in their order. black: on a black ground, which
    `sized` widens.
    """

    load: "Callable[[], Pictures]"
    side: int
    class_names: tuple[str, ...]
    black: bool
    kept: tuple[int, ...] | None = None

    def native(self, pixels: Pixels) -> Pixels:
        """uint8 [N, H, W, C] of any size that was chosen -> [N, side, side, C]: `sized` undone."""
        if self.black and self.side == 28 and pixels.shape[1] > 28:
            return resize(pixels, 32)[:, 2:-2, 2:-2]
        return resize(pixels, self.side)


@dataclass(frozen=True, eq=False)  # arrays have no single truth value to compare by
class Pictures:
    """Images and what is known of them.

    pixels: uint8 [N, H, W, C], C 1 or 3. labels: int32 [N] in 0..len(class_names) - 1, or None.
    test_pixels, test_labels: held-out images of the same classes (empty or None where there are none).
    per_channel: each channel is a gray picture of its own (stacked_mnist), label = 100 R + 10 G + B.
    left_pixels, left_labels: some that were left out where fewer were asked for, of a set without held-out ones.
    whole: the set that they were chosen from (of stacks: the gray ones); None where these are all.
    """

    kind: ClassVar[str] = "images"

    pixels: Pixels
    labels: Labels | None = None
    class_names: tuple[str, ...] = ()
    test_pixels: Pixels | None = None
    test_labels: Labels | None = None
    per_channel: bool = False
    left_pixels: Pixels | None = None
    left_labels: Labels | None = None
    whole: Whole | None = None

    def __len__(self) -> int:
        return len(self.pixels)

    @property
    def shape(self) -> tuple[int, int, int]:
        """(H, W, C), the shape of one sample."""
        return self.pixels.shape[1:]

    @property
    def array(self) -> Pixels:
        """What training gathers its batches from; to_unit() turns a batch into training units."""
        return self.pixels

    @property
    def known_labels(self) -> Labels:
        """`labels`, where there are some; raises ValueError for images without."""
        if self.labels is None:
            raise ValueError("these images have no labels")
        return self.labels

    @property
    def known_tests(self) -> Pixels:
        """`test_pixels`; an empty array where there are none."""
        return self.pixels[:0] if self.test_pixels is None else self.test_pixels

    @property
    def never_trained(self) -> tuple[Pixels, Labels | None]:
        """Images of the same classes that training never sees, and their classes; empty where there are none."""
        if self.left_pixels is not None:
            return self.left_pixels, self.left_labels
        return self.known_tests, self.test_labels

    def to_unit(self, pixels: Pixels) -> np.ndarray:
        """uint8 [..., H, W, C] -> float32 in [-1, 1]."""
        unit = np.asarray(pixels).astype(np.float32)
        unit /= 127.5
        unit -= 1
        return unit

    def from_unit(self, unit: np.ndarray) -> Pixels:
        """float [..., H, W, C] -> uint8, clipped and rounded; NaN becomes gray."""
        values = np.nan_to_num(np.asarray(unit, np.float32), nan=0.0, posinf=1.0, neginf=-1.0)
        return np.rint(np.clip(values, -1, 1) * 127.5 + 127.5).astype(np.uint8)


def as_pictures(data: object) -> Pictures:
    """`data`, which is images; raises TypeError for points."""
    if not isinstance(data, Pictures):
        raise TypeError("images are needed here, not points")
    return data


# -- as a run keeps them ------------------------------------------------------------------------------------


def to_arrays(upload: Pictures) -> dict[str, np.ndarray]:
    """The user's own pictures by name; `from_arrays` undoes it."""
    arrays = {"pixels": upload.pixels, "class_names": np.array(upload.class_names, np.str_)}
    arrays |= {} if upload.labels is None else {"labels": upload.labels}
    arrays["test_pixels"] = upload.known_tests
    return arrays if upload.test_labels is None else {**arrays, "test_labels": upload.test_labels}


def from_arrays(
    native: bool,
    pixels: Pixels,
    class_names: np.ndarray,
    labels: Labels | None = None,
    test_pixels: Pixels | None = None,
    test_labels: Labels | None = None,
) -> Pictures:
    """The pictures of a run, if one can train on them; raises ValueError. native: it trained on them as they come."""
    names = tuple(str(name) for name in class_names)
    if pixels.dtype != np.uint8 or pixels.ndim != 4 or pixels.shape[3] not in (1, 3):
        raise ValueError
    if 0 in pixels.shape or pixels.shape[1] != pixels.shape[2]:
        raise ValueError
    if test_pixels is None:  # saved before there were any, and before the networks made 48 pixels
        pixels = resize(pixels, 28) if native and pixels.shape[1] == 48 else pixels
        test_pixels = pixels[:0]
    if test_pixels.dtype != np.uint8 or test_pixels.shape[1:] != pixels.shape[1:]:
        raise ValueError
    for some, of in ((labels, pixels), (test_labels, test_pixels)):
        if some is not None and (
            some.dtype != np.int32 or some.shape != of.shape[:1] or not ((some >= 0) & (some < len(names))).all()
        ):
            raise ValueError
    return Pictures(pixels, labels, names, test_pixels if len(test_pixels) else None, test_labels)
