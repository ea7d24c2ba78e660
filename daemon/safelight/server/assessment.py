"""The Assess stream: takes an input and its results, sends back maps of how far they went. No pipeline, no queue."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from safelight import wire
from safelight.engine.jobs import JobQueue, cancelled_error, stopping_error
from safelight.errors import InvalidRequest, TooMuch
from safelight.geometry import Size
from safelight.imaging.faithfulness import SHOWN, colours_of, faithfulness, spread, spread_numbers
from safelight.imaging.overlay import Plane8, plane8
from safelight.imaging.pixels import DocumentArray, PixelFormat
from safelight.server.door import abort, told
from safelight.server.frames import ROWS_WAIT_S, Rows, next_frame, send
from safelight.server.header import MEMORY_SHARE, require_profile, require_size
from safelight.v1 import assessment_pb2 as apb
from safelight.v1 import assessment_pb2_grpc as apb_grpc

ASSESSMENTS_MOST = 2
"""At a time: each keeps a core busy that a job on the CPU wants too."""
SCALE_MOST, RESULTS_MOST = 8, 16
MAPS_BYTES_PER_PX = 24  # three maps as floats, then as bytes, and what a tile needs

Maps = tuple[dict[str, Plane8], dict[str, float]]


@dataclass(frozen=True)
class _Compared:
    """What the client sent."""

    format: PixelFormat
    icc: bytes
    before: DocumentArray
    results: DocumentArray
    """Result after result along the first axis."""
    count: int
    scale: int

    def maps(self, cancelling: threading.Event) -> Maps:
        """Planes of the input's size, and numbers. Raises Cancelled soon after `cancelling` is set."""

        def on_tile() -> None:
            if cancelling.is_set():
                raise cancelled_error()

        encode = colours_of(self.format, self.icc)
        height = len(self.before) * self.scale
        parts = [self.results[n * height : (n + 1) * height] for n in range(self.count)]
        found = faithfulness(self.before, parts[0], encode=encode, on_tile=on_tile)
        planes = {"contradiction": found.contradiction, "invention": found.invention}
        numbers = found.numbers()
        if self.count > 1:
            planes["spread"] = spread(parts, self.scale, encode=encode, on_tile=on_tile)
            numbers.update(spread_numbers(planes["spread"]))
        return {name: plane8(name, plane) for name, plane in planes.items()}, numbers


class AssessmentServicer(apb_grpc.AssessmentServicer):
    """One coroutine per stream on the event loop; computing happens on a thread of its own."""

    def __init__(self, queue: JobQueue, free_host_bytes: Callable[[], int]) -> None:
        self._queue, self._free_host_bytes = queue, free_host_bytes
        self.streams = 0
        """Streams that are open now."""

    async def Assess(self, request_iterator: AsyncIterator[apb.AssessRequest], context: Any) -> None:
        self.streams += 1
        try:
            await self._assess(request_iterator.__aiter__(), context)
            return
        except Exception as error:  # an outermost loop: everything must become a status
            failure = told(error, "an assess call")
        finally:
            self.streams -= 1
        await abort(context, failure)

    async def _assess(self, frames: AsyncIterator[apb.AssessRequest], context: Any) -> None:
        if self._queue.closed:
            raise stopping_error()
        if self.streams > ASSESSMENTS_MOST:
            raise TooMuch(
                f"{ASSESSMENTS_MOST} results are being assessed already: try again when they are done",
                "TOO_MANY_STREAMS",
            )
        first = await next_frame(frames)
        if first is None or first.WhichOneof("frame") != "header":
            raise InvalidRequest(
                "the first frame must be the header: send it before any band", "HEADER_MISSING"
            )
        compared = _checked(first.header, self._free_host_bytes())
        await _receive(frames, compared)
        cancelling = threading.Event()
        try:
            planes, numbers = await asyncio.to_thread(compared.maps, cancelling)
        finally:
            cancelling.set()  # a stream that ends takes its computation with it
        for frame in _map_frames(planes):
            await send(context, frame, ROWS_WAIT_S)
        await send(context, apb.AssessResponse(assessed=apb.Assessed(numbers=numbers)))


def _checked(header: apb.AssessHeader, free_host_bytes: int) -> _Compared:
    """Room for the pixels, which no memory stands behind yet. Raises the error that says what is wrong."""
    size, fmt = wire.size_from_proto(header.input, "input"), wire.format_from_proto(header.format)
    scale, count = header.scale, header.result_count
    for value, most, what in ((scale, SCALE_MOST, "scale"), (count, RESULTS_MOST, "number of results")):
        if not 1 <= value <= most:
            raise InvalidRequest(
                f"the {what} {value} is out of range: give 1 to {most}", "SETTING_OUT_OF_RANGE"
            )
    require_profile(header.icc_profile)
    require_size(size, fmt, "input")
    require_size(Size(size.width * scale, size.height * scale * count), fmt, "results")
    needed = size.area * (fmt.bytes_per_pixel * (1 + scale * scale * count) + MAPS_BYTES_PER_PX)
    if needed > MEMORY_SHARE * free_host_bytes:
        raise TooMuch(
            f"comparing needs {needed / 1e9:.1f} GB of memory and {max(0, free_host_bytes) / 1e9:.1f} GB are free: "
            "choose a smaller region, or close other programs",
            "HOST_MEMORY",
        )
    colours_of(fmt, header.icc_profile)
    return _Compared(
        fmt,
        header.icc_profile,
        np.empty((size.height, size.width, fmt.channels), fmt.sample.dtype),
        np.empty((size.height * scale * count, size.width * scale, fmt.channels), fmt.sample.dtype),
        count,
        scale,
    )


async def _receive(frames: AsyncIterator[apb.AssessRequest], compared: _Compared) -> None:
    planes = {"input": Rows(compared.before, "the input"), "result": Rows(compared.results, "the results")}
    while (frame := await next_frame(frames)) is not None:
        kind = frame.WhichOneof("frame")
        if kind not in planes or (kind == "result" and not planes["input"].complete):
            raise InvalidRequest(
                f"a frame of kind {kind} is out of place: send the header, the input, then the results",
                "FRAME_MISPLACED",
            )
        planes[kind].take(getattr(frame, kind))
    if not all(plane.complete for plane in planes.values()):
        raise InvalidRequest("the stream ended before all rows were there: send all bands", "BANDS_MISSING")


def _map_frames(planes: dict[str, Plane8]) -> Iterator[apb.AssessResponse]:
    for name, plane in planes.items():
        rows = wire.rows_per_band(plane[:1].nbytes)
        for start in range(0, len(plane), rows):
            band = wire.band_fields(start, plane[start : start + rows])
            yield apb.AssessResponse(map={"name": name, "rows": band, "full_scale": SHOWN[name]})
