"""What older versions saved is read, and goes on; a checkpoint knows its tensors by name, so the state may grow."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from gan_core.data import loading
from gan_core.data.loading import class_count
from gan_core.foundations.lazy_imports import tf
from gan_core.recording import visuals
from gan_core.recording.training_run import TrainingRun
from gan_core.runs import run_reading, run_restoring, run_writing
from gan_core.runs.run_writing import Content
from gan_core.training.train_step import TrainStep
from gan_core.training.trainer import Trainer
from tests.runs.conftest import END, about_of, inside, npz, refused, replaced
from tests.support.tiny import image_trainer
from tests.support.trainers import same, settings, uncompiled

# Written by the version before names: batch and layer norm with EMA; spectral norm, dropout, minibatch standard
# deviation, RMSprop and SGD; convolutions with both norms; classes. All were trained for 8 steps, d_lr turned at 5.
OLD = sorted((Path(__file__).parent / "format_2").iterdir())


def small_frame(frame):
    """What was kept of each frame, so that these runs are small."""
    few = {
        "samples": np.s_[:64],
        "heat": np.s_[::8, ::8],
        "manifold": np.s_[::8, ::8],
        "grid": np.s_[:4],
        "judged": np.s_[:],
    }
    return {name: array[few.get(name, np.s_[:4])] for name, array in frame.items()}


def uncompiled_trainer(run):
    data = loading.load(run.config, None)
    program = TrainStep(run.config, data.array.shape, "graph", class_count(run.config, data))
    program.train = program._train
    return Trainer(run.config, data, program)


@pytest.mark.parametrize("folder", OLD, ids=lambda folder: folder.name)
def test_a_run_of_format_2_opens_and_goes_on(folder, tmp_path, monkeypatch):
    record = visuals.record
    monkeypatch.setattr(visuals, "record", lambda trainer: small_frame(record(trainer)))
    folder = Path(shutil.copytree(folder, tmp_path / folder.name))
    run = run_reading.read(folder)
    assert run.about["format"] == 2 and run.step == 8 and run.note == "made with format 2"
    trainer = uncompiled_trainer(run)
    training = TrainingRun(trainer, run_restoring.restore(trainer, folder), scored=False)
    # Every tensor is in its place: the networks make and judge what they did when this was saved.
    (at, then), now = training.recording.frames.at(8), visuals.record(trainer)
    assert at == trainer.step == 8
    for name in then:
        near = 1 if name == "grid" else 2e-3
        assert np.allclose(np.float32(now[name]), np.float32(then[name]), atol=near), name
    assert trainer.state["g_opt"]["updates"] == 8 and any(np.any(s) for s in trainer.state["g_opt"]["slots"][0])
    # It goes on, and is written with names, its past too.
    for _ in range(2):
        assert training.train(1) is not None
    run_writing.Writer(folder).write(Content.of(training))
    again, other = run_reading.read(folder), uncompiled_trainer(run)
    assert again.about["format"] == run_reading.FORMAT == 3 and again.note == run.note and again.step == 10
    past = run_restoring.restore(other, folder)
    assert same(other.state, trainer.state)
    assert set(run.checkpoints) < {*past.checkpoints.steps} and "g/0/kernel" in past.checkpoints.items[0].state
    run_restoring.restore(other, folder, past.checkpoints.steps[0])
    assert other.step == past.checkpoints.steps[0]


def test_a_run_of_format_2_with_a_tensor_too_few_is_refused(tmp_path):
    folder = Path(shutil.copytree(next(f for f in OLD if f.name == "points_batch"), tmp_path / "run"))
    trainer = uncompiled_trainer(run_reading.read(folder))
    arrays = inside(folder, "checkpoint-8")
    for missing in ("0000", "0003", max(name for name in arrays if not name.startswith("history"))):
        replaced(folder, "checkpoint-8", npz(**{name: value for name, value in arrays.items() if name != missing}))
        assert "does not hold the weights of the networks" in refused(folder, trainer)


def test_every_tensor_has_a_name_that_says_what_it_is(folder):
    tensors = inside(folder, f"checkpoint-{END}")
    names = {name for name in tensors if not name.startswith("history_")}
    assert names >= {"step", "d_row", "g/0/kernel", "g/0/bias", "g/1/gamma", "g_extra/1/moving_mean", "ema/0/kernel"}
    assert names >= {"g_opt/updates", "g_opt/0/kernel/m", "g_opt/0/kernel/v", "d/0/kernel", "d_opt/0/kernel/v"}
    assert {name for name in names if name.startswith("d_extra/")} >= {"d_extra/0/u"}
    assert tensors["g/0/kernel"].shape == tensors["g_opt/0/kernel/v"].shape == tensors["ema/0/kernel"].shape


@pytest.mark.parametrize("architecture", ["mlp", "dcgan", "dcgan_resize", "resnet"])
def test_names_are_unique_in_every_architecture(architecture):
    norms = {"g_norm": "batch", "d_norm": "spectral", "penalty": "none", "loss": "hinge"}
    trainer = image_trainer(architecture=architecture, conditional=True, dropout=0.1, **norms)
    assert len(trainer.named()) == len(tf.nest.flatten(trainer.state))
    trainer.restore({name: tensor.numpy() for name, tensor in trainer.named().items()})


def test_the_order_of_the_tensors_means_nothing(folder, spare):
    run_restoring.restore(spare, folder)
    before = spare.state
    arrays = inside(folder, f"checkpoint-{END}")
    replaced(folder, f"checkpoint-{END}", npz(**{name: arrays[name] for name in sorted(arrays, reverse=True)}))
    spare.reset()
    run_restoring.restore(spare, folder)
    assert same(spare.state, before)


def test_a_part_that_the_state_gets_later_leaves_older_runs_readable(folder, program, monkeypatch):
    """And once it is there it is kept."""
    initial = TrainStep.initial_state
    monkeypatch.setattr(
        TrainStep, "initial_state", lambda self, seed: {**initial(self, seed), "later": tf.fill([2], 7.0)}
    )
    run = run_reading.read(folder)
    trainer = Trainer(run.config, loading.load(run.config, None), program)
    past = run_restoring.restore(trainer, folder)
    assert trainer.step == END and list(trainer.state["later"].numpy()) == [7.0, 7.0]
    trainer.state = {**trainer.state, "later": tf.fill([2], 8.0)}
    past.checkpoints.items.pop(), past.checkpoints.steps.pop()
    run_writing.Writer(folder).write(Content.of(TrainingRun(trainer, past, scored=False)))
    trainer.reset()
    run_restoring.restore(trainer, folder)
    assert list(trainer.state["later"].numpy()) == [8.0, 8.0]
    monkeypatch.undo()  # a version that does not know it says so, instead of dropping it
    trainer.reset()
    assert "does not hold the weights of the networks" in refused(folder, trainer)


@pytest.mark.parametrize("missing", ["step", "ema/0/kernel", "g_opt/0/bias/m", "d_extra/0/u"])
def test_a_checkpoint_without_one_of_its_tensors_is_refused(folder, spare, missing):
    arrays = inside(folder, f"checkpoint-{END}")
    del arrays[missing]
    replaced(folder, f"checkpoint-{END}", npz(**arrays))
    assert "does not hold the weights of the networks" in refused(folder, spare)


def test_a_run_of_a_format_before_that_is_refused(folder):
    (folder / "config.json").write_text(json.dumps({**about_of(folder), "format": 1}))
    with pytest.raises(run_reading.ConfigError, match="another version"):
        run_reading.read(folder)


def test_an_optimizer_of_another_kind_is_refused():
    """Its slots have other names, though all shapes agree."""
    adam, rmsprop = (Trainer(c, loading.load(c, None), uncompiled(c)) for c in map(optimized, ("adam", "rmsprop")))
    with pytest.raises(ValueError, match="other networks"):
        rmsprop.restore({n: t for n, t in adam.named().items() if n.partition("/")[0] != "g_opt"})
    assert "g_opt/0/kernel/m" in adam.named() and "g_opt/0/kernel/v" in rmsprop.named()


def optimized(name):
    return settings(g_optimizer=name)
