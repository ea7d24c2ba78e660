"""Conversations with the bridge written as they go, step by step, without ever waiting. Standard library only.

A conversation is a generator. It yields `Ask` and gets the result's fields, or the SafelightError is raised at the
`yield`; what it returns is its outcome.

    def estimate():
        plan = yield Ask("plan", {...})
        return plan["seconds"]
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from bridge_process import BridgeProcess, Request
from errors import SafelightError
from texts import N_

OnEvent = Callable[[str, dict[str, Any], bytes], None]
Rows = Iterable[tuple[str, bytes]]
Conversation = Generator["Ask", dict[str, Any], Any]


def _nothing(*_: object) -> None:
    pass


@dataclass(frozen=True)
class Ask:
    """One request."""

    command: str
    fields: Mapping[str, Any] = field(default_factory=dict)
    payload: bytes = b""
    on_event: OnEvent = _nothing
    rows: Rows = ()
    """Plane and bytes of a document's rows; made one after the other while GIMP is idle."""


class Talk:
    """Runs one conversation. `on_end` gets its outcome and None, or None and the error it ended with: a SafelightError,
    or whatever else went wrong in it. `later` calls a function when nothing else is to be done."""

    def __init__(
        self,
        bridge: BridgeProcess,
        conversation: Conversation,
        on_end: Callable[[Any, Exception | None], None],
        later: Callable[[Callable[[], None]], None],
    ) -> None:
        self._bridge, self._conversation = bridge, conversation
        self._on_end, self._later = on_end, later
        self._request: Request | None = None
        self.over = False
        self._step(lambda: next(conversation))

    def cancel(self) -> None:
        """It ends with the error CANCELLED at once; what the bridge still does for it is cancelled there."""
        self.fail(cancelled())

    def fail(self, error: Exception) -> None:
        """The same with another error."""
        if self._request is not None:
            self._bridge.cancel(self._request)
        self._step(lambda: self._conversation.throw(error))

    def _step(self, advance: Callable[[], Ask]) -> None:
        """An outermost loop: whatever the conversation raises is its end."""
        if self.over:
            return
        try:
            ask = advance()
        except StopIteration as end:
            self._finish(end.value, None)
            return
        except Exception as error:
            self._finish(None, error)
            return
        request = self._request = self._bridge.request(
            ask.command,
            ask.fields,
            ask.payload,
            on_event=lambda *event: self._event(ask.on_event, *event),
            on_result=lambda fields: self._step(lambda: self._conversation.send(fields)),
            on_error=lambda error: self._step(lambda: self._conversation.throw(error)),
        )
        if ask.rows:
            self._send_next(request, iter(ask.rows))

    def _event(self, take: OnEvent, event: str, fields: dict[str, Any], payload: bytes) -> None:
        """What goes wrong in taking an event ends the conversation; else nobody would hear of it."""
        if self.over:
            return
        try:
            take(event, fields, payload)
        except Exception as error:
            self.fail(error)

    def _send_next(self, request: Request, rows: Iterator[tuple[str, bytes]]) -> None:
        """One band at a time, so that windows stay alive meanwhile."""
        if self.over or request.ended:
            return
        try:
            band = next(rows, None)
        except Exception as error:
            problem = error
            self._step(lambda: self._conversation.throw(problem))
            return
        if band is not None:
            self._bridge.send_rows(request, *band)
            self._later(lambda: self._send_next(request, rows))

    def _finish(self, outcome: Any, error: Exception | None) -> None:
        self.over = True
        self._request = None
        self._on_end(outcome, error)


def cancelled() -> SafelightError:
    return SafelightError("CANCELLED", N_("It was cancelled."))
