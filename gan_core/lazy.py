"""Names of heavy modules that are imported at their first use.

The page's server lists the registries (losses, penalties, architectures) without ever importing
TensorFlow: that keeps its start under a second and its garbage collector off the training's back. pandas and
SciPy would take half a second of the first page.
"""

import importlib
from typing import Any


class LazyModule:
    """Stands for a module; imports it when an attribute is first asked for."""

    def __init__(self, name: str):
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        return getattr(importlib.import_module(self._name), attribute)


tf = LazyModule("tensorflow")
keras = LazyModule("keras")
pd = LazyModule("pandas")
special = LazyModule("scipy.special")
