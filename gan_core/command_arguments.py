"""What the arguments of a command name: settings, the user's own file, data to train on, a saved run."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gan_core.data.datasets import DATASETS
from gan_core.data.own_files import own_data, own_data_options
from gan_core.diagnosis.failures import config_named
from gan_core.foundations.hyperparameters import ConfigError, shorten
from gan_core.runs import run_folders, run_reading
from gan_core.settings.config import GANConfig, config_from_json
from gan_core.settings.recipes import RECIPES
from gan_core.settings.setting_texts import parse_assignments

if TYPE_CHECKING:
    from gan_core.data.proposal import Proposal

DEFAULT_STEPS = 2_000


def say(text: str) -> None:
    """Progress, for people."""
    print(text, file=sys.stderr, flush=True)


def read_file(path: str) -> bytes:
    """The bytes of a file; raises ConfigError."""
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}.") from None


def own(args: argparse.Namespace) -> Proposal | None:
    """What the file of --data holds, read once; None without one."""
    choices = own_data_options.choices_of(args)
    if args.data is None:
        if choices:
            raise ConfigError(f"--{next(iter(choices)).replace('_', '-')} is about a file: give --data FILE, too.")
        return None
    if getattr(args, "own", None) is None:
        args.own = own_data_options.read(args.data, choices, say)
    return args.own


def chosen_config(args: argparse.Namespace) -> tuple[GANConfig, str | None]:
    """The config of --preset or --config, with --recipe, --set and --seed applied, and the preset's name."""
    if args.preset is not None and args.config is not None:
        raise ConfigError("Give --preset or --config, not both.")
    preset = args.preset if args.config is None else None
    changes: dict[str, Any] = dict(parse_assignments(args.set))
    if args.seed is not None:
        changes["seed"] = args.seed
    given = own(args)
    data = changes.get("data") if given is None else own_data.DATA_SETS[given.kind]
    if args.config is not None:
        config = _config_in(args.config)
    elif preset is None and data in DATASETS and DATASETS[data].kind == "images":
        config = GANConfig.from_flat({"data": data})  # ring's settings are none for images
    else:
        preset = preset or "ring"
        config = config_named(preset)
    if args.recipe is not None:
        if args.recipe not in RECIPES:
            raise ConfigError(f"There is no recipe {shorten(args.recipe)}; there are: {', '.join(RECIPES)}.")
        config = RECIPES[args.recipe].of(config)
    return config.updated(changes), preset


def _config_in(path: str) -> GANConfig:
    try:
        return config_from_json(read_file(path).decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise ConfigError(f"{path} is not UTF-8 text.") from None


def fetched(load: Callable[[], Any]) -> Any:
    """What `load` gives, after a download if that is what it needs."""
    from gan_core.data import image_sources
    from gan_core.data.download import download

    try:
        return load()
    except image_sources.MissingFile as missing:
        download(missing.name, say)
        return load()


def data_of(config: GANConfig, args: argparse.Namespace) -> tuple[GANConfig, Any, Any]:
    """The config, its data, and what the user's file holds where there is one."""
    given, upload = own(args), None
    if given is not None:
        upload = given.data
        config = config.updated({"data": own_data.DATA_SETS[given.kind]})
    elif DATASETS[config.data].upload:
        raise ConfigError(f"The data set {config.data} needs --data FILE: {DATASETS[config.data].description}.")
    return config, loaded(config, upload), upload


def loaded(config: GANConfig, upload: Any) -> Any:
    """The data to train on, if the memory is enough for that."""
    from gan_core.data import loading
    from gan_core.networks.cost import check_memory

    shape, _ = loading.extent(config, upload)
    check_memory(config, shape, data=loading.training_bytes([config], upload))  # before it is loaded
    return fetched(lambda: loading.load(config, upload))


def limits(args: argparse.Namespace) -> tuple[int | None, float | None]:
    """(--steps, --seconds), with DEFAULT_STEPS where neither is given."""
    return (DEFAULT_STEPS if args.steps is args.seconds is None else args.steps), args.seconds


def found_run(name: str, args: argparse.Namespace) -> Path | None:
    """The folder of the saved run that is called `name`, or that is there."""
    return next((f for f in (Path(name), run_folders.runs_folder(args.runs_dir) / name) if run_reading.is_run(f)), None)
