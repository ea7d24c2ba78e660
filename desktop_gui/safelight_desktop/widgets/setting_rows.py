"""A control for each setting of a schema: what the daemon describes is all that is known of it."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QCheckBox, QComboBox, QLabel, QPlainTextEdit, QPushButton, QVBoxLayout, QWidget

from safelight.spec import SettingSpec, SettingValue
from safelight_desktop.texts import setting_text, translate
from safelight_desktop.widgets.message_bar import sentence
from safelight_desktop.widgets.number_row import NumberRow

TEXT_LINES = 3
_ZERO_IS_AUTOMATIC = ("working_scale",)


class SettingRow(QWidget):
    """Shows one value; a person's change comes as `changed`, a wish for the default as `reset_asked`."""

    changed = Signal(object)
    reset_asked = Signal()

    def __init__(self, spec: SettingSpec, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.spec = spec
        self.title = setting_text(spec.title)
        self.setToolTip(setting_text(spec.help))
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(0, 0, 0, 0)
        self.column.setSpacing(3)

    def show_value(self, value: SettingValue) -> None:
        raise NotImplementedError

    def show_estimate(self, value: float) -> None:
        """What the automatic value came to in the last run."""

    def show_found(self, text: str, source: str = "", note: str = "") -> None:
        """What the pipeline found by itself in the last run, such as tags or a caption (`source`); `note`: what a
        person should know of it."""


def row_for(spec: SettingSpec) -> SettingRow:
    if spec.type in ("int", "float"):
        return NumberSetting(spec)
    if spec.type == "choice":
        return ChoiceSetting(spec)
    if spec.type == "bool":
        return SwitchSetting(spec)
    return TextSetting(spec)


class NumberSetting(SettingRow):
    """Where the default lies below the range that makes sense, it means "chosen for you"."""

    def __init__(self, spec: SettingSpec) -> None:
        super().__init__(spec)
        least, most = float(spec.minimum or 0.0), float(spec.maximum if spec.maximum is not None else 1.0)
        self._automatic = automatic_value(spec)
        if self._automatic is not None:
            least = 0.25 if spec.name in _ZERO_IS_AUTOMATIC else self._automatic + 1
        self._estimate: float | None = None
        self.row = NumberRow(
            self.title,
            least,
            most,
            decimals=0 if spec.type == "int" or most > 50 else 2,
            unit=setting_text(spec.unit) if spec.unit else "",
            automatic=self._automatic,
            automatic_text=translate("Settings", "auto"),
        )
        self.row.set_help(self.toolTip())
        self.row.changed.connect(self._changed)
        self.row.reset_asked.connect(self.reset_asked)
        self.column.addWidget(self.row)

    def show_value(self, value: SettingValue) -> None:
        self.row.set_value(float(value), self._estimate)

    def show_estimate(self, value: float) -> None:
        if self._automatic is None:
            return
        self._estimate = value
        automatic = self.row.value == self._automatic
        self.row.set_automatic_text(translate("Settings", "auto: {value}").format(value=f"{value:.2f}"))
        if automatic:
            self.row.set_value(self._automatic, value)

    def _changed(self, value: float) -> None:
        self.changed.emit(int(value) if self.spec.type == "int" else value)


class ChoiceSetting(SettingRow):
    """A list of words."""

    def __init__(self, spec: SettingSpec) -> None:
        super().__init__(spec)
        self.label = QLabel(self.title)
        self.box = QComboBox()
        for choice in spec.choices:
            self.box.addItem(setting_text(choice), choice)
        self.box.setAccessibleName(self.title)
        self.label.setBuddy(self.box)
        self.box.activated.connect(lambda index: self.changed.emit(self.box.itemData(index)))
        self.column.addWidget(self.label)
        self.column.addWidget(self.box)

    def show_value(self, value: SettingValue) -> None:
        self.box.setCurrentIndex(self.box.findData(value))


class SwitchSetting(SettingRow):
    """On or off."""

    def __init__(self, spec: SettingSpec) -> None:
        super().__init__(spec)
        self.box = QCheckBox(self.title)
        self.box.clicked.connect(lambda on: self.changed.emit(bool(on)))
        self.column.addWidget(self.box)

    def show_value(self, value: SettingValue) -> None:
        self.box.setChecked(bool(value))


class TextSetting(SettingRow):
    """A few lines; what the pipeline found by itself can be taken over and edited."""

    taken = Signal(str)
    read_asked = Signal()

    def __init__(self, spec: SettingSpec) -> None:
        super().__init__(spec)
        self.label = QLabel(self.title)
        self.box = QPlainTextEdit()
        self.box.setTabChangesFocus(True)
        self.box.setAccessibleName(self.title)
        self.box.setPlaceholderText(self.toolTip())
        height = self.box.fontMetrics().lineSpacing() * TEXT_LINES + 14
        self.box.setFixedHeight(height)
        self.label.setBuddy(self.box)
        self.box.textChanged.connect(self._changed)
        self.found = QLabel()
        self.found.setWordWrap(True)
        self.found.setProperty("role", "quiet")
        self.note = QLabel()
        self.note.setWordWrap(True)
        self.note.setProperty("role", "warning")
        self._found = ""
        self.take = QPushButton(translate("Settings", "Edit this text"))
        self.take.setProperty("role", "flat")
        self.take.clicked.connect(lambda: self.taken.emit(self._found))
        self.read = QPushButton(translate("Settings", "Read it from the picture now"))
        self.read.clicked.connect(self.read_asked)
        self.read.hide()
        self.column.addWidget(self.label)
        self.column.addWidget(self.box)
        self.column.addWidget(self.read, 0, Qt.AlignmentFlag.AlignLeft)
        self.column.addWidget(self.found)
        self.column.addWidget(self.take, 0, Qt.AlignmentFlag.AlignLeft)
        self.column.addWidget(self.note)
        self.show_found("")

    def show_found(self, text: str, source: str = "", note: str = "") -> None:
        self._found = text
        if source:
            told = translate("Settings", "Read from the picture ({source}): {text}")
            self.found.setText(told.format(source=setting_text(source), text=text))
        else:
            self.found.setText(translate("Settings", "Found: {text}").format(text=text))
        for widget in (self.found, self.take):
            widget.setVisible(bool(text) and text != self.box.toPlainText())
        self.note.setText(sentence(note) if note else "")
        self.note.setVisible(bool(note))

    def show_value(self, value: SettingValue) -> None:
        if self.box.toPlainText() != value:
            self.box.blockSignals(True)
            self.box.setPlainText(str(value))
            self.box.blockSignals(False)

    def _changed(self) -> None:
        self.changed.emit(self.box.toPlainText())


def automatic_value(spec: SettingSpec) -> float | None:
    """The value that means "chosen for you"; None for settings without one.

    A schema does not name it, but it can be told: a default below 0 where the range begins, and for whole
    numbers and the working scale a default of 0 there.
    """
    if spec.minimum is None or spec.default != spec.minimum:
        return None
    if float(spec.default) < 0 or spec.type == "int" or spec.name in _ZERO_IS_AUTOMATIC:
        return float(spec.default)
    return None
