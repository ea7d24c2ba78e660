"""Numbers of the compare modes: divider, gain of the difference, pace of the blinking, and how before is enlarged."""

from __future__ import annotations

from html import escape

from PySide6.QtCore import QLocale, Qt
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QSlider, QSpinBox, QWidget

from safelight.imaging.overlay import COLOURS
from safelight_desktop.planes.enlarged import RESAMPLINGS
from safelight_desktop.state.compare import GAIN_LEAST, GAIN_MOST, CompareMode
from safelight_desktop.state.editor import Editor
from safelight_desktop.state.faithfulness import FaithfulnessState
from safelight_desktop.texts import setting_text, translate


class CompareBar(QWidget):
    """Shows what the mode in use needs."""

    def __init__(self, editor: Editor, maps: FaithfulnessState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._editor, self._compare, self._maps = editor, editor.compare, maps
        self.map_said = QLabel()
        self.gain = QSlider(Qt.Orientation.Horizontal)
        self.gain.setRange(round(GAIN_LEAST), round(GAIN_MOST))
        self.gain.setPageStep(2)
        self.gain.setFixedWidth(110)
        self.gain_number = _number(round(GAIN_LEAST), round(GAIN_MOST), " ×")
        self.blink_ms = _number(100, 2000, " ms", 50)
        self.divider = _number(0, 100, " %")
        self.resampling = QComboBox()
        for resampling in RESAMPLINGS:
            self.resampling.addItem(setting_text(resampling), resampling)
        row = QHBoxLayout(self)
        row.setContentsMargins(8, 0, 0, 0)
        row.setSpacing(6)
        self._groups: dict[str, list[QWidget]] = {}
        for name, title, widgets in (
            ("divider", translate("Compare", "Divider"), [self.divider]),
            ("gain", translate("Compare", "Amplified"), [self.gain, self.gain_number]),
            ("blink", translate("Compare", "Every"), [self.blink_ms]),
            ("resampling", translate("Compare", "Before drawn"), [self.resampling]),
        ):
            label = QLabel(title)
            label.setProperty("role", "quiet")
            label.setBuddy(widgets[-1])
            for widget in widgets:
                widget.setAccessibleName(title)
            self._groups[name] = [label, *widgets]
            for widget in self._groups[name]:
                row.addWidget(widget)
        row.addWidget(self.map_said)
        row.addStretch(1)
        self.gain.valueChanged.connect(self._compare.set_gain)
        self.gain_number.valueChanged.connect(self._compare.set_gain)
        self.blink_ms.valueChanged.connect(self._compare.set_blink_ms)
        self.divider.valueChanged.connect(lambda percent: self._compare.set_divider(percent / 100))
        self.resampling.activated.connect(
            lambda index: editor.set_resampling(self.resampling.itemData(index))
        )
        self._compare.changed.connect(self._show)
        editor.picture_changed.connect(self._show)
        maps.changed.connect(self._show_map)
        self._show()
        self._show_map()

    def _show_map(self) -> None:
        """Its name in its colour, and how much of it there is."""
        maps = self._maps
        self.map_said.setVisible(bool(maps.name))
        if not maps.name:
            return
        titles = {
            "contradiction": translate("Compare", "Contradicts the original"),
            "invention": translate("Compare", "Invented"),
            "spread": translate("Compare", "Renditions disagree"),
        }
        text = titles[maps.name]
        if maps.busy:
            text = translate("Compare", "{map}: being measured…").format(map=text)
        elif maps.maps is not None and maps.image is not None:
            share = maps.maps.numbers.get(f"{maps.name}_share", 0.0) * 100
            told = translate("Compare", "{map}: stands out in {share} % of the pixels")
            text = told.format(map=text, share=QLocale().toString(share, "f", 1))
        else:
            text = translate("Compare", "{map}: needs two renditions of the same size").format(map=text)
        red, green, blue = COLOURS[maps.name]
        self.map_said.setText(f'<span style="color: rgb({red}, {green}, {blue})">■</span> {escape(text)}')

    def _show(self) -> None:
        mode, layers = self._compare.mode, self._editor.layers()
        restored = layers is not None and layers[0] is not layers[1]
        enlarged = layers is not None and layers[1].scale > 1
        shown = {
            "divider": mode is CompareMode.SPLIT and restored,
            "gain": mode is CompareMode.DIFFERENCE,
            "blink": mode is CompareMode.BLINK,
            "resampling": enlarged and mode is not CompareMode.AFTER,
        }
        for name, widgets in self._groups.items():
            for widget in widgets:
                widget.setVisible(shown[name])
        for widget, value in (
            (self.gain, round(self._compare.gain)), (self.gain_number, round(self._compare.gain)),
            (self.blink_ms, self._compare.blink_ms), (self.divider, round(self._compare.divider * 100)),
        ):  # fmt: skip
            widget.blockSignals(True)
            widget.setValue(value)
            widget.blockSignals(False)
        self.resampling.setCurrentIndex(self.resampling.findData(self._editor.resampling))


def _number(least: int, most: int, suffix: str, step: int = 1) -> QSpinBox:
    box = QSpinBox()
    box.setRange(least, most)
    box.setSuffix(suffix)
    box.setSingleStep(step)
    box.setKeyboardTracking(False)
    box.setFixedWidth(box.sizeHint().width())
    return box
