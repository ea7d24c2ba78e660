"""Frames of the Restore stream: bands into arrays, and what is sent back into messages."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from safelight import wire
from safelight.engine.finish import ResultBand
from safelight.engine.jobs import JobState
from safelight.engine.request import Preview, Progress
from safelight.errors import InvalidRequest
from safelight.geometry import Rect
from safelight.v1 import restoration_pb2 as rpb

STATE_NUMBERS = {
    JobState.QUEUED: rpb.JOB_STATE_QUEUED,
    JobState.RUNNING: rpb.JOB_STATE_RUNNING,
    JobState.SUCCEEDED: rpb.JOB_STATE_SUCCEEDED,
    JobState.FAILED: rpb.JOB_STATE_FAILED,
    JobState.CANCELLED: rpb.JOB_STATE_CANCELLED,
}


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
