"""A small server of a test's own, in a thread, beside GANscope's."""

import threading

import uvicorn
from starlette.applications import Starlette

from tests.conftest import wait_until


class Listening:
    """Listens on a port of this computer until `close`."""

    def __init__(self, app: Starlette, port: int):
        self._server = uvicorn.Server(uvicorn.Config(app, "127.0.0.1", port, log_level="critical"))
        self._thread = threading.Thread(target=self._server.run, daemon=True)
        self._thread.start()
        wait_until(lambda: self._server.started, 20, "the test's own server to listen")

    @property
    def ends(self) -> bool:
        """Whether `close` was called."""
        return self._server.should_exit

    def close(self) -> None:
        """Ends the server."""
        self._server.should_exit = self._server.force_exit = True
        self._thread.join(10)
