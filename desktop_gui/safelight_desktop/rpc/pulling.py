"""One download of a checkpoint on a thread of its own, told by signals."""

from __future__ import annotations

import threading
from contextlib import suppress

from PySide6.QtCore import QObject, Signal

from safelight.client.checkpoints import Checkpoint, PullProgress
from safelight.client.restoration import RestorationClient
from safelight.errors import Cancelled, SafelightError
from safelight_desktop.rpc.background import as_told


class PullCall(QObject):
    """Runs when started. Exactly one of `finished` and `failed` comes; what came of a cancelled one is gone on with
    by the next."""

    progressed = Signal(PullProgress)
    finished = Signal(Checkpoint)
    failed = Signal(SafelightError)

    def __init__(
        self, client: RestorationClient, checkpoint: str, licence_sha256: str, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._client, self._checkpoint, self._licence = client, checkpoint, licence_sha256
        self._cancelling = threading.Event()

    def start(self) -> None:
        threading.Thread(target=self._run, name="pull", daemon=True).start()

    def cancel(self) -> None:
        """`failed` follows with Cancelled."""
        self._cancelling.set()

    def _run(self) -> None:
        try:
            done = self._client.checkpoints().pull(
                self._checkpoint, self._licence, on_progress=self._progressed
            )
        except Exception as error:  # outermost loop of a thread
            told = as_told(error)
            with suppress(RuntimeError):  # Qt's half is gone: the app has ended meanwhile
                self.failed.emit(told)
        else:
            with suppress(RuntimeError):
                self.finished.emit(done)

    def _progressed(self, progress: PullProgress) -> None:
        if self._cancelling.is_set():
            raise Cancelled("the download was cancelled", "CANCELLED")
        with suppress(RuntimeError):
            self.progressed.emit(progress)
