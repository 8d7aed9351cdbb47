"""The parts of a training step as they are now, or in a phase of slow motion: what the drawing *Anatomy* shows."""

from __future__ import annotations

from typing import Any

import numpy as np

from gan_core.data.pictures import as_pictures
from gan_core.data.points import as_points
from gan_core.foundations.lazy_imports import tf
from gan_core.objectives.schedules import rate_factor
from gan_core.recording import visuals
from gan_core.recording.slow_motion import Shown
from gan_core.training.dissection import PHASES
from gan_core.training.train_step import COLUMNS
from gan_core.training.trainer import Trainer

CLOUD = 160  # points of z and of samples; whole packs of 2 and 4
PICTURES = 16
LOGITS = 256
MAP_SIDE = 24
LOOP = 96  # points of the closed curve that stands for the manifold where z has many dimensions


def look(trainer: Trainer, row: np.ndarray | None, shown: Shown | None) -> dict[str, Any]:
    """row: the last step's, float32 [len(COLUMNS)]. All in the data's own units, of the generator that is trained (not
    of the averaged one), and of the batch where a phase is shown:

    What a later phase brings is not there yet.

    `z` float32 [n, 2], its first two numbers; `real`, `fake` float32 [n, 2] or uint8 [n, H, W, C]; `real_logits`,
    `fake_logits` float32 [n]; of points `heat` float32 [MAP_SIDE, MAP_SIDE], p(real) by rows of rising y, and
    `manifold` float32 [lines, points, 2] with `unfolded`, where its points come from in the plane of z; `gradient`: of
    points float32 [n, 2, 2], tails and tips; of images float32 [n, H, W], its size at each pixel, 1 at the largest; []
    where it is not known. `numbers`: see `_numbers`; `phase`: see `_phase`, absent without one.
    """
    images = trainer.data.kind == "images"
    found = _batch(trainer, shown, images)
    if not images:
        found["heat"] = visuals.heat_map(trainer, trainer.samples(trainer.latent(CLOUD), False), MAP_SIDE)
        found |= _manifold(trainer)
    found["numbers"] = _numbers(trainer, row, shown)
    if shown is not None:
        found["phase"] = _phase(shown)
    return found


def _batch(trainer: Trainer, shown: Shown | None, images: bool) -> dict[str, Any]:
    n, most = (PICTURES if images else CLOUD), (4 * PICTURES if images else LOGITS)
    if shown is None:
        z = trainer.latent(most)
        labels = trainer.labels(most) if trainer.classes else None
        fake = trainer.generated(z, False, labels)
        real, real_labels = _real(trainer, most)
        logits = trainer.logits(np.concatenate([real, fake]), _joined(real_labels, labels))
        found = {"real_logits": logits[: len(real)], "fake_logits": logits[len(real) :]}
        gradient = np.zeros(0, np.float32) if images else visuals.arrows(trainer, False)
        z = z.numpy()
    else:
        update, reached = shown.update, PHASES.index(shown.phase)
        z, fake = update.z, update.fake
        of_d = next((u for u in reversed(shown.updates[: shown.place + 1]) if u.real is not None), None)
        real = _real(trainer, n)[0] if of_d is None or of_d.real is None else of_d.real
        none = np.zeros(0, np.float32)
        judged = reached >= PHASES.index("judge")
        found = {
            "fake_logits": update.fake_logits if judged else none,
            "real_logits": update.real_logits if judged and update.real_logits is not None else none,
        }
        fake = fake if reached >= PHASES.index("generate") else fake[:0]
        gradient = _gradient(trainer, shown, images) if reached >= PHASES.index("gradient") else none
    first = np.zeros((min(n, len(z)), 2), np.float32)
    first[:, : min(2, z.shape[1])] = z[: len(first), :2]
    return found | {
        "z": first,
        "real": trainer.data.from_unit(real[:n]),
        "fake": trainer.data.from_unit(fake[:n]),
        "gradient": gradient,
    }


def _joined(real: np.ndarray | None, fake: np.ndarray | None) -> np.ndarray | None:
    return None if real is None or fake is None else np.concatenate([real, fake])


def _real(trainer: Trainer, n: int) -> tuple[np.ndarray, np.ndarray | None]:
    """(the first real samples in training units, their classes where the networks are told them)."""
    if trainer.data.kind == "images":
        data = as_pictures(trainer.data)
        return data.to_unit(data.pixels[:n]), data.known_labels[:n] if trainer.classes else None
    data = as_points(trainer.data)
    return data.to_unit(data.points[:n]), None


def _gradient(trainer: Trainer, shown: Shown, images: bool) -> np.ndarray:
    """Where the generator's loss pulls the samples of this batch; [] of an update of the discriminator."""
    update = shown.update
    if update.gradient is None:
        return np.zeros(0, np.float32)
    if images:
        size = np.abs(update.gradient[:PICTURES]).max(-1)
        return (size / max(float(size.max()), 1e-30)).astype(np.float32)
    n = visuals.ARROWS
    push = -update.gradient[:n] * len(update.fake_logits)  # the loss is a mean over packs
    return visuals.as_arrows(as_points(trainer.data), update.fake[:n], push)


def _manifold(trainer: Trainer) -> dict[str, np.ndarray]:
    """Where the generator sends a grid or a line of z, and from where; of long z, a circle through the origin's
    neighbourhood in its first two numbers."""
    if trainer.config.latent_dim <= 2:
        return {"manifold": visuals.manifold(trainer, False), "unfolded": visuals.unfolded(trainer)}
    angle = np.linspace(0, 2 * np.pi, LOOP)
    radius = 1.0 if trainer.config.z_dist == "uniform" else 1.5
    z = np.zeros((LOOP, trainer.config.latent_dim), np.float32)
    z[:, 0], z[:, 1] = radius * np.cos(angle), radius * np.sin(angle)
    points = trainer.samples(tf.constant(z), False)
    return {"manifold": points[None], "unfolded": z[None, :, :2]}


def _numbers(trainer: Trainer, row: np.ndarray | None, shown: Shown | None) -> dict[str, Any]:
    """Of each network, under "d" and "g": `loss`, `penalty` (without its weight) and `gradient`, the norm of all its
    weights' gradients; `rate`, the learning rate now; `updates` so far.

    Of a batch that a phase shows, too: `terms` (formula, value), `layers` (name, norm), `penalty_weight`, `scale` (what
    clipping leaves), `change` (the largest of a weight), `made`, `number`, `of`. Absent: what is not known yet.
    """
    live = trainer.program.named_live(trainer.live)
    named: dict[str, float] = {} if row is None else dict(zip(map(str, COLUMNS), row.tolist(), strict=True))
    found: dict[str, Any] = {}
    for side in "dg":
        rate = float(live[f"{side}_lr"] * rate_factor(trainer.state["step"], live))
        numbers: dict[str, Any] = {"rate": rate, "updates": int(trainer.state[f"{side}_opt"]["updates"])}
        if named:
            numbers |= {"loss": named[f"{side}_loss"], "gradient": named[f"{side}_gradient"]}
            numbers["penalty"] = named["penalty"] if side == "d" else 0.0
        update = None
        if shown is not None:
            update = next((u for u in reversed(shown.updates[: shown.place + 1]) if u.side == side), None)
        if update is not None:
            numbers |= {
                "loss": update.loss,
                "gradient": update.gradient_norm,
                "penalty": update.penalty,
                "rate": update.rate,
                "terms": update.terms,
                "layers": update.layers,
                "penalty_weight": update.penalty_weight,
                "scale": update.scale,
                "change": update.largest_change,
                "made": update.made,
                "number": update.number,
                "of": update.of,
                "batch": len(update.z),
                "fake_mean": float(update.fake_logits.mean()),
                "real_mean": None if update.real_logits is None else float(update.real_logits.mean()),
            }
        found[side] = numbers
    return found


def _phase(shown: Shown) -> dict[str, Any]:
    """{side, name, number, of, step, taken} of the phase, number from 1."""
    about = {"side": shown.update.side, "name": shown.phase, "number": shown.number, "of": shown.of}
    return about | {"step": shown.step, "taken": shown.taken}
