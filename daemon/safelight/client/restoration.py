"""The client library that the command line, the desktop app and the GIMP bridge share. Synchronous; no torch.

with RestorationClient.local() as client:
    restored = client.restore(work, settings, on_progress=print)
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

import grpc
import numpy as np

from safelight import wire
from safelight.client import connection
from safelight.client.checkpoints import CheckpointsClient
from safelight.client.remote import open_chosen
from safelight.client.status import our_errors
from safelight.errors import InternalError
from safelight.geometry import Rect, Size, context_rect
from safelight.imaging.pixels import DocumentArray, MaskArray, PixelFormat
from safelight.settings import RestoreSettings
from safelight.spec import PipelineSpec
from safelight.v1 import daemon_pb2 as dpb
from safelight.v1 import daemon_pb2_grpc as dpb_grpc
from safelight.v1 import restoration_pb2 as rpb
from safelight.v1 import restoration_pb2_grpc as rpb_grpc

CALL_WAIT_S = 30.0
LOAD_WAIT_S = 600.0  # a full-size pipeline from a slow disk


@dataclass(frozen=True)
class Work:
    """A region of a document and its pixels."""

    document: Size
    sent: Rect
    """Part of the document that `pixels` holds: see `sent_rect`."""
    region: Rect
    pixels: DocumentArray
    """sent.height x sent.width x channels."""
    icc: bytes = b""
    linear: bool = False
    mask: MaskArray | None = None
    """region.height x region.width, 255 = restore; None: all of it."""
    layer: bool = False
    batch: bool = False
    title: str = ""


@dataclass(frozen=True)
class Installed:
    """A pipeline as the daemon lists it."""

    spec: PipelineSpec
    installed: bool
    install_hint: str
    resident: bool


@dataclass
class Restored:
    """What a job gave."""

    pixels: DocumentArray
    """The region, or the patch that was asked for, at output size, in the document's own format."""
    report: dict[str, Any]
    job_id: str
    times_s: dict[str, float] = field(default_factory=dict)
    """Seconds since the first byte left: `accepted`, `first_band`, `last_band`, `report`."""


def sent_rect(spec: PipelineSpec, region: Rect, document: Size, working_scale: float = 1.0) -> Rect:
    """The rect of document pixels to send for `region`: with the context its pipeline wants, grown so that
    the smallest tile is filled."""
    scale = working_scale or 1.0
    context = context_rect(
        region,
        document,
        fraction=spec.context_fraction,
        least_px=spec.context_least_px,
        working_scale=min(scale, 1.0),
    )
    tile = max(
        (t.least_tile * (spec.latent_px if name != "encode" else 1) for name, t in spec.stages.items()),
        default=0,
    )
    spare = max(0, tile - context.size.short_side) // 2 + 1
    return context.grown(spare if spare > 1 else 0).intersect(Rect.of_size(document))


class RestorationClient:
    """One channel to one daemon. Calls may come from any thread."""

    def __init__(self, channel: grpc.Channel) -> None:
        self._channel = channel
        self._restoration = rpb_grpc.RestorationStub(channel)
        self._daemon = dpb_grpc.DaemonStub(channel)

    @classmethod
    def local(
        cls, folder: Path | None = None, *, start: bool = True, on_start: Callable[[], None] = lambda: None
    ) -> RestorationClient:
        """This user's daemon, started when there is none."""
        return cls(connection.connect(folder, start=start, on_start=on_start))

    @classmethod
    def chosen(cls, *, start: bool = True, on_start: Callable[[], None] = lambda: None) -> RestorationClient:
        """The daemon that this user's clients use: see `client.remote`."""
        return cls(open_chosen(start=start, on_start=on_start))

    @classmethod
    def remote(cls, remote: connection.Remote) -> RestorationClient:
        return cls(connection.connect_remote(remote))

    def __enter__(self) -> RestorationClient:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._channel.close()

    def checkpoints(self) -> CheckpointsClient:
        """The same daemon's checkpoints, over the same channel: closed with this client."""
        return CheckpointsClient(self._channel)

    def pipelines(self) -> list[Installed]:
        """In the order they should be offered."""
        with our_errors():
            answer = self._daemon.ListPipelines(dpb.ListPipelinesRequest(), timeout=CALL_WAIT_S)
        return [
            Installed(wire.spec_from_proto(p.spec), p.installed, p.install_hint, p.resident)
            for p in answer.pipelines
        ]

    def default_pipeline(self) -> str:
        return str(connection.handshake(self._channel).default_pipeline)

    def capabilities(self) -> frozenset[str]:
        """What the daemon can do beyond the base of the protocol: see HandshakeResponse."""
        return frozenset(connection.handshake(self._channel).capabilities)

    def state(self) -> dpb.GetStateResponse:
        with our_errors():
            state: dpb.GetStateResponse = self._daemon.GetState(dpb.GetStateRequest(), timeout=CALL_WAIT_S)
        return state

    def jobs(self) -> list[dpb.JobInfo]:
        """Newest first."""
        with our_errors():
            return list(self._daemon.ListJobs(dpb.ListJobsRequest(), timeout=CALL_WAIT_S).jobs)

    def cancel(self, job_id: str) -> None:
        """Raises NotFound for a job that the daemon does not know."""
        with our_errors():
            self._daemon.CancelJob(dpb.CancelJobRequest(job_id=job_id), timeout=CALL_WAIT_S)

    def load(self, pipeline: str, keep_alive_s: float | None = None) -> dpb.Resident:
        with our_errors():
            request = dpb.LoadPipelineRequest(pipeline=pipeline, keep_alive_s=keep_alive_s)
            answer: dpb.LoadPipelineResponse = self._daemon.LoadPipeline(request, timeout=LOAD_WAIT_S)
        return answer.resident

    def unload(self, pipeline: str = "") -> int:
        """Frees one pipeline or all; gives the bytes freed at once."""
        with our_errors():
            request = dpb.UnloadPipelineRequest(pipeline=pipeline)
            return int(self._daemon.UnloadPipeline(request, timeout=LOAD_WAIT_S).freed_bytes)

    def forget_kept(self) -> int:
        """Removes all kept results from the daemon's disk; gives the bytes they took."""
        with our_errors():
            request = dpb.ForgetKeptRequest()
            return int(self._daemon.ForgetKept(request, timeout=CALL_WAIT_S).freed_bytes)

    def stop(self, grace_s: float) -> int:
        """Asks the daemon to end; gives the number of jobs that were running."""
        with our_errors():
            return int(
                self._daemon.Stop(dpb.StopRequest(grace_s=grace_s), timeout=CALL_WAIT_S).running_job_count
            )

    def restore(
        self,
        work: Work,
        settings: RestoreSettings,
        *,
        on_accepted: Callable[[str], None] = lambda job_id: None,
        on_progress: Callable[[rpb.Progress], None] = lambda progress: None,
        on_preview: Callable[[rpb.Preview], None] | None = None,
        cancelling: threading.Event | None = None,
        keep_alive_s: float | None = None,
        patch: Rect | None = None,
        focus: tuple[int, int] | None = None,
        keep: bool | None = None,
    ) -> Restored:
        """Runs one job to its end. Setting `cancelling` from another thread cancels it (raises Cancelled).

        Callbacks come on the calling thread. `patch`, inside `work.region` in document pixels, asks for that part
        alone: the same job otherwise, but only the tiles that reach the patch are computed, and `pixels` is the patch
        at output scale. `focus`, column and row in the document, is where tiles are computed first. `keep`: see
        RestoreHeader.keep. Where the daemon has kept what the network did to these pixels, only what acts after the
        network runs: `report["network"]` is then `kept` and not `computed` (`completed`: some tiles were missing).
        """
        header = _header(work, settings, on_preview is not None, keep_alive_s)
        if patch is not None:
            header.patch.CopyFrom(wire.rect_to_proto(patch))
        if focus is not None:
            header.focus.CopyFrom(wire.point_to_proto(focus))
        if keep is not None:
            header.keep = keep
        started = time.monotonic()
        call = self._restoration.Restore(_frames(header, work))
        with our_errors(), cancel_when(cancelling, call):
            try:
                return _collect(call, work, started, on_accepted, on_progress, on_preview)
            finally:
                call.cancel()  # nothing after the last frame; frees the daemon when we leave early


def _header(
    work: Work, settings: RestoreSettings, previews: bool, keep_alive_s: float | None
) -> rpb.RestoreHeader:
    return rpb.RestoreHeader(
        document=wire.size_to_proto(work.document),
        sent=wire.rect_to_proto(work.sent),
        region=wire.rect_to_proto(work.region),
        format=wire.format_to_proto(PixelFormat.of(work.pixels, linear=work.linear)),
        icc_profile=work.icc,
        masked=work.mask is not None,
        settings=wire.settings_to_proto(settings),
        result_kind=rpb.RESULT_KIND_LAYER if work.layer else rpb.RESULT_KIND_COMPOSITED,
        job_class=rpb.JOB_CLASS_BATCH if work.batch else rpb.JOB_CLASS_INTERACTIVE,
        previews=previews,
        title=work.title,
        keep_alive_s=keep_alive_s,
    )


def _frames(header: rpb.RestoreHeader, work: Work) -> Iterator[rpb.RestoreRequest]:
    yield rpb.RestoreRequest(header=header)
    for band in bands(work.pixels):
        yield rpb.RestoreRequest(pixels=band)
    if work.mask is not None:
        for band in bands(work.mask):
            yield rpb.RestoreRequest(mask=band)


def bands(plane: np.ndarray[Any, Any], *, first_row: int = 0) -> Iterator[dict[str, Any]]:
    """The fields of Band messages that carry a plane whose top is row `first_row`."""
    rows = wire.rows_per_band(plane[:1].nbytes)
    for start in range(0, plane.shape[0], rows):
        yield wire.band_fields(first_row + start, plane[start : start + rows])


def _collect(
    call: Any,
    work: Work,
    started: float,
    on_accepted: Callable[[str], None],
    on_progress: Callable[[rpb.Progress], None],
    on_preview: Callable[[rpb.Preview], None] | None,
) -> Restored:
    restored: Restored | None = None
    received = 0
    for response in call:
        match response.WhichOneof("frame"):
            case "accepted":
                restored = _empty_result(response.accepted, work)
                restored.times_s["accepted"] = time.monotonic() - started
                on_accepted(restored.job_id)
            case "progress":
                on_progress(response.progress)
            case "preview" if on_preview is not None:
                on_preview(response.preview)
            case "result" if restored is not None:
                received = _take(restored, response.result, received)
                restored.times_s.setdefault("first_band", time.monotonic() - started)
                restored.times_s["last_band"] = time.monotonic() - started
            case "report" if restored is not None:
                restored.report = json.loads(response.report.json)
                restored.times_s["report"] = time.monotonic() - started
    if restored is None or received != restored.pixels.shape[0] or not restored.report:
        raise InternalError(
            "the daemon ended the job without a whole result: run it again", "RESULT_INCOMPLETE"
        )
    return restored


def _empty_result(accepted: rpb.Accepted, work: Work) -> Restored:
    size = accepted.result_size
    shape = (size.height_px, size.width_px, work.pixels.shape[2])
    return Restored(np.empty(shape, work.pixels.dtype), {}, accepted.job_id)


def _take(restored: Restored, band: rpb.Band, next_row: int) -> int:
    """Puts a band where it belongs; gives the row after it."""
    target, data = restored.pixels[band.start_row : band.end_row], band.data  # each access copies the bytes
    if band.start_row != next_row or len(data) != target.nbytes:
        raise InternalError(
            f"row {band.start_row} of the result is out of place: run the job again", "RESULT_MISPLACED"
        )
    target[...] = np.frombuffer(data, target.dtype).reshape(target.shape)
    return band.end_row


class cancel_when:
    """Cancels a call as soon as an event is set, while the block runs."""

    def __init__(self, event: threading.Event | None, call: Any) -> None:
        self._event, self._call = event, call
        self._over = threading.Event()

    def __enter__(self) -> None:
        if self._event is not None:
            threading.Thread(target=self._watch, daemon=True).start()

    def __exit__(self, *exception: object) -> None:
        self._over.set()

    def _watch(self) -> None:
        assert self._event is not None
        while not self._over.is_set():
            if self._event.wait(0.05):
                self._call.cancel()
                return
