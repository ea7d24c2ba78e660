"""Restored pixels under the cursor, computed while a person looks.

The document is cut into cells; the one under the cursor is asked for first, then its neighbours within the
lens. Cells are kept until the settings change; leaving cancels what runs. Within a region of moderate size a cell
is a patch of the region's own job, with its plan and tiles: exactly what a run would give. Elsewhere the cell with
its surroundings stands for that.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from dataclasses import dataclass, replace
from typing import Any

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QImage

from safelight.client.restoration import Restored, Work, sent_rect
from safelight.errors import InvalidRequest, SafelightError
from safelight.geometry import Rect
from safelight_desktop.planes.colours import Colours
from safelight_desktop.rpc.restoring import RestoreCall
from safelight_desktop.state.document import Document
from safelight_desktop.state.view import Point

CELL_PX = 256
CELLS_KEPT = 96  # at 256 px and scale 2: 100 MB
REGION_PIXELS_MOST, SIMPLE_REGION_PIXELS_MOST = 4_000_000, 500_000
"""Larger regions are not sent whole for each cell: that alone would take longer than the network. The second one is
for pipelines that see a place alike whatever is selected: there the cell alone gives what a run does, but for a level
where tiles meet (measured with compact on two busy cores: 0.11 s for a cell alone, 0.28 s as a patch of 2 megapixels).
"""


@dataclass(frozen=True)
class Cell:
    """A restored part of the document."""

    rect: Rect
    image: QImage
    exact: bool | None
    """Whether a run gives just these pixels; None: but for a level."""


class LoupeState(QObject):
    """One cell at a time. Owned by the thread of the event loop."""

    arrived = Signal()
    failed = Signal(SafelightError)

    def __init__(self, editor: Any, parent: QObject | None = None) -> None:
        """`editor`: the Editor whose document, form and daemon are used."""
        super().__init__(parent)
        self._editor = editor
        self._cells: OrderedDict[Rect, Cell] = OrderedDict()
        self._kept_for: object = None
        self._wanted: list[Rect] = []
        self._call: RestoreCall | None = None
        self._cell = self._rect = Rect(0, 0, 0, 0)
        self._exact: bool | None = None
        self.looking = False

    def look(self, at: Point, width: float, height: float) -> None:
        """At a lens of document pixels around a document point."""
        document = self._editor.document
        if document is None:
            return
        self.looking = True
        self._forget_other_settings()
        self._wanted = [c for c in _cells_of(at, width, height, document.rect) if c not in self._cells]
        if self._call is not None and self._cell not in self._wanted:
            self._call.cancel()
        self._next()

    def leave(self) -> None:
        """Nothing more is computed."""
        self.looking = False
        self._wanted = []
        if self._call is not None:
            self._call.cancel()

    def cells(self, lens: Rect) -> list[Cell]:
        """Those that are there within a part of the document."""
        self._forget_other_settings()
        found = [(key, cell) for key, cell in self._cells.items() if not cell.rect.intersect(lens).empty]
        for key, _ in found:
            self._cells.move_to_end(key)
        return [cell for _, cell in found]

    @property
    def busy(self) -> bool:
        return self._call is not None

    def _forget_other_settings(self) -> None:
        try:
            selection = self._editor.active.selection if self._editor.active is not None else None
            now = (self._editor.document, selection, self._editor.form.settings())
        except (InvalidRequest, RuntimeError):
            now = None
        if now != self._kept_for:
            self._cells.clear()
            self._kept_for = now

    def _next(self) -> None:
        if self._call is not None or not self._wanted or self._kept_for is None:
            return
        client, spec = self._editor.link.client, self._editor.form.spec
        if client is None or spec is None:
            return
        self._cell = self._wanted.pop(0)
        document: Document = self._editor.document
        settings = replace(self._editor.form.settings(), feather=0.0)
        region = self._region_of(self._cell)
        self._rect = self._cell if region is None else self._cell.intersect(region)
        asked = region or self._cell
        sent = sent_rect(spec, asked, document.size, settings.working_scale)
        work = Work(
            document=document.size,
            sent=sent,
            region=asked,
            pixels=document.pixels[sent.slices],
            icc=document.icc,
            linear=document.format.linear,
            title="loupe",
        )
        self._exact = True if region is not None else None if self._simple else False
        patch = None if region is None else self._rect
        call = RestoreCall(client, work, settings, self, previews=False, patch=patch)
        call.finished.connect(self._answered)
        call.failed.connect(self._refused)
        self._call = call
        call.start()

    def _region_of(self, cell: Rect) -> Rect | None:
        """The active region, where the cell can be a patch of it."""
        active = self._editor.active
        if active is None or "patches" not in self._editor.link.capabilities:
            return None
        region: Rect = active.selection.rect
        most = SIMPLE_REGION_PIXELS_MOST if self._simple else REGION_PIXELS_MOST
        return region if region.size.area <= most and not region.intersect(cell).empty else None

    @property
    def _simple(self) -> bool:
        """Whether the pipeline sees a place alike whatever is selected."""
        return self._editor.form.spec.auto_short_side_px is None

    def _answered(self, restored: Restored) -> None:
        document: Document | None = self._editor.document
        key, rect, exact, asked_for = self._cell, self._rect, self._exact, self._kept_for
        self._over()
        self._forget_other_settings()
        if document is not None and asked_for == self._kept_for:
            colours = Colours(document.format, document.icc, self._editor.monitor_icc)
            self._cells[key] = Cell(rect, colours.image(restored.pixels), exact)
            while len(self._cells) > CELLS_KEPT:
                self._cells.popitem(last=False)
            self.arrived.emit()
        self._next()

    def _refused(self, error: SafelightError) -> None:
        cancelled = self._call is not None and self._call.cancelling
        self._over()
        if cancelled:
            self._next()
        elif self.looking:
            self._wanted = []
            self._editor.link.notice(error)
            self.failed.emit(error)

    def _over(self) -> None:
        if self._call is not None:
            self._call.deleteLater()
        self._call = None


def _cells_of(at: Point, width: float, height: float, document: Rect) -> list[Rect]:
    """The cells that the lens touches, the one under its middle first."""
    left, right = math.floor((at.x - width / 2) / CELL_PX), math.floor((at.x + width / 2) / CELL_PX)
    top, bottom = math.floor((at.y - height / 2) / CELL_PX), math.floor((at.y + height / 2) / CELL_PX)
    cells = [
        Rect(column * CELL_PX, row * CELL_PX, CELL_PX, CELL_PX).intersect(document)
        for row in range(top, bottom + 1)
        for column in range(left, right + 1)
    ]

    def distance(cell: Rect) -> float:
        return math.hypot(cell.x + cell.width / 2 - at.x, cell.y + cell.height / 2 - at.y)

    return sorted((cell for cell in cells if not cell.empty), key=distance)
