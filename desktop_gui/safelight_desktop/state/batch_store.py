"""The batch on disk: SQLite in WAL mode, every change a transaction of its own.

Each call blocks for as long as the disk takes; all of them come from one worker thread. Paths are kept as the bytes
that the system has, so that no name is lost.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import Any

from safelight.geometry import Size
from safelight_desktop.state.batch_plan import recipe_as_text, recipe_of_text
from safelight_desktop.state.batch_rows import BatchRow, RowState, Verdict

VERSION = 1
WAIT_S = 5.0
MTIME_SLACK_S = 2.0  # FAT keeps two seconds
_SCHEMA = """
CREATE TABLE rows (
    id INTEGER PRIMARY KEY, place REAL NOT NULL, source BLOB NOT NULL, relative BLOB NOT NULL,
    state TEXT NOT NULL, width INTEGER, height INTEGER, pixel_bytes INTEGER NOT NULL, target BLOB,
    existed INTEGER NOT NULL, reason TEXT NOT NULL, message TEXT NOT NULL, started REAL NOT NULL,
    duration_s REAL NOT NULL, result_bytes INTEGER NOT NULL, recipe TEXT NOT NULL, verdict TEXT NOT NULL,
    set_aside BLOB, losses INTEGER NOT NULL
);
CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""
_COLUMNS = (
    "id", "place", "source", "relative", "state", "width", "height", "pixel_bytes", "target", "existed", "reason",
    "message", "started", "duration_s", "result_bytes", "recipe", "verdict", "set_aside", "losses",
)  # fmt: skip
_PUT = f"INSERT OR REPLACE INTO rows ({', '.join(_COLUMNS)}) VALUES ({', '.join('?' * len(_COLUMNS))})"


@dataclass(frozen=True)
class Stored:
    """What an earlier session left."""

    rows: list[BatchRow] = field(default_factory=list)
    """In order; none of them runs."""
    facts: Mapping[str, str] = field(default_factory=dict)
    damaged: Path | None = None
    """A file that could not be read lies here now."""


class BatchStore:
    """One file. Every method belongs to one thread, the same for all."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: sqlite3.Connection | None = None

    def load(self) -> Stored:
        """Opens or makes the file. A row that ran is done when its result was written meanwhile, else it waits."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        try:
            return self._read()
        except sqlite3.DatabaseError:
            self.close()
            aside = self.path.with_name(f"{self.path.stem}-damaged-{int(time.time())}{self.path.suffix}")
            self.path.replace(aside)
            for more in ("-wal", "-shm"):
                self.path.with_name(self.path.name + more).unlink(missing_ok=True)
            read = self._read()
            return Stored(read.rows, read.facts, aside)

    def _read(self) -> Stored:
        self._file = file = sqlite3.connect(self.path, timeout=WAIT_S, isolation_level=None)
        file.execute("PRAGMA journal_mode=WAL")
        file.execute("PRAGMA synchronous=FULL")
        (version,) = file.execute("PRAGMA user_version").fetchone()
        if version == 0:
            file.executescript(f"BEGIN; {_SCHEMA} PRAGMA user_version={VERSION}; COMMIT;")
        elif version != VERSION:
            raise sqlite3.DatabaseError(f"version {version}")
        os.chmod(self.path, 0o600)
        rows = [_row(v) for v in file.execute(f"SELECT {', '.join(_COLUMNS)} FROM rows ORDER BY place, id")]
        facts = {str(name): str(value) for name, value in file.execute("SELECT name, value FROM facts")}
        interrupted = [row for row in rows if row.state is RowState.RUNNING]
        for row in interrupted:
            _settle(row)
        self.put(interrupted)
        return Stored(rows, facts)

    def put(self, rows: Sequence[BatchRow]) -> None:
        """New ones, or in place of those with their ids; all or none."""
        self._together(_PUT, [_values(row) for row in rows])

    def remove(self, ids: Iterable[int]) -> None:
        self._together("DELETE FROM rows WHERE id = ?", [(number,) for number in ids])

    def set_fact(self, name: str, value: str) -> None:
        self._together("INSERT OR REPLACE INTO facts VALUES (?, ?)", [(name, value)])

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
        self._file = None

    def _together(self, statement: str, values: list[Any]) -> None:
        if self._file is None or not values:
            return
        self._file.execute("BEGIN IMMEDIATE")
        try:
            self._file.executemany(statement, values)
            self._file.execute("COMMIT")
        except BaseException:
            with suppress(sqlite3.Error):
                self._file.execute("ROLLBACK")
            raise


def _settle(row: BatchRow) -> None:
    """It ran when the app was killed. Results appear whole or not at all, so one that is newer is its own."""
    row.state = RowState.WAITING
    try:
        written = row.target.stat() if row.target is not None else None
    except OSError:
        return
    if written is not None and not row.exists and written.st_mtime >= row.started - MTIME_SLACK_S:
        row.state, row.exists, row.result_bytes = RowState.DONE, True, written.st_size


def _values(row: BatchRow) -> tuple[object, ...]:
    width, height = row.size if row.size is not None else (None, None)
    return (
        row.id, row.place, os.fsencode(row.source), os.fsencode(row.relative), row.state.value, width, height,
        row.pixel_bytes, _bytes(row.target), int(row.exists), row.reason, row.message, row.started,
        row.duration_s, row.result_bytes, recipe_as_text(row.recipe), row.verdict.value, _bytes(row.set_aside),
        row.losses,
    )  # fmt: skip


def _row(values: tuple[Any, ...]) -> BatchRow:
    found = dict(zip(_COLUMNS, values, strict=True))
    size = Size(found["width"], found["height"]) if found["width"] else None
    return BatchRow(
        found["id"], _path(found["source"]), PurePath(os.fsdecode(found["relative"])), found["place"],
        RowState(found["state"]), size, found["pixel_bytes"],
        _path(found["target"]) if found["target"] else None, bool(found["existed"]), found["reason"],
        found["message"], found["started"], found["duration_s"], found["result_bytes"],
        recipe_of_text(found["recipe"]), Verdict(found["verdict"]),
        _path(found["set_aside"]) if found["set_aside"] else None, found["losses"],
    )  # fmt: skip


def _bytes(path: Path | None) -> bytes | None:
    return None if path is None else os.fsencode(path)


def _path(found: bytes) -> Path:
    return Path(os.fsdecode(found))
