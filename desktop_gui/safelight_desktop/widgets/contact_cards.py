"""Results of a batch as cards: before and after beside each other."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PySide6.QtCore import (
    QAbstractListModel,
    QModelIndex,
    QPersistentModelIndex,
    QRect,
    QRectF,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QFont, QKeyEvent, QPainter, QPen, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from safelight_desktop.state.batch import BatchQueue
from safelight_desktop.state.batch_rows import BatchRow, RowState, Verdict
from safelight_desktop.state.sheet import SheetFilter
from safelight_desktop.texts import translate
from safelight_desktop.units import duration
from safelight_desktop.widgets import theme
from safelight_desktop.widgets.batch_list import ICON_PX, badge, draw_thumb
from safelight_desktop.widgets.thumbs import Thumbs

Index = QModelIndex | QPersistentModelIndex
LEAST_PX, USUAL_PX, MOST_PX = 96, 148, 300
"""Width of one of the two pictures."""
PAD_PX, GAP_PX, FOOT_PX, BETWEEN_PX = 10, 4, 38, 12


class SheetModel(QAbstractListModel):
    """Those results that the filter lets through, in the order of the batch."""

    def __init__(self, queue: BatchQueue) -> None:
        super().__init__(queue)
        self._queue = queue
        self.filter = SheetFilter.ALL
        self.rows: list[BatchRow] = []
        self._places: dict[int, int] = {}
        self._files: dict[Path, int] = {}
        queue.rows_changed.connect(self.refill)
        queue.row_changed.connect(self._changed)
        self.refill()

    def show_only(self, chosen: SheetFilter) -> None:
        self.filter = chosen
        self.refill()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self.rows)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid() or index.row() >= len(self.rows):
            return None
        row = self.rows[index.row()]
        if role == Qt.ItemDataRole.UserRole:
            return row
        if role == Qt.ItemDataRole.DisplayRole:
            return row.source.name
        if role in (Qt.ItemDataRole.ToolTipRole, Qt.ItemDataRole.AccessibleTextRole):
            return f"{row.source}\n{row.result}\n{verdict_text(row)}".strip()
        return None

    def place(self, row: BatchRow) -> int | None:
        return self._places.get(row.id)

    def place_of(self, path: Path) -> int | None:
        """Of an original or a result."""
        return self._files.get(path)

    def refill(self) -> None:
        self.beginResetModel()
        self.rows = [row for row in self._queue.rows if self.filter.shows(row)]
        self._places = {row.id: n for n, row in enumerate(self.rows)}
        self._files = {
            path: n
            for n, row in enumerate(self.rows)
            for path in (row.source, row.result)
            if path is not None
        }
        self.endResetModel()

    def _changed(self, row: BatchRow) -> None:
        place = self._places.get(row.id)
        if (place is not None) != self.filter.shows(row):
            self.refill()
        elif place is not None:
            index = self.index(place)
            self.dataChanged.emit(index, index)


class ContactCards(QListView):
    """A grid. Keys: A accept, X reject, R redo, Backspace takes a verdict back, Return compares."""

    accept_asked = Signal()
    reject_asked = Signal()
    redo_asked = Signal()
    unjudge_asked = Signal()
    compare_asked = Signal()

    def __init__(self, model: SheetModel, thumbs: Thumbs, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._model = model
        self._painter = _CardPainter(thumbs, self)
        self.setModel(model)
        self.setItemDelegate(self._painter)
        self.setViewMode(QListView.ViewMode.IconMode)
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self.setMovement(QListView.Movement.Static)
        self.setUniformItemSizes(True)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setFrameShape(QListView.Shape.NoFrame)
        self.setProperty("role", "rows")
        self.setSpacing(0)
        self.setAccessibleName(translate("Sheet", "Results, before and after"))
        self.doubleClicked.connect(lambda _: self.compare_asked.emit())
        thumbs.ready.connect(self._thumb_came)
        self._wanted_px = USUAL_PX
        self._spread()
        self._kept: tuple[int, int] = (0, -1)
        model.modelAboutToBeReset.connect(self._keep_place)
        model.modelReset.connect(self._find_place)

    @property
    def chosen(self) -> list[BatchRow]:
        """Selected ones in order."""
        places = sorted(index.row() for index in self.selectedIndexes())
        return [self._model.rows[place] for place in places if place < len(self._model.rows)]

    @property
    def current(self) -> BatchRow | None:
        row = self.currentIndex().data(Qt.ItemDataRole.UserRole)
        return row if isinstance(row, BatchRow) else None

    def choose(self, place: int) -> None:
        """That card alone; the last where there are fewer."""
        if self._model.rows:
            index = self._model.index(min(max(place, 0), len(self._model.rows) - 1))
            self.setCurrentIndex(index)
            self.scrollTo(index)

    def set_size(self, width_px: int) -> None:
        """Of each of the two pictures."""
        self._wanted_px = min(max(width_px, LEAST_PX), MOST_PX)
        self._spread()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._spread()

    def _spread(self) -> None:
        """Cards are at least as large as wanted, and take all of the width."""
        width = self.viewport().width() - 1
        frame = GAP_PX + 2 * PAD_PX + BETWEEN_PX
        columns = max(1, width // (2 * self._wanted_px + frame))
        self._painter.width_px = min(max((width // columns - frame) // 2, LEAST_PX), 2 * self._wanted_px)
        cell = QSize(max(1, width // columns), self._painter.card_size.height() + BETWEEN_PX)
        if cell != self.gridSize():
            self.setGridSize(cell)
            self.scheduleDelayedItemsLayout()

    def _thumb_came(self, path: Path) -> None:
        place = self._model.place_of(path)
        if place is not None:
            self.update(self._model.index(place))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        plain = not event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
        asked = {
            Qt.Key.Key_A: self.accept_asked,
            Qt.Key.Key_X: self.reject_asked,
            Qt.Key.Key_R: self.redo_asked,
            Qt.Key.Key_Backspace: self.unjudge_asked,
            Qt.Key.Key_Return: self.compare_asked,
            Qt.Key.Key_Enter: self.compare_asked,
        }.get(Qt.Key(event.key()))
        if plain and asked is not None:
            asked.emit()
        else:
            super().keyPressEvent(event)

    def _keep_place(self) -> None:
        current = self.current
        self._kept = (current.id if current is not None else 0, self.currentIndex().row())

    def _find_place(self) -> None:
        number, place = self._kept
        again = next((n for n, row in enumerate(self._model.rows) if row.id == number), place)
        if self._model.rows:
            self.choose(max(again, 0))


class _CardPainter(QStyledItemDelegate):
    def __init__(self, thumbs: Thumbs, parent: QListView) -> None:
        super().__init__(parent)
        self._thumbs = thumbs
        self.width_px = USUAL_PX

    @property
    def card_size(self) -> QSize:
        return QSize(2 * self.width_px + GAP_PX + 2 * PAD_PX, self._height_px + FOOT_PX + PAD_PX)

    @property
    def _height_px(self) -> int:
        return self.width_px * 3 // 4

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return self.card_size

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        row = index.data(Qt.ItemDataRole.UserRole)
        if not isinstance(row, BatchRow):
            return
        used = theme.current()
        card = QRect(option.rect.topLeft(), self.card_size)
        card.translate((option.rect.width() - card.width()) // 2, BETWEEN_PX // 2)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        chosen = bool(option.state & QStyle.StateFlag.State_Selected)
        painter.setBrush(used.panel)
        painter.setPen(QPen(used.accent, 2) if chosen else QPen(used.line, 1))
        painter.drawRoundedRect(QRectF(card).adjusted(1, 1, -1, -1), 7, 7)
        left = QRect(card.left() + PAD_PX, card.top() + PAD_PX, self.width_px, self._height_px)
        right = left.translated(self.width_px + GAP_PX, 0)
        rejected = row.verdict is Verdict.REJECTED
        for place, path in ((left, row.source), (right, row.result)):
            painter.fillRect(place, used.canvas)
            painter.setOpacity(0.35 if rejected and place is right else 1.0)
            draw_thumb(painter, place, self._thumbs.get(path) if path is not None else None)
            painter.setOpacity(1.0)
        self._paint_foot(painter, card, left.bottom(), row)
        painter.restore()

    def _paint_foot(self, painter: QPainter, card: QRect, top: int, row: BatchRow) -> None:
        used = theme.current()
        foot = QRect(card.left() + PAD_PX, top + 1, card.width() - 2 * PAD_PX, FOOT_PX - 2)
        drawing, colour = {
            Verdict.OPEN: ("", used.quiet_text),
            Verdict.ACCEPTED: ("good", used.good),
            Verdict.REJECTED: ("cancel", used.error),
        }[row.verdict]
        if drawing:
            ratio = painter.device().devicePixelRatio()
            top = foot.top() + (foot.height() - ICON_PX) // 2
            painter.drawPixmap(foot.right() - ICON_PX, top, badge(drawing, ratio, colour.name()))
            foot.setRight(foot.right() - ICON_PX - 6)
        font = QFont(painter.font())
        note = verdict_text(row)
        painter.setPen(colour)
        width = painter.fontMetrics().horizontalAdvance(note)
        painter.drawText(foot, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, note)
        foot.setRight(foot.right() - width - 10)
        font.setWeight(QFont.Weight.DemiBold)
        painter.setFont(font)
        painter.setPen(used.text)
        name = painter.fontMetrics().elidedText(row.source.name, Qt.TextElideMode.ElideMiddle, foot.width())
        painter.drawText(foot, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, name)


def verdict_text(row: BatchRow) -> str:
    """Or, while there is none, what is known of the result."""
    if row.verdict is Verdict.ACCEPTED:
        return translate("Sheet", "Accepted")
    if row.verdict is Verdict.REJECTED:
        return translate("Sheet", "Rejected")
    if row.state is RowState.SKIPPED:
        return translate("Sheet", "Was there")
    return duration(row.duration_s) if row.duration_s > 0 else ""
