"""Maps of how far the shown rendition went from the original, asked for while a person wants to see one."""

from __future__ import annotations

import math
import threading
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QImage

from safelight.client.assessment import Assessed, AssessmentClient
from safelight.client.restoration import RestorationClient, Restored
from safelight.errors import Cancelled, SafelightError
from safelight.geometry import Rect, Size
from safelight.imaging.overlay import overlay
from safelight_desktop.state.editor import Editor

MAPS = ("contradiction", "invention", "spread")
RESULTS_MOST = 16
IMAGE_PIXELS_MOST = 8_000_000  # 32 MB each; what is drawn is seldom larger


@dataclass(frozen=True)
class Maps:
    """Of one rendition, or of how far several disagree."""

    rect: Rect
    """In the document."""
    images: dict[str, QImage]
    numbers: dict[str, float]


class FaithfulnessState(QObject):
    """One question at a time; the latest wins. Lives on the thread of the event loop."""

    changed = Signal()
    failed = Signal(SafelightError)

    def __init__(self, editor: Editor, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._editor = editor
        self.name = ""
        """One of MAPS; empty: none is wanted."""
        self.maps: Maps | None = None
        self._of: tuple[Restored, ...] = ()
        self._asked: tuple[Restored, ...] = ()
        self._cancelling = threading.Event()
        editor.picture_changed.connect(self._follow)
        editor.compare.changed.connect(self._follow)

    @property
    def offered(self) -> bool:
        """Whether the daemon can."""
        return "assessment" in self._editor.link.capabilities

    @property
    def busy(self) -> bool:
        return bool(self._asked)

    @property
    def image(self) -> QImage | None:
        """What is laid over the rendition now."""
        return self.maps.images.get(self.name) if self.maps is not None and self.name else None

    def toggle(self, name: str) -> None:
        """This map, or none where it is shown already."""
        self.name = "" if name == self.name else name
        self._follow()
        self.changed.emit()

    def _follow(self) -> None:
        results = self._results() if self.name and self.offered else ()
        if results and (_same(results, self._of) or _same(results, self._asked)):
            return
        if not results and not self._of and not self._asked:
            return
        self._cancelling.set()
        self.maps, self._of, self._asked = None, (), ()
        if results:
            self._ask(results)
        self.changed.emit()

    def _results(self) -> tuple[Restored, ...]:
        """The shown one first, then for spread the others of its place and scale."""
        region = self._editor.active
        shown = region.shown if region is not None else None
        if region is None or shown is None or shown.provisional is not None:
            return ()
        others = [
            r.restored
            for r in region.renditions
            if r is not shown and r.scale == shown.scale and region.current(r) and r.provisional is None
        ]
        return (shown.restored, *(others[: RESULTS_MOST - 1] if self.name == "spread" else ()))

    def _ask(self, results: tuple[Restored, ...]) -> None:
        document, region = self._editor.document, self._editor.active
        assert document is not None
        assert region is not None
        rect, cancelling = region.selection.rect, threading.Event()
        self._asked, self._cancelling = results, cancelling
        before = document.pixels[rect.slices]

        def work(client: RestorationClient) -> Maps:
            told = AssessmentClient.of(client).assess(
                before,
                [result.pixels for result in results],
                icc=document.icc,
                linear=document.format.linear,
                cancelling=cancelling,
            )
            return Maps(rect, _images(told, rect.size), told.numbers)

        def done(maps: Maps) -> None:
            if self._asked is results:
                self.maps, self._of, self._asked = maps, results, ()
                self.changed.emit()

        def refused(error: SafelightError) -> None:
            if self._asked is results:
                self._asked, self.name = (), ""
                self.changed.emit()
            if not isinstance(error, Cancelled):
                self.failed.emit(error)

        self._editor.link.call(work, done, refused)


def _same(some: tuple[Restored, ...], others: tuple[Restored, ...]) -> bool:
    return len(some) == len(others) and all(a is b for a, b in zip(some, others, strict=True))


def _images(told: Assessed, size: Size) -> dict[str, QImage]:
    share = min(1.0, math.sqrt(IMAGE_PIXELS_MOST / size.area))
    small = size.scaled(share)
    return {name: _image(overlay(name, plane, small)) for name, plane in told.planes.items()}


def _image(rgba: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> QImage:
    height, width = rgba.shape[:2]
    plain = QImage(rgba.data, width, height, 4 * width, QImage.Format.Format_RGBA8888)
    return plain.convertToFormat(QImage.Format.Format_ARGB32_Premultiplied)
