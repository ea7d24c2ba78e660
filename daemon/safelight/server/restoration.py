"""The Restore stream: checks the header, takes the bands, queues the job, sends what it hears, then rows."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import Executor
from typing import Any

from safelight import wire
from safelight.engine.finish import result_bands
from safelight.engine.jobs import Job, JobQueue, JobState, cancelled_error, stopping_error
from safelight.engine.kept_key import InputHash
from safelight.engine.pipelines.registry import Registry
from safelight.engine.report import report_of
from safelight.engine.request import Restoration, RestoreRequest
from safelight.errors import Cancelled, InvalidRequest, SafelightError, TooMuch
from safelight.server.door import abort, told
from safelight.server.frames import (
    ROWS_WAIT_S,
    Rows,
    band_frame,
    next_frame,
    preview_frames,
    progress_to_proto,
    send,
)
from safelight.server.header import Header, check_header
from safelight.server.mailbox import Mailbox
from safelight.v1 import restoration_pb2 as rpb
from safelight.v1 import restoration_pb2_grpc as rpb_grpc

log = logging.getLogger(__name__)

STREAMS_MOST = 64
"""Restore streams at a time; each may hold a whole document."""


class RestorationServicer(rpb_grpc.RestorationServicer):
    """One coroutine per stream on the event loop; computing happens on the worker, finishing in `executor`."""

    def __init__(
        self, registry: Registry, queue: JobQueue, executor: Executor, free_host_bytes: Callable[[], int]
    ) -> None:
        self._registry = registry
        self._queue = queue
        self._executor = executor
        self._free_host_bytes = free_host_bytes
        self._streams = 0
        self._announced_bytes = 0  # by headers, for bands that have not come yet

    @property
    def streams(self) -> int:
        """Streams that are open now."""
        return self._streams

    async def Restore(self, request_iterator: AsyncIterator[rpb.RestoreRequest], context: Any) -> None:
        self._streams += 1
        try:
            await self._restore(request_iterator, context)
            return
        except Exception as error:  # an outermost loop: everything must become a status
            failure = told(error, "a restore call")
        finally:
            self._streams -= 1
        await abort(context, failure)

    async def _restore(self, frames: AsyncIterator[rpb.RestoreRequest], context: Any) -> None:
        if self._queue.closed:
            raise stopping_error()
        if self._streams > STREAMS_MOST:
            raise TooMuch(f"{STREAMS_MOST} jobs are being sent already: try again later", "TOO_MANY_STREAMS")
        started = time.monotonic()
        header, input_hash = await self._receive(frames.__aiter__())
        upload_s = time.monotonic() - started
        mailbox = Mailbox(asyncio.get_running_loop())
        job = Job(
            header.request,
            mailbox,
            header.request.settings.pipeline,
            job_class=header.job_class,
            title=header.title,
            previews=header.previews,
            keep_alive_s=header.keep_alive_s,
            input_sha256=input_hash,
            keeps=header.keeps,
        )
        self._queue.submit(job)
        state, error = JobState.CANCELLED, ""
        try:
            accepted = rpb.Accepted(job_id=job.id, result_size=wire.size_to_proto(header.request.result_size))
            await send(context, rpb.RestoreResponse(accepted=accepted))
            restoration = await _followed(job, mailbox, context)
            restoration.report["upload_s"] = upload_s
            try:
                await self._send_result(job, restoration, context)
            finally:
                restoration.close()
            state = JobState.SUCCEEDED
        except SafelightError as failure:
            state = JobState.CANCELLED if isinstance(failure, Cancelled) else JobState.FAILED
            error = failure.message
            raise
        finally:
            self._queue.leave(job, state, error)  # a stream that ends takes its computation with it
            log.info(
                "job %s (%s) %s after %.2f s", job.id, job.pipeline, state.value, time.monotonic() - started
            )
            mailbox.close()

    async def _receive(self, frames: AsyncIterator[rpb.RestoreRequest]) -> tuple[Header, str]:
        """The header with all pixels, and their hash: empty for a job that wants nothing to do with kept results."""
        first = await next_frame(frames)
        if first is None or first.WhichOneof("frame") != "header":
            raise InvalidRequest(
                "the first frame must be the header: send it before any band", "HEADER_MISSING"
            )
        loop = asyncio.get_running_loop()
        header = await loop.run_in_executor(self._executor, check_header, first.header, self._registry)
        header.require_room(self._free_host_bytes() - self._announced_bytes)
        outstanding = header.sent_bytes
        self._announced_bytes += outstanding
        hashing = None if header.keep is False else _Hashing(header.request, self._executor)
        try:
            async for size, rows in _bands_received(frames, header):
                outstanding -= size
                self._announced_bytes -= size
                if hashing is not None:
                    await hashing.up_to(rows)
        finally:
            self._announced_bytes -= outstanding
        return header, "" if hashing is None else await hashing.end()

    async def _send_result(self, job: Job, restoration: Restoration, context: Any) -> None:
        """Rows are finished in the executor, one band ahead of the one being sent."""
        bands = _result_frames(restoration)

        def advance() -> rpb.RestoreResponse | None:
            return None if job.cancelling.is_set() else next(bands, None)

        ahead = self._executor.submit(advance)
        try:
            while (frame := await asyncio.wrap_future(ahead)) is not None:
                ahead = self._executor.submit(advance)
                await send(context, frame, ROWS_WAIT_S)
        finally:
            # it reads what is closed after this
            await asyncio.gather(asyncio.wrap_future(ahead), return_exceptions=True)
        if job.cancelling.is_set():
            raise cancelled_error()
        await send(context, rpb.RestoreResponse(report=_report(report_of(restoration))))


def _report(report: dict[str, object]) -> rpb.Report:
    found = report.get("conditioning")
    told = found if isinstance(found, dict) else {}
    prompt, source = (str(told.get(name, "")) for name in ("prompt", "prompt_from"))
    return rpb.Report(json=json.dumps(report), prompt=prompt, prompt_source=source)


class _Hashing:
    """Hashes rows of pixels in the executor while the next ones arrive."""

    def __init__(self, request: RestoreRequest, executor: Executor) -> None:
        self._pixels, self._executor = request.pixels, executor
        self._digest = InputHash(request)
        self._row = 0
        self._running: asyncio.Future[None] | None = None

    async def up_to(self, row: int) -> None:
        """Rows before `row` are there; waits for those that were there before."""
        if self._running is not None:
            await self._running
        rows = self._pixels[self._row : row]
        self._running = asyncio.get_running_loop().run_in_executor(self._executor, self._digest.add, rows)
        self._row = row

    async def end(self) -> str:
        if self._running is not None:
            await self._running
        return self._digest.hexdigest()


async def _bands_received(
    frames: AsyncIterator[rpb.RestoreRequest], header: Header
) -> AsyncIterator[tuple[int, int]]:
    """Puts all bands into the header's request; yields the bytes of each, and the rows of pixels that are there."""
    request = header.request
    pixels = Rows(request.pixels, "pixels")
    mask = None if request.mask is None else Rows(request.mask, "the mask")
    while (frame := await next_frame(frames)) is not None:
        kind = frame.WhichOneof("frame")
        if kind == "pixels":
            yield pixels.take(frame.pixels), pixels.next_row
        elif kind == "mask" and mask is not None and pixels.complete:
            yield mask.take(frame.mask), pixels.next_row
        else:
            raise InvalidRequest(
                f"a frame of kind {kind} is out of place: send the header, the pixels, then the mask it announced",
                "FRAME_MISPLACED",
            )
    if not pixels.complete or (mask is not None and not mask.complete):
        raise InvalidRequest(
            f"the stream ended at row {pixels.next_row} of {request.sent.height}: send all bands",
            "BANDS_MISSING",
        )


async def _followed(job: Job, mailbox: Mailbox, context: Any) -> Restoration:
    """Sends what the job tells until its device work is done; raises the error it ended with. The result is
    the caller's to close."""
    while True:
        progress, previews, ended = await mailbox.take()
        for preview in previews:
            for frame in preview_frames(preview):
                await send(context, frame)
        if progress is not None:
            told = progress_to_proto(progress, JobState.RUNNING)
            await send(context, rpb.RestoreResponse(progress=told))
        if ended:
            return mailbox.take_end()


def _result_frames(restoration: Restoration) -> Iterator[rpb.RestoreResponse]:
    request = restoration.request
    row_bytes = request.result_size.width * request.format.bytes_per_pixel
    bands = result_bands(restoration, rows_per_band=wire.rows_per_band(row_bytes))
    return map(band_frame, bands)
