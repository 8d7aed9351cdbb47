"""Names of heavy modules that are imported at their first use.

The page's server lists the registries (losses, penalties, architectures) without ever importing
TensorFlow: that keeps its start under a second and its garbage collector off the training's back. pandas and
SciPy would take half a second of the first page.
"""

import contextlib
import functools
import importlib
import os
from typing import Any

TENSORFLOW = "tensorflow"
# POT would import every framework that is there, TensorFlow above all; it is given NumPy only.
os.environ |= {f"POT_BACKEND_DISABLE_{name}": "1" for name in ("TENSORFLOW", "PYTORCH", "JAX", "CUPY")}


def set_up_gpus(tf: Any) -> None:
    """Before TensorFlow touches a GPU: each process takes the memory that it needs, for a training, the spare that
    waits and an export share a card; and what is computed there is the same each time."""
    gpus = tf.config.list_physical_devices("GPU")
    with contextlib.suppress(RuntimeError):  # whoever imports us has set the devices up, and they are in use
        for gpu in gpus:
            tf.config.experimental.set_memory_growth(gpu, True)
    if gpus:
        # With determinism TensorFlow refuses random operations that nobody gave a seed.
        tf.random.set_seed(0)
        tf.config.experimental.enable_op_determinism()


@functools.cache
def _set_up_once() -> None:
    set_up_gpus(importlib.import_module(TENSORFLOW))


class LazyModule:
    """Stands for a module; imports it when an attribute is first asked for."""

    def __init__(self, name: str):
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        module = importlib.import_module(self._name)
        if self._name in (TENSORFLOW, "keras"):
            _set_up_once()
        return getattr(module, attribute)


tf = LazyModule(TENSORFLOW)
keras = LazyModule("keras")
pd = LazyModule("pandas")
matlab = LazyModule("scipy.io")
parquet = LazyModule("pyarrow.parquet")
special = LazyModule("scipy.special")
spatial = LazyModule("scipy.spatial")
optimize = LazyModule("scipy.optimize")
ot = LazyModule("ot")
