"""`FINISHED`: the trainings that come with the app, to be watched before anything is trained. Read only.

Each is a saved run as any other, in gan_core/finished/NAME; docs/make_finished_runs.py has their settings and makes
them anew. What is claimed here is checked on the recorded scores by tests/runs/test_finished_runs.py.
"""

from dataclasses import dataclass
from pathlib import Path

import gan_core
from gan_core.runs import run_reading
from gan_core.runs.run_reading import Saved

FOLDER = Path(gan_core.__file__).resolve().parent / "finished"


@dataclass(frozen=True)
class Finished:
    """A row of the registry. title: what happens; look_for: where to look, a sentence or two; good: whether it ends
    well; kind: `points` or `images`, the page that shows it."""

    title: str
    look_for: str
    good: bool
    kind: str = "points"


FINISHED: dict[str, Finished] = {
    "ring-all-modes": Finished(
        "All eight modes found",
        "At step 20 all points are on one side. From step 800 on every cluster has some, and then they sharpen.",
        True,
    ),
    "ring-two-of-eight": Finished(
        "Mode collapse: two of eight modes",
        "At step 6,000, 94 % of the points are good, but only in two clusters. D learns ten times as fast as G.",
        False,
    ),
    "ring-equal-rates": Finished(
        "Equal learning rates: all eight",
        "The same networks as with two of eight modes, but D learns no faster than G. All eight by step 2,300.",
        True,
    ),
    "ring-hopping": Finished(
        "Mode collapse: one clump hops",
        "From step 700 on the points are one clump. It leaves each cluster once D has learned to reject it.",
        False,
    ),
    "ring-stalled": Finished(
        "The discriminator wins",
        "From step 300 on D accuracy is over 90 %. The minimax loss then gives no gradient: the left half stays empty.",
        False,
    ),
    "ring-weight-clipping": Finished(
        "WGAN with weight clipping",
        "After 4,000 steps the points are still one blob in the middle: clipped weights make D almost flat.",
        False,
    ),
    "ring-gradient-penalty": Finished(
        "WGAN with a gradient penalty",
        "The same ring as with clipped weights. Here all eight clusters are found by step 700.",
        True,
    ),
    "grid-all-modes": Finished(
        "All 25 modes of a grid",
        "At step 2,000 the points cover the whole square. By step 10,000 they have gathered in all 25 clusters.",
        True,
    ),
    "swiss-roll": Finished(
        "A swiss roll, unrolled",
        "At step 2,000 it is still a ring, by step 6,000 a spiral. Switch the manifold on to see how z was folded.",
        True,
    ),
    "gaussian-circling": Finished(
        "Around the target, never in it",
        "G chases, D follows: the points run around the real ones, and their distance (Wasserstein-1) never settles.",
        False,
    ),
    "moons-rate-too-high": Finished(
        "Learning rates far too high",
        "With learning rates of 0.05 the points jump about. From step 1,000 on all of them sit on one single spot.",
        False,
    ),
    "digits-readable": Finished(
        "Digits become readable",
        "Noise at step 0, first strokes at step 90. By step 1,500 you can name most of the digits.",
        True,
        "images",
    ),
    "digits-all-alike": Finished(
        "Mode collapse: digits all alike",
        "At step 800 the images are the same few blurred shapes again and again. Recall, which measures variety, is 0.",
        False,
        "images",
    ),
}


def folder_of(name: str) -> Path:
    """Where the finished run `name` lies; KeyError for another name."""
    FINISHED[name]
    return FOLDER / name


def name_of(folder: Path) -> str | None:
    """The finished run that lies in `folder`; None for all other runs."""
    folder = Path(folder)
    return folder.name if folder.name in FINISHED and folder.parent == FOLDER else None


def here(folder: Path) -> Path:
    """`folder`, or where that finished run lies on this machine: a cluster's node may have its GANscope elsewhere."""
    shipped = folder.name in FINISHED and folder.parts[-3:-1] == FOLDER.parts[-2:]
    return FOLDER / folder.name if shipped and not run_reading.is_run(folder) else folder


def read(name: str) -> Saved:
    """The finished run `name`; raises ConfigError where its files are missing or damaged."""
    return run_reading.read(folder_of(name))
