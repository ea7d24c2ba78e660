"""Size, feather and strength of the brush, while a painting tool is in use."""

from __future__ import annotations

from PySide6.QtWidgets import QHBoxLayout, QLabel, QSpinBox, QWidget

from safelight_desktop.state.painting import SIZE_LEAST_PX, SIZE_MOST_PX, BrushState
from safelight_desktop.texts import translate


class BrushBar(QWidget):
    """Numbers only: [ and ] change them too."""

    def __init__(self, brush: BrushState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._brush = brush
        self.diameter = _box(SIZE_LEAST_PX, SIZE_MOST_PX, " px")
        self.softness = _box(0, 100, " %")
        self.strength = _box(0, 100, " %")
        row = QHBoxLayout(self)
        row.setContentsMargins(8, 0, 0, 0)
        row.setSpacing(6)
        self._strength_label = QLabel(translate("Brush", "Strength"))
        for label, widget in (
            (QLabel(translate("Brush", "Size")), self.diameter),
            (QLabel(translate("Brush", "Feather")), self.softness),
            (self._strength_label, self.strength),
        ):
            label.setProperty("role", "quiet")
            label.setBuddy(widget)
            widget.setAccessibleName(label.text())
            row.addWidget(label)
            row.addWidget(widget)
        row.addStretch(1)
        self.diameter.valueChanged.connect(brush.set_size)
        self.softness.valueChanged.connect(lambda percent: brush.set_softness(percent / 100))
        self.strength.valueChanged.connect(lambda percent: brush.set_strength(percent / 100))
        brush.changed.connect(self._show)
        self._show()

    def show_for(self, tool: str) -> None:
        """`tool`: paint, erase or strength; empty: none that paints."""
        self.setVisible(bool(tool))
        for widget in (self._strength_label, self.strength):
            widget.setVisible(tool == "strength")

    def _show(self) -> None:
        for widget, value in (
            (self.diameter, self._brush.size_px), (self.softness, self._brush.softness * 100),
            (self.strength, self._brush.strength * 100),
        ):  # fmt: skip
            widget.blockSignals(True)
            widget.setValue(round(value))
            widget.blockSignals(False)


def _box(least: int, most: int, suffix: str) -> QSpinBox:
    box = QSpinBox()
    box.setRange(least, most)
    box.setSuffix(suffix)
    box.setKeyboardTracking(False)
    return box
