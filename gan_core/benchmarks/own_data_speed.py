"""What it costs to read a user's own file: time and memory as ratios, each measured in a process of its own."""

from __future__ import annotations

import contextlib
import io
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

ROWS = 1_990_000  # of two numbers with nine decimals: just below the largest file that is read
MOST_TIME, MOST_MEMORY = 3.0, 4.0  # times pandas' own, times the file's size


def run(rounds: int, say: Callable[[str], None]) -> dict[str, Any]:
    """A CSV of 50 MB, read by pandas alone and as a user's own: medians over `rounds`, taken in turn."""
    with tempfile.TemporaryDirectory(prefix="ganscope-bench-") as folder:
        path = Path(folder, "points.csv")
        say("Writing a table of 50 MB ...")
        points = np.random.default_rng(0).normal(size=(ROWS, 2))
        np.savetxt(path, points, "%.9f", ",", header="x,y", comments="")
        size = path.stat().st_size
        taken: dict[str, list[dict[str, float]]] = {"pandas": [], "own": []}
        for i in range(rounds):
            for how, found in taken.items():
                command = [sys.executable, "-m", "gan_core.benchmarks.own_data_speed", how, str(path)]
                done = subprocess.run(command, capture_output=True, check=True, text=True, timeout=600)
                found.append(json.loads(done.stdout))
            say(f"round {i + 1} of {rounds}")
    middle = {
        how: {key: statistics.median(row[key] for row in found) for key in found[0]} for how, found in taken.items()
    }
    return {
        "bytes": size,
        "pandas_seconds": round(middle["pandas"]["seconds"], 3),
        "seconds": round(middle["own"]["seconds"], 3),
        "times_pandas": round(middle["own"]["seconds"] / middle["pandas"]["seconds"], 2),
        "times_size": round(middle["own"]["bytes"] / size, 2),
        "pandas_times_size": round(middle["pandas"]["bytes"] / size, 2),
    }


def as_text(result: dict[str, Any]) -> str:
    """The ratios beside what they may be."""
    return "\n".join(
        [
            f"a CSV of {result['bytes'] / 1e6:.0f} MB: {result['seconds']:.2f} s, pandas alone "
            f"{result['pandas_seconds']:.2f} s",
            f"  time   {result['times_pandas']:.2f} x pandas (at most {MOST_TIME:g})",
            f"  memory {result['times_size']:.2f} x its size (at most {MOST_MEMORY:g}; pandas alone "
            f"{result['pandas_times_size']:.2f})",
        ]
    )


def _peak_memory() -> int:
    """Bytes of memory that this process has held at most."""
    with contextlib.suppress(OSError, StopIteration):  # Linux: getrusage would count the process that started this one
        lines = Path("/proc/self/status").read_text().splitlines()
        return 1024 * int(next(line for line in lines if line.startswith("VmHWM")).split()[1])
    import resource  # not on Windows

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def _measure(how: str, path: str) -> dict[str, float]:
    """{seconds, bytes: of memory at most, above what the process held with the file's content}."""
    import pandas as pd

    from gan_core.data.own_tables.tables import propose_points

    def read(content: bytes) -> Any:
        return pd.read_csv(io.BytesIO(content)) if how == "pandas" else propose_points(content, "points.csv")

    content = Path(path).read_bytes()
    read(content[: content.index(b"\n", 50_000)])  # so that what is imported at first use is not counted
    before, started = _peak_memory(), time.perf_counter()
    kept = read(content)
    seconds = time.perf_counter() - started
    del kept
    return {"seconds": seconds, "bytes": float(_peak_memory() - before)}


if __name__ == "__main__":
    print(json.dumps(_measure(sys.argv[1], sys.argv[2])))
