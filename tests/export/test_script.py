"""The scripts: well formed, with nothing beside what the settings need, and the same run as the trainer's."""

import ast
import contextlib
import io
import json
import os
import re
import subprocess
import sys
import zipfile
from dataclasses import replace

import keras
import numpy as np
import pytest
from PIL import Image

from gan_core.data import loading
from gan_core.data.datasets import DATASETS
from gan_core.data.drawing import Stroke, encode
from gan_core.data.image_sources import SOURCES
from gan_core.data.loading import class_count
from gan_core.data.own_files import uploads
from gan_core.data.points import OwnPoints
from gan_core.export.script import PURPOSES, script, unpresentable
from gan_core.export.script_sources import sources
from gan_core.foundations.hyperparameters import ConfigError
from gan_core.networks.architectures import ARCHITECTURES
from gan_core.networks.network_hyperparameters import ACTIVATIONS, NORMS
from gan_core.objectives.augmentations import AUGMENTATIONS
from gan_core.objectives.losses import LOSSES
from gan_core.objectives.optimizers import OPTIMIZERS
from gan_core.objectives.penalties import PENALTIES
from gan_core.objectives.schedules import SCHEDULES
from gan_core.settings.config import GANConfig
from gan_core.settings.presets import PRESETS
from gan_core.settings.recipes import RECIPES
from gan_core.training.train_step import TrainStep
from gan_core.training.trainer import Trainer
from tests.support.picture_files import parse_pictures

SECONDS = 240
STEPS = 3
RING, DIGITS = PRESETS["ring"].config, PRESETS["digits"].config

# Every option that shapes a step, in two runs: with layers that keep something, and without.
OPTIONS = {
    "loss": "least_squares",
    "penalty": "dragan",
    "d_steps": 2,
    "schedule": "linear",
    "schedule_steps": 100,
    "label_noise": 0.1,
    "label_smoothing": 0.1,
    "instance_noise": 0.1,
    "grad_clip": 0.1,
    "weight_clip": 0.3,
    "unroll": 1,
    "ema_decay": 0.9,
    "seed": 3_000_001,
}
KEEPING = {"d_norm": "spectral", "dropout": 0.2, "g_norm": "batch", "g_optimizer": "rmsprop", "d_optimizer": "rmsprop"}
PACKED = {"packing": 2, "minibatch_std": True, "penalty": "none", "d_activation": "maxout", "g_steps": 2}
SMALL = {"filters": 8, "batch_size": 16, "latent_dim": 5}


def all_configs():
    """Name -> config: all presets, all recipes, and every key of every registry."""
    configs = {name: preset.config for name, preset in PRESETS.items()}
    bases = {name: PRESETS[name].config for name in ("ring", "digits", "mnist")}
    for base, config in bases.items():
        configs |= {f"{base}+{name}": recipe.of(config) for name, recipe in RECIPES.items()}
    return configs


def registry_configs():
    """Name -> config: every key of every registry, once for points and once for pictures, and many options at once."""
    keys = {"loss": LOSSES, "penalty": PENALTIES, "schedule": SCHEDULES}
    for side in "gd":
        keys |= {f"{side}_optimizer": OPTIMIZERS, f"{side}_norm": NORMS, f"{side}_activation": ACTIVATIONS}
    configs = {}
    for base in (RING, DIGITS.updated({"architecture": "dcgan"})):
        for name, registry in keys.items():
            configs |= {f"{base.data}, {name}={key}": base.updated({name: key}) for key in registry}
        configs |= {
            f"{base.data}, unrolled {key}": base.updated({"unroll": 2, "d_optimizer": key}) for key in OPTIMIZERS
        }
        for options in (KEEPING, PACKED):
            settings = {**OPTIONS, "conditional": False, **options}
            configs[f"{base.data}, {len(configs)}"] = base.updated(settings)
            configs[f"{base.data}, {len(configs)}"] = base.updated({**settings, "unroll": 0, "loss": "relativistic"})
        # A frozen network: nothing of its update is written.
        for frozen in ("d_steps", "g_steps"):
            configs[f"{base.data}, {frozen}=0"] = base.updated({frozen: 0})
            configs[f"{base.data}, {len(configs)}"] = base.updated(
                {**OPTIONS, **KEEPING, "conditional": False, frozen: 0}
            )
    for name in AUGMENTATIONS:
        for data in ("digits", "cifar10"):
            base = GANConfig.from_flat({"data": data, "augment": name})
            configs[f"{data}, augment={name}"] = base
            configs[f"{data}, unrolled, augment={name}"] = base.updated({"unroll": 1, "conditional": True})
            configs[f"{data}, d_steps=0, augment={name}"] = base.updated({"d_steps": 0})
            configs[f"{data}, packed, augment={name}"] = base.updated({**OPTIONS, **PACKED, "batch_size": 32})
    for name, row in ARCHITECTURES.items():
        size = {"data.size": str(row.sides[0])} if row.sides else {}
        configs[f"architecture={name}"] = GANConfig.from_flat({"data": "cifar10", "architecture": name, **size})
    for name in DATASETS:
        configs[f"data={name}"] = GANConfig.from_flat({"data": name})
    return configs


ALL, KEYS = all_configs(), registry_configs()


@pytest.fixture(scope="module")
def scripts():
    """Name -> text, of all configs above."""
    return {name: script(config) for name, config in {**ALL, **KEYS}.items()}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with a small file of every known set of images, which GANSCOPE_DATA names; elsewhere an empty one."""
    folder, rng = tmp_path_factory.mktemp("known"), np.random.default_rng(0)
    for name, source in SOURCES.items():
        arrays = {"y_train": np.arange(80) % 10, "y_test": np.arange(20) % 10}
        for part, n in (("train", 80), ("test", 20)):
            arrays[f"x_{part}"] = rng.integers(0, 256, (n, *source.shape)).astype(np.uint8)
        np.savez(folder / f"{name}.npz", **arrays)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GANSCOPE_DATA", str(folder))
        loading.forget()
        yield folder
    loading.forget()


# -- the text -----------------------------------------------------------------------------------------------


def test_every_preset_and_recipe_has_a_script():
    assert [unpresentable(config) for config in {**ALL, **KEYS}.values() if unpresentable(config)] == []


def loaded(tree):
    """The names that a tree looks at."""
    return {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}


def unused(text):
    """Names of a script that nothing looks at: of its top level, and parameters of functions."""
    tree = ast.parse(text)
    named = {n.name for n in tree.body if isinstance(n, (ast.FunctionDef, ast.ClassDef))}
    for node in (n for statement in tree.body for n in ast.walk(statement) if isinstance(n, ast.Assign)):
        if node in tree.body:
            named |= {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    found = named - loaded(tree)
    for function in (n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)):
        parameters = {a.arg for a in function.args.args} - {"self", "shape"}  # Keras calls build(shape)
        found |= parameters - loaded(function)
    return found - {"_"}


def test_the_reader_of_unused_names():
    assert unused("A, B = 1, 2\n\ndef f(x, y):\n    return x\n\nprint(A)") == {"B", "f", "y"}


def test_no_name_is_unused(scripts):
    assert {name: found for name, text in scripts.items() if (found := unused(text))} == {}


def test_scripts_know_nothing_of_the_package(scripts):
    for name, text in scripts.items():
        compile(text, name, "exec")
        assert "gan_core" not in text and "{purposes}" not in text, name
        imported = {n.split(".")[0] for n in re.findall(r"^(?:import|from) (\S+)", text, re.MULTILINE)}
        assert imported <= {"argparse", "zipfile", "keras", "numpy", "tensorflow", "PIL", "sklearn"}, name
        assert max(map(len, text.splitlines())) <= 120, name


def test_ruff_has_nothing_to_say(scripts, tmp_path):
    for i, text in enumerate(scripts.values()):
        (tmp_path / f"script_{i:03d}.py").write_text(text, "utf-8")
    options = ["--isolated", "--no-cache", "--line-length", "120"]
    for command in (["check", *options, "--select", "E,F,W,I"], ["format", "--diff", *options]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *command, str(tmp_path)],
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        assert done.returncode == 0, done.stdout[-3_000:] + done.stderr[-1_000:]


@pytest.mark.parametrize("name", ALL)
def test_a_script_is_short(name, scripts):
    lines = scripts[name].splitlines()
    # A drawing brings its strokes, and what makes points of them; drawn shapes bring what draws them; coarse networks
    # bring two layers that Keras lacks.
    more = {"drawn": 70, "shapes": 15, "shapes_rgb": 15}.get(name, 25 * ("class PixelShuffle" in scripts[name]))
    assert sum(bool(line.strip()) for line in lines) <= 150 + more and len(lines) <= 190 + more


@pytest.mark.parametrize(
    ("settings", "absent"),
    [
        ({"penalty": "none"}, "GP_WEIGHT|PENALTY|total"),
        ({"gp_weight": 0}, "GP_WEIGHT|PENALTY|total"),
        ({"penalty": "r1"}, "PENALTY|def uniform"),
        ({"schedule": "constant"}, "SCHEDULE|_rate|Decay"),
        ({"schedule_floor": 1}, "SCHEDULE|_rate|Decay"),
        ({"show_ema": False}, "EMA|average"),
        ({"ema_decay": 0}, "EMA|average"),
        (
            {},
            "D_STEPS|G_STEPS|update=|UNROLL|PACKING|pack\\(|NOISE_|LABEL|CLIP|unchanged|training=True|DROPOUT|SpectralNorm",
        ),
        ({"loss": "hinge", "label_noise": 0.1, "label_smoothing": 0.1}, "REAL_G|LABEL|labels,"),
        ({"d_optimizer": "sgd", "g_optimizer": "rmsprop"}, "BETA|MOMENTUM"),
    ],
)
def test_only_what_the_settings_need(settings, absent):
    text = script(RING.updated(settings))
    assert re.findall(absent, text.split("# -- settings")[1]) == []


def test_values_are_constants_at_the_top():
    text = script(RING.updated({"g_lr": 3e-4, "seed": 12, "data.modes": 5}))
    assert (
        "G_LR, D_LR = 0.0003, 0.001\n" in text
        and "SEED = 12\n" in text
        and "MODES, RADIUS, STD = 5, 1.0, 0.01\n" in text
    )


def test_pixels_are_no_filters():
    """The 16 features that become a picture's pixels stay 16 whatever FILTERS is."""
    text = script(DIGITS.updated({"architecture": "coarse", "filters": 8}))
    assert "layers.Conv2D(16, 3" in text and "2 * FILTERS" in text


def test_draws_have_the_trainers_numbers():
    text = script(RING.updated({"unroll": 1, "penalty": "wgan_gp", "label_noise": 0.1, "instance_noise": 0.1}))
    assert f"{', '.join(PURPOSES)} = 0, 1, 2, 3, 4, 5, 6, 7" in text and "UNROLLED = 15" in text


def test_sources_leave_out_what_is_not_looked_at():
    texts, parameters = sources(LOSSES["hinge"].discriminator, LOSSES["hinge"].generator)
    assert parameters == {"hinge_d": ["real", "fake"], "wasserstein_g": ["fake"]}
    assert [text.splitlines()[0] for text in texts] == ["def hinge_d(real, fake):", "def wasserstein_g(fake):"]


# -- what has no script -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("config", "word"),
    [
        (GANConfig.from_flat({"data": "stacked_mnist", "conditional": True}), "1,000"),
        (GANConfig.from_flat({"data": "digits", "conditional": True, "data.classes": "3"}), "2 to 100"),
        (GANConfig.from_flat({"data": "digits", "data.classes": "12"}), "no class 12"),
        (GANConfig.from_flat({"data": "mnist", "architecture": "tutorial_conv", "data.size": "32"}), "28 x 28"),
        (replace(RING, d_optimizer="lion"), "lion"),
        (replace(RING, schedule="warm"), "warm"),
        (replace(RING, data="new"), "new"),
    ],
)
def test_what_has_no_script_says_why(config, word, monkeypatch):
    monkeypatch.setitem(DATASETS, "new", replace(DATASETS["ring"], draw=lambda n, rng: None))
    assert word in unpresentable(config)
    with pytest.raises(ConfigError, match=re.escape(unpresentable(config))):
        script(config)


# -- the data -----------------------------------------------------------------------------------------------


def data_of(text, *arguments, **shown):
    """What the part of a script before its networks makes: (training's array, labels or None)."""
    space = dict(shown)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["script.py", *map(str, arguments)])
        exec(compile(text.split("# -- networks")[0], "script.py", "exec"), space)
    labels = space["labels"].numpy() if hasattr(space.get("labels"), "numpy") else None
    return (space["data"] if "data" in space else space["pixels"]).numpy(), labels


def assert_same_data(config, text, *arguments, upload=None):
    wanted = loading.load(config, upload)
    array, labels = data_of(text, *arguments)
    assert array.dtype == wanted.array.dtype
    np.testing.assert_array_equal(array, wanted.array)
    if config.conditional:
        np.testing.assert_array_equal(labels, wanted.labels)


@pytest.mark.parametrize("name", [n for n, row in DATASETS.items() if row.kind == "points" and not row.upload])
def test_the_same_points(name):
    settings = {"data": name, "data_size": 300, "seed": 5}
    for knob, row in DATASETS[name].knobs.items():  # other values than the defaults
        if row.kind is not str:
            settings[f"data.{knob}"] = row.default + (1 if row.kind is int else 0.125)
        elif knob in ("x", "y"):
            settings[f"data.{knob}"] = list(row.choices)["yx".index(knob)]
    for config in (GANConfig.from_flat(settings), GANConfig.from_flat({"data": name, "data_size": 300})):
        assert_same_data(config, script(config))


@pytest.mark.parametrize("start", ["none", "ring", "moons"])
def test_the_same_drawing(start):
    line = np.array([[-1.0, 0.2], [0.4, -0.6], [1.0, 1.0]])
    strokes = [Stroke(line, 0.3, 0.7), Stroke(line[:1], 0.5, 3.0, "second"), Stroke(line[1:], 0.1, 1.0, "eraser")]
    settings = {"data": "drawn", "data_size": 300, "data.start": start, "data.strokes": encode(strokes)}
    config = GANConfig.from_flat(settings)
    text = script(config)
    assert_same_data(config, text)
    assert max(map(len, text.splitlines())) <= 120


PICTURES = [
    {"data": "digits", "conditional": True},
    {"data": "digits", "data.classes": "8,3", "data_size": 100, "conditional": True, "data.size": "32"},
    {"data": "digits", "data_size": 60, "data.size": "64"},
    {"data": "mnist", "conditional": True},
    {"data": "fashion_mnist", "data_size": 40, "seed": 3},
    {"data": "mnist_rgb", "data.classes": "0,1,2", "conditional": True, "data.size": "32"},
    {"data": "stacked_mnist", "data_size": 50, "data.classes": "1,2", "data.size": "32"},
    {"data": "cifar10", "conditional": True, "data.classes": "4,6"},
    {"data": "cifar10", "data.size": "64"},
    {"data": "shapes", "conditional": True, "data_size": 90},
    {"data": "shapes", "data.darkest": 200, "data.smallest": 0.6, "data.size": "48", "data_size": 50},
    {"data": "shapes_rgb", "data.classes": "2,0", "conditional": True, "data_size": 5000},
]


@pytest.mark.parametrize("settings", PICTURES, ids=lambda s: ", ".join(f"{k}={v}" for k, v in s.items()))
def test_the_same_pictures(settings, folder):
    config = GANConfig.from_flat(settings)
    file = {"mnist_rgb": "mnist", "stacked_mnist": "mnist"}.get(config.data, config.data)
    assert_same_data(config, script(config), *([] if file not in SOURCES else ["--data", folder / f"{file}.npz"]))


@pytest.mark.parametrize("name", SOURCES)
def test_known_pictures_come_through_keras(name, folder, monkeypatch):
    with np.load(folder / f"{name}.npz") as file:
        x, y = file["x_train"], file["y_train"]
    y = y[:, None] if name == "cifar10" else y
    monkeypatch.setattr(getattr(keras.datasets, name), "load_data", lambda: ((x, y), (x[:1], y[:1])))
    for settings in ({}, {"conditional": True}):
        config = GANConfig.from_flat({"data": name, **settings})
        assert_same_data(config, script(config))


def test_smaller_pictures_differ_by_rounding_alone(folder):
    config = GANConfig.from_flat({"data": "cifar10", "data.size": "28"})
    array, _ = data_of(script(config), "--data", folder / "cifar10.npz")
    assert np.abs(array.astype(int) - loading.load(config).array).max() <= 1


@pytest.mark.parametrize("mark", [",", "\t", ";", " "])
@pytest.mark.parametrize("header", ["", "width{mark}height\n"])
def test_a_table_of_the_users(mark, header, tmp_path):
    points = np.random.default_rng(0).normal(size=(40, 2)) * [3, 1] + [7, -2]
    path = tmp_path / "my points.csv"
    path.write_text(header.format(mark=mark) + "\n".join(f"{x!r}{mark}{y!r}" for x, y in points.tolist()) + "\n")
    config = GANConfig.from_flat({"data": "file"})
    upload, _ = uploads.parsed(path.name, path.read_bytes())
    assert_same_data(config, script(config), "--data", path, upload=upload)
    assert 'default="my points.csv"' in script(config, "my points.csv")


@pytest.mark.parametrize("axes", [("eruptions (min)", "waiting"), ("column 2", "column 3")])
def test_a_table_of_the_users_by_its_columns(axes, tmp_path):
    points = np.random.default_rng(0).normal(size=(40, 2)) * [3, 1000] + [7, -2]
    path, config = tmp_path / "my points.csv", GANConfig.from_flat({"data": "file"})
    rows = [f"{i},{x!r},{y!r},long" for i, (x, y) in enumerate(points.tolist())]
    path.write_text("\n".join([f"no,{','.join(axes)},kind", *rows]))
    order = np.random.default_rng(0).permutation(40)
    upload = OwnPoints(points[order].astype(np.float32), axes=axes)
    text = script(config, own=loading.load(config, upload))
    assert_same_data(config, text, "--data", path, upload=upload)
    np.savez(tmp_path / "data.npz", points=upload.points)  # as exported, whatever file the points came in
    assert_same_data(config, text, "--data", tmp_path / "data.npz", upload=upload)
    assert ('header="eruptions (min),waiting"' in text) == (axes[1] == "waiting")


def test_a_table_of_a_run_that_an_earlier_version_saved_keeps_its_scale(tmp_path):
    points = (np.random.default_rng(0).normal(size=(40, 2)) * [3, 1000]).astype(np.float32)
    path, config = tmp_path / "points.csv", GANConfig.from_flat({"data": "file"})
    np.savetxt(path, points, delimiter=",")
    old = points[np.random.default_rng(0).permutation(40)]
    assert_same_data(config, script(config, own=loading.load(config, old)), "--data", path, upload=old)


def picture_bytes(suffix, pixels, labels):
    """A .npz or a zip of PNG files in folders that are the classes."""
    content = io.BytesIO()
    if suffix == ".npz":
        np.savez(content, images=pixels, labels=labels)
        return content.getvalue()
    with zipfile.ZipFile(content, "w") as archive:
        for i, (picture, label) in enumerate(zip(pixels, labels, strict=True)):
            png = io.BytesIO()
            Image.fromarray(picture.squeeze()).save(png, "PNG")
            archive.writestr(f"all/{label}/{i:03d}.png", png.getvalue())
    return content.getvalue()


@pytest.mark.parametrize("suffix", [".npz", ".zip"])
@pytest.mark.parametrize("channels", [1, 3])
def test_pictures_of_the_users(suffix, channels, tmp_path):
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (40, 32, 32, channels)).astype(np.uint8)
    path = tmp_path / f"mine{suffix}"
    path.write_bytes(picture_bytes(suffix, pixels, rng.integers(2, 5, 40)))
    upload, _ = parse_pictures(path.read_bytes(), path.name)
    for settings in ({}, {"conditional": True}, {"conditional": True, "data.classes": "0,2"}):
        config = GANConfig.from_flat({"data": "picture_file", **settings})
        shape = loading.load(config, upload).shape
        assert shape == (32, 32, channels)
        assert_same_data(config, script(config, str(path), shape), upload=upload)


# -- the runs -----------------------------------------------------------------------------------------------

DRIVER = """
import contextlib, io, json, runpy, sys
for path, *arguments in json.loads(sys.argv[1]):
    sys.argv = [path, *arguments]
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        made = runpy.run_path(path, run_name="__main__")
    sizes = [sum(v.numpy().size for v in made[n].trainable_variables) for n in ("generator", "discriminator")]
    print(json.dumps({"printed": printed.getvalue().splitlines(), "parameters": sizes}), flush=True)
assert not {"gan_core", "streamlit"} & set(sys.modules)
"""

# XLA, which dense networks go through, takes seconds for each: few of them, and most with few layers.
SHALLOW = {"g_layers": 1, "g_units": 32, "d_layers": 1, "d_units": 32, "data_size": 500}
DCGAN = DIGITS.updated({**SMALL, "architecture": "dcgan"})
PLAIN = {"loss": "hinge", "penalty": "none", "conditional": False}
RUNS = {
    "ring": RING,
    "tutorial-gaussian": PRESETS["tutorial-gaussian"].config.updated(SHALLOW),
    "tutorial-disc": PRESETS["tutorial-disc"].config.updated({**SHALLOW, "data.radius": 2}),
    **{f"ring+{r}": RECIPES[r].of(RING).updated(SHALLOW) for r in ("wgan_gp", "pacgan2")},
    **{f"digits+{r}": RECIPES[r].of(DCGAN) for r in ("original", "sngan")},
    "digits": DIGITS.updated(SMALL),
    "digits, coarse": DIGITS.updated({**SMALL, "architecture": "coarse"}),
    "digits, resnet": DIGITS.updated({**SMALL, **PLAIN, "architecture": "resnet"}),
    "digits, keeping": DCGAN.updated({**OPTIONS, **KEEPING}),
    "digits, packed": DCGAN.updated({**OPTIONS, **PACKED, "conditional": False, "unroll": 0, "loss": "relativistic"}),
    "mnist": PRESETS["mnist"].config.updated({**SMALL, "architecture": "dcgan", "g_norm": "batch"}),
    "cifar10, diffaugment": GANConfig.from_flat({**SMALL, "data": "cifar10", "augment": "diffaugment", "packing": 2}),
    "digits, ada": DCGAN.updated({**OPTIONS, **KEEPING, "augment": "ada", "ada_target": 0.0, "ada_kimg": 1}),
    "digits, ada, relativistic": DCGAN.updated({"augment": "ada", "ada_target": 0.0, "ada_kimg": 1, "d_steps": 2}),
    "digits, ada, dense": DIGITS.updated({**SMALL, **SHALLOW, "architecture": "mlp", "augment": "ada", "ada_kimg": 1}),
    "ring, unrolled": RING.updated({**SHALLOW, "penalty": "r1", "unroll": 2, "minibatch_std": True}),
    "ring, D frozen": RING.updated({**SHALLOW, "d_steps": 0, "schedule": "linear"}),
    "digits, G frozen, keeping": DCGAN.updated({**OPTIONS, **KEEPING, "g_steps": 0}),
}


def trained(config):
    """(its trainer after so many steps, the rows); without compiling."""
    data = loading.load(config)
    program = TrainStep(config, data.array.shape, path="graph", classes=class_count(config, data))
    program.train = program._train
    trainer = Trainer(config, data, program)
    return trainer, trainer.train(STEPS)


@pytest.fixture(scope="module")
def runs(folder, tmp_path_factory):
    """Name -> (what its script printed and made, its trainer after as many steps, the trainer's rows, its samples).

    One process runs all scripts, out of the repository's sight, while the trainers run here.
    """
    place = tmp_path_factory.mktemp("scripts")
    calls = []
    for i, config in enumerate(RUNS.values()):
        (place / f"{i}.py").write_text(script(config), "utf-8")
        suffix = ".csv" if DATASETS[config.data].kind == "points" else ".png"
        more = ["--data", str(folder / f"{config.data}.npz")] if config.data in SOURCES else []
        calls.append([f"{i}.py", "--steps", str(STEPS), "--print-every", "1", "--output", f"{i}{suffix}", *more])
    process = subprocess.Popen(
        [sys.executable, "-I", "-c", DRIVER, json.dumps(calls)],
        cwd=place,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "XLA_FLAGS": "--xla_backend_optimization_level=0"},
        stdout=subprocess.PIPE,
        stderr=(place / "errors.txt").open("wb"),
        text=True,
    )
    try:
        ours = [trained(config) for config in RUNS.values()]
        out, _ = process.communicate(timeout=SECONDS)
    finally:
        with contextlib.suppress(OSError):
            process.kill()
        process.wait()
    assert process.returncode == 0, (place / "errors.txt").read_text("utf-8", "replace")[-3_000:]
    made = [json.loads(line) for line in out.splitlines()]
    return {name: (made[i], *ours[i], place / calls[i][calls[i].index("--output") + 1]) for i, name in enumerate(RUNS)}


@pytest.mark.parametrize("name", RUNS)
def test_the_same_losses(name, runs):
    made, trainer, rows, _ = runs[name]
    assert [line.split()[1] for line in made["printed"]] == [str(step) for step in range(1, STEPS + 1)]
    learns = [i for i, count in enumerate((trainer.config.g_steps, trainer.config.d_steps)) if count]
    losses = [[float(loss) for loss in re.findall(r"[gd]_loss (\S+)", line)] for line in made["printed"]]
    np.testing.assert_allclose(losses, rows[:, learns], rtol=1e-3, atol=6e-5)  # four decimals are printed
    counts = [sum(int(np.prod(w.shape)) for w in trainer.state[side]) for side in "gd"]
    assert made["parameters"] == counts


@pytest.mark.parametrize("name", RUNS)
def test_the_same_samples(name, runs):
    _, trainer, _, path = runs[name]
    config, images = trainer.config, trainer.data.kind == "images"
    labels = np.arange(100) // 10 % trainer.classes if trainer.classes else None
    ema = config.show_ema and config.ema_decay > 0
    wanted = trainer.samples(trainer.latent(100 if images else 2500), ema, labels)
    if not images:
        found = np.loadtxt(path, delimiter=",", skiprows=1)
        np.testing.assert_allclose(found, wanted, rtol=1e-3, atol=1e-3 * np.abs(wanted).max())
        return
    height, width, channels = trainer.data.shape
    found = np.asarray(Image.open(path)).reshape(10, height, 10, width, channels).swapaxes(1, 2)
    wanted = wanted.reshape(10, 10, height, width, channels)
    assert np.abs(found.astype(int) - wanted).max() <= 2  # gray levels


def test_the_same_losses_across_the_change_to_xla(tmp_path, monkeypatch):
    """The first steps are a graph, the rest XLA, which draws with other numbers; both at the step that the run has."""
    for name in ("gan_core.export.script.first_steps", "gan_core.training.compilation.first_steps"):
        monkeypatch.setattr(name, lambda config, shape: 2)
    config, steps = RING.updated(SHALLOW), 5
    (tmp_path / "run.py").write_text(script(config), "utf-8")
    command = ["run.py", "--steps", str(steps), "--print-every", "1"]
    done = subprocess.run(
        [sys.executable, "-I", *command], cwd=tmp_path, capture_output=True, text=True, timeout=SECONDS, check=False
    )
    assert done.returncode == 0, done.stderr[-2_000:]
    found = [[float(x) for x in re.findall(r"loss (\S+)", line)] for line in done.stdout.splitlines()]
    trainer = Trainer(config, loading.load(config))
    rows = trainer.train(steps)
    assert trainer.runs.path == "xla" and "FIRST_STEPS = 2 " in script(config)
    np.testing.assert_allclose(found, rows[:, :2], rtol=1e-3, atol=6e-5)
