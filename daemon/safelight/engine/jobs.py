"""Jobs and their queue: classes of priority, bounds, cancelling. Thread-safe; knows neither torch nor gRPC."""

from __future__ import annotations

import threading
import time
import uuid
from collections import deque
from collections.abc import Container
from dataclasses import dataclass, field
from enum import Enum

from safelight.engine.request import Preview, Progress, Restoration, RestoreRequest
from safelight.errors import Cancelled, NotFound, SafelightError, TooMuch, Unavailable

QUEUED_JOBS_MOST = 512
"""Beyond it a job is refused: ollama's figure, far more than a person queues, few enough to list."""
ENDED_JOBS_KEPT = 50
"""Ended jobs that `safelight ps` and the app can still show."""
BATCH_SHARE = 10
"""Of this many turns a waiting batch job gets one, so that a stream of interactive jobs cannot starve it."""


class JobClass(Enum):
    """Who waits for a job."""

    INTERACTIVE = "interactive"
    BATCH = "batch"


class JobState(Enum):
    """Where a job stands."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def ended(self) -> bool:
        return self in (JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED)


class Listener:
    """Hears of one job's life, on the worker's thread; must return at once. The server subclasses it."""

    def progressed(self, progress: Progress) -> None: ...

    def previewed(self, preview: Preview) -> None: ...

    def computed(self, restoration: Restoration) -> None:
        """Everything that needs the device is done; the listener now owns the result."""

    def failed(self, error: SafelightError) -> None: ...


@dataclass(eq=False)  # a job is itself only, however alike another one's pixels are
class Job:
    """One request on its way. `state`, `progress` and `error` are written by the queue and the worker only."""

    request: RestoreRequest | None
    listener: Listener
    pipeline: str
    job_class: JobClass = JobClass.INTERACTIVE
    title: str = ""
    previews: bool = False
    keep_alive_s: float | None = None
    input_sha256: str = ""
    """`kept_key.InputHash` of the request; empty: kept results are neither used nor left."""
    keeps: bool = False
    """Whether what the network does is kept for later jobs."""
    id: str = field(default_factory=lambda: uuid.uuid4().hex[:12])
    created_s: float = field(default_factory=time.time)
    """Wall clock, for people."""
    state: JobState = JobState.QUEUED
    progress: Progress | None = None
    error: str = ""
    cancelling: threading.Event = field(default_factory=threading.Event)


class JobQueue:
    """Waiting and running jobs. The worker takes turns from it; servers submit and cancel."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._active: list[Job] = []  # queued and running, oldest first
        self._finishing: list[Job] = []  # computed; the server is still sending their rows
        self._ended: deque[Job] = deque(maxlen=ENDED_JOBS_KEPT)
        self._turns_since_batch = 0
        self._woken = False
        self._closed = False

    def submit(self, job: Job) -> None:
        """Raises TooMuch when the queue is full, Unavailable when the daemon is stopping."""
        with self._changed:
            if self._closed:
                raise stopping_error()
            if len(self._active) >= QUEUED_JOBS_MOST:
                raise TooMuch(
                    f"{len(self._active)} jobs are waiting already: try again when some have ended",
                    "QUEUE_FULL",
                )
            self._active.append(job)
            self._changed.notify_all()

    def next_turn(self, timeout_s: float, *, waiting: Container[str] = ()) -> Job | None:
        """The job whose turn it is, or None after `timeout_s`. Interactive before batch, then the oldest;
        the same job comes again until it has ended, unless a more urgent one has arrived. Jobs whose id is
        in `waiting` (for memory that others hold) are passed over unless they were cancelled."""

        def choosable() -> bool:
            return self._woken or any(j.id not in waiting or j.cancelling.is_set() for j in self._active)

        with self._changed:
            self._changed.wait_for(choosable, timeout_s)
            self._woken = False
            return self._choose(waiting)

    def _choose(self, waiting: Container[str]) -> Job | None:
        cancelled = next((j for j in self._active if j.cancelling.is_set()), None)
        if cancelled is not None:
            return cancelled
        ready = [j for j in self._active if j.id not in waiting]
        batch = next((j for j in ready if j.job_class is JobClass.BATCH), None)
        urgent = next((j for j in ready if j.job_class is JobClass.INTERACTIVE), None)
        if batch is None or urgent is None:
            self._turns_since_batch = 0
            return batch or urgent
        self._turns_since_batch += 1
        if self._turns_since_batch >= BATCH_SHARE:
            self._turns_since_batch = 0
            return batch
        return urgent

    def wake(self) -> None:
        """Ends a `next_turn` that is waiting."""
        with self._changed:
            self._woken = True
            self._changed.notify_all()

    def close(self) -> None:
        """Takes no more jobs; those that are there go on."""
        with self._changed:
            self._closed = True

    @property
    def closed(self) -> bool:
        return self._closed

    def computed(self, job: Job) -> None:
        """Takes a job out of the turns: its rows are left to send."""
        with self._changed:
            self._active.remove(job)
            self._finishing.append(job)
            self._changed.notify_all()

    def leave(self, job: Job, state: JobState, error: str = "") -> None:
        """The job's owner is done with it: one that still takes turns is cancelled, by the worker."""
        with self._changed:
            job.cancelling.set()
            if job in self._active:
                self._changed.notify_all()
                return
        self.end(job, state, error)

    def end(self, job: Job, state: JobState, error: str = "") -> None:
        """The job is over. Its pixels are let go here, so that ended jobs hold none. Ending twice is nothing."""
        with self._changed:
            if job.state.ended:
                return
            for jobs in (self._active, self._finishing):
                if job in jobs:
                    jobs.remove(job)
            job.state, job.error, job.request = state, error, None
            self._ended.appendleft(job)
            self._changed.notify_all()

    def cancel(self, job_id: str) -> Job:
        """Asks a job to end; raises NotFound for an id that is neither active nor lately ended."""
        with self._changed:
            for job in (*self._active, *self._finishing, *self._ended):
                if job.id == job_id:
                    job.cancelling.set()
                    self._changed.notify_all()
                    return job
        raise NotFound(f"there is no job {job_id[:40]!r}: safelight ps lists them", "NO_SUCH_JOB")

    def jobs_ahead(self, job: Job) -> int:
        """Jobs whose turns come first: older ones of its class, and for a batch job all interactive ones."""
        with self._changed:
            if job not in self._active:
                return 0
            older = self._active[: self._active.index(job)]
            ahead = sum(1 for j in older if j.job_class is job.job_class)
            if job.job_class is JobClass.BATCH:
                ahead += sum(1 for j in self._active if j.job_class is JobClass.INTERACTIVE)
            return ahead

    @property
    def active(self) -> list[Job]:
        """Jobs that have not ended: those whose rows are being sent, then those that take turns, oldest first."""
        with self._changed:
            return [*self._finishing, *self._active]

    @property
    def taking_turns(self) -> list[Job]:
        """Jobs that need the device, oldest first."""
        with self._changed:
            return list(self._active)

    @property
    def listed(self) -> list[Job]:
        """Active and lately ended jobs, newest first."""
        with self._changed:
            return [*reversed(self._active), *reversed(self._finishing), *self._ended]


def cancelled_error() -> Cancelled:
    return Cancelled("the job was cancelled", "CANCELLED")


def stopping_error() -> Unavailable:
    return Unavailable("the daemon is stopping: ask again in a moment", "STOPPING")
