"""The checkpoint store."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import (
    QFileDialog,
    QFrame,
    QHBoxLayout,
    QLabel,
    QMenu,
    QMessageBox,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from safelight.client.checkpoints import Checkpoint
from safelight_desktop.state.checkpoints import CheckpointStore
from safelight_desktop.state.settings_form import SettingsForm
from safelight_desktop.texts import setting_text, translate
from safelight_desktop.units import byte_count
from safelight_desktop.widgets.checkpoint_card import CheckpointCard
from safelight_desktop.windows.install_dialog import InstallDialog


def short_path(path: str) -> str:
    """With ~ for this person's own folder."""
    home = str(Path.home())
    return "~" + path.removeprefix(home) if path.startswith(home + os.sep) else path


class CheckpointsPage(QWidget):
    """A card for each entry of the catalogue; on top the pipelines that lack something."""

    def __init__(self, store: CheckpointStore, form: SettingsForm, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._store, self._form = store, form
        self.cards: dict[str, CheckpointCard] = {}
        self._wanted = ""
        self.said = QLabel()
        self.said.setWordWrap(True)
        self.said.setProperty("role", "quiet")
        self.complete = QPushButton(translate("Checkpoints", "Install for a pipeline"))
        self.menu = QMenu(self)
        self.complete.setMenu(self.menu)
        content = QWidget()
        self._list = QVBoxLayout(content)
        self._list.setContentsMargins(0, 0, 8, 0)
        self._list.setSpacing(8)
        self._list.addStretch(1)
        self.scrolled = QScrollArea()
        self.scrolled.setWidgetResizable(True)
        self.scrolled.setFrameShape(QFrame.Shape.NoFrame)
        self.scrolled.setWidget(content)
        head = QHBoxLayout()
        head.addWidget(self.said, 1)
        head.addWidget(self.complete)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 14, 8, 12)
        column.setSpacing(12)
        column.addLayout(head)
        column.addWidget(self.scrolled, 1)
        self._showing = QTimer(self)
        self._showing.setSingleShot(True)
        self._showing.timeout.connect(self._show)
        store.changed.connect(self._showing.start)
        form.pipelines_changed.connect(self._showing.start)
        store.verified.connect(self._verified)
        self._show()

    def install_for(self, pipeline: str) -> None:
        """All that a pipeline lacks, after a word about licences."""
        self.install(self._store.missing(pipeline))

    def install_when_known(self, pipeline: str) -> None:
        """As soon as the daemon has said what there is."""
        if self._store.entries:
            self.install_for(pipeline)
        else:
            self._wanted = pipeline

    def install(self, entries: list[Checkpoint]) -> None:
        pullable = [entry for entry in entries if entry.pullable and entry.ready]
        if pullable and InstallDialog(pullable, self._store.free_bytes, parent=self).exec():
            self._store.pull(pullable)
        if pullable:
            self.scrolled.ensureWidgetVisible(self.cards[pullable[0].id])

    def import_path(self, entry: Checkpoint, path: Path) -> None:
        """After a word about the licence, where it has not been accepted."""
        dialog = InstallDialog([entry], self._store.free_bytes, importing=path.name, parent=self)
        if entry.licence.accepted or dialog.exec():
            self._store.import_path(entry, path)

    def _ask_import(self, entry: Checkpoint, *, folder: bool) -> None:
        title = translate("Checkpoints", "Import {title}").format(title=setting_text(entry.title))
        if folder:
            name = QFileDialog.getExistingDirectory(self, title)
        else:
            name, _ = QFileDialog.getOpenFileName(self, title)
        if name:
            self.import_path(entry, Path(name))

    def _ask_remove(self, entry: Checkpoint) -> None:
        text = translate("Checkpoints", "Remove {title}? It can be installed again.")
        asked = QMessageBox(
            QMessageBox.Icon.Question, self.window().windowTitle(),
            text.format(title=setting_text(entry.title)), QMessageBox.StandardButton.Cancel, self,
        )  # fmt: skip
        remove = asked.addButton(translate("Checkpoints", "Remove"), QMessageBox.ButtonRole.DestructiveRole)
        asked.exec()
        if asked.clickedButton() is remove:
            self._store.remove(entry)

    def _show(self) -> None:
        store = self._store
        titles = {p.spec.id: p.spec.title for p in self._form.pipelines}
        for entry in store.entries:
            card = self.cards.get(entry.id) or self._card(entry)
            users = [titles.get(pipeline, pipeline) for pipeline in entry.pipelines]
            card.show_entry(entry, store.doing.get(entry.id), users, local=store.local)
        used = sum(entry.installed.size_bytes for entry in store.entries if entry.installed)
        text = translate("Checkpoints", "{folder}: {used} used, {free} free")
        self.said.setText(
            text.format(
                folder=short_path(store.folder), used=byte_count(used), free=byte_count(store.free_bytes)
            )
            if store.entries
            else translate("Checkpoints", "Asking the daemon…")
        )
        self._fill_menu(titles)
        if self._wanted and store.entries:
            wanted, self._wanted = self._wanted, ""
            self.install_for(wanted)

    def _fill_menu(self, titles: dict[str, str]) -> None:
        self.menu.clear()
        for pipeline, title in titles.items():
            missing = self._store.missing(pipeline)
            if missing:
                size = byte_count(sum(entry.download_bytes for entry in missing))
                self.menu.addAction(f"{title} · {size}", partial(self.install_for, pipeline))
        self.complete.setEnabled(not self.menu.isEmpty())

    def _card(self, entry: Checkpoint) -> CheckpointCard:
        card = CheckpointCard(entry)
        name = entry.id

        def now() -> Checkpoint:
            return self._store.entry(name) or entry

        card.install_asked.connect(lambda: self.install([now()]))
        card.import_asked.connect(lambda folder: self._ask_import(now(), folder=folder))
        card.verify_asked.connect(lambda: self._store.verify(now()))
        card.remove_asked.connect(lambda: self._ask_remove(now()))
        card.cancel_asked.connect(lambda: self._store.cancel(name))
        self.cards[name] = card
        self._list.insertWidget(self._list.count() - 1, card)
        return card

    def _verified(self, name: str) -> None:
        self.cards[name].state.setText(
            translate("Checkpoints", "Installed; all files are as they were installed")
        )
