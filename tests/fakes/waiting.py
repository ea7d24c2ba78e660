"""Waiting for conditions instead of sleeping."""

import threading
import time

LOOK_S = 0.005


def until(condition, *, within_s=20.0):
    """Waits until `condition()` is true and gives what it gave; fails the test when time is over. A generous
    deadline costs nothing: only a failing test waits for it."""
    deadline = time.monotonic() + within_s
    while not (found := condition()):
        assert time.monotonic() < deadline, f"not within {within_s:g} s"
        threading.Event().wait(LOOK_S)
    return found


def seconds_until(condition, *, within_s=20.0):
    """How long it took."""
    started = time.monotonic()
    until(condition, within_s=within_s)
    return time.monotonic() - started
