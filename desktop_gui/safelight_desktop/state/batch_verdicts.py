"""What a person thinks of results, and what that does to their files."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from safelight.errors import SafelightError
from safelight_desktop.rpc.background import Background
from safelight_desktop.state.batch_files import restore_set_aside, set_aside
from safelight_desktop.state.batch_rows import BatchRow, RowState, Verdict

if TYPE_CHECKING:
    from safelight_desktop.state.batch import BatchQueue


class BatchVerdicts(QObject):
    """Of one queue's rows. `disk` moves files, one after the other."""

    def __init__(self, queue: BatchQueue, disk: Background) -> None:
        super().__init__(queue)
        self._queue, self._disk = queue, disk

    def accept(self, rows: Iterable[BatchRow]) -> None:
        """A rejected result comes back to its place."""
        for row in rows:
            if row.result is not None and row.verdict is not Verdict.ACCEPTED:
                self._judge(row, Verdict.ACCEPTED)

    def reject(self, rows: Iterable[BatchRow]) -> None:
        """The result is set aside into a folder beside it; the original is not touched."""
        for row in rows:
            if row.state is RowState.DONE and row.verdict is not Verdict.REJECTED:
                self._judge(row, Verdict.REJECTED)

    def unjudge(self, rows: Iterable[BatchRow]) -> None:
        for row in rows:
            if row.verdict is not Verdict.OPEN:
                self._judge(row, Verdict.OPEN)

    def _judge(self, row: BatchRow, verdict: Verdict) -> None:
        row.verdict = verdict
        aside, target = row.set_aside, row.target
        move: Callable[[], Path] | None = None
        if verdict is Verdict.REJECTED and aside is None and target is not None:
            move = partial(set_aside, target)
        elif verdict is not Verdict.REJECTED and aside is not None and target is not None:
            move = partial(restore_set_aside, aside, target)
        if move is not None:
            self._disk.run(
                move, partial(self._moved, row, verdict), partial(self._not_moved, row, row.verdict)
            )
        self._queue.keep(row)

    def _moved(self, row: BatchRow, verdict: Verdict, now: Path) -> None:
        if verdict is Verdict.REJECTED:
            row.set_aside = now
        else:
            row.set_aside, row.target = None, now
        self._queue.keep(row)

    def _not_moved(self, row: BatchRow, verdict: Verdict, error: SafelightError) -> None:
        if row.verdict is verdict:
            row.verdict = Verdict.OPEN
        self._queue.keep(row)
        self._queue.failed.emit(error)
