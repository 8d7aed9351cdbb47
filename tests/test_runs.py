"""A run on disk: what is saved goes on as if it had not been, and what is broken is a sentence."""

import hashlib
import io
import json
import os

import numpy as np
import pytest

from gan_core import runs
from gan_core.knobs import ConfigError
from tests.test_trainer import arrays, data_of, same, settings, trainer_of, uncompiled

# Something of every kind that a state has: statistics, a counter of dropout, slots of two optimizers.
CONFIG = settings(
    **{"g_norm": "batch", "d_norm": "spectral", "d_layers": 2, "dropout": 0.2, "minibatch_std": True, "seed": 6},
    **{"d_optimizer": "rmsprop", "schedule": "cosine", "instance_noise": 0.1, "g_lr": 0.1 + 0.2},
)


@pytest.fixture(scope="module")
def program():
    return uncompiled(CONFIG)


@pytest.fixture(scope="module")
def trained(program):
    trainer = trainer_of(CONFIG, program)
    trainer.train(3)
    return trainer, trainer.state


@pytest.fixture
def trainer(trained):
    """After 3 steps."""
    trained[0].state = trained[1]
    return trained[0]


@pytest.fixture
def folder(tmp_path, trainer):
    runs.save(tmp_path / "run", trainer)
    return tmp_path / "run"


def loaded(folder):
    config = runs.read_config(folder)
    return runs.load(folder, config, data_of(config))


def sentence(folder):
    """What is said when the run is opened."""
    with pytest.raises(ConfigError) as caught:
        loaded(folder)
    said = str(caught.value)
    assert said.endswith(".") and len(said) < 400
    return said


# -- round trip ---------------------------------------------------------------------------------------------


def test_a_saved_run_comes_back_bit_for_bit_and_trains_on_as_if_nothing_had_been(folder, trainer, program):
    again = loaded(folder)
    assert again.config == CONFIG and again.step == 3
    assert same(again.state, trainer.state)
    assert [a.dtype for a in arrays(again.state)] == [a.dtype for a in arrays(trainer.state)]
    again.program = program  # the other's, so that both draw alike
    assert np.array_equal(trainer.train(3), again.train(3))
    assert same(again.state, trainer.state)
    z = trainer.latent(20)
    for ema in (False, True):
        assert np.array_equal(trainer.samples(z, ema), again.samples(z, ema))


def test_a_folder_has_two_files_and_no_pickles(folder):
    assert sorted(path.name for path in folder.iterdir()) == ["config.json", "state.npz"]
    about = json.loads((folder / "config.json").read_text("utf-8"))
    assert about["format"] == runs.FORMAT and about["step"] == 3 and about["config"] == CONFIG.to_flat()
    with np.load(folder / "state.npz", allow_pickle=False) as file:
        assert all(file[name].dtype != object for name in file)


def test_a_run_is_saved_over_an_older_one(folder, trainer):
    trainer.train(2)
    runs.save(folder, trainer)
    assert loaded(folder).step == 5
    assert len(list(folder.iterdir())) == 2


def test_is_run(folder, tmp_path):
    assert runs.is_run(folder)
    for other in (tmp_path, tmp_path / "nothing", folder / "config.json", tmp_path / ("x" * 5_000)):
        assert not runs.is_run(other)


def test_the_folder_of_runs(monkeypatch, tmp_path):
    monkeypatch.delenv("GANSCOPE_RUNS_DIR", raising=False)
    assert str(runs.runs_folder()) == "runs"
    monkeypatch.setenv("GANSCOPE_RUNS_DIR", str(tmp_path))
    assert runs.runs_folder() == tmp_path
    assert str(runs.runs_folder("elsewhere")) == "elsewhere"


# -- names --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["a", "7", "Ring", "first run_2.0-b", "x" * 80, "consul", "com", "a.nul"])
def test_good_names(name):
    assert runs.checked_name(name) == name


@pytest.mark.parametrize(
    "name",
    [
        *("", ".", "..", "../a", "a/b", "a\\b", "/a", "-a", " a", "a ", "a.", ".a", "ä", "a\n", "a\0", "a:b", "x" * 81),
        *("con", "NUL", "aux.txt", "Com1", "lpt9.tar.gz", "prn .x"),
    ],
    ids=repr,
)
def test_bad_names(name):
    with pytest.raises(ConfigError, match=r"^A run.* name .*\.$"):
        runs.checked_name(name)


# -- what is broken -----------------------------------------------------------------------------------------


def test_a_missing_run(tmp_path):
    assert "holds no run that can be read" in sentence(tmp_path / "nothing")
    assert "holds no run that can be read" in sentence(tmp_path)


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"[" * 100_000, b"\x00" * 100])
def test_a_config_that_is_no_json(folder, content):
    (folder / "config.json").write_bytes(content)
    assert "config.json is missing or broken" in sentence(folder)


@pytest.mark.parametrize(
    "about, words",
    [
        ([], "not written by this version"),
        ({"data": "ring"}, "not written by this version"),
        ({"format": runs.FORMAT + 1, "config": {}}, "not written by this version"),
        ({"format": runs.FORMAT}, "must be a JSON object"),
        ({"format": runs.FORMAT, "config": {"data": "moon"}}, "data must be one of"),
        ({"format": runs.FORMAT, "config": {"invented": 1}}, "There is no setting 'invented'"),
        ({"format": runs.FORMAT, "config": {"packing": 3}}, "packing=3 does not divide"),
    ],
)
def test_a_config_of_another_version_or_make(folder, about, words):
    (folder / "config.json").write_text(json.dumps(about))
    assert words in sentence(folder)


@pytest.mark.parametrize("harm", ["missing", "a folder", "empty", "cut", "one bit", "another run's"])
def test_a_state_that_is_not_what_was_saved(folder, harm, trainer):
    state = folder / "state.npz"
    content = bytearray(state.read_bytes())
    if harm in ("missing", "a folder"):
        state.unlink()
    if harm == "a folder":
        state.mkdir()
    elif harm == "empty":
        state.write_bytes(b"")
    elif harm == "cut":
        state.write_bytes(content[:-100])
    elif harm == "one bit":
        content[len(content) // 2] ^= 1
        state.write_bytes(content)
    elif harm == "another run's":
        trainer.train(1)
        runs.save(folder.parent / "other", trainer)
        os.replace(folder.parent / "other" / "state.npz", state)
    said = sentence(folder)
    away = harm in ("missing", "a folder")
    assert ("state.npz cannot be read: " if away else "is not what was saved with its config.json") in said


def npz(*values, **named):
    content = io.BytesIO()
    np.savez(content, **{f"{i:04d}": value for i, value in enumerate(values)}, **named)
    return content.getvalue()


def npy(value, **options):
    content = io.BytesIO()
    np.save(content, value, **options)
    return content.getvalue()


FOREIGN = {
    "no zip": lambda own: b"nothing of the kind",
    "an array": lambda own: npy(np.zeros(3)),
    "a pickle": lambda own: npy(np.array([{}], object), allow_pickle=True),
    "a pickle inside": lambda own: npz(np.array([{}], object)),
    "other names": lambda own: npz(weights=np.zeros(3)),
    "too few": lambda own: npz(*own[:-1]),
    "another shape": lambda own: npz(*own[:-1], np.zeros((3, 3))),
    "another type": lambda own: npz(*[a.astype(np.float64) for a in own]),
}


@pytest.mark.parametrize("what", FOREIGN)
def test_a_state_of_another_make(folder, trainer, what):
    """Whose maker put the right checksum to it."""
    content = FOREIGN[what](arrays(trainer.state))
    (folder / "state.npz").write_bytes(content)
    about = json.loads((folder / "config.json").read_text())
    about["state"] = hashlib.sha256(content).hexdigest()
    (folder / "config.json").write_text(json.dumps(about))
    complete = what in ("another shape", "another type")
    assert ("does not hold the weights of the networks" if complete else "cannot be read") in sentence(folder)


def test_a_config_of_other_networks(folder):
    about = json.loads((folder / "config.json").read_text())
    about["config"]["g_units"] += 1
    (folder / "config.json").write_text(json.dumps(about))
    assert "does not hold the weights of the networks that its config.json describes" in sentence(folder)


# -- where nothing can be written ---------------------------------------------------------------------------


def unsaved(folder, trainer):
    """What is said before the training, and after it."""
    said = []
    for attempt in (lambda: runs.check_folder(folder), lambda: runs.save(folder, trainer)):
        with pytest.raises(ConfigError) as caught:
            attempt()
        said.append(str(caught.value))
    assert said[0] == said[1] and said[0].startswith(f"The run cannot be saved in {folder}: ")
    return said[0]


def test_a_file_in_place_of_the_folder(tmp_path, trainer):
    (tmp_path / "run").write_text("mine")
    assert "exists" in unsaved(tmp_path / "run", trainer).lower()
    assert unsaved(tmp_path / "run" / "below", trainer)
    assert (tmp_path / "run").read_text() == "mine"


def test_a_folder_that_cannot_be_written_to(tmp_path, trainer, monkeypatch):
    """As root every folder can be, so the system's refusal is a stand-in."""

    def refuse(*arguments, **options):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(runs.tempfile, "mkstemp", refuse)
    monkeypatch.setattr(runs.tempfile, "TemporaryFile", refuse)
    assert "Permission denied" in unsaved(tmp_path / "run", trainer)
    assert not runs.is_run(tmp_path / "run")


def test_a_folder_that_can_be_written_to(tmp_path):
    runs.check_folder(tmp_path / "some" / "where")
    runs.check_folder(tmp_path / "some" / "where")
    assert list((tmp_path / "some" / "where").iterdir()) == []


# -- what dies while it saves -------------------------------------------------------------------------------


class Killed(BaseException):
    """Ends a save as a signal would, between two calls of the system."""


CALLS = ("mkstemp", "fdopen", "replace")


def killed_at(monkeypatch, call, count, folder, trainer):
    """Saves until the call of that name and count, which never returns; whether it came so far."""
    module = runs.tempfile if call == "mkstemp" else os
    function, seen = getattr(module, call), []

    def until(*arguments, **options):
        seen.append(call)
        if len(seen) == count:
            raise Killed
        return function(*arguments, **options)

    with monkeypatch.context() as patched:
        patched.setattr(module, call, until)
        # What a killed process would have left: nothing is tidied up.
        patched.setattr(os, "unlink", lambda path: None)
        with pytest.raises(Killed):
            runs.save(folder, trainer)


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("count", [1, 2])
def test_a_kill_leaves_no_run_or_a_whole_one(tmp_path, trainer, monkeypatch, call, count):
    folder = tmp_path / "run"
    killed_at(monkeypatch, call, count, folder, trainer)
    assert not runs.is_run(folder)
    runs.save(folder, trainer)  # what was left is not in the way
    assert loaded(folder).step == 3


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("count", [1, 2])
def test_a_kill_while_saving_over_an_older_run(folder, trainer, monkeypatch, call, count):
    """The older run is still there, or the half of the new one is refused; never a mixture."""
    before, older = {p.name: p.read_bytes() for p in folder.iterdir()}, trainer.state
    trainer.train(2)
    killed_at(monkeypatch, call, count, folder, trainer)
    assert runs.is_run(folder)
    after = {p.name: p.read_bytes() for p in folder.iterdir() if p.name in before}
    assert after["config.json"] == before["config.json"]
    if count == 1:
        assert same(loaded(folder).state, older)
    else:  # the new state came, its config did not
        assert "is not what was saved with its config.json" in sentence(folder)
    runs.save(folder, trainer)
    assert loaded(folder).step == 5


def test_an_exception_while_saving_leaves_nothing_behind(tmp_path, trainer, monkeypatch):
    def full(*arguments):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "replace", full)
        with pytest.raises(ConfigError, match="No space left on device"):
            runs.save(tmp_path / "run", trainer)
    assert list((tmp_path / "run").iterdir()) == []
