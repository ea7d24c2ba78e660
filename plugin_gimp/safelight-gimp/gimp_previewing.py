"""Keeps the preview up to date: which part is shown, what was sent for it, and the newest wish."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from choices import LIVE, SCALE, Choices
from flow import Conversation
from geometry import Rect
from gimp_dialog_page import Page
from gimp_pixels import read, shown, shown_bands
from gimp_source import Source
from job import Sending, Shown, previewed
from latest import Latest, Start
from words import progress

KEY = "preview"


class Previewing:
    """Of one dialog. `on_error` gets what a preview ended with, `on_shown` is called after one that came."""

    def __init__(
        self,
        start: Start,
        page: Page,
        choices: Choices,
        on_error: Callable[[Exception], None],
        on_shown: Callable[[], None],
    ) -> None:
        self._page, self._choices = page, choices
        self._on_error, self._on_shown = on_error, on_shown
        self._latest = Latest(start, self._came)
        self._sending = Sending(KEY)
        self._source: Source | None = None
        self._center = (0, 0)
        self._viewed = Rect(0, 0, 0, 0)

    def open(self, source: Source | None) -> None:
        """Shows the middle of another region; None: nothing."""
        self._latest.stop()
        self._sending.sent = None
        self._source = source
        if source is not None:
            self._center = source.region.center

    def stop(self) -> None:
        """Only the picture as it is stays."""
        self._latest.stop()
        self._page.busy(False)
        self.show_before()

    def move(self, dx: int, dy: int) -> None:
        """To another part, shown as it is until `refresh`."""
        if self._source is not None:
            x, y = self._view.center
            reach = self._sending.sent or self._source.region
            self._center = (
                min(max(x + dx, reach.x), reach.right - 1),
                min(max(y + dy, reach.y), reach.bottom - 1),
            )
            self.show_before()

    def show_before(self) -> None:
        if self._source is not None and self._source.pixels.is_valid():
            view = self._view
            self._page.preview.show_before(shown(self._source.pixels, view), view, self._scale)

    def refresh(self) -> None:
        """With the choices of now, if the person wants to see one."""
        if self._source is None or not self._choices.preview or not self._choices.spec["installed"]:
            self.stop()
            return
        wish = self._choices.wish()
        slow = sorted((name, value) for name, value in wish.values.items() if name not in LIVE)
        self._latest.ask(self._made, cost=(wish.pipeline, wish.in_place, tuple(slow), self._center))

    @property
    def _scale(self) -> int:
        return int(self._choices.value(SCALE) or 1)

    @property
    def _view(self) -> Rect:
        """What is shown of the document; restored is as much of it as was sent."""
        assert self._source is not None
        width, height = (-(-length // self._scale) for length in self._page.preview_size)
        return Rect(0, 0, *self._source.document).around(width, height, self._center)

    def _made(self) -> Conversation:
        assert self._source is not None
        source, view = self._source, self._view
        self._viewed = view
        self._page.busy(True)
        return previewed(
            self._choices.wish(),
            source,
            lambda box: read(source.pixels, box, source.transport),
            sending=self._sending,
            patch=view.intersect,
            on_progress=self._progress,
        )

    def _progress(self, fields: Mapping[str, Any]) -> None:
        self._page.say(progress(fields))

    def _came(self, outcome: Shown | None, error: Exception | None) -> None:
        if not self._latest.busy:
            self._page.busy(False)
        if error is not None:
            self._on_error(error)
            return
        source = self._source
        if outcome is None or source is None or not source.pixels.is_valid():
            return
        self._page.say("")
        size = Rect(0, 0, outcome.box.width, outcome.box.height)
        view = self._viewed
        self._page.preview.show_before(shown(source.pixels, view), view, self._scale)
        after = shown_bands(source.pixels, size, source.transport, outcome.bands)
        place = size.shifted(
            (outcome.patch.x - view.x) * self._scale, (outcome.patch.y - view.y) * self._scale
        )
        self._page.preview.show_after(after, place)
        self._on_shown()
