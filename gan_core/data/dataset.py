"""What a data set is: a row of the registry `DATASETS`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from gan_core.data.pictures import Pictures
from gan_core.data.points import Data
from gan_core.foundations.hyperparameters import Hyperparameter


@dataclass(frozen=True)
class Dataset:
    """A row of the registry: how to draw the data, what it is, its own knobs, and `points` or `images`.

    upload: a file of the user's. class_names: those to choose from. native: the shape of one sample as it comes (of a
    user's pictures only a guess). most: how many there are to train with, None for as many as one wants. tests: how
    many are held out.
    """

    draw: Callable[..., Data | Pictures]
    description: str
    knobs: dict[str, Hyperparameter] = field(default_factory=dict)
    kind: str = "points"
    upload: bool = False
    class_names: tuple[str, ...] = ()
    native: tuple[int, ...] = (2,)
    most: int | None = None
    tests: int = 0

    @property
    def finite(self) -> bool:
        """Whether these are all the points that there are, so that no fresh ones can be drawn beside them."""
        return self.kind == "points" and (self.upload or self.most is not None)
