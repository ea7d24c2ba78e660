"""What is to come of a batch: where each result will go, how long the rest takes, how much of the disk."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal

from safelight.errors import InvalidRequest, SafelightError
from safelight.geometry import Size
from safelight.settings import RestoreSettings
from safelight.spec import PipelineSpec
from safelight_desktop.rpc.background import Background
from safelight_desktop.rpc.batch import BatchOrder, Outcome
from safelight_desktop.state.batch_estimate import (
    BatchEstimate,
    Candidate,
    estimated_batch,
    kinds_of,
    picture_s,
)
from safelight_desktop.state.batch_planning import Planned, PlanRow, plan
from safelight_desktop.state.batch_rows import BatchRow, RowState
from safelight_desktop.state.settings_form import SettingsForm

if TYPE_CHECKING:
    from safelight_desktop.state.batch import BatchQueue

PLAN_PAUSE_MS, ESTIMATE_PAUSE_MS = 150, 500
PACE_LEAST, PACE_MOST = 0.2, 5.0


class BatchOutlook(QObject):
    """Of one queue. Everything that asks the disk does so on a worker thread, one question at a time."""

    targets_changed = Signal()
    """The plan is fresh; targets of many rows may be others now."""
    planned = Signal()
    """The estimate is new, or what is wrong."""
    failed = Signal(SafelightError)

    def __init__(self, queue: BatchQueue, background: Background) -> None:
        super().__init__(queue)
        self._queue, self._background = queue, background
        self.estimate: BatchEstimate | None = None
        self.problem: InvalidRequest | None = None
        """Why nothing can be planned."""
        self.originals: frozenset[str] = frozenset()
        """Names, as `same_name` gives them, of what must never be written."""
        self._plan_number, self._plan_done = 0, 0
        self._planning = self._estimating = False
        self._expected_s, self._spent_s = 0.0, 0.0
        self._plan_soon = _timer(self, PLAN_PAUSE_MS, self._plan)
        self._estimate_soon = _timer(self, ESTIMATE_PAUSE_MS, self._estimate)

    @property
    def stale(self) -> bool:
        """Something changed since targets were planned; `targets_changed` follows."""
        return self._plan_done != self._plan_number

    def plan_later(self) -> None:
        """Rows or names changed."""
        self._plan_number += 1
        if not self._plan_soon.isActive():
            self._plan_soon.start()

    def estimate_later(self) -> None:
        """There is less to do, or its sizes are known."""
        if not self._estimate_soon.isActive():
            self._estimate_soon.start()

    def begin(self) -> None:
        """A run begins: its own pace is not known yet."""
        self._expected_s, self._spent_s = 0.0, 0.0

    def settings(self, row: BatchRow) -> tuple[RestoreSettings, PipelineSpec]:
        """Its own, or the batch's; raises InvalidRequest."""
        if row.recipe is None:
            spec = self._queue.form.spec
            if spec is None:
                raise InvalidRequest("no pipeline is known: connect to a daemon first", "UNKNOWN_PIPELINE")
            return self._queue.form.settings(), spec
        form = SettingsForm()
        form.take_pipelines(self._queue.form.pipelines, row.recipe.pipeline)
        form.take_recipe(row.recipe)
        if form.spec is None or form.spec.id != row.recipe.pipeline:
            raise InvalidRequest(
                f"the pipeline {row.recipe.pipeline} is not there any more: choose another",
                "UNKNOWN_PIPELINE",
            )
        return form.settings(), form.spec

    def expected_s(self, row: BatchRow) -> float | None:
        """What this picture takes; None: nobody knows."""
        if row.size is None:
            return None
        settings, spec = self.settings(row)
        return picture_s(
            row.size,
            Candidate(spec, settings, self._queue.speeds.rate(spec.id)),
            self._queue.speeds.file_rate,
        )

    def learn(self, row: BatchRow, order: BatchOrder, outcome: Outcome, seconds: float) -> None:
        """From a picture that is done."""
        result = outcome.result
        if result is None or row.size is None:
            return
        expected = self.expected_s(row)
        network_s = self._queue.speeds.learn_run(result.sent, result.restored, order.work.spec)
        loading_s = float(result.restored.report.get("stages_s", {}).get("load", 0.0))
        if network_s > 0:
            self._queue.speeds.learn_files(row.size.area + result.size.area, seconds - network_s - loading_s)
        if expected is not None:
            self._expected_s += expected
            self._spent_s += seconds - loading_s

    def _plan(self) -> None:
        """Where results go, asked of the disk on a worker thread; once at a time."""
        spec = self._queue.form.spec
        if self._planning:
            self._plan_soon.start()
        if self._planning or spec is None:
            return
        self._planning = True
        number, naming, scale = self._plan_number, self._queue.output.naming, self._queue.form.output_scale
        rows = [
            PlanRow(row.id, row.source, row.relative, row.target if row.result_bytes else None)
            for row in self._queue.rows
        ]
        self._background.run(
            lambda: plan(rows, naming, pipeline=spec.id, scale=scale),
            partial(self._take_plan, number),
            partial(self._not_planned, number),
        )

    def _take_plan(self, number: int, planned: Planned) -> None:
        self._planning = False
        self._plan_done = number
        self.originals = planned.originals
        self.problem = planned.problem
        for row in self._queue.rows:
            if row.state is RowState.WAITING and row.id in planned.targets:
                row.target, row.exists = planned.targets[row.id]
        self.planned.emit()
        self._estimate()
        self.targets_changed.emit()

    def _not_planned(self, number: int, error: SafelightError) -> None:
        self._planning = False
        self._plan_done = number
        self.failed.emit(error)

    def _estimate(self) -> None:
        """Of what still waits; once at a time."""
        spec = self._queue.form.spec
        if self._estimating or spec is None:
            if spec is not None:
                self.estimate_later()
            return
        try:
            chosen = Candidate(spec, self._queue.form.settings(), self._queue.speeds.rate(spec.id))
        except InvalidRequest as error:
            self.problem, self.estimate = error, None
            self.planned.emit()
            return
        self._estimating = True
        pictures, others = self._to_restore(), self._candidates(spec)
        file_rate, pace = self._queue.speeds.file_rate, self._pace
        self._background.run(
            lambda: estimated_batch(kinds_of(pictures), chosen, others, file_rate, pace),
            self._take_estimate,
            self._not_estimated,
        )

    def _take_estimate(self, estimate: BatchEstimate | None) -> None:
        self._estimating = False
        self.estimate = estimate
        self.planned.emit()

    def _not_estimated(self, error: SafelightError) -> None:
        self._take_estimate(None)

    def _to_restore(self) -> list[tuple[Size, int, Path]]:
        """Size, bytes of a pixel and target of those that wait and will not be skipped."""
        skips = self._queue.output.existing == "skip"
        return [
            (row.size, row.pixel_bytes, row.target)
            for row in self._queue.rows
            if row.state is RowState.WAITING
            and row.size is not None
            and row.target is not None
            and not (skips and row.exists and not row.result_bytes)
            and (not self._queue.only or row.id in self._queue.only)
        ]

    @property
    def _pace(self) -> float:
        """How much longer this run's pictures took than was said."""
        if self._expected_s <= 0 or self._spent_s <= 0:
            return 1.0
        return min(max(self._spent_s / self._expected_s, PACE_LEAST), PACE_MOST)

    def _candidates(self, chosen: PipelineSpec) -> list[Candidate]:
        """Other pipelines that could do the same."""
        found = []
        for installed in self._queue.form.pipelines:
            spec = installed.spec
            if not installed.installed or spec.id == chosen.id or spec.one_tile:
                continue
            if self._queue.form.output_scale in spec.output_scales:
                try:
                    settings = self._queue.form.settings_for(spec)
                except InvalidRequest:
                    continue
                found.append(Candidate(spec, settings, self._queue.speeds.rate(spec.id)))
        return found


def _timer(parent: BatchOutlook, pause_ms: int, does: Callable[[], None]) -> QTimer:
    timer = QTimer(parent)
    timer.setSingleShot(True)
    timer.setInterval(pause_ms)
    timer.timeout.connect(does)
    return timer
