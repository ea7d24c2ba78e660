"""The one thread that owns the device: loads, evicts and unloads pipelines, and gives jobs their turns.

A turn is one tile batch. Between turns it looks at cancellations, more urgent jobs, commands (preload,
unload) and keep-alive times, so nothing waits longer than a tile batch.
"""

from __future__ import annotations

import logging
import queue as queues
import threading
import time
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future
from dataclasses import dataclass, replace
from typing import TypeVar

import torch

from safelight.engine import residency
from safelight.engine.device import Device
from safelight.engine.jobs import Job, JobQueue, JobState, cancelled_error
from safelight.engine.out_of_memory import MemoryLadder
from safelight.engine.pipelines.base import Pipeline
from safelight.engine.pipelines.registry import Registry
from safelight.engine.precision import PrecisionTable
from safelight.engine.request import Preview, Progress, Restoration
from safelight.engine.residency import Resident
from safelight.engine.restore import restore
from safelight.errors import InternalError, SafelightError, TooMuch, Unavailable
from safelight.settings import KEEP_ALIVE_S
from safelight.spec import PipelineSpec

log = logging.getLogger(__name__)

TURN_WAIT_S = 0.5
"""How often an idle worker looks at keep-alive times."""

Result = TypeVar("Result")
Run = Generator[Progress | Preview, None, Restoration]


@dataclass
class _Loaded:
    pipeline: Pipeline
    facts: Resident
    precision: str = "fp32"


class Worker(threading.Thread):
    """See the module. What begins with an underscore belongs to its thread; the rest may be called from any."""

    def __init__(
        self,
        registry: Registry,
        queue: JobQueue,
        choose_device: Callable[[], Device],
        *,
        keep_alive_s: float = KEEP_ALIVE_S,
        clock: Callable[[], float] = time.monotonic,
        on_fault: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__(name="safelight-worker", daemon=True)
        self.registry = registry
        self.queue = queue
        self._memory = MemoryLadder()
        self._precisions = PrecisionTable()
        self._choose_device = choose_device
        self._keep_alive_s = keep_alive_s
        self._clock = clock
        self._on_fault = on_fault
        self._device: Device | None = None
        self._loaded: dict[str, _Loaded] = {}
        self._runs: dict[str, Run] = {}
        self._waiting: set[str] = set()
        self._unload_after_job: set[str] = set()
        self._commands: queues.SimpleQueue[tuple[Callable[[], object], Future[object]]] = queues.SimpleQueue()
        self._stopping = threading.Event()

    # -- from any thread ---------------------------------------------------------------------------

    def load(self, pipeline: str, keep_alive_s: float | None) -> Future[object]:
        """Loads `pipeline` between turns; the future gives its Resident or raises."""
        return self._command(lambda: self._preload(pipeline, keep_alive_s))

    def unload(self, pipeline: str) -> Future[object]:
        """Unloads `pipeline`, or all for an empty name; one in use goes after its job. Gives bytes."""
        return self._command(lambda: self._unload_named(pipeline))

    @property
    def residents(self) -> list[tuple[Resident, str]]:
        """What is loaded and the precision it ran in last; a copy, as true as an instant ago."""
        return [(loaded.facts, loaded.precision) for loaded in list(self._loaded.values())]

    @property
    def device(self) -> Device | None:
        """None until the worker has found it."""
        return self._device

    def stop(self) -> None:
        """Ends after the turn; jobs that are left fail with Unavailable."""
        self._stopping.set()
        self.queue.wake()

    def _command(self, action: Callable[[], object]) -> Future[object]:
        future: Future[object] = Future()
        self._commands.put((action, future))
        self.queue.wake()
        return future

    # -- on its own thread -------------------------------------------------------------------------

    def run(self) -> None:
        try:
            self._device = self._choose_device()
        except (RuntimeError, AssertionError) as error:  # torch's words for a device that is not there
            log.exception("no device")
            self._fail_all(Unavailable(f"the device cannot be used: {error}", "DEVICE_UNAVAILABLE"))
            self._on_fault()
            return
        log.info("worker on %s", self._device.title)
        while not self._stopping.is_set():
            self._obey_commands()
            self._drop(residency.expired(self._facts(), self._clock()))
            job = self.queue.next_turn(TURN_WAIT_S, waiting=self._waiting)
            if job is not None and not self._stopping.is_set():
                self._turn(job)
        self._fail_all(Unavailable("the daemon is stopping: ask again in a moment", "STOPPING"))
        self._drop(list(self._loaded))

    def _turn(self, job: Job) -> None:
        try:
            if job.cancelling.is_set():
                raise cancelled_error()
            if job.id not in self._runs and not self._start(job):
                self._waiting.add(job.id)
                return
            self._advance(job)
        except SafelightError as error:
            self._fail(job, error)
        except torch.AcceleratorError:
            log.exception("job %s: the device failed", job.id)
            error = Unavailable("the device failed and the daemon starts anew: ask again", "DEVICE_FAULT")
            self._fail(job, error)
            self._on_fault()
        except Exception as error:
            log.exception("job %s failed", job.id)
            text = f"the job failed by a fault of ours ({type(error).__name__}): please report the log"
            self._fail(job, InternalError(text, details={"job": job.id}))

    def _start(self, job: Job) -> bool:
        """False when the job has to wait for memory that other jobs use."""
        assert job.request is not None
        loaded = self._acquire(job.pipeline, job)
        if loaded is None:
            return False
        job.state = JobState.RUNNING
        loaded.facts = replace(loaded.facts, references=loaded.facts.references + 1)
        self._runs[job.id] = restore(
            job.request,
            loaded.pipeline,
            memory=self._memory,
            precisions=self._precisions,
            on_cpu=lambda: self.registry.load(job.pipeline, torch.device("cpu")),
            previews=job.previews,
            clock=self._clock,
        )
        return True

    def _advance(self, job: Job) -> None:
        try:
            event = next(self._runs[job.id])
        except StopIteration as end:
            restoration: Restoration = end.value
            restoration.report["checkpoints"] = dict(self._loaded[job.pipeline].pipeline.checkpoint_hashes)
            self._release(job)
            self._loaded_precision(job.pipeline, str(restoration.report.get("precision", "fp32")))
            self.queue.computed(job)
            job.listener.computed(restoration)
            return
        if isinstance(event, Preview):
            job.listener.previewed(event)
            return
        job.progress = event
        job.listener.progressed(event)

    def _fail(self, job: Job, error: SafelightError) -> None:
        self._release(job)
        state = JobState.CANCELLED if error.reason == "CANCELLED" else JobState.FAILED
        self.queue.end(job, state, error.message)
        job.listener.failed(error)

    def _release(self, job: Job) -> None:
        """Frees what the run holds and gives the pipeline back."""
        self._waiting.clear()  # memory may have come free: everybody may try again
        run = self._runs.pop(job.id, None)
        if run is None:
            return
        run.close()
        loaded = self._loaded[job.pipeline]
        keep_alive = self._keep_alive_s if job.keep_alive_s is None else job.keep_alive_s
        if job.pipeline in self._unload_after_job:
            self._unload_after_job.discard(job.pipeline)
            keep_alive = 0.0
        now = self._clock()
        loaded.facts = replace(
            loaded.facts,
            references=loaded.facts.references - 1,
            last_used_s=now,
            expires_s=residency.expiry(keep_alive, now),
        )

    def _acquire(self, name: str, job: Job | None) -> _Loaded | None:
        """The loaded pipeline, loading and evicting as residency decides; None: wait."""
        assert self._device is not None
        entry = self.registry.entry(name)
        needed = entry.spec.memory.weights_bytes + _tile_bytes(entry.spec)
        for measured_again in (False, True):
            decision = residency.decide(
                self._facts(), name, needed_bytes=needed, free_bytes=self._device.free_bytes()
            )
            match decision:
                case residency.Use():
                    return self._loaded[name]
                case residency.Wait():
                    return None
                case residency.Load(evict) if not evict:
                    break
                case residency.Load(evict):
                    self._drop(evict)
                case residency.Refuse(needed_bytes, available_bytes) if measured_again or not self._loaded:
                    raise TooMuch(
                        f"the pipeline {name} needs {needed_bytes / 1e9:.1f} GB on {self._device.title} and "
                        f"{available_bytes / 1e9:.1f} GB can be had: close other programs or use another",
                        "DEVICE_MEMORY",
                    )
                case residency.Refuse():
                    self._drop([r.pipeline for r in self._facts() if r.references == 0])
        if job is not None:
            job.progress = Progress(stage="load")
            job.listener.progressed(job.progress)
        return self._load(name)

    def _load(self, name: str) -> _Loaded:
        assert self._device is not None
        started = self._clock()
        pipeline = self.registry.load(name, self._device.torch_device)
        now = self._clock()
        log.info("loaded %s in %.2f s, %d bytes", name, now - started, pipeline.weights_bytes)
        facts = Resident(name, pipeline.weights_bytes, 0, now, residency.expiry(self._keep_alive_s, now))
        self._loaded[name] = _Loaded(pipeline, facts)
        return self._loaded[name]

    def _preload(self, name: str, keep_alive_s: float | None) -> Resident:
        loaded = self._acquire(name, None)
        if loaded is None:
            raise TooMuch(
                f"the pipeline {name} fits only when running jobs have ended: try again", "DEVICE_BUSY"
            )
        now = self._clock()
        keep_alive = self._keep_alive_s if keep_alive_s is None else keep_alive_s
        loaded.facts = replace(loaded.facts, last_used_s=now, expires_s=residency.expiry(keep_alive, now))
        return loaded.facts

    def _unload_named(self, name: str) -> int:
        if name:
            self.registry.entry(name)
        freed = 0
        for facts in self._facts():
            if name and facts.pipeline != name:
                continue
            if facts.references:
                self._unload_after_job.add(facts.pipeline)
                continue
            freed += facts.weights_bytes
            self._drop([facts.pipeline])
        return freed

    def _drop(self, names: Iterable[str]) -> None:
        dropped = [name for name in names if self._loaded.pop(name, None) is not None]
        if dropped and self._device is not None:
            self._device.release_cache()
            log.info("unloaded %s", ", ".join(dropped))

    def _facts(self) -> list[Resident]:
        return [loaded.facts for loaded in self._loaded.values()]

    def _loaded_precision(self, name: str, precision: str) -> None:
        self._loaded[name].precision = precision

    def _obey_commands(self) -> None:
        while not self._commands.empty():
            action, future = self._commands.get()
            if not future.set_running_or_notify_cancel():
                continue
            try:
                future.set_result(action())
            except Exception as error:
                future.set_exception(error)

    def _fail_all(self, error: SafelightError) -> None:
        for job in self.queue.active:
            if not job.state.ended:
                self._fail(job, error)


def _tile_bytes(spec: PipelineSpec) -> int:
    """What one tile of the largest stage needs while it runs, by the spec's memory model."""
    side = max(tiling.tile for tiling in spec.stages.values())
    return spec.memory.bytes_per_tile_px * side * side
