"""The command `sweep`: what it is asked for -> all its rows, trained on this machine."""

from __future__ import annotations

import argparse
import contextlib
import signal
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gan_core.data import loading
from gan_core.data.own_files import own_data_options
from gan_core.foundations import cluster
from gan_core.foundations.files import write_whole
from gan_core.foundations.hyperparameters import ConfigError, shorten
from gan_core.foundations.machine import cores, worker_memory
from gan_core.networks.cost import step_memory
from gan_core.runs import run_folders, run_writing, unattended
from gan_core.settings.config import GANConfig
from gan_core.sweeps import cluster_trials, early_stopping
from gan_core.sweeps.map_page import map_page
from gan_core.sweeps.processes import Executor, Processes
from gan_core.sweeps.running import run
from gan_core.sweeps.space import Space, parse_space
from gan_core.sweeps.store import Store, sweeps_folder
from gan_core.sweeps.table import write_tables

MAP = "map.html"
Say = Callable[[str], None]


def begin(
    args: argparse.Namespace,
    config: GANConfig,
    upload: Any,
    limits: tuple[int | None, float | None],
    say: Say,
) -> dict[str, Any]:
    """A sweep of `config`; under a name that is there, the trials of it that are lacking. Raises ConfigError.

    upload: the user's own data. limits: steps and seconds of a trial.
    """
    stop_by = "" if args.early_stopping is None else early_stopping.checked(args.early_stopping, config, upload)
    space = parse_space(config, args.over, args.seeds, *limits, args.draws or 0, args.frames, args.looks or 0, stop_by)
    if args.save is None:
        with tempfile.TemporaryDirectory(prefix="ganscope-sweep-") as folder:
            store = Store(Path(folder))
            store.begin(space)  # nothing of it is kept
            return go_on(store, upload, args.processes, say, args.ray, kept=False)
    store = Store(sweeps_folder(args.sweeps_dir) / run_folders.checked_name(args.save))
    run_writing.check_folder(store.folder.parent)
    upload = store.begin(space, upload)
    return {"sweep": args.save, **go_on(store, upload, args.processes, say, args.ray)}


def resume(args: argparse.Namespace, say: Say) -> dict[str, Any]:
    """The sweep of --resume, to its end; raises ConfigError."""
    given = ("preset", "config", "save", "recipe", "seed", "data", "steps", "seconds", "draws", "looks")
    for name in (*given, "early_stopping", *(f"own_{name}" for name in own_data_options.OPTIONS)):
        if getattr(args, name) is not None:
            option = name.removeprefix("own_").replace("_", "-")
            raise ConfigError(f"--resume goes on with a sweep as it is: leave --{option} away.")
    if args.over or args.set or args.frames or args.seeds != 1:
        raise ConfigError("--resume goes on with a sweep as it is: leave --over, --set, --seeds and --frames away.")
    named = (Store(Path(args.resume)), Store(sweeps_folder(args.sweeps_dir) / args.resume))
    store = next((store for store in named if store.is_there()), None)
    if store is None:
        raise ConfigError(f"There is no sweep {shorten(args.resume)}.")
    return {"sweep": store.folder.name, **go_on(store, store.upload(), args.processes, say, args.ray)}


def processes_for(space: Space, upload: Any = None) -> int:
    """Trials at once: a core for each, and no more than fit into the memory that trainings may take."""
    shape, _ = loading.extent(space.base, upload)
    need = step_memory(space.base, shape) + loading.training_bytes([space.base], upload)
    return max(1, min(cores(), worker_memory() // need, len(space)))


def _executor(space: Space, upload: Any, processes: int | None, ray: str | None, say: Say) -> Executor:
    """What trains the trials: the cluster at `ray`, else processes of this machine. Raises ConfigError."""
    if ray is None:
        count = processes or processes_for(space, upload)
        say(f"{len(space):,} trials, {count} at once, each on one core.")
        return Processes(count, 1, upload)
    trials = cluster_trials.connected(ray, space.base, upload, processes)
    say(f"{len(space):,} trials on the cluster at {ray}, {trials.places:,} at once, each on one core.")
    return trials


def go_on(
    store: Store, upload: Any, processes: int | None, say: Say, ray: str | None = None, kept: bool = True
) -> dict[str, Any]:
    """Trains what a sweep lacks, and writes its tables. Raises ConfigError, and Failed where a signal ended it.

    processes: trials at once, as the machine or the cluster allows where None. ray: the address of a cluster; where
    None, GANSCOPE_RAY's, else this machine alone. kept: whether the folder stays, for the last words.
    """
    space, ray = store.space(), cluster.address_of(ray)
    with (
        cluster.quiet(),
        contextlib.closing(_executor(space, upload, processes, ray, say)) as executor,
        unattended.noted_signals() as came,
    ):
        rows = run(store, space, executor, say, lambda: bool(came))
    try:
        write_tables(rows, store.folder)
        write_whole(store.folder / MAP, map_page(store.folder.name, space, rows, store.picture).encode())
    except OSError as error:
        raise ConfigError(f"The results cannot be saved in {store.folder}: {error.strerror or error}.") from None
    if came:
        how = " The same command goes on." if kept else ""
        said = (
            f"Interrupted ({signal.Signals(came[0]).name}): {len(rows):,} of {len(space):,} trials are finished.{how}"
        )
        raise unattended.Failed(said, 128 + came[0])
    return {"config": space.base.to_flat(), "rows": rows}
