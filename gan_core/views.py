"""What the page looks at: arrays made from a trainer, between two chunks of steps. Looking never trains."""

from typing import Any

import numpy as np
from scipy.special import ndtri

from gan_core.lazy import tf
from gan_core.losses import LOSSES
from gan_core.snapshot import View
from gan_core.trainer import Trainer

SAMPLES = 1_000
HEAT_SIDE = 48
ARROWS = 160
MANIFOLD_SIDE = 21
MANIFOLD_LINE = 256
ARROW_REACH = 0.2  # longest arrow, as a fraction of the plot's half width


def look(trainer: Trainer, view: View) -> dict[str, Any]:
    """The frame's arrays, in the data's own units: `samples` float32 [SAMPLES, 2], and for the layers shown:

    `heat` float32 [HEAT_SIDE, HEAT_SIDE], p(real) by rows of rising y; `manifold` float32 [lines, points, 2];
    `arrows` float32 [ARROWS, 2, 2], tail and tip.
    """
    ema = trainer.config.show_ema
    frame = {"samples": trainer.samples(trainer.latent(SAMPLES), ema)}
    if view.heat:
        frame["heat"] = heat_map(trainer, frame["samples"])
    if view.manifold and trainer.config.latent_dim <= 2:
        frame["manifold"] = manifold(trainer, ema)
    if view.arrows:
        frame["arrows"] = arrows(trainer, ema)
    return frame


def heat_axis(trainer: Trainer) -> tuple[np.ndarray, np.ndarray]:
    """The x and the y of the heat map's cells, float64 [HEAT_SIDE] each."""
    data = trainer.data
    line = np.linspace(-data.limit, data.limit, HEAT_SIDE)
    return line + data.center[0], line + data.center[1]


def _logits(trainer: Trainer, points: np.ndarray) -> np.ndarray:
    unit = tf.constant(trainer.data.to_unit(points))
    return trainer.program.discriminate(trainer.state["d"], unit).numpy()[:, 0]


def heat_map(trainer: Trainer, samples: np.ndarray) -> np.ndarray:
    """p(real) on the plot's square, float32 [HEAT_SIDE, HEAT_SIDE].

    Where only differences of logits mean anything, 0.5 stands midway between mean real and mean fake.
    """
    x, y = heat_axis(trainer)
    points = np.stack(np.meshgrid(x, y), -1).reshape(-1, 2).astype(np.float32)
    kind = LOSSES[trainer.config.loss].p_real
    if kind == "centered":
        real = trainer.data.points[: len(samples)]
        logits = _logits(trainer, np.concatenate([points, real, samples]))
        n, m = len(points), len(points) + len(real)
        middle = (logits[n:m].mean() + logits[m:].mean()) / 2
        p = sigmoid(logits[:n] - middle)
    else:
        logits = _logits(trainer, points)
        p = np.clip(logits, 0, 1) if kind == "clip" else sigmoid(logits)
    return p.reshape(HEAT_SIDE, HEAT_SIDE).astype(np.float32)


def sigmoid(x: np.ndarray) -> np.ndarray:
    """1 / (1 + e^-x) without overflow."""
    return 0.5 * (1 + np.tanh(x / 2))


def manifold(trainer: Trainer, ema: bool) -> np.ndarray:
    """The image of a line (latent_dim 1) or of both families of grid lines (2), float32 [lines, points, 2].

    For normal z the grid is spaced in quantiles, so that each cell holds the same share of the samples.
    """
    config = trainer.config
    n = MANIFOLD_LINE if config.latent_dim == 1 else MANIFOLD_SIDE
    t = np.linspace(-1, 1, n) if config.z_dist == "uniform" else ndtri(np.linspace(0.01, 0.99, n))
    if config.latent_dim == 1:
        return trainer.samples(tf.constant(t[:, None], tf.float32), ema)[None]
    grid = np.stack(np.meshgrid(t, t, indexing="ij"), -1).reshape(-1, 2)
    points = trainer.samples(tf.constant(grid, tf.float32), ema).reshape(n, n, 2)
    return np.concatenate([points, points.transpose(1, 0, 2)])


def arrows(trainer: Trainer, ema: bool) -> np.ndarray:
    """Where the generator's loss pushes its samples, float32 [ARROWS, 2 (tail, tip), 2].

    The length is |g| / (1 + |g|) of ARROW_REACH, with g the gradient of a sample's own loss in training units:
    bounded, and still short where the generator learns nothing.
    """
    program, data = trainer.program, trainer.data
    real = tf.constant(data.to_unit(data.points[:ARROWS]))
    if len(data.points) < ARROWS:
        real = tf.gather(real, tf.range(ARROWS) % len(data.points))
    fake, push = program.push(trainer.weights(ema), trainer.state["d"], real, trainer.latent(ARROWS))
    push = push.numpy() * ARROWS  # the loss is a mean
    tail = data.from_unit(fake.numpy())
    length = np.linalg.norm(push, axis=1, keepdims=True)
    return np.stack([tail, tail + ARROW_REACH * data.limit * push / (1 + length)], 1).astype(np.float32)
