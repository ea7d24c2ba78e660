"""How to restore: pipeline, preset, output scale."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QButtonGroup, QComboBox, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from safelight_desktop.state.editor import Editor
from safelight_desktop.state.form_owner import FormOwner
from safelight_desktop.state.presets import OwnPresets
from safelight_desktop.texts import setting_text, translate
from safelight_desktop.widgets.message_bar import sentence
from safelight_desktop.widgets.preset_box import PresetBox

SCALES = (1, 2, 4)


class PipelineBox(QWidget):
    """Follows the editor's form."""

    install_asked = Signal(str)
    """Id of a pipeline whose files are missing."""

    def __init__(
        self, editor: Editor | FormOwner, presets: OwnPresets, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._form = editor.form
        self.pipelines = QComboBox()
        self.pipelines.setAccessibleName(translate("Settings", "Pipeline"))
        self.summary = QLabel()
        self.summary.setWordWrap(True)
        self.summary.setProperty("role", "quiet")
        self.missing = QLabel()
        self.missing.setWordWrap(True)
        self.missing.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.missing.setProperty("role", "warning")
        self.install = QPushButton(translate("Settings", "Install…"))
        self.install.clicked.connect(self._ask_install)
        self.presets = PresetBox(editor, presets)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        layout.addWidget(_label(translate("Settings", "Pipeline"), self.pipelines))
        layout.addWidget(self.pipelines)
        layout.addWidget(self.summary)
        layout.addWidget(self.missing)
        layout.addWidget(self.install, 0, Qt.AlignmentFlag.AlignLeft)
        layout.addSpacing(4)
        layout.addWidget(_label(translate("Settings", "Preset"), self.presets.list))
        layout.addWidget(self.presets)
        layout.addSpacing(4)
        layout.addWidget(QLabel(translate("Settings", "Output size")))
        layout.addLayout(self._scale_row())
        self.pipelines.activated.connect(lambda i: self._form.choose_pipeline(self.pipelines.itemData(i)))
        self._form.pipelines_changed.connect(self._list_pipelines)
        self._form.pipeline_changed.connect(self._show_pipeline)
        self._form.values_changed.connect(self._show_values)

    def _scale_row(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(0)
        self.scales = QButtonGroup(self)
        for scale in SCALES:
            text = translate("Settings", "In place") if scale == 1 else f"{scale}×"
            button = QPushButton(text)
            button.setCheckable(True)
            button.setProperty("role", "segment")
            button.setProperty("place", {SCALES[0]: "first", SCALES[-1]: "last"}.get(scale, "middle"))
            button.setAccessibleName(translate("Settings", "Output size {scale}×").format(scale=scale))
            self.scales.addButton(button, scale)
            row.addWidget(button, 2 if scale == 1 else 1)
        self.scales.idClicked.connect(self._form.choose_scale)
        return row

    def _list_pipelines(self) -> None:
        self.pipelines.clear()
        for installed in self._form.pipelines:
            title = installed.spec.title
            if not installed.installed:
                title = translate("Settings", "{title} (not installed)").format(title=title)
            self.pipelines.addItem(title, installed.spec.id)
            at = self.pipelines.count() - 1
            self.pipelines.setItemData(at, installed.install_hint or "", Qt.ItemDataRole.ToolTipRole)

    def _show_pipeline(self) -> None:
        spec = self._form.spec
        if spec is None:
            return
        self.pipelines.setCurrentIndex(self.pipelines.findData(spec.id))
        self.summary.setText(setting_text(spec.summary))
        installed = self._form.pipeline is not None and self._form.pipeline.installed
        hint = self._form.pipeline.install_hint if self._form.pipeline is not None else ""
        self.missing.setText(sentence(hint) if hint else translate("Settings", "It is not installed."))
        self.missing.setVisible(not installed)
        self.install.setVisible(not installed)
        self.install.setAccessibleName(translate("Settings", "Install {title}").format(title=spec.title))
        for scale in SCALES:
            self.scales.button(scale).setEnabled(scale in spec.output_scales)
        self._show_values("")

    def _ask_install(self) -> None:
        if self._form.spec is not None:
            self.install_asked.emit(self._form.spec.id)

    def _show_values(self, _: str) -> None:
        button = self.scales.button(self._form.output_scale)
        if button is not None:
            button.setChecked(True)


def _label(text: str, buddy: QWidget) -> QLabel:
    label = QLabel(text)
    label.setBuddy(buddy)
    return label
