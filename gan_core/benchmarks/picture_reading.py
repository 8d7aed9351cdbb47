"""How long the user's own pictures take to be read, as a multiple of what Pillow alone takes for the same bytes."""

import io
import statistics
import time
import zipfile
from typing import Any

import numpy as np
from PIL import Image

from gan_core.data.own_images.image_files import propose_pictures

PICTURES = 20_000
SIDE = 32
FOLDERS = 10


def archive(count: int = PICTURES) -> bytes:
    """A zip of small PNG pictures in colour, in folders."""
    rng, out = np.random.default_rng(0), io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        for i in range(count):
            blob = io.BytesIO()
            Image.fromarray(rng.integers(0, 256, (SIDE, SIDE, 3), np.uint8)).save(blob, "PNG", compress_level=1)
            file.writestr(f"{i % FOLDERS}/{i:05d}.png", blob.getvalue())
    return out.getvalue()


def _pillow(content: bytes) -> int:
    """What whoever has only Pillow would write: each picture of the zip as an array, all of them one."""
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        arrays = [np.asarray(Image.open(io.BytesIO(file.read(name))).convert("RGB")) for name in file.namelist()]
    return len(np.stack(arrays))


def run(rounds: int, count: int = PICTURES) -> dict[str, Any]:
    """Medians of some rounds in turns; ratio: of the reader's time to Pillow's."""
    content = archive(count)
    times: dict[str, list[float]] = {"pillow": [], "reader": []}
    for _ in range(rounds):
        for name, read in (
            ("pillow", _pillow),
            ("reader", lambda zipped: propose_pictures(zipped, "a.zip", most=10**9).count),
        ):
            began = time.perf_counter()
            if read(content) != count:
                raise ValueError("not all pictures were read")
            times[name].append(time.perf_counter() - began)
    seconds = {name: round(statistics.median(found), 2) for name, found in times.items()}
    ratio = statistics.median(b / a for a, b in zip(times["pillow"], times["reader"], strict=True))
    return {"pictures": count, "megabytes": round(len(content) / 1e6, 1), "seconds": seconds, "ratio": round(ratio, 2)}


def as_text(result: dict[str, Any]) -> str:
    """The result as a line for people."""
    seconds = result["seconds"]
    return (
        f"a zip of {result['pictures']:,} pictures ({result['megabytes']:g} MB): read in {seconds['reader']:g} s, by "
        f"Pillow alone in {seconds['pillow']:g} s: {result['ratio']:.2f} times as long"
    )
