"""Beside the pictures of a batch: how they are restored, and where the results go."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QScrollArea, QVBoxLayout, QWidget

from safelight_desktop.state.batch import BatchQueue
from safelight_desktop.state.presets import OwnPresets
from safelight_desktop.texts import translate
from safelight_desktop.widgets.batch_output_box import OutputBox
from safelight_desktop.widgets.batch_run_box import BatchRunBox
from safelight_desktop.widgets.calm import Calm
from safelight_desktop.widgets.pipeline_box import PipelineBox
from safelight_desktop.widgets.section import Section
from safelight_desktop.widgets.settings_box import SettingsBox
from safelight_desktop.widgets.sidebar import SCROLL_BAR_PX

WIDTH_PX = 332


class BatchSidebar(QFrame):
    """What is set cannot be changed while it runs: pause first."""

    def __init__(self, queue: BatchQueue, presets: OwnPresets, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._queue = queue
        self.setObjectName("sidebar")
        self.setFixedWidth(WIDTH_PX)
        self.output = OutputBox(queue)
        self.pipeline = PipelineBox(queue, presets)
        self.settings = SettingsBox(queue)
        self.run_box = BatchRunBox(queue)
        self._content = content = QWidget()
        content.setFixedWidth(WIDTH_PX - SCROLL_BAR_PX)
        column = QVBoxLayout(content)
        column.setContentsMargins(14, 12, 14, 12)
        column.setSpacing(12)
        self.sections = []
        for title, box, folded in (
            (translate("Sidebar", "How"), self.pipeline, False),
            (translate("Batch", "Results"), self.output, False),
            (translate("Sidebar", "Settings"), self.settings, True),
        ):
            section = Section(title, folded=folded)
            section.content.addWidget(box)
            column.addWidget(section)
            self.sections.append(section)
        column.addStretch(1)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(content)
        line = QFrame()
        line.setProperty("role", "line")
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addWidget(scroll, 1)
        whole.addWidget(line)
        whole.addWidget(self.run_box)
        self._calm = Calm(self)
        self._calm.watch(content)
        queue.state_changed.connect(self._show)
        self._show()

    def redraw(self) -> None:
        """The theme changed."""
        for section in self.findChildren(Section):
            section.redraw()
        self.run_box.redraw()

    def _show(self) -> None:
        self._content.setEnabled(not self._queue.running and not self._queue.elsewhere)
