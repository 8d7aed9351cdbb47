"""The command `ganscope`: alone it starts the app, with a command it is `python -m gan_core`.

What follows is passed on to Streamlit: `ganscope --server.port 8600`; `--runs-dir DIR` is where runs are kept.
"""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from gan_core import __main__ as cli
from gan_core import __version__

HELP = """ganscope [--runs-dir DIR] [options of `streamlit run`]   starts the app; then open the address that it prints
ganscope COMMAND ...                                     without a screen: {commands}
ganscope --version"""


def app_file() -> Path:
    """The app's script: in the repository, else where an installed GANscope has it."""
    here = Path(__file__).resolve().parent
    found = here.parent / "app.py"
    return found if found.exists() and (here.parent / "pages" / "ui").is_dir() else here / "site" / "app.py"


def command(arguments: Sequence[str]) -> list[str]:
    """How the app is started with those arguments."""
    options, own = [], []
    rest = iter(arguments)
    for argument in rest:
        name, sign, value = argument.partition("=")
        if name == "--runs-dir":
            own = ["--", "--runs-dir", value if sign else next(rest, "")]
        else:
            options.append(argument)
    return [sys.executable, "-m", "streamlit", "run", str(app_file()), *options, *own]


def main() -> int:
    """Runs the command line; returns the exit status."""
    arguments = sys.argv[1:]
    commands = cli.commands()
    if arguments[:1] == ["--version"]:
        print(f"GANscope {__version__}")
        return 0
    if arguments[:1] in (["--help"], ["-h"]):
        print(HELP.format(commands=", ".join(commands)))
        return 0
    if arguments and arguments[0] in commands:
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
        return cli.main(arguments)
    if arguments and not arguments[0].startswith("-"):
        print(f"There is no command {arguments[0][:40]!r}; there are: {', '.join(commands)}.", file=sys.stderr)
        return 2
    try:
        return subprocess.run(command(arguments), check=False).returncode
    except KeyboardInterrupt:  # Streamlit has had it too, and ends by itself
        return 130
