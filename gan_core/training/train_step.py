"""The compiled training step of a GAN: what one step does, and many of them in one call.

The whole state of a run is one nest of tensors, `state`, that goes into the compiled function and comes out
changed. Nothing is assigned anywhere, so a state that somebody holds never changes: a checkpoint is a
reference, compiling in another thread has no side effect, and looking never changes training.

Every random draw is a function of (seed, step, purpose), so a run does not depend on how its steps are
grouped into calls.
"""

from typing import Any

from gan_core.foundations.lazy_imports import tf
from gan_core.networks import keras_models
from gan_core.objectives.schedules import SCHEDULES
from gan_core.settings.config import GANConfig
from gan_core.training import compilation
from gan_core.training.batches import pack
from gan_core.training.devices import Devices
from gan_core.training.updates import D_PARTS, State, Updates

# The columns of a history row, one row a step. d_loss is without the penalty; accuracies are fractions of the
# last discriminator batch, before its update; d_gradient and g_gradient are the norms of the whole gradients, before
# they are clipped.
COLUMNS = ("g_loss", "d_loss", "penalty", "real_accuracy", "fake_accuracy", "d_gradient", "g_gradient")
ROWS = 1024  # rows that one call can return, so its most steps


class TrainStep(Updates):
    """The compiled functions for one structure (`compile_key`, the data's shape, the classes); holds no weights.

    path: how a step is run, one of PATHS; None for a graph, which XLA follows where `paths` says so (`change`).
    classes: how many both networks are told, 0 without. models: those of another program of the same structure, to
    share.
    strategy: a tf.distribute strategy over several devices, each of which takes its part of every batch; None where no
    path is asked for: over all GPUs, if there are several.
    """

    def __init__(
        self,
        config: GANConfig,
        data_shape: tuple[int, ...],
        path: str | None = None,
        classes: int = 0,
        models: tuple | None = None,
        strategy: Any = None,
    ):
        shape = tuple(data_shape[1:])
        self.path = path or "graph"
        if path is strategy is None:
            strategy = compilation.several_devices(config, shape)
        models = models or keras_models.build(config, shape, 0, classes)
        xla = self.path == "xla"
        super().__init__(config, shape, classes, models, Devices(strategy), xla)
        self.traces = 0
        self.train = tf.function(self._train, jit_compile=xla, autograph=False)
        # An update by itself, with all that can be seen of it on the way: what dissection.py shows of a step.
        self.dissect_d = tf.function(self._devices.everywhere(self._update_d), jit_compile=xla, autograph=False)
        self.dissect_g = tf.function(self._devices.everywhere(self._dissect_g), jit_compile=xla, autograph=False)
        self.change: compilation.Change | None = None
        if path is None and strategy is None and compilation.first_steps(config, shape):
            both = (self.generator, self.discriminator)
            self.change = compilation.Change(self, lambda: TrainStep(config, data_shape, "xla", classes, both))
        self.generate = tf.function(
            lambda g, extra, z, y: self._fake(g, extra, z, y)[0], autograph=False, reduce_retracing=True
        )
        self.discriminate = tf.function(
            lambda d, extra, x, y: self._judge(d, extra, x, y)[0], autograph=False, reduce_retracing=True
        )
        self.push = tf.function(self._push, autograph=False, reduce_retracing=True)

    @property
    def devices(self) -> int:
        """How many share each batch."""
        return self._devices.count

    @property
    def label(self) -> str:
        """How a step is run, in words."""
        devices = self.devices
        alone = " (XLA could not compile it)" if self.change is not None and self.change.failed else ""
        return compilation.PATHS[self.path] + (f" on {devices} devices" if devices > 1 else alone)

    def initial_state(self, seed: int) -> State:
        """The state at step 0; the same seed gives the same weights.

        `g`, `d`: the trainable weights; `g_extra`, `d_extra`: what else the layers keep (batch statistics, the
        power iteration's vectors, dropout's counter); `ema`, `ema_extra`: the averaged generator. `augment`: where the
        augmentation adapts, its probability and what it goes by.
        """
        models = keras_models.build(self.config, self.shape, 1000 * (seed % 2_000_000), self.classes)
        state: State = {"step": tf.constant(0), "d_row": tf.zeros([len(COLUMNS) - 2])}
        for side, model in zip("gd", models, strict=True):
            state[side] = [tf.convert_to_tensor(v) for v in model.trainable_variables]
            state[f"{side}_extra"] = [tf.convert_to_tensor(v) for v in model.non_trainable_variables]
            state[f"{side}_opt"] = self._slots(side, state[side])
        if self.augmentation.adapt:
            state["augment"] = {"p": tf.zeros([]), "r": tf.zeros([])}
        return state | {"ema": list(state["g"]), "ema_extra": list(state["g_extra"])}

    def live(self, config: GANConfig) -> dict[str, Any]:
        """The live settings as tensors: their values may change between calls, and nothing is traced again."""
        rates = [getattr(config, name) for name in self.rates]
        counts = [config.d_steps, config.g_steps, list(SCHEDULES).index(config.schedule)]
        return {"rates": tf.constant(rates, tf.float32), "counts": tf.constant(counts)}

    def _step(self, state: State, data, live, seed):
        """A round starts every g_steps steps, with d_steps discriminator updates, which may be 0."""
        d_steps, g_steps = live["counts"][0], live["counts"][1]
        updates = tf.where(state["step"] % g_steps == 0, d_steps, 0)
        # Only the discriminator's part goes through the inner loop: XLA copies what a loop carries.
        parts = [name for name in D_PARTS if name in state]
        rest = {name: value for name, value in state.items() if name not in parts}
        update_d = self._devices.everywhere(lambda *given: self._update_d(*given)[0])
        update_g = self._devices.everywhere(lambda *given: self._update_g(*given)[:2])

        def body(update, own):
            own = update_d({**rest, **own}, data, live, seed, update)
            return update + 1, {name: own[name] for name in parts}

        start = (tf.constant(0), {name: state[name] for name in parts})
        _, own = tf.while_loop(lambda update, _: update < updates, body, start)
        return update_g({**rest, **own}, data, live, seed)

    def _dissect_g(self, state: State, data, live, seed):
        return self._update_g(state, data, live, seed, at_samples=True)

    def _train(self, state: State, data, live, seed, n):
        """n steps (n <= ROWS, an int32 tensor) -> (state, rows float32 [ROWS, len(COLUMNS)], finite bool [2]).

        finite: whether all weights of the generator and of the discriminator are; told here, for reading the weights
        to find out would copy all of them from a GPU.
        """
        self.traces += 1

        def body(i, s, rows):
            s, row = self._step(s, data, live, seed)
            return i + 1, s, tf.tensor_scatter_nd_update(rows, [[i]], [row])

        rows = tf.zeros([ROWS, len(COLUMNS)])
        _, state, rows = tf.while_loop(lambda i, s, r: i < n, body, (tf.constant(0), state, rows))
        finite = [tf.reduce_all([tf.reduce_all(tf.math.is_finite(w)) for w in state[side]]) for side in "gd"]
        return state, rows, tf.stack(finite)

    def _push(self, g, g_extra, d, d_extra, real, z, live):
        """Where the generator's loss pushes its samples: (samples [n, ...], -d loss / d sample [n, ...])."""
        fake, _ = self._fake(g, g_extra, z, None)
        real_logits, _ = self._judge(d, d_extra, pack(real, self.config.packing), None)
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(fake)
            logits, _ = self._judge(d, d_extra, pack(fake, self.config.packing), None)
            loss = self._g_loss(real_logits, logits, self.named_live(live))
        return fake, -tape.gradient(loss, fake)

    def layers(self) -> list[dict[str, Any]]:
        """A row for each layer: network, layer, output shape, parameters."""
        return keras_models.layers(self.generator) + keras_models.layers(self.discriminator)
