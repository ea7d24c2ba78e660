"""Blocking calls on worker threads; their answers come back on the thread that asked."""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue
from typing import Any, TypeVar

from PySide6.QtCore import QObject, Signal

from safelight.errors import InternalError, SafelightError

log = logging.getLogger(__name__)
T = TypeVar("T")
THREADS = 4


SWITCH_S = 0.0005
"""How long a worker thread may hold the interpreter while the event loop waits for it. Measured with two threads that
render tiles: at Python's 5 ms a repaint of 4 ms took up to 73 ms, at 0.5 ms up to 31 ms."""


def favour_event_loop() -> None:
    """For the whole process: drawing calls let the interpreter go and take it again many times a frame."""
    sys.setswitchinterval(SWITCH_S)


class Background(QObject):
    """Worker threads whose answers are delivered by the event loop of the thread that made it. They end with the
    process: what must not be lost is waited for before that."""

    failed = Signal(SafelightError)
    """What nobody else wanted to hear of."""
    _answered = Signal(object)

    def __init__(self, parent: QObject | None = None, *, threads: int = THREADS) -> None:
        super().__init__(parent)
        self._calls: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._closed = False
        self._waiting = 0
        self._answered.connect(self._deliver)
        self._threads = [
            threading.Thread(target=self._work, name=f"background-{n}", daemon=True) for n in range(threads)
        ]
        for thread in self._threads:
            thread.start()

    @property
    def idle(self) -> bool:
        """Every answer has been delivered."""
        return self._waiting == 0

    def run(
        self,
        work: Callable[[], T],
        done: Callable[[T], None],
        failed: Callable[[SafelightError], None] | None = None,
    ) -> None:
        """Calls `work` on a worker thread, then `done` with its answer or `failed` with its error here."""
        self._waiting += 1
        self._calls.put(lambda: self._call(work, done, failed or self.failed.emit))

    def drain(self, timeout_s: float) -> None:
        """Waits for the calls that are in line; for one thread, and for closing the app."""
        over = threading.Event()
        self._calls.put(over.set)
        over.wait(timeout_s)

    def close(self) -> None:
        """Running calls end by themselves; nothing is delivered any more."""
        self._closed = True
        for _ in self._threads:
            self._calls.put(None)

    def _work(self) -> None:
        while (call := self._calls.get()) is not None:
            if not self._closed:
                call()

    def _call(
        self,
        work: Callable[[], T],
        done: Callable[[T], None],
        failed: Callable[[SafelightError], object],
    ) -> None:
        delivery: Callable[[], object]
        try:
            answer = work()
        except Exception as error:  # outermost loop of a thread
            told = as_told(error)
            delivery = lambda: failed(told)  # noqa: E731
        else:
            delivery = lambda: done(answer)  # noqa: E731
        with suppress(RuntimeError):  # Qt's half is gone: the app has ended meanwhile
            self._answered.emit(delivery)

    def _deliver(self, delivery: Any) -> None:
        self._waiting -= 1
        if not self._closed:
            delivery()


def as_told(error: Exception) -> SafelightError:
    """What a person is told; a fault of ours is logged whole."""
    if isinstance(error, SafelightError):
        return error
    if isinstance(error, MemoryError):
        return InternalError("there is not enough memory for this picture: close other programs", "NO_MEMORY")
    log.error("a fault", exc_info=error)
    return InternalError(
        f"something went wrong in the app ({type(error).__name__}: {error}): please report it", "FAULT"
    )
