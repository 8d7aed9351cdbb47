"""A run's networks as plain Keras files: inference only, of Keras's own layers, loaded without GANscope."""

from __future__ import annotations

import io
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gan_core.foundations.lazy_imports import keras
from gan_core.networks.network_hyperparameters import MAXOUT_PIECES
from gan_core.objectives.losses import LOSSES
from gan_core.runs import run_reading

if TYPE_CHECKING:
    from gan_core.runs.run_reading import Saved
    from gan_core.training.trainer import Trainer

README = "README.txt"


def models(trainer: Trainer) -> tuple[Any, Any]:
    """(generator, discriminator) as the run shows them: the averaged generator's weights if config.show_ema."""
    state, program = trainer.state, trainer.program
    g, extra = ("ema", "ema_extra") if trainer.config.show_ema else ("g", "g_extra")
    generator = _plain(program.generator, state[g], state[extra])
    return generator, _plain(program.discriminator, state["d"], state["d_extra"])


def _plain(model: Any, weights: list[Any], extra: list[Any]) -> Any:
    """`model` as it is at inference with these weights, without the layers that only GANscope knows."""
    variables = [*model.trainable_variables, *model.non_trainable_variables]
    values = {id(v): np.asarray(value) for v, value in zip(variables, [*weights, *extra], strict=True)}

    def call(layer: Any, x: Any, *args: Any, **kwargs: Any) -> Any:
        match type(layer).__name__:
            case "SpectralNorm":
                return _with(_divided(layer, values), x)
            case "MinibatchStd":
                return _typical(values[id(layer.typical)], x)
            case "Lambda":
                return _maxout(x)
            case "Dropout":
                return x
        return _with((layer, [values[id(v)] for v in layer.weights], {}), x)

    return keras.models.clone_model(model, clone_function=lambda layer: layer, call_function=call)


def _with(made: tuple[Any, list[np.ndarray], dict[str, Any]], x: Any) -> Any:
    """What Keras's own layer, as (layer, weights, changes of its settings) says, makes of the symbolic `x`."""
    layer, weights, changes = made
    before, after = getattr(layer, "before", None), getattr(layer, "after", None)
    kind = keras.layers.Conv2D if before or after else type(layer)
    plain = kind.from_config({**layer.get_config(), **changes})
    y = plain(before(2)(x) if before else x)
    plain.set_weights(weights)
    return after(2)(y) if after else y


def _divided(layer: Any, values: dict[int, np.ndarray]) -> tuple[Any, list[np.ndarray], dict[str, Any]]:
    """The layer inside a networks.SpectralNorm, with its kernel divided by the norm that it has at inference."""
    inner, bias = layer.layer, hasattr(layer, "bias")
    kernel = values[id(inner.kernel)]
    transposed = isinstance(inner, keras.layers.Conv2DTranspose)  # [height, width, outputs, inputs]
    matrix = (np.swapaxes(kernel, 2, 3) if transposed else kernel).reshape(-1, len(values[id(layer.u)]))
    v = matrix @ values[id(layer.u)]
    # The layer's next u is Wᵀv at length 1, so its sigma = vᵀWu is the length of Wᵀv.
    sigma = np.linalg.norm(matrix.T @ (v / np.linalg.norm(v)))
    return inner, [kernel / sigma, *([values[id(layer.bias)]] if bias else [])], {"use_bias": bias}


def _typical(typical: np.ndarray, x: Any) -> Any:
    """[batch, n] -> [batch, n + 1]: behind every sample the constant that networks.MinibatchStd has at inference."""
    zeros = np.zeros((x.shape[-1], 1), np.float32)
    return keras.layers.Concatenate()([x, _with((keras.layers.Dense(1), [zeros, typical], {}), x)])


def _maxout(x: Any) -> Any:
    """[batch, ..., n, pieces] -> [batch, ..., n], the largest of the pieces."""
    flat = keras.layers.Reshape((-1, 1))(x)  # the pieces of a number lie side by side
    return keras.layers.Reshape(x.shape[1:-1])(keras.layers.MaxPooling1D(MAXOUT_PIECES)(flat))


def archive(run: Saved, say: Callable[[float], None]) -> bytes:
    """A zip of `generator.keras`, `discriminator.keras` and README.txt; raises ConfigError."""
    trainer = run_reading.load(run, run_reading.data_of(run))
    say(0.4)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file, tempfile.TemporaryDirectory() as folder:
        for i, model in enumerate(models(trainer)):
            path = Path(folder) / f"{model.name}.keras"
            model.save(path)
            file.write(path, path.name)
            say(0.6 + 0.2 * i)
        file.writestr(README, _readme(run, trainer))
    say(1.0)
    return buffer.getvalue()


def _shape(shape: tuple[int, ...]) -> str:
    return f"float32 [batch, {', '.join(str(n) for n in shape)}]"


def _readme(run: Saved, trainer: Trainer) -> str:
    """What goes in and what comes out, in words."""
    config, data, classes = trainer.config, trainer.data, trainer.classes
    drawn = "a standard normal" if config.z_dist == "normal" else "uniform in [-1, 1]"
    which = "the average (EMA) of the generators of training" if config.show_ema else "the generator, not averaged"
    lines = [
        f"The networks of the run {run.name} at step {trainer.step:,}, made with GANscope.",
        "They are for inference and need Keras 3 only:",
        "",
        "    import keras",
        '    generator = keras.saving.load_model("generator.keras")',
        '    discriminator = keras.saving.load_model("discriminator.keras")',
        "",
        f"generator.keras ({which})",
        f"    input   {_shape((config.latent_dim + classes,))}: z, {config.latent_dim} independent numbers, {drawn}",
    ]
    if classes:
        lines.append(f"            and behind it the class, one-hot, {classes} numbers")
    lines += [f"    output  {_shape(trainer.program.shape)}: {_units(data)}", "", "discriminator.keras"]
    judged = trainer.program.discriminator.inputs[0].shape[1:]
    lines.append(f"    input   {_shape(judged)}: samples in the same units as the generator's output")
    if config.packing > 1:
        lines.append(
            f"            side by side in packs of {config.packing}, in the last dimension (PacGAN): it judges a pack, "
            "all of it real or all of it generated"
        )
    if classes:
        lines.append(f"            and a second input, {_shape((classes,))}: the class, one-hot")
    lines.append(f"    output  {_shape((1,))}: a logit{_PROBABILITY[LOSSES[config.loss].p_real]}")
    if classes:
        lines += ["", "Classes", *(f"    {i}  {name}" for i, name in enumerate(data.class_names[:classes]))]
    return "\n".join(lines) + "\n"


_PROBABILITY = {
    "sigmoid": ", p(real) = 1 / (1 + exp(-logit))",
    "clip": ", p(real) = the logit cut to [0, 1]",
    "centered": " of which only differences mean anything: the higher, the more real",
}


def _units(data: Any) -> str:
    if data.kind == "images":
        return "pictures in [-1, 1]; (value + 1) * 127.5 gives 0 to 255"
    (x, y), scale = data.center, data.scale
    return f"points in training units; value * {scale:.9g} + ({x:.9g}, {y:.9g}) gives the data's own"
