"""Work that is kept while it is done, so that neither a crash nor a closed window loses it.

Each picture that something was done to has a folder:

    project.json   as in a project file; a picture that has a file is named, not copied
    arrays/        masks, strength maps, renditions, pasted pictures
    lock           held by the window that works on it
    closed         there when that window was closed properly
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import threading
import uuid
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from PySide6.QtCore import QLockFile

from safelight.errors import InputFileError, OutputFileError
from safelight_desktop.state.blobs import FolderBlobs
from safelight_desktop.state.document import Document, load_document
from safelight_desktop.state.project import Project, from_json, to_json

KEPT_MOST = 8
_SUMMARY_BYTES_MOST = 65_536


@dataclass(frozen=True)
class Unfinished:
    """Work that can be gone on with."""

    folder: Path
    name: str
    """Of the picture."""
    path: str
    """Of its file; empty: it has none."""
    regions: int
    """Besides the whole picture."""
    renditions: int
    time: datetime
    crashed: bool
    """Its window ended without being closed."""


def found(root: Path) -> list[Unfinished]:
    """Newest first, without what a window works on now. More than KEPT_MOST are removed, the oldest first."""
    entries = [entry for folder in _folders(root) if (entry := _entry(folder)) is not None]
    entries.sort(key=lambda entry: entry.time, reverse=True)
    for entry in entries[KEPT_MOST:]:
        remove(entry)
    return entries[:KEPT_MOST]


def remove(entry: Unfinished) -> None:
    """It is not wanted any more."""
    shutil.rmtree(entry.folder, ignore_errors=True)


def _folders(root: Path) -> list[Path]:
    with contextlib.suppress(OSError):
        return [path for path in root.iterdir() if path.is_dir()]
    return []


def _entry(folder: Path) -> Unfinished | None:
    lock = _lock(folder)
    if not lock.tryLock(0):
        return None
    lock.unlock()
    try:
        told = json.loads((folder / "summary.json").read_bytes()[:_SUMMARY_BYTES_MOST])
        time = datetime.fromtimestamp((folder / "project.json").stat().st_mtime)
        return Unfinished(
            folder, str(told["name"]), str(told.get("path", "")), int(told["regions"]), int(told["renditions"]), time,
            not (folder / "closed").exists(),
        )  # fmt: skip
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _lock(folder: Path) -> QLockFile:
    lock = QLockFile(str(folder / "lock"))
    lock.setStaleLockTime(0)  # stale when its process is gone, however old it is
    return lock


class Keeper:
    """The folder of the picture that is open. Any thread may write; one at a time does."""

    def __init__(self, root: Path, entry: Unfinished | None = None) -> None:
        """`entry`: work that is gone on with."""
        self.folder = entry.folder if entry is not None else root / uuid.uuid4().hex
        self._blobs = FolderBlobs(self.folder / "arrays")
        self._lock: QLockFile | None = None
        self._writing = threading.Lock()
        self._written = entry is not None
        self._ended = False

    @property
    def written(self) -> bool:
        """Whether there is anything to go on with."""
        return self._written

    def read(self) -> Project:
        """What was kept. Raises InputFileError, also where the picture's file is another one now. Blocks."""
        try:
            text = (self.folder / "project.json").read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise InputFileError(
                f"the unfinished work in {self.folder} cannot be read ({error})", "UNFINISHED_UNREADABLE"
            ) from None
        self._hold()
        (self.folder / "closed").unlink(missing_ok=True)
        return from_json(text, self._blobs, load=_same_picture)

    def write(self, project: Project) -> None:
        """In one step. Raises OutputFileError. Blocks."""
        with self._writing:
            if self._ended:
                return
            try:
                self._write(project)
            except OSError as error:
                raise OutputFileError(
                    f"unfinished work cannot be kept in {self.folder.parent} ({error.strerror or error}): free some "
                    "space, or save the project elsewhere",
                    "UNFINISHED_NOT_KEPT",
                ) from None

    def end(self, *, keep: bool) -> None:
        """The picture is closed. `keep`: its work can be gone on with; else nothing is left of it."""
        with self._writing:
            self._ended = True
            if keep and self._written:
                (self.folder / "closed").touch()
            self._release()
            if not keep:
                self._remove()

    def forget(self) -> None:
        """Nothing is worth keeping now."""
        with self._writing:
            self._release()
            self._remove()

    def _remove(self) -> None:
        self._written = False
        shutil.rmtree(self.folder, ignore_errors=True)
        self._blobs = FolderBlobs(self.folder / "arrays")

    def _write(self, project: Project) -> None:
        self._hold()
        self._blobs.begin()
        document = project.document
        picture = None if document.path is None else _named(document)
        text = to_json(project, self._blobs, picture=picture)
        summary = {
            "name": document.name[:200],
            "path": str(document.path.absolute()) if document.path is not None else "",
            "regions": len(project.regions) - 1,
            "renditions": project.renditions,
        }
        _replace(self.folder / "summary.json", json.dumps(summary))
        _replace(self.folder / "project.json", text)
        self._written = True
        if (self.folder / "arrays").is_dir():
            self._blobs.remove_unused()

    def _hold(self) -> None:
        if self._lock is None:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock = _lock(self.folder)
            self._lock.tryLock(0)

    def _release(self) -> None:
        if self._lock is not None:
            self._lock.unlock()
        self._lock = None


def _named(document: Document) -> dict[str, object]:
    assert document.path is not None
    return {"path": str(document.path.absolute()), "mark": document.mark}


def _same_picture(told: dict[str, Any]) -> Document:
    path = Path(str(told["path"]))
    try:
        document = load_document(path)
    except InputFileError as error:
        raise InputFileError(
            f"{error.message}; what was done to it can be gone on with when {path} is there again",
            error.reason,
        ) from None
    if document.mark != told["mark"]:
        raise InputFileError(
            f"{path} was changed since this work was done: put the earlier file back to go on with it",
            "PICTURE_CHANGED",
        )
    return document


def _replace(path: Path, text: str) -> None:
    part = path.with_suffix(".part")
    with part.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
