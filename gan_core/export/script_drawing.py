"""A drawing as script.py writes it: its strokes as lists, and the functions that make points of them."""

from __future__ import annotations

import textwrap
from typing import Any

from gan_core.data import drawing
from gan_core.data.datasets import DATASETS
from gan_core.export.script_points import POINTS
from gan_core.export.script_sources import sources

_READ = "strokes = [(np.array(text.split(), int).reshape(-1, 2) / 500, *rest) for text, *rest in strokes]"
_WIDTH = 100  # of a line of places


def drawing_text(params: dict[str, Any]) -> str:
    """Code that makes `data` of the drawing with these parameters; raises ConfigError for a damaged one."""
    strokes = [_stroke(stroke) for stroke in drawing.decode(str(params["strokes"]))]
    texts, _ = sources(drawing.sample, short=True)
    about = "# -- data: a drawing, as strokes: places on each (x y x y ... in 500ths), width, density, tool"
    head = [about, "strokes = [", *strokes, "]", _READ]
    start = str(params["start"])
    made = ["rng = np.random.default_rng([SEED, 0])"]
    if start != "none":
        row, knobs = POINTS[start], DATASETS[start].knobs
        made += [f"{name.upper()} = {knob.default!r}" for name, knob in knobs.items()]
        unit = f" / np.float32({row.scale})" if row.scale else ""
        made += [f"# {row.about}, to draw on", row.code, f'start = points.astype("float32"){unit}']
    given = "None" if start == "none" else "start"
    made += [f"points, _ = sample(DATA_SIZE, rng, strokes, {given})", "data = tf.constant(points)"]
    constants = [text for text in texts if not text.startswith("def ")]
    functions = [text for text in texts if text.startswith("def ")]
    return "\n\n\n".join(["\n".join([*head, *constants]), *functions, "\n".join(made)])


def _stroke(stroke: drawing.Stroke) -> str:
    numbers = " ".join(map(str, (stroke.places * drawing.UNIT).round().astype(int).ravel().tolist()))
    lines = textwrap.wrap(numbers, _WIDTH, break_on_hyphens=False)
    quoted = "\n".join(f'        "{line} "' for line in lines[:-1]) + "\n" * (len(lines) > 1) + f'        "{lines[-1]}"'
    return f'    (\n{quoted},\n        {stroke.width!r},\n        {stroke.density!r},\n        "{stroke.tool}",\n    ),'
