"""Jobs that run for the open picture."""

from __future__ import annotations

import time
from dataclasses import dataclass

from PySide6.QtCore import QObject, Signal

from safelight.client.restoration import Restored
from safelight.errors import SafelightError
from safelight.settings import RestoreSettings
from safelight.spec import PipelineSpec
from safelight_desktop.rpc.restoring import FinishedTile, Progress, RestoreCall
from safelight_desktop.state.region import Region
from safelight_desktop.state.selection import Selection

CLOSE_WAIT_S = 2.0


@dataclass(frozen=True)
class JobPlan:
    """What a job is for."""

    spec: PipelineSpec
    region: Region
    selection: Selection
    """As it lies when the job starts."""
    settings: RestoreSettings
    """As a person chose them."""
    starts: int = 1
    """Counts the daemons that it was given to: one that is lost in the middle of a job may be lost again."""


class Job(QObject):
    """One run of one region."""

    progressed = Signal()

    def __init__(self, plan: JobPlan, call: RestoreCall, parent: QObject) -> None:
        super().__init__(parent)
        self.plan = plan
        self.call = call
        self.started = time.monotonic()
        self.progress: Progress | None = None
        self.tiles: list[FinishedTile] = []
        call.progressed.connect(self._take_progress)
        call.tile_finished.connect(self._take_tile)

    def cancel(self) -> None:
        self.call.cancel()
        self.progressed.emit()

    def _take_progress(self, progress: Progress) -> None:
        self.progress = progress
        self.progressed.emit()

    def _take_tile(self, tile: FinishedTile) -> None:
        self.tiles.append(tile)
        self.progressed.emit()


class Jobs(QObject):
    """Those that are not over."""

    changed = Signal()
    """One began or ended."""
    progressed = Signal()
    finished = Signal(Job, Restored)
    failed = Signal(Job, SafelightError)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.running: list[Job] = []

    def start(self, plan: JobPlan, call: RestoreCall) -> Job:
        job = Job(plan, call, self)
        call.setParent(job)
        self.running.append(job)
        job.progressed.connect(self.progressed)
        call.finished.connect(lambda restored: self._finished(job, restored))
        call.failed.connect(lambda error: self._failed(job, error))
        call.start()
        self.changed.emit()
        return job

    def cancel_all(self) -> None:
        for job in self.running:
            job.cancel()

    def close(self) -> None:
        """Cancels and waits a little, so that the daemon is told."""
        self.cancel_all()
        for job in self.running:
            job.call.wait(CLOSE_WAIT_S)

    def _finished(self, job: Job, restored: Restored) -> None:
        self._over(job)
        self.finished.emit(job, restored)

    def _failed(self, job: Job, error: SafelightError) -> None:
        self._over(job)
        self.failed.emit(job, error)

    def _over(self, job: Job) -> None:
        self.running.remove(job)
        self.changed.emit()
        job.deleteLater()
