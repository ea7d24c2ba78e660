"""What a person prefers: appearance, saving, the daemon."""

from __future__ import annotations

import os

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QButtonGroup,
    QCheckBox,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QRadioButton,
    QSpinBox,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from safelight.client.remote import forget_remote, name_remote, named_remote
from safelight.errors import SafelightError
from safelight.imaging.files import METADATA_POLICIES
from safelight.runtime import KEPT_VARIABLE
from safelight_desktop.rpc.link import DaemonLink
from safelight_desktop.state.device import DeviceState
from safelight_desktop.state.preferences import THEMES, Preferences
from safelight_desktop.texts import LANGUAGES, translate
from safelight_desktop.widgets.message_bar import sentence
from safelight_desktop.windows.loaded_page import kept_text
from safelight_desktop.windows.save_dialog import FORMATS, policy_texts

KEPT_MOST_MB = 999_999
PATH_PX = 300


class PreferencesDialog(QDialog):
    """Changes act at once; the language after the next start."""

    def __init__(
        self, preferences: Preferences, device: DeviceState, link: DaemonLink, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(translate("Preferences", "Preferences"))
        self.appearance = AppearancePage(preferences)
        self.saving = SavingPage(preferences)
        self.daemon = DaemonPage(preferences, device, link)
        self.tabs = QTabWidget()
        self.tabs.setDocumentMode(True)
        self.tabs.addTab(self.appearance, translate("Preferences", "Appearance"))
        self.tabs.addTab(self.saving, translate("Preferences", "Saving"))
        self.tabs.addTab(self.daemon, translate("Preferences", "Daemon"))
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        buttons.setContentsMargins(16, 0, 16, 14)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.tabs, 1)
        column.addWidget(buttons)


class AppearancePage(QWidget):
    """Theme, language, the screen, notifications."""

    def __init__(self, preferences: Preferences, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._preferences = preferences
        self.theme, self.language = QComboBox(), QComboBox()
        titles = {
            "system": translate("Preferences", "As the system"),
            "light": translate("Preferences", "Light"),
            "dark": translate("Preferences", "Dark"),
        }
        for name in THEMES:
            self.theme.addItem(titles[name], name)
        self.language.addItem(translate("Preferences", "As the system"), "")
        for code, name in LANGUAGES.items():
            self.language.addItem(name, code)
        self.theme.setCurrentIndex(self.theme.findData(preferences.theme))
        self.language.setCurrentIndex(self.language.findData(preferences.language))
        self.profile = QLineEdit(preferences.monitor_profile)
        self.profile.setPlaceholderText(translate("Preferences", "sRGB"))
        self.profile.setMinimumWidth(PATH_PX)
        self.profile_said = QLabel()
        self.profile_said.setProperty("role", "error")
        self.profile_said.setVisible(False)
        self.notify = QCheckBox(translate("Preferences", "Notify when a long job is over"))
        self.notify.setChecked(preferences.notify)
        choose = QPushButton(translate("Preferences", "Choose…"))
        choose.clicked.connect(self._choose_profile)
        restart = QLabel(translate("Preferences", "The language changes when Safelight is started again."))
        restart.setProperty("role", "quiet")
        form = _form(self)
        _add(form, translate("Preferences", "Theme"), self.theme)
        _add(form, translate("Preferences", "Language"), self.language)
        form.addRow("", restart)
        _add(form, translate("Preferences", "Profile of the screen"), self.profile, choose)
        form.addRow("", self.profile_said)
        form.addRow("", self.notify)
        self.theme.activated.connect(lambda i: preferences.set("theme", self.theme.itemData(i)))
        self.language.activated.connect(lambda i: preferences.set("language", self.language.itemData(i)))
        self.notify.clicked.connect(lambda on: preferences.set("notify", bool(on)))
        self.profile.editingFinished.connect(self._profile_named)

    def _choose_profile(self) -> None:
        profiles = translate("Preferences", "Colour profiles")
        name, _ = QFileDialog.getOpenFileName(
            self, translate("Preferences", "Profile of the screen"), "", f"{profiles} (*.icc *.icm)"
        )
        if name:
            self.profile.setText(name)
            self._profile_named()

    def _profile_named(self) -> None:
        name = self.profile.text().strip()
        if name != self._preferences.monitor_profile:
            self._preferences.set("monitor-profile", name)
        unusable = bool(name) and not self._preferences.monitor_icc()
        self.profile_said.setText(translate("Preferences", "This profile cannot be used: sRGB is."))
        self.profile_said.setVisible(unusable)


class SavingPage(QWidget):
    """What the dialog for saving begins with."""

    def __init__(self, preferences: Preferences, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.format, self.metadata = QComboBox(), QComboBox()
        self.format.addItem(translate("Preferences", "As the original"), "")
        for title, suffix in FORMATS.items():
            self.format.addItem(title, suffix)
        for policy, text in zip(METADATA_POLICIES, policy_texts(), strict=True):
            self.metadata.addItem(text, policy)
        self.format.setCurrentIndex(self.format.findData(preferences.format))
        self.metadata.setCurrentIndex(self.metadata.findData(preferences.metadata))
        self.record = QCheckBox(translate("Preferences", "Say in saved files what was restored, and how"))
        self.record.setChecked(preferences.record)
        form = _form(self)
        _add(form, translate("Preferences", "Format"), self.format)
        _add(form, translate("Preferences", "Metadata"), self.metadata)
        form.addRow("", self.record)
        self.format.activated.connect(lambda i: preferences.set("format", self.format.itemData(i)))
        self.metadata.activated.connect(lambda i: preferences.set("metadata", self.metadata.itemData(i)))
        self.record.clicked.connect(lambda on: preferences.set("record", bool(on)))


class DaemonPage(QWidget):
    """Which daemon does the work, and what it may keep on the disk."""

    def __init__(
        self, preferences: Preferences, device: DeviceState, link: DaemonLink, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._preferences, self._device, self._link = preferences, device, link
        named = named_remote()
        self.here = QRadioButton(translate("Preferences", "On this machine; started when it is needed"))
        self.there = QRadioButton(translate("Preferences", "On another machine"))
        group = QButtonGroup(self)
        for button in (self.here, self.there):
            group.addButton(button)
        (self.there if named else self.here).setChecked(True)
        titles = {
            "target": translate("Preferences", "Address and port"),
            "token_file": translate("Preferences", "File with its token"),
            "root_certificate": translate("Preferences", "Its certificate authority"),
            "client_certificate": translate("Preferences", "Our certificate"),
            "client_key": translate("Preferences", "Our key"),
        }
        self.fields = {name: QLineEdit(named.get(name, "")) for name in titles}
        self.fields["target"].setPlaceholderText("studio.example:7443")
        self._choosers: list[QPushButton] = []
        self.use = QPushButton(translate("Preferences", "Connect"))
        self.said = QLabel()
        self.said.setWordWrap(True)
        self.limited = QCheckBox(translate("Preferences", "Keep at most"))
        self.kept = QSpinBox()
        self.kept.setRange(0, KEPT_MOST_MB)
        self.kept.setSuffix(" MB")
        self.kept.setSpecialValueText(translate("Preferences", "nothing"))
        self.kept.setAccessibleName(translate("Preferences", "Megabytes of results that are kept"))
        limit = preferences.kept_megabytes
        self.limited.setChecked(limit is not None)
        self.kept.setValue(2048 if limit is None else limit)
        self.kept_said = QLabel()
        self.kept_said.setWordWrap(True)
        self.kept_said.setProperty("role", "quiet")
        self.forget = QPushButton(translate("Preferences", "Remove them now"))
        self.restart = QPushButton(translate("Preferences", "Restart the daemon"))
        form = _form(self)
        form.addRow(translate("Preferences", "Daemon"), self.here)
        form.addRow("", self.there)
        for name, title in titles.items():
            _add(form, title, self.fields[name], *([] if name == "target" else [self._chooser(name, title)]))
        form.addRow("", self._row(self.use, self.said))
        form.addRow(translate("Preferences", "Results on the disk"), self._row(self.limited, self.kept))
        form.addRow("", self.kept_said)
        form.addRow("", self._row(self.forget, self.restart))
        self.here.toggled.connect(self._show)
        self.use.clicked.connect(self._connect)
        self.limited.toggled.connect(self._limit)
        self.kept.valueChanged.connect(self._limit)
        self.forget.clicked.connect(device.forget_kept)
        self.restart.clicked.connect(device.restart)
        device.changed.connect(self._show)
        link.state_changed.connect(self._show)
        self._show()

    def _row(self, *widgets: QWidget) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(8)
        for widget in widgets:
            row.addWidget(widget, 1 if isinstance(widget, QLabel) else 0)
        row.addStretch(0 if isinstance(widgets[-1], QLabel) else 1)
        return row

    def _chooser(self, name: str, title: str) -> QPushButton:
        button = QPushButton(translate("Preferences", "Choose…"))

        def choose() -> None:
            path, _ = QFileDialog.getOpenFileName(self, title)
            if path:
                self.fields[name].setText(path)

        button.clicked.connect(choose)
        self._choosers.append(button)
        return button

    def _show(self, *_: object) -> None:
        elsewhere, device = self.there.isChecked(), self._device.device
        for widget in (*self.fields.values(), *self._choosers):
            widget.setEnabled(elsewhere)
        self.kept_said.setText(kept_text(device) if device is not None else "")
        self.forget.setEnabled(device is not None and device.kept_results > 0)
        for widget in (self.limited, self.kept):
            widget.setEnabled(not self._link.elsewhere)
        self.kept.setEnabled(self.limited.isChecked() and not self._link.elsewhere)
        idle = device is not None and device.queued + device.running == 0
        self.restart.setEnabled(idle and not self._link.elsewhere)

    def _connect(self) -> None:
        try:
            if self.there.isChecked():
                name_remote({name: field.text().strip() for name, field in self.fields.items()})
            else:
                forget_remote()
        except SafelightError as error:
            self._say(sentence(error.message), "error")
            return
        self._say("", "quiet")
        self._link.reconnect()

    def _say(self, text: str, role: str) -> None:
        self.said.setText(text)
        self.said.setProperty("role", role)
        self.said.style().polish(self.said)

    def _limit(self, *_: object) -> None:
        """Acts on the next daemon that this app starts."""
        text = str(self.kept.value()) if self.limited.isChecked() else ""
        self._preferences.set("kept-megabytes", text)
        apply_kept(self._preferences)
        self._show()


def apply_kept(preferences: Preferences) -> None:
    """For daemons that this process starts from now on."""
    limit = preferences.kept_megabytes
    if limit is None:
        os.environ.pop(KEPT_VARIABLE, None)
    else:
        os.environ[KEPT_VARIABLE] = str(limit)


def _form(page: QWidget) -> QFormLayout:
    form = QFormLayout(page)
    form.setContentsMargins(20, 18, 20, 14)
    form.setVerticalSpacing(10)
    form.setHorizontalSpacing(14)
    form.setLabelAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
    return form


def _add(form: QFormLayout, title: str, field: QWidget, *beside: QPushButton) -> None:
    label = QLabel(title)
    label.setBuddy(field)
    field.setAccessibleName(title)
    for button in beside:
        button.setAccessibleName(f"{button.text().rstrip('…')}: {title}")
    if not beside:
        form.addRow(label, field)
        return
    row = QHBoxLayout()
    row.setSpacing(8)
    row.addWidget(field, 1)
    for button in beside:
        row.addWidget(button)
    form.addRow(label, row)
