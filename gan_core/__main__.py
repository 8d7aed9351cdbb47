"""`python -m gan_core train | sweep | export | bench | ...`: GANscope on the command line.

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
from typing import TYPE_CHECKING, Any, NoReturn

from gan_core import plugins
from gan_core.command_arguments import DEFAULT_STEPS, say
from gan_core.commands import bench, benchmark, check, data, evaluate, export, presets, sweep, train
from gan_core.data.own_files import own_data_options
from gan_core.export.exports import EXPORTS
from gan_core.foundations.hyperparameters import ConfigError, shorten
from gan_core.runs.unattended import Failed
from gan_core.settings.recipes import RECIPES

if TYPE_CHECKING:
    pass


BENCHMARKS = ("modes", "stacked-mnist", "mnist", "few", "failures", "coach")


class Parser(argparse.ArgumentParser):
    """Ends with status 2 and a sentence; no other exit."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}\nSee {self.prog} --help.\n")


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


def _print_sweep(result: dict[str, Any]) -> None:
    from gan_core.sweeps import table as module

    print(module.as_text(result["rows"]))


def _print_export(result: dict[str, Any]) -> None:
    print(f"{result['output']}: {result['bytes']:,} bytes")


def _print_data(result: dict[str, Any]) -> None:
    print(result["text"])


def _print_check(result: dict[str, Any]) -> None:
    print(f"{result['lab']}: {result['reason']}")


def _print_presets(result: dict[str, Any]) -> None:
    for row in result["presets"]:
        print(f"{row['name']:20s} {row['description']}")
    print("\nSettings that fail, to be seen and healed:")
    for row in result["failures"]:
        print(f"{row['name']:24s} {row['description']}")


def _print_bench(result: dict[str, Any]) -> None:
    from gan_core.benchmarks import own_data_speed, speed, sweep_speed

    print({"sweep": sweep_speed, "data": own_data_speed}.get(result.get("bench", ""), speed).as_text(result))


def _print_benchmark(result: dict[str, Any]) -> None:
    from gan_core.benchmarks import failures_and_coach, published_text

    print((failures_and_coach if result["benchmark"] in ("failures", "coach") else published_text).as_text(result))


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
            help="your own data: a table of points (CSV, .xlsx, Parquet, JSON, .npy), or images (.npz, .zip)",
        )
        own_data_options.add_options(sub)
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

    sub = command(
        "sweep", sweep, _print_sweep, "Train settings along axes, each with several seeds, beside each other."
    )
    sub.add_argument("--preset", metavar="NAME", help="data and settings to start from (ring, if no data are named)")
    sub.add_argument("--config", metavar="FILE", help="a JSON object of settings instead of a preset")
    sub.add_argument(
        "--over",
        metavar="NAME=VALUES",
        action="append",
        default=[],
        help="an axis: NAME=A,B,C or NAME=LOW:HIGH:COUNT; with --draws also NAME=LOW:HIGH",
    )
    sub.add_argument("--draws", type=_positive(int), metavar="N", help="N random settings instead of all of the grid")
    sub.add_argument("--seeds", type=_positive(int), default=1, metavar="N", help="seeds of each settings (1)")
    sub.add_argument("--looks", type=_positive(int), metavar="N", help="score each trial N more times on its way")
    stop = "stop trials that look hopeless by this score after a ninth and a third of their budget (successive halving)"
    sub.add_argument("--early-stopping", metavar="SCORE", help=stop)
    sub.add_argument("--frames", action="store_true", help="keep each trial as a saved run, with its whole recording")
    sub.add_argument("--processes", type=_positive(int), metavar="N", help="trials at once (as the machine allows)")
    ray = "train on the Ray cluster at HOST:PORT, or auto for this machine's (GANSCOPE_RAY)"
    sub.add_argument("--ray", metavar="ADDRESS", help=ray)
    sub.add_argument("--save", metavar="NAME", help="keep the sweep under this name; the same command goes on with it")
    sub.add_argument("--resume", metavar="NAME", help="go on with a sweep that was stopped")
    sub.add_argument("--sweeps-dir", metavar="DIR", help="where sweeps are kept (GANSCOPE_SWEEPS_DIR, else sweeps)")
    settings(sub)

    sub = command("export", export, _print_export, "Export a saved run.")
    sub.add_argument("run", metavar="RUN", help="a saved run: its name, or its folder")
    sub.add_argument(
        "--as", dest="form", required=True, choices=tuple(EXPORTS), metavar="NAME", help=f"one of: {', '.join(EXPORTS)}"
    )
    sub.add_argument("--output", required=True, metavar="PATH", help="the file to write (tensorboard: or a folder)")
    sub.add_argument("--runs-dir", metavar="DIR", help="where runs are kept (GANSCOPE_RUNS_DIR, else runs)")

    sub = command("data", data, _print_data, "Say what a file of yours holds that one could train on.")
    sub.add_argument("file", metavar="FILE", help="a table of points, or a file of images")
    own_data_options.add_options(sub)

    about = "Train a lab's receipt again: was its goal reached? Status 0: confirmed, 1: refuted, 2: it cannot be read."
    sub = command("check", check, _print_check, about)
    sub.add_argument("receipt", metavar="RECEIPT", help="the file that a lab gave when its goal was reached")

    command("presets", presets, _print_presets, "List the presets, and the settings that fail.")

    which = (
        "ring and grid; 1,000 modes; MNIST; MNIST, or a file of yours, and parts of it with and without augmentation; "
        "the failures and their cures; whether the coach names them"
    )
    sub = command("benchmark", benchmark, _print_benchmark, "Run a published benchmark for named recipes.")
    sub.add_argument("which", choices=BENCHMARKS, help=which)
    sub.add_argument("--recipes", metavar="NAMES", help="divided by commas; ganscope is the data's own preset")
    sub.add_argument(
        "--seeds", type=_positive(int), metavar="N", help="runs of each row (modes, failures, coach 10, few 3, else 1)"
    )
    sub.add_argument("--rows", metavar="NAMES", help="failures, coach: only these, divided by commas")
    sub.add_argument("--data", metavar="FILE", help="few: your own images (.npz, or a .zip of PNG or JPEG files)")
    sub.add_argument("--augment", metavar="NAMES", help="few: divided by commas (none,diffaugment)")
    sub.add_argument("--plot", metavar="PATH", help="few: an HTML page with the plot, which needs no network")
    sub.add_argument("--steps", type=_positive(int), metavar="N", help="the most steps of a run")
    sub.add_argument("--seconds", type=_positive(float), metavar="S", help="the most seconds of a run")
    sub.add_argument("--quick", action="store_true", help="a version of about two minutes")
    beside = "runs beside each other, which share the cores (one after the other, each on all cores)"
    sub.add_argument("--processes", type=_positive(int), metavar="N", help=beside)
    sub.add_argument("--ray", metavar="ADDRESS", help="run on a Ray cluster, one core each (GANSCOPE_RAY)")

    sub = command("bench", bench, _print_bench, "Measure speed as ratios within this run.")
    sub.add_argument(
        "which", nargs="?", choices=("engine", "sweep", "data"), default="engine", help="or a sweep, or reading a file"
    )
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
    status = result.pop("exit_status", 0)
    if args.json:
        result.pop("text", None)
        print(json.dumps(result, allow_nan=False))
    else:
        args.show(result)
    return status


if __name__ == "__main__":
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    sys.exit(main())
