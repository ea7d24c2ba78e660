"""What the picture shows, in words, read by the daemon before a run."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QObject, Signal

from safelight.client.description import Described, DescriptionClient, seen_rect
from safelight.client.restoration import RestorationClient
from safelight.errors import SafelightError

SOURCES = ("tags", "caption")
PIXELS_MOST = 16_000_000
"""Of larger regions every second pixel of a row and every second row is sent, or fewer: networks that read see a few
hundred pixels a side."""


class WordsState(QObject):
    """One question at a time. Lives on the thread of the event loop."""

    changed = Signal()
    """It begins or ends to read."""
    found = Signal(str, str)
    """The words, and from which of SOURCES."""
    failed = Signal(SafelightError)

    def __init__(self, editor: Any, parent: QObject | None = None) -> None:
        """`editor`: the Editor whose picture and daemon are used."""
        super().__init__(parent)
        self._editor = editor
        self.reading = False

    @property
    def offered(self) -> bool:
        """Whether the daemon can, and there is a picture."""
        return "description" in self._editor.link.capabilities and self._editor.document is not None

    def read(self, source: str, captioner: str = "", seed: int = 0) -> None:
        """Of the active region with what a job sees around it; `found` follows, or `failed`."""
        document, region = self._editor.document, self._editor.active
        if self.reading or document is None or region is None:
            return
        rect = seen_rect(region.selection.rect, document.size)
        step = 1
        while rect.size.area > PIXELS_MOST * step * step:
            step *= 2
        pixels = document.pixels[rect.slices][::step, ::step]

        def work(client: RestorationClient) -> Described:
            return DescriptionClient.of(client).describe(
                pixels,
                source,
                icc=document.icc,
                linear=document.format.linear,
                captioner=captioner,
                seed=seed,
            )

        def done(told: Described) -> None:
            self._over()
            if self._editor.document is document and self._editor.active is region:
                self.found.emit(told.prompt, source)

        def refused(error: SafelightError) -> None:
            self._over()
            self.failed.emit(error)

        self.reading = True
        self.changed.emit()
        self._editor.link.call(work, done, refused)

    def _over(self) -> None:
        self.reading = False
        self.changed.emit()
