"""`safelight bridge`: what the GIMP plug-in speaks with, over its standard input and output.

Frames as `bridge_framing` says. Each request has an `id` of its own and a `command`; every frame that answers it
carries the same `id` and an `event`: any number of others, then `result` or `error` (reason, message, details).

    hello       protocol, client                 -> protocol, version, capabilities; must come first
    pipelines                                    -> what the dialog is drawn from: see `bridge_listing`
    plan        pipeline, values, document, region -> sent, seconds, memory_bytes
    preload     pipeline                         -> loads it
    document    key, document, sent, region, channels, alpha, sample, linear, masked; payload: ICC profile
    rows        plane (pixels, mask); payload: whole rows; same id as its `document`, answered when all are there
    forget      key                              -> gives the memory of a document back
    restore     document (a key), pipeline, preset, values, in_place, result (layer, composited), patch, title
                                                 -> accepted, progress ..., rows ..., result
    assess      document                         -> rows ..., result: RGBA overlays to lay over its last result, and
                                                    numbers, of how far that went (docs/report.md)
    record      record, source_type, operation, generative -> the texts of an image's XMP with one operation more
    checkpoints pipeline                         -> what it needs, with licences
    pull        checkpoint, licence_sha256       -> progress ..., result
    cancel      target (an id)                   -> its request ends with the error CANCELLED

Rectangles are [x, y, width, height], sizes [width, height]. Requests run side by side. The end of the input ends
the process, and with it whatever it had asked of the daemon.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import safelight
from safelight.client.bridge_framing import Frame, FramingError, Reader, Writer, read_frame, write_frame
from safelight.errors import Cancelled, InvalidRequest, NotReady, SafelightError

log = logging.getLogger(__name__)

PROTOCOL = 1
CAPABILITIES = ("layers", "patches", "checkpoints", "record", "assessment")

Tell = Callable[..., None]
"""tell(event, payload=b"", **fields): one more frame for a request."""


@dataclass(frozen=True)
class Call:
    """One request and what it needs while it runs."""

    fields: Mapping[str, Any]
    payload: bytearray
    tell: Tell
    cancelling: threading.Event = field(default_factory=threading.Event)

    def text(self, name: str) -> str:
        value = self.fields.get(name)
        if not isinstance(value, str):
            raise InvalidRequest(f"the request has no text {name!r}: give it", "REQUEST_INCOMPLETE")
        return value


Command = Callable[[Call], Mapping[str, Any] | None]
"""Gives the fields of the result; None: the answer comes later, with other frames."""


class Session:
    """One plug-in's conversation. `run` reads on the caller's thread; every command has a thread of its own, but for
    `inline` ones, which are quick and keep the order in which they came."""

    def __init__(
        self, reader: Reader, writer: Writer, commands: Mapping[str, Command], inline: Mapping[str, Command]
    ) -> None:
        self._reader, self._writer = reader, writer
        self._commands, self._inline = commands, inline
        self._writing = threading.Lock()
        self._running: dict[int, Call] = {}
        self._greeted = False

    def run(self) -> None:
        """Until the input ends. Raises FramingError when what comes are no frames."""
        while (frame := read_frame(self._reader)) is not None:
            self._take(frame)

    def _take(self, frame: Frame) -> None:
        number, name = frame.header.pop("id", None), frame.header.pop("command", None)
        if not isinstance(number, int) or not isinstance(name, str):
            raise FramingError("a request without id or command")
        call = Call(frame.header, frame.payload, lambda event, **more: self._tell(number, event, **more))
        if name == "hello":
            self._answer(number, self._hello, call)
        elif not self._greeted:
            self._answer(number, _not_greeted, call)
        elif name == "cancel":
            self._answer(number, self._cancel, call)
        elif name in self._inline:
            self._answer(number, self._inline[name], call)
        elif name in self._commands:
            self._running[number] = call
            command = self._commands[name]
            threading.Thread(target=self._run_aside, args=(number, command, call), daemon=True).start()
        else:
            self._answer(number, _unknown, call)

    def _run_aside(self, number: int, command: Command, call: Call) -> None:
        try:
            self._answer(number, command, call)
        finally:
            self._running.pop(number, None)

    def _answer(self, number: int, command: Command, call: Call) -> None:
        """An outermost loop: everything becomes an answer."""
        try:
            fields = command(call)
            if fields is not None:
                self._tell(number, "result", **fields)
        except BrokenPipeError:
            log.info("the plug-in is gone")
        except SafelightError as error:
            self._tell_error(number, error.reason, error.message, error.details)
        except Exception as error:
            log.exception("request %d", number)
            text = f"something went wrong that should not ({type(error).__name__}: {str(error)[:200]})"
            self._tell_error(number, "INTERNAL", f"{text}: please report it", {})

    def _tell_error(self, number: int, reason: str, message: str, details: Mapping[str, str]) -> None:
        try:
            self._tell(number, "error", reason=reason, message=message, details=dict(details))
        except BrokenPipeError:
            log.info("the plug-in is gone")

    def _tell(self, number: int, event: str, *, payload: bytes | memoryview = b"", **fields: object) -> None:
        with self._writing:
            write_frame(self._writer, {"id": number, "event": event, **fields}, payload)

    def _hello(self, call: Call) -> Mapping[str, Any]:
        theirs = call.fields.get("protocol")
        if theirs != PROTOCOL:
            raise _other_protocol(theirs)
        self._greeted = True
        return {
            "protocol": PROTOCOL,
            "version": safelight.__version__,
            "capabilities": list(CAPABILITIES),
        }

    def _cancel(self, call: Call) -> Mapping[str, Any]:
        target = self._running.get(call.fields.get("target", 0))
        if target is not None:
            target.cancelling.set()
        return {"was_running": target is not None}


def _other_protocol(theirs: object) -> NotReady:
    """Says which side to upgrade."""
    if isinstance(theirs, int) and theirs > PROTOCOL:
        do = "upgrade Safelight (pip install --upgrade safelight), then restart GIMP"
        which = "newer"
    else:
        do = "renew it with safelight gimp install, then restart GIMP"
        which = "older"
    return NotReady(
        f"the GIMP plug-in is {which} than Safelight {safelight.__version__}: {do}",
        "PROTOCOL_MISMATCH",
        details={"plug_in_protocol": str(theirs), "bridge_protocol": str(PROTOCOL)},
    )


def _not_greeted(call: Call) -> Mapping[str, Any]:
    raise InvalidRequest("the first request must be hello: send it", "HELLO_MISSING")


def _unknown(call: Call) -> Mapping[str, Any]:
    raise NotReady(
        f"Safelight {safelight.__version__} does not know this request of the GIMP plug-in: upgrade Safelight",
        "PROTOCOL_MISMATCH",
    )


def cancelled() -> Cancelled:
    return Cancelled("the job was cancelled", "CANCELLED")
