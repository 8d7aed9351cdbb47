"""What the page looks at: arrays made from a trainer, between two chunks of steps. Looking never trains."""

import time
from typing import Any

import numpy as np

from gan_core.data.pictures import as_pictures
from gan_core.data.points import Data, as_points
from gan_core.foundations.lazy_imports import special, tf
from gan_core.objectives.losses import LOSSES
from gan_core.recording.snapshot import View
from gan_core.scores.image_metrics import nearest
from gan_core.training.trainer import Trainer

SAMPLES = 1_000
HEAT_SIDE = 40
ARROWS = 168  # whole packs of 2, 3 or 4
MANIFOLD_SIDE = 21
MANIFOLD_LINE = 256
NEIGHBOURS = 8
RECORDED_SIDE = 8
JUDGED = (
    128  # real pictures, of those trained on and of those held out, that a recorded frame has the discriminator judge
)
RECORDED_NUMBERS = 3 * 32 * 32  # of a picture; larger ones are recorded in a smaller grid
NEIGHBOUR_SECONDS = 1.0  # between two searches through all real pictures
ARROW_REACH = 0.2  # longest arrow, as a fraction of the plot's half width


def look(trainer: Trainer, view: View, still: bool = False) -> dict[str, Any]:
    """The frame's arrays: of points or of images, as the trainer's data are. still: nothing moves any more."""
    if still:
        trainer.neighbours = None  # those of a step ago would stay on the page
    return (look_at_images if trainer.data.kind == "images" else look_at_points)(trainer, view)


def look_at_points(trainer: Trainer, view: View) -> dict[str, Any]:
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


def grid_labels(trainer: Trainer, view: View) -> np.ndarray | None:
    """The class of each picture of the grid, int [side²]: row i shows rows[i mod len(rows)]; None without."""
    if not trainer.classes:
        return None
    rows = [c for c in view.rows if 0 <= c < trainer.classes] or list(range(trainer.classes))
    return np.repeat([rows[i % len(rows)] for i in range(view.side)], view.side)


def look_at_images(trainer: Trainer, view: View) -> dict[str, Any]:
    """The frame's arrays for images, pixels uint8:

    `grid` [side², H, W, C] from fixed z, `p_real` float32 [side²]; with `view.picked`: `neighbours` [k, H, W, C] and
    their `distances` float32 [k]; with `view.blend`: `blend` [1, H, W, C], `corners` [2 or 4, H, W, C].
    """
    n, ema = view.side * view.side, trainer.config.show_ema
    labels = grid_labels(trainer, view)
    unit = trainer.generated(trainer.latent(n), ema, labels)
    logits, middle = trainer.logits(unit, labels), 0.0
    if LOSSES[trainer.config.loss].p_real == "centered":
        data = as_pictures(trainer.data)
        real = data.to_unit(data.pixels[:n])
        of_real = None if labels is None else data.known_labels[:n]
        middle = (trainer.logits(real, of_real).mean() + logits.mean()) / 2
    frame: dict[str, Any] = {"grid": trainer.data.from_unit(unit), "p_real": p_real(trainer, logits, middle)}
    frame |= neighbours(trainer, frame, view)
    if view.blend is not None:
        frame |= blend(trainer, view.blend, view, ema)
    return frame


def p_real(trainer: Trainer, logits: np.ndarray, middle: float) -> np.ndarray:
    """The discriminator's logits as p(real), float32 of the same shape.

    middle: between the means of real and of generated samples, where only differences of logits mean anything.
    """
    kind = LOSSES[trainer.config.loss].p_real
    p = np.clip(logits, 0, 1) if kind == "clip" else sigmoid(logits - middle if kind == "centered" else logits)
    return p.astype(np.float32)


def judged(trainer: Trainer) -> np.ndarray:
    """How far the discriminator has memorized its pictures, float32 [5]: the mean p(real) of those that it is trained
    on, of real ones that it has never seen, and of generated ones; the augmentation's probability p, and r_t.

    NaN: what there is not. The pictures are the same each time, spread over the set, and not augmented.
    """
    data = as_pictures(trainer.data)
    found, told = [], []
    for pixels, classes in ((data.pixels, data.labels), data.never_trained):
        rows = np.linspace(0, len(pixels) - 1, min(JUDGED, len(pixels))).astype(int)
        found.append(data.to_unit(pixels[rows]))
        told.append(classes[rows] if trainer.classes and classes is not None else None)
    n, labels = JUDGED // 2, trainer.labels(JUDGED // 2) if trainer.classes else None
    found.append(trainer.generated(trainer.latent(n), trainer.config.show_ema, labels))
    told.append(labels)
    every = None if labels is None else np.concatenate([part for part in told if part is not None])
    parts = np.split(trainer.logits(np.concatenate(found), every), np.cumsum([len(part) for part in found])[:-1])
    middle = (parts[0].mean() + parts[2].mean()) / 2
    means = [p_real(trainer, part, middle).mean() if len(part) else np.nan for part in parts]
    adapted = trainer.state.get("augment", {"p": np.nan, "r": np.nan})
    return np.array([*means, float(adapted["p"]), float(adapted["r"])], np.float32)


def record(trainer: Trainer) -> dict[str, np.ndarray]:
    """What a recording keeps of a moment, always of the same shapes: points with heat map, and manifold where there is
    one; images as a grid of RECORDED_SIDE x RECORDED_SIDE, less where they are large, with what `judged` says."""
    if trainer.data.kind == "images":
        side = RECORDED_SIDE if np.prod(trainer.data.shape) <= RECORDED_NUMBERS else RECORDED_SIDE - 2
        return {**look_at_images(trainer, View(side=side)), "judged": judged(trainer)}
    frame = look_at_points(trainer, View(manifold=True))
    return frame | {"heat": frame["heat"].astype(np.float16)}


def neighbours(trainer: Trainer, frame: dict[str, Any], view: View) -> dict[str, Any]:
    """The nearest real pictures of the picked one of the frame's grid; sought at most once in NEIGHBOUR_SECONDS."""
    if view.picked is None or "grid" not in frame or view.picked >= len(frame["grid"]):
        return {}
    picture, kept = frame["grid"][view.picked], trainer.neighbours
    this = (view.picked, view.side, view.rows, frame.get("at"), trainer.config.show_ema)
    if kept is not None and kept[0] == this and time.monotonic() < kept[1]:
        return kept[2]
    pixels = as_pictures(trainer.data).pixels
    rows, distances = nearest(pixels, picture, NEIGHBOURS)
    found = {"neighbours": pixels[rows], "distances": distances.astype(np.float32)}
    trainer.neighbours = this, time.monotonic() + NEIGHBOUR_SECONDS, found
    return found


def blend(trainer: Trainer, mixture: tuple[int, int, float, float], view: View, ema: bool) -> dict[str, Any]:
    """The picture of a mixture of 2 or 4 corners of z, and the corners' own.

    Normal z are mixed along great circles (White, arXiv 1609.04468): in between, a straight line passes nearer to
    the origin than any z that training has seen.
    """
    count, draw, u, v = mixture
    corners = trainer.latent(count, draw=100 + draw).numpy()
    mix = _slerp if trainer.config.z_dist == "normal" else _lerp
    z = mix(corners[0], corners[1], u)
    if count == 4:
        z = mix(z, mix(corners[2], corners[3], u), v)
    labels = None if not trainer.classes else np.full(count + 1, (view.rows or (0,))[0] % trainer.classes)
    pixels = trainer.samples(tf.constant(np.concatenate([z[None], corners]), tf.float32), ema, labels)
    return {"blend": pixels[:1], "corners": pixels[1:]}


def _lerp(a: np.ndarray, b: np.ndarray, t: float) -> np.ndarray:
    return (1 - t) * a + t * b


def _slerp(a: np.ndarray, b: np.ndarray, t: float) -> np.ndarray:
    """From a (t = 0) to b (t = 1) along the great circle, with the length in proportion."""
    cosine = float(a @ b / max(np.linalg.norm(a) * np.linalg.norm(b), 1e-12))
    angle = np.arccos(np.clip(cosine, -1, 1))
    if np.sin(angle) < 1e-3:
        return _lerp(a, b, t)
    return (np.sin((1 - t) * angle) * a + np.sin(t * angle) * b) / np.sin(angle)


def heat_axis(trainer: Trainer, side: int = HEAT_SIDE) -> tuple[np.ndarray, np.ndarray]:
    """The x and the y of the heat map's cells, float64 [side] each."""
    data = as_points(trainer.data)
    (x, y), (width, height) = data.center, data.limits
    return np.linspace(-width, width, side) + x, np.linspace(-height, height, side) + y


def _logits(trainer: Trainer, points: np.ndarray) -> np.ndarray:
    return trainer.logits(trainer.data.to_unit(points))


def heat_map(trainer: Trainer, samples: np.ndarray, side: int = HEAT_SIDE) -> np.ndarray:
    """p(real) on what the plot shows, float32 [side, side].

    Where only differences of logits mean anything, 0.5 stands midway between mean real and mean fake.
    """
    x, y = heat_axis(trainer, side)
    points = np.stack(np.meshgrid(x, y), -1).reshape(-1, 2).astype(np.float32)
    kind = LOSSES[trainer.config.loss].p_real
    if kind == "centered":
        real = as_points(trainer.data).points[: len(samples)]
        logits = _logits(trainer, np.concatenate([points, real, samples]))
        n, m = len(points), len(points) + len(real)
        middle = (logits[n:m].mean() + logits[m:].mean()) / 2
        p = sigmoid(logits[:n] - middle)
    else:
        logits = _logits(trainer, points)
        p = np.clip(logits, 0, 1) if kind == "clip" else sigmoid(logits)
    return p.reshape(side, side).astype(np.float32)


def sigmoid(x: np.ndarray) -> np.ndarray:
    """1 / (1 + e^-x) without overflow."""
    return 0.5 * (1 + np.tanh(x / 2))


def manifold(trainer: Trainer, ema: bool) -> np.ndarray:
    """The image of a line (latent_dim 1) or of both families of grid lines (2), float32 [lines, points, 2].

    For normal z the grid is spaced in quantiles, so that each cell holds the same share of the samples.
    """
    t = _grid_axis(trainer)
    if trainer.config.latent_dim == 1:
        return trainer.samples(tf.constant(t[:, None], tf.float32), ema)[None]
    n, grid = len(t), np.stack(np.meshgrid(t, t, indexing="ij"), -1).reshape(-1, 2)
    points = trainer.samples(tf.constant(grid, tf.float32), ema).reshape(n, n, 2)
    return np.concatenate([points, points.transpose(1, 0, 2)])


def _grid_axis(trainer: Trainer) -> np.ndarray:
    """Where the grid's lines are in each number of z."""
    n = MANIFOLD_LINE if trainer.config.latent_dim == 1 else MANIFOLD_SIDE
    return np.linspace(-1, 1, n) if trainer.config.z_dist == "uniform" else special.ndtri(np.linspace(0.01, 0.99, n))


def unfolded(trainer: Trainer) -> np.ndarray:
    """The points of z that `manifold` shows, float32 [lines, points, 2]; a line lies on the axis."""
    t = _grid_axis(trainer)
    if trainer.config.latent_dim == 1:
        return np.stack([t, np.zeros_like(t)], -1)[None].astype(np.float32)
    grid = np.stack(np.meshgrid(t, t, indexing="ij"), -1)
    return np.concatenate([grid, grid.transpose(1, 0, 2)]).astype(np.float32)


def arrows(trainer: Trainer, ema: bool) -> np.ndarray:
    """Where the generator's loss pushes its samples, float32 [ARROWS, 2 (tail, tip), 2].

    The length is |g| / (1 + |g|) of ARROW_REACH, with g the gradient of a sample's own loss in training units:
    bounded, and still short where the generator learns nothing.
    """
    program, data = trainer.program, as_points(trainer.data)
    real = tf.constant(data.to_unit(data.points[:ARROWS]))
    if len(data.points) < ARROWS:
        real = tf.gather(real, tf.range(ARROWS) % len(data.points))
    state, (g, extra) = trainer.state, ("ema", "ema_extra") if ema else ("g", "g_extra")
    networks = state[g], state[extra], state["d"], state["d_extra"]
    fake, push = program.push(*networks, real, trainer.latent(ARROWS), trainer.live)
    push = push.numpy() * (ARROWS // trainer.config.packing)  # the loss is a mean over packs
    return as_arrows(data, fake.numpy(), push)


def as_arrows(data: Data, samples: np.ndarray, push: np.ndarray) -> np.ndarray:
    """Samples and their pushes, [n, 2] each in training units, as `arrows` has them."""
    tail = data.from_unit(samples)
    length = np.linalg.norm(push, axis=1, keepdims=True)
    reach = (ARROW_REACH * np.array(data.limits)).astype(np.float32)
    return np.stack([tail, tail + reach * push / (1 + length)], 1).astype(np.float32)
