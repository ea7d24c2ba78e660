"""Pans, activates regions, and moves or resizes the active one by its edge and handles."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QCursor, QKeyEvent

from safelight.geometry import Rect
from safelight_desktop.state.region import Region
from safelight_desktop.state.selection import Selection
from safelight_desktop.state.view import Point
from safelight_desktop.widgets.tools.handles import Handle, cursor_of, handle_at, resized_rect
from safelight_desktop.widgets.tools.tool import Tool

CLICK_PX = 4  # a press that moves less is a click


@dataclass
class _Grab:
    """What is being dragged."""

    start: QPointF
    last: QPointF
    region: Region | None = None
    selection: Selection | None = None
    handle: Handle | None = None
    moved: bool = False


class HandTool(Tool):
    """A drag that begins on the active region's edge changes it; any other pans."""

    _grab: _Grab | None = None

    def press(self, position: QPointF, modifiers: Qt.KeyboardModifier, *, panning: bool = False) -> None:
        region = self.canvas.editor.active
        handle = None if panning else self._handle(position)
        if region is None or handle is None:
            self._grab = _Grab(position, position)
            self.canvas.setCursor(Qt.CursorShape.ClosedHandCursor)
        else:
            self._grab = _Grab(position, position, region, region.selection, handle)

    def drag(self, position: QPointF, modifiers: Qt.KeyboardModifier) -> None:
        grab = self._grab
        if grab is None:
            return
        ratio = self.canvas.devicePixelRatioF()
        if (position - grab.start).manhattanLength() > CLICK_PX * ratio:
            grab.moved = True
        if grab.region is None:
            moved = position - grab.last
            self.canvas.view.pan(moved.x(), moved.y())
        elif grab.moved:
            self._reshape(grab, position, modifiers)
        grab.last = position

    def release(self, position: QPointF, modifiers: Qt.KeyboardModifier) -> None:
        grab, self._grab = self._grab, None
        if grab is None:
            return
        if grab.region is not None and grab.moved and grab.selection is not None:
            self.canvas.editor.reshaped(grab.region, grab.selection)
        elif not grab.moved:
            self._activate_at(position)
        self.canvas.setCursor(self.cursor(position))

    def double_click(self, position: QPointF) -> None:
        self.canvas.view.toggle_fit(self.canvas.to_pane(position))

    def key(self, event: QKeyEvent) -> bool:
        """Ctrl with arrows moves the active region by a pixel, with Shift resizes it."""
        steps = {
            Qt.Key.Key_Left: (-1, 0), Qt.Key.Key_Right: (1, 0), Qt.Key.Key_Up: (0, -1), Qt.Key.Key_Down: (0, 1),
        }  # fmt: skip
        step = steps.get(Qt.Key(event.key()))
        region = self.canvas.editor.active
        if step is None or region is None or region.whole:
            return False
        if not event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            return False
        selection, document = region.selection, self.canvas.view.document
        if event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            rect = selection.rect
            wider = Rect(rect.x, rect.y, max(1, rect.width + step[0]), max(1, rect.height + step[1]))
            changed = selection.resized(wider.intersect(Rect.of_size(document)))
        else:
            changed = selection.moved(*step, document)
        self.canvas.editor.reshape(region, changed)
        self.canvas.editor.reshaped(region, selection)
        return True

    def cursor(self, position: QPointF | None) -> QCursor:
        handle = self._handle(position) if position is not None else None
        return QCursor(Qt.CursorShape.OpenHandCursor if handle is None else cursor_of(handle))

    def _handle(self, position: QPointF) -> Handle | None:
        region = self.canvas.editor.active
        if region is None or region.whole:
            return None
        view, rect = self.canvas.view, region.selection.rect
        left, top = view.to_screen(Point(rect.x, rect.y))
        right, bottom = view.to_screen(Point(rect.right, rect.bottom))
        inside = self.canvas.to_pane(position)
        return handle_at(inside, (left, top, right, bottom), self.canvas.devicePixelRatioF())

    def _reshape(self, grab: _Grab, position: QPointF, modifiers: Qt.KeyboardModifier) -> None:
        assert grab.region is not None
        assert grab.selection is not None
        assert grab.handle is not None
        zoom, document = self.canvas.view.zoom, self.canvas.view.document
        right, down = (round(v / zoom) for v in (position - grab.start).toTuple())
        if grab.handle is Handle.MOVE:
            changed = grab.selection.moved(right, down, document)
        else:
            square = bool(modifiers & Qt.KeyboardModifier.ShiftModifier)
            rect = resized_rect(grab.selection.rect, grab.handle, right, down, document, keep_shape=square)
            changed = grab.selection.resized(rect)
        self.canvas.editor.reshape(grab.region, changed)

    def _activate_at(self, position: QPointF) -> None:
        point = self.canvas.to_document(position)
        for region in reversed(self.canvas.editor.regions):
            if not region.whole and region.selection.covers(*point):
                self.canvas.editor.activate(region)
                return
