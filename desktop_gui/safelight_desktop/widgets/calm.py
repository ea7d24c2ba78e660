"""Side-bar controls that do not catch what was meant for the picture: the mouse gives them no focus and the wheel
scrolls past them, unless they have the focus by Tab."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtWidgets import QAbstractButton, QAbstractSpinBox, QComboBox, QSlider, QWidget


class Calm(QObject):
    """Watches the controls within a widget, also those that come later."""

    def watch(self, widget: QWidget) -> None:
        if isinstance(widget, QAbstractButton | QSlider | QComboBox):
            widget.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        elif isinstance(widget, QAbstractSpinBox):
            widget.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        widget.installEventFilter(self)
        for child in widget.findChildren(QWidget, options=Qt.FindChildOption.FindDirectChildrenOnly):
            self.watch(child)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() is QEvent.Type.ChildPolished:
            child = event.child()  # type: ignore[attr-defined]
            if isinstance(child, QWidget):
                self.watch(child)
        elif (
            event.type() is QEvent.Type.Wheel
            and isinstance(watched, QSlider | QComboBox | QAbstractSpinBox)
            and not watched.hasFocus()
        ):
            event.ignore()
            return True
        return False
