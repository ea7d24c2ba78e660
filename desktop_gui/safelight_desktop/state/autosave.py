"""Keeps what is done to the open picture, a moment after each change."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal

from safelight.errors import SafelightError
from safelight_desktop.rpc.background import Background
from safelight_desktop.state import unfinished
from safelight_desktop.state.editor import Editor
from safelight_desktop.state.project import Project
from safelight_desktop.state.unfinished import Keeper, Unfinished

PAUSE_MS = 700


class Autosave(QObject):
    """Of one editor. Lives on the thread of the event loop."""

    kept = Signal()
    """All changes are on the disk."""
    left = Signal()
    """A picture's work is there to be gone on with, or gone."""
    failed = Signal(SafelightError)

    def __init__(
        self, editor: Editor, background: Background, root: Path, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._editor, self._background, self._root = editor, background, root
        self._keeper = Keeper(root)
        self._changes = self._kept_changes = self._saved_changes = 0
        self._writing = self._told = False
        self._endings: list[_Ending] = []
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(PAUSE_MS)
        self._timer.timeout.connect(self._keep)
        editor.leaving.connect(self._leave)
        editor.form.values_changed.connect(self._changed)
        editor.form.pipeline_changed.connect(self._changed)
        for signal in (editor.regions_changed, editor.refresh.refreshed):
            signal.connect(self._changed)

    def unfinished(self) -> list[Unfinished]:
        """What can be gone on with."""
        return unfinished.found(self._root)

    def go_on(self, entry: Unfinished) -> None:
        """Opens it; `editor.document_changed` follows, or `editor.failed`."""
        keeper = Keeper(self._root, entry)

        def show(project: Project) -> None:
            self._editor.show_project(project)
            self._keeper = keeper
            self._saved_changes = -1
            self._kept_changes = self._changes

        self._editor.open_by(entry.name, keeper.read, show, lambda: keeper.end(keep=True))

    @property
    def changes(self) -> int:
        """Counts what was done."""
        return self._changes

    def mark_saved(self, changes: int) -> None:
        """A person has saved it as it was at that count: closing it then leaves nothing behind."""
        self._saved_changes = changes

    def close(self) -> None:
        """The window closes: what is still to be written is written now. Blocks."""
        self._leave()
        for ending in self._endings:
            with contextlib.suppress(SafelightError):
                ending.carry_out()

    @property
    def idle(self) -> bool:
        """Nothing waits to be written."""
        return not self._writing and not self._endings and self._kept_changes == self._changes

    def _changed(self, *_: object) -> None:
        if self._editor.document is not None:
            self._changes += 1
            if not self._timer.isActive():
                self._timer.start()

    def _keep(self) -> None:
        if self._writing or self._editor.document is None or self._kept_changes == self._changes:
            return
        changes, keeper = self._changes, self._keeper
        project = self._worth_keeping()
        if project is None:
            self._kept_changes = changes
            if keeper.written:
                keeper.forget()
            self.kept.emit()
            return
        self._writing = True
        self._background.run(lambda: keeper.write(project), lambda _: self._was_kept(changes), self._not_kept)

    def _was_kept(self, changes: int) -> None:
        self._writing = self._told = False
        self._kept_changes = max(self._kept_changes, changes)
        if self._kept_changes == self._changes:
            self.kept.emit()
        else:
            self._timer.start()

    def _not_kept(self, error: SafelightError) -> None:
        """Told once: it is tried again with the next change."""
        self._writing = False
        if not self._told:
            self._told = True
            self.failed.emit(error)

    def _worth_keeping(self) -> Project | None:
        project = self._editor.project()
        return project if len(project.regions) > 1 or project.renditions else None

    def _leave(self) -> None:
        """The picture is about to be closed, or to give way to another one: the last changes are written, or nothing
        is left of it."""
        self._timer.stop()
        project = self._worth_keeping() if self._editor.document is not None else None
        keep = project is not None and self._saved_changes != self._changes
        ending = _Ending(self._keeper, project if self._kept_changes != self._changes else None, keep)
        self._keeper = Keeper(self._root)
        self._kept_changes = self._saved_changes = self._changes
        self._endings.append(ending)

        def over(_: None) -> None:
            self._endings.remove(ending)
            self.left.emit()

        def failed(error: SafelightError) -> None:
            over(None)
            self.failed.emit(error)

        self._background.run(ending.carry_out, over, failed)


@dataclass(frozen=True, eq=False)
class _Ending:
    keeper: Keeper
    project: Project | None
    """What is to be written before; None: all is."""
    keep: bool

    def carry_out(self) -> None:
        """Once is enough; from any thread."""
        try:
            if self.keep and self.project is not None:
                self.keeper.write(self.project)
        finally:
            self.keeper.end(keep=self.keep)
