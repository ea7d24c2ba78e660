"""Who has a form of settings: the editor, the batch, a dialog."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from safelight.errors import SafelightError
from safelight_desktop.state.settings_form import SettingsForm


class FormOwner(QObject):
    """What the controls of settings need. `failed` carries what a person must be told."""

    failed = Signal(SafelightError)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.form = SettingsForm(self)
