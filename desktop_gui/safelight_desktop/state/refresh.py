"""Strength, detail, colour, grain and masks act on a finished rendition, without its network.

The same job is asked for again with other values; the daemon has kept what the network did. The latest values
win: while an answer is on its way the next question waits. Of a large region the part in sight is asked for first,
and all of it when the values rest.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from PySide6.QtCore import QObject, QTimer, Signal

from safelight.client.restoration import Restored, Work
from safelight.errors import SafelightError
from safelight.geometry import Rect
from safelight.settings import RestoreSettings
from safelight_desktop.planes.plane import Patch
from safelight_desktop.rpc.restoring import RestoreCall
from safelight_desktop.state.region import Rendition
from safelight_desktop.state.selection import Selection

SETTLE_MS = 40  # a dragged slider gives a value at every pixel


@dataclass(frozen=True)
class Wish:
    """What a rendition shall become."""

    rendition: Rendition
    settings: RestoreSettings
    selection: Selection
    work: Work
    sent: RestoreSettings
    patch: Rect | None = None
    """The part that is in sight, where the region is large; None: all of it."""


class LiveRefresh(QObject):
    """One question at a time."""

    refreshed = Signal(Rendition)
    failed = Signal(SafelightError)
    busy_changed = Signal()

    def __init__(self, call_of: Callable[[Wish], RestoreCall | None], parent: QObject | None = None) -> None:
        """`call_of` makes the call, or gives None while there is no daemon."""
        super().__init__(parent)
        self._call_of = call_of
        self._wish: Wish | None = None
        self._asked: tuple[Wish, RestoreCall] | None = None
        self._settling = QTimer(self)
        self._settling.setSingleShot(True)
        self._settling.setInterval(SETTLE_MS)
        self._settling.timeout.connect(self._ask)

    @property
    def busy(self) -> bool:
        return self._wish is not None or self._asked is not None

    def wish(self, wish: Wish) -> None:
        """Replaces an earlier wish that has not been asked for yet."""
        self._wish = wish
        if not self._settling.isActive():
            self._settling.start()
        self.busy_changed.emit()

    def forget(self) -> None:
        """Nothing that was wished for is wanted any more."""
        self._wish = None
        if self._asked is not None:
            self._asked[1].cancel()

    def _ask(self) -> None:
        if self._asked is not None or self._wish is None:
            return
        wish, self._wish = self._wish, None
        call = self._call_of(wish)
        if call is None:
            self.busy_changed.emit()
            return
        self._asked = wish, call
        call.finished.connect(self._answered)
        call.failed.connect(self._refused)
        call.start()

    def _answered(self, restored: Restored) -> None:
        assert self._asked is not None
        wish, call = self._asked
        if not call.cancelling:
            self._put(wish, restored)
        self._over(call)
        if not call.cancelling:
            self.refreshed.emit(wish.rendition)

    def _put(self, wish: Wish, restored: Restored) -> None:
        rendition = wish.rendition
        if wish.patch is None:
            rendition.replace_result(wish.settings, wish.sent, wish.selection, wish.work, restored)
            return
        rendition.settings, rendition.selection = wish.settings, wish.selection
        rendition.provisional = Patch(wish.patch.times(wish.settings.output_scale), restored.pixels)
        if self._wish is None:
            self._wish = replace(wish, patch=None)

    def _refused(self, error: SafelightError) -> None:
        assert self._asked is not None
        _, call = self._asked
        self._over(call)
        if not call.cancelling:
            self.failed.emit(error)

    def _over(self, call: RestoreCall) -> None:
        self._asked = None
        call.deleteLater()
        self._ask()
        self.busy_changed.emit()
