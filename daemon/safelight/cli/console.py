"""What the commands say: people read stderr, results and JSON lines go to stdout."""

from __future__ import annotations

import json
import os
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console as RichConsole
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from safelight.errors import SafelightError

TRACEBACK_VARIABLE = "SAFELIGHT_TRACEBACK"  # for developers: set it to see where a fault came from


class Console:
    """`json_lines`: one JSON object per line on stdout instead of sentences and bars."""

    def __init__(self, *, json_lines: bool = False) -> None:
        self.json_lines = json_lines
        self._err = RichConsole(stderr=True, highlight=False, soft_wrap=True)
        self._out = RichConsole(highlight=False, soft_wrap=True)

    def say(self, text: str) -> None:
        """A line for people; silent with JSON lines."""
        if not self.json_lines:
            self._err.print(text, markup=False)

    def result(self, text: str) -> None:
        """A line of the result itself, on stdout."""
        if not self.json_lines:
            self._out.print(text, markup=False)

    def table(self, renderable: Any) -> None:
        if not self.json_lines:
            self._out.print(renderable)

    def event(self, name: str, /, **values: object) -> None:
        """A JSON line; silent without JSON lines."""
        if self.json_lines:
            sys.stdout.write(json.dumps({"event": name, **values}) + "\n")
            sys.stdout.flush()

    def error(self, error: SafelightError, *, file: str = "") -> None:
        """The clear sentence, as the last line on stderr."""
        self.event("error", reason=error.reason, message=error.message, file=file, details=error.details)
        prefix = f"safelight: {file}: " if file else "safelight: "
        self._err.print(prefix + error.message, markup=False)

    def fault(self, error: Exception) -> None:
        """Our bug."""
        if os.environ.get(TRACEBACK_VARIABLE):
            traceback.print_exception(error)
        sentence = (
            f"something went wrong that should not ({type(error).__name__}: {str(error)[:200]}): please report it; "
            f"set {TRACEBACK_VARIABLE}=1 to see where"
        )
        self.event("error", reason="INTERNAL", message=sentence, file="", details={})
        self._err.print(f"safelight: {sentence}", markup=False)

    @contextmanager
    def progress(self, title: str) -> Iterator[ProgressBar]:
        """A bar on a terminal, JSON lines with JSON lines, nothing otherwise."""
        if self.json_lines or not self._err.is_terminal:
            yield ProgressBar(self, None, title)
            return
        columns = (
            TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn(),
        )  # fmt: skip
        with Progress(*columns, console=self._err, transient=True) as bar:
            yield ProgressBar(self, bar, title)


class ProgressBar:
    """One job's progress."""

    def __init__(self, console: Console, bar: Progress | None, title: str) -> None:
        self._console, self._bar, self._title = console, bar, title
        self._row = bar.add_task(title, total=1.0) if bar is not None else None

    def show(
        self,
        *,
        stage: str,
        fraction: float,
        tiles_done: int,
        tiles: int,
        eta_s: float,
        step: int = 0,
        steps: int = 0,
    ) -> None:
        """`step` counts from 1 in stages that take several, 0 elsewhere."""
        self._console.event(
            "progress", stage=stage, fraction=round(fraction, 4), tiles_done=tiles_done, tiles=tiles,
            step=step, steps=steps, eta_s=round(eta_s, 2) if eta_s >= 0 else None,
        )  # fmt: skip
        if self._bar is not None and self._row is not None:
            step_text = f" step {step}/{steps}" if steps > 1 else ""
            tile_text = f" tile {tiles_done}/{tiles}" if tiles else ""
            self._bar.update(
                self._row, completed=fraction, description=f"{self._title}: {stage}{step_text}{tile_text}"
            )

    def show_bytes(self, *, stage: str, done_bytes: int, total_bytes: int, file: str) -> None:
        """Of a download or copy; `total_bytes` 0 where it is not known."""
        self._console.event(
            "progress", stage=stage, done_bytes=done_bytes, total_bytes=total_bytes, file=file
        )
        if self._bar is not None and self._row is not None:
            fraction = min(done_bytes / total_bytes, 1.0) if total_bytes else 0.0
            self._bar.update(
                self._row, completed=fraction, description=f"{self._title}: {stage} {file}".rstrip()
            )
