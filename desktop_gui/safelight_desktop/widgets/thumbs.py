"""Small pictures of files for lists: made on worker threads, what is in sight first."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QImage, QPixmap

from safelight.errors import SafelightError
from safelight_desktop.planes.thumbnails import thumbnail
from safelight_desktop.rpc.background import Background

HELD_MOST = 600  # of 320 px: 120 MB
WAITING_MOST = 80  # what was asked for before has been scrolled away
AT_ONCE = 2


class Thumbs(QObject):
    """One size. `get` never waits."""

    ready = Signal(Path)

    def __init__(
        self,
        side_px: int,
        parent: QObject | None = None,
        *,
        monitor_icc: Callable[[], bytes] = lambda: b"",
    ) -> None:
        super().__init__(parent)
        self.side_px, self._monitor_icc = side_px, monitor_icc
        self._background = Background(self, threads=AT_ONCE)
        self._held: OrderedDict[Path, QPixmap | None] = OrderedDict()
        self._waiting: OrderedDict[Path, None] = OrderedDict()
        self._running: set[Path] = set()
        self._stale: set[Path] = set()

    @property
    def idle(self) -> bool:
        return not self._running and not self._waiting

    def get(self, path: Path) -> QPixmap | None:
        """None while there is none, and for ever where it cannot be read; `ready` follows otherwise."""
        if path in self._held:
            self._held.move_to_end(path)
            return self._held[path]
        if path not in self._running:
            self._waiting[path] = None
            self._waiting.move_to_end(path)
            while len(self._waiting) > WAITING_MOST:
                self._waiting.popitem(last=False)
            self._next()
        return None

    def forget(self, path: Path) -> None:
        """The file is another one now."""
        self._held.pop(path, None)
        if path in self._running:
            self._stale.add(path)

    def close(self) -> None:
        self._waiting.clear()
        self._background.close()

    def _next(self) -> None:
        while self._waiting and len(self._running) < AT_ONCE:
            path, _ = self._waiting.popitem(last=True)
            self._running.add(path)
            self._background.run(
                partial(thumbnail, path, self.side_px, self._monitor_icc()),
                partial(self._made, path),
                partial(self._not_made, path),
            )

    def _made(self, path: Path, image: QImage) -> None:
        self._keep(path, QPixmap.fromImage(image))

    def _not_made(self, path: Path, _: SafelightError) -> None:
        self._keep(path, None)

    def _keep(self, path: Path, pixmap: QPixmap | None) -> None:
        self._running.discard(path)
        if path in self._stale:
            self._stale.discard(path)
        else:
            self._held[path] = pixmap
            while len(self._held) > HELD_MOST:
                self._held.popitem(last=False)
        self.ready.emit(path)
        self._next()
