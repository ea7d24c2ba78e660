"""What can be undone: regions that appear, go, and change their shape."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtGui import QUndoCommand

from safelight_desktop.state.region import Region
from safelight_desktop.state.selection import Selection


class Reshape(QUndoCommand):
    """A region's selection before and after; made when the change is on screen already."""

    def __init__(
        self, reshape: Callable[[Region, Selection], None], region: Region, before: Selection
    ) -> None:
        super().__init__()
        self._reshape, self._region = reshape, region
        self._before, self._after = before, region.selection

    def redo(self) -> None:
        if self._region.selection is not self._after:
            self._reshape(self._region, self._after)

    def undo(self) -> None:
        self._reshape(self._region, self._before)


class Presence(QUndoCommand):
    """A region that was added or removed, with its renditions."""

    def __init__(
        self, put: Callable[[Region], None], take: Callable[[Region], None], region: Region, *, added: bool
    ) -> None:
        super().__init__()
        self._put, self._take, self._region, self._added = put, take, region, added

    def redo(self) -> None:
        (self._put if self._added else self._take)(self._region)

    def undo(self) -> None:
        (self._take if self._added else self._put)(self._region)
