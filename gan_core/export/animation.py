"""The training as an animated GIF; and which recorded frames an animation takes, which the HTML player asks too."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from gan_core.data.datasets import DATASETS
from gan_core.export.frame_pictures import data_to_draw, file_of, frame_picture
from gan_core.foundations.hyperparameters import ConfigError
from gan_core.runs import run_reading

if TYPE_CHECKING:
    from PIL.Image import Image

    from gan_core.recording.recorder import Recording
    from gan_core.runs.run_reading import Saved

Say = Callable[[float], None]

GIF_FRAMES, GIF_BYTES = 100, 7_500_000
GIF_SECONDS, SLOWEST, LAST = 10.0, 400, 2_500  # of one round; ms of a frame at most, and of the last one
PROBES = 6  # frames that are made to know how many can be afforded


# -- which frames ---------------------------------------------------------------------------------------------


def recorded(run: Saved) -> Recording:
    """The recording, if there is something to show in it; raises ConfigError."""
    recording = run_reading.recording_of(run)
    if not len(recording.frames):
        raise ConfigError(f"{run.folder} holds no recorded frames.")
    wanted = "grid" if DATASETS[run.config.data].kind == "images" else "samples"
    if any(wanted not in frame for frame in recording.frames.items):
        raise ConfigError(f"The recorded frames in {run.folder} are not of the data that it names.")
    return recording


def spread(total: int, n: int) -> list[int]:
    """At most n of range(total), evenly spaced, always with the last one."""
    return sorted(set(np.linspace(total - 1, 0, min(n, total)).round().astype(int).tolist()))


def affordable(total: int, most: int, weigh: Callable[[int], int], most_bytes: int) -> list[int]:
    """`spread`, of fewer than `most` where frames that weigh as much as some of these would exceed `most_bytes`."""
    each = np.mean([weigh(i) for i in spread(total, PROBES)])
    return spread(total, max(1, min(most, int(most_bytes / each))))


# -- GIF ------------------------------------------------------------------------------------------------------


def gif(run: Saved, say: Say) -> bytes:
    """The recorded frames as a GIF that repeats, at most about 8 MB; raises ConfigError."""
    recording, data = recorded(run), data_to_draw(run)
    steps, frames = recording.frames.steps, recording.frames.items

    def picture(i: int) -> Image:
        return frame_picture(frames[i], data, f"step {steps[i]:,}")

    chosen = affordable(len(steps), GIF_FRAMES, lambda i: len(file_of(picture(i), "GIF")), GIF_BYTES)

    def pictures():
        for done, i in enumerate(chosen[1:], 2):
            yield picture(i)
            say(done / len(chosen))

    pause = min(SLOWEST, round(1_000 * GIF_SECONDS / len(chosen)))
    durations = [pause] * (len(chosen) - 1) + [LAST]
    return file_of(
        picture(chosen[0]), "GIF", save_all=True, append_images=pictures(), duration=durations, loop=0, optimize=False
    )


# -- scores ---------------------------------------------------------------------------------------------------


def scalars(scores: dict[str, Any]) -> dict[str, float]:
    """Those of the scores that are single finite numbers, but for their own step."""
    kept = {name: value for name, value in scores.items() if name != "step" and type(value) in (int, float)}
    return {name: value for name, value in kept.items() if math.isfinite(value)}
