"""Saving a run: on full disks, killed, two at once, again and again; what was there stays whole."""

import errno
import itertools
import os
import shutil
import threading

import numpy as np
import pytest

from gan_core.foundations import locking
from gan_core.foundations.hyperparameters import ConfigError
from gan_core.recording.training_run import TrainingRun
from gan_core.runs import run_folders, run_reading, run_writing
from gan_core.runs.run_writing import Content
from tests.runs.conftest import CONFIG, END, about_of, contents, laid, looked_through, rows_of, sentence, trained
from tests.support.trainers import same, trainer_of

# -- where nothing can be written ---------------------------------------------------------------------------


def unsaved(folder, training):
    """What is said before the training, and after it."""
    said = [sentence(run_writing.check_folder, folder.parent), sentence(run_writing.save, folder, Content.of(training))]
    assert all(text.startswith("The run cannot be saved in ") for text in said)
    return said[1]


def test_a_name_that_is_taken(folder, training):
    before = contents(folder)
    (folder.parent / "a file").write_text("mine")
    (folder.parent / "empty").mkdir()
    for name in ("run", "a file", "empty"):
        said = sentence(run_writing.save, folder.parent / name, Content.of(training, note="another"))
        assert f"There is a run with the name '{name}' already: choose another." == said
    assert contents(folder) == before
    assert {path.name for path in folder.parent.iterdir()} == {"run", "a file", "empty"}


def test_a_file_in_place_of_a_folder(tmp_path, training):
    (tmp_path / "file").write_text("mine")
    assert "cannot be saved" in unsaved(tmp_path / "file" / "run", training)
    writer = run_writing.Writer(tmp_path / "file")
    assert sentence(writer.write, Content.of(training)).startswith("The run cannot be saved in ")
    assert (tmp_path / "file").read_text() == "mine"


def test_a_folder_that_cannot_be_written_to(folder, training, monkeypatch):
    """As root every folder can be, so the system's refusal is a stand-in."""

    def refuse(*arguments, **options):
        raise PermissionError(13, "Permission denied")

    before = contents(folder)
    for name in ("mkstemp", "mkdtemp", "TemporaryFile"):
        monkeypatch.setattr(run_writing.tempfile, name, refuse)
    assert "Permission denied" in unsaved(folder.parent / "new", training)
    assert "Permission denied" in sentence(run_folders.annotate, folder, "x")
    assert "Permission denied" in sentence(run_writing.Writer(folder).write, Content.of(training, note="x"))
    monkeypatch.setattr(run_folders.os, "rename", refuse)
    assert "Permission denied" in sentence(run_folders.rename, folder, "x")
    assert "Permission denied" in sentence(run_folders.delete, folder)
    assert contents(folder) == before and [path.name for path in folder.parent.iterdir()] == ["run"]


def test_a_folder_that_can_be_written_to(tmp_path):
    run_writing.check_folder(tmp_path / "some" / "where")
    run_writing.check_folder(tmp_path / "some" / "where")
    assert list((tmp_path / "some" / "where").iterdir()) == []


def failing(monkeypatch, module, name, count):
    """The call of that name and count, and all later ones, find the disk full."""
    function, calls = getattr(module, name), itertools.count(1)

    def until(*arguments, **options):
        if next(calls) >= count:
            raise OSError(28, "No space left on device")
        return function(*arguments, **options)

    monkeypatch.setattr(module, name, until)


CALLS = {"mkstemp": run_writing.tempfile, "fdopen": os, "fsync": os, "chmod": os, "replace": os}


@pytest.mark.parametrize("call", CALLS)
def test_a_disk_that_is_full_leaves_no_new_run(folder, small, monkeypatch, call):
    content = Content.of(small[0])
    for count in itertools.count(1):
        with monkeypatch.context() as patched:
            failing(patched, CALLS[call], call, count)
            try:
                run_writing.save(folder.parent / "new", content)
                break
            except ConfigError as error:
                assert str(error) == f"The run cannot be saved in {folder.parent / 'new'}: No space left on device."
        assert [path.name for path in folder.parent.iterdir()] == ["run"]
    assert count > 6 and run_reading.read(folder.parent / "new").step == 1  # every write was one that failed


@pytest.mark.parametrize("call", CALLS)
def test_a_disk_that_is_full_leaves_the_older_state_of_a_run(folder, program, spare, monkeypatch, call):
    training = TrainingRun(trainer_of(CONFIG, program), scored=False)
    writer = run_writing.Writer(folder.parent / "auto")
    writer.write(Content.of(training))
    training.trainer.restore(
        run_reading.recording_of(run_reading.read(folder), checkpoints=True).checkpoints.at(3)[1].state
    )
    for count in itertools.count(1):
        with monkeypatch.context() as patched:
            failing(patched, CALLS[call], call, count)
            try:
                writer.write(Content.of(training))
                break
            except ConfigError as error:
                assert str(error) == f"The run cannot be saved in {folder.parent / 'auto'}: No space left on device."
        assert looked_through(folder.parent / "auto", spare).step == 0
        assert not [*(folder.parent / "auto").glob("*.tmp"), *folder.parent.glob(".part-*")]
    # An attempt leaves what it wrote whole, so the next needs fewer writes; the last one wrote config.json.
    assert count > 1 and looked_through(folder.parent / "auto", spare).step == 3
    assert set(contents(folder.parent / "auto")) == {
        "config.json",
        *(row["file"] for row in rows_of(about_of(folder.parent / "auto"))),
    }


def test_files_that_the_system_cuts_short(folder, small, spare):
    """Every write ends after so many bytes, as on a full disk."""
    resource = pytest.importorskip("resource")
    content, before = Content.of(small[0]), contents(folder)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    for most in (0, 1, 700, 2_000, 9_000):
        try:
            resource.setrlimit(resource.RLIMIT_FSIZE, (most, hard))
            with pytest.raises(ConfigError) as caught:
                run_writing.save(folder.parent / "new", content)
            with pytest.raises(ConfigError) as again:
                run_writing.Writer(folder).write(content)
            if most < len(before["config.json"]):
                assert sentence(run_folders.annotate, folder, "x")
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        for said in map(str, (caught.value, again.value)):
            assert said.startswith("The run cannot be saved in ") and "too large" in said and ".part-" not in said
        assert [path.name for path in folder.parent.iterdir()] == ["run"]
        assert looked_through(folder, spare).step == END and not [*folder.glob("*.tmp")]
        assert contents(folder).items() >= before.items()


# -- what dies while it saves -------------------------------------------------------------------------------


class Killed(BaseException):
    """Ends a save as a signal would, between two calls of the system."""


def killed_at(monkeypatch, call, count, save):
    """Saves until the call of that name and count, which never returns; whether it came so far."""
    module = CALLS[call]
    function, calls = getattr(module, call), itertools.count(1)

    def until(*arguments, **options):
        if next(calls) == count:
            raise Killed
        return function(*arguments, **options)

    with monkeypatch.context() as patched:
        patched.setattr(module, call, until)
        # What a killed process would have left: nothing is tidied up.
        patched.setattr(os, "unlink", lambda path: None)
        patched.setattr(run_writing.shutil, "rmtree", lambda *_, **__: None)
        try:
            save()
        except Killed:
            return True
    return False


@pytest.mark.parametrize("save", [run_writing.save, lambda folder, content: run_writing.Writer(folder).write(content)])
@pytest.mark.parametrize("call", ["mkstemp", "fdopen", "replace"])
def test_a_kill_leaves_no_run_or_a_whole_one(tmp_path, small, monkeypatch, call, save):
    training, count = small[0], 1
    content = Content.of(training)
    while killed_at(monkeypatch, call, count, lambda: save(tmp_path / "run", content)):
        assert not (tmp_path / "run").exists() and run_folders.listed(tmp_path) == []
        count += 1
    assert count > 6 and looked_through(tmp_path / "run", training.trainer).step == 1


@pytest.mark.parametrize("call", ["mkstemp", "fdopen", "replace"])
def test_a_kill_while_saving_over_an_older_state_leaves_that(folder, training, spare, monkeypatch, call):
    """What is there is the older state whole, until the newer one is."""
    root, count = folder.parent, 1
    whole = run_reading.recording_of(run_reading.read(folder), checkpoints=True)
    older, newer = (Content(CONFIG, step, whole.until(step), training.trainer.data) for step in (0, 2))
    run_writing.Writer(root / "older").write(older)
    while True:
        shutil.rmtree(root / "auto", ignore_errors=True)
        shutil.copytree(root / "older", root / "auto")
        if not killed_at(monkeypatch, call, count, lambda: run_writing.Writer(root / "auto").write(newer)):
            break
        assert about_of(root / "auto") == about_of(root / "older")
        run_reading.recording_of(run_reading.read(root / "auto"), checkpoints=True)
        count += 1
    assert count > 6 and looked_through(root / "auto", spare).step == 2
    # What the last killed one left is tidied up by the next save.
    shutil.rmtree(root / "auto")
    shutil.copytree(root / "older", root / "auto")
    assert killed_at(monkeypatch, call, count - 1, lambda: run_writing.Writer(root / "auto").write(newer))
    run_writing.Writer(root / "auto").write(newer)
    assert set(contents(root / "auto")) == {"config.json", *(r["file"] for r in rows_of(about_of(root / "auto")))}


# -- two at once --------------------------------------------------------------------------------------------


def test_of_many_that_save_one_name_at_once_exactly_one_wins(tmp_path, small, monkeypatch):
    """All arrive at the last step together."""
    training, n = small[0], 4
    together, rename = threading.Barrier(n), os.rename

    def held(*arguments):
        together.wait(20)
        rename(*arguments)

    monkeypatch.setattr(os, "rename", held)
    for attempt in range(3):
        said, root = [], tmp_path / str(attempt)

        def save(i, root=root, said=said):
            try:
                run_writing.save(root / "run", Content.of(training, note=f"number {i}"))
                said.append(i)
            except ConfigError as error:
                said.append(str(error))

        threads = [threading.Thread(target=save, args=(i,)) for i in range(n)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        (won,) = [i for i in said if isinstance(i, int)]
        assert said.count("There is a run with the name 'run' already: choose another.") == n - 1
        assert [path.name for path in root.iterdir()] == ["run"]
        assert looked_through(root / "run", training.trainer).note == f"number {won}"


def test_a_note_that_is_written_during_an_autosave_takes_nothing_back(tmp_path, program, spare, monkeypatch):
    """Whoever changes a part of config.json does so between two writes, never around one."""
    folder, going = tmp_path / "auto", TrainingRun(trainer_of(CONFIG, program), scored=False)
    writer = run_writing.Writer(folder)
    writer.write(Content.of(trained(going, 2)))
    trained(going, 4)
    content, read, go, json_bytes = Content.of(going), threading.Event(), threading.Event(), run_folders.json_bytes

    def held(value):
        read.set()
        assert go.wait(20)
        return json_bytes(value)

    monkeypatch.setattr(run_folders, "json_bytes", held)
    noting = threading.Thread(target=run_folders.annotate, args=(folder, "remember this"))
    noting.start()
    assert read.wait(20)
    writing = threading.Thread(target=writer.write, args=(content,))
    writing.start()
    writing.join(0.5)  # as far as it comes
    go.set()
    for thread in (noting, writing):
        thread.join(20)
        assert not thread.is_alive()
    run = looked_through(folder, spare)
    assert run.step == 4 and run.note == "remember this"


def test_an_autosave_never_writes_into_another_run_that_has_its_name_now(tmp_path, program, training, spare):
    folder, going = tmp_path / "auto", TrainingRun(trainer_of(CONFIG, program), scored=False)
    writer = run_writing.Writer(folder)
    writer.write(Content.of(trained(going, 1)))
    run_writing.save(tmp_path / "other", Content.of(training, note="another"))
    before = contents(tmp_path / "other")
    run_folders.rename(folder, "mine")
    run_folders.rename(tmp_path / "other", "auto")
    assert "another run has that name now" in sentence(writer.write, Content.of(trained(going, 2)))
    assert contents(folder) == before
    assert looked_through(tmp_path / "mine", spare).step == 1


def test_a_lock_is_waited_for_but_not_for_ever(folder):
    """And who waits for one that has gone with its folder says that."""
    before = contents(folder)
    with locking.locked(folder):
        assert "is being written by another process" in sentence(held_for, folder, 0.1)
        os.rename(folder, folder.with_name("elsewhere"))
    with pytest.raises(OSError), locking.locked(folder):
        pass
    with locking.locked(folder.with_name("elsewhere")):
        pass
    assert contents(folder.with_name("elsewhere")) == before


def held_for(folder, seconds):
    with locking.locked(folder, seconds):
        pass


def test_a_file_system_without_locks_is_written_to_all_the_same(folder, small, monkeypatch):
    fcntl = pytest.importorskip("fcntl")

    def unknown(*_):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", unknown)
    run_folders.annotate(folder, "noted")
    assert run_reading.read(folder).note == "noted"


# -- written again and again --------------------------------------------------------------------------------


def stamps(folder):
    return {path.name: (path.stat().st_ino, path.stat().st_mtime_ns) for path in folder.iterdir()}


def test_a_run_that_is_written_again_and_again(tmp_path, training, program, spare):
    """Checkpoints that are there stay as they are, what is no longer named goes, and the folder opens each time."""
    folder, going = tmp_path / "auto", TrainingRun(trainer_of(CONFIG, program), scored=False)
    writer = run_writing.Writer(folder)
    before = {}
    for step in range(4):
        trained(going, step)
        writer.write(Content.of(going))
        assert looked_through(folder, spare).step == step
        now, about = stamps(folder), about_of(folder)
        assert set(now) == {"config.json", *(row["file"] for row in rows_of(about))}
        old = {name for name in before if name.startswith("checkpoint-")}
        assert len(old) == step and all(now[name] == before[name] for name in old)
        before = now
    run_writing.Writer(folder).write(Content.of(going))  # a new process that took the run up
    assert {n: s for n, s in stamps(folder).items() if n != "config.json"} == {
        n: s for n, s in before.items() if n != "config.json"
    }
    whole = going.recording
    whole.checkpoints = whole.checkpoints.until(1)  # as if thinned
    writer.write(Content(going.trainer.config, 3, whole, going.trainer.data))
    assert sorted(path.name[:12] for path in folder.glob("checkpoint-*")) == ["checkpoint-0", "checkpoint-1"]


@pytest.mark.parametrize("what", ["deleted", "renamed", "emptied", "halved"])
def test_a_folder_that_goes_meanwhile_is_made_anew(small, tmp_path, what):
    training, points = small[0], run_reading.upload_of(run_reading.read(laid(tmp_path / "small", small[1])))
    folder = tmp_path / "auto"
    writer = run_writing.Writer(folder)
    writer.write(Content.of(training, points))
    if what == "deleted":
        run_folders.delete(folder)
    elif what == "renamed":
        run_folders.rename(folder, "mine")
    else:
        for path in list(folder.iterdir())[:: 1 if what == "emptied" else 2]:
            path.unlink()
    writer.write(Content.of(training, points))
    for name in ("auto", "mine") if what == "renamed" else ("auto",):
        assert looked_through(tmp_path / name, training.trainer).step == 1
        assert np.array_equal(run_reading.upload_of(run_reading.read(tmp_path / name)), points)


def test_a_note_that_was_written_meanwhile_stays(small, tmp_path):
    writer = run_writing.Writer(tmp_path / "auto")
    writer.write(Content.of(small[0]))
    run_folders.annotate(tmp_path / "auto", "remember this")
    writer.write(Content.of(small[0], owner="me"))
    run = run_reading.read(tmp_path / "auto")
    assert (run.note, run.owner) == ("remember this", "me")


def test_a_run_is_not_written_over_while_training_goes_on(tmp_path, program, spare):
    """What is written is the moment at which the content was taken."""
    going = trained(TrainingRun(trainer_of(CONFIG, program), scored=False), 2)
    content = Content.of(going)
    state = going.trainer.state
    trained(going, 4)
    going.recording.scores.add(4, {"w1": 1.0})
    run_writing.save(tmp_path / "run", content)
    assert looked_through(tmp_path / "run", spare).step == 2 and same(spare.state, state)
    assert run_reading.recording_of(run_reading.read(tmp_path / "run")).history.steps == 2
    assert len(run_reading.recording_of(run_reading.read(tmp_path / "run")).scores) == 0
