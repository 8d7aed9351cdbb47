"""Exports: what each one is for, read by the programs that it is made for."""

import base64
import html.parser
import io
import json
import os
import re
import zipfile
from dataclasses import replace

import keras
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from gan_core.__main__ import main
from gan_core.data import loading
from gan_core.data.image_sources import MissingFile
from gan_core.data.loading import class_count
from gan_core.data.own_files import uploads
from gan_core.export import animation, exports, html_player, model_files
from gan_core.export.animation import spread
from gan_core.export.exports import EXPORTS
from gan_core.export.frame_pictures import FAKE_TINT, MIDDLE, REAL_TINT, SIDE, grid_picture, plane_picture
from gan_core.foundations.hyperparameters import ConfigError
from gan_core.recording.thumbnail import FAKE, REAL
from gan_core.recording.training_run import TrainingRun
from gan_core.runs import run_reading, run_restoring, run_writing
from gan_core.settings.config import GANConfig
from gan_core.settings.recipes import RECIPES
from gan_core.training.train_step import COLUMNS, TrainStep
from gan_core.training.trainer import Trainer
from tests.conftest import wait_until
from tests.support.tiny import image_trainer, point_trainer, quadrants
from tests.support.trainers import data_of, settings, trainer_of, uncompiled

STEPS = 6
NOTE = "first & best</p><script>alert('no')</script>\nsecond line"
SCORES = [
    (2, {"step": 2, "w1": 0.1 + 0.2, "mode_counts": [1, 2]}),
    (5, {"step": 5, "w1": 0.25, "modes": 3, "note": "x"}),
]


SMALL_IMAGES = {"architecture": "mlp", "batch_size": 8}
SMALL_IMAGES |= {"g_layers": 1, "g_units": 8, "d_layers": 1, "d_units": 8, "g_norm": "none"}


def of_images(config, data):
    """A trainer that compiles nothing."""
    program = TrainStep(config, data.array.shape, "graph", class_count(config, data))
    program.train = program._train
    return Trainer(config, data, program)


def saved(folder, trainer, note=""):
    """A run of STEPS steps with a frame of each, two scores and a turned knob."""
    training = TrainingRun(trainer, scored=False)
    training.record()
    for _ in range(STEPS):
        training.train(1)
        training.record()
    training.recording.history.mark(3, "d_lr 0.1 → 0.2")
    for step, values in SCORES:
        training.recording.scores.add(step, values)
    run_writing.save(folder, run_writing.Content.of(training, note=note))
    return run_reading.read(folder)


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(scope="module")
def points(root):
    return saved(root / "points 1", trainer_of(settings(seed=3, ema_decay=0.5, **{"data.radius": 2.0})), NOTE)


@pytest.fixture(scope="module")
def images(root):
    """Conditional digits."""
    config = GANConfig.from_flat({**SMALL_IMAGES, "data": "digits", "conditional": True})
    return saved(root / "digits", of_images(config, loading.load(config, None)))


@pytest.fixture(scope="module")
def made():
    """The bytes of an export, made once, with the fractions that it told."""
    kept = {}

    def make(run, name):
        if (run.folder, name) not in kept:
            told = []
            kept[run.folder, name] = EXPORTS[name].make(run, told.append), told
        return kept[run.folder, name]

    return make


def table(content):
    return pd.read_csv(io.BytesIO(content))


def rgb(picture, x, y):
    return picture.convert("RGB").getpixel((x, y))


# -- the registry -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", EXPORTS)
def test_every_export_is_described_and_tells_how_far_it_is(name, points, made):
    row = EXPORTS[name]
    assert row.description.endswith(".") and len(row.description) < 120
    assert re.fullmatch(r"\.[a-z]+", row.suffix) and "/" in row.mime
    if name == "script":
        pytest.importorskip("gan_core.export.script")
    content, told = made(points, name)
    assert content and told[-1] == 1 and told == sorted(told) and told[0] > 0


def test_names_of_files(points):
    assert [exports.file_name(points, name) for name in ("gif", "keras", "scores")] == [
        "points 1.gif",
        "points 1-keras.zip",
        "points 1-scores.csv",
    ]


def test_the_script_is_python_of_the_run_s_settings(points, made, monkeypatch, images):
    module = pytest.importorskip("gan_core.export.script")
    compile(made(points, "script")[0], "script.py", "exec")
    asked = []
    monkeypatch.setattr(module, "script", lambda *a: asked.append(a) or "pass\n")
    own = replace(images, config=images.config.updated({"data": "picture_file"}))
    pictures = loading.load(images.config, None)
    monkeypatch.setattr(exports.run_reading, "data_of", lambda run: pictures)
    assert EXPORTS["script"].make(points, print) == b"pass\n"
    EXPORTS["script"].make(own, print)
    assert asked == [(points.config, "", None, None), (own.config, "pictures.npz", pictures.shape, None)]


# -- pictures -----------------------------------------------------------------------------------------------


def test_a_gif_of_points(points, made):
    picture = Image.open(io.BytesIO(made(points, "gif")[0]))
    assert picture.format == "GIF" and picture.n_frames == STEPS + 1 and picture.info["loop"] == 0
    assert min(picture.size) > SIDE
    pauses, colors = [], set()
    for i in range(picture.n_frames):
        picture.seek(i)
        pauses.append(picture.info["duration"])
        colors |= {color for _, color in picture.convert("RGB").getcolors()}
    assert pauses == [400] * STEPS + [2_500]
    assert {REAL, FAKE} <= colors


def test_a_gif_of_images_and_its_whole_pixels(images, made):
    picture = Image.open(io.BytesIO(made(images, "gif")[0]))
    assert picture.n_frames == STEPS + 1
    side = 8 * 28 + 7
    assert picture.size == (2 * side, 36 + 2 * side)
    grid = run_reading.recording_of(images).frames.items[-1]["grid"]
    picture.seek(STEPS)
    shown = np.asarray(picture.convert("L"))[36:]
    assert np.array_equal(shown[::2, ::2], shown[1::2, 1::2])
    assert np.array_equal(shown[:56:2, :56:2], grid[0, ..., 0])
    assert np.array_equal(shown[58:114:2, :56:2], grid[8, ..., 0])  # a gap of one pixel between two


def test_a_grid_in_colour_keeps_its_colours():
    pixels = np.zeros((4, 32, 32, 3), np.uint8)
    pixels[1, ..., 0] = pixels[2, ..., 1] = 250
    picture = grid_picture(pixels, "step 7")
    assert rgb(picture, picture.width - 1, 40)[0] > 240 and rgb(picture, 5, picture.height - 1)[1] > 240


def test_the_plane_puts_everything_where_it_is():
    data = data_of(settings())  # eight modes on the unit circle
    heat = np.full((40, 40), 0.5)
    heat[-2:, -2:], heat[:2, -2:] = 1, 0  # top right and bottom right, for rows rise with y
    samples = np.array([[-1.0, 1.2], [np.nan, 0], [1e30, -1e30]], np.float32)
    picture = plane_picture(samples, data, heat)
    left, top, last = 56, 36, SIDE - 1

    def at(x, y):
        return rgb(picture, left + round((x + 1.5) / 3 * last), top + round((1.5 - y) / 3 * last))

    assert at(-1.0, 1.2) == FAKE and at(1.0, 0.0) == REAL and at(0.0, -1.0) == REAL
    assert at(1.5, 1.5) == REAL_TINT and at(1.5, -1.5) == FAKE_TINT and at(0, 0) == MIDDLE
    big = plane_picture(samples, data, side=2 * SIDE)
    assert big.size == tuple(2 * n for n in picture.size)


def test_a_run_that_has_not_been_trained(root):
    training = TrainingRun(trainer_of(settings()), scored=False)
    run_writing.save(root / "untrained", run_writing.Content.of(training))
    run = run_reading.read(root / "untrained")
    assert Image.open(io.BytesIO(EXPORTS["gif"].make(run, print))).n_frames == 1
    assert len(figure_of(Page(EXPORTS["html"].make(run, print)))["frames"]) == 1
    assert not len(table(EXPORTS["csv"].make(run, print))) and not len(table(EXPORTS["scores"].make(run, print)))


def test_frames_are_chosen_evenly_as_many_as_can_be_afforded():
    assert spread(5, 100) == [0, 1, 2, 3, 4] and spread(5, 1) == [4] and spread(1, 100) == [0]
    chosen = spread(240, 100)
    assert len(chosen) == 100 and chosen[0] == 0 and chosen[-1] == 239 and set(np.diff(chosen)) == {2, 3}
    assert len(animation.affordable(240, 100, lambda i: 1_000, 50_000)) == 50
    assert animation.affordable(240, 100, lambda i: 1_000, 10) == [239]


# -- HTML ---------------------------------------------------------------------------------------------------


class Page(html.parser.HTMLParser):
    """What a browser would find in the file."""

    VOID = ("meta", "br", "link", "img")

    def __init__(self, content):
        super().__init__()
        self.open, self.attributes, self.texts, self.scripts = [], [], [], []
        self.feed(content.decode())
        self.close()

    def handle_starttag(self, tag, attributes):
        self.attributes += [(tag, *pair) for pair in attributes]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        (self.scripts if self.open[-1:] == ["script"] else self.texts).append(data)


@pytest.fixture(scope="module")
def page(points, made):
    return Page(made(points, "html")[0])


def figure_of(page):
    return json.loads(next(text for text in page.scripts if text.startswith('{"data"')))


def test_the_page_is_whole_and_fetches_nothing(page, points, made):
    assert not page.open
    for tag, name, value in page.attributes:
        assert tag not in ("link", "img", "iframe") and name not in ("src", "href", "srcset"), (tag, value)
    policy = next(value for _, name, value in page.attributes if name == "content" and "default-src" in value)
    assert "default-src 'none'" in policy and "http" not in policy
    own = [text for text in page.scripts if "plotly.js v" not in text]
    assert len(own) == len(page.scripts) - 1 and not any("http" in text for text in own)
    assert len(made(points, "html")[0]) < 12_000_000


def test_the_page_shows_the_user_s_texts_as_texts(page):
    words = "".join(page.texts)
    assert "points 1" in words and NOTE in words and page.scripts[-1].count("Plotly.newPlot") == 1
    assert len(page.scripts) == 3 and not any("<" in text for text in page.scripts if text.startswith('{"data"'))
    assert "data.radius" in words and "d_lr 0.1 → 0.2" in words and "0.25" in words


def test_the_page_s_figure_holds_the_recording(page, points):
    figure, frames = figure_of(page), run_reading.recording_of(points).frames
    assert [int(frame["name"]) for frame in figure["frames"]] == frames.steps == list(range(STEPS + 1))
    names = [trace.get("name") for trace in figure["data"]]
    assert names == ["p(real)", "real", "generated", None, "generator's loss", "discriminator's loss"]
    for step, frame, seen in zip(frames.steps, figure["frames"], frames.items, strict=True):
        assert frame["traces"] == [0, 2, 3]
        heat, dots, line = frame["data"]
        assert np.allclose(heat["z"], seen["heat"], atol=0.006)
        assert np.allclose([dots["x"], dots["y"]], seen["samples"][:500].T, rtol=1e-3)
        assert line["x"] == [step, step]
    assert figure["data"][2]["x"] == figure["frames"][-1]["data"][1]["x"]  # opens with the last
    history = run_reading.recording_of(points).history.frame()
    assert figure["data"][4]["x"] == history["step"].tolist()
    assert np.allclose(figure["data"][5]["y"], history["mean"][:, COLUMNS.index("d_loss")], rtol=1e-5)
    layout = figure["layout"]
    assert layout["yaxis"]["scaleanchor"] == "x" and layout["xaxis"]["range"] == layout["yaxis"]["range"] == [-3, 3]
    assert [layout[a]["title"]["text"] for a in ("xaxis", "yaxis", "xaxis2", "yaxis2")] == ["x", "y", "step", "loss"]
    assert [step["args"][0] for step in layout["sliders"][0]["steps"]] == [[str(s)] for s in frames.steps]
    assert [shape["x0"] for shape in layout["shapes"]] == [3]


def test_the_page_of_images_holds_the_very_grids(images, made):
    figure = figure_of(Page(made(images, "html")[0]))
    grid = run_reading.recording_of(images).frames.items[0]["grid"]
    kind, _, encoded = figure["frames"][0]["data"][0]["source"].partition(";base64,")
    assert kind == "data:image/png" and figure["frames"][0]["traces"] == [0, 1]
    shown = np.asarray(Image.open(io.BytesIO(base64.b64decode(encoded))))
    assert np.array_equal(shown[29:57, :28], grid[8, ..., 0])
    assert figure["layout"]["yaxis"]["scaleanchor"] == "x"


def test_numbers_that_json_does_not_know_and_scripts_that_end_too_soon(points, monkeypatch):
    recording = run_reading.recording_of(points)
    recording.frames.items[0]["samples"][0] = np.nan
    monkeypatch.setattr(run_reading, "recording_of", lambda run: recording)
    monkeypatch.setattr(html_player, "plotly_script", lambda: "")
    recording.history.markers[0]["text"] = "</script><b>"
    page = Page(EXPORTS["html"].make(points, lambda fraction: None))
    assert figure_of(page)["frames"][0]["data"][1]["x"][0] is None and not page.open


def test_the_page_draws_and_plays_without_a_network(points, images, made, chromium, tmp_path):
    context = chromium.new_context(offline=True)
    asked, errors = [], []
    page = context.new_page()
    label = page.locator(".slider-label").first
    page.on("request", lambda request: asked.append(request.url.partition(":")[0]))
    page.on("pageerror", lambda error: errors.append(str(error)))
    try:
        for run, drawn in ((points, ".scatterlayer .point"), (images, ".imagelayer image, .image")):
            (tmp_path / f"{run.name}.html").write_bytes(made(run, "html")[0])
            page.goto((tmp_path / f"{run.name}.html").as_uri())
            label.wait_for()
            page.locator(drawn).first.wait_for(state="attached")
            assert label.text_content() == f"step {STEPS}"
            page.evaluate("window.seen = new Set()")
            page.evaluate("document.getElementById('plot').on('plotly_animatingframe', (e) => window.seen.add(e.name))")
            page.get_by_text("Play", exact=True).click()
            wait_until(lambda: page.evaluate("window.seen.size") == STEPS + 1, 30, "all frames to be played")
            page.evaluate("Plotly.animate('plot', ['2'], {mode: 'immediate', frame: {duration: 0, redraw: true}})")
            wait_until(lambda: label.text_content() == "step 2", 30, "the chosen step")
            line = page.evaluate("document.getElementById('plot').data.find((t) => t.yaxis == 'y3').x")
            assert line == [2, 2]
    finally:
        context.close()
    assert set(asked) <= {"file", "data", "blob"} and not errors


# -- tables and samples -------------------------------------------------------------------------------------


def test_the_history_reads_back_exactly(points, made):
    read, history = table(made(points, "csv")[0]), run_reading.recording_of(points).history.frame()
    assert read["step"].tolist() == history["step"].tolist() == list(range(1, STEPS + 1))
    assert list(read) == ["step", *(f"{c}_{part}" for c in COLUMNS for part in ("mean", "low", "high"))]
    for i, column in enumerate(COLUMNS):
        for part in ("mean", "low", "high"):
            assert np.array_equal(read[f"{column}_{part}"], history[part][:, i].astype(float))


def test_the_scores_read_back(points, made):
    read = table(made(points, "scores")[0])
    assert list(read) == ["step", "w1", "modes"] and read["step"].tolist() == [2, 5]
    assert read["w1"].tolist() == [0.1 + 0.2, 0.25] and np.isnan(read["modes"][0]) and read["modes"][1] == 3


def test_the_data_read_back_whatever_file_they_came_in(points, images, made, tmp_path):
    with np.load(io.BytesIO(made(points, "data")[0]), allow_pickle=False) as file:
        assert file.files == ["points"] and np.array_equal(file["points"], run_reading.data_of(points).points)
    digits = run_reading.data_of(images)
    with np.load(io.BytesIO(made(images, "data")[0]), allow_pickle=False) as file:
        assert np.array_equal(file["x_train"], digits.pixels) and np.array_equal(file["y_train"], digits.labels)
        assert np.array_equal(file["x_test"], digits.test_pixels)
    table = "jahr;groesse;art\n" + "".join(f"{1990 + i};{i * i % 17},5;{'ab'[i % 2]}\n" for i in range(40))
    own, _ = uploads.parsed("own.csv", table.encode(), {"columns": "jahr,groesse", "classes-from": "art"})
    config = settings(data="file")
    trainer = Trainer(config, loading.load(config, own), uncompiled(config))
    content = run_writing.Content.of(TrainingRun(trainer, scored=False), own)
    run_writing.save(tmp_path / "own", content)
    exported = EXPORTS["data"].make(run_reading.read(tmp_path / "own"), print)
    with np.load(io.BytesIO(exported), allow_pickle=False) as file:
        assert np.array_equal(file["points"], own.points) and np.array_equal(file["y_train"], own.labels)
    again, _ = uploads.parsed("data.npz", exported)
    assert np.array_equal(np.sort(again.points, 0), np.sort(own.points, 0))  # tables are shuffled


def test_samples_of_points(points, made):
    read = table(made(points, "samples-csv")[0])
    assert list(read) == ["x", "y"] and len(read) == 2_500 and len(read.drop_duplicates()) > 2_400
    with np.load(io.BytesIO(made(points, "samples-npz")[0]), allow_pickle=False) as file:
        assert file.files == ["samples"] and np.array_equal(file["samples"], read.to_numpy(np.float32))
    trainer = run_restoring.load(points, run_reading.data_of(points))
    assert np.allclose(read.mean(), trainer.samples(trainer.latent(2_500), ema=True).mean(0), atol=0.1)
    picture = Image.open(io.BytesIO(made(points, "png")[0]))
    assert picture.format == "PNG" and min(picture.size) >= 2 * SIDE
    assert {REAL, FAKE} <= {color for _, color in picture.convert("RGB").getcolors()}


def test_samples_of_images(images, made):
    with np.load(io.BytesIO(made(images, "samples-npz")[0]), allow_pickle=False) as file:
        assert file["samples"].shape == (1_000, 28, 28, 1) and file["samples"].dtype == np.uint8
        assert file["labels"].shape == (1_000,) and set(file["labels"]) == set(range(10))
        trainer = run_restoring.load(images, run_reading.data_of(images))
        z = trainer.latent(1_000, exports.DRAW)
        again = trainer.samples(z[700:800], True, file["labels"][700:800])
        assert np.array_equal(file["samples"][700:800], again)
    assert Image.open(io.BytesIO(made(images, "png")[0])).size == (2 * (10 * 28 + 9),) * 2
    with pytest.raises(ConfigError, match="samples-npz or png"):
        EXPORTS["samples-csv"].make(images, print)


# -- Keras --------------------------------------------------------------------------------------------------

PACGAN = RECIPES["pacgan2"].of(GANConfig.from_flat({"data": "ring"})).to_flat()
POINTS = {
    "plain": {"g_activation": "swish", "d_activation": "tanh", "show_ema": False},
    "pacgan2": {**PACGAN, "batch_size": 16, "data_size": 500},
    "spectral": {"g_norm": "spectral", "d_norm": "spectral", "d_layers": 2, "minibatch_std": True, "dropout": 0.3},
    "norms": {"g_norm": "batch", "d_norm": "layer", "d_layers": 2, "g_activation": "elu"},
}
IMAGES = {
    "projection": {"conditional": True, "g_norm": "batch", "d_norm": "spectral", "minibatch_std": True},
    "maxout": {"architecture": "dcgan_resize", "g_activation": "maxout", "d_activation": "maxout", "d_norm": "batch"},
    "resnet": {"architecture": "resnet", "packing": 2},
    "shuffled": {"architecture": "coarse", "g_norm": "batch", "d_norm": "spectral", "packing": 2},
    "transposed": {"g_norm": "spectral", "show_ema": False},
}
MADE_BY = {point_trainer: POINTS, image_trainer: IMAGES}
NETWORKS = {name: (make, changes[name]) for make, changes in MADE_BY.items() for name in changes}


def moved(trainer):
    """Every weight and statistic is another than at the start, and the average another than the generator."""
    rng = np.random.default_rng(0)

    def other(tensors):
        shift = [0.1 * np.abs(rng.normal(size=t.shape)).astype(np.float32) for t in tensors]
        return [t + s if t.dtype == s.dtype else t for t, s in zip(tensors, shift, strict=True)]

    names = ("g", "g_extra", "ema", "ema_extra", "d", "d_extra")
    trainer.state = {**trainer.state, **{name: other(trainer.state[name]) for name in names}}
    return trainer


@pytest.mark.parametrize("name", NETWORKS)
def test_keras_models_load_safely_and_say_the_same(name, tmp_path):
    make, changes = NETWORKS[name]
    trainer = moved(make(**changes))
    loaded = []
    for model in model_files.models(trainer):
        path = tmp_path / f"{model.name}.keras"
        model.save(path)
        with zipfile.ZipFile(path) as file:
            modules = re.findall(r'"module": ("[^"]*"|null)', file.read("config.json").decode())
        assert modules and {m.strip('"').partition(".")[0] for m in modules} <= {"keras", "builtins"}
        loaded.append(keras.saving.load_model(path, safe_mode=True))
    generator, discriminator = loaded
    rng, state, classes = np.random.default_rng(1), trainer.state, trainer.classes
    z = rng.normal(size=(9, trainer.config.latent_dim)).astype(np.float32)
    y = np.eye(classes, dtype=np.float32)[np.arange(9) % classes] if classes else None
    g, extra = ("ema", "ema_extra") if trainer.config.show_ema else ("g", "g_extra")
    fake = trainer.program.generate(state[g], state[extra], z, y).numpy()
    assert np.abs(fake - np.asarray(generator(z if y is None else np.concatenate([z, y], 1)))).max() < 1e-4
    x = rng.normal(size=(9, *trainer.program.discriminator.inputs[0].shape[1:])).astype(np.float32)
    logits = trainer.program.discriminate(state["d"], state["d_extra"], x, y).numpy()
    assert np.abs(logits - np.asarray(discriminator(x if y is None else [x, y]))).max() < 1e-4 * np.abs(logits).max()
    assert np.std(fake) > 0 and np.std(logits) > 0


def test_the_archive_of_models_explains_itself(points, images, made, tmp_path):
    words = {}
    for run in (points, images):
        with zipfile.ZipFile(io.BytesIO(made(run, "keras")[0])) as file:
            assert file.namelist() == ["generator.keras", "discriminator.keras", "README.txt"]
            file.extract("generator.keras", tmp_path)
            words[run.name] = file.read("README.txt").decode()
        trainer = run_restoring.load(run, run_reading.data_of(run))
        z = trainer.latent(20)
        labels = trainer.labels(20) if trainer.classes else None
        entered = z if labels is None else np.concatenate([z, np.eye(10)[labels]], 1)
        generator = keras.saving.load_model(tmp_path / "generator.keras", safe_mode=True)
        assert np.allclose(generator(entered), trainer.generated(z, True, labels), atol=1e-4)
    assert "[batch, 2]" in words["points 1"] and "value * 2 + (0, 0)" in words["points 1"]
    assert "(EMA)" in words["points 1"] and "standard normal" in words["points 1"]
    assert "one-hot" in words["digits"] and "[-1, 1]" in words["digits"] and "one-hot" not in words["points 1"]
    assert "packs of 2" in model_files._readme(points, point_trainer(packing=2))


# -- TensorBoard --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["points", "images"])
def test_tensorboard_reads_its_folder(kind, points, images, made, tmp_path):
    accumulators = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    run = points if kind == "points" else images
    with zipfile.ZipFile(io.BytesIO(made(run, "tensorboard")[0])) as file:
        file.extractall(tmp_path)
    reader = accumulators.EventAccumulator(str(tmp_path), size_guidance={"images": 0, "scalars": 0}).Reload()
    history = run_reading.recording_of(run).history.frame()
    assert set(reader.Tags()["scalars"]) == {f"training/{c}" for c in COLUMNS} | {"scores/w1", "scores/modes"}
    losses = reader.Scalars("training/d_loss")
    assert [event.step for event in losses] == history["step"].tolist()
    assert np.array_equal([event.value for event in losses], history["mean"][:, COLUMNS.index("d_loss")])
    assert [(event.step, event.value) for event in reader.Scalars("scores/w1")][1] == (5, 0.25)
    pictures = reader.Images("samples")
    assert [event.step for event in pictures] == list(range(STEPS + 1))
    opened = Image.open(io.BytesIO(pictures[-1].encoded_image_string))
    assert opened.size == (pictures[-1].width, pictures[-1].height)


# -- runs that cannot be exported ---------------------------------------------------------------------------


@pytest.fixture
def nowhere(tmp_path, monkeypatch):
    """A machine without data files."""
    monkeypatch.delenv("GANSCOPE_DATA", raising=False)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.setenv("GANSCOPE_CACHE", str(tmp_path / "cache"))


def test_a_run_whose_pictures_are_elsewhere_still_has_its_recording(tmp_path, nowhere):
    config = GANConfig.from_flat({**SMALL_IMAGES, "data": "mnist"})
    training = TrainingRun(of_images(config, quadrants()), scored=False)
    run_writing.save(tmp_path / "mnist", run_writing.Content.of(training))
    run = run_reading.read(tmp_path / "mnist")
    assert all(EXPORTS[name].make(run, print) for name in ("gif", "csv", "scores", "tensorboard"))
    for name in ("keras", "png", "samples-npz"):
        with pytest.raises(MissingFile, match="not on this machine"):
            EXPORTS[name].make(run, print)


def test_a_recording_without_frames_is_a_sentence(points, monkeypatch):
    recording = run_reading.recording_of(points)
    monkeypatch.setattr(run_reading, "recording_of", lambda run: recording)
    recording.frames.items[0] = {}
    with pytest.raises(ConfigError, match="not of the data"):
        EXPORTS["gif"].make(points, print)
    recording.frames = recording.frames.until(-1)
    with pytest.raises(ConfigError, match="no recorded frames"):
        EXPORTS["html"].make(points, print)


# -- the command line ---------------------------------------------------------------------------------------


def exported(root, *arguments):
    return main(["export", *map(str, arguments), "--runs-dir", str(root)])


def test_the_command_writes_the_file_and_one_json_line(points, root, made, tmp_path, capsys):
    output = tmp_path / "history.csv"
    assert exported(root, "points 1", "--as", "csv", "--output", output, "--json") == 0
    said = capsys.readouterr()
    content = made(points, "csv")[0]
    assert output.read_bytes() == content
    line = {"run": "points 1", "as": "csv", "output": str(output), "bytes": len(content)}
    assert json.loads(said.out) == line and said.out.count("\n") == 1 and "csv: 100 %" in said.err
    assert exported(root, points.folder, "--as", "scores", "--output", output) == 0  # by its folder, and over the old
    assert output.read_bytes() == made(points, "scores")[0] and str(output) in capsys.readouterr().out
    assert [path.name for path in tmp_path.iterdir()] == ["history.csv"]


def test_tensorboard_s_folder(points, root, tmp_path, capsys):
    for _ in range(2):  # the second time into the folder that is there
        assert exported(root, "points 1", "--as", "tensorboard", "--output", tmp_path / "board") == 0
    (events,) = (tmp_path / "board").iterdir()
    assert events.name.startswith("events.out.tfevents.")
    assert exported(root, "points 1", "--as", "tensorboard", "--output", tmp_path / "board.zip") == 0
    with zipfile.ZipFile(tmp_path / "board.zip") as file:
        assert file.namelist() == [events.name] and file.read(events.name) == events.read_bytes()


@pytest.mark.parametrize(
    ("run", "name", "output", "words"),
    [
        ("nothing", "csv", "a.csv", "no saved run 'nothing'"),
        ("points 1", "csv", ".", "is a folder"),
        ("points 1", "csv", "not/there/a.csv", "does not exist"),
        ("points 1", "csv", "x" * 300, "cannot be written"),
        ("points 1", "csv", "pipe", "is no file"),
        ("points 1", "tensorboard", "file", "is a file"),
        ("points 1", "tensorboard", "not/there", "does not exist"),
        ("digits", "samples-csv", "a.csv", "samples-npz or png"),
        ("broken", "csv", "a.csv", "missing or damaged"),
        ("cut", "csv", "a.csv", "was changed or cut off"),
        ("gone", "keras", "a.zip", "not on this machine"),
    ],
)
def test_what_cannot_be_exported_is_a_sentence(
    run, name, output, words, points, images, root, tmp_path, capsys, monkeypatch, nowhere
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("mine")
    os.mkfifo(tmp_path / "pipe")  # to be written whole, it would be replaced
    for other in ("broken", "cut", "gone"):
        folder = tmp_path / other
        folder.mkdir()
        source = images if other == "gone" else points
        for path in source.folder.iterdir():
            (folder / path.name).write_bytes(path.read_bytes())
    (tmp_path / "broken" / "config.json").write_text("[]")
    next((tmp_path / "cut").glob("history-*")).write_bytes(b"PK")
    about = json.loads((tmp_path / "gone" / "config.json").read_text("utf-8"))
    about["config"]["data"] = "mnist"
    (tmp_path / "gone" / "config.json").write_text(json.dumps(about))
    there = sorted(tmp_path.iterdir())
    assert exported(root, run, "--as", name, "--output", output) == 2
    said = capsys.readouterr()
    assert words in said.err and said.err.rstrip().endswith(".") and said.out == ""
    assert sorted(tmp_path.iterdir()) == there and (tmp_path / "file").read_text() == "mine"


def test_an_unknown_format_is_a_sentence(root, capsys):
    with pytest.raises(SystemExit) as caught:
        exported(root, "points 1", "--as", "pdf", "--output", "a.pdf")
    assert caught.value.code == 2 and "gif" in capsys.readouterr().err


def test_a_file_that_is_cut_short_leaves_the_old_one(points, tmp_path, monkeypatch):
    output = tmp_path / "a.csv"
    output.write_text("old")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(run_writing.os, "replace", full)
    with pytest.raises(ConfigError, match="No space left"):
        exports.write(points, "csv", output, lambda fraction: None)
    assert output.read_text() == "old" and len(list(tmp_path.iterdir())) == 1
