"""The one thread that owns the device. It gives jobs their turns and obeys commands (preload, unload) in between.

The thread imports torch and finds the device itself, so that the daemon answers before that is done.
"""

from __future__ import annotations

import contextlib
import logging
import queue as queues
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from safelight.engine.jobs import JobQueue, JobState, stopping_error
from safelight.engine.kept_store import KeptStore
from safelight.engine.pipelines.registry import Registry
from safelight.engine.residency import Resident, ResidentPart
from safelight.engine.words import Words, WordsRequest
from safelight.errors import SafelightError, Unavailable
from safelight.settings import KEEP_ALIVE_S

if TYPE_CHECKING:
    from safelight.engine.device import Device
    from safelight.engine.turns import Turns

log = logging.getLogger(__name__)

TURN_WAIT_S = 0.5
"""How often an idle worker looks at keep-alive times."""

Result = TypeVar("Result")


@dataclass(frozen=True)
class DeviceState:
    """What others may know of the device, as it was after the last turn."""

    name: str = ""
    """cpu, cuda:0, ... ; empty until the worker has found it."""
    title: str = ""
    free_bytes: int = 0
    total_bytes: int = 0
    residents: tuple[Resident, ...] = ()
    parts: tuple[ResidentPart, ...] = ()
    """What they share."""


class Worker(threading.Thread):
    """See the module. What begins with an underscore belongs to its thread; the rest may be called from any."""

    def __init__(
        self,
        registry: Registry,
        queue: JobQueue,
        open_device: Callable[[], Device],
        *,
        keep_alive_s: float = KEEP_ALIVE_S,
        kept: KeptStore | None = None,
        clock: Callable[[], float] = time.monotonic,
        on_fault: Callable[[SafelightError], None] = lambda error: None,
    ) -> None:
        """`open_device` is called on the worker's thread. Without `kept` nothing is kept.
        `on_fault` hears that the device cannot be used, or
        not any more; the worker has ended then."""
        super().__init__(name="safelight-worker", daemon=True)
        self.registry = registry
        self.queue = queue
        self.state = DeviceState()
        self._open_device = open_device
        self._keep_alive_s = keep_alive_s
        self.kept = kept
        self._clock = clock
        self._on_fault = on_fault
        self._commands: queues.SimpleQueue[Callable[[Turns | None], None]] = queues.SimpleQueue()
        self._stopping, self._ended = threading.Event(), threading.Event()

    # -- from any thread ---------------------------------------------------------------------------

    def load(self, pipeline: str, keep_alive_s: float | None) -> Future[Resident]:
        """Loads `pipeline` between turns; the future gives its facts or raises."""
        return self._command(lambda turns: turns.preload(pipeline, keep_alive_s))

    def unload(self, pipeline: str) -> Future[int]:
        """Unloads `pipeline`, or all for an empty name; one in use goes after its jobs. Gives bytes freed now."""
        return self._command(lambda turns: turns.pipelines.unload(pipeline))

    def describe(self, asked: WordsRequest) -> Future[Words]:
        """Looks at a picture between turns."""
        return self._command(lambda turns: turns.describe(asked))

    def stop(self) -> None:
        """Ends after the turn; jobs that are left fail with Unavailable."""
        self._stopping.set()
        self.queue.wake()

    def _command(self, action: Callable[[Turns], Result]) -> Future[Result]:
        future: Future[Result] = Future()

        def obey(turns: Turns | None) -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                if turns is None:
                    raise stopping_error()
                result = action(turns)
                self._publish(turns)
                future.set_result(result)
            except Exception as error:
                future.set_exception(error)

        self._commands.put(obey)
        self.queue.wake()
        if self._ended.is_set():
            self._obey_commands(None)
        return future

    # -- on its own thread -------------------------------------------------------------------------

    def run(self) -> None:
        fault: SafelightError | None = None
        turns: Turns | None = None
        try:
            turns = self._turns()
            fault = self._work(turns)
        except SafelightError as error:
            fault = error
        except Exception as error:  # the thread's outermost loop: whatever it is, somebody must hear of it
            log.exception("the worker failed")
            fault = Unavailable(
                f"the daemon's worker failed ({type(error).__name__}): see its log", "WORKER_FAILED"
            )
        self._end(turns, fault)

    def _turns(self) -> Turns:
        from safelight.engine.turns import Turns  # torch takes seconds, in which the daemon answers

        device = self._open_device()
        log.info("worker on %s", device.title)
        return Turns(
            self.registry,
            self.queue,
            device,
            keep_alive_s=self._keep_alive_s,
            kept=self.kept,
            clock=self._clock,
        )

    def _work(self, turns: Turns) -> SafelightError | None:
        """Until it is stopped (None) or the device failed (the error)."""
        while not self._stopping.is_set():
            self._obey_commands(turns)
            turns.pipelines.tidy()
            self._publish(turns)
            job = self.queue.next_turn(TURN_WAIT_S, waiting=turns.waiting)
            if job is not None and not self._stopping.is_set():
                turns.take(job)
            if turns.fault is not None:
                return turns.fault
        return None

    def _end(self, turns: Turns | None, fault: SafelightError | None) -> None:
        """Everybody who still waits is told; nothing of a device that failed is touched."""
        self.queue.close()
        for job in self.queue.taking_turns:
            if turns is not None and fault is None:
                turns.fail(job, stopping_error())
            else:
                error = fault or stopping_error()
                self.queue.end(job, JobState.FAILED, error.message)
                job.listener.failed(error)
        self._ended.set()
        self._obey_commands(None)
        if fault is not None:
            log.error("the worker ends: %s", fault.message)
            self._on_fault(fault)

    def _obey_commands(self, turns: Turns | None) -> None:
        with contextlib.suppress(queues.Empty):
            while True:
                self._commands.get_nowait()(turns)

    def _publish(self, turns: Turns) -> None:
        device = turns.device
        self.state = DeviceState(
            str(device.torch_device),
            device.title,
            device.free_bytes(),
            device.total_bytes(),
            tuple(turns.pipelines.facts),
            tuple(turns.pipelines.part_facts),
        )
