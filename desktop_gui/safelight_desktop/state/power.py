"""Whether the machine runs on its battery."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer, Signal

from safelight.errors import SafelightError
from safelight_desktop.rpc.background import Background

POLL_MS = 15_000


def on_battery() -> bool:
    """False where the machine has none, or nobody can tell. May block for as long as the system takes."""
    try:
        import psutil
    except ImportError:
        return False
    battery = psutil.sensors_battery() if hasattr(psutil, "sensors_battery") else None
    return battery is not None and battery.power_plugged is False


class Power(QObject):
    """Looks every 15 seconds while `watching`."""

    changed = Signal()

    def __init__(
        self,
        background: Background,
        parent: QObject | None = None,
        *,
        look: Callable[[], bool] = on_battery,
    ) -> None:
        super().__init__(parent)
        self._background, self._look = background, look
        self.on_battery = False
        self._asking = False
        self._timer = QTimer(self)
        self._timer.setInterval(POLL_MS)
        self._timer.timeout.connect(self.ask)

    def watch(self, watching: bool) -> None:
        if watching and not self._timer.isActive():
            self._timer.start()
            self.ask()
        elif not watching:
            self._timer.stop()

    def ask(self) -> None:
        """Now; `changed` follows when something did."""
        if not self._asking:
            self._asking = True
            self._background.run(self._look, self._answered, self._unknown)

    def _answered(self, on_battery: bool) -> None:
        self._asking = False
        if on_battery != self.on_battery:
            self.on_battery = on_battery
            self.changed.emit()

    def _unknown(self, _: SafelightError) -> None:
        self._answered(False)
