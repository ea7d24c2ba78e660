"""Where: the list of regions, and the numbers of the active one."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QGridLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from safelight.geometry import Rect, Size
from safelight_desktop.state.editor import Editor
from safelight_desktop.texts import region_title, translate
from safelight_desktop.widgets.lists import fit_height

ROWS_SHOWN = 4


class RegionsBox(QWidget):
    """A double click renames; the first entry is the whole picture."""

    def __init__(self, editor: Editor, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._editor = editor
        self.list = QListWidget()
        self.list.setAccessibleName(translate("Regions", "Regions"))
        self.numbers = {name: _number() for name in ("x", "y", "width", "height")}
        titles = {
            "x": translate("Regions", "Left"), "y": translate("Regions", "Top"),
            "width": translate("Regions", "Width"), "height": translate("Regions", "Height"),
        }  # fmt: skip
        grid = QGridLayout()
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(4)
        for place, (name, box) in enumerate(self.numbers.items()):
            label = QLabel(titles[name])
            label.setBuddy(box)
            box.setAccessibleName(titles[name])
            grid.addWidget(label, place // 2, place % 2 * 2)
            grid.addWidget(box, place // 2, place % 2 * 2 + 1)
            box.editingFinished.connect(self._typed)
        grid.setColumnStretch(1, 1)
        grid.setColumnStretch(3, 1)
        self._grid = QWidget()
        self._grid.setLayout(grid)
        grid.setContentsMargins(0, 0, 0, 0)
        self.warning = QLabel()
        self.warning.setWordWrap(True)
        self.warning.setProperty("role", "warning")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        layout.addWidget(self.list)
        layout.addWidget(self._grid)
        layout.addWidget(self.warning)
        self.list.currentRowChanged.connect(self._chosen)
        self.list.itemChanged.connect(self._renamed)
        editor.regions_changed.connect(self._show)
        editor.active_changed.connect(self._show)
        self._show()

    def _show(self) -> None:
        self.list.blockSignals(True)
        editor = self._editor
        while self.list.count() > len(editor.regions):
            self.list.takeItem(self.list.count() - 1)
        while self.list.count() < len(editor.regions):
            self.list.addItem(QListWidgetItem())
        for number, region in enumerate(editor.regions):
            item = self.list.item(number)
            item.setText(region_title(region, number))
            flags = item.flags() & ~Qt.ItemFlag.ItemIsEditable
            item.setFlags(flags if region.whole else flags | Qt.ItemFlag.ItemIsEditable)
            if region is editor.active:
                self.list.setCurrentRow(number)
        fit_height(self.list, ROWS_SHOWN)
        self.list.blockSignals(False)
        self._show_numbers()

    def _show_numbers(self) -> None:
        region = self._editor.active
        there = region is not None and not region.whole
        self._grid.setVisible(there)
        self.warning.hide()
        if region is None or not there:
            return
        rect, document = region.selection.rect, self._editor.view.document
        for name, most in (
            ("x", document.width - 1), ("y", document.height - 1), ("width", document.width),
            ("height", document.height),
        ):  # fmt: skip
            box = self.numbers[name]
            box.blockSignals(True)
            box.setRange(0 if name in "xy" else 1, most)
            box.setValue(getattr(rect, name))
            box.blockSignals(False)
        if rect.size.short_side < SMALL_PX:
            self.warning.setText(
                translate("Regions", "Very small: details will be invented, and letters may change.")
            )
            self.warning.show()

    def _typed(self) -> None:
        region = self._editor.active
        if region is None or region.whole:
            return
        document = Rect.of_size(Size(*self._editor.view.document))
        wanted = Rect(*(self.numbers[name].value() for name in ("x", "y", "width", "height")))
        rect = wanted.intersect(document)
        if rect.empty or rect == region.selection.rect:
            return
        before = region.selection
        self._editor.reshape(region, before.resized(rect))
        self._editor.reshaped(region, before)

    def _chosen(self, row: int) -> None:
        if 0 <= row < len(self._editor.regions):
            self._editor.activate(self._editor.regions[row])

    def _renamed(self, item: QListWidgetItem) -> None:
        self._editor.rename(self._editor.regions[self.list.row(item)], item.text().strip())


SMALL_PX = 64  # design: a selection below it gets a sentence of warning


def _number() -> QSpinBox:
    box = QSpinBox()
    box.setSuffix(" px")
    box.setKeyboardTracking(False)
    return box
