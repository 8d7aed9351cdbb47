"""A real worker process, driven as the server drives it (client.py, worker.py)."""

import itertools
import os
import signal
import threading
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gan_core.data import loading
from gan_core.data.pictures import Pictures
from gan_core.foundations.hyperparameters import ConfigError
from gan_core.recording.snapshot import View
from gan_core.runs import run_reading
from gan_core.scores import classifier
from gan_core.serving import worker, worker_process
from gan_core.serving.client import Run
from gan_core.serving.copies import Copies
from gan_core.serving.worker_process import WorkerProcess
from gan_core.settings.config import GANConfig
from gan_core.training.trainer import Trainer
from gan_core.training.training_loop import Pace
from tests.conftest import wait_until

# Real processes on two busy cores: one second chance, which pytest's summary counts as "rerun".
pytestmark = pytest.mark.flaky(reruns=1)

SMALL = GANConfig.from_flat(
    {"data": "ring", "g_layers": 1, "d_layers": 1, "g_units": 16, "d_units": 16, "batch_size": 32}
)
ALL = View(heat=True, manifold=True, arrows=True)


@pytest.fixture(scope="module")
def warm_run(tmp_path_factory):
    """One run with a warm worker for all tests, whose classifiers go into a folder of its own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GANSCOPE_CACHE", str(tmp_path_factory.mktemp("cache")))
        process = WorkerProcess(prewarm=SMALL)
    wait_until(lambda: process.state != "starting", 90, "the worker to be warm")
    assert process.state == "warm", process.reason
    run = Run(SMALL)
    run.attach(process)
    yield run
    run.end("")
    process.process.wait(15)


@pytest.fixture
def run(warm_run):
    """The run at step 0 of SMALL, standing still."""
    warm_run.worker.send("lease")
    warm_run.set_speed(0)
    warm_run.reset(SMALL, None)
    poll_until(warm_run, lambda s: s.status == "paused" and s.step == 0, "the start")
    return warm_run


def poll_until(run: Run, ready, what: str, seconds: float = 90, view: View = ALL):
    """The first snapshot for which `ready` holds; the worker's lease is renewed meanwhile."""

    def look():
        if run.worker is not None:
            run.worker.send("lease")
        snapshot = run.poll(view, 0.2)
        return snapshot if ready(snapshot) else None

    return wait_until(look, seconds, what)


def test_play_and_pause(run):
    run.play()
    playing = poll_until(run, lambda s: s.step > 100, "a hundred steps")
    assert playing.status == "playing" and playing.steps_per_second > 0
    run.pause()
    paused = poll_until(run, lambda s: s.status == "paused", "the pause")
    time.sleep(0.3)
    assert run.poll(ALL, 0.5).step == paused.step


def test_a_frame_has_what_the_page_draws(run):
    run.steps(10)
    frame = poll_until(run, lambda s: s.status == "paused", "ten steps").frame
    assert frame["samples"].shape == (1000, 2) and frame["samples"].dtype == np.float32
    assert frame["heat"].shape[0] == frame["heat"].shape[1]
    assert frame["manifold"].shape[-1] == 2 and frame["arrows"].shape[1:] == (2, 2)
    assert frame["history"]["step"][-1] == 10
    assert {"modes", "hq", "w1", "w1_floor"} <= set(frame["metrics"])
    assert frame["layers"][-1]["network"] == "discriminator"


def test_steps_are_exact_and_add_up(run):
    for n, total in ((1, 1), (10, 11), (100, 111)):
        run.steps(n)
        assert poll_until(run, lambda s: s.status == "paused", f"{total} steps").step == total


def test_the_worker_trains_as_the_trainer_alone(run):
    """Chunks, pauses and looking change nothing: the samples are those of a trainer in one go."""
    for _ in range(3):
        run.steps(21)
        shown = poll_until(run, lambda s: s.status == "paused", "21 steps")
    assert shown.step == 63
    trainer = Trainer(SMALL, loading.draw("ring", SMALL.data_size, 0, SMALL.params()))
    trainer.train(63)
    np.testing.assert_array_equal(shown.frame["samples"], trainer.samples(trainer.latent(1000), ema=True))


def test_reset_gives_the_first_samples_again(run):
    run.steps(1)
    poll_until(run, lambda s: s.step == 1, "a step")
    run.reset(SMALL, None)
    first = poll_until(run, lambda s: s.status == "paused", "the reset").frame["samples"]
    run.steps(50)
    moved = poll_until(run, lambda s: s.step == 50, "50 steps").frame["samples"]
    run.reset(SMALL, None)
    again = poll_until(run, lambda s: s.step == 0 and s.status == "paused", "the reset").frame["samples"]
    assert not np.array_equal(first, moved)
    np.testing.assert_array_equal(first, again)


def test_what_a_new_start_dropped_comes_back_bit_for_bit(run):
    """Undo after a reset, and undo of that; the run goes on as if nothing had been."""
    run.steps(30)
    before = poll_until(run, lambda s: s.status == "paused" and s.step == 30, "thirty steps")
    run.steps(10)
    further = poll_until(run, lambda s: s.status == "paused" and s.step == 40, "ten more")
    run.reset(SMALL.updated({"seed": 7}), None)
    assert run.dropped.step == 40
    poll_until(run, lambda s: s.status == "paused" and s.step == 0, "the new start")
    run.steps(5)
    other = poll_until(run, lambda s: s.status == "paused" and s.step == 5, "five steps")
    run.undo()
    assert run.config == SMALL and run.dropped.step == 5
    back = poll_until(run, lambda s: s.status == "paused" and s.step == 40, "the run that was dropped")
    np.testing.assert_array_equal(back.frame["samples"], further.frame["samples"])
    np.testing.assert_array_equal(back.frame["history"]["mean"], further.frame["history"]["mean"])
    assert {0, 30, 40} <= set(back.frame["recorded"].tolist())
    assert before.frame["samples"].shape == back.frame["samples"].shape
    run.undo()
    again = poll_until(run, lambda s: s.status == "paused" and s.step == 5, "the other one")
    np.testing.assert_array_equal(again.frame["samples"], other.frame["samples"])
    assert run.config.seed == 7 and run.dropped.step == 40


def test_undo_finds_the_run_though_the_new_starts_came_at_once(run):
    run.steps(20)
    poll_until(run, lambda s: s.status == "paused" and s.step == 20, "twenty steps")
    for seed in (8, 9):
        run.reset(SMALL.updated({"seed": seed}), None)
    run.undo()
    poll_until(run, lambda s: s.status == "paused" and s.step == 20 and s.config == SMALL, "the run of before")
    assert run.dropped is None  # the others had no steps


def test_live_changes_keep_the_run_and_leave_markers(run):
    run.play()
    poll_until(run, lambda s: s.step > 10, "some steps")
    for rate in (2e-3, 3e-3, 5e-3):
        run.configure(replace(SMALL, g_lr=rate, d_steps=2))

    # Both arrive, the newest rate whatever became of those before it.
    def texts(snapshot):
        return [marker["text"] for marker in snapshot.frame["history"]["markers"]]

    snapshot = poll_until(run, lambda s: any(text.endswith("→ 0.005") for text in texts(s)), "the newest rate")
    assert any("d_steps" in text and text.endswith("1 → 2") for text in texts(snapshot))
    assert snapshot.step > 10


def test_the_newest_config_wins(run):
    """A drag over many structures builds the last one, and no frame of an older one is shown."""
    run.play()
    poll_until(run, lambda s: s.step > 0, "a step")
    for units in range(4, 12):
        run.configure(replace(SMALL, g_units=units))
    snapshot = poll_until(run, lambda s: s.step > 0, "the last structure")
    dense = [r for r in snapshot.frame["layers"] if r["network"] == "generator"]
    assert dense[0]["output"] == "11"
    assert snapshot.config.g_units == 11


def test_divergence_is_data_and_leaves_the_last_good_state(run):
    bad = replace(SMALL, d_optimizer="sgd", d_lr=1.0, penalty="r1_r2", gp_weight=100.0)
    run.configure(bad)
    run.play()
    snapshot = poll_until(run, lambda s: s.error, "the divergence")
    assert "became NaN or infinite" in snapshot.error and "Lower a learning rate" in snapshot.error
    assert not run.wants_play
    assert np.isfinite(snapshot.frame["samples"]).all()
    run.configure(replace(bad, d_lr=1e-5, gp_weight=0.0))
    run.play()
    on = poll_until(run, lambda s: s.step > snapshot.step, "the run to go on")
    assert on.error is None


def test_speed_is_kept(run):
    run.set_speed(10)
    run.play()
    start = poll_until(run, lambda s: s.step >= 2, "two steps").step
    before = time.monotonic()
    end = poll_until(run, lambda s: s.step >= start + 10, "ten more").step
    # Ten steps take a second at this speed: never faster, however fast the machine.
    assert time.monotonic() - before > 0.09 * (end - start) - 0.3


def test_the_users_own_points(run):
    points = np.random.default_rng(0).normal(size=(300, 2)).astype(np.float32) * 3 + 50
    run.configure(SMALL.updated({"data": "file"}), points)
    run.steps(5)
    snapshot = poll_until(run, lambda s: s.step == 5, "five steps")
    assert 20 < snapshot.frame["samples"].mean() < 80
    assert "modes" not in snapshot.frame["metrics"] and snapshot.frame["metrics"]["w1"] > 0


class Counted:
    """What is written to a process: the bytes, and how many of them at most in one message."""

    def __init__(self, writer):
        self._writer, self.bytes = writer, 0

    def write(self, data):
        self.bytes += memoryview(data).nbytes
        return self._writer.write(data)

    def flush(self):
        self._writer.flush()

    def close(self):
        self._writer.close()


def test_an_upload_goes_to_the_worker_once(run, monkeypatch, tmp_path):
    """Knobs that are turned, a reset, the same file read again and autosave name it; what is on disk has it."""
    points = np.random.default_rng(1).normal(size=(40_000, 2)).astype(np.float32)
    config = SMALL.updated({"data": "file"})
    counted = Counted(run.worker.wire._writer)
    monkeypatch.setattr(run.worker.wire, "_writer", counted)
    run.configure(config, points)
    run.steps(1)
    poll_until(run, lambda s: s.step == 1, "a step")
    first = counted.bytes
    assert first > points.nbytes
    for rate in (2e-3, 3e-3):
        run.configure(replace(config, g_lr=rate), points)
    run.keep([tmp_path / "auto"], "me")
    assert run.can_go_on_as(config, points.copy())
    run.configure(replace(config, g_units=12), points.copy())
    run.steps(2)
    poll_until(run, lambda s: s.step == 2, "two steps of other networks")
    (folder,) = run.save([tmp_path / "kept"]).result(30)
    assert counted.bytes - first < points.nbytes / 4  # all that is asked for meanwhile, but no upload
    assert np.array_equal(run_reading.upload_of(run_reading.read(folder)), points)
    other = points + 1
    assert not run.can_go_on_as(run.config, other)
    run.configure(config, other)
    run.steps(1)
    poll_until(run, lambda s: s.step == 1, "a step on the other points")
    assert counted.bytes - first > points.nbytes
    (folder,) = run.save([tmp_path / "kept"]).result(30)
    assert np.array_equal(run_reading.upload_of(run_reading.read(folder)), other)


# -- saving -------------------------------------------------------------------------------------------------


def test_everybody_who_saves_hears_of_their_own_save(run, tmp_path):
    """Several at once, of one name; one of them cannot be written."""
    run.steps(3)
    poll_until(run, lambda s: s.status == "paused" and s.step == 3, "three steps")
    (tmp_path / "a file").write_text("mine")
    good = [run.save([tmp_path / "mine"], f"number {i}") for i in range(2)]
    bad = run.save([tmp_path / "a file" / "mine"])
    good += [run.save([tmp_path / "mine"], "number 2"), run.save([tmp_path / "other"], "number 3")]
    folders = [save.result(60)[0] for save in reversed(good)][::-1]
    assert sorted(folder.name for folder in folders) == ["mine", "mine 2", "mine 3", "other"]
    for i, folder in enumerate(folders):
        saved = run_reading.read(folder)
        assert saved.note == f"number {i}" and saved.step == 3
    with pytest.raises(ConfigError, match="cannot be saved"):
        bad.result(60)
    assert run.poll(ALL, 0.5).error is None


def test_a_save_that_fails_in_any_way_is_heard_of_and_stops_nothing(run, tmp_path):
    run.play()
    poll_until(run, lambda s: s.step > 0, "a step")
    with pytest.raises(ConfigError, match="no run to save"):
        run.save([tmp_path / "a", tmp_path / "b"]).result(30)  # as if it were a race of two
    stood = run.step
    going = poll_until(run, lambda s: s.step > stood, "the run to go on")
    assert going.status == "playing" and going.error is None


def test_a_save_without_a_worker_fails_at_once(tmp_path):
    with pytest.raises(ConfigError, match="stopped before the run was saved"):
        Run(SMALL).save([tmp_path / "mine"]).result(0)


def test_thirty_watchers_get_a_copy_each_of_one_snapshot(run, tmp_path, monkeypatch):
    """And training goes on meanwhile: nothing waits for the disk."""
    run.play()
    poll_until(run, lambda s: s.step > 50, "some steps")
    asked, send = [], run.worker.send
    monkeypatch.setattr(run.worker, "send", lambda kind, body=None: (asked.append(kind), send(kind, body))[1])
    copies, made, wrong = Copies(run), [], []

    def copy():
        try:
            made.append(copies.make(tmp_path / "ring copy", 60))
        except ConfigError as error:
            wrong.append(str(error))

    before = run.step
    threads = [threading.Thread(target=copy) for _ in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(90)
    assert wrong == [] and asked.count("save") == 1
    names = {"ring copy", *(f"ring copy {i}" for i in range(2, 31))}
    assert {folder.name for folder in made} == names
    read = [run_reading.read(folder) for folder in made]
    assert len({saved.step for saved in read}) == 1 and read[0].step >= 50
    for saved in read[::10]:
        assert run_reading.recording_of(saved, checkpoints=True).checkpoints.steps[-1] == saved.step
    poll_until(run, lambda s: s.step > before, "training to go on")
    # A run that stands at another step is saved again; one that stands at the same is not.
    run.pause()
    stood = poll_until(run, lambda s: s.status == "paused", "the pause").step
    again = [run_reading.read(copies.make(tmp_path / "ring copy", 60)).step for _ in range(2)]
    assert again == [stood, stood] and asked.count("save") == 2
    run.reset(SMALL, None)
    poll_until(run, lambda s: s.status == "paused" and s.step == 0, "the reset")
    assert run_reading.read(copies.make(tmp_path / "ring copy", 60)).step == 0
    # The snapshots themselves go.
    wait_until(
        lambda: {path.name for path in tmp_path.iterdir()} == {*names, "ring copy 31", "ring copy 32", "ring copy 33"},
        30,
        "the snapshots to be removed",
    )


# -- one moment ---------------------------------------------------------------------------------------------


def test_data_that_load_slowly_are_not_put_in_place_of_newer_ones(monkeypatch):
    began, go, load = threading.Event(), threading.Event(), loading.load

    def slowly(config, upload=None):
        if config.data == "moons":
            began.set()
            assert go.wait(20)
        return load(config, upload)

    monkeypatch.setattr(loading, "load", slowly)
    run, seen = Run(SMALL.updated({"data": "moons"})), []
    thread = threading.Thread(target=lambda: seen.append(run.snapshot()))
    thread.start()
    assert began.wait(20)
    run.configure(SMALL)
    now = run.snapshot()
    go.set()
    thread.join(20)
    assert now.config.data == "ring" and now.data is load(SMALL)
    assert seen[0].config.data == "moons" and seen[0].data is load(SMALL.updated({"data": "moons"}))
    assert run.data is load(SMALL) is run.snapshot().data


def test_settings_and_frames_of_a_snapshot_are_of_one_moment():
    run = Run(SMALL)
    race = tuple(SMALL.updated({"g_units": units}) for units in (4, 5, 6))
    run.race(race)
    run._take({"id": 1, "generation": run._generation, "error": None, "pending": 0, "trainings": [{"step": 2}] * 3})
    before = run.snapshot()
    run.race(race[:2])
    after = run.snapshot()
    assert len(before.trainings) == 3 and before.configs == race
    assert after.trainings == () and after.configs == race[:2]


def pictures(n=40, side=28):
    """Pictures with a bright half, upper or lower, which is the class."""
    labels = (np.arange(n) % 2).astype(np.int32)
    pixels = np.random.default_rng(0).integers(0, 100, (n, side, side, 1)).astype(np.uint8)
    pixels[labels == 1, : side // 2] += 100
    return Pictures(pixels, labels, ("lower", "upper"))


IMAGES = GANConfig.from_flat(
    {"data": "picture_file", "architecture": "dcgan", "filters": 8, "batch_size": 8, "latent_dim": 4}
)


def test_the_users_own_pictures(run, monkeypatch):
    """Grid, neighbours, blend and scores, and the samples of a trainer in one go."""
    own, view = pictures(), View(side=3, picked=1, blend=(4, 0, 0.5, 0.5))
    # The training process finds the judge in the cache; to train one takes it a minute, on a busy machine five.
    monkeypatch.setattr(classifier, "STEPS", (60, 60))
    classifier.trained(loading.load(IMAGES, own), lambda text: None)
    run.configure(IMAGES, own)
    run.steps(3)
    poll_until(run, lambda s: s.status == "paused" and s.step == 3, "three steps", view=view)
    scored = poll_until(run, lambda s: "classifier_fid" in s.frame.get("metrics", {}), "the scores", view=view)
    frame = scored.frame
    assert frame["grid"].shape == (9, 28, 28, 1) and frame["p_real"].shape == (9,)
    assert {"neighbours", "distances", "blend", "corners"} <= set(frame)
    assert frame["metrics"]["step"] == 3 and "note" not in frame["metrics"]
    assert any("Conv2D" in row["layer"] for row in frame["layers"])
    trainer = Trainer(IMAGES, loading.load(IMAGES, own))
    trainer.train(3)
    np.testing.assert_array_equal(frame["grid"], trainer.samples(trainer.latent(9), ema=True))


def test_pictures_that_do_not_go_with_the_networks_are_a_sentence(run):
    """And the worker lives on."""
    run.configure(IMAGES.updated({"architecture": "tutorial_dcgan64"}), pictures())
    run.play()
    snapshot = poll_until(run, lambda s: s.error, "the refusal")
    assert "makes images of 64 x 64 pixels" in snapshot.error and not run.wants_play
    run.configure(SMALL)
    run.steps(1)
    assert poll_until(run, lambda s: s.step == 1, "a step").error is None


def test_a_killed_worker_is_a_sentence():
    run = Run(SMALL)
    process = WorkerProcess()
    run.attach(process)
    run.play()
    os.kill(process.pid, signal.SIGKILL)
    snapshot = poll_until(run, lambda s: s.status == "ended", "the end")
    assert "stopped unexpectedly" in snapshot.error and "Press Play" in snapshot.error
    assert run.worker is None and run.config == SMALL


def test_a_worker_that_cannot_start_says_why(tmp_path, monkeypatch):
    (tmp_path / "numpy.py").write_text("raise ImportError('a wheel of another processor')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    run = Run(SMALL)
    run.attach(WorkerProcess())
    snapshot = poll_until(run, lambda s: s.status == "ended", "the end")
    assert "(exit status 1: ImportError: a wheel of another processor)" in snapshot.error


def test_only_an_autosave_that_was_written_is_promised(tmp_path):
    run = Run(SMALL)
    run.keep([tmp_path])
    assert "autosaved" not in run.afterwards()
    (tmp_path / "config.json").write_text("{}")
    assert "continue the autosaved run" in run.afterwards()


def test_racers_share_a_longer_chunk():
    alone, race = Pace(), Pace()
    race.trainings = 3
    for pace in (alone, race):
        for _ in range(20):
            pace.measured(100, 1.0)
    assert race.steps(1_000) == 3 * alone.steps(1_000) == 12


def test_a_worker_ends_when_its_pipe_closes():
    process = WorkerProcess()
    process.wire.close()
    assert process.process.wait(30) == 0


def test_who_sends_waits_neither_for_a_process_that_hears_nothing_nor_for_what_cannot_be_sent(caplog):
    process = WorkerProcess()
    os.kill(process.pid, signal.SIGSTOP)
    try:
        sender = threading.Thread(target=process.send, args=("step", bytes(10_000_000)), daemon=True)
        sender.start()
        sender.join(20)
        assert not sender.is_alive()  # though a pipe holds 64 KiB
        process.send("step", threading.Lock())  # no pickle can be made of it
        process.send("quit")
    finally:
        os.kill(process.pid, signal.SIGCONT)
    wait_until(lambda: process.state == "gone", 90, "what was said after them to be heard")
    assert process.process.returncode == 0 and "kind step could not be sent" in caplog.text


@pytest.mark.parametrize("nth", [1, 2, 3])
def test_no_process_stays_behind_that_nobody_can_talk_to(monkeypatch, nth):
    started, really, start = [], worker_process.started, threading.Thread.start
    left = [nth]

    def failing(thread):
        left[0] -= 1
        if left[0] == 0:
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(worker_process, "started", lambda *given: started.append(really(*given)) or started[-1])
    monkeypatch.setattr(threading.Thread, "start", failing)
    with pytest.raises(OSError, match="can't start new thread"):
        WorkerProcess()
    assert started[0].returncode is not None


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="asks Linux what the process was given")
def test_what_a_training_process_is_given(tmp_path, monkeypatch):
    """Its threads, folder and priority, and whatever the server's own environment says of GANscope."""
    (tmp_path / "tensorflow.py").write_text("")  # it is not the library that is looked at
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("GANSCOPE_WORKER_THREADS", "3")
    monkeypatch.setenv("GANSCOPE_RUNS_MB", "77")
    process = WorkerProcess()
    try:
        wait_until(lambda: process.state != "starting", 90, "the worker to be warm")
        assert process.state == "warm", process.reason
        proc = Path(f"/proc/{process.pid}")
        given = dict(row.split("=", 1) for row in proc.joinpath("environ").read_text().split("\0") if "=" in row)
        assert given["TF_NUM_INTRAOP_THREADS"] == given["TF_NUM_INTEROP_THREADS"] == "3"
        assert given["GANSCOPE_RUNS_MB"] == "77"
        assert proc.joinpath("cwd").resolve() == worker_process.ROOT
        own = os.getpriority(os.PRIO_PROCESS, 0)
        assert os.getpriority(os.PRIO_PROCESS, process.pid) == min(19, own + worker.NICENESS)
    finally:
        process.end()
        process.process.wait(30)


# -- one network alone, and slow motion ---------------------------------------------------------------------


def test_one_network_alone_takes_steps_in_order_and_is_marked(run):
    run.steps(3)
    run.steps(2, alone="d")
    run.steps(1, alone="g")
    run.steps(1)
    snapshot = poll_until(run, lambda s: s.status == "paused" and s.step == 7, "seven steps")
    marks = [(mark["step"], mark["text"]) for mark in snapshot.frame["history"]["markers"]]
    assert marks == [(4, "D alone"), (6, "G alone")]
    trainer = Trainer(SMALL, loading.draw("ring", SMALL.data_size, 0, SMALL.params()))
    trainer.train(3)
    for side in "ddg":
        trainer.train_alone(side)
    trainer.train(1)
    np.testing.assert_array_equal(snapshot.frame["samples"], trainer.samples(trainer.latent(1000), ema=True))


def test_a_step_in_slow_motion_is_the_runs_own_step(run):
    """Phase by phase, back and forth: the run stands at step 0 until the last phase, and then where Step leaves it."""
    seen, view = [], View(anatomy=True)
    while not seen or not seen[-1]["taken"]:
        run.phase(1)
        snapshot = poll_until(
            run, lambda s: s.status == "paused" and "phase" in s.frame["anatomy"], "a phase", view=view
        )
        seen.append(snapshot.frame["anatomy"]["phase"])
        assert snapshot.step == (1 if seen[-1]["taken"] else 0) and len(seen) < 30
    assert [phase["number"] for phase in seen] == [*range(1, seen[-1]["of"] + 1)]
    run.phase(-1)
    back = poll_until(run, lambda s: s.frame["anatomy"]["phase"]["number"] < seen[-1]["of"], "a phase back", view=view)
    assert back.status == "paused" and back.step == 1
    run.steps(4)
    shown = poll_until(run, lambda s: s.status == "paused" and s.step == 5, "four steps more")
    trainer = Trainer(SMALL, loading.draw("ring", SMALL.data_size, 0, SMALL.params()))
    trainer.train(5)
    np.testing.assert_array_equal(shown.frame["samples"], trainer.samples(trainer.latent(1000), ema=True))


def test_play_in_slow_motion_goes_phase_by_phase(run):
    run.set_slow(True)
    try:
        run.play()
        view, numbers = View(anatomy=True), set()

        def looked(snapshot):
            phase = (snapshot.frame.get("anatomy") or {}).get("phase")
            if phase:
                numbers.add(phase["number"])
            return len(numbers) >= 3

        assert poll_until(run, looked, "three phases", view=view).status == "playing"
        run.pause()
        stood = poll_until(run, lambda s: s.status == "paused", "the pause", view=view).frame["anatomy"]["phase"]
        time.sleep(1.5)
        assert run.poll(view, 0.5).frame["anatomy"]["phase"]["number"] == stood["number"]
    finally:
        run.set_slow(False)
    run.play()
    poll_until(run, lambda s: s.step > 50, "full speed")
    run.pause()


def test_presses_of_next_count_while_a_step_is_prepared_and_whatever_else_is_told(run):
    """A page says again, after the click, how its run is autosaved; and who is in a hurry presses more than once."""
    view = View(anatomy=True)
    for _ in range(3):
        run.phase(1)
    run._send_config()
    shown = poll_until(run, lambda s: s.status == "paused" and "phase" in s.frame["anatomy"], "a phase", view=view)
    assert shown.frame["anatomy"]["phase"]["number"] == 3 and shown.step == 0


def test_a_divergence_that_next_reaches_is_told(run):
    wild = SMALL.updated({"g_optimizer": "sgd", "d_optimizer": "sgd", "g_lr": 1, "d_lr": 1, "loss": "least_squares"})
    run.reset(wild, None)
    for _ in range(40 * 12):
        run.phase(1)
    told = poll_until(run, lambda s: s.error, "the divergence", view=View(anatomy=True))
    assert "diverged at step" in told.error and "Lower a learning rate" in told.error


def test_a_fast_run_that_freezes_a_network_goes_on_answering(run):
    run.play()
    poll_until(run, lambda s: s.step > 2_000, "a fast run")
    run.configure(replace(SMALL, g_steps=0))
    frozen = poll_until(run, lambda s: s.config.g_steps == 0 and s.step > 2_000, "the frozen generator")
    steps = []
    for _ in range(8):
        steps.append(poll_until(run, lambda s, than=frozen: s.frame is not than.frame, "the next answer").step)
        frozen = run.snapshot()
    assert max(b - a for a, b in itertools.pairwise(steps)) < 1_000  # it was 1,024 steps in one go
    run.pause()
