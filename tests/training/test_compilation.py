"""How a step is run: a plain graph first, then XLA for dense networks, by their structure and the step alone."""

import json
import math
import os
import random
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import tensorflow as tf

from gan_core.data import loading
from gan_core.foundations import lazy_imports
from gan_core.objectives.losses import LOSSES
from gan_core.objectives.optimizers import OPTIMIZERS
from gan_core.objectives.penalties import PENALTIES
from gan_core.recording import visuals
from gan_core.recording.snapshot import View
from gan_core.recording.training_run import TrainingRun
from gan_core.runs.run_writing import Content, save
from gan_core.serving.client import Run
from gan_core.serving.worker_process import WorkerProcess
from gan_core.settings.all_settings import HYPERPARAMETERS, LIVE_FIELDS
from gan_core.settings.config import GANConfig, compile_key
from gan_core.training import compilation
from gan_core.training.compilation import PATHS
from gan_core.training.train_step import ROWS, TrainStep
from gan_core.training.trainer import Diverged, Trainer
from tests.conftest import ROOT
from tests.support import forked
from tests.support.trainers import data_of, same, settings

CONFIG = settings()
FIRST = 4
DCGAN = GANConfig.from_flat({"data": "digits", "architecture": "dcgan", "filters": 8})
# Large enough for a change after 64 steps by the real rule, so that a test can cross it in seconds.
LARGE = GANConfig.from_flat(
    {"data": "ring", "data_size": 500, "g_layers": 2, "g_units": 256, "d_layers": 2, "d_units": 256, "batch_size": 512}
).updated({"loss": "relativistic", "penalty": "r1_r2", "g_lr": 1e-3, "d_lr": 1e-3})


@pytest.fixture
def early(monkeypatch):
    """The change after a few steps."""
    monkeypatch.setattr(compilation, "first_steps", lambda config, shape: FIRST)


@pytest.fixture(scope="module")
def program():
    """One that changes after a few steps, compiled, for all tests that ask for no other."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compilation, "first_steps", lambda config, shape: FIRST)
        return hurried(trainer()).program


def trainer(config=CONFIG, program=None, **changes):
    config = config.updated(changes)
    return Trainer(config, data_of(config), program)


def hurried(trainer):
    """The same, with what is to come compiled, by XLA and not given up."""
    trainer.compile()
    assert trainer.program.change.failed == ""
    return trainer


# -- the rule -----------------------------------------------------------------------------------------------


def test_dense_networks_go_through_xla_and_convolutions_never_do():
    assert compilation.lasting(CONFIG) == "xla" and trainer().program.change is not None
    program = TrainStep(DCGAN, (50, 28, 28, 1))
    assert compilation.lasting(DCGAN) == "graph" and program.change is None and program.path == "graph"
    assert compilation.first_steps(DCGAN, (28, 28, 1)) == 0
    digits = DCGAN.updated({"architecture": "mlp"})
    assert compilation.lasting(digits) == "xla" and TrainStep(digits, (50, 28, 28, 1)).change is not None


def test_a_path_that_is_asked_for_is_the_only_one():
    for path in PATHS:
        program = TrainStep(CONFIG, (CONFIG.data_size, 2), path)
        assert program.path == path and program.change is None


def test_the_slower_the_step_the_fewer_are_taken_as_a_graph():
    sizes = [CONFIG, LARGE, LARGE.updated({"batch_size": 1024, "g_layers": 5, "d_layers": 5})]
    small, large, huge = (compilation.first_steps(config, (2,)) for config in sizes)
    assert small == 4_096 > large == 64 > huge >= 8
    assert math.log2(huge).is_integer()
    unrolled = CONFIG.updated({"batch_size": 1024, "unroll": 5})
    assert compilation.first_steps(unrolled, (2,)) > 512  # and it compiles six times as long


def other_live(rng):
    """Every setting that may change while training, anywhere in its range."""
    drawn = {}
    for name in LIVE_FIELDS:
        knob = HYPERPARAMETERS[name]
        if knob.kind is bool:
            drawn[name] = rng.random() < 0.5
        elif knob.choices is not None:
            drawn[name] = rng.choice(list(knob.choices))
        elif knob.kind is int:
            drawn[name] = rng.randint(knob.low, min(knob.high, knob.low + 50))
        else:
            drawn[name] = rng.choice([s for s in knob.stops or (knob.low, knob.high) if knob.low <= s <= knob.high])
    return drawn


@pytest.mark.parametrize("config", [CONFIG, LARGE, DCGAN], ids=["small", "large", "dcgan"])
def test_what_shares_a_program_shares_its_path_and_its_change(config):
    """Whatever the live settings and the seed: programs are shared by `compile_key`."""
    rng, shape = random.Random(0), (28, 28, 1) if config is DCGAN else (2,)
    wanted = compilation.lasting(config), compilation.first_steps(config, shape)
    for seed in range(50):
        other = config.updated({**other_live(rng), "seed": seed})
        assert compile_key(other) == compile_key(config)
        assert (compilation.lasting(other), compilation.first_steps(other, shape)) == wanted


def test_nothing_of_it_is_measured_or_kept(cache, program):
    trainer(program=program).train(FIRST + 3)
    assert not cache.exists()


# -- a run --------------------------------------------------------------------------------------------------


def test_the_first_steps_are_a_graph_and_the_rest_is_xla(early):
    ours = trainer()
    ours.compile(FIRST)  # what these steps run through, and no more
    ours.train(FIRST)
    assert ours.program.change.at(FIRST - 1).path == "graph" and not ours.program.change.ready
    assert ours.at_once(9) == 0 and ours.runs.path == "graph"  # XLA is yet to be compiled
    ours.compile(FIRST + 1)
    assert ours.program.change.ready and ours.program.change.failed == ""
    assert ours.at_once(9) == 9 and ours.runs.path == "xla" and ours.runs.label == "XLA"
    assert np.isfinite(ours.train(3)).all() and ours.step == FIRST + 3


def test_a_run_that_comes_to_the_change_waits_for_its_compilation(early):
    ours = trainer()
    ours.train(FIRST + 1)
    assert ours.program.change.ready and ours.runs.path == "xla"


def test_a_run_is_the_same_however_its_steps_are_called(program):
    """Across the change, too; and from a checkpoint before it or behind it."""
    whole, parts = trainer(program=program), trainer(program=program)
    rows = whole.train(10)
    other = [parts.train(n) for n in (1, 2)]
    kept = parts.named()
    other += [parts.train(n) for n in (3, 1, 3)]
    assert np.array_equal(rows, np.concatenate(other)) and same(whole.state, parts.state)
    parts.restore(kept)
    assert np.array_equal(parts.train(7), rows[3:]) and same(whole.state, parts.state)
    assert whole.program.change.failed == ""


def test_what_can_be_taken_at_once_ends_at_the_change(early):
    ours = trainer()
    assert [ours.at_once(n) for n in (1, FIRST, FIRST + 1, ROWS)] == [1, FIRST, FIRST, FIRST]


def test_a_divergence_behind_the_change_leaves_the_state_as_it_was(early):
    ours = trainer(loss="wasserstein", penalty="none", g_optimizer="sgd", d_optimizer="sgd", g_lr=0.1, d_lr=0.1)
    hurried(ours).train(FIRST - 1)
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


def test_what_xla_cannot_compile_runs_as_a_graph_and_says_so(early, caplog):
    ours = trainer()

    def broken():
        raise NotImplementedError("no XLA here\nand a long story")

    ours.program.change._make = broken
    ours.compile()
    assert ours.program.change.failed == "no XLA here" and "no XLA here" in caplog.text
    ours.train(FIRST + 2)
    assert ours.runs.path == "graph" and ours.step == FIRST + 2
    assert ours.runs.label == "graph (XLA could not compile it)"


def test_finding_out_whether_weights_are_finite_copies_none_of_them(program, monkeypatch):
    """Out of a training call come the rows and two truth values; the weights stay where they are."""
    ours = trainer(program=program)
    copied, numpy = [], type(tf.constant(0)).numpy

    def counted(tensor):
        copied.append(tensor.shape)
        return numpy(tensor)

    monkeypatch.setattr(type(tf.constant(0)), "numpy", counted)
    for n in (FIRST, 3):
        ours.train(n)
    assert {tuple(shape) for shape in copied} == {(ROWS, 7), (2,)}


# -- the same bits, end to end ------------------------------------------------------------------------------

# Of which dense networks a random run is made; everything that keeps something between steps is among them.
CHOICES = {
    "loss": list(LOSSES),
    "penalty": list(PENALTIES),
    "g_optimizer": list(OPTIMIZERS),
    "d_optimizer": list(OPTIMIZERS),
    "g_norm": ["none", "batch"],
    "d_norm": ["none", "layer", "spectral"],
    "z_dist": ["normal", "uniform"],
    "dropout": [0.0, 0.2],
    "packing": [1, 2],
    "unroll": [0, 1],
    "g_layers": [0, 1, 2],
    "minibatch_std": [False, True],
    "batch_size": [8, 16],
}
LIVE = {
    "d_steps": [1, 2, 3],
    "g_steps": [1, 2],
    "g_lr": [1e-3, 1e-2],
    "label_noise": [0.0, 0.1],
    "instance_noise": [0.0, 0.1],
    "schedule": ["constant", "cosine"],
    "grad_clip": [0.0, 0.5],
    "weight_clip": [0.0, 0.1],
}


def random_settings(rng):
    """Settings that go together: names of both kinds are dropped until they do."""
    drawn = {name: rng.choice(values) for name, values in (CHOICES | LIVE).items()}
    drawn["seed"] = rng.randrange(2**31)
    while True:
        try:
            return settings(**drawn)
        except ValueError:
            del drawn[rng.choice([name for name in CHOICES if name in drawn])]


def pytest_generate_tests(metafunc):
    if "number" in metafunc.fixturenames:
        metafunc.parametrize("number", range(40 if metafunc.config.getoption("--full") else 2))


def test_any_run_is_the_same_however_it_is_trained_and_looked_at(number, early):
    """Random settings with a live change on the way, in random calls, with looks between them, from a checkpoint."""
    rng = random.Random(number)
    config = random_settings(rng)
    turned = config.updated({name: rng.choice(values) for name, values in LIVE.items()})
    at, steps = rng.randint(1, 7), 12  # where something is turned: before the change, at it, or behind it

    def run(groups, looks, start=0, state=None):
        ours = Trainer(config if start < at else turned, data_of(config), program)
        if state is not None:
            ours.restore(state)
        rows, kept = [], {}
        while ours.step < steps:
            if ours.step == at:
                ours.set_live(turned)
            kept[ours.step] = ours.named()
            left = (at if ours.step < at else steps) - ours.step
            rows.append(ours.train(min(left, groups())))
            if looks:
                visuals.look(ours, View(heat=True, manifold=True, arrows=True))
        return np.concatenate(rows), ours.state, kept

    program = hurried(Trainer(config, data_of(config))).program
    try:
        rows, state, _ = run(lambda: steps, looks=False)
    except Diverged:
        pytest.skip(f"these settings diverge: {config}")
    again, same_state, kept = run(lambda: rng.randint(1, 4), looks=True)
    assert np.array_equal(rows, again) and same(state, same_state), config
    step = rng.choice(list(kept))
    program = hurried(Trainer(config, data_of(config))).program  # another one, traced and compiled anew
    rest, same_state, _ = run(
        lambda: rng.randint(1, 4), True, step, {name: t.numpy() for name, t in kept[step].items()}
    )
    assert np.array_equal(rows[step:], rest) and same(state, same_state), config


def test_what_was_turned_and_reset_is_a_fresh_run():
    """So a run opened from its link shows what the page showed, whose process knew the networks from before."""
    fewer = LARGE.updated({"d_steps": 3})
    steps = compilation.first_steps(LARGE, (2,)) + 36
    fresh = hurried(Trainer(fewer, loading.load(fewer)))
    fresh.train(steps)
    wanted = fresh.samples(fresh.latent(visuals.SAMPLES), ema=fewer.show_ema)
    run = Run(LARGE)
    try:
        run.attach(WorkerProcess(LARGE))
        run.steps(3)
        poll(run, lambda s: s.step == 3)
        run.reset(fewer, None)
        run.steps(steps)
        snapshot = poll(run, lambda s: s.step == steps)
    finally:
        run.end("")
    assert snapshot.frame["path"] == "XLA"
    assert np.array_equal(snapshot.frame["samples"], wanted)


def poll(run, ready):
    """The first snapshot that is `ready`, within two minutes."""
    for _ in range(1_200):
        run.worker.send("lease")
        snapshot = run.poll(View(), 0.1)
        assert not snapshot.error
        if ready(snapshot) and snapshot.frame:
            return snapshot
        time.sleep(0.1)
    pytest.fail("waited in vain for the training process")


BRANCH = """
import sys
import numpy as np
from gan_core.data import loading
from gan_core.data import datasets
from gan_core.runs import run_restoring
from gan_core.runs import run_reading
from gan_core.training.trainer import Trainer

folder, step, steps, out = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
run = run_reading.read(folder)
config = run.checkpoints[step]
trainer = Trainer(config, loading.load(config))
run_restoring.restore(trainer, folder, step)
rows = [trainer.train(n) for n in (7, 5)]
rows += [trainer.train(steps - trainer.step)]
assert trainer.runs.path == "xla"
np.savez(out, np.concatenate(rows), **{name: t.numpy() for name, t in trainer.named().items()})
"""


def test_a_branch_repeats_its_parent_across_the_change_in_another_process(run_forked, tmp_path):
    """From a checkpoint before it, saved after something was turned on the way."""
    config = LARGE
    first = compilation.first_steps(config, (2,))
    training = TrainingRun(hurried(Trainer(config, loading.load(config))), scored=False)
    training.train(20)
    training.set_live(config.updated({"d_steps": 2, "g_lr": 2e-3}))
    training.train(first - 30)
    training.record()
    step, steps = training.trainer.step, first + 20
    save(tmp_path / "parent", Content.of(training, None, ""))
    rows = training.train(steps - step)
    assert step < first < steps
    arguments = [str(tmp_path / "parent"), str(step), str(steps), str(tmp_path / "branch.npz")]
    run_forked(BRANCH, *arguments)
    with np.load(tmp_path / "branch.npz") as file:
        branch = {name: file[name] for name in file.files}
    assert np.array_equal(rows, branch.pop("arr_0"))
    parent = training.trainer.named()
    assert branch.keys() == parent.keys()
    assert all(np.array_equal(parent[name].numpy(), array) for name, array in branch.items())


SECONDS = 240


@pytest.fixture(scope="module")
def run_forked():
    """`run_python`, without importing TensorFlow anew for each program where processes can be forked."""
    forking = forked.forking("programs")

    def run(code, *arguments):
        process = forking.start([code, *arguments], {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"})
        if process is None:
            return run_python(code, *arguments)
        try:
            process.stdin.close()
            with ThreadPoolExecutor(2) as readers:  # both at once, else a program that says much would wait for us
                said, complaints = (readers.submit(pipe.read) for pipe in (process.stdout, process.stderr))
                try:
                    status = process.wait(SECONDS)
                finally:
                    process.kill()  # then both pipes end
            assert status == 0, complaints.result().decode(errors="replace")[-2_000:]
            return said.result().decode().strip()
        finally:
            process.stdout.close()
            process.stderr.close()

    yield run
    forking.rest()


def run_python(code, *arguments):
    """What a Python program in a process of its own has printed."""
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=ROOT,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2_000:]
    return done.stdout.strip()


# -- XLA for real -------------------------------------------------------------------------------------------


# What else a dense network can be made of, all of it in a few.
LAYERS = [
    {"g_norm": "batch", "d_norm": "spectral", "dropout": 0.2, "unroll": 1, "g_activation": "swish"},
    {"g_norm": "layer", "d_norm": "layer", "d_activation": "maxout", "packing": 2, "minibatch_std": True},
    {"g_layers": 0, "d_layers": 0, "z_dist": "uniform", "g_output": "tanh"},
    {"data": "digits", "architecture": "mlp", "conditional": True, "latent_dim": 4},
]


def combinations(full):
    """Settings with every loss, penalty and optimizer at least once; with `full` with every triple of them."""
    losses, penalties, optimizers = list(LOSSES), list(PENALTIES), list(OPTIMIZERS)
    rows = [(a, penalties[i % len(penalties)], optimizers[i % len(optimizers)]) for i, a in enumerate(losses)]
    if full:
        rows = [(a, b, c) for a in losses for b in penalties for c in optimizers]
    made = [{"loss": a, "penalty": b, "g_optimizer": c, "d_optimizer": c, "gp_weight": 0.1} for a, b, c in rows]
    return [*made, *({"loss": "hinge", "penalty": "none", **layers} for layers in LAYERS)]


def test_the_short_list_has_every_loss_penalty_and_optimizer():
    for name, registry in (("loss", LOSSES), ("penalty", PENALTIES), ("g_optimizer", OPTIMIZERS)):
        assert {flat[name] for flat in combinations(False) if name in flat} == set(registry)


COMPILES = """
import json, os, sys
os.environ["XLA_FLAGS"] = "--xla_backend_optimization_level=0"  # most of the time goes there
import numpy as np
from gan_core.data import loading
from gan_core.data import datasets
from gan_core.settings.config import GANConfig
from gan_core.training.train_step import TrainStep
from gan_core.training.trainer import Trainer

small = {"data": "ring", "data_size": 64, "batch_size": 8, "g_layers": 1, "g_units": 6, "d_layers": 1, "d_units": 6}
for flat in json.loads(sys.argv[1]):
    config = GANConfig.from_flat({**small, **flat})
    trainer = Trainer(config, loading.load(config))
    trainer.compile_rest()
    assert trainer.program.change.failed == "", (flat, trainer.program.change.failed)
    trainer.program.change.first = 0
    assert np.isfinite(trainer.train(2)).all() and trainer.runs.path == "xla", flat
print("compiled")
"""


def test_every_loss_penalty_and_optimizer_compiles_in_xla(run_forked, full):
    """In processes of their own, so that XLA can be told to leave its optimizations out."""
    rows = combinations(full)
    for i in range(0, len(rows), 12):
        assert run_forked(COMPILES, json.dumps(rows[i : i + 12])) == "compiled"


# -- graphics cards -----------------------------------------------------------------------------------------


class Card:
    """A device, as TensorFlow lists them."""

    def __init__(self, name):
        self.name = name


class FakeTensorFlow:
    """TensorFlow's list of devices, and what is set up for them."""

    def __init__(self, gpus, refuses=False):
        self.gpus, self.refuses, self.told = [Card(f"GPU:{i}") for i in range(gpus)], refuses, []
        self.config = self.experimental = self.random = self
        self.distribute = self

    def list_physical_devices(self, kind):
        assert kind == "GPU"
        return self.gpus

    list_logical_devices = list_physical_devices

    def set_memory_growth(self, device, grows):
        if self.refuses:
            raise RuntimeError("Physical devices cannot be modified after being initialized")
        self.told.append((device.name, grows))

    def set_seed(self, seed):
        self.told.append("seed")

    def enable_op_determinism(self):
        self.told.append("deterministic")

    def MirroredStrategy(self, devices):
        return devices


@pytest.mark.parametrize("count", [0, 1, 3])
def test_cards_are_shared_and_computed_on_deterministically(count):
    fake = FakeTensorFlow(count)
    lazy_imports.set_up_gpus(fake)
    grown = [(f"GPU:{i}", True) for i in range(count)]
    assert fake.told == grown + ["seed", "deterministic"] * (count > 0)


def test_cards_that_are_in_use_stay_as_they_are():
    fake = FakeTensorFlow(1, refuses=True)
    lazy_imports.set_up_gpus(fake)
    assert fake.told == ["seed", "deterministic"]


LARGE_IMAGES = DCGAN.updated({"filters": 64, "batch_size": 256, "data.size": "64"})


@pytest.mark.parametrize(
    ("gpus", "config", "shape", "shared"),
    [
        (0, LARGE_IMAGES, (64, 64, 1), False),
        (1, LARGE_IMAGES, (64, 64, 1), False),
        (2, LARGE_IMAGES, (64, 64, 1), True),
        (3, LARGE_IMAGES, (64, 64, 1), False),  # 256 cannot be divided by 3
        (2, DCGAN, (28, 28, 1), False),
        (2, CONFIG, (2,), False),
        (2, LARGE.updated({"batch_size": 1024}), (2,), False),
    ],
)
def test_several_cards_share_large_convolutions_alone(monkeypatch, gpus, config, shape, shared):
    monkeypatch.setattr(compilation, "tf", FakeTensorFlow(gpus))
    found = compilation.several_devices(config, shape)
    assert found == (["GPU:0", "GPU:1"] if shared else None)


SET_UP = """
import tensorflow as tf
from gan_core.foundations import lazy_imports

class Card:
    name = "GPU:0"

grown = []
tf.config.list_physical_devices = lambda kind=None: [Card] if kind == "GPU" else []
tf.config.experimental.set_memory_growth = lambda device, on: grown.append((device, on))
lazy_imports.keras.layers  # before anything of TensorFlow was asked for
assert grown == [(Card, True)], grown

# Nothing that training does is refused then: networks with all that draws or keeps, scores, and what one looks at.
from gan_core.benchmarks import usual_loops
from gan_core.benchmarks import speed
from gan_core.scores import classifier
from gan_core.data import loading
from gan_core.data import datasets
from gan_core.recording import visuals
from gan_core.settings.config import GANConfig
from gan_core.recording.snapshot import View
from gan_core.training.trainer import Trainer

small = {"batch_size": 8, "latent_dim": 4, "filters": 8, "dropout": 0.2, "g_norm": "batch", "d_norm": "spectral"}
for architecture in ("dcgan", "dcgan_resize", "resnet", "mlp"):
    config = GANConfig.from_flat({"data": "digits", "architecture": architecture, "penalty": "none",
                                  "loss": "hinge", "instance_noise": 0.1, **small})
    trainer = Trainer(config, loading.load(config), path="graph")
    first = trainer.train(2)
    visuals.look(trainer, View())
    trainer.reset()
    assert (trainer.train(2) == first).all()
usual_loops.FunctionLoop(GANConfig.from_flat({"data": "ring", "g_units": 4, "d_units": 4}))
print("set up")
"""


def test_a_card_is_set_up_before_anything_uses_it():
    """In a process of its own, with a list of devices that names one."""
    assert run_python(SET_UP) == "set up"


TWO_DEVICES = """
import tensorflow as tf
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
import numpy as np
from gan_core.benchmarks import usual_loops
from gan_core.benchmarks import speed
from gan_core.data import loading
from gan_core.data import datasets
from gan_core.training import compilation
from gan_core.settings.config import GANConfig
from gan_core.training.devices import Devices
from gan_core.training.train_step import TrainStep
from gan_core.training.trainer import Trainer

config = GANConfig.from_flat({"data": "ring", "g_units": 8, "d_units": 8, "batch_size": 32, "d_steps": 2,
                              "g_norm": "batch", "d_norm": "spectral", "penalty": "r1", "seed": 3})
data = loading.load(config)
strategy = compilation.shared_by(tuple(device.name for device in tf.config.list_logical_devices("CPU")))

def run(config, **options):
    trainer = Trainer(config, data, TrainStep(config, data.array.shape, **options))
    return trainer.train(3), trainer

apart, trainer = run(config, strategy=strategy)
print(trainer.runs.label)
# Where both devices draw the same, a batch of 32 is one of 16 twice.
own = Devices.own
Devices.own = lambda self, seed: seed
together, _ = run(config, strategy=strategy)
single, _ = run(config.updated({"batch_size": 16}), path="graph")
np.testing.assert_allclose(together, single, rtol=1e-3, atol=1e-5)
assert np.isfinite(apart).all() and abs(apart - together).max() > 1e-3

# The benchmark of a network that two cards share: they stand for them.
Devices.own = own
logical = tf.config.list_logical_devices
tf.config.list_logical_devices = lambda kind=None: logical("CPU") if kind == "GPU" else logical(kind)
compilation.SHARED_COST = 0
images = GANConfig.from_flat({"data": "digits", "architecture": "dcgan", "filters": 8, "batch_size": 8,
                              "latent_dim": 4})
for contender in (speed.Engine(images), speed.Recorded(images)):
    assert contender.speed(0.05) > 0
    print(contender.trainer.runs.label)
"""


def test_two_devices_share_a_batch(run_forked):
    """For real: two virtual processors, in a process of its own, for devices are set up once in a process."""
    assert run_forked(TWO_DEVICES).splitlines() == ["graph on 2 devices"] * 3


def test_a_batch_that_cannot_be_shared_is_refused():
    class Three:
        num_replicas_in_sync = 3

    with pytest.raises(ValueError, match="cannot be shared by 3"):
        TrainStep(CONFIG.updated({"batch_size": 16}), (CONFIG.data_size, 2), strategy=Three())
