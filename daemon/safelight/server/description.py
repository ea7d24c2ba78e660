"""The Describe call: takes a picture, has the worker look at it between turns, answers with words."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import numpy as np

from safelight import wire
from safelight.engine.jobs import JobQueue, stopping_error
from safelight.engine.pipelines.prompt_settings import AUTO, CAPTION, CAPTIONERS, READ, install_hint
from safelight.engine.request import RestoreRequest
from safelight.engine.words import WordsRequest
from safelight.engine.worker import Worker
from safelight.errors import InvalidRequest, NotReady, TooMuch
from safelight.geometry import Rect
from safelight.imaging.profiles import encoding_for
from safelight.server.door import abort, told
from safelight.server.frames import Rows, next_frame
from safelight.server.header import MEMORY_SHARE, require_profile, require_size
from safelight.settings import RestoreSettings
from safelight.v1 import description_pb2 as spb
from safelight.v1 import description_pb2_grpc as spb_grpc

LOOKS_MOST = 4
"""At a time: each may hold a picture while it waits for its turn."""


class DescriptionServicer(spb_grpc.DescriptionServicer):
    """One coroutine per call on the event loop; the worker computes."""

    def __init__(self, worker: Worker, queue: JobQueue, free_host_bytes: Callable[[], int]) -> None:
        self._worker, self._queue, self._free_host_bytes = worker, queue, free_host_bytes
        self._open = 0

    async def Describe(
        self, request_iterator: AsyncIterator[spb.DescribeRequest], context: Any
    ) -> spb.DescribeResponse | None:
        self._open += 1
        try:
            return await self._described(request_iterator.__aiter__())
        except Exception as error:  # an outermost loop: everything must become a status
            failure = told(error, "a describe call")
        finally:
            self._open -= 1
        await abort(context, failure)
        return None

    async def _described(self, frames: AsyncIterator[spb.DescribeRequest]) -> spb.DescribeResponse:
        if self._queue.closed:
            raise stopping_error()
        if self._open > LOOKS_MOST:
            raise TooMuch(
                f"{LOOKS_MOST} pictures are being looked at already: try again when they are done",
                "TOO_MANY_STREAMS",
            )
        first = await next_frame(frames)
        if first is None or first.WhichOneof("frame") != "header":
            raise InvalidRequest(
                "the first frame must be the header: send it before any band", "HEADER_MISSING"
            )
        asked = _checked(first.header, self._free_host_bytes())
        await _receive(frames, asked.picture)
        words = await asyncio.wrap_future(self._worker.describe(asked))
        return spb.DescribeResponse(
            tags=words.tags, caption=words.caption, prompt=words.prompt, read_with=words.read_with
        )


def _checked(header: spb.DescribeHeader, free_host_bytes: int) -> WordsRequest:
    """With room for the pixels, which no memory stands behind yet. Raises the error that says what is wrong."""
    size, fmt = wire.size_from_proto(header.picture, "picture"), wire.format_from_proto(header.format)
    captioner = header.captioner or AUTO
    if header.source not in READ:
        raise InvalidRequest(
            f"a picture is not asked for {header.source[:40]!r}: ask for {' or '.join(READ)}",
            "UNKNOWN_SOURCE",
        )
    if header.source == CAPTION and captioner not in (AUTO, *CAPTIONERS):
        raise InvalidRequest(
            f"there is no captioner {captioner[:40]!r}: choose {', '.join((AUTO, *CAPTIONERS))}",
            "UNKNOWN_SOURCE",
        )
    if hint := install_hint(header.source, captioner):
        raise NotReady(hint, "CHECKPOINT_MISSING", details={"source": header.source})
    require_profile(header.icc_profile)
    require_size(size, fmt, "picture")
    needed = size.area * fmt.bytes_per_pixel
    if needed > MEMORY_SHARE * free_host_bytes:
        raise TooMuch(
            f"the picture needs {needed / 1e9:.1f} GB of memory and {max(0, free_host_bytes) / 1e9:.1f} GB are free: "
            "choose a region, or close other programs",
            "HOST_MEMORY",
        )
    encoding_for(fmt, header.icc_profile)
    whole = Rect.of_size(size)
    picture = RestoreRequest(
        settings=RestoreSettings(""),
        document=size,
        sent=whole,
        region=whole,
        format=fmt,
        icc=header.icc_profile,
        pixels=np.empty((size.height, size.width, fmt.channels), fmt.sample.dtype),
        mask=None,
        layer=False,
    )
    return WordsRequest(picture, header.source, captioner, header.seed)


async def _receive(frames: AsyncIterator[spb.DescribeRequest], picture: RestoreRequest) -> None:
    pixels = Rows(picture.pixels, "pixels")
    while (frame := await next_frame(frames)) is not None:
        kind = frame.WhichOneof("frame")
        if kind != "pixels":
            raise InvalidRequest(
                f"a frame of kind {kind} is out of place: send the header, then the pixels", "FRAME_MISPLACED"
            )
        pixels.take(frame.pixels)
    if not pixels.complete:
        raise InvalidRequest(
            f"the stream ended at row {pixels.next_row} of {picture.sent.height}: send all bands",
            "BANDS_MISSING",
        )
