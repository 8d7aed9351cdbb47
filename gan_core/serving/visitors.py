"""Who has a page open, whether or not it trains."""

import time
from collections.abc import Callable


class Visitors:
    """The sessions that were seen connected in the last `away_end` seconds; `is_connected(session)` says it of now."""

    def __init__(self, is_connected: Callable[[str], bool], away_end: float):
        self._is_connected = is_connected
        self._away_end = away_end
        self._seen: dict[str, float] = {}

    def __bool__(self) -> bool:
        return bool(self._seen)

    def come(self, session: str) -> None:
        """A page of this session is open."""
        self._seen[session] = time.monotonic()

    def present(self, now: float) -> set[str]:
        """The sessions that are connected now; those that have been gone for too long are forgotten."""
        for session in list(self._seen):
            if self._is_connected(session):
                self._seen[session] = now
            elif now - self._seen[session] > self._away_end:
                del self._seen[session]
        return {session for session, seen in self._seen.items() if seen == now}
