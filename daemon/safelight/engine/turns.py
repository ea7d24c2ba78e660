"""Jobs on the device, one turn at a time. A turn is one tile batch, so nothing waits longer than that.

Owned by the worker's thread, like everything below it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, NamedTuple, cast

import torch

from safelight.engine.device import Device
from safelight.engine.job_plan import JobPlan, plan_job
from safelight.engine.jobs import Job, JobQueue, JobState, cancelled_error
from safelight.engine.keeping import Keeping, keeping_for
from safelight.engine.kept_store import KeptStore
from safelight.engine.loaded import LoadedPipelines
from safelight.engine.out_of_memory import MemoryLadder
from safelight.engine.pipelines.base import Pipeline, Precision
from safelight.engine.pipelines.registry import Registry
from safelight.engine.precision import PrecisionTable
from safelight.engine.reblend import reblended, suffices
from safelight.engine.request import Preview, Progress, Restoration
from safelight.engine.residency import Resident
from safelight.engine.restore import restore
from safelight.engine.words import Words, WordsRequest
from safelight.errors import InternalError, SafelightError, Unavailable

if TYPE_CHECKING:
    from safelight.engine.describer import Describer

log = logging.getLogger(__name__)


class _Run(NamedTuple):
    steps: Generator[Progress | Preview, None, Restoration]
    pipeline: Pipeline | None
    """None: all its tiles are kept."""


class Turns:
    """See the module."""

    def __init__(
        self,
        registry: Registry,
        queue: JobQueue,
        device: Device,
        *,
        keep_alive_s: float,
        kept: KeptStore | None = None,
        clock: Callable[[], float],
    ) -> None:
        self._registry, self._queue, self._clock = registry, queue, clock
        self._kept = kept
        self.device = device
        self.pipelines = LoadedPipelines(registry, device, keep_alive_s=keep_alive_s, clock=clock)
        self.waiting: set[str] = set()
        """Ids of jobs that wait for memory that other jobs use."""
        self.fault: SafelightError | None = None
        """Set when the device failed: only a new process cures that."""
        self._memory = MemoryLadder(self.pipelines.evict_idle)
        self._precisions = PrecisionTable()
        self._runs: dict[str, _Run] = {}
        self._describer: Describer | None = None

    def take(self, job: Job) -> None:
        """One turn of `job`; what goes wrong ends the job and nothing else."""
        try:
            if job.cancelling.is_set():
                raise cancelled_error()
            if job.id not in self._runs and not self._start(job):
                self.waiting.add(job.id)
                return
            self._advance(job)
        except SafelightError as error:
            self.fail(job, error)
        except torch.AcceleratorError:
            log.exception("job %s: the device failed", job.id)
            self.fail(job, self._faulted())
        except Exception as error:
            log.exception("job %s failed", job.id)
            text = f"the job failed by a fault of ours ({type(error).__name__}): please report the log"
            self.fail(job, InternalError(text, details={"job": job.id}))

    def preload(self, pipeline: str, keep_alive_s: float | None) -> Resident:
        """Loads a pipeline between turns."""
        try:
            return self.pipelines.preload(pipeline, keep_alive_s)
        except torch.AcceleratorError:
            log.exception("loading %s: the device failed", pipeline)
            raise self._faulted() from None

    def describe(self, asked: WordsRequest) -> Words:
        """Looks at a picture between turns."""
        if self._describer is None:
            # networks that no job may ever ask for: what they are made with takes seconds to import
            from safelight.engine.describer import Describer
            from safelight.engine.pipelines.prompt_source import PromptReader

            reader = PromptReader(self.device.torch_device, self.pipelines.parts)
            self._describer = Describer(reader, self.pipelines.evict_idle)
        try:
            return self._describer.words(asked)
        except torch.AcceleratorError:
            log.exception("describing a picture: the device failed")
            raise self._faulted() from None

    def fail(self, job: Job, error: SafelightError) -> None:
        self._release(job)
        state = JobState.CANCELLED if error.reason == "CANCELLED" else JobState.FAILED
        self._queue.end(job, state, error.message)
        job.listener.failed(error)

    def _faulted(self) -> Unavailable:
        self.fault = Unavailable("the device failed and the daemon starts anew: ask again", "DEVICE_FAULT")
        return self.fault

    def _start(self, job: Job) -> bool:
        """False when the job has to wait for memory that other jobs use."""
        assert job.request is not None

        def tell() -> None:
            job.progress = Progress(stage="load")
            job.listener.progressed(job.progress)

        plan = plan_job(job.request, self._registry.entry(job.pipeline).spec)
        keeping = self._keeping(job, plan)
        kept = None if keeping is None else keeping.find()
        if kept is not None and suffices(kept, plan):
            job.state = JobState.RUNNING
            self._runs[job.id] = _Run(reblended(job.request, plan, kept, clock=self._clock), None)
            return True
        pipeline = self.pipelines.acquire(job.pipeline, on_load=tell)
        if pipeline is None:
            return False
        self.pipelines.hold(job.pipeline)
        job.state = JobState.RUNNING
        steps = restore(
            job.request,
            pipeline,
            memory=self._memory,
            precisions=self._precisions,
            on_cpu=lambda: self._registry.load(job.pipeline, torch.device("cpu"), self.pipelines.parts),
            previews=job.previews,
            plan=plan,
            kept=kept,
            keep=keeping.keep if keeping is not None and job.keeps else None,
            clock=self._clock,
        )
        self._runs[job.id] = _Run(steps, pipeline)
        return True

    def _keeping(self, job: Job, plan: JobPlan) -> Keeping | None:
        checkpoints = self._registry.entry(job.pipeline).checkpoint_hashes() if self._kept else {}
        place = f"{self.device.torch_device.type} {self.device.title}"
        return keeping_for(job, plan, self._kept, checkpoints=checkpoints, place=place)

    def _advance(self, job: Job) -> None:
        run = self._runs[job.id]
        try:
            event = next(run.steps)
        except StopIteration as end:
            restoration: Restoration = end.value
            self._release(job, precision=cast("Precision", restoration.report["precision"]))
            self._queue.computed(job)
            job.listener.computed(restoration)
            return
        if isinstance(event, Preview):
            job.listener.previewed(event)
            return
        job.progress = event
        job.listener.progressed(event)

    def _release(self, job: Job, *, precision: Precision | None = None) -> None:
        """Frees what the run holds and gives the pipeline back."""
        self.waiting.clear()  # memory may have come free: everybody may try again
        run = self._runs.pop(job.id, None)
        if run is None:
            return
        run.steps.close()
        if run.pipeline is not None:
            self.pipelines.give_back(job.pipeline, keep_alive_s=job.keep_alive_s, precision=precision)
