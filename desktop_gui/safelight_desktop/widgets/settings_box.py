"""All settings of the chosen pipeline, drawn from its schema; the advanced ones folded away."""

from __future__ import annotations

from PySide6.QtWidgets import QVBoxLayout, QWidget

from safelight_desktop.state.editor import Editor
from safelight_desktop.state.form_owner import FormOwner
from safelight_desktop.state.region import Region
from safelight_desktop.state.words import SOURCES, WordsState
from safelight_desktop.texts import translate
from safelight_desktop.widgets.section import Section
from safelight_desktop.widgets.setting_rows import SettingRow, TextSetting, row_for

PROMPT, SOURCE, CAPTIONER = "prompt", "prompt_source", "captioner"
"""The settings of every pipeline that takes words."""


class SettingsBox(QWidget):
    """Follows the editor's form."""

    def __init__(self, editor: Editor | FormOwner, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._form = editor.form
        self._words: WordsState | None = None
        self.rows: dict[str, SettingRow] = {}
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(10)
        self._drawn_for: tuple[object, ...] = ()
        self.advanced = Section(translate("Settings", "Advanced"), folded=True)
        self._form.pipeline_changed.connect(self._redraw)
        self._form.values_changed.connect(self._show_values)
        if isinstance(editor, Editor):
            self._words = editor.words
            editor.regions_changed.connect(lambda: self._show_estimates(editor.active))
            editor.document_changed.connect(self._show_reading)
            editor.link.greeted.connect(self._show_reading)
            editor.words.changed.connect(self._show_reading)
            editor.words.found.connect(self._found)

    def _redraw(self) -> None:
        specs = self._form.settings_specs
        if specs != self._drawn_for:
            self._drawn_for = specs
            for row in self.rows.values():
                row.setParent(None)
                row.deleteLater()
            self.rows = {}
            self._layout.removeWidget(self.advanced)
            for spec in specs:
                row = row_for(spec)
                row.changed.connect(lambda value, name=spec.name: self._form.choose(name, value))
                row.reset_asked.connect(lambda name=spec.name: self._form.reset(name))
                if isinstance(row, TextSetting):
                    row.taken.connect(lambda text, name=spec.name: self._take_text(name, text))
                    row.read_asked.connect(self._read)
                self.rows[spec.name] = row
                (self.advanced.content if spec.advanced else self._layout).addWidget(row)
            self._layout.addWidget(self.advanced)
            self.advanced.setVisible(any(spec.advanced for spec in specs))
        self._show_values("")

    def _show_values(self, name: str) -> None:
        for row_name, row in self.rows.items():
            if not name or row_name == name:
                row.show_value(self._form.value(row_name))
        self._show_reading()

    def _show_reading(self, *_: object) -> None:
        """The button that reads, where the prompt comes from the picture."""
        row = self.rows.get(PROMPT)
        if not isinstance(row, TextSetting):
            return
        words, source = self._words, self._source
        row.read.setVisible(words is not None and words.offered and source in SOURCES)
        row.read.setEnabled(words is not None and not words.reading)

    @property
    def _source(self) -> str:
        return str(self._form.value(SOURCE)) if SOURCE in self.rows else ""

    def _read(self) -> None:
        if self._words is not None:
            captioner = str(self._form.value(CAPTIONER)) if CAPTIONER in self.rows else ""
            self._words.read(self._source, "" if captioner == "auto" else captioner, self._form.seed)

    def _found(self, text: str, source: str) -> None:
        row = self.rows.get(PROMPT)
        if row is not None and source == self._source:
            row.show_found(text, source)

    def _show_estimates(self, region: Region | None) -> None:
        """What automatic values came to in the shown rendition."""
        if region is None or region.shown is None or region.shown.settings.pipeline != self._pipeline_id:
            return
        report = region.shown.report
        found = {**report.get("conditioning", {}), "working_scale": report.get("working_scale")}
        for name, value in found.items():
            if name not in self.rows:
                continue
            if isinstance(value, str):
                source, note = (str(found.get(f"{name}_{part}") or "") for part in ("from", "note"))
                self.rows[name].show_found(value, source if source in SOURCES else "", note)
            elif isinstance(value, int | float):
                self.rows[name].show_estimate(float(value))

    def _take_text(self, name: str, text: str) -> None:
        """What was found becomes the person's own: the setting that says where it comes from follows."""
        source = self.rows.get(f"{name}_source")
        if source is not None and "text" in source.spec.choices:
            self._form.choose(source.spec.name, "text")
        self._form.choose(name, text)
        self.rows[name].show_found("")

    @property
    def _pipeline_id(self) -> str:
        return self._form.spec.id if self._form.spec else ""
