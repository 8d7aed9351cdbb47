"""The one hub of a server."""

import threading
from collections.abc import Callable

from gan_core.serving.hub import Hub

_the_hub: Hub | None = None
_the_lock = threading.Lock()


def the_hub(is_connected: Callable[[str], bool]) -> Hub:
    """The hub of this process, made at the first call. Raises ValueError where a variable is malformed.

    No cache of Streamlit's holds it: whoever can send "clear the cache" would get a second hub, and with it as many
    training processes again.
    """
    global _the_hub
    with _the_lock:
        if _the_hub is None:
            _the_hub = Hub(is_connected)
        return _the_hub
