"""What keeps a thread of the server alive whatever a part of its work raises."""

import logging
import time
from collections.abc import Callable
from typing import Any

LOG_AGAIN_SECONDS = 60.0

_LOGGER = logging.getLogger(__name__)


class Guard:
    """Runs the parts of a thread's work one by one. Whatever one raises is logged, the same trouble once a minute, and
    the other parts and the next turn come all the same: were the thread to end, all that it tends would stand still."""

    def __init__(self, thread: str):
        self._thread = thread
        self._logged: dict[str, float] = {}  # trouble -> until when it is not logged again

    def run(self, what: str, part: Callable[..., None], *args: Any) -> None:
        """`part(*args)`, which does the work for `what`."""
        try:
            part(*args)
        except Exception as error:
            said, now = f"{what}: {error!r}", time.monotonic()
            if now > self._logged.get(said, 0.0):
                self._logged = {text: until for text, until in self._logged.items() if until > now}
                self._logged[said] = now + LOG_AGAIN_SECONDS
                _LOGGER.exception("%s goes on without its part for %s", self._thread, what)
