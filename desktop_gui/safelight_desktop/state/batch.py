"""The batch: pictures that are restored one after the other, through crashes and restarts."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Sequence
from copy import copy
from dataclasses import dataclass
from enum import Enum
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QLockFile, QObject, QTimer, Signal

from safelight.client.files import FileWork
from safelight.client.restoration import RestorationClient
from safelight.errors import (
    Cancelled,
    InvalidRequest,
    NotReady,
    SafelightError,
    Unauthenticated,
    Unavailable,
)
from safelight.settings import WHOLE_PICTURE_SCALE
from safelight_desktop.rpc.background import Background
from safelight_desktop.rpc.batch import BatchCall, BatchOrder, Outcome
from safelight_desktop.rpc.link import DaemonLink, Greeting
from safelight_desktop.rpc.restoring import Progress
from safelight_desktop.state.batch_estimate import BatchEstimate, spread
from safelight_desktop.state.batch_outlook import BatchOutlook
from safelight_desktop.state.batch_plan import (
    Output,
    output_as_text,
    output_of_text,
    recipe_as_text,
    recipe_of_text,
)
from safelight_desktop.state.batch_rows import BatchRow, RowState, Verdict
from safelight_desktop.state.batch_sources import Gathered, Looked, gather, look
from safelight_desktop.state.batch_store import BatchStore, Stored
from safelight_desktop.state.batch_verdicts import BatchVerdicts
from safelight_desktop.state.estimate import Speeds
from safelight_desktop.state.form_owner import FormOwner
from safelight_desktop.state.power import Power
from safelight_desktop.state.settings_form import Recipe

LOOK_AT_ONCE = 24  # headers in one go: a hundredth of a second each on a slow disk
LOSSES_MOST = 3  # a picture during which the daemon went away so often is left out
KEEP_FROM_S = 60.0
"""Of pictures that take longer the daemon keeps finished tiles, so that a pause does not cost them."""
BUSY_PAUSE_MS = 10_000  # before a daemon that has no room is asked again
CLOSE_WAIT_S = 2.0
FILE_NAME = "batch.sqlite"
_EVERY_ROW = frozenset(
    {"DISK_FULL", "UNKNOWN_PIPELINE", "UNKNOWN_SETTING", "SETTING_OUT_OF_RANGE", "SCALE_NOT_OFFERED"}
)
"""Reasons that the next picture would meet as well."""
_BUSY = frozenset({"QUEUE_FULL", "TOO_MANY_STREAMS", "DEVICE_BUSY"})


class BatchState(Enum):
    """What the batch does."""

    EMPTY = "empty"
    READY = "ready"
    RUNNING = "running"
    PAUSED = "paused"
    ON_BATTERY = "on battery"
    NO_DAEMON = "no daemon"
    OVER = "over"
    ELSEWHERE = "elsewhere"
    """Another window of Safelight has it."""


@dataclass(frozen=True)
class Summary:
    """Of one run, when it ends by itself."""

    done: int
    skipped: int
    failed: int
    trial: bool
    seconds: float


class BatchQueue(FormOwner):
    """Lives on the thread of the event loop. What it says to the disk and the daemon never waits there."""

    rows_changed = Signal()
    """Their number or order."""
    row_changed = Signal(BatchRow)
    state_changed = Signal()
    targets_changed = Signal()
    """Of many rows."""
    planned = Signal()
    """The estimate is new, or what is wrong."""
    output_changed = Signal()
    ended = Signal(Summary)
    noted = Signal(str, int)
    """Something a person might not expect: `known`, `damaged`, with a count."""

    def __init__(
        self,
        link: DaemonLink,
        background: Background,
        speeds: Speeds,
        folder: Path,
        power: Power,
        parent: QObject | None = None,
    ) -> None:
        """`folder` is where the batch is kept between sessions."""
        super().__init__(parent)
        self.link, self.speeds, self.power = link, speeds, power
        self._background = background
        self._disk = Background(self, threads=1)
        """One thread: what is written comes in order, and the store belongs to it."""
        self._store = BatchStore(folder / FILE_NAME)
        self._lock = QLockFile(str(folder / "batch.lock"))
        self._lock.setStaleLockTime(0)
        self.form.choose_scale(WHOLE_PICTURE_SCALE)
        self.output = Output()
        self.rows: list[BatchRow] = []
        self.running = False
        """A person wants it to run; see `state` for whether it does."""
        self.on_battery_too = False
        """A person said so, until the plug is in again."""
        self.only: frozenset[int] = frozenset()
        """Rows that are to be restored now; empty: all."""
        self.trial = False
        self.loaded = False
        self._closed = False
        self.elsewhere = False
        self.started = 0.0
        """Of this run, as time.monotonic has it."""
        self._call: BatchCall | None = None
        self._call_row: BatchRow | None = None
        self._next_id = 1
        self._adding = 0
        self._before_load: list[Path] = []
        self._looking = False
        self._counts = Counter[RowState]()
        self._ended: list[RowState] = []
        self.outlook = BatchOutlook(self, background)
        self.verdicts = BatchVerdicts(self, self._disk)
        self.outlook.targets_changed.connect(self._targets_planned)
        self.outlook.planned.connect(self.planned)
        self.outlook.failed.connect(self._stop)
        self._disk.failed.connect(self.failed)
        link.greeted.connect(self._greeted)
        link.state_changed.connect(lambda _: self.state_changed.emit())
        power.changed.connect(self._power_changed)
        self.form.pipeline_changed.connect(self._form_changed)
        self.form.values_changed.connect(lambda _: self._form_changed())

    # -- what is there --------------------------------------------------------------------------------

    def load(self) -> None:
        """What an earlier session left; it goes on by itself where it ran then."""
        self._disk.run(self._open, self._opened)

    def _open(self) -> Stored | None:
        self._store.path.parent.mkdir(parents=True, exist_ok=True)
        return self._store.load() if self._lock.tryLock(0) else None

    def _opened(self, stored: Stored | None) -> None:
        self.loaded = True
        if stored is None:
            self.elsewhere = True
            self.state_changed.emit()
            return
        if self._before_load:
            QTimer.singleShot(0, lambda: self.add(self._before_load))
        if stored.damaged is not None:
            self.noted.emit("damaged", 0)
        facts = stored.facts
        self.rows = stored.rows
        self._next_id = max((row.id for row in self.rows), default=0) + 1
        self.output = output_of_text(facts.get("output", ""))
        recipe = recipe_of_text(facts.get("recipe", ""))
        if recipe is not None:
            self.form.take_recipe(recipe)
        self.trial = facts.get("trial") == "1"
        self.only = frozenset(int(n) for n in facts.get("only", "").split(",") if n.isdigit())
        self._changed_rows()
        self.output_changed.emit()
        self._look_on()
        if facts.get("running") == "1" and self._waiting():
            self.start(only=self.only, trial=self.trial)
        else:
            self.only, self.trial = frozenset(), False

    @property
    def state(self) -> BatchState:
        if self.elsewhere:
            return BatchState.ELSEWHERE
        if not self.rows:
            return BatchState.EMPTY
        if self.running:
            if self._on_hold():
                return BatchState.ON_BATTERY
            return BatchState.RUNNING if self.link.client is not None else BatchState.NO_DAEMON
        if not self.count(RowState.WAITING):
            return BatchState.OVER
        return BatchState.PAUSED if self.count(RowState.DONE) or self.started else BatchState.READY

    @property
    def busy(self) -> bool:
        """Folders or files are being looked at."""
        return self._adding > 0 or self._looking or not self.loaded

    @property
    def estimate(self) -> BatchEstimate | None:
        """Of all that waits."""
        return self.outlook.estimate

    @property
    def problem(self) -> InvalidRequest | None:
        """Why nothing can be started as it is set."""
        return self.outlook.problem

    @property
    def current(self) -> BatchRow | None:
        """The picture that is being restored."""
        return self._call_row

    def count(self, state: RowState) -> int:
        return self._counts[state]

    @property
    def remaining_s(self) -> float | None:
        """Until nothing waits any more; None: nobody knows."""
        if self.estimate is None or self.estimate.duration_s is None:
            return None
        return self.estimate.duration_s

    # -- pictures come and go -------------------------------------------------------------------------

    def add(self, paths: Sequence[Path]) -> None:
        """Pictures and folders; `rows_changed` follows, or `failed`."""
        if not self.loaded:
            self._before_load += paths
        if self.elsewhere or not self.loaded:
            return
        self._adding += 1
        self.state_changed.emit()
        known = [path for row in self.rows for path in (row.source, row.result) if path is not None]
        naming, spec = self.output.naming, self.form.spec
        pipeline = spec.id if spec is not None else ""
        scale = self.form.output_scale
        self._background.run(
            lambda: gather(paths, naming, pipeline, scale, known), self._gathered, self._not_gathered
        )

    def _gathered(self, gathered: Gathered) -> None:
        self._adding -= 1
        place = max((row.place for row in self.rows), default=0.0)
        known = {row.source for row in self.rows}
        fresh = [
            BatchRow(self._next_id + n, source.path, source.relative, place + 1 + n)
            for n, source in enumerate(s for s in gathered.sources if s.path not in known)
        ]
        self._next_id += len(fresh)
        self.rows += fresh
        if gathered.known:
            self.noted.emit("known", gathered.known)
        self._save(fresh)
        self._changed_rows()
        self._look_on()

    def _not_gathered(self, error: SafelightError) -> None:
        self._adding -= 1
        self.state_changed.emit()
        self.failed.emit(error)

    def _look_on(self) -> None:
        """Reads the headers of pictures that nobody has looked at, a few at a time."""
        if self._looking:
            return
        unseen = [r for r in self.rows if r.size is None and r.state is RowState.WAITING][:LOOK_AT_ONCE]
        if unseen:
            self._looking = True
            paths = [row.source for row in unseen]
            self._background.run(lambda: look(paths), partial(self._looked, unseen))
        else:
            self.state_changed.emit()

    def _looked(self, rows: list[BatchRow], found: list[Looked]) -> None:
        self._looking = False
        for row, looked in zip(rows, found, strict=True):
            if row.state is not RowState.WAITING:
                continue
            row.size, row.pixel_bytes = looked.size, looked.pixel_bytes
            if looked.error is not None:
                self._set(row, RowState.FAILED, looked.error)
            self.row_changed.emit(row)
        self._save(rows)
        self.outlook.estimate_later()
        self._advance()
        self._look_on()

    def remove(self, rows: Iterable[BatchRow]) -> None:
        """From the list; no file is touched. One that runs is cancelled."""
        gone = list(rows)
        if self._call_row in gone and self._call is not None:
            self._call.cancel()
        ids = {row.id for row in gone}
        self.rows = [row for row in self.rows if row.id not in ids]
        self._disk.run(lambda: self._store.remove(ids), _nothing)
        self._changed_rows()

    def clear_finished(self) -> None:
        self.remove([r for r in self.rows if r.state in (RowState.DONE, RowState.SKIPPED)])

    def move(self, rows: Sequence[BatchRow], to: int) -> None:
        """So that they stand together before the row that is at `to` now."""
        ids, places = {row.id for row in rows}, [row.place for row in self.rows]
        before = [row for row in self.rows[:to] if row.id not in ids]
        after = [row for row in self.rows[to:] if row.id not in ids]
        self.rows = [*before, *(row for row in self.rows if row.id in ids), *after]
        changed = [(row, place) for row, place in zip(self.rows, places, strict=True) if row.place != place]
        for row, place in changed:
            row.place = place
        self._save([row for row, _ in changed])
        self.rows_changed.emit()

    def move_by(self, rows: Sequence[BatchRow], by: int) -> None:
        """A place up (-1) or down (1); the list's ends hold."""
        ids = {row.id for row in rows}
        places = [at for at, row in enumerate(self.rows) if row.id in ids]
        if places:
            self.move(rows, max(0, places[0] - 1) if by < 0 else min(len(self.rows), places[-1] + 2))

    # -- how ------------------------------------------------------------------------------------------

    def set_output(self, output: Output) -> None:
        """Where results go and what they are called; for pictures that still wait."""
        if output != self.output:
            self.output = output
            self._keep_fact("output", output_as_text(output))
            self.output_changed.emit()
            self.outlook.plan_later()

    def _form_changed(self) -> None:
        self._keep_fact("recipe", recipe_as_text(self.form.recipe()))
        self.outlook.plan_later()

    def _greeted(self, greeting: Greeting) -> None:
        self.form.take_pipelines(greeting.pipelines, greeting.default_pipeline)
        self._advance()

    # -- running --------------------------------------------------------------------------------------

    def start(self, *, only: Iterable[int] = (), trial: bool = False) -> None:
        """Restores what waits; `only` these, or all."""
        if self.elsewhere or self.running:
            return
        self.only, self.trial = frozenset(only), trial
        self.running, self.started = True, time.monotonic()
        self.outlook.begin()
        self._ended = []
        self.power.watch(True)
        self._keep_running()
        if self.link.client is None:
            self.link.connect_now()
        self.state_changed.emit()
        self._advance()

    def start_trial(self) -> None:
        """Five pictures spread over those that wait."""
        waiting = self._waiting()
        self.start(only=[waiting[at].id for at in spread(len(waiting))], trial=True)

    def pause(self) -> None:
        """Now: the picture that runs waits again."""
        self.running = False
        self.power.watch(False)
        self._keep_running()
        if self._call is not None:
            self._call.cancel()
        self.state_changed.emit()

    def run_on_battery(self) -> None:
        """Until the plug is in again."""
        self.on_battery_too = True
        self.state_changed.emit()
        self._advance()

    def retry(self, rows: Iterable[BatchRow]) -> None:
        """Failed and skipped ones wait again."""
        again = [r for r in rows if r.state in (RowState.FAILED, RowState.SKIPPED)]
        for row in again:
            row.losses = 0
            self._set(row, RowState.WAITING)
            self.row_changed.emit(row)
        self._save(again)
        self._counted()
        self._look_on()
        self.outlook.plan_later()

    def redo(self, rows: Iterable[BatchRow], recipe: Recipe) -> None:
        """Restores them again, otherwise, and at once where nothing runs. The result they have stays until the new
        one is there."""
        again = [r for r in rows if r.state not in (RowState.WAITING, RowState.RUNNING)]
        for row in again:
            row.recipe, row.verdict = recipe, Verdict.OPEN
            self._set(row, RowState.WAITING)
            self.row_changed.emit(row)
        self._save(again)
        self._counted()
        self.outlook.plan_later()
        ids = frozenset(row.id for row in again)
        if not self.running:
            self.start(only=ids)
        elif self.only:
            self.only |= ids
            self._keep_running()

    def close(self) -> None:
        """What runs is cancelled. On the disk it still runs, so that the next session goes on with it, or finds its
        result where that was just being written."""
        if self._closed:
            return
        self._closed = True
        self.running = False
        self.blockSignals(True)
        self.power.watch(False)
        if self._call is not None:
            self._call.cancel()
            self._call.wait(CLOSE_WAIT_S)
        self._disk.run(self._store.close, _nothing)
        self._disk.drain(CLOSE_WAIT_S)
        self._disk.close()
        self._lock.unlock()

    def _waiting(self) -> list[BatchRow]:
        return [row for row in self.rows if row.state is RowState.WAITING]

    def _on_hold(self) -> bool:
        return self.power.on_battery and not self.on_battery_too

    def _advance(self) -> None:
        """Starts the next picture where nothing is in its way."""
        client = self.link.client
        if not self.running or self._call is not None or client is None or self._on_hold():
            return
        if self._adding or self.outlook.stale:
            return  # `_targets_planned` comes by here again
        row = next((r for r in self._waiting() if not self.only or r.id in self.only), None)
        if row is None:
            if not self._looking:
                self._end()
            return
        if self.problem is not None and row.recipe is None:
            self._stop(self.problem)
            return
        if row.size is None:
            return  # `_looked` comes by here again
        try:
            order = self._order(row)
        except InvalidRequest as error:
            self._stop(error)
            return
        self._run(row, client, order)

    def _run(self, row: BatchRow, client: RestorationClient, order: BatchOrder) -> None:
        row.started, row.progress, row.reason, row.message = time.time(), None, "", ""
        self._set(row, RowState.RUNNING)
        self._save([row])
        self._call_row = row
        self._call = call = BatchCall(client, order, self)
        call.progressed.connect(partial(self._progressed, row))
        call.finished.connect(partial(self._finished, row, order))
        call.failed.connect(partial(self._row_failed, row))
        self.row_changed.emit(row)
        self.state_changed.emit()
        call.start()

    def _order(self, row: BatchRow) -> BatchOrder:
        settings, spec = self.outlook.settings(row)
        if row.target is None:
            raise RuntimeError(f"row {row.id} has no target")
        expected = self.outlook.expected_s(row)
        work = FileWork(
            row.target,
            spec,
            settings,
            policy=self.output.policy,
            record=self.output.record,
            batch=True,
            keep=True if expected is not None and expected > KEEP_FROM_S else None,
        )
        own_bytes = row.result_bytes if row.set_aside is None else 0
        return BatchOrder(row.source, work, self.output.existing, own_bytes, self.outlook.originals)

    def _progressed(self, row: BatchRow, progress: Progress) -> None:
        if row is self._call_row:
            row.progress = progress
            self.row_changed.emit(row)

    def _finished(self, row: BatchRow, order: BatchOrder, outcome: Outcome) -> None:
        row.target, row.exists, row.losses = outcome.target, True, 0
        if outcome.result is None:
            self._over(row, RowState.SKIPPED)
            return
        row.duration_s = seconds = time.time() - row.started
        row.result_bytes, row.set_aside = outcome.result_bytes, None
        self.outlook.learn(row, order, outcome, seconds)
        self._over(row, RowState.DONE)

    def _row_failed(self, row: BatchRow, error: SafelightError) -> None:
        if isinstance(error, Cancelled):
            self._over(row, RowState.WAITING)
            return
        if error.reason in _BUSY:
            self._over(row, RowState.WAITING, advance=False)
            QTimer.singleShot(BUSY_PAUSE_MS, self._advance)
            return
        if isinstance(error, Unavailable):
            row.losses += 1
            self.link.notice(error)
            if row.losses < LOSSES_MOST:
                self._over(row, RowState.WAITING)
                return
        elif isinstance(error, NotReady | Unauthenticated) or error.reason in _EVERY_ROW:
            self._over(row, RowState.WAITING, advance=False)
            self._stop(error)
            return
        self._over(row, RowState.FAILED, error)

    def _over(
        self, row: BatchRow, state: RowState, error: SafelightError | None = None, *, advance: bool = True
    ) -> None:
        call, self._call, self._call_row = self._call, None, None
        if call is not None:
            call.deleteLater()
        row.progress = None
        self._set(row, state, error)
        if state is not RowState.WAITING:
            self._ended.append(state)
        if row in self.rows:
            self._save([row])
        self.row_changed.emit(row)
        self.outlook.estimate_later()
        self.state_changed.emit()
        if advance:
            self._advance()

    def _end(self) -> None:
        self.running = False
        self.power.watch(False)
        ended = Counter(self._ended)
        summary = Summary(
            ended[RowState.DONE],
            ended[RowState.SKIPPED],
            ended[RowState.FAILED],
            self.trial,
            time.monotonic() - self.started,
        )
        self.only, self.trial = frozenset(), False
        self._keep_running()
        self.outlook.estimate_later()
        self.state_changed.emit()
        self.ended.emit(summary)

    def _stop(self, error: SafelightError) -> None:
        """The next picture would fail as well."""
        self.pause()
        self.failed.emit(error)

    def _power_changed(self) -> None:
        if not self.power.on_battery:
            self.on_battery_too = False
        if self._on_hold() and self._call is not None:
            self._call.cancel()
        self.state_changed.emit()
        self._advance()

    def _targets_planned(self) -> None:
        self.targets_changed.emit()
        self.state_changed.emit()
        self._advance()

    # -- keeping --------------------------------------------------------------------------------------

    def _set(self, row: BatchRow, state: RowState, error: SafelightError | None = None) -> None:
        row.state = state
        row.reason, row.message = (error.reason, error.message) if error is not None else ("", "")
        self._counted()

    def _counted(self) -> None:
        self._counts = Counter(row.state for row in self.rows)

    def _changed_rows(self) -> None:
        self._counted()
        self.rows_changed.emit()
        self.state_changed.emit()
        self.outlook.plan_later()

    def keep(self, row: BatchRow) -> None:
        """It was changed: on the disk and for whoever shows it."""
        self._save([row])
        self.row_changed.emit(row)

    def _save(self, rows: Sequence[BatchRow]) -> None:
        copies = [copy(row) for row in rows]
        self._disk.run(lambda: self._store.put(copies), _nothing)

    def _keep_running(self) -> None:
        self._keep_fact("only", ",".join(map(str, sorted(self.only))))
        self._keep_fact("trial", "1" if self.trial else "0")
        self._keep_fact("running", "1" if self.running else "0")

    def _keep_fact(self, name: str, value: str) -> None:
        if self.loaded and not self.elsewhere:
            self._disk.run(lambda: self._store.set_fact(name, value), _nothing)


def _nothing(_: Any) -> None:
    """Nobody waits for it."""
