"""The same part of an original and of its result, at 100 % of the result, one above the other."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QImage, QMouseEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from safelight.geometry import Size
from safelight_desktop.state.batch_rows import BatchRow
from safelight_desktop.state.sheet import Detail, Wanted
from safelight_desktop.texts import translate
from safelight_desktop.widgets import theme
from safelight_desktop.widgets.message_bar import sentence

READ_PAUSE_MS = 90  # keys may run through many results
SPARE = 1.6  # read more than is seen, so that dragging has something to show


class DetailPair(QWidget):
    """Dragging in one moves both."""

    def __init__(self, detail: Detail, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._detail = detail
        self._row: BatchRow | None = None
        self.place = (0.5, 0.5)
        self.before = _Part(translate("Sheet", "Before"))
        self.after = _Part(translate("Sheet", "After"))
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(READ_PAUSE_MS)
        self._soon.timeout.connect(self._read)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addWidget(self.before, 1)
        column.addWidget(self.after, 1)
        for part in (self.before, self.after):
            part.dragged.connect(self._dragged)
        detail.changed.connect(self._show)

    def show_row(self, row: BatchRow | None, place: tuple[float, float] = (0.5, 0.5)) -> None:
        """`place`: its middle, as fractions of the picture."""
        if row is None or row.result is None:
            self._row = None
            self._soon.stop()
            self._detail.want(None)
            return
        self._row, self.place = row, place
        self._soon.start()

    def shows(self, row: BatchRow) -> bool:
        """The result as it is now."""
        pair = self._detail.pair
        return row is self._row and pair is not None and pair.wanted.after == row.result

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._soon.start()

    def _read(self) -> None:
        row = self._row
        if row is None or row.result is None:
            return
        ratio = self.devicePixelRatioF()
        view = Size(round(self.after.width() * ratio * SPARE), round(self.after.height() * ratio * SPARE))
        self._detail.want(Wanted(row.source, row.result, self.place, view))

    def _dragged(self, by: QPointF) -> None:
        pair = self._detail.pair
        if pair is None:
            return
        ratio = self.devicePixelRatioF()
        x, y = self.place
        x -= by.x() * ratio / pair.size.width
        y -= by.y() * ratio / pair.size.height
        self.place = (min(max(x, 0.0), 1.0), min(max(y, 0.0), 1.0))
        self._show()
        self._soon.start()

    def _show(self) -> None:
        pair, error = self._detail.pair, self._detail.error
        if pair is None or self._row is None or pair.wanted.after != self._row.result:
            text = sentence(error.message) if error is not None and self._row is not None else ""
            self.before.show_nothing(text)
            self.after.show_nothing("")
            return
        middle = QPointF(self.place[0] * pair.size.width, self.place[1] * pair.size.height)
        across = pair.size.width / pair.before_size.width
        down = pair.size.height / pair.before_size.height
        below = pair.before_rect
        self.after.show_part(pair.after, QRectF(*pair.after_rect), middle, pair.size)
        place = QRectF(below.x * across, below.y * down, below.width * across, below.height * down)
        self.before.show_part(pair.before, place, middle, pair.size)


class _Part(QWidget):
    dragged = Signal(QPointF)

    def __init__(self, title: str) -> None:
        super().__init__()
        self._image: QImage | None = None
        self._place = QRectF()
        self._middle = QPointF()
        self._held: QPointF | None = None
        self.setCursor(Qt.CursorShape.OpenHandCursor)
        self.setAccessibleName(title)
        self.label = QLabel(title, self)
        self.label.setProperty("role", "tag")
        self.label.move(8, 8)
        self.said = QLabel(self)
        self.said.setWordWrap(True)
        self.said.setProperty("role", "quiet")
        self.said.setAlignment(Qt.AlignmentFlag.AlignCenter)

    def sizeHint(self) -> QSize:
        return QSize(360, 260)

    def show_part(self, image: QImage, place: QRectF, middle: QPointF, whole: Size) -> None:
        """`place` of the image and `middle` of the view in pixels of the result."""
        ratio = self.devicePixelRatioF()
        half_w, half_h = self.width() * ratio / 2, self.height() * ratio / 2
        x = _within(middle.x(), half_w, whole.width)
        y = _within(middle.y(), half_h, whole.height)
        self._image, self._place, self._middle = image, place, QPointF(x, y)
        self.said.hide()
        self.update()

    def show_nothing(self, text: str) -> None:
        self._image = None
        self.said.setText(text)
        self.said.setVisible(bool(text))
        self.update()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.said.setGeometry(20, 0, self.width() - 40, self.height())

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), theme.current().canvas)
        if self._image is None:
            return
        ratio = self.devicePixelRatioF()
        target = QRectF(
            (self._place.x() - self._middle.x()) / ratio + self.width() / 2,
            (self._place.y() - self._middle.y()) / ratio + self.height() / 2,
            self._place.width() / ratio,
            self._place.height() / ratio,
        )
        enlarged = self._place.width() > self._image.width()
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, enlarged)
        painter.drawImage(target, self._image)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._held = event.position()
        self.setCursor(Qt.CursorShape.ClosedHandCursor)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._held is not None:
            self.dragged.emit(event.position() - self._held)
            self._held = event.position()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._held = None
        self.setCursor(Qt.CursorShape.OpenHandCursor)

    def leaveEvent(self, event: QEvent) -> None:
        self._held = None


def _within(middle: float, half: float, whole: int) -> float:
    """A view that is larger than the picture shows it in its middle."""
    return whole / 2 if 2 * half >= whole else min(max(middle, half), whole - half)
