"""What holds for every picture."""

from __future__ import annotations

from PySide6.QtWidgets import (
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
    QVBoxLayout,
    QWidget,
)

from safelight_desktop.state.preferences import THEMES, Preferences
from safelight_desktop.texts import LANGUAGES, translate


class PreferencesDialog(QDialog):
    """Changes act at once; the language after the next start."""

    def __init__(self, preferences: Preferences, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._preferences = preferences
        self.setWindowTitle(translate("Preferences", "Preferences"))
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
        self.profile = QLineEdit(preferences.monitor_profile)
        self.profile.setPlaceholderText(translate("Preferences", "sRGB"))
        self.profile.setMinimumWidth(300)
        self.profile_said = QLabel()
        self.profile_said.setProperty("role", "error")
        self.record = QCheckBox(translate("Preferences", "Say in saved files what was restored, and how"))
        self.notify = QCheckBox(translate("Preferences", "Notify when a long job is over"))
        self._show()
        self._lay_out()
        self.theme.activated.connect(lambda i: preferences.set("theme", self.theme.itemData(i)))
        self.language.activated.connect(lambda i: preferences.set("language", self.language.itemData(i)))
        self.record.clicked.connect(lambda on: preferences.set("record", bool(on)))
        self.notify.clicked.connect(lambda on: preferences.set("notify", bool(on)))
        self.profile.editingFinished.connect(self._profile_named)

    def _lay_out(self) -> None:
        choose = QPushButton(translate("Preferences", "Choose…"))
        choose.clicked.connect(self._choose_profile)
        row = QHBoxLayout()
        row.addWidget(self.profile, 1)
        row.addWidget(choose)
        restart = QLabel(translate("Preferences", "The language changes when Safelight is started again."))
        restart.setProperty("role", "quiet")
        form = QFormLayout()
        form.setVerticalSpacing(10)
        form.setHorizontalSpacing(14)
        form.addRow(translate("Preferences", "Appearance"), self.theme)
        form.addRow(translate("Preferences", "Language"), self.language)
        form.addRow("", restart)
        form.addRow(translate("Preferences", "Profile of the screen"), row)
        form.addRow("", self.profile_said)
        form.addRow("", self.record)
        form.addRow("", self.notify)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 18, 20, 14)
        column.setSpacing(16)
        column.addLayout(form)
        column.addWidget(buttons)

    def _show(self) -> None:
        preferences = self._preferences
        self.theme.setCurrentIndex(self.theme.findData(preferences.theme))
        self.language.setCurrentIndex(self.language.findData(preferences.language))
        self.record.setChecked(preferences.record)
        self.notify.setChecked(preferences.notify)
        self.profile_said.setVisible(False)

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
