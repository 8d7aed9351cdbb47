"""A user's own data by their content: the same file, read twice, is the same data."""

import hashlib
import weakref
from typing import Any

import numpy as np

from gan_core.data.proposal import Choices

_names: dict[int, tuple[weakref.ref, str]] = {}  # of the uploads that are alive, by their identity


def name_of(upload: Any) -> str:
    """The SHA-256 of what an upload holds (OwnPoints, Pictures, or float32 [N, 2]), computed once for each;
    "" without one."""
    if upload is None:
        return ""
    key = id(upload)
    kept = _names.get(key)
    if kept is not None and kept[0]() is upload:
        return kept[1]
    digest = hashlib.sha256()
    points = isinstance(upload, np.ndarray)
    for name, part in ({"points": upload} if points else vars(upload)).items():
        if isinstance(part, np.ndarray):
            digest.update(f"{name} {part.dtype} {part.shape}".encode())
            digest.update(np.ascontiguousarray(part).data)
        else:
            digest.update(f"{name} {part!r}".encode())
    name = digest.hexdigest()

    def forget(gone: weakref.ref) -> None:
        if key in _names and _names[key][0] is gone:
            del _names[key]

    _names[key] = weakref.ref(upload, forget), name
    return name


def same(one: Any, other: Any) -> bool:
    """Whether two uploads hold the same."""
    return one is other or (one is not None and other is not None and name_of(one) == name_of(other))


def parsed(name: str, content: bytes, choices: Choices | None = None) -> tuple[Any, str]:
    """(what a user's file holds, OwnPoints or Pictures, and what was done to it); raises ConfigError, also where the
    choices leave a question open."""
    from gan_core.data.own_files import own_data, own_data_options

    proposal = own_data.propose(name, content, choices)
    own_data_options.check_answered(proposal)
    return proposal.data, " ".join(proposal.notes)
