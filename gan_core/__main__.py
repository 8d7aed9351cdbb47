"""`python -m gan_core train | export | bench | presets`: GANscope on the command line.

Every command takes `--json` and then ends with exactly one JSON line on standard output; everything else goes to
standard error. Exit status: 0 for success, 2 for bad usage, 1 for a run that failed, and for one that a signal ended,
128 and its number.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from gan_core import plugins
from gan_core.data.datasets import DATASETS
from gan_core.export.exports import EXPORTS
from gan_core.foundations.hyperparameters import ConfigError, shorten
from gan_core.runs import run_folders, run_reading, run_writing, unattended
from gan_core.runs.disk_quota import room
from gan_core.runs.unattended import Failed
from gan_core.settings.combinations import doubtful
from gan_core.settings.config import (
    LIVE_FIELDS,
    GANConfig,
    changed,
    config_from_json,
    parse_assignments,
    same_structure,
)
from gan_core.settings.presets import PRESETS
from gan_core.settings.recipes import RECIPES

if TYPE_CHECKING:
    from gan_core.recording.training_run import TrainingRun
    from gan_core.runs.run_reading import Saved

DEFAULT_STEPS = 2_000
SAMPLES = 2_500  # images, or points of distances, behind the scores after a training
FLOOR_REPEATS = 3  # pairs of real draws behind their floors


class Parser(argparse.ArgumentParser):
    """Ends with status 2 and a sentence; no other exit."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}\nSee {self.prog} --help.\n")


def say(text: str) -> None:
    """Progress, for people."""
    print(text, file=sys.stderr, flush=True)


def _positive(kind: type) -> Callable[[str], Any]:
    def convert(text: str) -> Any:
        try:
            value = kind(text)
        except ValueError:
            value = 0
        if not 0 < value < 1e12:
            word = "whole number" if kind is int else "number"
            raise argparse.ArgumentTypeError(f"must be a {word} above 0, got {shorten(text)}")
        return value

    return convert


def _read(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}.") from None


def _chosen_config(args: argparse.Namespace) -> tuple[GANConfig, str | None]:
    """The config of --preset or --config, with --recipe, --set and --seed applied, and the preset's name."""
    if args.preset is not None and args.config is not None:
        raise ConfigError("Give --preset or --config, not both.")
    preset = args.preset if args.config is None else None
    changes: dict[str, Any] = dict(parse_assignments(args.set))
    if args.seed is not None:
        changes["seed"] = args.seed
    data = "picture_file" if _pictured(args.data) else changes.get("data")
    if args.config is not None:
        config = _config_in(args.config)
    elif preset is None and data in DATASETS and DATASETS[data].kind == "images":
        config = GANConfig.from_flat({"data": data})  # ring's settings are none for images
    else:
        preset = preset or "ring"
        if preset not in PRESETS:
            raise ConfigError(f"There is no preset {shorten(preset)}; there are: {', '.join(PRESETS)}.")
        config = PRESETS[preset].config
    if args.recipe is not None:
        if args.recipe not in RECIPES:
            raise ConfigError(f"There is no recipe {shorten(args.recipe)}; there are: {', '.join(RECIPES)}.")
        config = RECIPES[args.recipe].of(config)
    return config.updated(changes), preset


def _config_in(path: str) -> GANConfig:
    try:
        return config_from_json(_read(path).decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise ConfigError(f"{path} is not UTF-8 text.") from None


def _pictured(path: str | None) -> bool:
    """Whether the user's file holds pictures, by its name."""
    return path is not None and path.lower().endswith((".npz", ".zip"))


def _fetched(load: Callable[[], Any]) -> Any:
    """What `load` gives, after a download if that is what it needs."""
    from gan_core.data import image_datasets
    from gan_core.data.download import download

    try:
        return load()
    except image_datasets.MissingFile as missing:
        download(missing.name, say)
        return load()


def _data_of(config: GANConfig, path: str | None) -> tuple[GANConfig, Any, Any]:
    """The config, its data, and the user's file where there is one."""
    from gan_core.data.image_files import parse_pictures
    from gan_core.data.point_files import parse_points

    upload = None
    if path is not None:
        pictured = _pictured(path)
        upload, note = (parse_pictures if pictured else parse_points)(_read(path), Path(path).name)
        config = config.updated({"data": "picture_file" if pictured else "file"})
        if note:
            say(note)
    elif DATASETS[config.data].upload:
        raise ConfigError(f"The data set {config.data} needs --data FILE: {DATASETS[config.data].description}.")
    return config, _loaded(config, upload), upload


def _loaded(config: GANConfig, upload: Any) -> Any:
    """The data to train on, if the memory is enough for that."""
    from gan_core.data import datasets
    from gan_core.networks.cost import check_memory

    shape, _ = datasets.extent(config, upload)
    check_memory(config, shape, data=datasets.training_bytes([config], upload))  # before it is loaded
    return _fetched(lambda: datasets.load(config, upload))


def _say_doubts(config: GANConfig, args: argparse.Namespace) -> None:
    """What is known to disappoint, and what does nothing: of --set even what is at its default."""
    for sentence in doubtful(config, parse_assignments(args.set)):
        say(f"Note: {sentence}")


def _lane(config: GANConfig, data: Any, run: Saved | None = None) -> TrainingRun:
    """A compiled lane at its first step, or where the saved `run` stands, with the live settings of `config`."""
    from gan_core.recording.training_run import TrainingRun
    from gan_core.training.trainer import Trainer

    trainer, recording = Trainer(config if run is None else run.config, data), None
    if run is not None:
        recording = run_reading.restore(trainer, run.folder)
    say("Compiling ...")
    trainer.compile()
    lane = TrainingRun(trainer, recording, scored=False)
    lane.set_live(config)
    return lane


def _limits(args: argparse.Namespace) -> tuple[int | None, float | None]:
    """(--steps, --seconds), with DEFAULT_STEPS where neither is given."""
    return (DEFAULT_STEPS if args.steps is args.seconds is None else args.steps), args.seconds


def _found(name: str, args: argparse.Namespace) -> Path | None:
    """The folder of the saved run that is called `name`, or that is there."""
    return next((f for f in (Path(name), run_folders.runs_folder(args.runs_dir) / name) if run_reading.is_run(f)), None)


def _resumed(args: argparse.Namespace) -> tuple[Saved, GANConfig]:
    """The run of --resume, and its settings from now on."""
    for name in ("preset", "config", "save", "recipe", "seed", "data"):
        if getattr(args, name) is not None:
            raise ConfigError(f"--resume continues a saved run as it is: leave --{name} away.")
    folder = _found(args.resume, args)
    if folder is None:
        raise ConfigError(f"There is no saved run {shorten(args.resume)}.")
    run = run_reading.read(folder.absolute())
    config = run.config.updated(dict(parse_assignments(args.set)))
    if not same_structure(run.config, config):
        fixed = ", ".join(name for name in changed(run.config, config) if name not in LIVE_FIELDS)
        raise ConfigError(
            f"A run that is resumed cannot change {fixed}: start a new one. These settings may change: "
            f"{', '.join(LIVE_FIELDS)}."
        )
    if args.steps is args.seconds is None:
        args.steps = run.goal or None
        if args.steps is None:
            raise ConfigError(f"How far shall {shorten(args.resume)} go? Give --steps (in all) or --seconds (more).")
    if args.steps is not None and args.steps <= run.step:
        raise ConfigError(
            f"{shorten(args.resume)} is at step {run.step:,} already: give --steps above that, or --seconds."
        )
    return run, config


def train(args: argparse.Namespace) -> dict[str, Any]:
    """Trains for --steps or --seconds (of training, not of compiling) and scores the result."""
    from gan_core.scores.trainer_scores import all_scores

    run = preset = folder = None
    if args.resume is not None:
        run, config = _resumed(args)
        folder, upload = run.folder, run_reading.upload_of(run)
        data = _loaded(config, upload)
    else:
        config, preset = _chosen_config(args)
        if args.save is not None:
            folder = run_folders.runs_folder(args.runs_dir) / run_folders.checked_name(args.save)
        config, data, upload = _data_of(config, args.data)
    steps, seconds = _limits(args)
    saver = None
    if folder is not None:
        run_writing.check_folder(folder.parent)
        if run is None and folder.exists():
            raise ConfigError(f"There is a run with the name {shorten(args.save)} already: choose another.")
        nearly_full = room(folder.parent).warning()
        if nearly_full:
            say(f"Note: {nearly_full}")
        about = {"goal": steps or 0}
        if run is not None:
            about = {"goal": steps or run.goal, "owner": run.owner, "race": run.race}
        saver = unattended.Saver(folder, upload, run is None, about)
    _say_doubts(config, args)
    lane = _lane(config, data, run)
    trainer = lane.trainer
    first = trainer.step
    row, elapsed = unattended.train(lane, steps, seconds, say, saver)
    if saver is not None:
        say(f"Saved as {folder}.")
    scores = all_scores(trainer, SAMPLES, FLOOR_REPEATS, say)
    if saver is not None:
        lane.recording.scores.add(trainer.step, {**scores, "step": trainer.step})
        saver.save(lane)
    z, last = trainer.latent(16), trainer.state
    shown = trainer.samples(z, config.show_ema).astype(np.float32)
    trainer.reset()
    change = np.abs(shown - trainer.samples(z, config.show_ema)).mean()  # of 16 samples, in the data's units
    trainer.state = last
    scores |= {"g_loss": float(row[0]), "d_loss": float(row[1]), "sample_change": float(change)}
    return {
        "preset": preset,
        "config": config.to_flat(),
        "steps": trainer.step,
        "seconds": round(elapsed, 3),
        "steps_per_second": round((trainer.step - first) / max(elapsed, 1e-6), 1),
        "metrics": scores,
    }


def evaluate(args: argparse.Namespace) -> dict[str, Any]:
    """Scores a saved run, or what a config or preset makes after --steps or --seconds, in full."""
    from gan_core.scores import evaluation, trainer_scores

    for name, least in (("samples", evaluation.LEAST_SAMPLES), ("resamples", evaluation.W1_RESAMPLES)):
        if getattr(args, name) < least:
            raise ConfigError(f"--{name} must be at least {least}; got {getattr(args, name)}.")
    folder = _found(args.of, args)
    if folder is not None:
        if args.set or args.seed is not None or args.recipe or args.steps or args.seconds or args.data:
            raise ConfigError(
                f"{args.of} is a saved run: it is scored as it is, without settings, --steps, --seconds or --data."
            )
        run = run_reading.read(folder)
        config, data = run.config, _fetched(lambda: run_reading.data_of(run))
    else:
        args.preset, args.config = (args.of, None) if args.of in PRESETS else (None, args.of)
        if args.config is not None and not os.path.isfile(args.of):
            raise ConfigError(f"There is no saved run, JSON file of settings or preset {shorten(args.of)}.")
        config, _ = _chosen_config(args)
        config, data, _ = _data_of(config, args.data)
    if data.kind == "points" and args.samples > evaluation.MOST_POINTS:
        raise ConfigError(f"--samples of points can be at most {evaluation.MOST_POINTS:,}: memory grows as its square.")
    if args.inception is not None:
        if data.kind != "images":
            raise ConfigError("--inception is for images; these data are points.")
        from gan_core.scores import inception

        network = inception.load(args.inception, say)
    if folder is not None:
        trainer = run_reading.load(run, data)
    else:
        _say_doubts(config, args)
        lane = _lane(config, data)
        unattended.train(lane, *_limits(args), say)
        trainer = lane.trainer
    result = evaluation.evaluate(trainer, args.samples, args.resamples, say)
    if args.inception is not None:
        rows = np.random.default_rng(config.seed).permutation(len(trainer.data))[: 2 * args.samples]
        fake = trainer_scores.generated_images(trainer, min(args.samples, len(rows) // 2))
        result["inception"] = inception.scores(network, data.pixels[rows], fake, say)
    return {"config": config.to_flat(), **result}


def export(args: argparse.Namespace) -> dict[str, Any]:
    """Makes a saved run into a file for others."""
    from gan_core.export import exports as module

    folder = _found(args.run, args)
    if folder is None:
        raise ConfigError(f"There is no saved run {shorten(args.run)}.")
    told = -1

    def progress(fraction: float) -> None:
        nonlocal told
        if int(10 * fraction) > told:
            told = int(10 * fraction)
            say(f"{args.form}: {10 * told} %")

    size = module.write(run_reading.read(folder.absolute()), args.form, Path(args.output), progress)
    return {"run": args.run, "as": args.form, "output": args.output, "bytes": size}


def presets(args: argparse.Namespace) -> dict[str, Any]:
    """Lists the presets."""
    return {
        "presets": [
            {"name": name, "description": row.description, "config": row.config.to_flat()}
            for name, row in PRESETS.items()
        ]
    }


def benchmark(args: argparse.Namespace) -> dict[str, Any]:
    """Runs a published benchmark for named recipes."""
    from gan_core.benchmarks import published as module

    return module.run(args.which, args.recipes, args.seeds, args.steps, args.seconds, args.quick, say)


def bench(args: argparse.Namespace) -> dict[str, Any]:
    """Measures the engine against two reference loops, and through the worker."""
    from gan_core.benchmarks import speed as module

    return module.run(args.seconds, args.rounds, say)


def _print_evaluate(result: dict[str, Any]) -> None:
    from gan_core.scores import evaluation

    print(evaluation.as_text(result))
    for key, value in result.get("inception", {}).items():
        print(f"  {key:22s} {value:.4g}")


def _print_train(result: dict[str, Any]) -> None:
    name = result["preset"] or result["config"]["data"]
    print(f"{name}: {result['steps']:,} steps in {result['seconds']:.1f} s")
    for key, value in result["metrics"].items():
        if isinstance(value, list):
            value = " ".join(f"{v:.3f}" if isinstance(v, float) else str(v) for v in value)
        print(f"  {key:22s} {value:.4f}" if isinstance(value, float) else f"  {key:22s} {value}")


def _print_export(result: dict[str, Any]) -> None:
    print(f"{result['output']}: {result['bytes']:,} bytes")


def _print_presets(result: dict[str, Any]) -> None:
    for row in result["presets"]:
        print(f"{row['name']:20s} {row['description']}")


def _print_bench(result: dict[str, Any]) -> None:
    from gan_core.benchmarks import speed as module

    print(module.as_text(result))


def _print_benchmark(result: dict[str, Any]) -> None:
    from gan_core.benchmarks import published as module

    print(module.as_text(result))


def parser() -> argparse.ArgumentParser:
    """The command line."""
    top = Parser(prog="python -m gan_core", description="Train, score and export GANs from the command line.")
    commands = top.add_subparsers(dest="command", required=True, parser_class=Parser, metavar="COMMAND")

    def command(name: str, function: Callable, show: Callable, text: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=text, description=text)
        sub.add_argument("--json", action="store_true", help="end with one JSON line on standard output")
        sub.set_defaults(function=function, show=show)
        return sub

    def settings(sub: argparse.ArgumentParser) -> None:
        """What says how to train."""
        sub.add_argument("--recipe", metavar="NAME", help=f"a paper's objective and stabilisers: {', '.join(RECIPES)}")
        sub.add_argument(
            "--data",
            metavar="FILE",
            help="your own data: points (CSV, TSV) or images (.npz, or a .zip of PNG or JPEG files)",
        )
        sub.add_argument(
            "--set", metavar="NAME=VALUE", action="append", default=[], help="change a setting, e.g. d_lr=1e-3"
        )
        sub.add_argument("--seed", metavar="N", help="the run's seed")
        sub.add_argument(
            "--steps", type=_positive(int), metavar="N", help=f"steps ({DEFAULT_STEPS:,} if no limit is given)"
        )
        sub.add_argument(
            "--seconds", type=_positive(float), metavar="S", help="seconds of training; the first limit ends it"
        )
        sub.add_argument("--runs-dir", metavar="DIR", help="where runs are kept (GANSCOPE_RUNS_DIR, else runs)")

    sub = command("train", train, _print_train, "Train a GAN and score it.")
    sub.add_argument("--preset", metavar="NAME", help="data and settings to start from (ring, if no data are named)")
    sub.add_argument("--config", metavar="FILE", help="a JSON object of settings instead of a preset")
    sub.add_argument(
        "--save",
        metavar="NAME",
        help="save the run under this name: every few minutes, and whatever ends it (also Ctrl-C and a divergence)",
    )
    sub.add_argument(
        "--resume",
        metavar="NAME",
        help="continue a saved run: to where it was meant to go, or to --steps (in all), or for --seconds (more)",
    )
    settings(sub)

    sub = command(
        "evaluate", evaluate, _print_evaluate, "Score a run in full, with intervals and the values of real data."
    )
    sub.add_argument("of", metavar="RUN_OR_CONFIG", help="a saved run, or a JSON file of settings or a preset to train")
    sub.add_argument("--samples", type=_positive(int), default=2_500, metavar="N", help="sample size (2,500)")
    sub.add_argument("--resamples", type=_positive(int), default=400, metavar="N", help="of the bootstrap (400)")
    sub.add_argument(
        "--inception",
        metavar="WEIGHTS",
        help="also Inception Score and FID: imagenet, or a file of InceptionV3's weights",
    )
    settings(sub)

    sub = command("export", export, _print_export, "Export a saved run.")
    sub.add_argument("run", metavar="RUN", help="a saved run: its name, or its folder")
    sub.add_argument(
        "--as", dest="form", required=True, choices=tuple(EXPORTS), metavar="NAME", help=f"one of: {', '.join(EXPORTS)}"
    )
    sub.add_argument("--output", required=True, metavar="PATH", help="the file to write (tensorboard: or a folder)")
    sub.add_argument("--runs-dir", metavar="DIR", help="where runs are kept (GANSCOPE_RUNS_DIR, else runs)")

    command("presets", presets, _print_presets, "List the presets.")

    sub = command("benchmark", benchmark, _print_benchmark, "Run a published benchmark for named recipes.")
    sub.add_argument("which", choices=("modes", "stacked-mnist", "mnist"), help="ring and grid; 1,000 modes; MNIST")
    sub.add_argument("--recipes", metavar="NAMES", help="divided by commas; ganscope is the data's own preset")
    sub.add_argument("--seeds", type=_positive(int), metavar="N", help="runs of each recipe (modes 10, else 1)")
    sub.add_argument("--steps", type=_positive(int), metavar="N", help="the most steps of a run")
    sub.add_argument("--seconds", type=_positive(float), metavar="S", help="the most seconds of a run")
    sub.add_argument("--quick", action="store_true", help="a version of about two minutes")

    sub = command("bench", bench, _print_bench, "Measure speed as ratios within this run.")
    sub.add_argument("--seconds", type=_positive(float), default=1.0, metavar="S", help="per measurement (1)")
    sub.add_argument("--rounds", type=_positive(int), default=5, metavar="N", help="interleaved rounds (5)")
    return top


def commands() -> list[str]:
    """The names of all commands."""
    (found,) = (action.choices for action in parser()._actions if isinstance(action, argparse._SubParsersAction))
    return list(found)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command; returns the exit status."""
    given = sys.argv[1:] if arguments is None else arguments
    for problem in plugins.load(checked=given[:1] != ["export"]):  # what is exported has been trained with them
        say(problem)
    args = parser().parse_args(arguments)
    try:
        result = args.function(args)
    except ConfigError as error:
        say(str(error))
        return 2
    except Failed as error:
        say(str(error))
        return error.status
    except KeyboardInterrupt:
        say("Interrupted.")
        return 130
    if args.json:
        print(json.dumps(result, allow_nan=False))
    else:
        args.show(result)
    return 0


if __name__ == "__main__":
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    sys.exit(main())
