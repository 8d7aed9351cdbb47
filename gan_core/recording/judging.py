"""Samples that people and the discriminator are to judge alike: as many real ones as generated ones."""

from typing import Any

import numpy as np

from gan_core.data.pictures import as_pictures
from gan_core.data.points import as_points
from gan_core.recording import visuals
from gan_core.training.trainer import Trainer

HALF = 32  # real ones, and as many generated ones; fewer where the data are fewer
CROWD = 400  # other real points, among which a point is shown


def look(trainer: Trainer, number: int) -> dict[str, Any]:
    """The samples of this number, which seeds their choice, as the run stands now. In the data's own units:

    `number`, `step`; `samples` uint8 [2 n, H, W, C] or float32 [2 n, 2], the real ones first; `p_real` float32 [2 n],
    what the discriminator says of each: above 0.5 it calls it real; `crowd` float32 [m, 2] of points, else [].
    """
    data = trainer.data
    n = max(1, min(HALF, len(data) // 2))
    rows = np.random.default_rng(number).permutation(len(data))
    chosen, crowd = rows[:n], rows[n : n + CROWD]
    # Generated samples have the classes of the real ones, else these would tell them apart.
    labels = as_pictures(data).known_labels[chosen] if trainer.classes else None
    if data.kind == "images":
        real, others = as_pictures(data).pixels[chosen], np.zeros((0, 2), np.float32)
    else:
        real, others = as_points(data).points[chosen], as_points(data).points[crowd]
    fake = trainer.generated(trainer.latent(n, draw=number), trainer.config.show_ema, labels)
    both = None if labels is None else np.concatenate([labels, labels])
    logits = trainer.logits(np.concatenate([data.to_unit(real), fake]), both)
    return {
        "number": number,
        "step": trainer.step,
        "samples": np.concatenate([real, data.from_unit(fake)]),
        "p_real": visuals.p_real(trainer, logits, (logits[:n].mean() + logits[n:].mean()) / 2),
        "crowd": others,
    }
