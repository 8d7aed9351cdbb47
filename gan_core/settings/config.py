"""`GANConfig`: every setting of a run, its range and its help, and its way to JSON, URL and command line."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from gan_core.data.datasets import DATASETS
from gan_core.foundations.hyperparameters import ConfigError, Hyperparameter
from gan_core.networks.architectures import ARCHITECTURES
from gan_core.settings.all_settings import CARRIED, HYPERPARAMETERS, LIVE_FIELDS
from gan_core.settings.common_settings import CommonSettings
from gan_core.settings.setting_texts import DATA_PREFIX, text, unknown_setting

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


@dataclass(frozen=True, init=False)
class GANConfig(CommonSettings):
    """Every setting of a run. Frozen: a changed setting is a new config (`replace`).

    The fields are what all runs have, and the choices from registries. What only some rows of a registry have, such as
    `g_layers` or `gp_weight`, the row itself brings (`row.knobs`): those settings are read as attributes, given by name
    and replaced like the others, and keep their values while another row is chosen.

    Construct it through `from_flat`, which checks ranges.
    """

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


IMAGES_ONLY = ("conditional", "augment")


def refused(c: GANConfig) -> list[tuple[str, str]]:
    """(the setting to take back, why) for each combination that cannot work: in general, and by the chosen rows."""
    found = []
    if c.batch_size % c.packing:
        why = f"The batch size ({c.batch_size}) must be a multiple of packing ({c.packing}). Change one of them."
        found.append(("packing", why))
    elif c.packing > 1 and c.conditional:
        why = f"Packing ({c.packing}) does not work with conditional training. Switch one of them off."
        found.append(("packing", why))
    if c.d_steps == c.g_steps == 0:
        why = "d_steps and g_steps cannot both be 0: one of the networks must learn. Set one of them to 1 or more."
        found.append(("d_steps", why))
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
