"""Trials on the nodes of a cluster: each is a call of one function there, whose process stays warm for the next."""

from __future__ import annotations

import contextlib
import itertools
from typing import Any

from gan_core.data import loading
from gan_core.foundations.cluster import NO_ROOM, Cluster, Need, check, node_here
from gan_core.foundations.hyperparameters import ConfigError
from gan_core.foundations.lazy_imports import tf
from gan_core.foundations.machine import own_variables, thread_variables, worker_gpus
from gan_core.foundations.remote_process import Lost
from gan_core.networks.cost import step_memory
from gan_core.settings.config import GANConfig
from gan_core.sweeps.processes import Job
from gan_core.sweeps.space import Trial
from gan_core.sweeps.training import REFUSED, Outcome, Trainings, outcome_without_training

ROUND_BYTES = 250_000_000  # trials of one size are called by the same warm processes
AHEAD = 2  # calls that wait for each place: none stands still while this process writes


def connected(address: str, base: GANConfig, upload: Any = None, most: int | None = None) -> ClusterTrials:
    """The executor of the cluster there, one core a trial; raises ConfigError. The arguments are ClusterTrials'."""
    check(address)
    cluster = Cluster(address, {**own_variables(), **thread_variables(1), "TF_CPP_MIN_LOG_LEVEL": "3"})
    try:
        return ClusterTrials(cluster, base, upload, most)
    except ConfigError:
        cluster.close()
        raise


def need_of(config: GANConfig, upload: Any = None) -> Need:
    """What a training of these settings takes of a node, by our own estimate."""
    shape, _ = loading.extent(config, upload)
    memory = step_memory(config, shape) + loading.training_bytes([config], upload)
    return Need(1, worker_gpus(), -(-memory // ROUND_BYTES) * ROUND_BYTES)


class ClusterTrials:
    """An Executor on a cluster. most: trials at once; as many as find room where None."""

    def __init__(self, cluster: Cluster, base: GANConfig, upload: Any = None, most: int | None = None):
        self._cluster, self._upload, self._most = cluster, upload, most
        self._need = need_of(base, upload)
        cluster.check_room(self._need)
        self._shared = cluster.share(upload)
        self._calls: dict[Any, Job] = {}
        self._nodes = cluster.nodes()
        self._refused: list[tuple[Any, Any]] = []
        self._turns = itertools.count()

    @property
    def places(self) -> int:
        """How many trials the cluster has room for, by its nodes of a moment ago."""
        total = sum(self._need.times_in(node) for node in self._nodes)
        return total if self._most is None else min(self._most, total)

    @property
    def free(self) -> int:
        """How many trials could be handed over now."""
        ahead = 1 if self._most is not None else AHEAD
        return max(
            0, max(1, self.places) * ahead - len(self._calls) - len(self._refused)
        )  # a node that died leaves calls behind

    def start(self, trial: Job) -> None:
        """Has a trial trained; one that no node could take is an outcome that says so (a ConfigError for others)."""
        need = self._need
        with contextlib.suppress(ConfigError):  # settings that are refused, which the outcome says
            need = need_of(GANConfig.from_flat(trial.config), self._upload)
        if not any(need.times_in(node) for node in self._nodes):
            refusal = NO_ROOM.format(need.sentence())
            if not isinstance(trial, Trial):
                raise ConfigError(refusal)
            self._refused.append((trial, outcome_without_training(trial, REFUSED, refusal)))
            return
        self._calls[self._cluster.submit(_done, trial, self._shared, need=need)] = trial

    def finished(self, seconds: float) -> list[tuple[Any, Any]]:
        """(trial, outcome) of those that have ended, after at most so many seconds; None where the node or the process
        was lost."""
        self._cluster.check_head()
        if next(self._turns) % 20 == 0 and self._cluster.answers():  # nodes come and go
            self._nodes = self._cluster.nodes() or self._nodes
        if self._refused:
            refused, self._refused = self._refused, []
            return refused
        ended = self._cluster.finished(list(self._calls), seconds)
        return [(self._calls.pop(call), None if isinstance(found, Lost) else found) for call, found in ended]

    def close(self) -> None:
        """Ends all, at once."""
        if self._cluster.answers():
            self._cluster.cancel(list(self._calls))
        self._calls.clear()
        self._cluster.close()


_trainings: Trainings | None = None


def _done(trial: Job, upload: Any) -> Any:
    """On a node: its outcome, beside what its process has kept from the trials before."""
    global _trainings
    if _trainings is None:
        from gan_core import plugins

        problems = plugins.load(checked=False)  # whoever sent it has tried them
        if problems:
            raise RuntimeError(problems[0])
        tf.__version__  # noqa: B018  (where it is missing, no trial can be trained: that is no row's fault)
        _trainings = Trainings(upload)
    outcome = trial.done_by(_trainings)
    if isinstance(outcome, Outcome):
        outcome.row["node"]["id"] = node_here()  # machines may share a name
    return outcome
