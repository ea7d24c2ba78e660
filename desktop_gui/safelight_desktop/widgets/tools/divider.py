"""Drags the line between before and after."""

from __future__ import annotations

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QCursor

from safelight_desktop.state.compare import CompareMode
from safelight_desktop.widgets.panes import divider_px
from safelight_desktop.widgets.tools.tool import Tool

GRIP_PX = 6  # on each side of the line, at 100 % display scale
KNOB_PX = 14  # radius of the knob in the middle of the line


class DividerGrip(Tool):
    """The line is grabbed where the hand is used; its knob always."""

    def grabs(self, position: QPointF) -> bool:
        canvas = self.canvas
        scene = canvas.scene
        split = canvas.compare.mode is CompareMode.SPLIT and not canvas.compare.original_held
        if not split or scene is None or not (scene.restored or canvas.editor.jobs.running):
            return False
        ratio = canvas.devicePixelRatioF()
        line = divider_px(canvas.compare, canvas.canvas_size)
        across, along, length = (
            (position.y(), position.x(), canvas.canvas_size.width)
            if canvas.compare.stacked
            else (position.x(), position.y(), canvas.canvas_size.height)
        )
        on_knob = max(abs(across - line), abs(along - length / 2)) <= KNOB_PX * ratio
        on_line = abs(across - line) <= GRIP_PX * ratio and canvas.tool is canvas.hand
        return on_knob or on_line

    def drag(self, position: QPointF, modifiers: Qt.KeyboardModifier) -> None:
        size = self.canvas.canvas_size
        share = position.y() / size.height if self.canvas.compare.stacked else position.x() / size.width
        self.canvas.compare.set_divider(share)

    def cursor(self, position: QPointF | None) -> QCursor:
        stacked = self.canvas.compare.stacked
        return QCursor(Qt.CursorShape.SplitVCursor if stacked else Qt.CursorShape.SplitHCursor)
