"""The foot of the window: daemon, device, what is loaded until when, and what is under the pointer."""

from __future__ import annotations

from PySide6.QtCore import QLocale, Qt, QTime
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QStatusBar, QWidget

from safelight_desktop.rpc.link import DaemonLink, LinkState
from safelight_desktop.state.device import DeviceState
from safelight_desktop.state.editor import Editor
from safelight_desktop.state.view import Point
from safelight_desktop.texts import translate
from safelight_desktop.units import byte_count
from safelight_desktop.widgets import theme

DOT = "●"
ROOMY_PX = 1180


class StatusBar(QStatusBar):
    """R12: server, device, residents with Keep and Unload, free memory."""

    def __init__(self, editor: Editor, device: DeviceState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._editor, self._device, self._link = editor, device, editor.link
        self.setSizeGripEnabled(False)
        self._shown_resident = ""
        self.dot, self.connection, self.memory = QLabel(DOT), QLabel(), QLabel()
        self.resident = QLabel()
        self.keep = _small(
            translate("Status", "Keep"), translate("Status", "Keep it loaded until you unload it")
        )
        self.unload = _small(translate("Status", "Unload"), translate("Status", "Free its memory now"))
        self.pixel = QLabel()
        left = QWidget()
        row = QHBoxLayout(left)
        row.setContentsMargins(12, 2, 0, 2)
        row.setSpacing(6)
        row.addWidget(self.dot)
        row.addWidget(self.connection)
        row.addSpacing(16)
        row.addWidget(self.memory)
        row.addSpacing(16)
        row.addWidget(self.resident)
        row.addWidget(self.keep)
        row.addWidget(self.unload)
        self.addWidget(left)
        self.pixel.setContentsMargins(0, 0, 12, 0)
        self.addPermanentWidget(self.pixel)
        for label in (self.connection, self.memory, self.resident, self.pixel):
            label.setProperty("role", "quiet")
        self.keep.clicked.connect(lambda: device.keep(self._shown_resident))
        self.unload.clicked.connect(lambda: device.unload(self._shown_resident))
        self._link.state_changed.connect(self.show_state)
        device.changed.connect(self.show_state)
        editor.form.pipelines_changed.connect(self.show_state)
        self.show_state()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """A narrow window keeps what can be clicked."""
        super().resizeEvent(event)
        self.memory.setVisible(self.width() >= ROOMY_PX)
        self.pixel.setVisible(self.width() >= ROOMY_PX)

    def show_state(self, *_: object) -> None:
        """Again when the theme changes, for the colour of the dot."""
        self._show_connection(self._link)
        device = self._device.device
        known = device is not None and device.memory_bytes > 0
        free = byte_count(device.free_bytes) if device is not None else ""
        self.memory.setText(translate("Status", "{free} free").format(free=free) if known else "")
        self._show_resident()

    def _show_connection(self, link: DaemonLink) -> None:
        used, device = theme.current(), self._device.device
        colour, text = {
            LinkState.CONNECTED: (used.good, (device and device.title) or translate("Status", "Connected")),
            LinkState.CONNECTING: (used.warning, translate("Status", "Starting the daemon…")),
            LinkState.LOST: (used.error, translate("Status", "No daemon")),
        }[link.state]
        self.dot.setStyleSheet(f"color: {colour.name()}")
        self.connection.setText(text)

    def _show_resident(self) -> None:
        residents = self._device.device.residents if self._device.device else ()
        self.keep.setVisible(bool(residents))
        self.unload.setVisible(bool(residents))
        self.resident.setText("")
        if not residents:
            return
        shown = residents[0]
        self._shown_resident = shown.pipeline
        titles = {p.spec.id: p.spec.title for p in self._editor.form.pipelines}
        title = titles.get(shown.pipeline, shown.pipeline)
        size = byte_count(shown.weights_bytes)
        if shown.until is not None:
            time = QLocale().toString(
                QTime(shown.until.hour, shown.until.minute), QLocale.FormatType.ShortFormat
            )
            text = translate("Status", "{title} ({size}) loaded until {time}")
            text = text.format(title=title, size=size, time=time)
        elif shown.in_use:
            text = translate("Status", "{title} ({size}) in use").format(title=title, size=size)
        else:
            text = translate("Status", "{title} ({size}) kept loaded").format(title=title, size=size)
        if len(residents) > 1:
            text += " " + translate("Status", "and {count} more").format(count=len(residents) - 1)
        self.resident.setText(text)
        self.keep.setVisible(shown.until is not None)

    def show_point(self, point: Point | None) -> None:
        """Position and the document's own numbers there."""
        document = self._editor.document
        if point is None or document is None:
            self.pixel.setText("")
            return
        x, y = int(point.x // 1), int(point.y // 1)
        if not (0 <= x < document.size.width and 0 <= y < document.size.height):
            self.pixel.setText("")
            return
        numbers = "  ".join(_number(v) for v in document.pixels[y, x].tolist())
        self.pixel.setText(f"{x}, {y}    {numbers}")


def _number(value: float) -> str:
    return str(value) if isinstance(value, int) else f"{value:.4f}"


def _small(text: str, help_text: str) -> QPushButton:
    button = QPushButton(text)
    button.setProperty("role", "flat")
    button.setToolTip(help_text)
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    return button
