"""What the server sends to a training process while it trains, read by a thread of its own, with the run's lease."""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from typing import Any

from gan_core.serving.wire import LEAVE_SECONDS, Wire

LEASE_SECONDS = 20.0  # without a renewal: pause
ORPHAN_SECONDS = 90.0  # without a renewal: end


class Mailbox:
    """What the server has said and the loop has not yet taken. The newest config and frame request win."""

    def __init__(self, wire: Wire):
        self._wire = wire
        self._news = threading.Condition()
        self._commands: deque[tuple[str, Any]] = deque()
        self._newest: dict[str, Any] = {}
        self._upload: tuple[str, Any] = ("", None)  # the user's own data that came last, and their name
        self._quits = False
        self.may_save = False  # whether there is a loop that could have something to write before the end
        self.lease_until = time.monotonic() + ORPHAN_SECONDS
        threading.Thread(target=self._read, daemon=True).start()
        threading.Thread(target=self._watch, daemon=True).start()

    def _read(self) -> None:
        while True:
            try:
                kind, body = self._wire.receive()
            except Exception:  # the server is gone, or what it says cannot be read any more
                self._quit()
                return
            if kind == "quit":
                self._quit()
                return
            if kind == "upload":
                self._upload = body["name"], body["content"]
                continue
            if kind == "configure":
                name, content = self._upload
                body = {**body, "upload": content if body["upload"] == name else None}
            with self._news:
                if kind == "lease":
                    self.lease_until = time.monotonic() + LEASE_SECONDS
                elif kind in ("configure", "frame"):
                    self._newest[kind] = body
                else:
                    self._commands.append((kind, body))
                self._news.notify()

    def _watch(self) -> None:
        while time.monotonic() < self.lease_until + ORPHAN_SECONDS - LEASE_SECONDS:
            time.sleep(1)
        self._quit()

    def _quit(self) -> None:
        """Nobody is left to train for: the loop writes what is not saved within LEAVE_SECONDS; without it, the end."""
        if not self.may_save:
            os._exit(0)
        with self._news:
            if self._quits:
                return
            self._quits = True
            self._commands.append(("quit", None))
            self._news.notify()
        timer = threading.Timer(LEAVE_SECONDS, os._exit, (0,))
        timer.daemon = True
        timer.start()

    def leased(self) -> bool:
        """Whether somebody still wants this worker to train."""
        return time.monotonic() < self.lease_until

    def waiting(self) -> bool:
        """Whether a message waits to be taken."""
        return bool(self._newest or self._commands)

    def take(self, wait: float) -> list[tuple[str, Any]]:
        """The waiting messages, the config first, after waiting at most `wait` seconds for one."""
        with self._news:
            if wait > 0 and not self._newest and not self._commands:
                self._news.wait(wait)
            messages = [("configure", self._newest.pop("configure"))] if "configure" in self._newest else []
            messages += self._commands
            self._commands.clear()
            if "frame" in self._newest:
                messages.append(("frame", self._newest.pop("frame")))
            return messages
