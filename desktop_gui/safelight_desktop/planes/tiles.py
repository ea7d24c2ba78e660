"""Renders tiles on worker threads, what is looked at first, and keeps the last ones."""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Sequence
from typing import NamedTuple

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QImage

from safelight_desktop.planes.layers import Layer

log = logging.getLogger(__name__)

CACHE_BYTES = 384 << 20  # two layers on a 4K screen take 100 MB at one level
THREADS = 2


class TileKey(NamedTuple):
    """One tile of one layer."""

    layer: int
    level: int
    column: int
    row: int


class Wanted(NamedTuple):
    """A tile to be rendered and the layer that can."""

    key: TileKey
    layer: Layer


class TileStore(QObject):
    """A bounded cache of tiles with its workers. Used from the thread that owns it."""

    arrived = Signal()
    """At least one tile is new."""

    def __init__(
        self, parent: QObject | None = None, *, cache_bytes: int = CACHE_BYTES, threads: int = THREADS
    ) -> None:
        super().__init__(parent)
        self._cache_bytes = cache_bytes
        self._held_bytes = 0
        self._tiles: OrderedDict[TileKey, QImage] = OrderedDict()
        self._condition = threading.Condition()
        self._queue: list[Wanted] = []
        self._running: set[TileKey] = set()
        self._closed = False
        self._threads = [
            threading.Thread(target=self._work, name=f"tiles-{n}", daemon=True) for n in range(threads)
        ]
        for thread in self._threads:
            thread.start()

    @property
    def held_bytes(self) -> int:
        return self._held_bytes

    @property
    def idle(self) -> bool:
        """Nothing is waiting or being rendered."""
        with self._condition:
            return not self._queue and not self._running

    def tile(self, key: TileKey) -> QImage | None:
        """The tile, when it is there."""
        with self._condition:
            image = self._tiles.get(key)
            if image is not None:
                self._tiles.move_to_end(key)
            return image

    def want(self, wanted: Sequence[Wanted]) -> None:
        """From now on these, the first one first; what was wanted before and is not here is forgotten."""
        with self._condition:
            self._queue = [w for w in wanted if w.key not in self._tiles and w.key not in self._running]
            self._queue.reverse()
            self._condition.notify_all()

    def close(self) -> None:
        """Ends the workers; at most one tile each is still rendered."""
        with self._condition:
            self._closed = True
            self._queue = []
            self._condition.notify_all()
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        while True:
            with self._condition:
                self._condition.wait_for(lambda: self._queue or self._closed)
                if self._closed:
                    return
                key, layer = self._queue.pop()
                self._running.add(key)
            image = self._rendered(key, layer)
            with self._condition:
                self._running.discard(key)
                if image is not None:
                    self._keep(key, image)
                if self._closed:
                    return
            self.arrived.emit()

    def _rendered(self, key: TileKey, layer: Layer) -> QImage | None:
        try:
            return layer.render(key.level, layer.tile_rect(key.level, key.column, key.row))
        except Exception:  # outermost loop of a thread: a tile that fails stays empty
            log.exception("tile %s", key)
            return QImage()

    def _keep(self, key: TileKey, image: QImage) -> None:
        self._tiles[key] = image
        self._held_bytes += image.sizeInBytes()
        while self._held_bytes > self._cache_bytes and len(self._tiles) > 1:
            _, oldest = self._tiles.popitem(last=False)
            self._held_bytes -= oldest.sizeInBytes()
