"""The contact sheet: which results are shown, and a closer look at one of them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QImage

from safelight.errors import SafelightError
from safelight.geometry import Rect, Size
from safelight.imaging.files import open_picture
from safelight_desktop.planes.thumbnails import part
from safelight_desktop.rpc.background import Background
from safelight_desktop.state.batch_rows import BatchRow, Verdict


class SheetFilter(Enum):
    """Which results are shown."""

    ALL = "all"
    OPEN = "open"
    ACCEPTED = "accepted"
    REJECTED = "rejected"

    def shows(self, row: BatchRow) -> bool:
        if row.result is None:
            return False
        wanted = {
            SheetFilter.OPEN: Verdict.OPEN,
            SheetFilter.ACCEPTED: Verdict.ACCEPTED,
            SheetFilter.REJECTED: Verdict.REJECTED,
        }
        return self is SheetFilter.ALL or row.verdict is wanted[self]


@dataclass(frozen=True)
class Wanted:
    """A part of a pair of pictures."""

    before: Path
    after: Path
    place: tuple[float, float]
    """The middle, as fractions of width and height."""
    view: Size
    """Pixels of the result that are to be seen."""


@dataclass(frozen=True)
class Pair:
    """The same part of both, as it came."""

    wanted: Wanted
    before: QImage
    after: QImage
    before_rect: Rect
    after_rect: Rect
    size: Size
    """Of the whole result."""
    before_size: Size


class Detail(QObject):
    """Reads parts of files off the event loop; the latest wish wins."""

    changed = Signal()
    """There is another pair, or none."""

    def __init__(
        self, background: Background, parent: QObject | None = None, *, monitor_icc: bytes = b""
    ) -> None:
        super().__init__(parent)
        self._background = background
        self.monitor_icc = monitor_icc
        self.pair: Pair | None = None
        self.error: SafelightError | None = None
        self._wanted: Wanted | None = None
        self._reading = False

    @property
    def busy(self) -> bool:
        return self._reading

    def want(self, wanted: Wanted | None) -> None:
        """None: nothing is shown."""
        self._wanted = wanted
        if wanted is None:
            self.pair, self.error = None, None
            self.changed.emit()
        elif not self._reading:
            self._read(wanted)

    def _read(self, wanted: Wanted) -> None:
        self._reading = True
        self._background.run(
            partial(read_pair, wanted, self.monitor_icc),
            partial(self._take, wanted),
            partial(self._refused, wanted),
        )

    def _take(self, wanted: Wanted, pair: Pair) -> None:
        self._over(wanted, pair, None)

    def _refused(self, wanted: Wanted, error: SafelightError) -> None:
        self._over(wanted, None, error)

    def _over(self, wanted: Wanted, pair: Pair | None, error: SafelightError | None) -> None:
        self._reading = False
        if self._wanted is None:
            return
        if wanted is self._wanted or pair is not None:
            self.pair, self.error = pair, error
            self.changed.emit()
        if self._wanted is not wanted:
            self._read(self._wanted)


def read_pair(wanted: Wanted, monitor_icc: bytes = b"") -> Pair:
    """Blocks. Raises InputFileError."""
    before, after = open_picture(wanted.before), open_picture(wanted.after)
    seen = centred(wanted.place, wanted.view, after.size)
    across, down = before.size.width / after.size.width, before.size.height / after.size.height
    below = Rect.from_edges(
        int(seen.x * across),
        int(seen.y * down),
        -int(-seen.right * across // 1),
        -int(-seen.bottom * down // 1),
    ).intersect(Rect.of_size(before.size))
    return Pair(
        wanted, part(before, below, monitor_icc), part(after, seen, monitor_icc), below, seen, after.size,
        before.size,
    )  # fmt: skip


def centred(place: tuple[float, float], view: Size, whole: Size) -> Rect:
    """So much of the whole around a place of it, moved inward at the edges."""
    width, height = min(view.width, whole.width), min(view.height, whole.height)
    x = min(max(0, round(place[0] * whole.width - width / 2)), whole.width - width)
    y = min(max(0, round(place[1] * whole.height - height / 2)), whole.height - height)
    return Rect(x, y, width, height)
