"""`train --save` and `train --resume`: hours of training survive whatever ends them, and go on bit for bit."""

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from gan_core.__main__ import main
from gan_core.foundations.hyperparameters import ConfigError
from gan_core.recording.training_run import TrainingRun
from gan_core.runs import run_reading, run_writing, unattended
from gan_core.scores import trainer_scores
from gan_core.training import trainer
from gan_core.training.train_step import TrainStep
from gan_core.training.trainer import Diverged, Trainer
from tests.conftest import ROOT, wait_until
from tests.support.tiny import uncompiled

TINY = ["--set", "g_units=8", "--set", "d_units=8", "--set", "batch_size=16", "--set", "data_size=500"]
TINY += ["--set", "g_norm=batch", "--set", "dropout=0.1", "--set", "penalty=none", "--set", "ema_decay=0.9"]


@pytest.fixture
def quick(monkeypatch, tmp_path):
    """No scores in full, and nothing compiled, which takes longer than few steps; returns the folder of the runs."""
    monkeypatch.setattr(trainer, "TrainStep", uncompiled)
    monkeypatch.setattr(trainer_scores, "all_scores", lambda *given: {"samples": 64, "w1": 0.5})
    monkeypatch.setattr(Trainer, "compile", lambda self, *until: None)
    monkeypatch.setenv("GANSCOPE_RUNS_DIR", str(tmp_path / "runs"))
    return tmp_path / "runs"


@pytest.fixture
def killed_at(monkeypatch):
    """Has this process get a signal in the middle of the training, at a step."""
    train = TrainingRun.train

    def arm(step, *signals):
        def armed(self, n):
            left = step - self.trainer.step
            rows = train(self, min(n, left) if left > 0 else n)
            if self.trainer.step == step:
                for number in signals:
                    os.kill(os.getpid(), number)
            return rows

        monkeypatch.setattr(TrainingRun, "train", armed)

    yield arm
    monkeypatch.setattr(TrainingRun, "train", train)


def tensors(folder, step):
    """The checkpoint's tensors."""
    checkpoints = run_reading.recording_of(run_reading.read(folder), checkpoints=True).checkpoints
    at, point = checkpoints.at(step)
    assert at == step
    return point.state


@pytest.mark.parametrize("number", unattended.SIGNALS, ids=lambda number: number.name)
def test_a_signal_saves_and_a_resumed_run_repeats_the_unbroken_one_bit_for_bit(
    quick, killed_at, capsys, number, monkeypatch
):
    """By compiled steps, as a run takes them; for as many as these it is also the shorter way."""
    monkeypatch.setattr(trainer, "TrainStep", TrainStep)
    train = ["train", *TINY, "--seed", "7"]
    assert main([*train, "--steps", "30", "--save", "whole"]) == 0
    before = {each: signal.getsignal(each) for each in unattended.SIGNALS}
    killed_at(13, number)
    assert main([*train, "--steps", "30", "--save", "broken"]) == 128 + number
    said = capsys.readouterr()
    assert f"Interrupted ({number.name})." in said.err and "Saved at step 13" in said.err and said.out.count("\n") < 40
    assert f"train --resume broken --runs-dir {quick}" in said.err
    assert {each: signal.getsignal(each) for each in unattended.SIGNALS} == before
    run = run_reading.read(quick / "broken")
    assert run.step == 13 and run.goal == 30 and list(run.checkpoints)[-1] == 13
    killed_at(10**9)
    assert main(["train", "--resume", "broken", "--json"]) == 0
    row = json.loads(capsys.readouterr().out)
    assert row["steps"] == 30 and row["config"]["seed"] == 7 and row["metrics"]["w1"] > 0
    whole, broken = (tensors(quick / name, 30) for name in ("whole", "broken"))
    assert whole.keys() == broken.keys() and all(np.array_equal(whole[name], broken[name]) for name in whole)
    losses = [
        run_reading.recording_of(run_reading.read(quick / n)).history.frame()["mean"] for n in ("whole", "broken")
    ]
    assert losses[0].shape == losses[1].shape and np.allclose(*losses)
    resumed = run_reading.read(quick / "broken")
    assert resumed.parent is None and resumed.scores["step"] == 30  # it is the run itself, not a branch of it


def test_a_second_signal_does_not_wait(quick, killed_at, capsys):
    killed_at(5, signal.SIGINT, signal.SIGINT)
    assert main(["train", *TINY, "--steps", "30", "--save", "broken"]) == 130
    assert "Interrupted." in capsys.readouterr().err
    assert run_reading.read(quick / "broken").step <= 5  # what was saved on the way stays


def test_what_was_ignored_stays_ignored(quick, killed_at):
    """As under nohup."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        killed_at(5, signal.SIGHUP)
        assert main(["train", *TINY, "--steps", "9", "--save", "whole"]) == 0
        assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)
    assert run_reading.read(quick / "whole").step == 9


def test_without_a_name_ctrl_c_ends_at_once(quick, killed_at, capsys):
    killed_at(5, signal.SIGINT)
    assert main(["train", *TINY, "--steps", "30"]) == 130
    assert "Interrupted." in capsys.readouterr().err and not quick.exists()


def test_a_divergence_saves_the_last_good_state_and_a_lower_rate_goes_on(quick, monkeypatch, capsys):
    train = Trainer.train

    def diverges(self, n):
        if self.step >= 10 and self.config.g_lr > 1e-3:
            raise Diverged(self.step + 1, "the generator's loss (g_loss)")
        return train(self, n)

    monkeypatch.setattr(Trainer, "train", diverges)
    assert main(["train", *TINY, "--set", "g_lr=0.01", "--steps", "5000", "--save", "wild", "--json"]) == 1
    said = capsys.readouterr()
    assert "Training diverged" in said.err and "train --resume wild" in said.err and "--set NAME=VALUE" in said.err
    assert said.out == ""
    run = run_reading.read(quick / "wild")
    assert run.step >= 10 and f"Saved at step {run.step:,} as " in said.err
    assert main(["train", "--resume", "wild", "--steps", "6000"]) == 1  # with the same settings it diverges again
    lower = ["--set", "g_lr=0.0005", "--steps", str(run.step + 5), "--json"]
    assert main(["train", "--resume", "wild", *lower]) == 0
    after = run_reading.read(quick / "wild")
    assert after.step == run.step + 5 and after.config.g_lr == 0.0005 and run.config.g_lr == 0.01


def test_it_saves_on_the_way_and_a_full_disk_stops_nothing(quick, monkeypatch, capsys):
    """The first save takes the name; one that fails on the way is told and tried again."""
    monkeypatch.setattr(trainer, "TrainStep", TrainStep)  # for as many steps compiling is the shorter way
    monkeypatch.setattr(unattended, "SAVE_SECONDS", 0.0)
    steps, write = [], run_writing.Writer.write

    def full_at_first(self, content):
        steps.append(content.step)
        if len(steps) == 2:
            raise ConfigError("The run cannot be saved: No space left on device.")
        write(self, content)

    monkeypatch.setattr(run_writing.Writer, "write", full_at_first)
    assert main(["train", *TINY, "--steps", "30", "--save", "run"]) == 0
    err = capsys.readouterr().err
    assert len(steps) > 3 and "No space left on device. The training goes on" in err and "Saved as" in err
    assert run_reading.read(quick / "run").step == 30


def test_a_name_that_is_taken_meanwhile_is_known_after_the_first_steps(quick, monkeypatch, capsys):
    compile_ = Trainer.compile
    monkeypatch.setattr(Trainer, "compile", lambda self, *until: [compile_(self), (quick / "run").mkdir(parents=True)])
    assert main(["train", *TINY, "--steps", "3000", "--save", "run"]) == 2
    err = capsys.readouterr().err
    assert "There is a run with the name 'run' already" in err and "step " not in err


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """The folder of a run called `small`, at step 4, with a time for its end."""
    folder = tmp_path_factory.mktemp("runs")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trainer_scores, "all_scores", lambda *given: {"samples": 64, "w1": 0.5})
        patch.setattr(Trainer, "compile", lambda self, *until: None)
        patch.setattr(trainer, "TrainStep", uncompiled)
        assert main(["train", *TINY, "--steps", "4", "--save", "small", "--runs-dir", str(folder)]) == 0
    return folder


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ([], "is at step 4 already: give --steps above that"),
        (["--steps", "4"], "is at step 4 already: give --steps above that"),
        (["--save", "other"], "leave --save away"),
        (["--preset", "ring"], "leave --preset away"),
        (["--config", "x.json"], "leave --config away"),
        (["--recipe", "wgan"], "leave --recipe away"),
        (["--data", "x.csv"], "leave --data away"),
        (["--seed", "3"], "leave --seed away"),
        (["--set", "g_units=9", "--steps", "9"], "A run that is resumed cannot change g_units"),
        (["--set", "seed=9", "--steps", "9"], "A run that is resumed cannot change seed"),
        (["--set", "data=moons", "--steps", "9"], "cannot change data"),
        (["--set", "nope=9", "--steps", "9"], "There is no setting 'nope'"),
    ],
)
def test_what_cannot_be_resumed_is_a_sentence(saved, capsys, more, said):
    assert main(["train", "--resume", "small", "--runs-dir", str(saved), *more]) == 2
    assert said in capsys.readouterr().err


def test_a_run_that_is_not_there_cannot_be_resumed(quick, capsys):
    assert main(["train", "--resume", "nope"]) == 2
    assert "There is no saved run 'nope'." in capsys.readouterr().err


def test_a_run_without_a_goal_asks_how_far(saved, tmp_path, capsys):
    """As those of a page, and those of older versions."""
    folder = tmp_path / "small"
    folder.mkdir()
    for path in (saved / "small").iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    about = json.loads((folder / "config.json").read_text())
    del about["goal"]
    (folder / "config.json").write_text(json.dumps(about))
    assert main(["train", "--resume", str(folder)]) == 2
    assert "How far shall" in capsys.readouterr().err


def test_seconds_of_a_resumed_run_are_more_of_them(quick, capsys):
    assert main(["train", *TINY, "--seconds", "0.2", "--save", "timed"]) == 0
    step = run_reading.read(quick / "timed").step
    assert main(["train", "--resume", "timed", "--seconds", "0.2"]) == 0
    assert run_reading.read(quick / "timed").step > step > 0


@pytest.mark.skipif(os.name == "nt", reason="Windows ends a process without asking it")
def test_a_process_that_is_told_to_end_saves_first(tmp_path):
    """For real: a shell's kill, a container that is stopped, a machine that shuts down."""
    command = [sys.executable, "-m", "gan_core", "train", *TINY, "--seconds", "300", "--save", "run"]
    environment = {**os.environ, "GANSCOPE_RUNS_DIR": str(tmp_path / "runs"), "GANSCOPE_CACHE": str(tmp_path)}
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True)
    try:
        wait_until(lambda: run_reading.is_run(tmp_path / "runs" / "run"), 120, "the first save")
        time.sleep(0.5)
        process.terminate()
        err = process.communicate(timeout=60)[1]
    finally:
        process.kill()
    assert process.returncode == 128 + signal.SIGTERM, err[-2_000:]
    run = run_reading.read(tmp_path / "runs" / "run")
    assert f"Saved at step {run.step:,} as " in err and run.step > 0
