"""A slider with its number: dragged, typed, stepped by keys, reset by a double click."""

from __future__ import annotations

import math

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QDoubleSpinBox, QGridLayout, QLabel, QSlider, QWidget

STEPS = 1000  # of the slider over its range


class _Slider(QSlider):
    """Arrows move by 1 %, with Shift by 10 %; Home and End go to the ends."""

    reset_asked = Signal()

    def __init__(self) -> None:
        super().__init__(Qt.Orientation.Horizontal)
        self.setRange(0, STEPS)
        self.setSingleStep(STEPS // 100)
        self.setPageStep(STEPS // 10)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        arrows = {
            Qt.Key.Key_Left: -1, Qt.Key.Key_Down: -1, Qt.Key.Key_Right: 1, Qt.Key.Key_Up: 1,
        }  # fmt: skip
        direction = arrows.get(Qt.Key(event.key()))
        if direction is not None and event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            self.setValue(self.value() + direction * self.pageStep())
        else:
            super().keyPressEvent(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self.reset_asked.emit()


class NumberRow(QWidget):
    """A number from `least` to `most`. `automatic` is a value below `least` that means "chosen for you"; it is
    shown as `automatic_text`."""

    changed = Signal(float)
    """By a person."""
    reset_asked = Signal()

    def __init__(
        self,
        title: str,
        least: float,
        most: float,
        *,
        decimals: int = 2,
        unit: str = "",
        automatic: float | None = None,
        automatic_text: str = "",
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._least, self._most, self._automatic = least, most, automatic
        self._setting = False
        self.label = QLabel(title)
        self.slider = _Slider()
        self.number = QDoubleSpinBox()
        self.number.setDecimals(decimals)
        self.number.setKeyboardTracking(False)
        step = 10.0**-decimals
        self.number.setRange(least if automatic is None else least - step, most)
        self.number.setSingleStep(max(step, (most - least) / 100 if decimals else 1))
        if unit:
            self.number.setSuffix(f" {unit}")
        if automatic is not None:
            self.number.setSpecialValueText(automatic_text)
        self.label.setBuddy(self.number)
        self.slider.setAccessibleName(title)
        self.number.setAccessibleName(title)
        layout = QGridLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setHorizontalSpacing(8)
        layout.setVerticalSpacing(2)
        layout.addWidget(self.label, 0, 0)
        layout.addWidget(self.number, 0, 1)
        layout.addWidget(self.slider, 1, 0, 1, 2)
        layout.setColumnStretch(0, 1)
        self.number.setMinimumWidth(84)
        self.slider.valueChanged.connect(self._slid)
        self.slider.reset_asked.connect(self.reset_asked)
        self.number.valueChanged.connect(self._typed)

    @property
    def value(self) -> float:
        """The automatic value while that is chosen."""
        if self._automatic is not None and self.number.value() < self._least:
            return self._automatic
        return self.number.value()

    def set_value(self, value: float, shown_at: float | None = None) -> None:
        """`shown_at`: where the slider stands while the value is automatic."""
        self._setting = True
        automatic = self._automatic is not None and value == self._automatic
        self.number.setValue(self.number.minimum() if automatic else value)
        at = (shown_at if shown_at is not None else self._least) if automatic else value
        self.slider.setValue(round((at - self._least) / (self._most - self._least) * STEPS))
        self.slider.setAccessibleDescription(self.number.text())
        self._setting = False

    def set_automatic_text(self, text: str) -> None:
        self.number.setSpecialValueText(text)

    def set_help(self, text: str) -> None:
        for part in (self.label, self.slider, self.number):
            part.setToolTip(text)
        self.slider.setAccessibleDescription(text)

    def _slid(self, position: int) -> None:
        if self._setting:
            return
        exact = self._least + position / STEPS * (self._most - self._least)
        rounded = round(exact, self.number.decimals())
        self._setting = True
        self.number.setValue(rounded)
        self._setting = False
        self.changed.emit(rounded)

    def _typed(self, value: float) -> None:
        if self._setting:
            return
        chosen = self.value
        if not math.isclose(chosen, value) or chosen == self._automatic:
            self.set_value(chosen)
        else:
            self.set_value(value)
        self.changed.emit(chosen)
