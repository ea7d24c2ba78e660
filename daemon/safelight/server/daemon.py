"""The Daemon service: handshake, pipelines, jobs, state, stop."""

from __future__ import annotations

import asyncio
import functools
import os
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import psutil
from google.protobuf.timestamp_pb2 import Timestamp

from safelight import __version__, wire
from safelight.engine.jobs import Job, JobClass, JobState, stopping_error
from safelight.engine.residency import Resident, ResidentPart, checked_keep_alive
from safelight.engine.worker import Worker
from safelight.errors import InvalidRequest, NotReady
from safelight.server.door import abort, told
from safelight.server.frames import STATE_NUMBERS, progress_to_proto
from safelight.settings import MAX_PIXELS
from safelight.v1 import daemon_pb2 as dpb
from safelight.v1 import daemon_pb2_grpc as dpb_grpc
from safelight.v1 import restoration_pb2 as rpb

CAPABILITIES = (
    "masks",
    "layers",
    "previews",
    "bands",
    "grain",
    "kept",
    "patches",
    "assessment",
    "description",
)
STOP_GRACE_MOST_S = 3600.0

Request = TypeVar("Request")
Response = TypeVar("Response")


def _answering(
    method: Callable[[Any, Request], Awaitable[Response]],
) -> Callable[[Any, Request, Any], Awaitable[Response | None]]:
    """Turns what a unary method raises into a status."""

    @functools.wraps(method)
    async def answer(self: Any, request: Request, context: Any) -> Response | None:
        try:
            return await method(self, request)
        except Exception as error:  # an outermost loop: everything must become a status
            await abort(context, told(error, method.__name__))
            return None

    return answer


class DaemonServicer(dpb_grpc.DaemonServicer):
    """Answers from the worker's and the queue's public state; never computes."""

    def __init__(
        self, worker: Worker, *, default_pipeline: str, log_path: Path, stop: Callable[[float], None]
    ) -> None:
        self._worker = worker
        self._default_pipeline = default_pipeline
        self._log_path = log_path
        self._stop = stop
        self._started_s = time.time()

    @_answering
    async def Handshake(self, request: dpb.HandshakeRequest) -> dpb.HandshakeResponse:
        if request.protocol_version != wire.PROTOCOL_VERSION:
            older = "client" if request.protocol_version < wire.PROTOCOL_VERSION else "daemon"
            raise NotReady(
                f"the client speaks protocol {request.protocol_version} and the daemon {wire.PROTOCOL_VERSION}: "
                f"upgrade the {older}",
                "PROTOCOL_MISMATCH",
                details={"daemon_version": __version__},
            )
        if self._worker.queue.closed:
            raise stopping_error()
        return dpb.HandshakeResponse(
            protocol_version=wire.PROTOCOL_VERSION,
            daemon_version=__version__,
            capabilities=CAPABILITIES,
            pixel_count_limit=MAX_PIXELS,
            default_pipeline=self._default_pipeline,
        )

    @_answering
    async def ListPipelines(self, request: dpb.ListPipelinesRequest) -> dpb.ListPipelinesResponse:
        resident = {facts.name for facts in self._worker.state.residents}
        infos = []
        for entry in self._worker.registry.entries:
            hint = entry.install_hint()
            spec = wire.spec_to_proto(entry.spec)
            infos.append(
                dpb.PipelineInfo(
                    spec=spec, installed=not hint, install_hint=hint, resident=entry.spec.id in resident
                )
            )
        return dpb.ListPipelinesResponse(pipelines=infos)

    @_answering
    async def LoadPipeline(self, request: dpb.LoadPipelineRequest) -> dpb.LoadPipelineResponse:
        name = wire.pipeline_id(request.pipeline)
        self._worker.registry.entry(name).require_installed()
        keep_alive = request.keep_alive_s if request.HasField("keep_alive_s") else None
        if keep_alive == 0:
            raise InvalidRequest(
                "a keep-alive of 0 unloads at once: leave it out or give seconds", "KEEP_ALIVE"
            )
        if keep_alive is not None:
            checked_keep_alive(keep_alive)
        resident = await asyncio.wrap_future(self._worker.load(name, keep_alive))
        return dpb.LoadPipelineResponse(resident=self._resident(resident))

    @_answering
    async def UnloadPipeline(self, request: dpb.UnloadPipelineRequest) -> dpb.UnloadPipelineResponse:
        name = wire.pipeline_id(request.pipeline) if request.pipeline else ""
        freed = await asyncio.wrap_future(self._worker.unload(name))
        return dpb.UnloadPipelineResponse(freed_bytes=freed)

    @_answering
    async def ListJobs(self, request: dpb.ListJobsRequest) -> dpb.ListJobsResponse:
        return dpb.ListJobsResponse(jobs=map(self._job_info, self._worker.queue.listed))

    @_answering
    async def CancelJob(self, request: dpb.CancelJobRequest) -> dpb.CancelJobResponse:
        job = self._worker.queue.cancel(request.job_id)
        return dpb.CancelJobResponse(state=STATE_NUMBERS[job.state])

    @_answering
    async def GetState(self, request: dpb.GetStateRequest) -> dpb.GetStateResponse:
        device = self._worker.state
        states = [job.state for job in self._worker.queue.active]
        kept = self._worker.kept
        kept_count, kept_bytes = (0, 0) if kept is None else kept.usage()
        return dpb.GetStateResponse(
            residents=map(self._resident, device.residents),
            parts=map(_part, device.parts),
            device=device.name,
            device_title=device.title,
            free_memory_bytes=device.free_bytes,
            memory_bytes=device.total_bytes,
            process_memory_bytes=psutil.Process().memory_info().rss,
            start_time=_timestamp(self._started_s),
            queued_job_count=states.count(JobState.QUEUED),
            running_job_count=states.count(JobState.RUNNING),
            process_id=os.getpid(),
            log_path=str(self._log_path),
            kept_result_count=kept_count,
            kept_bytes=kept_bytes,
            kept_bytes_limit=0 if kept is None else kept.limit_bytes,
        )

    @_answering
    async def ForgetKept(self, request: dpb.ForgetKeptRequest) -> dpb.ForgetKeptResponse:
        kept = self._worker.kept
        freed = 0 if kept is None else await asyncio.to_thread(kept.forget)
        return dpb.ForgetKeptResponse(freed_bytes=freed)

    @_answering
    async def Stop(self, request: dpb.StopRequest) -> dpb.StopResponse:
        if not 0 <= request.grace_s <= STOP_GRACE_MOST_S:
            raise InvalidRequest(
                f"a grace time of {request.grace_s:g} s is out of range: give 0 to {STOP_GRACE_MOST_S:g}",
                "GRACE",
            )
        running = len(self._worker.queue.active)
        self._stop(request.grace_s)
        return dpb.StopResponse(running_job_count=running)

    def _job_info(self, job: Job) -> dpb.JobInfo:
        batch = job.job_class is JobClass.BATCH
        progress = rpb.Progress(state=STATE_NUMBERS[job.state])
        if job.progress is not None:
            progress = progress_to_proto(job.progress, job.state)
        if job.state is JobState.QUEUED:
            progress.jobs_ahead = self._worker.queue.jobs_ahead(job)
        return dpb.JobInfo(
            job_id=job.id,
            title=job.title,
            pipeline=job.pipeline,
            job_class=rpb.JOB_CLASS_BATCH if batch else rpb.JOB_CLASS_INTERACTIVE,
            progress=progress,
            create_time=_timestamp(job.created_s),
            error=job.error,
        )

    def _resident(self, facts: Resident) -> dpb.Resident:
        expire = None
        if facts.expires_s is not None and not facts.references:
            expire = _timestamp(time.time() + facts.expires_s - time.monotonic())
        return dpb.Resident(
            pipeline=facts.name,
            device=self._worker.state.name,
            weights_bytes=facts.weights_bytes,
            precision=facts.precision,
            expire_time=expire,
            reference_count=facts.references,
        )


def _part(facts: ResidentPart) -> dpb.ResidentPart:
    return dpb.ResidentPart(
        title=facts.title,
        device=facts.device,
        weights_bytes=facts.weights_bytes,
        precision=facts.precision,
        used_by=facts.used_by,
        reference_count=facts.references,
    )


def _timestamp(seconds: float) -> Timestamp:
    return Timestamp(seconds=int(seconds), nanos=int(seconds % 1 * 1e9))
