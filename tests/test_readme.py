"""The documents are true of the sources: commands are understood, links lead somewhere, the map is the tree."""

import re
import shlex
import subprocess
import sys

import pytest

from gan_core import __main__ as cli
from gan_core import command_arguments
from gan_core.data.proposal import Proposal
from tests.conftest import ROOT

DOCUMENTS = {
    path.relative_to(ROOT).as_posix(): path.read_text("utf-8")
    for path in (*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"))
}
README = DOCUMENTS["README.md"]
COMMANDS = sorted(
    {
        line.strip()
        for text in DOCUMENTS.values()
        for line in text.splitlines()
        if line.strip().startswith("python -m gan_core ")
    }
)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_is_understood(command):
    args = cli.parser().parse_args(shlex.split(command)[3:])
    assert callable(args.function)
    if args.command == "train" and args.config is None and args.resume is None:
        if args.data is not None:  # a file that is not here
            args.own = Proposal("images" if args.data.endswith(".zip") else "points", 100, ())
        command_arguments.chosen_config(args)  # its preset, recipe and settings exist


def test_every_command_is_shown_and_what_saving_needs():
    assert {shlex.split(command)[3] for command in COMMANDS} == {*cli.commands()}
    assert any("--save" in command for command in COMMANDS) and any("--resume" in command for command in COMMANDS)


def test_the_readme_is_a_front_door():
    assert len(README.splitlines()) <= 150
    assert "No licence is given yet" in README
    assert {"docs/user-guide.md", "CONTRIBUTING.md", "CHANGELOG.md"} <= {*links("README.md")}


def links(name):
    """The files of the repository that a document links to, relative to its root."""
    folder = (ROOT / name).parent
    targets = (target.partition("#")[0] for target in re.findall(r"\]\(([^)\s]+)\)", DOCUMENTS[name]))
    files = [(folder / target).resolve() for target in targets if target and "://" not in target]
    return [file.relative_to(ROOT.resolve()).as_posix() for file in files]


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_link_leads_to_a_file(name):
    assert [link for link in links(name) if not (ROOT / link).exists()] == []


def test_every_document_is_linked_from_the_readme():
    assert {name for name in DOCUMENTS if name != "README.md"} <= {*links("README.md")}


def test_what_a_document_names_of_the_code_exists():
    """Files in backquotes, by their whole path."""
    named = {
        (document, file)
        for document, text in DOCUMENTS.items()
        for file in re.findall(r"`((?:gan_core|pages|tests|docs|static)/[\w./-]+\.\w+)`", text)
    }
    assert len(named) > 10
    assert sorted((d, file) for d, file in named if not (ROOT / file).exists() and "NAME" not in file) == []


def mapped():
    """The files and folders that the map names; those behind the first in a row stand in its folder."""
    found = []
    for row in DOCUMENTS["docs/architecture.md"].splitlines():
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


def test_the_container_prepares_what_is_there():
    """The Dockerfile's line of Python, as it stands."""
    (code,) = re.findall(r'RUN python -c "([^"]+)"', (ROOT / "Dockerfile").read_text("utf-8"))
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
