"""Data sets in memory, bounded by bytes: what is used again soon is kept, and what is in use is shared and counted."""

import threading
import weakref
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any

import numpy as np

MOST_BYTES = 300_000_000  # kept though nobody may use them any more


def size_of(value: Any) -> int:
    """Bytes of the arrays that a data set holds."""
    return sum(part.nbytes for part in vars(value).values() if isinstance(part, np.ndarray))


class Kept:
    """Data sets by what they were made of, the newest ones as long as together they take at most `most` bytes.

    One that somebody still holds is found too, however large: a second copy would cost as much again.
    """

    def __init__(self, most: int = MOST_BYTES):
        self._most = most
        self._lock = threading.Lock()
        self._newest: OrderedDict[Hashable, Any] = OrderedDict()
        self._alive: weakref.WeakValueDictionary[Hashable, Any] = weakref.WeakValueDictionary()
        self._making: dict[Hashable, threading.Lock] = {}

    def get(self, key: Hashable, make: Callable[[], Any]) -> Any:
        """The value of `key`, made once, also if several ask at once; what `make` raises is not kept."""
        with self._lock:
            making = self._making.setdefault(key, threading.Lock())
        with making:
            value = self.find(key)
            try:
                if value is None:
                    value = make()
                with self._lock:
                    self._alive[key] = self._newest[key] = value
                    self._newest.move_to_end(key)
                    total = sum(map(size_of, self._newest.values()))
                    while total > self._most:
                        total -= size_of(self._newest.popitem(last=False)[1])
            finally:
                with self._lock:
                    self._making.pop(key, None)
        return value

    def find(self, key: Hashable) -> Any:
        """The value of `key`, or None."""
        with self._lock:
            return self._alive.get(key)

    def bytes(self) -> int:
        """What the values that are alive take, whoever holds them."""
        with self._lock:
            return sum(map(size_of, self._alive.values()))

    def drop(self) -> None:
        """Gives up what nobody uses; what somebody holds stays known."""
        with self._lock:
            self._newest.clear()

    def clear(self) -> None:
        """Forgets all: what is asked for next is made anew."""
        with self._lock:
            self._newest.clear()
            self._alive = weakref.WeakValueDictionary()
