"""Saves pictures and projects, and goes on with what was left unsaved."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QFileDialog

from safelight.errors import SafelightError
from safelight.imaging.files import MetadataPolicy
from safelight_desktop.state.autosave import Autosave
from safelight_desktop.state.project_file import SUFFIX, write_project
from safelight_desktop.state.unfinished import Unfinished, remove
from safelight_desktop.texts import translate
from safelight_desktop.windows.save_dialog import SaveDialog

if TYPE_CHECKING:
    from safelight_desktop.windows.main_window import MainWindow


class Saving(QObject):
    """Of one window."""

    saved = Signal(Path)
    over = Signal()
    """No file is being written any more."""

    def __init__(self, window: MainWindow, root: Path) -> None:
        """`root`: folder of unfinished work."""
        super().__init__(window)
        self._window, self._editor = window, window.editor
        self.autosave = Autosave(window.editor, window.background, root, self)
        self.autosave.failed.connect(window.tell)
        self.autosave.left.connect(self._show_left)
        self._writing = 0
        self._project_wanted: Path | None = None
        self._editor.refresh.busy_changed.connect(self._write_project)

    @property
    def busy(self) -> bool:
        """A file is being written, or will be at once."""
        return self._writing > 0 or self._project_wanted is not None

    def ask_picture(self) -> None:
        """By a dialog; nothing happens without a picture."""
        document, window = self._editor.document, self._window
        if document is None:
            return
        plan = self._editor.save_plan()
        folder = document.path.parent if document.path is not None else window.incoming.folder()
        dialog = SaveDialog(document, plan.size, folder, window.preferences, window)
        if dialog.exec():
            self.save_picture(dialog.path, dialog.policy, record=dialog.record.isChecked())

    def save_picture(self, path: Path, policy: MetadataPolicy = "keep", *, record: bool = True) -> None:
        """The picture as it stands; `saved` follows, or a message."""
        plan = self._editor.save_plan(policy, record=record)
        self._write(path, lambda: plan.write(path))

    def save_project(self) -> None:
        """Into its file, where it has one."""
        if self._editor.project_path is not None:
            self.save_project_to(self._editor.project_path)
        else:
            self.ask_project()

    def ask_project(self) -> None:
        """By the system's dialog."""
        document = self._editor.document
        if document is None:
            return
        folder = document.path.parent if document.path is not None else self._window.incoming.folder()
        proposed = self._editor.project_path or folder / (Path(document.name).stem + SUFFIX)
        projects = translate("Window", "Projects")
        name, _ = QFileDialog.getSaveFileName(
            self._window,
            translate("Window", "Save the project"),
            str(proposed),
            f"{projects} (*{SUFFIX})",
        )
        if name:
            path = Path(name)
            self.save_project_to(
                path if path.suffix.lower() == SUFFIX else path.with_name(path.name + SUFFIX)
            )

    def save_project_to(self, path: Path) -> None:
        """With values that have settled; `saved` follows, or a message."""
        self._project_wanted = path
        self._write_project()

    def _write_project(self) -> None:
        path = self._project_wanted
        if path is None or self._editor.refresh.busy:
            return
        self._project_wanted = None
        project = self._editor.project()
        document = self._editor.document

        def written() -> tuple[str, ...]:
            write_project(project, path)
            return ()

        def put_down() -> None:
            if self._editor.document is document:
                self._editor.project_path = path
                self._window.show_title()

        self._write(path, written, put_down)

    def _write(
        self, path: Path, write: Callable[[], tuple[str, ...]], then: Callable[[], None] = lambda: None
    ) -> None:
        changes, document = self.autosave.changes, self._editor.document
        self._writing += 1

        def done(notes: tuple[str, ...]) -> None:
            self._writing -= 1
            if self._editor.document is document:
                self.autosave.mark_saved(changes)
            then()
            self._window.incoming.remember(path)
            self._window.messages.note(translate("Window", "Saved as {path}").format(path=path), *notes)
            self.saved.emit(path)
            self._ended()

        def failed(error: SafelightError) -> None:
            self._writing -= 1
            self._window.stay_open()
            self._window.tell(error)
            self._ended()

        self._window.background.run(write, done, failed)

    def _ended(self) -> None:
        if not self.busy:
            self.over.emit()

    # -- unfinished work ------------------------------------------------------------------------------

    def show_unfinished(self) -> None:
        """Where there is no picture: what can be gone on with; after a crash in a message too."""
        entries = self.autosave.unfinished()
        self._window.empty.show_unfinished(entries)
        crashed = [entry for entry in entries if entry.crashed]
        if crashed and self._editor.document is None:
            text = translate("Window", "Safelight ended unexpectedly. What was done to {name} was kept.")
            self._window.messages.offer(
                text.format(name=crashed[0].name),
                translate("Window", "Go on"),
                lambda: self.autosave.go_on(crashed[0]),
            )

    def offer_unfinished(self, path: Path) -> None:
        """Where something was done to this file before and not saved."""
        for entry in self.autosave.unfinished():
            if entry.path == str(path.absolute()):
                self._window.messages.offer(
                    translate("Window", "There is unfinished work on this picture."),
                    translate("Window", "Go on"),
                    lambda chosen=entry: self.autosave.go_on(chosen),  # type: ignore[misc]
                )
                return

    def _show_left(self) -> None:
        if self._editor.document is None:
            self._window.empty.show_unfinished(self.autosave.unfinished())

    def give_up(self, entry: Unfinished) -> None:
        """Removes it."""
        remove(entry)
        self.show_unfinished()
