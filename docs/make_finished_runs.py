"""Makes the finished runs that come with the app anew: `python docs/make_finished_runs.py [NAME ...]`.

Each of RUNS is trained with the library's own loop and a fixed seed, and written as an ordinary saved run into
gan_core/finished/NAME. What each shows is said in gan_core/runs/finished_runs.py, and checked on the scores that were
recorded by tests/runs/test_finished_runs.py; here stand the settings. All take about ten minutes on two cores.
`--look` prints the scores on the way, and writes nothing.
"""

import shutil
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402

from gan_core.data import loading  # noqa: E402
from gan_core.recording.recorder import Recording  # noqa: E402
from gan_core.recording.training_run import TrainingRun  # noqa: E402
from gan_core.runs import run_writing  # noqa: E402
from gan_core.settings.config import GANConfig  # noqa: E402
from gan_core.settings.presets import PRESETS  # noqa: E402
from gan_core.training.trainer import Trainer  # noqa: E402
from gan_core.training.training_loop import fit  # noqa: E402

FOLDER = ROOT / "gan_core" / "finished"
MOST_BYTES = 1_000_000
SCORE_SECONDS = 300.0  # for the classifier behind the scores of images, which is trained once
GREYS = 17
LOOKS = 12  # lines of --look


@dataclass(frozen=True)
class Made:
    """How a run is made: a preset with other settings, its last step, and where to branch from on the way."""

    preset: str
    settings: dict[str, Any]
    steps: int
    branches: tuple[int, ...] = ()
    frames: int = 48

    @property
    def config(self) -> GANConfig:
        """The settings that it begins with."""
        return PRESETS[self.preset].config.updated(self.settings)

    @property
    def recorded(self) -> list[int]:
        """The steps that are recorded: dense early and sparse late, as a run's own frames are."""
        even = np.linspace(0, 1, self.frames) ** 3 * self.steps
        return sorted({*even.round().astype(int).tolist(), *self.branches, self.steps})


_SMALL = {"g_units": 32, "d_units": 32, "g_layers": 2, "d_layers": 2, "schedule": "constant"}
# What the first papers used: no penalty, no averaged generator.
_PLAIN = {**_SMALL, "loss": "non_saturating", "penalty": "none", "show_ema": False}

# Both plain, and only the learning rates differ.
_RACE = {**_PLAIN, "g_beta_1": 0.5, "d_beta_1": 0.5, "latent_dim": 16}
# The ring on which the authors of the gradient penalty held it against weight clipping.
_WASSERSTEIN = {**_PLAIN, "loss": "wasserstein", "d_steps": 5, "latent_dim": 2, "data.radius": 2.0, "data.std": 0.02}
_CLIPPED = {"weight_clip": 0.01, "g_optimizer": "rmsprop", "d_optimizer": "rmsprop", "g_lr": 5e-5, "d_lr": 5e-5}
_PENALTY = {"penalty": "wgan_gp", "gp_weight": 0.1, "g_beta_2": 0.9, "d_beta_2": 0.9, "show_ema": True}
_DIGITS = {"filters": 8, "latent_dim": 16, "conditional": False}

RUNS: dict[str, Made] = {
    "ring-all-modes": Made("ring", {**_SMALL, "g_units": 48, "d_units": 48}, 6_000, (600,)),
    "ring-two-of-eight": Made("ring", {**_RACE, "g_lr": 2e-4, "d_lr": 2e-3}, 6_000, (600,)),
    "ring-equal-rates": Made("ring", {**_RACE, "g_lr": 1e-3, "d_lr": 1e-3}, 6_000, (600,)),
    "ring-hopping": Made("ring", {**_RACE, "g_lr": 1e-3, "d_lr": 1e-4}, 4_000, (1_000,)),
    "ring-stalled": Made(
        "ring",
        {**_PLAIN, "loss": "minimax", "g_lr": 1e-4, "d_lr": 2e-3, "d_steps": 5, "g_beta_1": 0.5, "d_beta_1": 0.5},
        3_000,
        (300,),
    ),
    "ring-weight-clipping": Made("ring", {**_WASSERSTEIN, **_CLIPPED}, 4_000, (500,)),
    "ring-gradient-penalty": Made(
        "ring",
        {
            **_WASSERSTEIN,
            **_PENALTY,
            "g_units": 48,
            "d_units": 48,
            "g_lr": 5e-4,
            "d_lr": 5e-4,
            "g_beta_1": 0.5,
            "d_beta_1": 0.5,
        },
        4_000,
        (500,),
    ),
    "grid-all-modes": Made("grid", {**_SMALL, "g_units": 64, "d_units": 64}, 10_000, (1_000,), 44),
    "swiss-roll": Made("swiss_roll", {**_SMALL, "g_units": 48, "d_units": 48}, 8_000, (500,)),
    "gaussian-circling": Made(
        "gaussian",
        {**_PLAIN, "g_lr": 1e-3, "d_lr": 1e-3, "g_beta_1": 0.9, "d_beta_1": 0.9, "data.std": 0.1},
        3_000,
        (300,),
    ),
    "moons-rate-too-high": Made(
        "moons",
        {**_SMALL, "loss": "least_squares", "penalty": "none", "show_ema": False, "g_lr": 0.05, "d_lr": 0.05},
        2_000,
        (100,),
    ),
    "digits-readable": Made("digits", _DIGITS, 1_500, (400,), 32),
    "digits-all-alike": Made(
        "digits",
        {
            **_DIGITS,
            "loss": "non_saturating",
            "penalty": "none",
            "show_ema": False,
            "g_beta_1": 0.5,
            "d_beta_1": 0.5,
            "g_lr": 4e-3,
            "d_lr": 2e-4,
        },
        800,
        (),
        32,
    ),
}


def trained(made: Made) -> tuple[TrainingRun, Recording]:
    """The run at its end, and of its recording what is shipped."""
    config = made.config
    training = TrainingRun(Trainer(config, loading.load(config)))
    kept = Recording()
    for step in made.recorded:
        if step:
            fit(training, step)
        if training.error:
            print(training.error)
            step = training.step
        training.record()
        _score(training)
        own = training.recording
        kept.frames.add(step, _light(own.frames.items[-1]))
        if own.scores.steps[-1:] == [step]:
            kept.scores.add(step, own.scores.items[-1])
        if step in (*made.branches, made.steps) or training.error:
            kept.checkpoints.add(step, own.checkpoints.items[-1])
        if training.error:
            break
    kept.history = training.recording.history
    training.close()
    return training, kept


def _score(training: TrainingRun) -> None:
    """The scores of this very step, once what they need is there."""
    until = time.monotonic() + SCORE_SECONDS
    while training.recording.scores.steps[-1:] != [training.step] and time.monotonic() < until:
        training.refresh_scores(idle=True)
        if "Preparing" not in training.scores.values.get("note", ""):
            break
        time.sleep(0.1)


def _light(frame: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The frame in fewer bytes. Points lose what is less than a pixel of the plot; images keep GREYS levels of grey, as
    many as the digits themselves have, so that they can be compressed."""
    light = {}
    for name, array in frame.items():
        if array.dtype == np.uint8:
            array = np.round(np.round(array * ((GREYS - 1) / 255)) * (255 / (GREYS - 1))).astype(np.uint8)
        light[name] = array.astype(np.float16) if array.dtype == np.float32 else array
    return light


def look(name: str) -> None:
    """Prints the scores on the way."""
    training, kept = trained(RUNS[name])
    steps = kept.scores.steps
    rows = training.recording.history.frame()
    print(name, training.error, "losses", np.round(rows["mean"][-1], 3))
    for i in sorted({*np.linspace(0, len(steps) - 1, LOOKS).astype(int).tolist()}):
        scores = kept.scores.items[i]
        shown = {n: round(v, 3) for n, v in scores.items() if isinstance(v, float | int) and "floor" not in n}
        print(f"  {steps[i]:6d} {shown} {scores.get('mode_counts', '')}", flush=True)


def make(name: str) -> None:
    """Writes the run NAME anew."""
    made = RUNS[name]
    training, kept = trained(made)
    content = replace(run_writing.Content.of(training, None), recording=kept)
    shutil.rmtree(FOLDER / name, ignore_errors=True)
    run_writing.save(FOLDER / name, content, compressed=True)
    size = sum(path.stat().st_size for path in (FOLDER / name).iterdir())
    print(f"{name}: step {training.step:,}, {len(kept.frames)} frames, {size:,} bytes", flush=True)
    if size > MOST_BYTES:
        raise SystemExit(f"{name} is larger than {MOST_BYTES:,} bytes.")


def main(arguments: list[str]) -> None:
    """All runs, or those named."""
    names = [name for name in arguments if not name.startswith("-")] or list(RUNS)
    for name in names:
        (look if "--look" in arguments else make)(name)


if __name__ == "__main__":
    main(sys.argv[1:])
