"""With which settings a few pictures of a batch are restored again."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QFrame, QScrollArea, QVBoxLayout, QWidget

from safelight.client.restoration import Installed
from safelight.errors import InvalidRequest, SafelightError
from safelight_desktop.state.form_owner import FormOwner
from safelight_desktop.state.presets import OwnPresets
from safelight_desktop.state.settings_form import Recipe
from safelight_desktop.texts import translate
from safelight_desktop.widgets.message_bar import MessageBar
from safelight_desktop.widgets.pipeline_box import PipelineBox
from safelight_desktop.widgets.settings_box import SettingsBox

SIZE = (380, 620)
CONTENT_PX = 340


class RedoDialog(QDialog):
    """`recipe` is what was chosen."""

    def __init__(
        self,
        pipelines: list[Installed],
        recipe: Recipe,
        presets: OwnPresets,
        pictures: int,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(translate("Redo", "Restore again"))
        self.owner = FormOwner(self)
        self.messages = MessageBar()
        self.pipeline = PipelineBox(self.owner, presets)
        self.settings = SettingsBox(self.owner)
        content = QWidget()
        content.setFixedWidth(CONTENT_PX)
        column = QVBoxLayout(content)
        column.setContentsMargins(18, 16, 14, 12)
        column.setSpacing(14)
        column.addWidget(self.pipeline)
        column.addWidget(self.settings)
        column.addStretch(1)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(content)
        self.buttons = QDialogButtonBox(
            QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel
        )
        self.go = self.buttons.button(QDialogButtonBox.StandardButton.Ok)
        self.go.setProperty("role", "primary")
        self.go.setText(
            translate("Redo", "Restore it again")
            if pictures == 1
            else translate("Redo", "Restore {n} pictures again").format(n=pictures)
        )
        self.buttons.accepted.connect(self._accept)
        self.buttons.rejected.connect(self.reject)
        foot = QVBoxLayout()
        foot.setContentsMargins(18, 10, 18, 14)
        foot.addWidget(self.buttons)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addWidget(self.messages)
        whole.addWidget(scroll, 1)
        whole.addLayout(foot)
        self.resize(*SIZE)
        self.owner.failed.connect(self._tell)
        self.owner.form.take_pipelines(pipelines, recipe.pipeline)
        self.owner.form.take_recipe(recipe)

    @property
    def recipe(self) -> Recipe:
        return self.owner.form.recipe()

    def _accept(self) -> None:
        try:
            self.owner.form.settings()
        except InvalidRequest as error:
            self._tell(error)
        else:
            self.accept()

    def _tell(self, error: SafelightError) -> None:
        self.messages.tell(error)
