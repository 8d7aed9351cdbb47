"""`python -m gan_core`, as a user types it."""

import json
import subprocess
import sys

import pytest

from gan_core.__main__ import main
from gan_core.presets import PRESETS
from tests.conftest import ROOT

TINY = ["--set", "g_units=8", "--set", "d_units=8", "--set", "batch_size=16", "--set", "data_size=500"]


def command(*arguments: str) -> subprocess.CompletedProcess:
    """A real process."""
    return subprocess.run(
        [sys.executable, "-m", "gan_core", *arguments], cwd=ROOT, capture_output=True, text=True, timeout=200
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


def test_the_readme_and_ci_use_the_same_test_command():
    lines = [line.strip() for line in (ROOT / ".ci" / "run").read_text().splitlines()]
    command_line = next(line for line in lines if "pytest" in line and not line.startswith("#"))
    assert command_line in (ROOT / "README.md").read_text()
