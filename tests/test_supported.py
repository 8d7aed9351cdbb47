"""GANscope says on which Pythons it runs, in one voice, and the README's commands end with a sentence on others."""

import re
import subprocess
import sys
import tomllib

import pytest

from gan_core import supported
from tests.conftest import ROOT

CHECK = "python3 gan_core/supported.py && "


def commands():
    """The README's commands that set everything up."""
    lines = (ROOT / "README.md").read_text("utf-8").splitlines()
    return [line for line in lines if "-m venv" in line]


@pytest.mark.parametrize("version", [(3, 11), (3, 12), (3, 13)])
@pytest.mark.parametrize("system, machine", [("linux", "x86_64"), ("darwin", "arm64"), ("win32", "AMD64")])
def test_what_is_supported(version, system, machine):
    assert supported.trouble(version, system, machine, 64) == ""


@pytest.mark.parametrize(
    ("here", "said"),
    [
        (((3, 10), "linux", "x86_64", 64), "needs Python 3.11, 3.12 or 3.13, as TensorFlow does; this is Python 3.10."),
        (((3, 14), "darwin", "arm64", 64), "this is Python 3.14."),
        (((2, 7), "linux", "x86_64", 64), "this is Python 2.7."),
        (((3, 12), "darwin", "x86_64", 64), "does not run on Intel Macs"),
        (((3, 12), "win32", "x86", 32), "needs a 64-bit Python"),
    ],
)
def test_what_is_not_is_a_sentence(here, said):
    assert said in supported.trouble(*here)


def test_the_bounds_are_the_same_everywhere():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    (_, oldest), (_, newest) = supported.OLDEST, supported.NEWEST
    assert project["requires-python"] == f">=3.{oldest},<3.{newest + 1}"
    assert f"With Python 3.{oldest} to 3.{newest}" in (ROOT / "README.md").read_text("utf-8")
    assert supported.OLDEST <= sys.version_info[:2] <= supported.NEWEST


def test_the_commands_ask_first_and_end_with_the_sentence():
    """The whole command as a shell runs it, with a Python that says it is another version. Nothing is set up."""
    assert len(commands()) == 2 and all(line.strip().startswith(CHECK) for line in commands())
    run = f"runpy.run_path({str(supported.__file__)!r}, run_name='__main__')"
    pretend = f"import sys, runpy; sys.version_info = (3, 14, 0); {run}"
    for line in commands():
        shell = line.replace("python3 gan_core/supported.py", f'"{sys.executable}" -c "{pretend}"')
        shell = re.sub(r"&& python3 .*", "&& echo went on", shell)
        done = subprocess.run(["sh", "-c", shell], cwd=ROOT, capture_output=True, text=True, timeout=60)
        assert done.returncode == 1 and done.stdout == ""
        assert done.stderr.strip() == supported.trouble((3, 14), "", "", 64)


def test_this_python_is_let_through():
    done = subprocess.run(
        [sys.executable, supported.__file__], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_streamlit_stays_below_the_next_minor_version():
    """Private parts of it are used (pages/ui/server/streamlit_private.py)."""
    line = next(li for li in (ROOT / "requirements.txt").read_text().splitlines() if li.startswith("streamlit"))
    low, high = re.fullmatch(r"streamlit>=1\.(\d+),<1\.(\d+)", line).groups()
    assert int(high) == int(low) + 1
