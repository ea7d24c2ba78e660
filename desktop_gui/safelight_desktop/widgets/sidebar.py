"""The side bar: where, how, what came out, and the button that starts."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QScrollArea, QVBoxLayout, QWidget

from safelight_desktop.state.device import DeviceState
from safelight_desktop.state.editor import Editor
from safelight_desktop.state.estimate import Speeds
from safelight_desktop.state.presets import OwnPresets
from safelight_desktop.texts import translate
from safelight_desktop.widgets.pipeline_box import PipelineBox
from safelight_desktop.widgets.regions_box import RegionsBox
from safelight_desktop.widgets.renditions_box import RenditionsBox
from safelight_desktop.widgets.run_box import RunBox
from safelight_desktop.widgets.section import Section
from safelight_desktop.widgets.settings_box import SettingsBox

WIDTH_PX, SCROLL_BAR_PX = 320, 12
"""The contents never get narrower when the bar appears: lines that wrap would change their height, and with it whether
the bar is needed."""


class Sidebar(QFrame):
    """Scrolls, but for the run box at its foot."""

    def __init__(
        self,
        editor: Editor,
        speeds: Speeds,
        presets: OwnPresets,
        device: DeviceState,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setObjectName("sidebar")
        self.setFixedWidth(WIDTH_PX)
        self.regions = RegionsBox(editor)
        self.renditions = RenditionsBox(editor)
        self.pipeline = PipelineBox(editor, presets)
        self.settings = SettingsBox(editor)
        self.run_box = RunBox(editor, speeds, device)
        content = QWidget()
        content.setFixedWidth(WIDTH_PX - SCROLL_BAR_PX)
        column = QVBoxLayout(content)
        column.setContentsMargins(14, 12, 14, 12)
        column.setSpacing(12)
        for title, box in (
            (translate("Sidebar", "Where"), self.regions),
            (translate("Sidebar", "Renditions"), self.renditions),
            (translate("Sidebar", "How"), self.pipeline),
            (translate("Sidebar", "Settings"), self.settings),
        ):
            section = Section(title)
            section.content.addWidget(box)
            column.addWidget(section)
        column.addStretch(1)
        self.scrolled = scroll = QScrollArea()
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
