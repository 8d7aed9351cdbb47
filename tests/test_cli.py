"""`python -m gan_core`, as a user types it."""

import io
import json
import math
import os
import subprocess
import sys
import zipfile

import numpy as np
import pytest
from PIL import Image

from gan_core import classifier, datasets, download
from gan_core.__main__ import main
from gan_core.config import IMAGE_DEFAULTS
from gan_core.knobs import ConfigError
from gan_core.presets import PRESETS
from tests.conftest import ROOT

TINY = ["--set", "g_units=8", "--set", "d_units=8", "--set", "batch_size=16", "--set", "data_size=500"]


def command(*arguments: str, **environment: str) -> subprocess.CompletedProcess:
    """A real process."""
    return subprocess.run(
        [sys.executable, "-m", "gan_core", *arguments],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=200,
    )


def one_json_line(output: str) -> dict:
    """What a command with --json must print, and nothing else."""
    assert output.endswith("\n") and output.count("\n") == 1
    return json.loads(output)


def test_train_ends_with_one_json_line():
    result = command("train", "--preset", "ring", "--steps", "30", "--seed", "7", *TINY, "--json")
    assert result.returncode == 0, result.stderr
    row = one_json_line(result.stdout)
    assert row["preset"] == "ring" and row["steps"] == 30 and row["config"]["seed"] == 7
    assert row["config"]["g_units"] == 8
    assert row["seconds"] > 0 and row["steps_per_second"] > 0
    assert {"modes", "modes_total", "hq", "reverse_kl", "w1", "w1_floor"} <= set(row["metrics"])


def test_a_config_file_and_a_data_file(tmp_path, capsys):
    config, data = tmp_path / "config.json", tmp_path / "points.csv"
    config.write_text(json.dumps({"g_units": 8, "d_units": 8, "batch_size": 16}))
    data.write_text("".join(f"{i % 13},{i % 7}\n" for i in range(100)))
    assert main(["train", "--config", str(config), "--data", str(data), "--steps", "5", "--json"]) == 0
    row = one_json_line(capsys.readouterr().out)
    assert row["config"]["data"] == "file" and row["steps"] == 5 and row["preset"] is None
    assert "modes" not in row["metrics"] and row["metrics"]["w1"] > 0


def test_seconds_end_a_run(capsys):
    assert main(["train", "--preset", "moons", *TINY, "--seconds", "0.5", "--json"]) == 0
    assert one_json_line(capsys.readouterr().out)["steps"] > 0


def test_presets(capsys):
    assert main(["presets", "--json"]) == 0
    rows = one_json_line(capsys.readouterr().out)["presets"]
    assert [row["name"] for row in rows] == list(PRESETS)
    assert main(["presets"]) == 0
    assert "tutorial-disc" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["train", "--preset", "nope"], "There is no preset 'nope'"),
        (["train", "--set", "foo=1"], "There is no setting 'foo'"),
        (["train", "--set", "d_lr"], "NAME=VALUE"),
        (["train", "--set", "d_lr=9"], "d_lr must be a number from 1e-05 to 1"),
        (["train", "--set", "d_lr=nan"], "d_lr must be a number"),
        (["train", "--set", "data.foo=1"], "has no parameter 'data.foo'"),
        (["train", "--set", "data=file"], "needs --data FILE"),
        (["train", "--seed", "x"], "seed must be a whole number"),
        (["train", "--config", "does/not/exist.json"], "cannot be read"),
        (["train", "--preset", "ring", "--config", "x"], "not both"),
        (["train", "--data", "does/not/exist.csv"], "cannot be read"),
    ],
)
def test_bad_usage_is_a_sentence_and_status_2(capsys, arguments, said):
    assert main([*arguments, "--json"]) == 2
    captured = capsys.readouterr()
    assert said in captured.err and captured.out == ""


@pytest.mark.parametrize("content", ["", "{", "[1]", '{"d_lr": []}', '{"nope": 1}', "\x00", '{"seed": 1e999}'])
def test_a_bad_config_file_is_a_sentence(tmp_path, capsys, content):
    path = tmp_path / "config.json"
    path.write_text(content)
    assert main(["train", "--config", str(path)]) == 2
    assert len(capsys.readouterr().err.strip()) > 20


@pytest.mark.parametrize("arguments", [["train", "--steps", "0"], ["train", "--seconds", "-1"], ["nope"], []])
def test_the_parser_ends_with_status_2(capsys, arguments):
    with pytest.raises(SystemExit) as end:
        main(arguments)
    assert end.value.code == 2
    assert "--help" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["--help"], ["train", "--help"], ["bench", "--help"], ["presets", "--help"]])
def test_help(capsys, arguments):
    with pytest.raises(SystemExit) as end:
        main(arguments)
    assert end.value.code == 0
    assert "--" in capsys.readouterr().out


def test_a_diverged_run_fails(capsys):
    wild = ["--set", "d_optimizer=sgd", "--set", "d_lr=1", "--set", "penalty=r1_r2", "--set", "gp_weight=100"]
    assert main(["train", *TINY, *wild, "--steps", "2000", "--json"]) == 1
    captured = capsys.readouterr()
    assert "Training diverged" in captured.err and captured.out == ""


# -- images -------------------------------------------------------------------------------------------------

SMALL = ["--set", "filters=8", "--set", "batch_size=8", "--set", "latent_dim=8", "--steps", "2"]
SCORES = {"confidence", "confidence_real", "class_tv", "class_tv_floor", "classifier_fid", "classifier_fid_floor"}
SCORES |= {"samples", "classifier_accuracy", "histogram", "histogram_real", "g_loss", "d_loss", "sample_change"}


@pytest.fixture
def alone(tmp_path, monkeypatch):
    """A machine without any picture of its own, and few steps of the classifier's training."""
    for variable in ("GANSCOPE_DATA", "GANSCOPE_CACHE", "KERAS_HOME"):
        monkeypatch.setenv(variable, str(tmp_path))
    monkeypatch.setattr(classifier, "STEPS", (20, 20))
    datasets._draw_pictures.cache_clear()
    yield tmp_path
    datasets._draw_pictures.cache_clear()


def noise(n=60, side=28):
    """Pictures with a bright half, upper or lower, which is the class."""
    labels = np.arange(n) % 2
    pixels = np.random.default_rng(0).integers(0, 100, (n, side, side)).astype(np.uint8)
    for picture, label in zip(pixels, labels, strict=True):
        picture[: side // 2] += (100 * label).astype(np.uint8)
    return pixels, labels


def npz(path, **arrays):
    np.savez(path, **arrays)
    return str(path)


def trained(capsys, *arguments):
    """The result of a successful run."""
    assert main(["train", *arguments, "--json"]) == 0
    return one_json_line(capsys.readouterr().out)


def test_digits_in_a_process_of_their_own(tmp_path):
    result = command("train", "--preset", "digits", "--steps", "3", "--json", GANSCOPE_CACHE=str(tmp_path))
    assert result.returncode == 0, result.stderr
    row = one_json_line(result.stdout)
    assert row["preset"] == "digits" and row["steps"] == 3
    metrics = row["metrics"]
    assert set(metrics) == SCORES
    assert all(math.isfinite(metrics[name]) for name in SCORES - {"histogram", "histogram_real"})
    assert metrics["sample_change"] > 0 and metrics["classifier_accuracy"] > 0.9
    assert len(list(tmp_path.glob("classifier-*.npz"))) == 1
    assert "Compiling" in result.stderr and "training the classifier" in result.stderr


def test_a_file_of_pictures_starts_from_the_defaults_of_images(alone, capsys):
    pixels, labels = noise()
    row = trained(capsys, "--data", npz(alone / "own.npz", images=pixels, labels=labels), *SMALL)
    assert row["preset"] is None and row["steps"] == 2
    config = row["config"]
    assert config["data"] == "picture_file" and config["filters"] == 8
    assert all(config[n] == v for n, v in IMAGE_DEFAULTS.items() if n not in ("batch_size", "latent_dim"))
    assert set(row["metrics"]) == SCORES and row["metrics"]["sample_change"] > 0
    assert len(row["metrics"]["histogram"]) == 2


def test_a_zip_of_pictures_in_folders(alone, capsys):
    pixels, labels = noise(40, 32)
    with zipfile.ZipFile(alone / "own.zip", "w") as archive:
        for i, (picture, label) in enumerate(zip(pixels, labels, strict=True)):
            content = io.BytesIO()
            Image.fromarray(picture).convert("RGB").save(content, "PNG")
            archive.writestr(f"{'cats' if label else 'dogs'}/{i}.png", content.getvalue())
    # a preset's settings may be taken, and both networks told which is which
    own = ["--preset", "mnist_conditional", "--data", str(alone / "own.zip")]
    row = trained(capsys, *own, *SMALL)
    assert row["config"]["data"] == "picture_file" and row["config"]["conditional"] is True
    assert set(row["metrics"]) == SCORES


def test_pictures_without_classes_have_no_scores_and_cannot_be_told_apart(alone, capsys):
    path = npz(alone / "own.npz", x=noise()[0])
    row = trained(capsys, "--data", path, *SMALL)
    assert set(row["metrics"]) == {"samples", "g_loss", "d_loss", "sample_change"}
    assert main(["train", "--data", path, *SMALL, "--set", "conditional=true"]) == 2
    assert "Conditional training needs data of 2 to 100 classes" in capsys.readouterr().err


def test_the_table_of_images(alone, capsys):
    pixels, labels = noise()
    path = npz(alone / "own.npz", images=pixels, labels=labels)
    assert main(["train", "--data", path, *SMALL]) == 0
    out = capsys.readouterr().out
    assert out.startswith("picture_file: 2 steps in ") and "classifier_fid_floor" in out and "[" not in out


def test_a_known_set_alone_starts_from_the_defaults_of_images(alone, capsys):
    row = trained(capsys, "--set", "data=digits", "--set", "data.classes=0,1", *SMALL)
    assert row["preset"] is None and row["config"]["architecture"] == IMAGE_DEFAULTS["architecture"]
    assert row["metrics"]["samples"] > 100


def test_a_missing_set_is_fetched_once(alone, capsys, monkeypatch):
    """And then used; the download is a stand-in."""
    fetched = []

    def fetch(name, say):
        fetched.append(name)
        pixels, labels = noise()
        npz(alone / f"{name}.npz", x_train=pixels, y_train=labels, x_test=pixels[:20], y_test=labels[:20])
        say("fetched")

    monkeypatch.setattr(download, "download", fetch)
    for _ in range(2):
        row = trained(capsys, "--preset", "mnist", *SMALL)
        assert row["metrics"]["samples"] == 30
    assert fetched == ["mnist"]


def test_offline_a_missing_set_is_a_sentence(alone, capsys, monkeypatch):
    def fetch(name, say):
        raise ConfigError(f"The download of {name} failed: nobody answers.")

    monkeypatch.setattr(download, "download", fetch)
    for preset, name in (("mnist", "mnist"), ("tutorial-rgb", "mnist"), ("cifar10", "cifar10")):
        assert main(["train", "--preset", preset, "--json"]) == 2
        captured = capsys.readouterr()
        assert captured.out == "" and f"The download of {name} failed: nobody answers." in captured.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--set", "data=picture_file"], "needs --data FILE"),
        (["--preset", "digits", "--set", "data=ring"], " is for images; ring has points"),
        (["--set", "conditional=true"], "conditional=True is for images"),
        (["--preset", "digits", "--set", "data.size=16"], "data.size must be one of native, 28, 32, 64"),
        (["--preset", "digits", "--set", "data.classes=x"], "data.classes must be all, or class numbers"),
        (["--preset", "digits", "--set", "data.classes=11"], "there is no class 11"),
        (["--preset", "digits", "--set", "architecture=tutorial_dcgan64"], "makes pictures of 64 x 64 pixels"),
        (["--preset", "digits", "--set", "conditional=true", "--set", "data.classes=3"], "digits has 1."),
        (["--data", "does/not/exist.npz"], "cannot be read"),
    ],
)
def test_bad_usage_of_images_is_a_sentence_and_status_2(alone, capsys, arguments, said):
    assert main(["train", *arguments, "--json"]) == 2
    captured = capsys.readouterr()
    assert said in captured.err and captured.out == ""


def test_a_file_that_is_no_picture_file_is_a_sentence(alone, capsys):
    for name in ("own.npz", "own.zip"):
        (alone / name).write_bytes(b"nothing of the kind")
        assert main(["train", "--data", str(alone / name)]) == 2
        assert "Accepted: a .npz file" in capsys.readouterr().err


def test_the_readme_and_ci_use_the_same_test_command():
    lines = [line.strip() for line in (ROOT / ".ci" / "run").read_text().splitlines()]
    command_line = next(line for line in lines if "pytest" in line and not line.startswith("#"))
    assert command_line in (ROOT / "README.md").read_text()
