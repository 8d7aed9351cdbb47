"""A round of *Real or generated?*: watchers judge samples one after another, and so has the discriminator."""

import gzip
import math
import secrets
import time
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gan_core.data.points import as_points
from pages.ui.components.liveplot import pack
from pages.ui.frames.polls import MOST_WATCHERS, Refused

ROUND_SECONDS = 30.0
GRACE_SECONDS = 2.0  # after the end, for answers that are on their way
DRAWING_SECONDS = 30.0  # a training process that has not made the samples by then does not make them
PLACES = 4_096  # on each axis, to which points are rounded: else their last digits could tell
MARGIN = 64  # places from the edge, for generated points far outside
Z = 1.959964  # standard deviations of a normal distribution on each side of 95 %

DRAWING, ON, OVER, FAILED = "drawing", "on", "over", "failed"


@dataclass(frozen=True)
class Result:
    """What a round came to: the step, answers, how many of them were right, and how many of the discriminator's on
    the same samples, each as often as it was judged."""

    step: int
    answers: int
    right: int
    d_right: int


def interval(right: int, of: int) -> tuple[float, float]:
    """The 95 % interval of a share (Wilson 1927), each end in 0..1."""
    if of < 1:
        return 0.0, 1.0
    share, z2 = right / of, Z * Z
    middle, width = share + z2 / (2 * of), Z * math.sqrt(share * (1 - share) / of + z2 / (4 * of * of))
    low, high = (middle - width) / (1 + z2 / of), (middle + width) / (1 + z2 / of)
    return max(0.0, low), min(1.0, high)


@dataclass
class Round:
    """A round. number: of the presentation. wish: names the samples that the training process makes for it, at random.

    content: the samples as watchers fetch them, gzipped, once there are some (`deal`).
    """

    number: int
    seconds: float = ROUND_SECONDS
    wish: int = field(default_factory=lambda: 1 + secrets.randbelow(2**31 - 1))
    stage: str = DRAWING
    content: bytes = b""
    step: int = 0
    failure: str = ""
    _since: float = field(default_factory=lambda: time.monotonic())  # this stage
    _real: list[bool] = field(default_factory=list)
    _d_says: list[bool] = field(default_factory=list)
    _answers: dict[str, dict[int, bool]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self._real)

    def deal(self, judging: dict[str, Any], data: Any) -> None:
        """Takes the samples (gan_core.recording.judging) in a random order and begins; data: those of the run."""
        n = len(judging["samples"])
        order = np.random.default_rng(secrets.randbits(128)).permutation(n)
        samples, step = judging["samples"][order], int(judging["step"])
        about = _pictures(samples) if samples.ndim == 4 else _places(samples, judging["crowd"], data)
        self.content, self.step = gzip.compress(pack({"count": n, **about}), 6), step
        self._real = (order < n // 2).tolist()
        self._d_says = (judging["p_real"][order] > 0.5).tolist()
        self.stage, self._since = ON, time.monotonic()

    def tick(self) -> bool:
        """Goes on to the next stage where it is time to; whether it did."""
        passed = time.monotonic() - self._since
        if self.stage == ON and passed > self.seconds + GRACE_SECONDS:
            self.stage = OVER
        elif self.stage == DRAWING and passed > DRAWING_SECONDS:
            self.fail("The training process made no samples in time. Start the round again.")
        else:
            return False
        return True

    def fail(self, sentence: str) -> None:
        """Ends it without a result."""
        self.stage, self.failure = FAILED, sentence

    def stop(self) -> None:
        """Ends it now."""
        self.stage = OVER if self.stage == ON else self.stage

    def left(self) -> float:
        """Seconds until its end."""
        return max(0.0, self.seconds - (time.monotonic() - self._since)) if self.stage == ON else 0.0

    def take(self, watcher: str, answers: dict[int, bool]) -> None:
        """Counts what a watcher says of samples, whether each is real, of each the first answer; raises Refused where
        none of them counts."""
        if self.stage != ON:
            raise Refused(410, "This round is not open. The answer does not count.")
        if not all(0 <= sample < len(self) for sample in answers):
            raise Refused(400, "The round has no such sample.")
        known = self._answers.get(watcher)
        if known is None and len(self._answers) >= MOST_WATCHERS:
            raise Refused(503, f"{MOST_WATCHERS:,} take part already; no more are counted.")
        new = {sample: said for sample, said in answers.items() if known is None or sample not in known}
        if not new:
            raise Refused(409, "You have judged this sample already. Your first answer counts.")
        self._answers.setdefault(watcher, {}).update(new)  # as from two tabs, of which each has an order of its own

    def judged_by(self, watcher: str) -> list[int]:
        """The samples that this watcher has judged: a page that was opened again goes on with the others."""
        return sorted(self._answers.get(watcher, ()))

    def of(self, watcher: str) -> tuple[int, int] | None:
        """(how many of this watcher's answers are right, how many there are), once the round is over."""
        answers = self._answers.get(watcher)
        if self.stage != OVER or answers is None:
            return None
        return sum(self._real[sample] == said for sample, said in answers.items()), len(answers)

    def progress(self) -> tuple[int, int]:
        """(answers so far, watchers who gave them)."""
        return sum(map(len, self._answers.values())), len(self._answers)

    def result(self) -> Result:
        """What it came to."""
        judged = [(sample, said) for answers in self._answers.values() for sample, said in answers.items()]
        right = sum(self._real[sample] == said for sample, said in judged)
        d_right = sum(self._real[sample] == self._d_says[sample] for sample, _ in judged)
        return Result(self.step, len(judged), right, d_right)


def _pictures(samples: np.ndarray) -> dict[str, Any]:
    return {"kind": "images", "pixels": samples.reshape(-1), "shape": list(samples.shape)}


def _places(samples: np.ndarray, crowd: np.ndarray, data: Any) -> dict[str, Any]:
    """Points as whole places on what the plot shows, 0 to PLACES - 1 from the left and from the bottom: `points` int32
    [n, 2], and the real ones around them, `crowd` int32 [m, 2]."""
    data = as_points(data)
    low = np.array(data.center) - np.array(data.limits)

    def rounded(points: np.ndarray) -> np.ndarray:
        share = np.nan_to_num((points - low) / (2 * np.array(data.limits)), nan=0.5, posinf=1.0, neginf=0.0)
        return np.clip(np.rint(share * PLACES), MARGIN, PLACES - 1 - MARGIN).astype(np.int32)

    points, around = rounded(samples), rounded(crowd)
    shown = {tuple(place) for place in points.tolist()}
    apart = [tuple(place) not in shown for place in around.tolist()]  # one that lies on another would give it away
    return {"kind": "points", "points": points, "crowd": around[np.array(apart, bool)], "places": PLACES}
