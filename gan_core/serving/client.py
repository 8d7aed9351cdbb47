"""The server's side of a run: start a worker process, talk to it, make sure that it ends."""

import logging
import time
from concurrent.futures import Future
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from gan_core.data import loading
from gan_core.data.datasets import DATASETS
from gan_core.data.own_files import uploads
from gan_core.data.pictures import Pictures
from gan_core.data.points import Data
from gan_core.foundations.hyperparameters import ConfigError
from gan_core.recording.snapshot import Snapshot, View
from gan_core.runs.run_reading import Saved, is_run
from gan_core.serving.recorded_past import RecordedPast
from gan_core.serving.run_origins import Dropped, Source, where_a_race_goes_on
from gan_core.serving.run_transport import Transport
from gan_core.serving.worker_process import NOT_SAVED, WorkerProcess
from gan_core.settings.config import GANConfig, same_structure, with_live_fields

ASK_AGAIN_SECONDS = 3.0

_LOGGER = logging.getLogger(__name__)


class Run(Transport):
    """A run as the page knows it: its config, its data, and (from the first Play on) its worker.

    All methods return at once, but for `poll`, which waits as long as it is told.
    """

    def __init__(self, config: GANConfig, upload: Any = None):
        self.configs = (config,)  # several are a race: the worker trains them in lock-step
        self.upload = upload
        self.sources: tuple[Source, ...] = ()  # the saved runs that it goes on from, one for each config; or none
        self.autosave: dict[str, Any] | None = None  # {folders, owner} to be kept in, a folder for each config
        super().__init__()
        self.ended = ""  # why the worker is gone, for the page
        self.judge = 0  # the number of the samples that frames are to bring besides (View.judge), whoever asks for them
        # What the run is to reach, and when that is looked at (View.goal, goal_every, goal_last); or ("", 0, 0).
        self.goal: tuple[str, int, int] = ("", 0, 0)
        self.dropped: Dropped | None = None  # what the last new start took the place of
        self._restores: int | None = None  # the generation whose recording the present one goes on from
        self._generation = 1
        self._asked_at = 0.0
        self._taken = 0  # id of the last answer that was taken
        self._view: View | None = None
        self._data: Data | Pictures | None = None
        self._past: RecordedPast | None = None  # of the saved run that was opened, until its process has answered

    # -- data ---------------------------------------------------------------------------------------------

    @property
    def config(self) -> GANConfig:
        """The settings; of the first where several race."""
        return self.configs[0]

    @property
    def data(self) -> Data | Pictures:
        """The data of the run's config."""
        with self._lock:
            moment = self._data, self._generation, self.config, self.upload
        return self._loaded(*moment)

    def _loaded(self, kept: Any, generation: int, config: GANConfig, upload: Any) -> Data | Pictures:
        """The data of one moment of the run. Loading takes long, and the run may meanwhile have become another one,
        whose data these are not: it keeps them only if it has not."""
        data = loading.load(config, upload) if kept is None else kept
        with self._lock:
            if generation == self._generation:
                self._data = data
        return data

    # -- settings -----------------------------------------------------------------------------------------

    @property
    def step(self) -> int:
        """Steps taken, as far as the last answer tells, or the saved run that was opened."""
        past, step = self._past, self._last.get("step")
        return int(step) if step is not None else past.step if past is not None else 0

    @property
    def recorded(self) -> bool:
        """Whether all that it shows is in the files that it was opened from: no process has answered yet."""
        return self._past is not None

    @property
    def folder(self) -> Path | None:
        """The saved run that it still is, from beginning to end; None once its process has answered."""
        past = self._past
        return None if past is None else past.folder

    @property
    def generation(self) -> int:
        """Counts the runs that this one has been: a reset, another structure and another worker begin the next."""
        return self._generation

    @property
    def busy(self) -> bool:
        """Whether it trains, or is about to."""
        return self.wants_play or self._stepping

    def can_go_on_as(self, config: GANConfig, upload: Any) -> bool:
        """Whether `config` needs no new start."""
        return same_structure(self.config, config) and (
            not DATASETS[config.data].upload or uploads.same(upload, self.upload)
        )

    def configure(self, config: GANConfig, upload: Any = None, restart: bool = False) -> None:
        """Takes a config: live changes act on the run; others, and `restart`, build a new generation."""
        uploads.name_of(upload)  # may take a second, and is known from then on: not under the lock
        with self._lock:
            again = restart or not self.can_go_on_as(config, upload)
            if not again and config == self.config:
                return
            if again:
                self._anew((config,), upload)
            else:
                self.configs = (config,)
                self._command()
            self._send_config()

    def _anew(self, configs: tuple[GANConfig, ...], upload: Any, sources: tuple[Source, ...] = ()) -> None:
        """Another generation: whatever the worker still says of the one before is not taken."""
        if self.worker is not None and self._last.get("step", 0) > 0:
            kept = (self.configs, self.upload, self.sources, self.autosave)
            self.dropped = Dropped(self._generation, self.step, *kept)
        self._restores = None
        self._generation += 1
        self._last, self._data = {}, None
        self.configs, self.sources, self.autosave = configs, sources, None
        self._past = RecordedPast(sources) if sources else None
        self.upload = upload if DATASETS[configs[0].data].upload else None
        self._command()

    def race(self, configs: tuple[GANConfig, ...], upload: Any = None) -> None:
        """Starts over with several settings that differ in some knobs, standing still at step 0."""
        self.pause()
        with self._lock:
            self._anew(configs, upload)
            self._send_config()

    def open(self, saved: Saved, upload: Any, step: int | None = None) -> None:
        """Goes on from a saved run, standing still: where it ended, or as a branch from its checkpoint `step`.

        upload: `run_reading.upload_of(saved)`. Raises ConfigError where there is no such checkpoint.
        """
        config = saved.config
        if step is not None:
            if step not in saved.checkpoints:
                raise ConfigError(f"{saved.name} has no checkpoint at step {step:,}.")
            config = saved.checkpoints[step]
        self.pause()
        with self._lock:
            self._anew((config,), upload, (Source(saved.folder, step, step is not None),))
            self._send_config()

    def open_race(self, racers: list[Saved], upload: Any) -> None:
        """Goes on with an autosaved race, standing still where all its runs last stood together. Raises ConfigError."""
        configs, sources = where_a_race_goes_on(racers)
        self.pause()
        with self._lock:
            self._anew(configs, upload, sources)
            self._send_config()

    def undo(self) -> None:
        """Brings `dropped` back, standing still where it stood; the present run, if it has steps, takes its place."""
        back = self.dropped
        if back is None:
            return
        self.pause()
        with self._lock:
            self._anew(back.configs, back.upload, back.sources)
            if self.dropped is back:  # there were no steps to keep
                self.dropped = None
            self.autosave, self._restores, self._past = back.autosave, back.generation, None
            self._send_config()

    def configure_live(self, config: GANConfig) -> None:
        """Takes only the live settings of `config`."""
        self.configure(with_live_fields(self.config, config), self.upload)

    def _send_config(self) -> None:
        if self.worker is not None:
            sources = [asdict(source) for source in self.sources]
            body = {"flats": [c.to_flat() for c in self.configs], "upload": self.upload, "sources": sources}
            body |= {"restores": self._restores, "keeps": self.dropped and self.dropped.generation}
            self.worker.send("configure", {**body, "generation": self._generation, "autosave": self.autosave})

    # -- keeping ------------------------------------------------------------------------------------------

    def keep(self, folders: list[Path] | None, owner: str = "") -> None:
        """Autosaves into `folders`, one for each config, from now on, for `owner` to take up; None: no more."""
        wanted = None if folders is None else {"folders": [str(folder) for folder in folders], "owner": owner}
        with self._lock:
            if wanted != self.autosave:
                self.autosave = wanted
                self._send_config()

    def save(self, folders: list[Path], note: str = "", owner: str = "") -> "Future[list[Path]]":
        """Has the worker write each of its runs into a new folder, or where the name is taken under the next free one.

        owner: the account that they belong to, as a hash; "" where nobody signs in. The future's result is the folders
        that it took; a ConfigError says why there are none.
        """
        worker = self.worker
        if worker is not None:
            return worker.save(folders, note, owner)
        past = self._past
        if past is not None and past.folder is not None:
            return past.save(folders, owner)
        save: Future[list[Path]] = Future()
        save.set_exception(ConfigError(NOT_SAVED))
        return save

    # -- transport ----------------------------------------------------------------------------------------

    def attach(self, worker: WorkerProcess) -> None:
        """Gives the run a worker, which starts from step 0, or where the saved run stood that it goes on from."""
        with self._lock:
            self.worker, self.ended, self._last = worker, "", {}
            self.dropped = self._restores = None  # another process remembers nothing
            self._past = RecordedPast(self.sources) if self.sources else None
            self._generation += 1
            self._send_config()
            worker.send("speed", self.speed)
            worker.send("slow", self.slow)
            worker.send("breakpoints", self.breakpoints)

    def reset(self, config: GANConfig, upload: Any) -> None:
        """Back to step 0 of `config`, standing still."""
        self.pause()
        self.configure(config, upload, restart=True)

    def end(self, why: str) -> None:
        """Ends the worker; the settings stay."""
        with self._lock:
            worker, self.worker = self.worker, None
            self.dropped = None
            self.ended, self.wants_play, self._stepping = why, False, False
        if worker is not None:
            worker.end()

    def afterwards(self) -> str:
        """What the user can do once the worker is gone."""
        written = self.autosave is not None and all(is_run(Path(folder)) for folder in self.autosave["folders"])
        kept = ", or continue the autosaved run" if written else ""
        return f"Your settings are kept. Press Play to start again from step 0{kept}."

    # -- frames -------------------------------------------------------------------------------------------

    def poll(self, view: View, timeout: float = 0.1) -> Snapshot:
        """Asks for a snapshot and waits at most `timeout` seconds; a busy worker leaves the last one standing."""
        worker = self.worker
        if view != self._view:
            self._view = view
            self._command()
        if worker is not None and worker.state == "warm":
            with self._lock:
                answered = worker.answer is not None and worker.answer["id"] >= self._asked
                # An answer that failed on its way must not end the conversation.
                if answered or time.monotonic() > self._asked_at + ASK_AGAIN_SECONDS:
                    self._asked += 1
                    self._asked_at = time.monotonic()
                    goal, every, last = self.goal
                    asked = replace(view, judge=self.judge, goal=goal, goal_every=every, goal_last=last)
                    worker.send("frame", {"id": self._asked, "view": asked})
            answer = worker.wait_answer(self._asked - 1, timeout)
            with self._lock:
                self._take(answer)
        if worker is not None and worker.state == "gone":
            often = "If it happens again, use a smaller network or batch."
            self.end(f"Training stopped unexpectedly ({worker.reason}). {self.afterwards()} {often}")
        return self.snapshot()

    def refresh(self, seconds: float) -> Snapshot:
        """The last known state; if nobody has asked for `seconds`, the worker is asked again for the same view."""
        view = self._view
        if view is not None and time.monotonic() - self._asked_at > seconds:
            return self.poll(view, 0.05)
        return self.snapshot()

    def _take(self, answer: dict[str, Any] | None) -> None:
        if answer is None or answer["id"] <= self._taken:
            return
        self._taken = answer["id"]
        if answer["generation"] != self._generation:
            return  # a late frame of a run that was thrown away
        trainings = answer["trainings"]
        self._last = {**answer, **(trainings[0] if trainings else {})}
        if trainings:
            self._past = None
            self._last["step"] = max(each["step"] for each in trainings)  # of a race, one that diverged stands still
        if answer["id"] > self._said:
            if answer["error"] or answer.get("breakpoint"):
                self.wants_play = self._stepping = False
            elif not answer["pending"]:
                self._stepping = False

    def snapshot(self) -> Snapshot:
        """The last known state, without asking: settings, data and frames of one moment."""
        with self._lock:
            last, configs, status, error = self._last, self.configs, self._status(), self.ended
            moment = self._data, self._generation, configs[0], self.upload
            past, view = self._past, self._view or View()
        if past is not None:  # not under the lock: it may have to read
            last = past.look(view) if not last else {**past.look(view), "error": last.get("error")}
        return Snapshot(
            configs[0],
            self._loaded(*moment),
            status,
            step=int(last.get("step", 0)),
            steps_per_second=last.get("steps_per_second", 0.0),
            error=error or last.get("error"),
            frame=last,
            trainings=tuple(last.get("trainings", ())),
            configs=configs,
        )

    def _status(self) -> str:
        worker, last = self.worker, self._last
        if worker is None:
            return "ended" if self.ended else "idle" if self._past is None else "paused"
        if worker.state == "starting":
            return "warming"
        if not (self.wants_play or self._stepping):
            return "paused" if "step" in last and self._taken > self._said else "loading"
        if not last.get("ready"):
            return "compiling"
        return "playing" if self.wants_play else "stepping"
