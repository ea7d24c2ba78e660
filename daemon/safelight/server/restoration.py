"""The Restore stream: checks the header, takes the bands, queues the job, sends what it hears, then rows."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from safelight import wire
from safelight.engine.finish import ResultBand, result_bands
from safelight.engine.jobs import Job, JobClass, JobQueue, JobState, Listener
from safelight.engine.pipelines.registry import Registry
from safelight.engine.report import report_of
from safelight.engine.request import Preview, Progress, Restoration, RestoreRequest
from safelight.errors import Cancelled, InvalidRequest, SafelightError, TooMuch, TooSlow
from safelight.geometry import Rect, Size
from safelight.imaging.pixels import PixelFormat
from safelight.imaging.profiles import encoding_for
from safelight.server.door import abort
from safelight.settings import MAX_PIXELS
from safelight.v1 import restoration_pb2 as rpb
from safelight.v1 import restoration_pb2_grpc as rpb_grpc

log = logging.getLogger(__name__)

FRAME_WAIT_S = 30.0
"""A client that sends nothing for so long while the daemon waits for its next frame is given up."""
READ_WAIT_S = 120.0
"""... and one that takes no frame for so long."""
STREAMS_MOST = 64
"""Restore streams at a time; each may hold a whole document."""
TITLE_CHARS_MOST = 200
MEMORY_SHARE = 0.8
"""A document is refused when it and its result would need more of the free host memory than this."""

Item = TypeVar("Item")


@dataclass(frozen=True)
class Header:
    """A checked header."""

    request: RestoreRequest
    job_class: JobClass
    title: str
    previews: bool
    keep_alive_s: float | None

    @property
    def result_size(self) -> Size:
        scale = self.request.settings.output_scale
        return Size(self.request.region.width * scale, self.request.region.height * scale)


def check_header(message: rpb.RestoreHeader, registry: Registry, free_host_bytes: int) -> Header:
    """Everything that can be checked before a pixel is there; raises the error that says what is wrong."""
    document = wire.size_from_proto(message.document, "document")
    sent, region = wire.rect_from_proto(message.sent), wire.rect_from_proto(message.region)
    wire.require_inside(sent, Rect.of_size(document), "sent part", "document")
    wire.require_inside(region, sent, "region", "sent part")
    fmt = wire.format_from_proto(message.format)
    if len(message.icc_profile) > wire.ICC_BYTES_MOST:
        raise InvalidRequest(
            f"the colour profile has {len(message.icc_profile)} bytes: at most {wire.ICC_BYTES_MOST} are taken",
            "PROFILE_TOO_LARGE",
        )
    encoding_for(fmt, message.icc_profile)
    entry = registry.entry(wire.pipeline_id(message.settings.pipeline))
    settings = wire.settings_from_proto(message.settings, entry.spec)
    entry.require_installed()
    _check_room(sent.size, region.size, fmt, settings.output_scale, message.masked, free_host_bytes)
    request = RestoreRequest(
        settings=settings,
        document=document,
        sent=sent,
        region=region,
        format=fmt,
        icc=message.icc_profile,
        pixels=np.empty((sent.height, sent.width, fmt.channels), fmt.sample.dtype),
        mask=np.empty((region.height, region.width), np.uint8) if message.masked else None,
        layer=message.result_kind == rpb.RESULT_KIND_LAYER,
    )
    batch = message.job_class == rpb.JOB_CLASS_BATCH
    return Header(
        request,
        JobClass.BATCH if batch else JobClass.INTERACTIVE,
        message.title[:TITLE_CHARS_MOST],
        message.previews,
        message.keep_alive_s if message.HasField("keep_alive_s") else None,
    )


def _check_room(
    sent: Size, region: Size, fmt: PixelFormat, scale: int, masked: bool, free_host_bytes: int
) -> None:
    result_px = region.area * scale * scale
    for pixels, what in ((sent.area, "sent part"), (result_px, "result")):
        if pixels > MAX_PIXELS:
            raise InvalidRequest(
                f"the {what} has {pixels / 1e6:.0f} megapixels: at most {MAX_PIXELS / 1e6:.0f} are taken; "
                "choose a smaller region or scale",
                "TOO_MANY_PIXELS",
            )
    if sent.width * fmt.bytes_per_pixel > wire.MESSAGE_BYTES * 3 // 4:
        raise InvalidRequest(
            f"a row of {sent.width} pixels does not fit into a frame: choose a narrower region",
            "ROW_TOO_WIDE",
        )
    needed = sent.area * fmt.bytes_per_pixel + (region.area if masked else 0)
    canvas = 0 if result_px * 6 > 256 << 20 else result_px * 6  # beyond it the canvas lies on disk
    if needed + canvas > MEMORY_SHARE * free_host_bytes:
        raise TooMuch(
            f"the document needs {(needed + canvas) / 1e9:.1f} GB of memory and {free_host_bytes / 1e9:.1f} GB are "
            "free: choose a smaller region or scale, or close other programs",
            "HOST_MEMORY",
        )


class _Rows:
    """Fills an array from bands that must follow each other."""

    def __init__(self, array: np.ndarray[Any, Any], what: str) -> None:
        self._bytes = array.reshape(-1).view(np.uint8)
        self._row_bytes = array[:1].nbytes
        self._what, self._height = what, array.shape[0]
        self.next_row = 0

    @property
    def complete(self) -> bool:
        return self.next_row == self._height

    def take(self, band: rpb.Band) -> None:
        rows = band.end_row - band.start_row
        wrong = ""
        if band.start_row != self.next_row:
            wrong = f"begins at row {band.start_row} where row {self.next_row} was due"
        elif rows < 1 or band.end_row > self._height:
            wrong = f"ends at row {band.end_row} of {self._height}"
        elif len(band.data) != rows * self._row_bytes:
            wrong = f"has {len(band.data)} bytes where {rows * self._row_bytes} were due"
        if wrong:
            raise InvalidRequest(
                f"a band of {self._what} {wrong}: send whole rows in order", "BAND_MISPLACED"
            )
        start = band.start_row * self._row_bytes
        self._bytes[start : start + len(band.data)] = np.frombuffer(band.data, np.uint8)
        self.next_row = band.end_row


class _Mailbox(Listener):
    """Carries what the worker tells to the event loop: the newest progress only, all previews, one end."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._arrived = asyncio.Event()
        self._progress: Progress | None = None
        self._previews: list[Preview] = []
        self._end: Restoration | SafelightError | None = None

    def progressed(self, progress: Progress) -> None:
        self._post(self._set_progress, progress)

    def previewed(self, preview: Preview) -> None:
        self._post(self._previews.append, preview)

    def computed(self, restoration: Restoration) -> None:
        self._post(self._set_end, restoration)

    def failed(self, error: SafelightError) -> None:
        self._post(self._set_end, error)

    def _post(self, change: Callable[[Any], None], value: object) -> None:
        def arrive() -> None:
            change(value)
            self._arrived.set()

        with contextlib.suppress(RuntimeError):  # the loop is closed: the daemon is going down
            self._loop.call_soon_threadsafe(arrive)

    def _set_progress(self, progress: Progress) -> None:
        self._progress = progress

    def _set_end(self, end: Restoration | SafelightError) -> None:
        self._end = end

    async def take(self) -> tuple[Progress | None, list[Preview], Restoration | SafelightError | None]:
        """What has arrived since the last call; waits for something."""
        await self._arrived.wait()
        self._arrived.clear()
        news = self._progress, self._previews, self._end
        self._progress, self._previews = None, []
        return news


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

    @property
    def streams(self) -> int:
        """Streams that are open now."""
        return self._streams

    async def Restore(self, request_iterator: AsyncIterator[rpb.RestoreRequest], context: Any) -> None:
        self._streams += 1
        try:
            await self._restore(request_iterator, context)
        except (SafelightError, ValueError, MemoryError, OSError) as error:
            await abort(context, error, "a restore call")
        finally:
            self._streams -= 1

    async def _restore(self, frames: AsyncIterator[rpb.RestoreRequest], context: Any) -> None:
        if self._streams > STREAMS_MOST:
            raise TooMuch(f"{STREAMS_MOST} jobs are being sent already: try again later", "TOO_MANY_STREAMS")
        started = time.monotonic()
        header = await self._receive(frames.__aiter__())
        request = header.request
        upload_s = time.monotonic() - started
        mailbox = _Mailbox(asyncio.get_running_loop())
        job = Job(
            request,
            mailbox,
            request.settings.pipeline,
            job_class=header.job_class,
            title=header.title,
            previews=header.previews,
            keep_alive_s=header.keep_alive_s,
        )
        self._queue.submit(job)
        state, error = JobState.CANCELLED, ""
        try:
            accepted = rpb.Accepted(job_id=job.id, result_size=wire.size_to_proto(header.result_size))
            await _send(context, rpb.RestoreResponse(accepted=accepted))
            restoration = await self._follow(job, mailbox, context)
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

    async def _receive(self, frames: AsyncIterator[rpb.RestoreRequest]) -> Header:
        first = await _next_frame(frames)
        if first is None or first.WhichOneof("frame") != "header":
            raise InvalidRequest(
                "the first frame must be the header: send it before any band", "HEADER_MISSING"
            )
        loop = asyncio.get_running_loop()
        header = await loop.run_in_executor(
            self._executor, check_header, first.header, self._registry, self._free_host_bytes()
        )
        pixels = _Rows(header.request.pixels, "pixels")
        mask = None if header.request.mask is None else _Rows(header.request.mask, "the mask")
        while (frame := await _next_frame(frames)) is not None:
            kind = frame.WhichOneof("frame")
            if kind == "pixels":
                pixels.take(frame.pixels)
            elif kind == "mask" and mask is not None and pixels.complete:
                mask.take(frame.mask)
            else:
                raise InvalidRequest(
                    f"a frame of kind {kind} is out of place: send the header, the pixels, then the mask it announced",
                    "FRAME_MISPLACED",
                )
        if not pixels.complete or (mask is not None and not mask.complete):
            raise InvalidRequest(
                f"the stream ended at row {pixels.next_row} of {header.request.sent.height}: send all bands",
                "BANDS_MISSING",
            )
        return header

    async def _follow(self, job: Job, mailbox: _Mailbox, context: Any) -> Restoration:
        """Sends what the job tells until its device work is done; raises the error it ended with."""
        while True:
            progress, previews, end = await mailbox.take()
            for preview in previews:
                message = rpb.Preview(rect=wire.rect_to_proto(preview.rect), data=preview.pixels.tobytes())
                await _send(context, rpb.RestoreResponse(preview=message))
            if progress is not None:
                await _send(
                    context, rpb.RestoreResponse(progress=progress_to_proto(progress, JobState.RUNNING))
                )
            if isinstance(end, SafelightError):
                raise end
            if end is not None:
                return end

    async def _send_result(self, job: Job, restoration: Restoration, context: Any) -> None:
        """Rows are finished in the executor, one band ahead of the one being sent."""
        request = restoration.request
        row_bytes = request.region.width * request.settings.output_scale * request.format.bytes_per_pixel
        bands = result_bands(restoration, rows_per_band=wire.rows_per_band(row_bytes))
        loop = asyncio.get_running_loop()

        def advance() -> rpb.RestoreResponse | None:
            band: ResultBand | None = next(bands, None)
            if band is None or job.cancelling.is_set():
                return None
            end = band.start_row + band.pixels.shape[0]
            message = rpb.Band(start_row=band.start_row, end_row=end, data=band.pixels.tobytes())
            return rpb.RestoreResponse(result=message)

        try:
            pending = loop.run_in_executor(self._executor, advance)
            while (frame := await pending) is not None:
                pending = loop.run_in_executor(self._executor, advance)
                await _send(context, frame)
        finally:
            with contextlib.suppress(ValueError, asyncio.CancelledError):  # a band is still being finished
                bands.close()
        if job.cancelling.is_set():
            raise Cancelled("the job was cancelled", "CANCELLED")
        report = rpb.Report(json=json.dumps(report_of(restoration)))
        await _send(context, rpb.RestoreResponse(report=report))


def progress_to_proto(progress: Progress, state: JobState, jobs_ahead: int = 0) -> rpb.Progress:
    return rpb.Progress(
        state=STATE_NUMBERS[state],
        stage=progress.stage,
        tile_count_done=progress.tiles_done,
        tile_count=progress.tiles,
        step=progress.step,
        step_count=progress.steps,
        fraction=progress.fraction,
        eta_s=progress.eta_s,
        jobs_ahead=jobs_ahead,
    )


STATE_NUMBERS = {
    JobState.QUEUED: rpb.JOB_STATE_QUEUED,
    JobState.RUNNING: rpb.JOB_STATE_RUNNING,
    JobState.SUCCEEDED: rpb.JOB_STATE_SUCCEEDED,
    JobState.FAILED: rpb.JOB_STATE_FAILED,
    JobState.CANCELLED: rpb.JOB_STATE_CANCELLED,
}


async def _next_frame(frames: AsyncIterator[rpb.RestoreRequest]) -> rpb.RestoreRequest | None:
    """None at the end of the client's half."""
    try:
        return await asyncio.wait_for(frames.__anext__(), FRAME_WAIT_S)
    except StopAsyncIteration:
        return None
    except TimeoutError:
        raise TooSlow(
            f"nothing came for {FRAME_WAIT_S:.0f} seconds: send the next band or close the stream",
            "UPLOAD_STALLED",
        ) from None


async def _send(context: Any, frame: rpb.RestoreResponse) -> None:
    sending: Awaitable[None] = context.write(frame)
    try:
        await asyncio.wait_for(sending, READ_WAIT_S)
    except TimeoutError:
        raise TooSlow(
            f"the client took no frame for {READ_WAIT_S:.0f} seconds: read faster or ask again",
            "DOWNLOAD_STALLED",
        ) from None
