"""The zoom as a number, and a word of warning below 100 %."""

from __future__ import annotations

from PySide6.QtWidgets import QDoubleSpinBox, QHBoxLayout, QLabel, QWidget

from safelight_desktop.state.view import STEP, ZOOM_LEAST, ZOOM_MOST, ViewState
from safelight_desktop.texts import translate


class ZoomBox(QWidget):
    """Typed, or stepped by its arrows."""

    def __init__(self, view: ViewState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._view = view
        self.number = _Percent()
        self.number.setAccessibleName(translate("View", "Zoom"))
        self.warning = QLabel(translate("View", "Judge sharpness at 100 %"))
        self.warning.setProperty("role", "warning")
        self.row = QHBoxLayout(self)
        self.row.setContentsMargins(0, 0, 8, 0)
        self.row.setSpacing(6)
        self.row.addWidget(self.warning)
        self.row.addWidget(self.number)
        self.number.valueChanged.connect(lambda percent: view.zoom_to(percent / 100))
        view.changed.connect(self._show)
        self._show()

    def show_picture(self, there: bool) -> None:
        self.number.setEnabled(there)
        self._there = there
        self._show()

    _there = False

    def _show(self) -> None:
        percent = self._view.zoom * 100
        self.number.blockSignals(True)
        self.number.setDecimals(0 if percent >= 10 else 1)
        self.number.setValue(percent)
        self.number.blockSignals(False)
        self.warning.setVisible(self._there and self._view.zoom < 1)


class _Percent(QDoubleSpinBox):
    """Steps as the wheel does on the picture."""

    def __init__(self) -> None:
        super().__init__()
        self.setRange(ZOOM_LEAST * 100, ZOOM_MOST * 100)
        self.setSuffix(" %")
        self.setKeyboardTracking(False)

    def stepBy(self, steps: int) -> None:
        self.setValue(self.value() * STEP**steps)
