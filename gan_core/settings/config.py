"""`GANConfig`: every setting of a run, its range and its help, and its way to JSON, URL and command line."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import Field, dataclass, fields, replace
from typing import Any, NamedTuple

from gan_core.data.datasets import DATASETS
from gan_core.foundations.hyperparameters import ConfigError, Hyperparameter, Settings, shorten
from gan_core.networks.architectures import ARCHITECTURES
from gan_core.objectives.losses import LOSSES
from gan_core.objectives.optimizers import OPTIMIZERS
from gan_core.objectives.penalties import PENALTIES
from gan_core.objectives.schedules import SCHEDULES
from gan_core.settings.fields import choice, knob_field, learning_rate, optimizer

DATA_PREFIX = "data."

# What images start from where nothing else is said: the recipe that shows digits within a minute on two cores.
IMAGE_DEFAULTS: dict[str, Any] = {
    "data_size": 60_000,
    "architecture": "dcgan_resize",
    "g_lr": 2e-3,
    "d_lr": 2e-3,
    "latent_dim": 64,
    "g_output": "tanh",
    "g_beta_1": 0.0,
    "d_beta_1": 0.0,
    "loss": "relativistic",
    "penalty": "r1",
    "gp_weight": 1.0,
    "batch_size": 64,
    "ema_decay": 0.998,
}


def _points_only(c: Settings) -> str:
    return "" if DATASETS[c.data].kind == "images" else "points have no classes"


def _one_choice(c: Settings) -> str:
    makers = [name for name, row in ARCHITECTURES.items() if not row.images_only]
    return "" if DATASETS[c.data].kind == "images" or len(makers) > 1 else f"only {makers[0]} makes points"


def _looks_at_labels(c: Settings) -> str:
    return "" if LOSSES[c.loss].labels else f"the loss {c.loss} looks at no labels"


_WITH_LABELS = "the loss " + " or ".join(name for name, row in LOSSES.items() if row.labels)


@dataclass(frozen=True, init=False)
class GANConfig:
    """Every setting of a run. Frozen: a changed setting is a new config (`replace`).

    The fields are what all runs have, and the choices from registries. What only some rows of a registry have, such as
    `g_layers` or `gp_weight`, the row itself brings (`row.knobs`): those settings are read as attributes, given by name
    and replaced like the others, and keep their values while another row is chosen.

    Construct it through `from_flat`, which checks ranges; `data_params` holds only the parameters that the
    data set has, all of them. `own` holds what rows bring, where it is not at its default, sorted by name.
    """

    data: str = choice(
        "ring", DATASETS, "Data set", "Data", "The distribution that the generator learns. Real data are blue."
    )
    data_params: tuple[tuple[str, Any], ...] = ()
    data_size: int = knob_field(
        int,
        20_000,
        "Training samples",
        "Data",
        "How many real samples there are to learn from. With few samples the discriminator can memorize them "
        "(overfitting).",
        low=16,
        high=200_000,
        log=True,
        needs="any data but your own points",
        idle=lambda c: "all points of the file are used" if c.data == "file" else "",
    )
    g_lr: float = learning_rate(
        "Generator learning rate",
        "Step size of the generator. Too high: samples jump about or fly off. Too low: nothing moves. Usual: 1e-4 to "
        "2e-3.",
    )
    d_lr: float = learning_rate(
        "Discriminator learning rate",
        "Step size of the discriminator. Too high: it wins and the generator gets no direction. Too low: the generator "
        "chases an outdated opponent. Usual: 1e-4 to 2e-3.",
    )
    loss: str = choice(
        "non_saturating",
        LOSSES,
        "Loss",
        "Loss and penalty",
        "What each network minimizes. It decides how strong the generator's gradients are while it is still bad, and "
        "so how easily training stalls or ends in mode collapse.",
    )
    d_steps: int = knob_field(
        int,
        1,
        "Discriminator steps",
        "Learning rates",
        "Discriminator updates per round. Higher: better directions for the generator, but slower; too high, and the "
        "discriminator wins. Usual: 1, with a Wasserstein loss 5.",
        low=1,
        high=10,
        live=True,
    )
    g_steps: int = knob_field(
        int,
        1,
        "Generator steps",
        "Learning rates",
        "Generator updates per round. More than 1 lets the generator run into whatever the discriminator likes now: "
        "often mode collapse. Usual: 1.",
        low=1,
        high=10,
        live=True,
    )
    schedule: str = choice(
        "constant",
        SCHEDULES,
        "Learning rate schedule",
        "Learning rates",
        "How both learning rates change over the steps. Falling rates let the networks settle on fine detail. Too "
        "short a schedule freezes what is not learned yet.",
        live=True,
    )
    latent_dim: int = knob_field(
        int,
        2,
        "Latent dimension",
        "Generator",
        "Length of z, the generator's random input. With 1 or 2 you can see the manifold, but separate modes are hard "
        "to reach. More is easier.",
        low=1,
        high=128,
        log=True,
    )
    z_dist: str = choice(
        "normal",
        {"normal": "z from N(0, 1)", "uniform": "z uniform in [-1, 1]"},
        "z distribution",
        "Generator",
        "What z is drawn from. normal has no edges and some far values; uniform has hard edges.",
    )
    architecture: str = choice(
        "mlp",
        ARCHITECTURES,
        "Architecture",
        "Networks",
        "The kind of networks. Convolutions know that neighbouring pixels belong together; dense layers must learn it. "
        "Large ones are slow on a CPU.",
        needs="images",
        idle=_one_choice,
        quiet=True,
    )
    conditional: bool = knob_field(
        bool,
        False,
        "Conditional",
        "Networks",
        "Both networks are told the class, so you choose what is generated. Needs labelled data. With few images of "
        "each class the discriminator can memorize them (overfitting).",
        needs="images",
        idle=_points_only,
    )
    g_optimizer: str = optimizer(OPTIMIZERS, "Generator")
    d_optimizer: str = optimizer(OPTIMIZERS, "Discriminator")
    penalty: str = choice(
        "none",
        PENALTIES,
        "Gradient penalty",
        "Loss and penalty",
        "An extra loss that keeps the discriminator's gradient small or near 1. Training is more stable and keeps more "
        "modes. Without it the generator may get no useful gradient.",
    )
    weight_clip: float = knob_field(
        float,
        0.0,
        "Weight clipping",
        "Loss and penalty",
        "After each update every weight of the discriminator is cut to ± this. 0: off. The original WGAN used 0.01 to "
        "limit its gradient. Too small: it can say little.",
        stops=(0, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1),
        low=0.0,
        high=1.0,
        live=True,
    )
    unroll: int = knob_field(
        int,
        0,
        "Unrolled steps",
        "Loss and penalty",
        "The generator looks this many discriminator updates ahead (unrolled GAN), so it stops chasing one mode after "
        "another. Each takes about as long as a step. 0: off.",
        low=0,
        high=5,
    )
    packing: int = knob_field(
        int,
        1,
        "Packing",
        "Batch and seed",
        "The discriminator judges this many samples at once (PacGAN), so it notices when they are all alike. 2 is "
        "usual; more is harder to learn. The batch size must be a multiple of it.",
        low=1,
        high=4,
    )
    minibatch_std: bool = knob_field(
        bool,
        False,
        "Minibatch standard deviation",
        "Discriminator",
        "One more feature for the discriminator: how much the samples of a batch differ. It notices mode collapse, but "
        "can also win by this number alone.",
    )
    batch_size: int = knob_field(
        int,
        256,
        "Batch size",
        "Batch and seed",
        "Samples per update. Small: noisy, and may not show every mode. Large: steady and slow. Usual: 64 to 256.",
        low=8,
        high=1024,
        log=True,
    )
    label_smoothing: float = knob_field(
        float,
        0.0,
        "Label smoothing",
        "Stabilizers",
        "The label of real samples becomes 1 minus this (one-sided). A little keeps the discriminator from being too "
        "sure. Too high: it cannot tell them apart. Usual: 0 to 0.1.",
        low=0.0,
        high=0.5,
        live=True,
        needs=_WITH_LABELS,
        idle=_looks_at_labels,
    )
    label_noise: float = knob_field(
        float,
        0.0,
        "Label noise",
        "Stabilizers",
        "Every label is moved by uniform noise of ± this. A little helps against an overconfident discriminator. Too "
        "high: its signal is lost. Usual: 0 to 0.1.",
        low=0.0,
        high=0.5,
        live=True,
        needs=_WITH_LABELS,
        idle=_looks_at_labels,
    )
    instance_noise: float = knob_field(
        float,
        0.0,
        "Instance noise",
        "Stabilizers",
        "Standard deviation of noise on every sample that the discriminator sees. Some makes real and generated "
        "overlap, so that gradients exist. Too high: details stay blurred.",
        stops=(0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1),
        low=0.0,
        high=1.0,
        live=True,
    )
    instance_noise_steps: int = knob_field(
        int,
        20_000,
        "Instance noise ends at step",
        "Stabilizers",
        "Instance noise falls in a straight line to 0 at this step. Too low: it does not help. Too high: details stay "
        "blurred for long.",
        low=100,
        high=1_000_000,
        log=True,
        live=True,
        needs="instance_noise above 0",
        idle=lambda c: "" if c.instance_noise > 0 else "instance_noise is 0",
        quiet=True,
    )
    grad_clip: float = knob_field(
        float,
        0.0,
        "Gradient clipping",
        "Stabilizers",
        "Largest gradient norm of a network; larger gradients are scaled down. Stops sudden jumps. Too small: very "
        "slow. 0: off.",
        stops=(0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100),
        low=0.0,
        high=100.0,
        live=True,
    )
    ema_decay: float = knob_field(
        float,
        0.99,
        "EMA decay",
        "Stabilizers",
        "Averages the generator's weights over time (exponential moving average, EMA). Higher: steadier, slower to "
        "follow. 0: no average. Usual: 0.99 to 0.999.",
        stops=(0, 0.5, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.998, 0.999, 0.9995, 0.9998, 0.9999),
        low=0.0,
        high=0.9999,
        live=True,
    )
    show_ema: bool = knob_field(
        bool,
        True,
        "Show the averaged generator (EMA)",
        "Stabilizers",
        "On: samples and scores come from the averaged generator. Off: from the current generator, which changes with "
        "every step. Training is the same.",
        live=True,
        needs="ema_decay above 0",
        idle=lambda c: "" if c.ema_decay > 0 else "ema_decay=0 keeps no average",
    )
    seed: int = knob_field(
        int,
        0,
        "Seed",
        "Batch and seed",
        "Fixes data, initial weights and every random draw: the same seed and settings give the same run.",
        low=0,
        high=2**31 - 1,
    )
    own: tuple[tuple[str, Any], ...] = ()

    def __init__(self, own: Iterable[tuple[str, Any]] = (), **values: Any):
        brought = dict(own)
        for each in fields(self):
            if each.name != "own":
                object.__setattr__(self, each.name, values.pop(each.name, each.default))
        unknown = [name for name in values if name not in HYPERPARAMETERS]
        if unknown:
            raise TypeError(f"GANConfig has no setting {unknown[0]!r}")
        brought |= values
        usual = {name: knob.default for name, knob in HYPERPARAMETERS.items()}
        kept = ((name, value) for name, value in brought.items() if name not in usual or value != usual[name])
        object.__setattr__(self, "own", tuple(sorted(kept)))

    def __getattr__(self, name: str) -> Any:
        """The settings that rows bring; asked for only where no field has that name."""
        for brought, value in self.__dict__.get("own", ()):
            if brought == name:
                return value
        if name.startswith("__") or name not in CARRIED:
            raise AttributeError(f"GANConfig has no setting {name!r}")
        return HYPERPARAMETERS[name].default

    def params(self) -> dict[str, float]:
        """The data set's own parameters."""
        return dict(self.data_params)

    def to_flat(self) -> dict[str, Any]:
        """Every setting under its name, the data set's parameters as `data.NAME`; JSON types only."""
        flat = {name: getattr(self, name) for name in HYPERPARAMETERS}
        flat |= {DATA_PREFIX + name: value for name, value in self.data_params}
        return flat

    def to_query(self) -> dict[str, str]:
        """The settings for a URL: data and seed always, the others where they differ from the defaults."""
        base = GANConfig.from_flat({"data": self.data}).to_flat()
        return {
            name: text(value)
            for name, value in self.to_flat().items()
            if name in ("data", "seed") or value != base[name]
        }

    def updated(self, changes: Mapping[str, Any]) -> "GANConfig":
        """A config with `changes` (flat names, texts or values) applied; raises ConfigError.

        A change of `data` gives the new data set's own parameters their defaults, unless named too.
        """
        flat = self.to_flat()
        if changes.get("data", self.data) != self.data:
            flat = {name: value for name, value in flat.items() if not name.startswith(DATA_PREFIX)}
        return GANConfig.from_flat({**flat, **changes})

    @classmethod
    def from_flat(cls, flat: Mapping[str, Any]) -> "GANConfig":
        """A checked config from flat names; missing ones take their defaults. Raises ConfigError."""
        config, problems = cls.from_flat_lenient(flat)
        if problems:
            raise ConfigError(" ".join(problems))
        return config

    @classmethod
    def from_flat_lenient(cls, flat: Mapping[str, Any]) -> tuple["GANConfig", list[str]]:
        """As from_flat, but what cannot be used keeps its default and is reported in a sentence each."""
        problems: list[str] = []

        def take(name: str, knob: Hyperparameter) -> Any:
            default = defaults.get(name, knob.default)
            if name not in flat:
                return default
            try:
                return knob.check(name, flat[name])
            except ConfigError as error:
                problems.append(str(error))
                return default

        row = DATASETS.get(str(flat.get("data")))
        images = row is not None and row.kind == "images"
        defaults = IMAGE_DEFAULTS if images else {}
        values = {name: take(name, knob) for name, knob in HYPERPARAMETERS.items()}
        for name, value in ((n, values[n]) for n in IMAGES_ONLY if not images):
            if value != HYPERPARAMETERS[name].default:
                problems.append(f"{name}={value} is for images, but the data set {values['data']} has points.")
                values[name] = HYPERPARAMETERS[name].default
        if not images and ARCHITECTURES[values["architecture"]].images_only:
            problems.append(
                f"The architecture {values['architecture']} is for images, but {values['data']} has points."
            )
            values["architecture"] = "mlp"
        data_knobs = {DATA_PREFIX + name: knob for name, knob in DATASETS[values["data"]].knobs.items()}
        params = {name: take(name, knob) for name, knob in data_knobs.items()}
        values["data_params"] = tuple((name.removeprefix(DATA_PREFIX), value) for name, value in sorted(params.items()))
        for name in flat:
            if name not in HYPERPARAMETERS and name not in data_knobs:
                problems.append(unknown_setting(name, values["data"]))
        config = cls(**values)
        for name, reason in refused(config):
            problems.append(reason)
            config = replace(config, **{name: HYPERPARAMETERS[name].default})
        return config, problems


IMAGES_ONLY = ("conditional",)


class Carrier(NamedTuple):
    """A row that brings a setting: the choice that it is chosen by, its name, and the setting as it defines it."""

    choice: str
    row: str
    knob: Hyperparameter


HYPERPARAMETERS: dict[str, Hyperparameter] = {}  # every setting, by flat name, in the order of the page
CARRIED: dict[str, list[Carrier]] = {}  # those that rows bring, and which rows
LIVE_FIELDS: list[str] = []


def _brought(choice: Field) -> Iterator[tuple[str, Carrier]]:
    """(flat name, carrier) of all that the rows of a choice bring; those of data sets have a prefix of their own."""
    about = choice.metadata
    side = about.get("side", "")
    for row_name, row in {} if choice.name == "data" else about.get("registry", {}).items():
        for base, knob in getattr(row, "knobs", {}).items():
            group = {"g": "Generator", "d": "Discriminator"}.get(side, knob.group or about["knob"].group)
            yield (f"{side}_{base}" if side else base), Carrier(choice.name, row_name, replace(knob, group=group))


def collect() -> None:
    """Finds every setting anew, after rows have joined a registry; raises ConfigError where two disagree on one."""
    found: dict[str, Hyperparameter] = {}
    carried: dict[str, list[Carrier]] = {}
    of_all_runs = {each.name for each in fields(GANConfig)}
    for each in fields(GANConfig):
        if "knob" not in each.metadata:
            continue
        found[each.name] = each.metadata["knob"]
        for name, carrier in _brought(each):
            known = carried.get(name, [carrier])[0]
            elsewhere = name in of_all_runs or known.choice != carrier.choice
            if elsewhere or _same(known.knob) != _same(carrier.knob):
                what = f"The {carrier.choice} {carrier.row} brings a setting {name}"
                raise ConfigError(f"{what}, and there is another one of that name.")
            carried.setdefault(name, []).append(carrier)
            found.setdefault(name, carrier.knob)
    HYPERPARAMETERS.clear()
    HYPERPARAMETERS.update(found)
    CARRIED.clear()
    CARRIED.update(carried)
    LIVE_FIELDS[:] = [name for name, knob in HYPERPARAMETERS.items() if knob.live]


def _same(knob: Hyperparameter) -> Hyperparameter:
    """What rows that bring one setting have to agree on: all but when it acts."""
    return replace(knob, needs="", choices=None if knob.choices is None else dict(knob.choices))


def refused(c: GANConfig) -> list[tuple[str, str]]:
    """(the setting to take back, why) for each combination that cannot work: in general, and by the chosen rows."""
    found = []
    if c.batch_size % c.packing:
        why = f"The batch size ({c.batch_size}) must be a multiple of packing ({c.packing}). Change one of them."
        found.append(("packing", why))
    elif c.packing > 1 and c.conditional:
        why = f"Packing ({c.packing}) does not work with conditional training. Switch one of them off."
        found.append(("packing", why))
    if ARCHITECTURES[c.architecture].models is not None:
        found += [
            (name, f"The architecture {c.architecture} is a pair of Keras models, which {name} cannot change.")
            for name in ("packing", "minibatch_std", "conditional")
            if getattr(c, name) != HYPERPARAMETERS[name].default
        ]
    for each in fields(c):
        row = each.metadata.get("registry", {}).get(getattr(c, each.name))
        found += getattr(row, "refuses", lambda settings: [])(c)
    return found


collect()


def text(value: Any) -> str:
    """A value as a URL and a command line show it; `Hyperparameter.check` reads it back exactly."""
    return str(value).lower() if isinstance(value, bool) else f"{value!r}" if isinstance(value, float) else str(value)


def unknown_setting(name: Any, data: str) -> str:
    """The sentence for a name that no setting has."""
    if str(name).startswith(DATA_PREFIX):
        own = ", ".join(DATA_PREFIX + n for n in DATASETS[data].knobs) or "none"
        return f"The data set {data} has no setting {shorten(str(name))}; it has: {own}."
    close = [k for k in HYPERPARAMETERS if str(name).lower()[:3] == k[:3]]
    hint = f"; did you mean {' or '.join(close[:3])}?" if close else "."
    return f"There is no setting {shorten(str(name))}{hint}"


def parse_assignments(assignments: Iterable[str]) -> dict[str, str]:
    """["d_lr=1e-3", ...] -> {"d_lr": "1e-3"}; raises ConfigError for anything else."""
    changes = {}
    for item in assignments:
        name, sign, value = item.partition("=")
        if not sign or not name.strip():
            raise ConfigError(f"A setting is written NAME=VALUE, for example d_lr=1e-3; got {shorten(item)}.")
        changes[name.strip()] = value.strip()
    return changes


def config_from_json(content: str) -> GANConfig:
    """A config from the JSON text of an object of settings; raises ConfigError."""
    try:
        flat = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"The file is not valid JSON: {error}.") from None
    if not isinstance(flat, dict):
        raise ConfigError('The file must be a JSON object of settings, for example {"data": "grid"}.')
    return GANConfig.from_flat(flat)


def changed(old: GANConfig, new: GANConfig) -> dict[str, tuple[Any, Any]]:
    """{flat name: (old value, new value)} of what differs; None where a side has no such parameter."""
    a, b = old.to_flat(), new.to_flat()
    return {n: (a.get(n), b.get(n)) for n in a | b if a.get(n) != b.get(n)}


def with_live_fields(base: GANConfig, source: GANConfig) -> GANConfig:
    """`base` with the live settings of `source`."""
    return replace(base, **{name: getattr(source, name) for name in LIVE_FIELDS})


def same_structure(a: GANConfig, b: GANConfig) -> bool:
    """Whether a run of `a` can go on as `b` without starting over."""
    return with_live_fields(a, b) == b


def compile_key(config: GANConfig) -> tuple:
    """What the compiled step depends on: configs with equal keys share one compiled function."""
    skip = {*LIVE_FIELDS, "seed", "data"}
    return tuple(getattr(config, name) for name in HYPERPARAMETERS if name not in skip)
