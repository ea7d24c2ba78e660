"""How before (A) and after (B) are compared."""

from __future__ import annotations

from enum import Enum

from PySide6.QtCore import QObject, QTimer, Signal

BLINK_MS = 400
GAIN_LEAST, GAIN_MOST = 1.0, 16.0


class CompareMode(Enum):
    """In the order of the keys 1 to 5."""

    SPLIT = "split"
    SIDE_BY_SIDE = "side-by-side"
    BLINK = "blink"
    DIFFERENCE = "difference"
    AFTER = "after"


class CompareState(QObject):
    """The mode and its numbers."""

    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.mode = CompareMode.SPLIT
        self.stacked = False
        """True: before is above after, not left of it."""
        self.divider = 0.5
        """Share of the canvas that shows before, 0 to 1."""
        self.gain = 4.0
        """Of the difference, 1 to 16."""
        self.blink_ms = BLINK_MS
        self.blink_shows_before = False
        self.original_held = False
        """True while the key that shows the original is down."""
        self._before_blink = CompareMode.SPLIT
        self._blinking = QTimer(self)
        self._blinking.timeout.connect(self._blink)

    def set_mode(self, mode: CompareMode) -> None:
        if mode is self.mode:
            return
        self.mode = mode
        self.blink_shows_before = False
        if mode is CompareMode.BLINK:
            self._blinking.start(self.blink_ms)
        else:
            self._blinking.stop()
        self.changed.emit()

    def toggle_blink(self) -> None:
        """Blinking, or what was before it."""
        if self.mode is CompareMode.BLINK:
            self.set_mode(self._before_blink)
        else:
            self._before_blink = self.mode
            self.set_mode(CompareMode.BLINK)

    def look_as(self, mode: str, divider: float, *, stacked: bool) -> None:
        """An earlier comparison again; a mode of this name that is not known is passed over."""
        self.stacked = stacked
        self.set_divider(divider)
        for known in CompareMode:
            if known.value == mode:
                self.set_mode(known)

    def flip(self) -> None:
        """The other direction of split and side by side."""
        self.stacked = not self.stacked
        self.changed.emit()

    def set_divider(self, share: float) -> None:
        self.divider = min(1.0, max(0.0, share))
        self.changed.emit()

    def set_gain(self, gain: float) -> None:
        self.gain = min(GAIN_MOST, max(GAIN_LEAST, gain))
        self.changed.emit()

    def set_blink_ms(self, duration_ms: int) -> None:
        self.blink_ms = min(2000, max(100, duration_ms))
        self._blinking.setInterval(self.blink_ms)
        self.changed.emit()

    def hold_original(self, held: bool) -> None:
        if held is not self.original_held:
            self.original_held = held
            self.changed.emit()

    def _blink(self) -> None:
        self.blink_shows_before = not self.blink_shows_before
        self.changed.emit()
