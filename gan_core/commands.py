"""What each command of the command line does: arguments -> its result, ready for JSON."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gan_core.command_arguments import chosen_config, data_of, fetched, found_run, limits, loaded, say
from gan_core.data.own_files import own_data_options
from gan_core.diagnosis.failures import FAILURES
from gan_core.foundations.files import write_whole
from gan_core.foundations.hyperparameters import ConfigError, shorten
from gan_core.runs import run_folders, run_reading, run_restoring, run_writing, unattended
from gan_core.runs.disk_quota import room
from gan_core.settings.all_settings import LIVE_FIELDS
from gan_core.settings.combinations import doubtful
from gan_core.settings.config import GANConfig, changed, same_structure
from gan_core.settings.presets import PRESETS
from gan_core.settings.setting_texts import parse_assignments

if TYPE_CHECKING:
    from gan_core.recording.training_run import TrainingRun
    from gan_core.runs.run_reading import Saved


def _say_doubts(config: GANConfig, args: argparse.Namespace) -> None:
    """What is known to disappoint, and what does nothing: of --set even what is at its default."""
    for sentence in doubtful(config, parse_assignments(args.set)):
        say(f"Note: {sentence}")


def _training(config: GANConfig, data: Any, steps: int | None, run: Saved | None = None) -> TrainingRun:
    """A training that is compiled for so many steps (None: for any number), at its first step or where the saved `run`
    stands, with the live settings of `config`."""
    from gan_core.recording.training_run import TrainingRun
    from gan_core.training.trainer import Trainer

    trainer, recording = Trainer(config if run is None else run.config, data), None
    if run is not None:
        recording = run_restoring.restore(trainer, run.folder)
    say("Compiling ...")
    trainer.compile(steps)
    training = TrainingRun(trainer, recording, scored=False)
    training.set_live(config)
    return training


def _resumed(args: argparse.Namespace) -> tuple[Saved, GANConfig]:
    """The run of --resume, and its settings from now on."""
    own = [f"own_{name}" for name in own_data_options.OPTIONS]
    for name in ("preset", "config", "save", "recipe", "seed", "data", *own):
        if getattr(args, name) is not None:
            option = name.removeprefix("own_").replace("_", "-")
            raise ConfigError(f"--resume continues a saved run as it is: leave --{option} away.")
    folder = found_run(args.resume, args)
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
    run = preset = folder = None
    if args.resume is not None:
        run, config = _resumed(args)
        folder, upload = run.folder, run_reading.upload_of(run)
        data = loaded(config, upload)
    else:
        config, preset = chosen_config(args)
        if args.save is not None:
            folder = run_folders.runs_folder(args.runs_dir) / run_folders.checked_name(args.save)
        config, data, upload = data_of(config, args)
    steps, seconds = limits(args)
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
    training = _training(config, data, steps, run)
    trainer = training.trainer
    first = trainer.step
    row, elapsed = unattended.train(training, steps, seconds, say, saver)
    if saver is not None:
        say(f"Saved as {folder}.")
    scores = unattended.final_metrics(training, row, say)
    if saver is not None:
        training.recording.scores.add(trainer.step, {**scores, "step": trainer.step})
        saver.save(training)
    return {
        "preset": preset,
        "config": config.to_flat(),
        "steps": trainer.step,
        "seconds": round(elapsed, 3),
        "steps_per_second": round((trainer.step - first) / max(elapsed, 1e-6), 1),
        "metrics": scores,
    }


def check(args: argparse.Namespace) -> dict[str, Any]:
    """Trains again what a lab's receipt says, and confirms or refutes that the goal was reached."""
    from gan_core.labs import checking, library, receipts

    receipt = receipts.read_file(args.receipt)
    lab = library.lab_of(receipt.lab)
    wrong = checking.objection(receipt, lab)
    data = None if wrong else loaded(receipt.start, None)
    verdict = checking.check(receipt, lab, data, say)
    return {
        "confirmed": verdict.confirmed,
        "reason": verdict.reason,
        "lab": lab.name,
        "step": verdict.step,
        "metrics": verdict.metrics or {},
        "exit_status": 0 if verdict.confirmed else 1,
    }


def evaluate(args: argparse.Namespace) -> dict[str, Any]:
    """Scores a saved run, or what a config or preset makes after --steps or --seconds, in full."""
    from gan_core.scores import evaluation, trainer_scores

    for name, least in (("samples", evaluation.LEAST_SAMPLES), ("resamples", evaluation.W1_RESAMPLES)):
        if getattr(args, name) < least:
            raise ConfigError(f"--{name} must be at least {least}; got {getattr(args, name)}.")
    folder = found_run(args.of, args)
    if folder is not None:
        if args.set or args.seed is not None or args.recipe or args.steps or args.seconds or args.data:
            raise ConfigError(
                f"{args.of} is a saved run: it is scored as it is, without settings, --steps, --seconds or --data."
            )
        run = run_reading.read(folder)
        config, data = run.config, fetched(lambda: run_reading.data_of(run))
    else:
        args.preset, args.config = (args.of, None) if args.of in (*PRESETS, *FAILURES) else (None, args.of)
        if args.config is not None and not os.path.isfile(args.of):
            raise ConfigError(f"There is no saved run, JSON file of settings or preset {shorten(args.of)}.")
        config, _ = chosen_config(args)
        config, data, _ = data_of(config, args)
    if data.kind == "points" and args.samples > evaluation.MOST_POINTS:
        raise ConfigError(f"--samples of points can be at most {evaluation.MOST_POINTS:,}: memory grows as its square.")
    if args.inception is not None:
        if data.kind != "images":
            raise ConfigError("--inception is for images; these data are points.")
        from gan_core.scores import inception

        network = inception.load(args.inception, say)
    if folder is not None:
        trainer = run_restoring.load(run, data)
    else:
        _say_doubts(config, args)
        steps, seconds = limits(args)
        training = _training(config, data, steps)
        unattended.train(training, steps, seconds, say)
        trainer = training.trainer
    result = evaluation.evaluate(trainer, args.samples, args.resamples, say)
    if args.inception is not None:
        rows = np.random.default_rng(config.seed).permutation(len(trainer.data))[: 2 * args.samples]
        fake = trainer_scores.generated_images(trainer, min(args.samples, len(rows) // 2))
        result["inception"] = inception.scores(network, data.pixels[rows], fake, say)
    return {"config": config.to_flat(), **result}


def sweep(args: argparse.Namespace) -> dict[str, Any]:
    """Trains settings along axes, each with several seeds; what is there already is not trained again."""
    from gan_core.sweeps import command as module

    if args.resume is not None:
        return module.resume(args, say)
    config, preset = chosen_config(args)
    config, _, upload = data_of(config, args)
    return {"preset": preset, **module.begin(args, config, upload, limits(args), say)}


def export(args: argparse.Namespace) -> dict[str, Any]:
    """Makes a saved run into a file for others."""
    from gan_core.export import exports as module

    folder = found_run(args.run, args)
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


def data(args: argparse.Namespace) -> dict[str, Any]:
    """Says what a file holds that one could train on; trains nothing."""
    return own_data_options.told(args.file, own_data_options.choices_of(args), say, args.json)


def presets(args: argparse.Namespace) -> dict[str, Any]:
    """Lists the presets, and the settings that fail, each with its cure."""
    return {
        "presets": [
            {"name": name, "description": row.description, "config": row.config.to_flat()}
            for name, row in PRESETS.items()
        ],
        "failures": [
            {
                "name": name,
                "description": f"{row.title}: {row.look_for}",
                "config": row.config.to_flat(),
                "cure": dict(row.cure),
                "criterion": row.criterion,
                "steps": row.steps,
                "why": row.why,
                "source": row.source,
            }
            for name, row in FAILURES.items()
        ],
    }


def benchmark(args: argparse.Namespace) -> dict[str, Any]:
    """Runs a published benchmark for named recipes."""
    from gan_core.benchmarks import published as module

    for names, of in ((("data", "augment", "plot"), ("few",)), (("rows",), ("failures", "coach"))):
        for name in names:
            if getattr(args, name) is not None and args.which not in of:
                raise ConfigError(f"--{name} is for benchmark {' and '.join(of)}, not for benchmark {args.which}.")
    if args.which == "few":
        return _few(args)
    if args.which in ("failures", "coach"):
        return _failures(args)
    budget = args.recipes, args.seeds, args.steps, args.seconds, args.quick
    return module.run(args.which, *budget, say, args.processes, args.ray)


def _few(args: argparse.Namespace) -> dict[str, Any]:
    from gan_core.benchmarks import few, few_plot

    if args.recipes is not None:
        raise ConfigError("benchmark few trains the data's own preset: give --augment, not --recipes.")
    plot = None if args.plot is None else Path(args.plot)
    if plot is not None and not plot.absolute().parent.is_dir():  # known before the training
        raise ConfigError(f"There is no folder {plot.absolute().parent} to write {plot.name} into.")
    budget = args.augment, args.seeds, args.steps, args.seconds, args.quick
    result = fetched(lambda: few.run(args.data, *budget, say, args.processes, args.ray))
    if plot is not None:
        try:
            write_whole(plot, few_plot.page(result).encode())
        except OSError as error:
            raise ConfigError(f"{plot} cannot be written: {error.strerror}.") from None
    return result


def _failures(args: argparse.Namespace) -> dict[str, Any]:
    from gan_core.benchmarks import failures_and_coach

    for name in ("recipes", "steps", "seconds"):
        if getattr(args, name) is not None:
            raise ConfigError(f"benchmark {args.which} trains each row to its own step: --{name} is not accepted.")
    which = failures_and_coach.run if args.which == "failures" else failures_and_coach.run_coach
    return fetched(lambda: which(args.rows, args.seeds, args.quick, say, args.processes, args.ray))


def bench(args: argparse.Namespace) -> dict[str, Any]:
    """Measures the engine against two reference loops, and through the worker; or a sweep, or reading a user's file."""
    if args.which == "sweep":
        from gan_core.benchmarks import sweep_speed

        return {"bench": "sweep", **sweep_speed.run(args.seconds, args.rounds, say)}
    if args.which == "data":
        from gan_core.benchmarks import own_data_speed

        return {"bench": "data", **own_data_speed.run(args.rounds, say)}
    from gan_core.benchmarks import speed

    return speed.run(args.seconds, args.rounds, say)
