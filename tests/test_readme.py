"""The README is true of the sources: its commands are understood, and its map shows every module and no other."""

import re
import shlex

import pytest

from gan_core import __main__ as cli
from tests.conftest import ROOT

README = (ROOT / "README.md").read_text("utf-8")
COMMANDS = [line.strip() for line in README.splitlines() if line.strip().startswith("python -m gan_core ")]


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_of_the_readme_is_understood(command):
    args = cli.parser().parse_args(shlex.split(command)[3:])
    assert callable(args.function)
    if args.command == "train" and args.config is None and args.resume is None:
        cli._chosen_config(args)  # its preset, recipe and settings exist


def test_the_readme_shows_every_command_and_what_saving_needs():
    (known,) = (action.choices for action in cli.parser()._actions if action.choices)
    assert {shlex.split(command)[3] for command in COMMANDS} == {*known}
    assert any("--save" in command for command in COMMANDS) and any("--resume" in command for command in COMMANDS)


def mapped():
    """The files that the map names; those behind the first in a row stand in its folder."""
    rows = README.split("## Map of the code")[1].split("\n## ")[0].splitlines()
    found = []
    for row in rows:
        folder = ""
        for name in re.findall(r"`([^`]+)`", row.split("|")[1]) if row.startswith("| `") else ():
            folder = name.rpartition("/")[0] if "/" in name else folder
            found.append(name if "/" in name or not folder else f"{folder}/{name}")
    return found


def test_the_map_is_the_tree():
    names = mapped()
    assert len(names) == len(set(names)), sorted(name for name in names if names.count(name) > 1)
    missing = [name for name in names if not (ROOT / name).exists()]
    assert not missing
    paths = [ROOT / "app.py", *(path for room in ("gan_core", "pages") for path in (ROOT / room).rglob("*.py"))]
    tree = {path.relative_to(ROOT).as_posix() for path in paths if path.name != "__init__.py"}
    folders = tuple(name for name in names if name.endswith("/"))
    unmapped = sorted(name for name in tree - {*names} if not name.startswith(folders or ("/",)))
    assert not unmapped
