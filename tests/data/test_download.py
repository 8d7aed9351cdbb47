"""Fetching data sets: every way in which it ends, within bounded time, and nothing left behind."""

import gzip
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from gan_core.data import download, image_datasets, image_sources
from gan_core.data.download import Download
from gan_core.foundations.hyperparameters import ConfigError

# Stand-ins for the process that loads: `python -c CODE NAME OUT`.
WRITE = """
import sys, os, time
from pathlib import Path
name, out = sys.argv[1], Path(sys.argv[2])
def write(out, n=40):
    import numpy as np
    x, y = np.zeros((n, 28, 28), np.uint8), np.arange(n, dtype=np.uint8) % 10
    with open(out, "wb") as file:
        np.savez(file, x_train=x, y_train=y, x_test=x[:20], y_test=y[:20])
"""
GOOD = WRITE + "write(out)"
SLOW = WRITE + "out.with_name('part').write_bytes(bytes(2_500_000)); time.sleep(60)"
GROWING = WRITE + "for i in range(600): out.with_name(f'part{i}').write_bytes(bytes(20_000)); time.sleep(0.05)"
SILENT = WRITE + "time.sleep(60)"
FAILING = WRITE + "write(out); sys.exit('ValueError: Incomplete or corrupted file detected.')"
OFFLINE = (
    "import sys; sys.exit('Exception: URL fetch failure on https://example.org/a/b.npz: None -- [Errno -2] no name')"
)
NOTHING = "pass"
PARTIAL = WRITE + "write(out); whole = out.read_bytes(); out.write_bytes(whole[: len(whole) // 2])"
OTHER = WRITE + "import numpy as np; np.savez(out, x=np.zeros(3))"
KILLED = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"


def command(code):
    return [sys.executable, "-c", code]


@pytest.fixture(autouse=True)
def folders(tmp_path, monkeypatch):
    """Folders of the test's own, and short waits; every download is ended and has left nothing but its file."""
    for variable, name in (("KERAS_HOME", "keras"), ("GANSCOPE_CACHE", "cache")):
        monkeypatch.setenv(variable, str(tmp_path / name))
    monkeypatch.delenv("GANSCOPE_DATA", raising=False)
    monkeypatch.setattr(download, "TICK_SECONDS", 0.02)
    monkeypatch.setattr(download, "_downloads", {})
    (tmp_path / "keras" / "datasets").mkdir(parents=True)
    yield tmp_path
    for job in download._downloads.values():
        job.cancel()
    left = [path.name for path in (tmp_path / "cache").glob("*")]
    assert set(left) <= {"mnist.npz", "fashion_mnist.npz"}


def wait_until(true, seconds=20):
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.01)


def failed(code, *words, name="mnist", seconds=20):
    """The message of a download that is to fail."""
    job = Download(name, command(code))
    status = job.wait(seconds)
    assert status.state == "failed", status
    for word in (f"{name} could not be downloaded: ", *words, f"copy {name}.npz", "GANSCOPE_DATA", "https://"):
        assert word in status.message, status.message
    assert len(status.message) < 700 and "\n" not in status.message
    assert image_sources.find_file(name) is None
    return status.message


def test_done(folders):
    job = Download("mnist", command(GOOD))
    status = job.wait(20)
    assert (status.state, status.message) == ("done", "Downloaded mnist.")
    assert image_sources.find_file("mnist") == folders / "cache" / "mnist.npz"
    assert len(image_datasets.mnist(100, np.random.default_rng(0))) == 40
    assert job.status() is status
    job.cancel()  # too late to change anything
    assert job.status().state == "done"


def test_the_file_s_size_is_what_arrived(folders):
    job = Download("mnist", command(GOOD))
    status = job.wait(20)
    assert status.bytes == (folders / "cache" / "mnist.npz").stat().st_size


def test_progress_is_told(folders):
    job = Download("mnist", command(SLOW))
    wait_until(lambda: job.status().bytes == 2_500_000)
    assert job.status().state == "running"
    assert job.status().message == "Downloading mnist: 2.5 of about 11 MB"
    job.cancel()


def test_after_the_last_byte_it_is_unpacked(folders):
    job = Download("mnist", command(SLOW.replace("2_500_000", "11_500_000")))
    wait_until(lambda: job.status().message == "Unpacking mnist")
    job.cancel()


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (FAILING, ["ValueError: Incomplete or corrupted file detected. Without"]),
        (OFFLINE, ["example.org could not be reached ([Errno -2] no name)"]),
        (NOTHING, ["no file was written"]),
        (PARTIAL, ["the file that arrived is not the data set"]),
        (OTHER, ["the file that arrived is not the data set"]),
        (KILLED, ["its process ended with code -9"]),
        ("import sys; sys.exit('x' * 100_000)", ["xxx"]),
        ("import sys; sys.stderr.buffer.write(bytes(range(128, 256))); sys.exit(1)", []),
    ],
    ids=["failing", "offline", "nothing", "partial", "other", "killed", "long", "binary"],
)
def test_failed(code, words, folders):
    failed(code, *words)
    assert list((folders / "cache").iterdir()) == []


def test_a_failure_keeps_the_file_that_was_there(folders):
    Download("mnist", command(GOOD)).wait(20)
    place = folders / "cache" / "mnist.npz"
    before = place.read_bytes(), place.stat().st_mtime_ns
    for code in (PARTIAL, FAILING):
        assert Download("mnist", command(code)).wait(20).state == "failed"
        assert (place.read_bytes(), place.stat().st_mtime_ns) == before


def test_a_command_that_does_not_exist():
    status = Download("mnist", ["/nowhere/python"]).wait(20)
    assert status.state == "failed" and "could not be downloaded" in status.message


def test_a_cache_that_cannot_be_written(folders, monkeypatch):
    (folders / "file").write_bytes(b"")
    monkeypatch.setenv("GANSCOPE_CACHE", str(folders / "file" / "cache"))
    failed(GOOD, "cannot be written")


def test_stalled(monkeypatch):
    monkeypatch.setattr(download, "STALL_SECONDS", 0.5)
    began = time.monotonic()
    failed(SLOW, "nothing arrived for 0.5 seconds")
    assert time.monotonic() - began < 10


def test_growing_is_not_stalling(monkeypatch):
    monkeypatch.setattr(download, "STALL_SECONDS", 2.0)
    job = Download("mnist", command(GROWING))
    wait_until(lambda: job.status().bytes > 20_000)
    assert job.wait(2.5).state == "running"
    job.cancel()


def test_the_start_has_more_patience(monkeypatch):
    """Importing Keras writes next to nothing and may take longer than a stall."""
    monkeypatch.setattr(download, "STALL_SECONDS", 0.1)
    monkeypatch.setattr(download, "START_SECONDS", 1.0)
    began = time.monotonic()
    failed(SILENT, "nothing arrived for 1 seconds")
    assert 1.0 < time.monotonic() - began < 10


def test_too_long(monkeypatch):
    monkeypatch.setattr(download, "MOST_SECONDS", 1.0)
    failed(GROWING, "it took more than 1 seconds")


def test_the_bounds_are_those_promised():
    assert (download.STALL_SECONDS, download.MOST_SECONDS) == (30, 600)


def test_cancel_ends_the_process_at_once(folders):
    code = SLOW.replace(
        "time.sleep(60)", f"Path({str(folders / 'pid')!r}).write_text(str(os.getpid())); time.sleep(60)"
    )
    job = Download("mnist", command(code))
    wait_until(lambda: (folders / "pid").exists() and (folders / "pid").read_text())
    began = time.monotonic()
    job.cancel()
    assert time.monotonic() - began < 5
    assert job.status().state == "failed" and "it was stopped" in job.status().message
    with pytest.raises(ProcessLookupError):
        os.kill(int((folders / "pid").read_text()), 0)
    assert list((folders / "cache").iterdir()) == []
    job.cancel()  # twice is fine


def test_the_end_of_the_process_ends_the_download(folders):
    code = SLOW.replace(
        "time.sleep(60)", f"Path({str(folders / 'pid')!r}).write_text(str(os.getpid())); time.sleep(60)"
    )
    parent = (
        "import time; from pathlib import Path; from gan_core.data import download;"
        f"download.Download('mnist', {command(code)!r});"
        f"[time.sleep(0.05) for _ in range(400) if not Path({str(folders / 'pid')!r}).exists()]"
    )
    subprocess.run([sys.executable, "-c", parent], timeout=60, check=True)
    with pytest.raises(ProcessLookupError):
        os.kill(int((folders / "pid").read_text()), 0)
    assert list((folders / "cache").iterdir()) == []


def test_what_killed_processes_left_is_removed(folders):
    old, young, other = (folders / "cache" / name for name in ("download-old", "download-young", "else"))
    for folder in (old, young, other):
        folder.mkdir(parents=True)
        (folder / "x").write_bytes(b"x")
    for folder in (old, other):
        os.utime(folder, (time.time() - 7200,) * 2)
    Download("mnist", command(GOOD)).wait(20)
    assert not old.exists() and young.exists() and other.exists()
    for folder in (young, other):
        (folder / "x").unlink()
        folder.rmdir()


def test_an_unknown_name():
    for call in (Download, download.get, lambda name: download.download(name, print)):
        with pytest.raises(ConfigError, match="mnist, fashion_mnist, cifar10"):
            call("imagenet")


# -- one at a time ------------------------------------------------------------------------------------------


@pytest.fixture
def code(monkeypatch):
    """Sets what a download that names no command starts."""

    def use(text):
        monkeypatch.setattr(download, "COMMAND", tuple(command(text)))

    return use


def test_there_is_one_download_of_a_name(code):
    code(SLOW)
    job = download.get("mnist")
    assert download.get("mnist") is job and download.get("mnist", again=True) is job
    assert download.get("fashion_mnist") is not job


def test_a_failed_one_is_started_anew_only_on_demand(code):
    code(OFFLINE)
    job = download.get("mnist")
    assert job.wait(20).state == "failed"
    assert download.get("mnist") is job
    code(GOOD)
    second = download.get("mnist", again=True)
    assert second is not job and second.wait(20).state == "done"
    assert download.get("mnist", again=True) is second


def test_a_fetched_file_that_was_removed_is_fetched_again(code, folders):
    code(GOOD)
    job = download.get("mnist")
    assert job.wait(20).state == "done" and download.get("mnist") is job
    (folders / "cache" / "mnist.npz").unlink()
    assert download.get("mnist") is not job
    assert download.get("mnist").wait(20).state == "done"


def test_on_the_command_line(code, folders):
    said = []
    code(SLOW.replace("time.sleep(60)", "time.sleep(1.3); write(out)"))
    download.download("mnist", said.append)
    assert "Downloading mnist: 2.5 of about 11 MB" in said and said[-1] == "Downloaded mnist."
    assert len(said) == len(set(said))
    download.download("mnist", said.append)
    assert said[-1] == f"mnist is already here: {folders / 'cache' / 'mnist.npz'}"


def test_a_failure_on_the_command_line(code):
    code(OFFLINE)
    with pytest.raises(ConfigError, match=r"example\.org could not be reached"):
        download.download("mnist", print)
    code(GOOD)
    download.download("mnist", print)  # every call tries again


def test_an_interrupt_on_the_command_line(code, folders):
    code(SLOW)

    def interrupt(line):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        download.download("mnist", interrupt)
    assert list((folders / "cache").iterdir()) == []


# -- the process that loads ---------------------------------------------------------------------------------


def four(n=20, shape=(28, 28)):
    x, y = np.random.default_rng(0).integers(0, 256, (n, *shape), dtype=np.uint8), np.arange(n, dtype=np.uint8) % 10
    return (x, y), (x[::-1], y[::-1])


def seen(folder):
    """All files with their bytes and times of change."""
    files = sorted(path for path in Path(folder).rglob("*") if path.is_file())
    return {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in files}


def test_what_is_fetched_is_written(folders):
    def load(name):
        home = Path(os.environ["KERAS_HOME"])
        assert home.parent == folders / "work" and not (home / "datasets").exists()
        (home / "anything").write_bytes(b"x")
        return four()

    (folders / "work").mkdir()
    download.fetch("mnist", folders / "work" / "mnist.npz", load)
    assert [path.name for path in (folders / "work").iterdir()] == ["mnist.npz"]
    loaded = image_sources.load_npz(folders / "work" / "mnist.npz", "mnist")
    np.testing.assert_array_equal(loaded.pixels[..., 0], four()[0][0])
    np.testing.assert_array_equal(loaded.test_labels, four()[1][1])


SEEDS = {
    "mnist": {"mnist.npz": "mnist.npz"},
    "fashion_mnist": {"fashion-mnist/train-labels-idx1-ubyte.gz": "fashion-mnist/train-labels-idx1-ubyte.gz"},
    "cifar10": {"cifar-10-batches-py.tar.gz": "cifar-10-batches-py-target_archive"},
}


@pytest.mark.parametrize("name", SEEDS)
def test_what_the_user_has_is_copied_and_stays_as_it_is(name, folders):
    user = folders / "keras" / "datasets"
    ((source, target),) = SEEDS[name].items()
    (user / source).parent.mkdir(exist_ok=True)
    (user / source).write_bytes(b"the user's")
    before = seen(user)

    def load(name):
        copy = Path(os.environ["KERAS_HOME"], "datasets", target)
        assert copy.read_bytes() == b"the user's" and not copy.is_symlink() and copy.stat().st_nlink == 1
        copy.write_bytes(b"as Keras does with a wrong hash")
        copy.unlink()
        return four(shape=image_sources.SOURCES[name].shape)

    (folders / "work").mkdir()
    download.fetch(name, folders / "work" / "out.npz", load)
    assert seen(user) == before


def test_a_damaged_copy_is_tried_once_and_then_fetched(folders):
    (folders / "keras" / "datasets" / "mnist.npz").write_bytes(b"damaged")
    calls = []

    def load(name):
        calls.append(Path(os.environ["KERAS_HOME"], "datasets", "mnist.npz").exists())
        if calls[-1]:
            raise OSError("Not a gzipped file")
        return four()

    (folders / "work").mkdir()
    download.fetch("mnist", folders / "work" / "out.npz", load)
    assert calls == [True, False]

    def fails(name):
        raise Exception("URL fetch failure on x: None -- y")

    with pytest.raises(Exception, match="URL fetch failure"):
        download.fetch("mnist", folders / "work" / "none.npz", fails)
    assert [path.name for path in (folders / "work").iterdir()] == ["out.npz"]


def test_keras_itself_reads_what_the_user_has(folders):
    """The real process with the real loader, which finds all files of fashion_mnist, so needs no network."""
    user = folders / "keras" / "datasets" / "fashion-mnist"
    user.mkdir()
    (x, y), (x_test, y_test) = four(50)
    for part, images, labels in (("train", x, y), ("t10k", x_test, y_test)):
        (user / f"{part}-images-idx3-ubyte.gz").write_bytes(gzip.compress(bytes(16) + images.tobytes()))
        (user / f"{part}-labels-idx1-ubyte.gz").write_bytes(gzip.compress(bytes(8) + labels.tobytes()))
    before = seen(folders / "keras")
    status = Download("fashion_mnist").wait(120)
    assert status.state == "done", status
    p = image_datasets.fashion_mnist(1000, np.random.default_rng(0))
    np.testing.assert_array_equal(p.pixels[..., 0], x)
    np.testing.assert_array_equal(p.test_labels, y_test)
    assert seen(folders / "keras") == before  # neither changed nor added to
