"""Where the canvas looks: centre, zoom, and the size of what it looks through."""

from __future__ import annotations

from typing import NamedTuple

from PySide6.QtCore import QObject, Signal

from safelight.geometry import Rect, Size

ZOOM_MOST = 32.0
ZOOM_LEAST = 1 / 256
STEP = 1.25  # of one notch of the wheel
NEAREST_FROM = 3.0  # from here on pixels are drawn as squares


class Point(NamedTuple):
    """In document pixels or in pixels of the screen, as the name that holds it says."""

    x: float
    y: float


class ViewState(QObject):
    """Zoom is pixels of the screen per document pixel; positions on the screen are pixels of the screen from
    the left-top corner of one pane."""

    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.document = Size(1, 1)
        self.viewport = Size(1, 1)
        self.zoom = 1.0
        self.centre = Point(0.5, 0.5)
        self.fitted = True
        """True: the picture follows the size of the window."""

    def show_document(self, document: Size) -> None:
        """Another picture, seen whole."""
        self.document = document
        self.fit()

    def set_viewport(self, viewport: Size) -> None:
        if viewport == self.viewport or min(viewport) < 1:
            return
        self.viewport = viewport
        if self.fitted:
            self.fit()
        else:
            self.changed.emit()

    @property
    def fit_zoom(self) -> float:
        """The zoom that shows the whole picture; small pictures are not enlarged."""
        fitting = min(self.viewport.width / self.document.width, self.viewport.height / self.document.height)
        return max(ZOOM_LEAST, min(1.0, fitting))

    def fit(self) -> None:
        self.fitted = True
        self.zoom = self.fit_zoom
        self.centre = Point(self.document.width / 2, self.document.height / 2)
        self.changed.emit()

    def zoom_to(self, zoom: float, anchor: Point | None = None) -> None:
        """The document point under `anchor` (a position on the screen; None: the middle) stays where it is."""
        anchor = anchor or Point(self.viewport.width / 2, self.viewport.height / 2)
        kept = self.to_document(anchor)
        self.zoom = max(min(ZOOM_LEAST, self.fit_zoom), min(ZOOM_MOST, zoom))
        self.fitted = False
        now = self.to_screen(kept)
        self._move((now.x - anchor.x) / self.zoom, (now.y - anchor.y) / self.zoom)

    def zoom_by(self, steps: float, anchor: Point | None = None) -> None:
        """Notches of the wheel; on its way it stops at 100 %."""
        wanted = self.zoom * STEP**steps
        if (self.zoom - 1) * (wanted - 1) < 0:
            wanted = 1.0
        self.zoom_to(wanted, anchor)

    def toggle_fit(self, anchor: Point | None = None) -> None:
        """Whole picture, or 100 % around `anchor`."""
        if self.fitted or self.zoom == self.fit_zoom != 1.0:
            self.zoom_to(1.0, anchor)
        else:
            self.fit()

    def pan(self, right: float, down: float) -> None:
        """Moves the picture by pixels of the screen."""
        self.fitted = False
        self._move(-right / self.zoom, -down / self.zoom)

    def show_rect(self, rect: Rect) -> None:
        """Brings a part of the document into sight, at most at 100 %."""
        fitting = min(self.viewport.width / rect.width, self.viewport.height / rect.height) * 0.9
        self.zoom = max(ZOOM_LEAST, min(1.0, fitting))
        self.fitted = False
        self.centre = Point(rect.x + rect.width / 2, rect.y + rect.height / 2)
        self.changed.emit()

    def look_as(self, zoom: float, centre: Point, fitted: bool) -> None:
        """An earlier view again."""
        self.zoom, self.centre, self.fitted = zoom, centre, fitted
        if fitted:
            self.fit()
        else:
            self._move(0, 0)

    def to_screen(self, document_point: Point) -> Point:
        return Point(
            (document_point.x - self.centre.x) * self.zoom + self.viewport.width / 2,
            (document_point.y - self.centre.y) * self.zoom + self.viewport.height / 2,
        )

    def to_document(self, screen_point: Point) -> Point:
        return Point(
            (screen_point.x - self.viewport.width / 2) / self.zoom + self.centre.x,
            (screen_point.y - self.viewport.height / 2) / self.zoom + self.centre.y,
        )

    def to_screen_xy(self, x: float, y: float) -> Point:
        return self.to_screen(Point(x, y))

    def to_document_xy(self, x: float, y: float) -> Point:
        return self.to_document(Point(x, y))

    @property
    def visible(self) -> Rect:
        """The part of the document in sight, whole pixels; empty when there is none."""
        left, top = self.to_document(Point(0, 0))
        right, bottom = self.to_document(Point(*self.viewport))
        seen = Rect.from_edges(int(left // 1), int(top // 1), int(-(-right // 1)), int(-(-bottom // 1)))
        return seen.intersect(Rect.of_size(self.document))

    def _move(self, right: float, down: float) -> None:
        """Moves the centre by document pixels; it stays within the picture."""
        self.centre = Point(
            min(max(self.centre.x + right, 0.0), float(self.document.width)),
            min(max(self.centre.y + down, 0.0), float(self.document.height)),
        )
        self.changed.emit()
