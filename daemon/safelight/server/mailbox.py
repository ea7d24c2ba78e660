"""What a job tells on the worker's thread, on its way to the stream's coroutine on the event loop."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable
from typing import Any

from safelight.engine.jobs import Listener
from safelight.engine.request import Preview, Progress, Restoration
from safelight.errors import SafelightError

PREVIEWS_KEPT = 16
"""A client that reads slowly misses older previews, so that they cannot pile up."""

End = Restoration | SafelightError


class Mailbox(Listener):
    """Keeps the newest progress only, the newest previews, and the one end. What is private belongs to the
    loop's thread."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._arrived = asyncio.Event()
        self._progress: Progress | None = None
        self._previews: deque[Preview] = deque(maxlen=PREVIEWS_KEPT)
        self._end: End | None = None
        self._closed = False

    def progressed(self, progress: Progress) -> None:
        self._post(self._set_progress, progress)

    def previewed(self, preview: Preview) -> None:
        self._post(self._previews.append, preview)

    def computed(self, restoration: Restoration) -> None:
        self._post(self._set_end, restoration)

    def failed(self, error: SafelightError) -> None:
        self._post(self._set_end, error)

    async def take(self) -> tuple[Progress | None, list[Preview], bool]:
        """What has arrived since the last call, and whether the end has; waits for something."""
        await self._arrived.wait()
        self._arrived.clear()
        news = self._progress, list(self._previews), self._end is not None
        self._progress = None
        self._previews.clear()
        return news

    def take_end(self) -> Restoration:
        """The result, the caller's own from now on; raises the error where there is none."""
        end, self._end = self._end, None
        if isinstance(end, Restoration):
            return end
        assert end is not None
        raise end

    def close(self) -> None:
        """Nobody reads any more: a result that arrived or will arrive is let go."""
        self._closed = True
        self._previews.clear()
        if isinstance(self._end, Restoration):
            self._end.close()

    def _post(self, change: Callable[[Any], None], value: object) -> None:
        def arrive() -> None:
            change(value)
            self._arrived.set()

        with contextlib.suppress(RuntimeError):  # the loop is closed: the daemon is going down
            self._loop.call_soon_threadsafe(arrive)

    def _set_progress(self, progress: Progress) -> None:
        self._progress = progress

    def _set_end(self, end: End) -> None:
        self._end = end
        if self._closed:
            self.close()
