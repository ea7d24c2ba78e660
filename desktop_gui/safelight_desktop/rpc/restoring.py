"""One job: RestorationClient.restore on a thread of its own, told by signals."""

from __future__ import annotations

import math
import threading
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QImage

from safelight.client.restoration import RestorationClient, Restored, Work
from safelight.errors import SafelightError
from safelight.geometry import Rect
from safelight.settings import RestoreSettings
from safelight_desktop.planes.colours import image_of
from safelight_desktop.planes.pyramid import average
from safelight_desktop.rpc.background import as_told

PREVIEW_PIXELS = 32_000_000  # all tiles of a job together: 128 MB


@dataclass(frozen=True)
class Progress:
    """How far a job is."""

    stage: str
    """upload, load, prepare, condition, encode, predict, decode or finish; queued before."""
    fraction: float
    eta_s: float
    """Negative while unknown."""
    tiles_done: int
    tiles: int
    step: int
    steps: int
    jobs_ahead: int


@dataclass(frozen=True)
class FinishedTile:
    """A provisional part of the result, ready to be drawn."""

    rect: Rect
    """In the result."""
    image: QImage
    """sRGB; smaller than `rect` where the whole result is large."""


class RestoreCall(QObject):
    """Runs when started; lives on the thread that made it. Exactly one of `finished` and `failed` comes."""

    accepted = Signal(str)
    progressed = Signal(Progress)
    tile_finished = Signal(FinishedTile)
    finished = Signal(Restored)
    failed = Signal(SafelightError)

    def __init__(
        self,
        client: RestorationClient,
        work: Work,
        settings: RestoreSettings,
        parent: QObject | None = None,
        *,
        previews: bool = True,
        patch: Rect | None = None,
        focus: tuple[int, int] | None = None,
    ) -> None:
        """`patch` and `focus` as RestorationClient.restore has them."""
        super().__init__(parent)
        self.client = client
        self.work, self.settings, self.patch = work, settings, patch
        self._focus = focus
        self._previews = previews
        self._cancelling = threading.Event()
        self._thread = threading.Thread(target=self._run, name="restore", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def cancel(self) -> None:
        """`failed` follows with Cancelled, within a tile batch."""
        self._cancelling.set()

    @property
    def cancelling(self) -> bool:
        return self._cancelling.is_set()

    def wait(self, timeout_s: float) -> None:
        """Until the thread is over; for closing the app."""
        self._thread.join(timeout_s)

    def _run(self) -> None:
        try:
            restored = self.client.restore(
                self.work,
                self.settings,
                on_accepted=self.accepted.emit,
                on_progress=lambda progress: self.progressed.emit(told_progress(progress)),
                on_preview=self._preview if self._previews else None,
                cancelling=self._cancelling,
                patch=self.patch,
                focus=self._focus,
            )
        except Exception as error:  # outermost loop of a thread
            told = as_told(error)
            with suppress(RuntimeError):  # Qt's half is gone: the app has ended meanwhile
                self.failed.emit(told)
        else:
            with suppress(RuntimeError):
                self.finished.emit(restored)

    def _preview(self, preview: Any) -> None:
        place = preview.rect
        rect = Rect(place.x_px, place.y_px, place.width_px, place.height_px)
        pixels = np.frombuffer(preview.data, np.uint8).reshape(rect.height, rect.width, 3)
        image = image_of(np.ascontiguousarray(average(pixels, self._preview_block)))
        self.tile_finished.emit(FinishedTile(rect, image))

    @property
    def _preview_block(self) -> int:
        """Pixels of the result for each one of a preview, a side."""
        size = self.work.region.size.scaled(self.settings.output_scale)
        return max(1, math.ceil(math.sqrt(size.area / PREVIEW_PIXELS)))


def told_progress(told: Any) -> Progress:
    """From the daemon's message."""
    return Progress(
        told.stage or "queued",
        told.fraction,
        told.eta_s,
        told.tile_count_done,
        told.tile_count,
        told.step,
        told.step_count,
        told.jobs_ahead,
    )
