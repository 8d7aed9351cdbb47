"""The command `ganscope`, and what a wheel holds for it."""

import shutil
import subprocess
import sys
import zipfile

import pytest

from gan_core import __version__, launch
from tests.conftest import ROOT


def test_alone_it_starts_the_app_and_passes_options_on():
    assert launch.command([]) == [sys.executable, "-m", "streamlit", "run", str(ROOT / "app.py")]
    given = launch.command(["--server.port", "8600", "--runs-dir", "kept", "--server.headless=true"])
    assert given[5:] == ["--server.port", "8600", "--server.headless=true", "--", "--runs-dir", "kept"]
    assert launch.command(["--runs-dir=kept"])[5:] == ["--", "--runs-dir", "kept"]


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["--version"], 0, __version__),
        (["--help"], 0, "benchmark"),
        (["presets"], 0, "ring"),
        (["trian"], 2, "There is no command 'trian'; there are: train,"),
        (["train", "--steps", "0"], 2, "must be a whole number above 0"),
    ],
)
def test_a_command_is_that_of_the_command_line(monkeypatch, capsys, arguments, status, said):
    monkeypatch.setattr(sys, "argv", ["ganscope", *arguments])
    try:
        ended = launch.main()
    except SystemExit as error:  # as argparse ends
        ended = error.code
    captured = capsys.readouterr()
    assert ended == status and said in captured.out + captured.err


def test_a_wheel_holds_the_app_and_its_command(tmp_path):
    """Built from the files that git knows, for building writes beside them."""
    source = tmp_path / "source"
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split(
        "\n"
    )
    for name in filter(None, listed):
        if not name.startswith(("tests/", "docs/")) and (ROOT / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, source / name)
    command = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", str(tmp_path), str(source)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr[-2_000:]
    (wheel,) = tmp_path.glob("*.whl")
    assert wheel.name.startswith(f"ganscope-{__version__}-")
    with zipfile.ZipFile(wheel) as file:
        names = set(file.namelist())
        (entry,) = (name for name in names if name.endswith("entry_points.txt"))
        assert "ganscope = gan_core.launch:main" in file.read(entry).decode()
    kept = [name for name in listed if name.startswith(("gan_core/", "pages/", "static/", ".streamlit/", "app.py"))]
    wanted = {name if name.startswith("gan_core/") else f"gan_core/site/{name}" for name in kept}
    assert wanted - names == set()
    assert {name.split("/")[0] for name in names} == {"gan_core", entry.split("/")[0]}
