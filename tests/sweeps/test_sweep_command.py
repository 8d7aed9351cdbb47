"""`python -m gan_core sweep` in real processes: the same bits as by hand, whatever is killed, and nothing twice."""

import contextlib
import json
import os
import signal
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from gan_core.__main__ import main
from gan_core.runs import run_reading
from gan_core.sweeps.store import ROWS, Store
from tests.conftest import ROOT, wait_until
from tests.support.processes import running

TINY = [f"--set={s}" for s in ("g_units=8", "d_units=8", "batch_size=16", "data_size=500", "g_layers=1", "d_layers=1")]
OVER = ["--over", "g_lr=1e-3,1e-2", "--over", "label_noise=0"]
SWEEP = ["sweep", "--preset", "ring", *TINY, *OVER, "--seeds", "2"]
ONE = ["--processes", "1"]  # each process imports TensorFlow
ONE_THREAD = {"TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1"}


def command(*arguments, **environment):
    """A real process, and its JSON line."""
    done = subprocess.run(
        [sys.executable, "-m", "gan_core", *arguments, "--json"],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2_000:]
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def swept(tmp_path_factory):
    """(the folder, the JSON of) a small sweep of four trials, with their recordings."""
    folder = tmp_path_factory.mktemp("sweeps")
    arguments = [*SWEEP, "--steps", "12", "--frames", "--save", "map 1", "--sweeps-dir", str(folder), *ONE]
    return folder / "map 1", command(*arguments)


def test_every_row_says_what_it_is(swept):
    folder, result = swept
    assert result["sweep"] == "map 1" and result["preset"] == "ring" and result["config"]["g_units"] == 8
    assert len(result["rows"]) == 4 and {row["status"] for row in result["rows"]} == {"done"}
    for row in result["rows"]:
        assert set(row["settings"]) == {"g_lr", "label_noise"} and row["steps"] == 12 and row["seconds"] > 0
        assert row["node"]["threads"] == 1 and row["node"]["tensorflow"] and row["node"]["name"]
        assert {"w1", "w1_floor", "hq", "g_loss", "d_loss", "sample_change"} <= set(row["metrics"])
    for name, read in (("trials.csv", pd.read_csv), ("trials.parquet", pd.read_parquet)):
        table = read(folder / name)
        assert list(table["key"]) == [row["key"] for row in result["rows"]]
        np.testing.assert_allclose(table["w1"], [row["metrics"]["w1"] for row in result["rows"]])


def test_a_trial_is_the_run_that_the_same_settings_give_by_hand(swept):
    _, result = swept
    row = result["rows"][-1]
    settings = [f"--set={name}={value}" for name, value in row["settings"].items()]
    arguments = ["train", "--preset", "ring", *TINY, *settings, "--seed", str(row["seed"]), "--steps", "12"]
    by_hand = command(*arguments, **ONE_THREAD)
    assert by_hand["metrics"] == row["metrics"] and by_hand["steps"] == row["steps"]


def test_what_is_kept_of_a_trial(swept):
    folder, result = swept
    store = Store(folder)
    for row in result["rows"]:
        arrays = store.arrays(row["key"])
        assert arrays["samples"].shape[1] == 2 and len(arrays["history_step"]) == 12
        assert arrays["history_mean"].shape == (12, 7) and store.picture(row["key"]).startswith(b"\x89PNG")
        run = run_reading.read(folder / "runs" / row["key"])
        assert run.step == 12 and run.config.g_lr == row["settings"]["g_lr"] and run.config.seed == row["seed"]


def test_a_kept_trial_is_a_saved_run(swept, capsys):
    folder, result = swept
    assert (
        main(["evaluate", str(folder / "runs" / result["rows"][0]["key"]), "--samples", "64", "--resamples", "39"]) == 0
    )
    assert "w1" in capsys.readouterr().out


def test_nothing_is_trained_twice(swept, capsys):
    """Neither by the same command nor by --resume; other seeds are added."""
    folder, result = swept
    before = (folder / ROWS).read_bytes()
    place = ["--sweeps-dir", str(folder.parent)]
    assert main(["sweep", "--resume", "map 1", *place, *ONE, "--json"]) == 0
    captured = capsys.readouterr()
    assert json.loads(captured.out)["rows"] == result["rows"] and "4 of 4 trials are there already" in captured.err
    assert main([*SWEEP, "--steps", "12", "--frames", "--save", "map 1", *place, *ONE]) == 0
    captured = capsys.readouterr()
    assert (folder / ROWS).read_bytes() == before and captured.out.count("(2 seeds): ") == 2
    assert main([*SWEEP, "--steps", "13", "--frames", "--save", "map 1", *place]) == 2
    assert "There is a sweep 'map 1' already" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--over", "foo=1"], "There is no setting 'foo'"),
        (["--over", "g_lr=1e-4:1e-2"], "needs a number of values"),
        (["--save", "../x"], "'../x' cannot be used as a name"),
        (["--resume", "nothing"], "There is no sweep 'nothing'"),
        (["--resume", "x", "--steps", "3"], "leave --steps away"),
        (["--resume", "x", "--over", "g_lr=1,2"], "leave --over"),
        (["--set", "data=file"], "needs --data FILE"),
    ],
)
def test_bad_usage_is_a_sentence_and_status_2(capsys, arguments, said, tmp_path):
    assert main(["sweep", *arguments, "--sweeps-dir", str(tmp_path), "--json"]) == 2
    captured = capsys.readouterr()
    assert said in captured.err and captured.out == ""


def test_trials_that_go_wrong_are_rows_that_say_so(tmp_path, capsys):
    """One diverges, one is of settings that do not go together, and one is all right; without a name nothing stays."""
    config = tmp_path / "config.json"
    tiny = dict(setting.removeprefix("--set=").split("=") for setting in TINY)
    wild = {"d_optimizer": "sgd", "penalty": "r1_r2", "gp_weight": 100}
    config.write_text(json.dumps({"data": "ring", **tiny, **wild}))
    over = ["--over", "d_lr=1e-4,1", "--over", "packing=1,3"]
    assert main(["sweep", "--config", str(config), *over, "--steps", "600", *ONE, "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["rows"]
    found = {(row["settings"]["d_lr"], row["settings"]["packing"]): row for row in rows}
    assert found[1e-4, 1]["status"] == "done" and found[1e-4, 1]["metrics"]["w1"] > 0
    assert found[1.0, 1]["status"] == "diverged" and "Training diverged at step" in found[1.0, 1]["reason"]
    assert 0 < found[1.0, 1]["steps"] < 600 and found[1.0, 1]["metrics"] == {}
    for rate in (1e-4, 1.0):
        assert found[rate, 3]["status"] == "refused" and "multiple of packing (3)" in found[rate, 3]["reason"]


def test_a_sweep_of_the_user_s_points_goes_on_without_the_file(tmp_path, capsys):
    points = tmp_path / "points.csv"
    points.write_text("\n".join(f"{i % 7},{i % 5}" for i in range(60)))
    place = ["--sweeps-dir", str(tmp_path), *ONE, "--json"]
    arguments = ["sweep", "--data", str(points), *TINY, "--over", "g_lr=1e-3", "--steps", "3", "--save", "own"]
    assert main([*arguments, *place]) == 0
    rows = json.loads(capsys.readouterr().out)["rows"]
    assert [row["status"] for row in rows] == ["done"] and rows[0]["metrics"]["w1"] > 0
    points.unlink()
    (tmp_path / "own" / ROWS).unlink()
    assert main(["sweep", "--resume", "own", *place]) == 0
    again = json.loads(capsys.readouterr().out)["rows"]
    assert [row["metrics"] for row in again] == [row["metrics"] for row in rows]


def test_a_folder_of_pictures_is_swept_over(tmp_path, capsys):
    """Only to where its training is refused, for what a trial does with pictures is tested elsewhere."""
    (tmp_path / "pictures").mkdir()
    for i in range(16):
        Image.fromarray(np.full((28, 28), 15 * i, np.uint8)).save(tmp_path / "pictures" / f"{i}.png")
    arguments = ["sweep", "--data", str(tmp_path / "pictures"), "--over", "packing=3"]
    assert main([*arguments, "--steps", "1", "--save", "own", "--sweeps-dir", str(tmp_path), *ONE, "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["rows"]
    assert [row["status"] for row in rows] == ["refused"] and "multiple of packing (3)" in rows[0]["reason"]
    assert Store(tmp_path / "own").upload().pixels.shape == (16, 28, 28, 1)


# -- what is killed -----------------------------------------------------------------------------------------


def children(pid):
    """The processes that train for process `pid`."""
    lines = subprocess.run(
        ["ps", "-wwo", "pid=,stat=,args=", "--ppid", str(pid)], capture_output=True, text=True, timeout=10, check=False
    ).stdout.splitlines()
    rows = [line.split(None, 2) for line in lines]
    return [int(row[0]) for row in rows if "multiprocessing.spawn" in row[2] and not row[1].startswith("Z")]


@contextlib.contextmanager
def going(arguments, store, rows):
    """The command in a process of its own, once its sweep has so many rows."""
    process = subprocess.Popen(
        [sys.executable, "-m", "gan_core", *arguments, "--json"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        wait_until(lambda: len(store.rows()[0]) >= rows, 90, f"row {rows}")
        yield process
    finally:
        process.kill()
        process.wait(15)
        process.stdout.close()
        process.stderr.close()


def test_whatever_is_killed_leaves_no_process_and_is_gone_on_with(tmp_path, capsys):
    """A process that trains, the sweep by SIGTERM, the sweep by SIGKILL: in the end each trial is there, once."""
    arguments = [*SWEEP, "--seeds", "4", "--steps", "300", "--save", "map", "--sweeps-dir", str(tmp_path)]
    store = Store(tmp_path / "map")
    with going(arguments, store, 1) as process:
        first = children(process.pid)
        os.kill(first[0], signal.SIGKILL)
        wait_until(lambda: len(store.rows()[0]) >= 2, 90, "the second row")
        training = wait_until(
            lambda: len(now := children(process.pid)) == len(first) and first[0] not in now and now,
            90,
            "another in its place",
        )
        process.terminate()
        wait_until(lambda: process.poll() is not None, 20, "its end")
        wait_until(lambda: not any(map(running, training)), 20, "the end of those that trained")
        assert process.returncode == 143 and "The same command goes on." in process.stderr.read()
    there = store.rows()[0]
    assert 2 <= len(there) < 8 and {row["status"] for row in there} == {"done"}
    with going(arguments, store, len(there) + 1) as process:
        training = children(process.pid)
        process.kill()
        wait_until(lambda: process.poll() is not None, 20, "its end")
        wait_until(lambda: not any(map(running, training)), 20, "the end of those that trained")
    more = store.rows()[0]
    assert more[: len(there)] == there
    assert main([*arguments, *ONE, "--json"]) == 0
    captured = capsys.readouterr()
    assert f"{len(more)} of 8 trials are there already." in captured.err
    rows = json.loads(captured.out)["rows"]
    assert len(rows) == len(store.rows()[0]) == 8 and store.rows()[0][: len(more)] == more
    assert {row["key"] for row in rows} == {row["key"] for row in store.rows()[0]}
    assert {row["status"] for row in rows} == {"done"}
