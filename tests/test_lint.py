"""Every file is as the linters want it: Python by ruff, its types by basedpyright, the browser's code by oxlint."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

PROGRAMS = Path(sys.executable).parent
COMMANDS = {
    "ruff check": ["ruff", "check", "--no-cache", "--output-format=concise", "."],
    "ruff format": ["ruff", "format", "--no-cache", "--check", "."],
    "basedpyright": ["basedpyright", "--warnings", "--pythonpath", sys.executable],
    "oxlint": ["oxlint", "--deny-warnings", "static/ganscope"],
}


@pytest.mark.parametrize("name", COMMANDS)
def test_the_linter_has_nothing_to_say(name):
    program, *options = COMMANDS[name]
    said = subprocess.run([str(PROGRAMS / program), *options], cwd=ROOT, capture_output=True, text=True, timeout=500)
    assert said.returncode == 0, said.stdout + said.stderr


def test_oxlint_reads_the_code(tmp_path):
    """Else it would have nothing to say of anything."""
    bad = tmp_path / "bad.js"
    bad.write_text("export const f = () => missing + 1;\n")
    config = str(ROOT / ".oxlintrc.json")
    said = subprocess.run(
        [str(PROGRAMS / "oxlint"), "-c", config, str(bad)], capture_output=True, text=True, timeout=120
    )
    assert said.returncode != 0 and "'missing' is not defined" in said.stdout
