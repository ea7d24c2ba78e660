"""The pictures of the batch, one row each."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from PySide6.QtCore import (
    QAbstractListModel,
    QByteArray,
    QMimeData,
    QModelIndex,
    QPersistentModelIndex,
    QPoint,
    QRect,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QFont, QKeyEvent, QPainter, QPixmap
from PySide6.QtWidgets import (
    QAbstractItemView,
    QListView,
    QMenu,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from safelight_desktop.state.batch import BatchQueue
from safelight_desktop.state.batch_rows import BatchRow, RowState
from safelight_desktop.texts import translate
from safelight_desktop.widgets import theme
from safelight_desktop.widgets.batch_texts import row_detail, row_state, row_title
from safelight_desktop.widgets.icons import pixmap
from safelight_desktop.widgets.thumbs import Thumbs

ROW_PX, THUMB_W, THUMB_H, MARGIN_PX, STATE_W, ICON_PX = 62, 66, 46, 12, 250, 16
THUMB_PX = 160
DRAWN_MOST = 60  # pictures of rows that are held: 15 MB
MIME = "application/x-safelight-rows"
Index = QModelIndex | QPersistentModelIndex


class BatchModel(QAbstractListModel):
    """The row object is the user's data."""

    def __init__(self, queue: BatchQueue) -> None:
        super().__init__(queue)
        self._queue = queue
        self._rows = list(queue.rows)
        self._places = {row.id: n for n, row in enumerate(self._rows)}
        self._sources = {row.source: n for n, row in enumerate(self._rows)}
        queue.rows_changed.connect(self._reset)
        queue.row_changed.connect(self._changed)
        queue.targets_changed.connect(self._changed_all)

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self._rows)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid() or index.row() >= len(self._rows):
            return None
        row = self._rows[index.row()]
        if role == Qt.ItemDataRole.UserRole:
            return row
        if role == Qt.ItemDataRole.DisplayRole:
            return row_title(row)
        if role in (Qt.ItemDataRole.ToolTipRole, Qt.ItemDataRole.AccessibleTextRole):
            return f"{row.source}\n{row_detail(row)}\n{row_state(row)[1]}".strip()
        return None

    def flags(self, index: Index) -> Qt.ItemFlag:
        if not index.isValid():
            return Qt.ItemFlag.ItemIsDropEnabled
        return Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemIsDragEnabled

    def place_of(self, source: Path) -> int | None:
        return self._sources.get(source)

    def mimeTypes(self) -> list[str]:
        return [MIME]

    def mimeData(self, indexes: Sequence[QModelIndex]) -> QMimeData:
        data = QMimeData()
        ids = ",".join(str(self._rows[index.row()].id) for index in indexes)
        data.setData(MIME, QByteArray(ids.encode()))
        return data

    def supportedDropActions(self) -> Qt.DropAction:
        return Qt.DropAction.MoveAction

    def dropMimeData(
        self, data: QMimeData, action: Qt.DropAction, row: int, column: int, parent: Index
    ) -> bool:
        if not data.hasFormat(MIME):
            return False
        ids = {int(n) for n in bytes(data.data(MIME).data()).decode().split(",") if n}
        to = row if row >= 0 else (parent.row() if parent.isValid() else len(self._queue.rows))
        self._queue.move([r for r in self._queue.rows if r.id in ids], to)
        return False  # rows have moved: the view must not remove them

    def _reset(self) -> None:
        self.beginResetModel()
        self._rows = list(self._queue.rows)
        self._places = {row.id: n for n, row in enumerate(self._rows)}
        self._sources = {row.source: n for n, row in enumerate(self._rows)}
        self.endResetModel()

    def _changed_all(self) -> None:
        if self._rows:
            self.dataChanged.emit(self.index(0), self.index(len(self._rows) - 1))

    def _changed(self, row: BatchRow) -> None:
        place = self._places.get(row.id)
        if place is not None:
            index = self.index(place)
            self.dataChanged.emit(index, index)


class BatchList(QListView):
    """Selected rows can be dragged, moved, retried and removed by keys."""

    opened = Signal(BatchRow)
    """A person wants to see its result."""

    def __init__(self, queue: BatchQueue, thumbs: Thumbs, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._queue = queue
        self.rows = BatchModel(queue)
        self.setModel(self.rows)
        self.setItemDelegate(_RowPainter(thumbs, self))
        self.setUniformItemSizes(True)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setDragDropMode(QAbstractItemView.DragDropMode.InternalMove)
        self.setDropIndicatorShown(True)
        self.setFrameShape(QListView.Shape.NoFrame)
        self.setProperty("role", "rows")
        self.setAccessibleName(translate("Batch", "Pictures of the batch"))
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.customContextMenuRequested.connect(self._show_menu)
        self.doubleClicked.connect(lambda index: self._open(index))
        self._kept_ids: set[int] = set()
        self._current_id = 0
        self.rows.modelAboutToBeReset.connect(self._keep_selection)
        self.rows.modelReset.connect(self._select_again)
        thumbs.ready.connect(self._thumb_came)

    @property
    def chosen(self) -> list[BatchRow]:
        """Selected rows in order."""
        found = sorted(self.selectedIndexes(), key=lambda index: index.row())
        rows = (index.data(Qt.ItemDataRole.UserRole) for index in found)
        return [row for row in rows if isinstance(row, BatchRow)]

    def remove_chosen(self) -> None:
        self._queue.remove(self.chosen)

    def retry_chosen(self) -> None:
        self._queue.retry(self.chosen)

    def move_chosen(self, by: int) -> None:
        self._queue.move_by(self.chosen, by)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key, alt = Qt.Key(event.key()), bool(event.modifiers() & Qt.KeyboardModifier.AltModifier)
        if alt and key in (Qt.Key.Key_Up, Qt.Key.Key_Down):
            self.move_chosen(-1 if key == Qt.Key.Key_Up else 1)
        elif key in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            self.remove_chosen()
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._open(self.currentIndex())
        else:
            super().keyPressEvent(event)

    def _open(self, index: Index) -> None:
        row = index.data(Qt.ItemDataRole.UserRole)
        if isinstance(row, BatchRow) and row.result is not None:
            self.opened.emit(row)

    def _show_menu(self, at: QPoint) -> None:
        rows, menu = self.chosen, QMenu(self)
        again = [r for r in rows if r.state in (RowState.FAILED, RowState.SKIPPED)]
        menu.addAction(
            translate("Batch", "Show the result"), lambda: self._open(self.currentIndex())
        ).setEnabled(len(rows) == 1 and rows[0].result is not None)
        menu.addAction(translate("Batch", "Try again"), self.retry_chosen).setEnabled(bool(again))
        menu.addSeparator()
        menu.addAction(translate("Batch", "Move to the top"), lambda: self._queue.move(rows, 0))
        menu.addAction(
            translate("Batch", "Move to the end"), lambda: self._queue.move(rows, len(self._queue.rows))
        )
        menu.addSeparator()
        menu.addAction(translate("Batch", "Remove from the list"), self.remove_chosen)
        for action in menu.actions()[3:]:
            action.setEnabled(bool(rows))
        menu.exec(self.viewport().mapToGlobal(at))

    def _thumb_came(self, path: Path) -> None:
        place = self.rows.place_of(path)
        if place is not None:
            self.update(self.rows.index(place))

    def _keep_selection(self) -> None:
        self._kept_ids = {row.id for row in self.chosen}
        current = self.currentIndex().data(Qt.ItemDataRole.UserRole)
        self._current_id = current.id if isinstance(current, BatchRow) else 0

    def _select_again(self) -> None:
        chosen = self.selectionModel()
        for place, row in enumerate(self._queue.rows) if self._kept_ids else ():
            if row.id in self._kept_ids:
                chosen.select(self.rows.index(place), chosen.SelectionFlag.Select)
            if row.id == self._current_id:
                chosen.setCurrentIndex(self.rows.index(place), chosen.SelectionFlag.NoUpdate)


class _Look(NamedTuple):
    """All that a row's picture depends on."""

    width: int
    ratio: float
    dark: bool
    selected: bool
    hovered: bool
    thumb: int
    title: str
    detail: str
    state: tuple[str, str]
    done: float
    kind: RowState


class _RowPainter(QStyledItemDelegate):
    """Thumbnail, name and place, and at the right where it stands."""

    def __init__(self, thumbs: Thumbs, parent: QListView) -> None:
        super().__init__(parent)
        self._thumbs, self._list = thumbs, parent
        self._drawn: OrderedDict[int, tuple[_Look, QPixmap]] = OrderedDict()

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(360, ROW_PX)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """From a picture of the row as long as nothing in it has changed: each call of a painter may have to wait for
        other threads to let the interpreter go."""
        row = index.data(Qt.ItemDataRole.UserRole)
        if not isinstance(row, BatchRow):
            return
        rect, state = QRect(option.rect), option.state
        thumb = self._thumbs.get(row.source)
        look = _Look(
            rect.width(),
            painter.device().devicePixelRatio(),
            theme.current().dark,
            bool(state & QStyle.StateFlag.State_Selected),
            bool(state & QStyle.StateFlag.State_MouseOver),
            thumb.cacheKey() if thumb is not None else 0,
            row_title(row),
            row_detail(row),
            row_state(row)[:2],
            row.progress.fraction if row.state is RowState.RUNNING and row.progress is not None else 0.0,
            row.state,
        )
        held = self._drawn.get(row.id)
        if held is None or held[0] != look:
            held = self._drawn[row.id] = (look, self._draw(row, look, thumb))
            self._drawn.move_to_end(row.id)
            while len(self._drawn) > DRAWN_MOST:
                self._drawn.popitem(last=False)
        painter.drawPixmap(rect.topLeft(), held[1])

    def _draw(self, row: BatchRow, look: _Look, thumb: QPixmap | None) -> QPixmap:
        used, width = theme.current(), look.width
        drawn = QPixmap(round(width * look.ratio), round(ROW_PX * look.ratio))
        drawn.setDevicePixelRatio(look.ratio)
        drawn.fill(used.window)
        painter = QPainter(drawn)
        painter.setFont(self._list.font())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if look.selected:
            painter.fillRect(0, 0, width, ROW_PX, _tinted(used, 26))
            painter.fillRect(0, 0, 3, ROW_PX, used.accent)
        elif look.hovered:
            painter.fillRect(0, 0, width, ROW_PX, _tinted(used, 10))
        painter.fillRect(MARGIN_PX, ROW_PX - 1, width - 2 * MARGIN_PX, 1, used.line)
        place = QRect(MARGIN_PX, (ROW_PX - THUMB_H) // 2, THUMB_W, THUMB_H)
        draw_thumb(painter, place, thumb)
        state_width = min(STATE_W, width // 3)
        self._draw_state(painter, QRect(width - state_width - MARGIN_PX, 0, state_width, ROW_PX), row, look)
        left = place.right() + MARGIN_PX
        words = QRect(left, 11, width - state_width - 2 * MARGIN_PX - left, 20)
        failed = row.state is RowState.FAILED
        _line(painter, words.translated(0, 20), look.detail, used.error if failed else used.quiet_text)
        _line(painter, words, look.title, used.text, bold=True)
        painter.end()
        return drawn

    def _draw_state(self, painter: QPainter, rect: QRect, row: BatchRow, look: _Look) -> None:
        used = theme.current()
        drawing, text, colour = row_state(row)
        running = row.state is RowState.RUNNING
        top = rect.top() + (12 if running else (ROW_PX - 20) // 2)
        painter.drawPixmap(rect.left(), top + 2, badge(drawing, look.ratio, colour.name()))
        words = QRect(rect.left() + ICON_PX + 8, top, rect.width() - ICON_PX - 8, 20)
        _line(painter, words, text, colour)
        if running:
            bar = QRect(words.left(), top + 25, words.width(), 5)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(used.line)
            painter.drawRoundedRect(bar, 2.5, 2.5)
            painter.setBrush(used.accent)
            painter.drawRoundedRect(QRect(bar.left(), bar.top(), round(bar.width() * look.done), 5), 2.5, 2.5)


@lru_cache(maxsize=64)
def badge(drawing: str, ratio: float, colour: str) -> QPixmap:
    """A small drawing in a colour."""
    return pixmap(drawing, ICON_PX, ratio, colour)


def draw_thumb(painter: QPainter, place: QRect, picture: QPixmap | None) -> None:
    """Fitted into the place; an empty frame while there is none."""
    used = theme.current()
    if picture is None:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(_tinted(used, 14))
        painter.drawRoundedRect(place, 4, 4)
        return
    size = picture.size().scaled(place.size(), Qt.AspectRatioMode.KeepAspectRatio)
    target = QRect(QPoint(0, 0), size)
    target.moveCenter(place.center())
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
    painter.drawPixmap(target, picture)


def _line(painter: QPainter, rect: QRect, text: str, colour: Any, *, bold: bool = False) -> None:
    if bold:
        font = QFont(painter.font())
        font.setWeight(QFont.Weight.DemiBold)
        painter.setFont(font)
    painter.setPen(colour)
    elided = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideMiddle, rect.width())
    painter.drawText(rect, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, elided)


def _tinted(used: theme.Theme, alpha: int) -> Any:
    colour = type(used.text)(used.text)
    colour.setAlpha(alpha)
    return colour


def shown_path(path: Path) -> str:
    """With ~ for the person's own folder."""
    try:
        return str(Path("~") / path.relative_to(Path.home()))
    except ValueError:
        return str(path)
