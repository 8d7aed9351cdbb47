"""The works that a session's pages have done beside their scripts, in threads: what runs, and what waits."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

AT_ONCE = 2  # of a session: one that was left, which nothing can end, and the one that the page waits for


@dataclass(eq=False)
class _Work:
    function: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    future: "Future[Any]" = field(default_factory=Future)

    def is_of(self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
        if self.function != function or len(self.args) != len(args) or self.kwargs.keys() != kwargs.keys():
            return False
        pairs = [*zip(self.args, args, strict=True), *((self.kwargs[name], kwargs[name]) for name in kwargs)]
        return all(_same(*pair) for pair in pairs)


class Works:
    """The unfinished works of one session.

    No session waits for another's: its threads are as many as AT_ONCE, however long what was left goes on. Where all of
    them are busy, only the work that was asked for last waits: whoever asked for another before has left it.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: list[_Work] = []
        self._next: _Work | None = None

    def join(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> "Future[Any]":
        """The result, at some time, of this work: the one that is on its way already, or a new one."""
        with self._lock:
            for work in (*self._running, self._next):
                if work is not None and work.is_of(function, args, kwargs):
                    return work.future
            work = _Work(function, args, kwargs)
            if len(self._running) < AT_ONCE:
                self._start(work)
            else:
                if self._next is not None:
                    self._next.future.cancel()
                    self._next.future.set_running_or_notify_cancel()
                self._next = work
            return work.future

    def _start(self, work: _Work) -> None:
        self._running.append(work)
        try:
            threading.Thread(target=self._do, args=(work,), name="page work", daemon=True).start()
        except RuntimeError as error:  # "can't start new thread": whoever waits for it is told, and may ask again
            self._running.remove(work)
            work.future.set_exception(error)

    def _do(self, work: _Work) -> None:
        work.future.set_running_or_notify_cancel()
        result, error = None, None
        try:
            result = work.function(*work.args, **work.kwargs)
        except BaseException as raised:  # whoever waits for it is told, as by a pool of threads
            error = raised
        with self._lock:  # first: who has heard of the end and asks again gets new work
            self._running.remove(work)
            following, self._next = self._next, None
            if following is not None:
                self._start(following)
        if error is None:
            work.future.set_result(result)
        else:
            work.future.set_exception(error)


def _same(one: Any, other: Any) -> bool:
    """Whether two arguments are equal; arrays, and what holds some, only where they are one object."""
    if one is other:
        return True
    try:
        return bool(one == other)
    except ValueError:  # the truth of an array
        return False
