"""What will be downloaded or imported, and the licences that have to be accepted first."""

from __future__ import annotations

from PySide6.QtWidgets import QCheckBox, QDialog, QDialogButtonBox, QFrame, QLabel, QVBoxLayout, QWidget

from safelight.client.checkpoints import Checkpoint, Licence
from safelight_desktop.texts import setting_text, translate
from safelight_desktop.units import byte_count

WIDTH_PX = 520


class InstallDialog(QDialog):
    """Accepting it accepts the licences that are shown; none is accepted silently."""

    def __init__(
        self,
        entries: list[Checkpoint],
        free_bytes: int,
        *,
        importing: str = "",
        parent: QWidget | None = None,
    ) -> None:
        """`importing`: name of the file or folder that is imported instead of a download."""
        super().__init__(parent)
        self.setWindowTitle(translate("Checkpoints", "Install"))
        self.setMinimumWidth(WIDTH_PX)
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 18, 20, 14)
        column.setSpacing(12)
        for entry in entries:
            title = setting_text(entry.title)
            text = importing or byte_count(entry.download_bytes)
            column.addWidget(QLabel(f"{title} · {text}"))
        needed = sum(entry.download_bytes for entry in entries)
        self.space = QLabel()
        self.space.setWordWrap(True)
        short = not importing and needed > free_bytes > 0
        told = translate("Checkpoints", "{needed} to download, {free} free on the disk of the daemon.")
        self.space.setText(told.format(needed=byte_count(needed), free=byte_count(free_bytes)))
        self.space.setProperty("role", "error" if short else "quiet")
        self.space.setVisible(not importing)
        column.addWidget(self.space)
        self.accepts: list[QCheckBox] = []
        for licence in dict.fromkeys(entry.licence for entry in entries):
            column.addWidget(self._licence(licence))
        self.buttons = QDialogButtonBox(
            QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel
        )
        self.ok = self.buttons.button(QDialogButtonBox.StandardButton.Ok)
        self.ok.setText(translate("Checkpoints", "Install"))
        self.ok.setProperty("role", "primary")
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        column.addWidget(self.buttons)
        self._check()

    def _licence(self, licence: Licence) -> QFrame:
        card = QFrame()
        card.setProperty("role", "card")
        column = QVBoxLayout(card)
        column.setContentsMargins(14, 12, 14, 12)
        column.setSpacing(6)
        title = QLabel(licence.title)
        title.setProperty("role", "heading")
        title.setWordWrap(True)
        column.addWidget(title)
        if licence.note:
            note = QLabel(setting_text(licence.note))
            note.setWordWrap(True)
            column.addWidget(note)
        link = QLabel(f'<a href="{licence.url}">{licence.url}</a>')
        link.setOpenExternalLinks(True)
        link.setWordWrap(True)
        link.setAccessibleName(
            translate("Checkpoints", "Text of the licence {title}").format(title=licence.title)
        )
        column.addWidget(link)
        if licence.accepted:
            done = QLabel(translate("Checkpoints", "Accepted on this machine before."))
            done.setProperty("role", "quiet")
            column.addWidget(done)
        else:
            accept = QCheckBox(translate("Checkpoints", "I have read this licence and accept it"))
            accept.setAccessibleName(f"{accept.text()}: {licence.title}")
            accept.toggled.connect(self._check)
            self.accepts.append(accept)
            column.addWidget(accept)
        return card

    def _check(self) -> None:
        self.ok.setEnabled(all(box.isChecked() for box in self.accepts))
