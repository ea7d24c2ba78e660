"""Keeps something up to date with what a person changes faster than it can be computed. Standard library only."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, Protocol

from flow import Conversation


class Running(Protocol):
    def cancel(self) -> None: ...


Start = Callable[[Conversation, Callable[[Any, Exception | None], None]], Running]


class Latest:
    """One conversation at a time, and the newest wish wins. `cost` says what of a wish is slow: when that changes the
    running conversation is cancelled, else it may finish first, so that dragging a slider shows something on the way.

    `on_end` gets outcome and error of every conversation that was not cancelled here."""

    def __init__(self, start: Start, on_end: Callable[[Any, Exception | None], None]) -> None:
        self._start, self._on_end = start, on_end
        self._running: Running | None = None
        self._cost: Hashable = None
        self._next: tuple[Callable[[], Conversation], Hashable] | None = None
        self._number = 0

    @property
    def busy(self) -> bool:
        return self._running is not None

    def ask(self, make: Callable[[], Conversation], cost: Hashable) -> None:
        """`make` is called when its turn comes."""
        if self._running is None:
            self._begin(make, cost)
            return
        self._next = make, cost
        if cost != self._cost:
            self._abandon()
            self._go_on()

    def stop(self) -> None:
        """Cancels what runs and forgets what waits."""
        self._next = None
        self._abandon()

    def _abandon(self) -> None:
        running, self._running = self._running, None
        self._number += 1
        if running is not None:
            running.cancel()

    def _begin(self, make: Callable[[], Conversation], cost: Hashable) -> None:
        self._number += 1
        number, self._cost = self._number, cost
        over: list[bool] = []

        def end(outcome: Any, error: Exception | None) -> None:
            over.append(True)
            if number != self._number:
                return
            self._running = None
            self._on_end(outcome, error)
            self._go_on()

        running = self._start(make(), end)
        if not over:
            self._running = running

    def _go_on(self) -> None:
        if self._next is not None and self._running is None:
            (make, cost), self._next = self._next, None
            self._begin(make, cost)
