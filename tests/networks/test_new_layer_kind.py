"""A kind of layers from outside the package: one class, and all that lists, trains or writes layers knows it."""

import json
import math
import subprocess
import sys
from dataclasses import dataclass

import keras
import numpy as np
import pytest
import tensorflow as tf

from gan_core import __main__ as cli
from gan_core.data.loading import load
from gan_core.export import model_files
from gan_core.export.script import script, unpresentable
from gan_core.foundations.hyperparameters import ConfigError
from gan_core.networks import keras_models
from gan_core.networks import network_hyperparameters as own
from gan_core.networks.architectures import ARCHITECTURES, Architecture, parameter_counts, plans
from gan_core.networks.cost import check_memory, step_cost
from gan_core.networks.layers import (
    Activation,
    Conv,
    Dense,
    Dropout,
    Flatten,
    Layer,
    Reshape,
    Upsample,
    measure,
    products,
    source_of,
)
from gan_core.settings import all_settings
from gan_core.settings.config import GANConfig
from gan_core.training.trainer import Trainer
from tests.conftest import ROOT
from tests.support.app import FakeHub, open_page


class FourierFeatures(keras.layers.Layer):
    """[..., n] -> [..., 2 n]: sine and cosine of each feature times a number that is learned."""

    def __init__(self, scale, seed, **rest):
        super().__init__(**rest)
        self.scale, self.seed = scale, seed

    def build(self, shape):
        start = keras.initializers.RandomUniform(-self.scale, self.scale, seed=self.seed)
        self.rate = self.add_weight(shape=(shape[-1],), initializer=start, name="rate")

    def call(self, x):
        return tf.concat([tf.sin(self.rate * x), tf.cos(self.rate * x)], -1)


@dataclass(frozen=True)
class Fourier(Layer):
    """The new kind."""

    scale: float = 2.0

    def output_shape(self, shape):
        return (*shape[:-1], 2 * shape[-1])

    def parameters(self, shape):
        return shape[-1]

    def products(self, shape, batch):
        return [(batch * math.prod(shape), 1, 1)]

    def title(self):
        return f"Fourier features (scale {self.scale:g})"

    def keras_layer(self, seeds):
        return FourierFeatures(self.scale, next(seeds))

    def script(self, place):
        return f"FourierFeatures({self.scale}, seed={place.base} + {place.seed()})"

    def script_class(self, layers, conditional):
        return source_of(FourierFeatures)


def for_points(config, shape):
    """The kind inside of two dense networks."""
    generator = [Dense(config.g_units), Fourier(), Dense(math.prod(shape))]
    return generator, [Dense(config.d_units), Activation("tanh"), Fourier(3.0), Dropout(0.25), Dense(1)]


def for_images(config, shape):
    """The kind between convolutions, one of which is folded with the change of size before it."""
    n, channels = config.filters, shape[-1]
    generator = [Dense(7 * 7 * n), Reshape((7, 7, n)), Fourier(), Upsample(), Conv(2 * n, 3), Activation("relu")]
    generator += [Upsample(), Conv(channels, 5), Activation("tanh")]
    return generator, [Conv(n, 4, 2), Fourier(), Conv(n, 4, 2), Activation("leaky_relu"), Flatten(), Dense(1)]


POINTS = {"data": "ring", "architecture": "fourier", "g_units": 6, "d_units": 5, "latent_dim": 3, "data_size": 100}
POINTS |= {"batch_size": 8, "seed": 4, "loss": "hinge", "penalty": "none"}
IMAGES = {"data": "digits", "architecture": "fourier_images", "filters": 8, "latent_dim": 3, "data_size": 40}
IMAGES |= {"batch_size": 8, "seed": 4, "loss": "hinge", "penalty": "none"}
CONFIGS = {"points": POINTS, "images": IMAGES}
SHAPES = {"points": (2,), "images": (28, 28, 1)}
# (generator's, discriminator's) by hand: kernels and biases of the layers, and a rate for each feature.
COUNTS = {
    "points": ((3 * 6 + 6) + 6 + (12 * 2 + 2), (2 * 5 + 5) + 5 + (10 + 1)),
    "images": (
        (3 * 392 + 392) + 8 + (9 * 16 * 16 + 16) + (25 * 16 + 1),
        (16 * 8 + 8) + 8 + (16 * 16 * 8 + 8) + (7 * 7 * 8 + 1),
    ),
}


@pytest.fixture(autouse=True)
def registered():
    """Two architectures that use the kind are in the registry, and gone again at the end."""
    new = {
        "fourier": Architecture(
            for_points, "sines of features", {"g_units": own.units("g"), "d_units": own.units("d")}, images_only=False
        ),
        "fourier_images": Architecture(for_images, "sines of maps", {"filters": own.FILTERS}, sides=(28,)),
    }
    ARCHITECTURES.update(new)
    all_settings.collect()
    yield
    for name in new:
        del ARCHITECTURES[name]
    all_settings.collect()


def config_of(kind):
    return GANConfig.from_flat(CONFIGS[kind])


each_kind = pytest.mark.parametrize("kind", CONFIGS)


@each_kind
def test_its_cost_and_parameters_are_known_and_keras_agrees(kind):
    config, shape = config_of(kind), SHAPES[kind]
    models = keras_models.build(config, shape, 0)
    assert parameter_counts(config, shape) == tuple(m.count_params() for m in models) == COUNTS[kind]
    assert measure([Fourier()], (4, 4, 3)) == (48, 3, (4, 4, 6))
    plan, _ = plans(config, shape)
    without = [layer for layer in plan if not isinstance(layer, Fourier)]
    more = len(products(plan, (3,), 5)) - len(products(without, (3,), 5))
    assert more == 1 and step_cost(config, shape) > 0
    check_memory(config, shape)


@each_kind
def test_it_is_trained_by_a_step(kind):
    config = config_of(kind)
    trainer = Trainer(config, load(config), path="graph")
    before = trainer.named()
    assert np.isfinite(trainer.train(1)).all()
    rates = [name for name in before if name.startswith(("g/", "d/")) and name.endswith("/rate")]
    assert len(rates) == 2
    for name in rates:
        assert not np.array_equal(before[name], trainer.named()[name]), name


@each_kind
def test_it_is_in_the_table_of_layers(kind):
    rows = [row for model in keras_models.build(config_of(kind), SHAPES[kind], 0) for row in keras_models.layers(model)]
    found = [row for row in rows if row["layer"].startswith("Fourier features")]
    assert [row["network"] for row in found] == ["generator", "discriminator"]
    if kind == "points":
        assert found[1] == {
            "network": "discriminator",
            "layer": "Fourier features (scale 3)",
            "output": "10",
            "parameters": 5,
        }


def test_the_page_the_guide_and_the_command_line_offer_it(monkeypatch, capsys):
    hub = FakeHub()
    monkeypatch.setattr("pages.ui.session.own_run.hub", lambda: hub)
    for page, kind in (("pages/playground.py", "points"), ("pages/images.py", "images")):
        app = open_page(page, architecture=CONFIGS[kind]["architecture"], data=CONFIGS[kind]["data"])
        box = next(box for box in app.selectbox if box.key == "knob_architecture")
        assert box.value == CONFIGS[kind]["architecture"], kind
        assert ("fourier_images" in box.options) == (kind == "images") and {"mlp", "fourier"} <= {*box.options}
        assert f"{box.value} " in next(c.value for c in app.caption if "One step takes roughly" in c.value)
    guide = " ".join(str(table.value.to_dict()) for table in open_page("pages/guide.py").table)
    assert "sines of features" in guide and "sines of maps" in guide
    command = ["train", "--steps", "2", "--json"]
    for name, value in POINTS.items():
        command += ["--set", f"{name}={value}"]
    assert cli.main(command) == 0
    result = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert result["steps"] == 2 and result["config"]["architecture"] == "fourier"
    assert cli.main(["train", "--set", "architecture=nothing"]) == 2
    assert "fourier_images" in capsys.readouterr().err


DRIVER = """
import runpy, sys
import numpy as np
path, out = sys.argv[1:]
for steps in (0, 3):
    sys.argv = [path, "--steps", str(steps), "--print-every", "1", "--output", out + ".png"]
    made = runpy.run_path(path, run_name="__main__")
    if not steps:
        found = [w for n in ("generator", "discriminator") for w in made[n].get_weights()]
        np.savez(out, *found)
assert "gan_core" not in sys.modules
"""


@each_kind
def test_an_exported_script_starts_from_the_same_weights_and_has_the_same_losses(kind, tmp_path):
    """In a process of its own that knows neither GANscope nor this kind."""
    config, path = config_of(kind), tmp_path / "run.py"
    assert unpresentable(config) == ""
    text = script(config)
    assert "FourierFeatures(2.0, seed=1000 * SEED + 1)" in text and text.count("class FourierFeatures") == 1
    if kind == "points":  # the setting dropout is not this architecture's
        assert "layers.Dropout(0.25," in text and "layers.Dense(G_UNITS," in text
    path.write_text(text, "utf-8")
    done = subprocess.run(
        [sys.executable, "-I", "-c", DRIVER, str(path), str(tmp_path / "weights.npz")],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2_000:]
    trainer = Trainer(config, load(config), path="graph")
    state = trainer.state
    with np.load(tmp_path / "weights.npz") as found:
        ours = [model.get_weights() for model in keras_models.build(config, SHAPES[kind], 4000)]
        wanted = [w for weights in ours for w in weights]
        assert len(found.files) == len(wanted)
        assert all(np.array_equal(found[name], w) for name, w in zip(found.files, wanted, strict=True))
    assert np.array_equal(state["g"][0], wanted[0])  # they are the run's own
    printed = [line.split() for line in done.stdout.splitlines() if line.startswith("step")]
    rows = trainer.train(3)
    np.testing.assert_allclose([[float(p[3]), float(p[5])] for p in printed], rows[:, :2], rtol=1e-3, atol=1e-4)


def test_its_models_are_exported_too():
    config = config_of("points")
    trainer = Trainer(config, load(config), path="graph")
    trainer.train(2)
    generator, _ = model_files.models(trainer)
    z = trainer.latent(7)
    assert np.allclose(generator(z), trainer.generated(z, ema=True), atol=1e-5)


# -- kinds that say too little ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Unwritten(Layer):
    """A kind with a Keras layer, and without a text for scripts."""

    def keras_layer(self, seeds):
        return keras.layers.Identity()


def test_a_kind_without_a_script_trains_and_says_that_there_is_none(monkeypatch):
    def plan(config, shape):
        return [Unwritten(), Dense(2)], [Dense(4), Activation("relu"), Unwritten(), Dense(1)]

    monkeypatch.setitem(ARCHITECTURES, "fourier", Architecture(plan, "unwritten", images_only=False))
    config = config_of("points")
    assert np.isfinite(Trainer(config, load(config), path="graph").train(1)).all()
    assert unpresentable(config) == "There is no script of the layer Unwritten yet."
    with pytest.raises(ConfigError, match="no script of the layer Unwritten"):
        script(config)


def test_a_kind_without_a_keras_layer_is_named():
    with pytest.raises(NotImplementedError, match="The layer Layer does not say which Keras layer it is"):
        Layer().build(keras.Input((3,)), iter(range(3)))


def test_images_alone_are_made_by_an_architecture_that_makes_no_points(monkeypatch):
    monkeypatch.setitem(ARCHITECTURES, "fourier", Architecture(for_points, "images of any size"))
    config = GANConfig.from_flat({**IMAGES, "architecture": "fourier"})
    with pytest.raises(ConfigError, match=r"^The architecture fourier makes images, but the data are points\.$"):
        plans(config, (2,))


def test_the_package_knows_nothing_of_this_kind():
    texts = [path.read_text("utf-8") for path in (ROOT / "gan_core").rglob("*.py")]
    assert len(texts) > 50 and not any("Fourier" in text for text in texts)
