"""Frames of streams: how they are waited for, bands into arrays, and what is sent back into messages."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any, TypeVar

import grpc
import numpy as np

from safelight import wire
from safelight.engine.finish import ResultBand
from safelight.engine.jobs import JobState
from safelight.engine.request import Preview, Progress
from safelight.errors import InvalidRequest, TooSlow
from safelight.geometry import Rect
from safelight.v1 import restoration_pb2 as rpb

FRAME_WAIT_S = 30.0
"""A client that sends nothing for so long while the daemon waits for its next frame is given up."""
READ_WAIT_S = 120.0
"""... and one that takes no progress for so long; a frozen one is found by ping much earlier."""
ROWS_WAIT_S = 15.0
"""... and one that takes no rows for so long, a MiB at 70 KB/s: a ping cannot get through a full socket."""

STATE_NUMBERS = {
    JobState.QUEUED: rpb.JOB_STATE_QUEUED,
    JobState.RUNNING: rpb.JOB_STATE_RUNNING,
    JobState.SUCCEEDED: rpb.JOB_STATE_SUCCEEDED,
    JobState.FAILED: rpb.JOB_STATE_FAILED,
    JobState.CANCELLED: rpb.JOB_STATE_CANCELLED,
}

Frame = TypeVar("Frame")


class Rows:
    """Fills an array from bands that must follow each other."""

    def __init__(self, array: np.ndarray[Any, Any], what: str) -> None:
        self._bytes = array.reshape(-1).view(np.uint8)
        self._row_bytes = array[:1].nbytes
        self._what, self._height = what, len(array)
        self.next_row = 0

    @property
    def complete(self) -> bool:
        return self.next_row == self._height

    def take(self, band: rpb.Band) -> int:
        """Gives the number of bytes."""
        rows, data = band.end_row - band.start_row, band.data  # each access copies the bytes
        wrong = ""
        if band.start_row != self.next_row:
            wrong = f"begins at row {band.start_row} where row {self.next_row} was due"
        elif rows < 1 or band.end_row > self._height:
            wrong = f"ends at row {band.end_row} of {self._height}"
        elif len(data) != rows * self._row_bytes:
            wrong = f"has {len(data)} bytes where {rows * self._row_bytes} were due"
        if wrong:
            raise InvalidRequest(
                f"a band of {self._what} {wrong}: send whole rows in order", "BAND_MISPLACED"
            )
        start = band.start_row * self._row_bytes
        self._bytes[start : start + len(data)] = np.frombuffer(data, np.uint8)
        self.next_row = band.end_row
        return len(data)


def progress_to_proto(progress: Progress, state: JobState) -> rpb.Progress:
    return rpb.Progress(
        state=STATE_NUMBERS[state],
        stage=progress.stage,
        tile_count_done=progress.tiles_done,
        tile_count=progress.tiles,
        step=progress.step,
        step_count=progress.steps,
        fraction=progress.fraction,
        eta_s=progress.eta_s,
    )


def preview_frames(preview: Preview) -> Iterator[rpb.RestoreResponse]:
    """A preview in pieces that fit into messages: an enlarged tile alone may be above the limit."""
    rect, pixels = preview.rect, preview.pixels
    rows = wire.rows_per_band(pixels[:1].nbytes)
    for start in range(0, rect.height, rows):
        piece = pixels[start : start + rows]
        place = Rect(rect.x, rect.y + start, rect.width, len(piece))
        yield rpb.RestoreResponse(preview={"rect": wire.rect_to_proto(place), "data": piece.tobytes()})


def band_frame(band: ResultBand) -> rpb.RestoreResponse:
    return rpb.RestoreResponse(result=wire.band_fields(band.start_row, band.pixels))


async def next_frame(frames: AsyncIterator[Frame]) -> Frame | None:
    """None at the end of the client's half."""
    try:
        async with asyncio.timeout(FRAME_WAIT_S):
            return await anext(frames)
    except StopAsyncIteration:
        return None
    except TimeoutError:
        raise TooSlow(
            f"nothing came for {FRAME_WAIT_S:.0f} seconds: send the next band or close the stream",
            "UPLOAD_STALLED",
        ) from None


async def send(context: Any, frame: Any, wait_s: float = READ_WAIT_S) -> None:
    try:
        async with asyncio.timeout(wait_s):
            await context.write(frame)
    except TimeoutError:
        raise TooSlow(
            f"the client took no frame for {wait_s:.0f} seconds: read faster or ask again",
            "DOWNLOAD_STALLED",
        ) from None
    except grpc.aio.InternalError:
        raise asyncio.CancelledError from None  # how grpc says it otherwise when the client is gone
