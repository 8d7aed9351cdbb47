"""How a step is run: the plain graph first, then what is measured to be fastest, which is kept for the next start."""

import json
import math
import os
import subprocess
import sys

import numpy as np
import pytest

from gan_core import paths
from gan_core.config import GANConfig
from gan_core.paths import PATHS
from gan_core.program import ROWS, Program
from gan_core.trainer import Diverged, Trainer
from tests.conftest import ROOT
from tests.test_trainer import data_of, same, settings

CONFIG = settings()
FIRST = 4
DCGAN = GANConfig.from_flat({"data": "digits", "architecture": "dcgan", "filters": 8})


@pytest.fixture(autouse=True)
def cache(monkeypatch, tmp_path):
    monkeypatch.setenv("GANSCOPE_CACHE", str(tmp_path))
    monkeypatch.setattr(paths, "first_steps", lambda config, shape: FIRST)
    return tmp_path / "paths.json"


def remember(path):
    """As if `path` had been measured to be the fastest."""
    paths.keep(paths.kind(CONFIG, (2,)), {"path": path, "steps_per_second": {path: 1.0}, "steps_a_call": {path: 1}})


def trainer(config=CONFIG, **changes):
    return Trainer(config.updated(changes), data_of(config))


# -- what there is to choose from ---------------------------------------------------------------------------


def test_dense_networks_may_loop_in_xla_and_convolutions_may_not():
    assert paths.candidates(CONFIG) == ("graph", "xla")
    assert paths.candidates(DCGAN) == ("graph",)
    choice = Program(DCGAN, (50, 28, 28, 1)).choice
    assert choice.ready and choice.path == "graph"


def test_a_path_that_is_asked_for_is_the_only_one():
    for path in PATHS:
        program = Program(CONFIG, (CONFIG.data_size, 2), path)
        assert program.path == path and program.choice is None


def test_the_slower_the_step_the_fewer_are_taken_as_a_graph(monkeypatch):
    monkeypatch.undo()
    sizes = [CONFIG, CONFIG.updated({"g_units": 256, "d_units": 256, "batch_size": 1024})]
    small, large = (paths.first_steps(config, (2,)) for config in sizes)
    image = paths.first_steps(DCGAN.updated({"filters": 64}), (28, 28, 1))
    assert small == 2_048 > large > image >= 8
    assert all(math.log2(n).is_integer() for n in (large, image))


# -- a run --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["graph", "xla"])
def test_the_first_steps_are_a_graph_and_the_rest_what_was_measured(path):
    remember(path)
    ours = trainer()
    ours.train(FIRST)
    assert ours.program.choice.at(FIRST - 1).path == "graph"
    assert ours.at_once(9) == (9 if path == "graph" else 0)  # XLA is yet to be compiled
    ours.compile_rest()
    assert ours.at_once(9) == 9 and ours.runs.path == path
    assert np.isfinite(ours.train(3)).all() and ours.step == FIRST + 3


def test_a_run_is_the_same_however_its_steps_are_called():
    """Across the change, too; and from a checkpoint before it or behind it."""
    remember("xla")
    whole, parts = trainer(), trainer()
    rows = whole.train(10)
    other = [parts.train(n) for n in (1, 2)]
    early = parts.named()
    other += [parts.train(n) for n in (3, 1, 3)]
    assert np.array_equal(rows, np.concatenate(other)) and same(whole.state, parts.state)
    parts.restore(early)
    assert np.array_equal(parts.train(7), rows[3:]) and same(whole.state, parts.state)


def test_what_can_be_taken_at_once_ends_at_the_change():
    remember("xla")
    ours = trainer()
    assert [ours.at_once(n) for n in (1, FIRST, FIRST + 1, ROWS)] == [1, FIRST, FIRST, FIRST]


@pytest.mark.parametrize("known", [None, "xla"])
def test_who_looks_while_the_compilation_is_waited_for_sees_the_plain_path(known):
    if known:
        remember(known)
    trained = trainer()
    trained.train(FIRST)
    assert not trained.program.choice.ready and trained.at_once(5) == 0
    assert trained.runs.path == "graph"
    trained.train(1)
    assert trained.program.choice.ready and trained.runs.path == trained.program.choice.path


def test_a_divergence_behind_the_change_leaves_the_state_as_it_was():
    remember("xla")
    ours = trainer(loss="wasserstein", penalty="none", g_optimizer="sgd", d_optimizer="sgd", g_lr=0.1, d_lr=0.1)
    ours.compile()
    ours.train(FIRST - 1)
    state = ours.state
    ours.set_live(ours.config.updated({"g_lr": 1.0, "d_lr": 1.0, "d_steps": 10}))
    for _ in range(40):
        try:
            ours.train(50)
        except Diverged as diverged:
            assert diverged.step > ours.step
            break
        state = ours.state
    else:
        pytest.fail("it never diverged")
    assert ours.state is state


# -- measuring ----------------------------------------------------------------------------------------------


def test_the_fastest_is_measured_once_and_kept(cache):
    first = trainer()
    before = first.state
    first.compile()
    assert first.state is before and first.program.choice.path in ("graph", "xla")
    (row,) = json.loads(cache.read_text()).values()
    speeds = row["steps_per_second"]
    assert row["path"] == max(speeds, key=speeds.get) and set(speeds) == {"graph", "xla"}
    again = trainer()
    assert again.program.choice.path == row["path"]
    assert again.program.choice.kind == first.program.choice.kind


def test_a_slow_first_call_does_not_decide(monkeypatch):
    """A compiled program's first call takes long, and every call costs something by itself."""
    choice = Program(CONFIG, (CONFIG.data_size, 2)).choice
    choice.path, choice.programs = None, {"graph": "graph", "xla": "xla"}
    called = set()

    def seconds(call, program, n):
        first = 0.0 if program in called else 0.2
        called.add(program)
        return first + (0.0 if program == "graph" else 0.005) + n * (2e-3 if program == "graph" else 1e-3)

    monkeypatch.setattr(paths, "_seconds", seconds)
    choice.settle(lambda program, n: called.add(program))
    assert choice.path == "xla"
    assert paths.kept()[choice.kind]["steps_a_call"]["xla"] > 1


def test_a_run_that_nobody_measured_measures_at_the_change():
    ours = trainer()
    ours.train(FIRST)
    assert ours.program.choice.path is None
    ours.train(1)
    assert ours.runs.path in ("graph", "xla") and ours.step == FIRST + 1


def test_what_cannot_be_compiled_runs_as_a_graph(monkeypatch):
    remember("xla")
    ours = trainer()

    def broken(name):
        raise NotImplementedError(f"no {name} here\nand a long story")

    ours.program.choice._make = broken
    ours.compile()
    assert ours.program.choice.failed == {"xla": "no xla here"}
    ours.train(FIRST + 2)
    assert ours.runs.path == "graph" and ours.step == FIRST + 2


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"\xff", b"3", b'{"kind": 1}', b'{"kind": {"path": "magic"}}', b'{"kind": {"path": []}}'],
)
def test_a_file_that_is_not_ours_is_as_none(cache, content):
    cache.write_bytes(content)
    assert paths.kept() == {}
    remember("xla")
    assert [row["path"] for row in paths.kept().values()] == ["xla"]


def test_a_folder_that_cannot_be_written_is_no_error(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("GANSCOPE_CACHE", str(tmp_path / "file" / "folder"))
    remember("xla")
    assert paths.kept() == {}


# -- several devices ----------------------------------------------------------------------------------------

TWO_DEVICES = """
import tensorflow as tf
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
import numpy as np
from gan_core import datasets
from gan_core.config import GANConfig
from gan_core.program import Program
from gan_core.trainer import Trainer

config = GANConfig.from_flat({"data": "ring", "g_units": 8, "d_units": 8, "batch_size": 32, "d_steps": 2,
                              "g_norm": "batch", "d_norm": "spectral", "penalty": "r1", "seed": 3})
data = datasets.load(config)
strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])

def run(config, **options):
    trainer = Trainer(config, data, Program(config, data.array.shape, **options))
    return trainer.train(3), trainer

apart, trainer = run(config, strategy=strategy)
print(trainer.runs.label)
# Where both devices draw the same, a batch of 32 is one of 16 twice.
key = Program._key
def alike(self, *arguments):
    self.strategy, kept = None, self.strategy
    found = key(self, *arguments)
    self.strategy = kept
    return found
Program._key = alike
together, _ = run(config, strategy=strategy)
single, _ = run(config.updated({"batch_size": 16}), path="graph")
np.testing.assert_allclose(together, single, rtol=1e-3, atol=1e-5)
assert np.isfinite(apart).all() and abs(apart - together).max() > 1e-3
"""


def test_two_devices_share_a_batch():
    """For real: two virtual processors, in a process of its own, for devices are set up once in a process."""
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run(
        [sys.executable, "-c", TWO_DEVICES], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=200
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.strip() == "graph on 2 devices"


def test_a_batch_that_cannot_be_shared_is_refused():
    class Three:
        num_replicas_in_sync = 3

    with pytest.raises(ValueError, match="cannot be shared by 3"):
        Program(CONFIG.updated({"batch_size": 16}), (CONFIG.data_size, 2), strategy=Three())
