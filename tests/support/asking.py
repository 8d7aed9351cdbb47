"""Coroutines run from a test, whatever loops the tests before it have left."""

import asyncio
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor


def run_apart(coroutine: Coroutine, seconds: float = 40):
    """What `coroutine` returns, run in another thread: Playwright leaves a running loop in that of the tests."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, coroutine).result(seconds)
