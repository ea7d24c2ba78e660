"""A command of `safelight` on this machine, in a process of its own, told by signals."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from PySide6.QtCore import QObject, Signal

from safelight.errors import Cancelled, NotReady, SafelightError
from safelight_desktop.rpc.background import as_told

SAID_CHARS_MOST = 400


class CommandCall(QObject):
    """Runs when started, with --json. Exactly one of `finished` and `failed` comes."""

    line = Signal(dict)
    """Each JSON line."""
    finished = Signal(int)
    """Exit code of a command that named no error."""
    failed = Signal(SafelightError)

    def __init__(self, arguments: Sequence[str], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._command = [sys.executable, "-m", "safelight.cli.main", *arguments, "--json"]
        self._cancelling = threading.Event()
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        threading.Thread(target=self._run, name="command", daemon=True).start()

    def cancel(self) -> None:
        """Ends the process; `failed` follows with Cancelled."""
        self._cancelling.set()
        if self._process is not None:
            self._process.terminate()

    def _run(self) -> None:
        try:
            code = self._through()
        except Exception as error:  # outermost loop of a thread
            told = as_told(error)
            with suppress(RuntimeError):  # Qt's half is gone: the app has ended meanwhile
                self.failed.emit(told)
        else:
            with suppress(RuntimeError):
                self.finished.emit(code)

    def _through(self) -> int:
        pipe = subprocess.PIPE
        error: SafelightError | None = None
        said: list[str] = []
        with subprocess.Popen(
            self._command, stdout=pipe, stderr=pipe, text=True, stdin=subprocess.DEVNULL
        ) as process:
            self._process = process
            if self._cancelling.is_set():
                process.terminate()
            assert process.stdout is not None
            assert process.stderr is not None
            errors = process.stderr
            listener = threading.Thread(target=lambda: said.append(errors.read()), daemon=True)
            listener.start()
            for line in process.stdout:
                event = _event(line)
                if event.get("event") == "error":
                    error = NotReady(str(event.get("message")), str(event.get("reason")))
                elif event:
                    with suppress(RuntimeError):
                        self.line.emit(event)
            listener.join()
        if self._cancelling.is_set():
            raise Cancelled("the command was ended", "CANCELLED")
        if error is not None:
            raise error
        if process.returncode not in (0, 1):
            words = "".join(said).strip()[-SAID_CHARS_MOST:] or f"exit code {process.returncode}"
            raise NotReady(f"the command ended with an error: {words}", "COMMAND_FAILED")
        return process.returncode


def _event(line: str) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
