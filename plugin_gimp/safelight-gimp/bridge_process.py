"""The process `safelight bridge` and requests to it. Standard library only.

Nothing here waits: a thread writes what is to be sent, one reads what comes, and every answer is handed to
`deliver`, which brings it to the thread that may touch GIMP. When GIMP or the plug-in ends, however it ends, the
bridge sees the end of its input and ends too, and with it the job in the daemon.
"""

from __future__ import annotations

import collections
import itertools
import queue
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

from errors import SafelightError
from framing import FramingError, read_frame, write_frame
from texts import N_

PROTOCOL = 1
CLIENT = "safelight-gimp"
GREETING_WAIT_S = 60.0  # Python and grpc from a cold disk
LEAVING_S = 2.0
WORDS_KEPT = 40  # lines of the bridge's own log, for the details of an error

Deliver = Callable[[Callable[[], None]], None]


class Request:
    """One request and how its answers are taken. All callbacks come by `deliver`; after `on_result` or `on_error`
    none comes any more."""

    def __init__(
        self,
        number: int,
        on_result: Callable[[dict[str, Any]], None],
        on_error: Callable[[SafelightError], None],
        on_event: Callable[[str, dict[str, Any], bytes], None],
    ) -> None:
        self.number = number
        self.on_result, self.on_error, self.on_event = on_result, on_error, on_event
        self.ended = False


def _nothing(*_: object) -> None:
    pass


class BridgeProcess:
    """See the module. Methods are called from one thread, the one that `deliver` delivers to."""

    def __init__(self, command: Sequence[str], environ: Mapping[str, str], deliver: Deliver) -> None:
        """Starts it. Raises SafelightError (BRIDGE_NOT_STARTED)."""
        self._deliver = deliver
        self._numbers = itertools.count(1)
        self._requests: dict[int, Request] = {}
        self._outbox: queue.SimpleQueue[tuple[dict[str, Any], bytes] | None] = queue.SimpleQueue()
        self._words: collections.deque[str] = collections.deque(maxlen=WORDS_KEPT)
        self._closing = False
        self._failure: SafelightError | None = None
        self.version = ""
        try:
            self._process = subprocess.Popen(
                list(command),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=dict(environ),
                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0) if sys.platform == "win32" else 0,
            )
        except OSError as error:
            raise SafelightError(
                "BRIDGE_NOT_STARTED",
                N_("Safelight could not be started: run safelight gimp install in a terminal."),
                {"command": " ".join(command), "error": str(error)},
            ) from None
        self._drainer, *_ = self._threads = [
            threading.Thread(target=loop, daemon=True) for loop in (self._drain, self._listen, self._send)
        ]
        for thread in self._threads:
            thread.start()
        self._greet()

    # -- asking ------------------------------------------------------------------------------------

    def request(
        self,
        command: str,
        fields: Mapping[str, Any] | None = None,
        payload: bytes = b"",
        *,
        on_result: Callable[[dict[str, Any]], None] = _nothing,
        on_error: Callable[[SafelightError], None] = _nothing,
        on_event: Callable[[str, dict[str, Any], bytes], None] = _nothing,
    ) -> Request:
        """Sends a request; returns at once. When the bridge is gone already the error is delivered."""
        made = Request(next(self._numbers), on_result, on_error, on_event)
        self._requests[made.number] = made
        if self._failure is not None:
            failure = self._failure
            self._deliver(lambda: self._end(made, failure))
        else:
            self._outbox.put(({"id": made.number, "command": command, **(fields or {})}, payload))
        return made

    def send_rows(self, document: Request, plane: str, data: bytes) -> None:
        """Rows of the document that a request has announced."""
        if not document.ended:
            self._outbox.put(({"id": document.number, "command": "rows", "plane": plane}, data))

    def cancel(self, request: Request) -> None:
        """It ends with the error CANCELLED, unless it has just ended."""
        if not request.ended:
            self.request("cancel", {"target": request.number})

    def close(self) -> None:
        """Ends the bridge, and with it what it had asked of the daemon; waits for at most a few seconds."""
        self._closing = True
        self._outbox.put(None)
        try:
            self._process.wait(LEAVING_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for thread in self._threads:
            thread.join(LEAVING_S)

    # -- threads -----------------------------------------------------------------------------------

    def _send(self) -> None:
        assert self._process.stdin is not None
        with suppress(OSError, ValueError):  # it is gone: the listener says so
            while (item := self._outbox.get()) is not None:
                write_frame(self._process.stdin, *item)
        with suppress(OSError):
            self._process.stdin.close()

    def _drain(self) -> None:
        assert self._process.stderr is not None
        with self._process.stderr as words:
            for line in words:
                self._words.append(line.decode(errors="replace").rstrip())

    def _listen(self) -> None:
        assert self._process.stdout is not None
        problem = ""
        try:
            with self._process.stdout as frames:
                while (frame := read_frame(frames)) is not None:
                    self._deliver(partial(self._take, frame.header, frame.payload))
        except (FramingError, OSError) as error:
            problem = str(error)
        self._drainer.join(LEAVING_S)
        self._deliver(lambda: self._gone(problem))

    # -- answers -----------------------------------------------------------------------------------

    def _greet(self) -> None:
        timer = threading.Timer(GREETING_WAIT_S, lambda: self._deliver(self._silent))
        timer.daemon = True
        timer.start()

        def answered(fields: dict[str, Any]) -> None:
            timer.cancel()
            self.version = str(fields.get("version", ""))
            if fields.get("protocol") != PROTOCOL:
                self._fail(_other_protocol(fields))

        def refused(error: SafelightError) -> None:
            timer.cancel()
            self._fail(error)

        self.request("hello", {"protocol": PROTOCOL, "client": CLIENT}, on_result=answered, on_error=refused)

    def _take(self, header: dict[str, Any], payload: bytes) -> None:
        request = self._requests.get(header.pop("id", 0))
        event = header.pop("event", "")
        if request is None:
            return
        if event == "result":
            self._requests.pop(request.number)
            request.ended = True
            request.on_result(header)
        elif event == "error":
            details = {str(k): str(v) for k, v in header.get("details", {}).items()}
            self._end(request, SafelightError(str(header.get("reason")), str(header.get("message")), details))
        else:
            request.on_event(str(event), header, payload)

    def _end(self, request: Request, error: SafelightError) -> None:
        if not request.ended:
            self._requests.pop(request.number, None)
            request.ended = True
            request.on_error(error)

    def _fail(self, error: SafelightError) -> None:
        """Nothing more can be asked; what was asked ends with this."""
        self._failure = self._failure or error
        for request in list(self._requests.values()):
            self._end(request, self._failure)

    def _silent(self) -> None:
        self._fail(
            SafelightError(
                "BRIDGE_SILENT",
                N_("Safelight did not answer: try again, or run safelight doctor in a terminal."),
                {"seconds": f"{GREETING_WAIT_S:.0f}", "log": self._last_words()},
            )
        )

    def _gone(self, problem: str) -> None:
        if self._closing:
            return
        self._fail(
            SafelightError(
                "BRIDGE_GONE",
                N_("Safelight ended unexpectedly: run safelight doctor in a terminal to see why."),
                {"problem": problem or f"exit code {self._process.poll()}", "log": self._last_words()},
            )
        )

    def _last_words(self) -> str:
        return "\n".join(self._words)


def _other_protocol(fields: Mapping[str, Any]) -> SafelightError:
    """Of a bridge that did not refuse us itself."""
    return SafelightError(
        "PROTOCOL_MISMATCH",
        N_("This plug-in and Safelight do not fit: run safelight gimp install, then restart GIMP."),
        {
            "safelight": str(fields.get("version")),
            "bridge_protocol": str(fields.get("protocol")),
            "plug_in_protocol": str(PROTOCOL),
        },
    )
