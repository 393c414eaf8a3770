"""Waiting until a condition holds, instead of sleeping for a fixed time."""

import time
from collections.abc import Callable

LONG_S = 600.0
"""Of seconds: far more than any machine needs. It only ends what would never end."""


def wait_until(condition: Callable[[], bool], what: str) -> None:
    """Return as soon as a condition holds; fail if it never does."""
    last = time.monotonic() + LONG_S
    while not condition():
        if time.monotonic() > last:
            raise AssertionError(f"not within {LONG_S:.0f} s: {what}")
        time.sleep(0.02)
