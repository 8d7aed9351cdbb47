"""Fetching over the network, bounded in time, in a process of its own: the known data sets, and single files.

`python -m gan_core.data.download NAME OUT` is that process for a data set: it calls Keras's loader and writes OUT;
`... URL MD5 OUT` has Keras fetch one file. Keras deletes a cached file whose hash differs, so it works in a temporary
folder; the user's own Keras folder is only copied from.
"""

import atexit
import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np

from gan_core.data.image_sources import SOURCES, by_hand, find_file, load_npz
from gan_core.foundations.files import cache_folder, keras_folder, whole_file
from gan_core.foundations.hyperparameters import ConfigError, shorten
from gan_core.foundations.lazy_imports import keras

STALL_SECONDS = 30  # without a single new byte
START_SECONDS = 90  # until the first: importing TensorFlow from a slow disk takes a while
START_BYTES = 10_000  # Keras writes its settings, which are smaller, before it loads anything
MOST_SECONDS = 600
TICK_SECONDS = 0.2
ORPHAN_SECONDS = 3600  # temporary folders older than this are left from a process that was killed
COMMAND = (sys.executable, "-m", "gan_core.data.download")

# What Keras keeps for each set: file in the user's Keras folder -> file where Keras 3 looks for it.
_ARCHIVE = "cifar-10-batches-py-target_archive"
_FASHION = [f"{a}-{b}-ubyte.gz" for a in ("train", "t10k") for b in ("images-idx3", "labels-idx1")]
_SEEDS = {
    "mnist": {"mnist.npz": "mnist.npz"},
    "fashion_mnist": {f"fashion-mnist/{file}": f"fashion-mnist/{file}" for file in _FASHION},
    "cifar10": {"cifar-10-batches-py.tar.gz": _ARCHIVE, _ARCHIVE: _ARCHIVE},
}


@dataclass(frozen=True)
class Wanted:
    """What is fetched: its name, that of its file in our cache, and about how large it is.

    arguments: what the process is given before the file to write. check: raises ConfigError for a file that is
    something else. by_hand: the sentence that says how to do without a network.
    """

    name: str
    file: str
    megabytes: int
    by_hand: str
    arguments: tuple[str, ...]
    check: Callable[[Path], object]

    @classmethod
    def data_set(cls, name: str) -> "Wanted":
        """A known data set; raises ConfigError for an unknown name."""
        if name not in SOURCES:
            raise ConfigError(f"There is no download named {shorten(name)}; there are {', '.join(SOURCES)}.")
        return cls(
            name, f"{name}.npz", SOURCES[name].megabytes, by_hand(name), (name,), lambda path: load_npz(path, name)
        )

    @classmethod
    def single_file(cls, name: str, url: str, md5: str, megabytes: int) -> "Wanted":
        """The file at `url`, whose hash Keras checks. Its last part is its name in our cache."""
        how = f"On a machine with a network, fetch {url}, and name the file."
        return cls(name, url.rpartition("/")[2], megabytes, how, (url, md5), lambda path: None)


@dataclass(frozen=True)
class Status:
    """state: running, done or failed. bytes: what the download has put on the disk. message: a sentence."""

    state: str
    bytes: int
    message: str


class Download:
    """One download, which starts at once. Ends by itself: done, failed, stalled or over time.

    wanted: a data set by its name, or anything. command: what to start instead of Keras's loader; it is given the same
    arguments. ConfigError for an unknown name.
    """

    def __init__(self, wanted: str | Wanted, command: tuple[str, ...] | list[str] | None = None):
        self.wanted = Wanted.data_set(wanted) if isinstance(wanted, str) else wanted
        self._command = list(command or COMMAND)
        self._bytes = 0
        self._ended: Status | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"download {self.wanted.name}", daemon=True)
        atexit.register(self.cancel)
        self._thread.start()

    def status(self) -> Status:
        """Where it stands; never waits."""
        if self._ended is not None:
            return self._ended
        name, total = self.wanted.name, self.wanted.megabytes
        if self._bytes < total * 1e6:
            said = f"Downloading {name}: {self._bytes / 1e6:.1f} of about {total} MB"
        else:
            said = f"Unpacking {name}"
        return Status("running", self._bytes, said)

    def cancel(self) -> None:
        """End it, and wait until its process and its temporary folder are gone (at most 10 s)."""
        self._stop.set()
        self._thread.join(10)

    def wait(self, seconds: float) -> Status:
        """The status when it has ended, or after so many seconds."""
        self._thread.join(seconds)
        return self.status()

    def _run(self) -> None:
        """The thread's work: everything, until the temporary folder is gone."""
        reason = "the connection broke off"
        try:
            folder = cache_folder()
            folder.mkdir(parents=True, exist_ok=True)
            _remove_orphans(folder)
            with tempfile.TemporaryDirectory(prefix="download-", dir=folder, ignore_cleanup_errors=True) as work:
                reason = self._fetch(Path(work), folder / self.wanted.file)
        except OSError as error:
            reason = f"{cache_folder()} cannot be written ({error.strerror or error})"
        except ConfigError:
            reason = "the file that arrived is not the data set"
        finally:
            if reason:
                message = f"{self.wanted.name} could not be downloaded: {reason}. {self.wanted.by_hand}"
                self._ended = Status("failed", self._bytes, message)
            else:
                self._ended = Status("done", self._bytes, f"Downloaded {self.wanted.name}.")
            atexit.unregister(self.cancel)

    def _fetch(self, work: Path, target: Path) -> str:
        """Why it failed, or "" when `target` is there."""
        out = work / target.name
        with tempfile.TemporaryFile() as errors:
            process = subprocess.Popen(
                [*self._command, *self.wanted.arguments, str(out)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=errors,
                cwd=Path(__file__).parents[2],  # where `-m gan_core.data.download` is found
            )
            try:
                reason = self._watch(process, work)
            finally:
                process.kill()  # nothing happens to one that has ended
                process.wait()
            if reason:
                return reason
            if process.returncode:
                errors.seek(max(0, errors.seek(0, os.SEEK_END) - 4000))
                return _plain_words(errors.read().decode(errors="replace"), process.returncode)
        if not out.is_file():
            return "no file was written"
        self.wanted.check(out)  # only a whole file takes the place
        os.replace(out, target)
        return ""

    def _watch(self, process: subprocess.Popen, work: Path) -> str:
        """Wait until the process has ended: ""; or until it is to be ended: why."""
        began = grown = time.monotonic()
        while process.poll() is None:
            if self._stop.wait(TICK_SECONDS):
                return "it was stopped"
            now, size = time.monotonic(), _size(work)
            if size != self._bytes:
                grown, self._bytes = now, size
            patience = STALL_SECONDS if size > START_BYTES else START_SECONDS
            if now - grown > patience:
                return f"nothing arrived for {patience:g} seconds"
            if now - began > MOST_SECONDS:
                return f"it took more than {MOST_SECONDS:g} seconds"
        self._bytes = max(self._bytes, _size(work))
        return ""


def _size(folder: Path) -> int:
    """The bytes of all files in the folder."""
    total = 0
    for place, _, files in os.walk(folder):
        for file in files:
            with contextlib.suppress(OSError):  # gone between listing and asking
                total += os.lstat(os.path.join(place, file)).st_size
    return total


def _remove_orphans(folder: Path) -> None:
    """Remove what downloads of killed processes have left."""
    for left in folder.glob("download-*"):
        with contextlib.suppress(OSError):
            if left.is_dir() and time.time() - left.stat().st_mtime > ORPHAN_SECONDS:
                shutil.rmtree(left)


def _plain_words(errors: str, code: int) -> str:
    """The reason in what the process wrote before it failed."""
    lines = [line.strip() for line in errors.splitlines() if line.strip()]
    last = lines[-1] if lines else f"its process ended with code {code}"
    if "URL fetch failure on " in last:  # Keras: "URL fetch failure on {url}: {code} -- {reason}"
        url, _, why = last.split("URL fetch failure on ", 1)[1].partition(": ")
        why = why.rpartition("-- ")[2] or "no reason given"
        return f"{urlsplit(url).netloc or url} could not be reached ({shorten(why, 120).strip(chr(39))})"
    return shorten(last, 200).strip("'\"").rstrip(".")


_downloads: dict[str, Download] = {}
_lock = threading.Lock()


def get(wanted: str | Wanted, again: bool = False) -> Download:
    """This process's one download of it, started if there is none. A failed one is only started anew by `again`.

    Raises ConfigError for an unknown name.
    """
    name = wanted if isinstance(wanted, str) else wanted.name
    with _lock:
        known = _downloads.get(name)
        state = known.status().state if known else ""
        gone = state == "done" and _found(wanted) is None  # fetched once, and removed since
        if known is None or gone or (again and state == "failed"):
            known = _downloads[name] = Download(wanted)
        return known


def _found(wanted: str | Wanted) -> Path | None:
    """The file, if it is on this machine."""
    if isinstance(wanted, str):
        return find_file(wanted) if wanted in SOURCES else None
    path = cache_folder() / wanted.file
    return path if path.is_file() else None


def download(wanted: str | Wanted, say: Callable[[str], None]) -> None:
    """Fetch it and wait for it, with lines of progress; raises ConfigError with the reason if it fails."""
    if there := _found(wanted):
        say(f"{wanted if isinstance(wanted, str) else wanted.name} is already here: {there}")
        return
    job, said = get(wanted, again=True), ""
    try:
        while (status := job.wait(1.0)).state == "running":
            if status.message != said:
                say(status.message)
                said = status.message
    except BaseException:  # Ctrl+C
        job.cancel()
        raise
    if status.state == "failed":
        raise ConfigError(status.message)
    say(status.message)


# -- the process --------------------------------------------------------------------------------------------


def _end_with(parent: int) -> None:
    """End this process when the one that started it is gone, or after MOST_SECONDS."""
    began = time.monotonic()
    while os.getppid() == parent and time.monotonic() - began < MOST_SECONDS:
        time.sleep(1)
    os._exit(1)


def _load(name: str) -> tuple:
    return getattr(keras.datasets, name).load_data()


def _copy_seeds(name: str, user: Path, own: Path) -> bool:
    """Copy what Keras has of the set already; whether there was anything."""
    copied = False
    for source, target in _SEEDS[name].items():
        if (user / source).is_file():
            (own / target).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(user / source, own / target)
            copied = True
    return copied


def fetch(name: str, out: Path, load: Callable[[str], tuple] = _load) -> None:
    """Write the set's four arrays to `out`, by Keras's loader; everything else it makes, beside it, is removed."""
    user = keras_folder()
    with tempfile.TemporaryDirectory(prefix="keras-", dir=out.parent) as home:
        os.environ["KERAS_HOME"] = home  # Keras reads it when TensorFlow or Keras is first imported, and never again
        seeded = _copy_seeds(name, user, Path(home, "datasets"))
        try:
            arrays = load(name)
        except Exception as error:
            if not seeded or "URL fetch failure" in str(error):
                raise
            shutil.rmtree(Path(home, "datasets"))  # the user's copy was damaged: fetch a fresh one
            arrays = load(name)
        (x_train, y_train), (x_test, y_test) = arrays
        with whole_file(out) as file:
            np.savez(file, x_train=x_train, y_train=y_train, x_test=x_test, y_test=y_test)


def fetch_file(url: str, md5: str, out: Path) -> None:
    """Have Keras fetch one file to `out`; raises where it cannot, or where its hash is another."""
    os.replace(keras.utils.get_file(out.name, url, file_hash=md5, hash_algorithm="md5", cache_dir=out.parent), out)


def main(*arguments: str) -> None:
    *what, out = arguments
    threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
    os.environ |= {"KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""}
    if len(what) == 1:
        fetch(what[0], Path(out).absolute())
    else:
        url, md5 = what
        fetch_file(url, md5, Path(out).absolute())


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except Exception as error:
        sys.exit(f"{type(error).__name__}: {' '.join(str(error).split())}")
