"""What it costs to read a user's own file: time and memory as ratios, each measured in a process of its own."""

from __future__ import annotations

import contextlib
import functools
import io
import json
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

ROWS = 1_990_000  # of two numbers with nine decimals: just below the largest file that is read
PICTURES = 20_000  # PNG files of 28 x 28 in a zip, in ten folders
MOST_TIME, MOST_MEMORY, MOST_PICTURES_TIME = 3.0, 4.0, 2.0  # times pandas' own, the file's size, Pillow's own


def run(rounds: int, say: Callable[[str], None]) -> dict[str, Any]:
    """A CSV of 50 MB read by pandas alone and as a user's own, a zip of pictures by Pillow alone and as a user's own:
    medians over `rounds`, taken in turn."""
    with tempfile.TemporaryDirectory(prefix="ganscope-bench-") as folder:
        say("Writing a table of 50 MB and a zip of pictures ...")
        table, pictures = Path(folder, "points.csv"), Path(folder, "pictures.zip")
        _write_table(table)
        _write_pictures(pictures)
        taken: dict[str, list[dict[str, float]]] = {"pandas": [], "table": [], "pillow": [], "pictures": []}
        for i in range(rounds):
            for how, found in taken.items():
                path = table if how in ("pandas", "table") else pictures
                command = [sys.executable, "-m", "gan_core.benchmarks.own_data_speed", how, str(path)]
                done = subprocess.run(command, capture_output=True, check=True, text=True, timeout=600)
                found.append(json.loads(done.stdout))
            say(f"round {i + 1} of {rounds}")
        size = table.stat().st_size
    middle = {
        how: {key: statistics.median(row[key] for row in found) for key in found[0]} for how, found in taken.items()
    }
    return {
        "bytes": size,
        "pandas_seconds": round(middle["pandas"]["seconds"], 3),
        "seconds": round(middle["table"]["seconds"], 3),
        "times_pandas": round(middle["table"]["seconds"] / middle["pandas"]["seconds"], 2),
        "times_size": round(middle["table"]["bytes"] / size, 2),
        "pandas_times_size": round(middle["pandas"]["bytes"] / size, 2),
        "pictures": PICTURES,
        "pillow_seconds": round(middle["pillow"]["seconds"], 3),
        "pictures_seconds": round(middle["pictures"]["seconds"], 3),
        "times_pillow": round(middle["pictures"]["seconds"] / middle["pillow"]["seconds"], 2),
    }


def _write_table(path: Path) -> None:
    points = np.random.default_rng(0).normal(size=(ROWS, 2))
    np.savetxt(path, points, "%.9f", ",", header="x,y", comments="")


def _write_pictures(path: Path) -> None:
    rng = np.random.default_rng(0)
    with zipfile.ZipFile(path, "w") as archive:
        for i in range(PICTURES):
            file = io.BytesIO()
            # Blots, for noise would be all unpacking.
            Image.fromarray(np.kron(rng.integers(0, 256, (7, 7), np.uint8), np.ones((4, 4), np.uint8))).save(
                file, "PNG"
            )
            archive.writestr(f"{i % 10}/{i}.png", file.getvalue())


def as_text(result: dict[str, Any]) -> str:
    """The ratios beside what they may be."""
    return "\n".join(
        [
            f"a CSV of {result['bytes'] / 1e6:.0f} MB: {result['seconds']:.2f} s, pandas alone "
            f"{result['pandas_seconds']:.2f} s",
            f"  time   {result['times_pandas']:.2f} x pandas (at most {MOST_TIME:g})",
            f"  memory {result['times_size']:.2f} x its size (at most {MOST_MEMORY:g}; pandas alone "
            f"{result['pandas_times_size']:.2f})",
            f"a zip of {result['pictures']:,} pictures: {result['pictures_seconds']:.2f} s, Pillow alone "
            f"{result['pillow_seconds']:.2f} s",
            f"  time   {result['times_pillow']:.2f} x Pillow (at most {MOST_PICTURES_TIME:g})",
        ]
    )


def _peak_memory() -> int:
    """Bytes of memory that this process has held at most."""
    with contextlib.suppress(OSError, StopIteration):  # Linux: getrusage would count the process that started this one
        lines = Path("/proc/self/status").read_text().splitlines()
        return 1024 * int(next(line for line in lines if line.startswith("VmHWM")).split()[1])
    import resource  # not on Windows

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def _by_pandas(content: bytes) -> Any:
    import pandas as pd

    return pd.read_csv(io.BytesIO(content))


def _by_pillow(content: bytes) -> Any:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return [np.asarray(Image.open(io.BytesIO(archive.read(name))).convert("L")) for name in archive.namelist()]


def _measure(how: str, path: str) -> dict[str, float]:
    """{seconds, bytes: of memory at most, above what the process held with the file's content}."""
    from gan_core.data.own_files import own_data

    content = Path(path).read_bytes()
    alone = {"pandas": _by_pandas, "pillow": _by_pillow}
    read = alone.get(how) or functools.partial(own_data.propose, Path(path).name)
    if path.endswith(".csv"):
        read(content[: content.index(b"\n", 50_000)])  # so that what is imported at first use is not counted
    before, started = _peak_memory(), time.perf_counter()
    kept = read(content)
    seconds = time.perf_counter() - started
    del kept
    return {"seconds": seconds, "bytes": float(_peak_memory() - before)}


if __name__ == "__main__":
    print(json.dumps(_measure(sys.argv[1], sys.argv[2])))
