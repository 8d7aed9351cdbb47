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
from gan_core.networks.layers import Layer, kind_of
from gan_core.objectives.losses import LOSSES
from gan_core.runs import run_reading, run_restoring

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

    def held(variable: Any) -> np.ndarray:
        return values[id(variable)]

    def call(layer: Any, x: Any, *args: Any, **kwargs: Any) -> Any:
        kind = kind_of(layer) or Layer()  # what only joins others, such as a sum, is Keras's own
        return kind.at_inference(layer, x, held)

    return keras.models.clone_model(model, clone_function=lambda layer: layer, call_function=call)


def archive(run: Saved, say: Callable[[float], None]) -> bytes:
    """A zip of `generator.keras`, `discriminator.keras` and README.txt; raises ConfigError."""
    trainer = run_restoring.load(run, run_reading.data_of(run))
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
    x, y = data.center
    scale = f"{data.scale:.9g}" if data.equal_axes else "({:.9g}, {:.9g})".format(*data.scales)
    named = "" if data.axes == ("x", "y") else f" ({', '.join(data.axes)})"
    return f"points in training units; value * {scale} + ({x:.9g}, {y:.9g}) gives the data's own{named}"
