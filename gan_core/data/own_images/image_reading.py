"""One reading of a user's file of pictures: what was chosen, what is asked, said and left out, and how far it is."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from gan_core.data.own_images.image_rules import MOST_CLASSES, PictureError, as_number
from gan_core.data.proposal import Choices, Progress, Question, parted
from gan_core.foundations.hyperparameters import shorten

BACKGROUNDS = {"white": (255, 255, 255), "black": (0, 0, 0), "gray": (128, 128, 128)}
SHOWN_OPTIONS = 8  # of those that a refusal lists


@dataclass(eq=False)
class Reading:
    """name: of the file, as it is shown. before, after: the lowest and highest value of a pixel, as it was in the file
    and in training units."""

    name: str
    choices: Choices = field(default_factory=dict)
    progress: Progress | None = None
    notes: list[str] = field(default_factory=list)
    questions: dict[str, Question] = field(default_factory=dict)
    left_out: dict[str, int] = field(default_factory=dict)
    depth: int = 0  # of archives within archives
    unpacked: int = 0  # bytes of all .gz files so far
    before: tuple[float, float] = (0.0, 255.0)
    after: tuple[float, float] = (-1.0, 1.0)

    def at(self, text: str, done: int, total: int) -> None:
        """Tells how far it is; whoever listens may stop the reading by raising."""
        if self.progress is not None:
            self.progress(text, done, total)

    def say(self, note: str) -> None:
        if note not in self.notes:
            self.notes.append(note)

    def leave(self, what: str, count: int) -> None:
        if count:
            self.left_out[what] = self.left_out.get(what, 0) + count

    def ask(self, name: str, label: str, options: dict[str, str], guess: str, help: str, several: int = 0) -> str:
        """The user's choice, else the guess; the question stands in the proposal. Raises PictureError."""
        chosen = self.choices.get(name, guess)
        for value in parted(chosen) if several else [chosen]:
            if value not in options:
                shown = ", ".join(list(options)[:SHOWN_OPTIONS]) + ", ..." * (len(options) > SHOWN_OPTIONS)
                raise PictureError(f"{name} cannot be {shorten(value)} for {self.name}: it is one of {shown}.")
        self.questions[name] = Question(name, label, options, chosen, help, several)
        return chosen

    # -- what every kind of file may ask ---------------------------------------------------------------------

    def fit(self, square: bool) -> str:
        """How pictures become square: cut, pad or stretch; not asked where all of them are."""
        if square:
            return "cut"
        options = {
            "cut": "cut to the square in the middle",
            "pad": "made square by a margin of the background's colour",
            "stretch": "stretched to a square",
        }
        return self.ask("fit", "Images that are not square", options, "cut", "The networks make square images.")

    def background(self, asked: bool = True) -> tuple[int, int, int]:
        """The colour behind transparent pictures and in margins, as (red, green, blue)."""
        options = {name: name for name in BACKGROUNDS}
        if not asked:
            return BACKGROUNDS["white"]
        help = "The colour behind what is transparent, and of margins."
        return BACKGROUNDS[self.ask("background", "Background", options, "white", help)]

    def held_out(self, joined: bool) -> bool:
        """Whether the pictures of val and test are held out; joined: whether they can be trained on, too."""
        options = {"apart": "held out, for scores alone", "train": "trained on, too" if joined else "not used"}
        help = "Images of a validation or test part."
        return self.ask("held_out", "Validation and test part", options, "apart", help) == "apart"

    def say_held_out(self, count: int, parts: str, kept: int) -> None:
        """Of the `count` pictures of val and test (`parts`: their names), `kept` are held out."""
        if not kept:
            self.say(f"None of the {count:,} images of {parts} is held out: the file does not tell their classes.")
        elif kept < count:
            self.say(f"Of the {count:,} images of {parts}, {kept:,} are held out; the others are left out.")
        else:
            self.say(f"The {count:,} images of {parts} are held out.")

    def black_and_white(self, kind: np.dtype, low: float, high: float) -> tuple[float, float]:
        """(the value that is black, the value that is white) of pixels of this type that lie from low to high.

        The type's or the field's usual range, where at least half of it is used, else what is used. Raises
        PictureError for values that cannot be pictures.
        """
        if not (np.isfinite(low) and np.isfinite(high)):
            raise PictureError(f"{self.name} has values that are NaN or infinite.")
        if low == high:
            raise PictureError(
                f"All values of {self.name} are {low:g}, the same single colour: there is nothing to learn."
            )
        if kind.kind == "b":
            self.say("The values true and false are read as white and black.")
            return self._stretched(low, high, 0.0, 1.0)
        whole = kind.kind in "iu"
        slack = 0.0 if whole else 1e-3  # of rounding
        usual = [(0.0, 255.0), (0.0, 65535.0)] if whole else [(0.0, 1.0), (-1.0, 1.0), (0.0, 255.0)]
        black, white = next((r for r in usual if r[0] - slack <= low and high <= r[1] + slack), (low, high))
        if (black, white) != (low, high):
            half = high - low >= (white - black) / 2
            options = {
                "used": f"{low:g} is black, {high:g} is white",
                "usual": f"{black:g} is black, {white:g} is white",
            }
            help = (
                "Which values are black and white: the lowest and highest of the file, or the usual ones of its type."
            )
            if self.ask("values", "Values", options, "usual" if half else "used", help) == "used":
                black, white = low, high
        if not (whole and (black, white) == (0.0, 255.0)):
            self.say(f"Values from {black:g} to {white:g} are read as black to white.")
        return self._stretched(low, high, black, white)

    def _stretched(self, low: float, high: float, black: float, white: float) -> tuple[float, float]:
        def unit(value: float) -> float:
            return float(np.clip((value - black) / (white - black), 0, 1) * 2 - 1)

        self.before, self.after = (low, high), (unit(low), unit(high))
        return black, white

    def largest(self, names: list[str | None]) -> tuple[np.ndarray, np.ndarray, tuple[str, ...]]:
        """A class's name for each picture, None: has none -> (which are kept, their int32 numbers, the classes' names).

        The largest MOST_CLASSES stay; pictures of others are left out, and that is said.
        """
        counts: dict[str, int] = {}
        for name in names:
            if name is not None:
                counts[name] = counts.get(name, 0) + 1
        order = sorted(counts, key=lambda name: (-counts[name], as_number(name)))
        kept = sorted(order[:MOST_CLASSES], key=as_number)
        if len(order) > MOST_CLASSES:
            rest = sum(counts[name] for name in order[MOST_CLASSES:])
            self.leave(f"images of the {len(order) - MOST_CLASSES:,} smallest classes", rest)
            self.say(f"{len(order):,} classes; the {MOST_CLASSES} largest are used, {rest:,} images are left out.")
        self.leave("images without a class", sum(name is None for name in names))
        number = {name: i for i, name in enumerate(kept)}
        keep = np.array([i for i, name in enumerate(names) if name in number], np.intp)
        return keep, np.array([number[name] for name in names if name in number], np.int32), tuple(kept)
