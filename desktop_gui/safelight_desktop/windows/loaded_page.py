"""What the daemon holds in memory and on disk, with Keep and Unload now."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QLocale, QTime
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from safelight_desktop.state.device import Device, DeviceState, Resident
from safelight_desktop.state.settings_form import SettingsForm
from safelight_desktop.texts import translate
from safelight_desktop.units import byte_count


class LoadedPage(QWidget):
    """Follows the daemon."""

    def __init__(self, state: DeviceState, form: SettingsForm, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state, self._form = state, form
        self._drawn: Device | None = None
        self.memory, self.kept = QLabel(), QLabel()
        for label in (self.memory, self.kept):
            label.setWordWrap(True)
        self.unload_all = QPushButton(translate("Loaded", "Unload everything now"))
        self.unload_all.clicked.connect(lambda: state.unload(""))
        self.forget = QPushButton(translate("Loaded", "Remove them now"))
        self.forget.setAccessibleName(translate("Loaded", "Remove kept results now"))
        self.forget.clicked.connect(state.forget_kept)
        self._rows = QVBoxLayout()
        self._rows.setSpacing(8)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 14, 16, 12)
        column.setSpacing(12)
        for label, button in ((self.memory, self.unload_all), (self.kept, self.forget)):
            row = QHBoxLayout()
            row.setSpacing(12)
            row.addWidget(label, 1)
            row.addWidget(button)
            if label is self.kept:
                column.addLayout(self._rows)
                column.addStretch(1)
            column.addLayout(row)
        state.changed.connect(self._show)
        form.pipelines_changed.connect(self._redraw)
        self._show()

    def _redraw(self) -> None:
        self._drawn = None
        self._show()

    def _show(self) -> None:
        device = self._state.device
        if device is None:
            self.memory.setText(translate("Loaded", "There is no connection to a daemon."))
            self.kept.setText("")
        else:
            told = translate(
                "Loaded", "{device}: {free} of {all} free. The daemon uses {used} of host memory."
            )
            self.memory.setText(
                told.format(
                    device=device.title,
                    free=byte_count(device.free_bytes),
                    all=byte_count(device.memory_bytes),
                    used=byte_count(device.process_bytes),
                )
            )
            self.kept.setText(kept_text(device))
        self.unload_all.setEnabled(device is not None and bool(device.residents))
        self.forget.setEnabled(device is not None and device.kept_results > 0)
        if device is None or self._drawn is None or (device.residents, device.parts) != (
            self._drawn.residents, self._drawn.parts,
        ):  # fmt: skip
            self._draw(device)
        self._drawn = device

    def _draw(self, device: Device | None) -> None:
        while self._rows.count():
            item = self._rows.takeAt(0)
            widget = item.widget() if item is not None else None
            if widget is not None:
                widget.setParent(None)
                widget.deleteLater()
        titles = {p.spec.id: p.spec.title for p in self._form.pipelines}
        for resident in device.residents if device is not None else ():
            self._rows.addWidget(self._resident(resident, titles.get(resident.pipeline, resident.pipeline)))
        for part in device.parts if device is not None else ():
            users = ", ".join(titles.get(name, name) for name in part.used_by)
            facts = [byte_count(part.weights_bytes), part.precision, part.device]
            shared = translate("Loaded", "shared by {pipelines}").format(pipelines=users)
            self._rows.addWidget(_card(part.title, " · ".join([*filter(None, facts), shared])))
        if device is not None and not device.residents:
            nothing = QLabel(
                translate("Loaded", "Nothing is loaded. A pipeline is loaded when it is first used.")
            )
            nothing.setProperty("role", "quiet")
            self._rows.addWidget(nothing)

    def _resident(self, resident: Resident, title: str) -> QFrame:
        facts = [
            byte_count(resident.weights_bytes),
            resident.precision,
            resident.device,
            until_text(resident),
        ]
        keep = QPushButton(translate("Loaded", "Keep"))
        keep.setToolTip(translate("Status", "Keep it loaded until you unload it"))
        keep.setAccessibleName(translate("Loaded", "Keep {title} loaded").format(title=title))
        keep.clicked.connect(partial(self._state.keep, resident.pipeline))
        keep.setEnabled(resident.until is not None or resident.in_use)
        unload = QPushButton(translate("Loaded", "Unload now"))
        unload.setAccessibleName(translate("Loaded", "Unload {title} now").format(title=title))
        unload.clicked.connect(partial(self._state.unload, resident.pipeline))
        return _card(title, " · ".join(filter(None, facts)), keep, unload)


def until_text(resident: Resident) -> str:
    """How long it stays."""
    if resident.in_use:
        return translate("Loaded", "in use")
    if resident.until is None:
        return translate("Loaded", "until you unload it")
    time = QTime(resident.until.hour, resident.until.minute)
    text = QLocale().toString(time, QLocale.FormatType.ShortFormat)
    return translate("Loaded", "until {time}").format(time=text)


def kept_text(device: Device) -> str:
    """What is on the daemon's disk of results."""
    if device.kept_bytes_limit <= 0:
        return translate("Loaded", "The daemon keeps no results on its disk.")
    told = translate("Loaded", "Results that are kept on the disk: {count}, {used} of at most {all}.")
    return told.format(
        count=device.kept_results,
        used=byte_count(device.kept_bytes),
        all=byte_count(device.kept_bytes_limit),
    )


def _card(title: str, facts: str, *buttons: QPushButton) -> QFrame:
    card = QFrame()
    card.setProperty("role", "card")
    name, about = QLabel(title), QLabel(facts)
    name.setProperty("role", "heading")
    about.setProperty("role", "quiet")
    words = QVBoxLayout()
    words.setSpacing(3)
    words.addWidget(name)
    words.addWidget(about)
    row = QHBoxLayout(card)
    row.setContentsMargins(14, 10, 12, 10)
    row.setSpacing(8)
    row.addLayout(words, 1)
    for button in buttons:
        row.addWidget(button)
    return card
