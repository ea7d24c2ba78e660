"""One picture of the batch: from its file to its result's file on a thread of its own, told by signals."""

from __future__ import annotations

import threading
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from PySide6.QtCore import QObject, Signal

from safelight.client.files import FileResult, FileWork, restore_file
from safelight.client.restoration import RestorationClient
from safelight.errors import OutputFileError, SafelightError
from safelight.imaging.files import check_output, open_picture
from safelight.imaging.record import read_operations
from safelight.imaging.xmp import XmpDamaged
from safelight_desktop.rpc.background import as_told
from safelight_desktop.rpc.restoring import Progress, told_progress


@dataclass(frozen=True)
class BatchOrder:
    """What is done to one picture."""

    source: Path
    work: FileWork
    existing: Literal["skip", "replace", "number"]
    own_bytes: int
    """Size of this very picture's earlier result under the target's name, which may be replaced as long as nobody
    else has changed it; 0: it has none."""
    originals: frozenset[str]
    """Names, as `same_name` gives them, of what must never be written."""


@dataclass(frozen=True)
class Outcome:
    """How it ended where nothing went wrong."""

    target: Path
    result: FileResult | None
    """None: the result was there already."""
    result_bytes: int


class BatchCall(QObject):
    """Runs when started; lives on the thread that made it. Exactly one of `finished` and `failed` comes."""

    progressed = Signal(Progress)
    finished = Signal(Outcome)
    failed = Signal(SafelightError)

    def __init__(self, client: RestorationClient, order: BatchOrder, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._client, self.order = client, order
        self._cancelling = threading.Event()
        self._thread = threading.Thread(target=self._run, name="batch", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def cancel(self) -> None:
        """`failed` follows with Cancelled, or `finished` where the result was being written."""
        self._cancelling.set()

    def wait(self, timeout_s: float) -> None:
        """Until the thread is over; for closing the app."""
        self._thread.join(timeout_s)

    def _run(self) -> None:
        try:
            outcome = self._restored()
        except Exception as error:  # outermost loop of a thread
            told = as_told(error)
            with suppress(RuntimeError):  # Qt's half is gone: the app has ended meanwhile
                self.failed.emit(told)
        else:
            with suppress(RuntimeError):
                self.finished.emit(outcome)

    def _restored(self) -> Outcome:
        order = self.order
        target = free_target(order)
        if target is None:
            there = order.work.target
            return Outcome(there, None, there.stat().st_size)
        picture = open_picture(order.source)
        _make_folder(target.parent)
        check_output(target, picture.format)
        result = restore_file(
            picture,
            replace(order.work, target=target),
            self._client,
            on_progress=lambda told: self.progressed.emit(told_progress(told)),
            before_write=lambda: _refuse(order, target),
            cancelling=self._cancelling,
        )
        return Outcome(target, result, target.stat().st_size)


def free_target(order: BatchOrder) -> Path | None:
    """Where the result may be written; None where it is there already and the picture is to be skipped. Blocks.
    Raises OutputFileError (OUTPUT_IS_INPUT, OUTPUT_NOT_OURS) rather than replace what Safelight did not make."""
    target = order.work.target
    if order.existing == "number":
        number = 2
        while same_name(target) in order.originals or (target.exists() and not _own(order, target)):
            target = order.work.target.with_name(
                f"{order.work.target.stem}-{number}{order.work.target.suffix}"
            )
            number += 1
        return target
    if target.exists() and not _own(order, target) and order.existing == "skip":
        return None
    _refuse(order, target)
    return target


def _refuse(order: BatchOrder, target: Path) -> None:
    """Again just before the file is written: somebody may have put one there meanwhile."""
    if same_name(target) in order.originals or (target.exists() and target.samefile(order.source)):
        raise OutputFileError(
            f"{target} is an original: choose another name or folder, originals are never overwritten",
            "OUTPUT_IS_INPUT",
        )
    replaceable = _own(order, target) or (order.existing == "replace" and made_here(target))
    if target.exists() and not replaceable:
        raise OutputFileError(
            f"{target} is there and no result of Safelight: it is not replaced, choose another name or folder",
            "OUTPUT_NOT_OURS",
        )


def _own(order: BatchOrder, target: Path) -> bool:
    try:
        size = target.stat().st_size
    except OSError:
        return False
    return target == order.work.target and size == order.own_bytes > 0


def made_here(path: Path) -> bool:
    """Whether the file says itself that Safelight wrote it."""
    try:
        return bool(read_operations(open_picture(path).metadata.xmp))
    except (SafelightError, XmpDamaged):
        return False


def same_name(path: Path) -> str:
    """Equal for two names of one file, also where it is not there yet. Looks into folders: blocks."""
    try:
        return str(path.resolve()).casefold()
    except (OSError, RuntimeError):
        return str(path.absolute()).casefold()


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputFileError(
            f"the folder {folder} cannot be made ({error.strerror}): choose another", "FOLDER_NOT_WRITABLE"
        ) from None
