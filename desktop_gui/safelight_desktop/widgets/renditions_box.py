"""What was made of the active region: choose what the picture shows (B) and what it is compared with (A)."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QLabel, QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from safelight.settings import COMMON, RestoreSettings, default_settings
from safelight.spec import PipelineSpec
from safelight_desktop.state.editor import Editor
from safelight_desktop.state.region import Rendition
from safelight_desktop.texts import rendition_title, setting_text, translate
from safelight_desktop.widgets.lists import fit_height

ROWS_SHOWN = 6
CHANGES_SHOWN = 3


class RenditionsBox(QWidget):
    """Up and down choose B, with Shift A; Delete removes. The view stays where it is."""

    def __init__(self, editor: Editor, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._editor = editor
        self.list = _Steps(editor)
        self.list.setAccessibleName(translate("Renditions", "Renditions"))
        self.hint = QLabel(
            translate("Renditions", "Restore with other pipelines or settings: each result is kept here.")
        )
        self.hint.setWordWrap(True)
        self.hint.setProperty("role", "quiet")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        layout.addWidget(self.list)
        layout.addWidget(self.hint)
        self.list.currentRowChanged.connect(self._chosen)
        editor.regions_changed.connect(self._show)
        editor.active_changed.connect(self._show)
        self._show()

    @property
    def choices(self) -> list[Rendition | None]:
        """The original first."""
        active = self._editor.active
        return [None, *active.renditions] if active is not None else []

    def _show(self) -> None:
        active = self._editor.active
        self.list.blockSignals(True)
        self.list.clear()
        for choice in self.choices:
            item = QListWidgetItem(self._text(choice))
            item.setSizeHint(
                QSize(0, self.list.fontMetrics().lineSpacing() * (1 if choice is None else 2) + 12)
            )
            if active is not None and choice is active.against:
                item.setText(f"{item.text()}   A")
                item.setToolTip(translate("Renditions", "Compared with this one"))
            if choice is not None and active is not None and not active.current(choice):
                item.setForeground(self.palette().placeholderText())
                item.setToolTip(translate("Renditions", "Made before the region was moved: restore it again"))
            self.list.addItem(item)
            if active is not None and choice is active.chosen:
                self.list.setCurrentItem(item)
        fit_height(self.list, ROWS_SHOWN)
        self.list.blockSignals(False)
        several = active is not None and bool(active.renditions)
        self.list.setVisible(several)
        self.hint.setVisible(not several)

    def _text(self, rendition: Rendition | None) -> str:
        if rendition is None:
            return translate("Canvas", "Original")
        spec = next(
            (p.spec for p in self._editor.form.pipelines if p.spec.id == rendition.settings.pipeline), None
        )
        return f"{rendition_title(rendition)}\n{changes(rendition.settings, spec)}"

    def _chosen(self, row: int) -> None:
        if 0 <= row < len(self.choices):
            self._editor.choose(self.choices[row])


class _Steps(QListWidget):
    def __init__(self, editor: Editor) -> None:
        super().__init__()
        self._editor = editor

    def keyPressEvent(self, event: QKeyEvent) -> None:
        by = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}.get(Qt.Key(event.key()))
        active = self._editor.active
        if by is not None:
            shift = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
            self._editor.step(by, against=shift)
        elif event.key() == Qt.Key.Key_Delete and active is not None and active.chosen is not None:
            self._editor.remove_rendition(active.chosen)
        else:
            super().keyPressEvent(event)


def changes(settings: RestoreSettings, spec: PipelineSpec | None) -> str:
    """What differs from the defaults, in a few words."""
    if spec is None:
        return ""
    plain = default_settings(spec, in_place=settings.output_scale == 1).as_values()
    titles = {s.name: s.title for s in (*COMMON, *spec.settings)}
    found = [
        f"{setting_text(titles[name])} {_value(value)}"
        for name, value in settings.as_values().items()
        if name in titles and plain.get(name) != value
    ]
    if settings.seed != plain["seed"]:
        found.append(translate("Renditions", "seed {seed}").format(seed=settings.seed))
    if not found:
        return translate("Renditions", "default settings")
    more = "…" if len(found) > CHANGES_SHOWN else ""
    return ", ".join(found[:CHANGES_SHOWN]) + more


def _value(value: object) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)[:20]
