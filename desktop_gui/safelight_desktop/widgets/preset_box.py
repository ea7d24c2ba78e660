"""Presets: those that come with the pipelines, and own ones."""

from __future__ import annotations

from PySide6.QtWidgets import QComboBox, QHBoxLayout, QInputDialog, QMenu, QPushButton, QWidget

from safelight.client.restoration import Installed
from safelight.errors import InvalidRequest
from safelight.settings import COMMON_PRESETS
from safelight_desktop.state.editor import Editor
from safelight_desktop.state.form_owner import FormOwner
from safelight_desktop.state.presets import NAME_CHARS_MOST, OwnPresets
from safelight_desktop.texts import setting_text, translate
from safelight_desktop.widgets.icons import icon

OWN = "own:"
"""Before the name of an own preset, in the list and in the form."""

SOCIAL, SOCIAL_PIPELINE = "social-media", "s3diff"
"""A preset that chooses its pipeline too: S3Diff with its own estimate of blur and noise."""


class PresetBox(QWidget):
    """A list, and a menu to keep or remove own presets."""

    def __init__(
        self, editor: Editor | FormOwner, presets: OwnPresets, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._form, self._editor, self._presets = editor.form, editor, presets
        self.list = QComboBox()
        self.list.setAccessibleName(translate("Settings", "Preset"))
        self.more = QPushButton(icon("chevron-down"), "")
        self.more.setProperty("role", "more")
        self.more.setAccessibleName(translate("Settings", "Keep or remove presets"))
        menu = QMenu(self)
        self.keep = menu.addAction(translate("Settings", "Keep these values as a preset…"), self._ask_name)
        self.remove = menu.addAction(translate("Settings", "Remove this preset"), self._remove)
        self.more.setMenu(menu)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(6)
        row.addWidget(self.list, 1)
        row.addWidget(self.more)
        self.list.activated.connect(self._chosen)
        self._form.pipeline_changed.connect(self._fill)
        self._form.values_changed.connect(self._show)
        presets.changed.connect(self._fill)
        self._fill()

    def keep_as(self, name: str) -> None:
        """The values as they are now."""
        self._presets.put(name, self._form.chosen_values)
        self._form.apply_preset(OWN + name, self._form.chosen_values)

    def _fill(self) -> None:
        spec = self._form.spec
        self.list.clear()
        self.list.addItem(translate("Settings", "Own values"), "")
        for name in dict.fromkeys([*COMMON_PRESETS, *(spec.presets if spec else ())]):
            self.list.addItem(setting_text(preset_title(name)), name)
        social = self._social
        if social is not None and social.installed:
            self.list.addItem(translate("Settings", "Social media, JPEG"), SOCIAL)
        own = self._presets.all()
        if own:
            self.list.insertSeparator(self.list.count())
        for name in own:
            self.list.addItem(name, OWN + name)
        self._show()

    @property
    def _social(self) -> Installed | None:
        return next((p for p in self._form.pipelines if p.spec.id == SOCIAL_PIPELINE), None)

    def _show(self, _: str = "") -> None:
        self.list.setCurrentIndex(max(0, self.list.findData(self._form.preset)))
        self.remove.setEnabled(self._form.preset.startswith(OWN))

    def _chosen(self, index: int) -> None:
        name = str(self.list.itemData(index) or "")
        own = self._presets.all().get(name.removeprefix(OWN)) if name.startswith(OWN) else None
        if not name:
            return
        if name == SOCIAL:
            self._form.choose_pipeline(SOCIAL_PIPELINE)
            self._form.apply_preset(SOCIAL, {})
            return
        try:
            self._form.apply_preset(name, own)
        except InvalidRequest as error:
            self._editor.failed.emit(error)

    def _ask_name(self) -> None:
        name, given = QInputDialog.getText(
            self, translate("Settings", "Keep as a preset"), translate("Settings", "Name of the preset")
        )
        if given and name.strip():
            self.keep_as(name.strip()[:NAME_CHARS_MOST])

    def _remove(self) -> None:
        self._presets.remove(self._form.preset.removeprefix(OWN))


def preset_title(name: str) -> str:
    return name.replace("-", " ").capitalize()
