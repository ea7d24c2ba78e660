"""One entry of the checkpoint store: what it is, where it stands, and what can be done to it."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QMenu,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from safelight.client.checkpoints import Checkpoint
from safelight_desktop.state.checkpoints import Doing
from safelight_desktop.texts import setting_text, translate
from safelight_desktop.units import byte_count

PROGRESS_STEPS = 1000


class CheckpointCard(QFrame):
    """Says by signals what a person wants."""

    install_asked = Signal()
    import_asked = Signal(bool)
    """True: a folder, False: a file."""
    verify_asked = Signal()
    remove_asked = Signal()
    cancel_asked = Signal()

    def __init__(self, entry: Checkpoint, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "card")
        title = setting_text(entry.title)
        self.title = QLabel(title)
        self.title.setProperty("role", "heading")
        self.about, self.state, self.step = QLabel(), QLabel(), QLabel()
        for label in (self.about, self.step):
            label.setProperty("role", "quiet")
        for label in (self.title, self.about, self.state):
            label.setWordWrap(True)
        self.licence = QLabel(f'<a href="{entry.licence.url}">{entry.licence.title}</a>')
        self.licence.setOpenExternalLinks(True)
        self.licence.setAccessibleName(
            translate("Checkpoints", "Licence: {title}").format(title=entry.licence.title)
        )
        self.progress = QProgressBar()
        self.progress.setRange(0, PROGRESS_STEPS)
        self.progress.setTextVisible(False)
        self.progress.setAccessibleName(translate("Checkpoints", "Progress of {title}").format(title=title))
        self.buttons = {
            "install": _button(translate("Checkpoints", "Install…"), title, self.install_asked),
            "import": _button(translate("Checkpoints", "Import"), title, None),
            "verify": _button(translate("Checkpoints", "Verify"), title, self.verify_asked),
            "remove": _button(translate("Checkpoints", "Remove…"), title, self.remove_asked),
            "cancel": _button(translate("Checkpoints", "Cancel"), title, self.cancel_asked),
        }
        menu = QMenu(self)
        for text, folder in (
            (translate("Checkpoints", "A file…"), False),
            (translate("Checkpoints", "A folder…"), True),
        ):
            menu.addAction(text, partial(self.import_asked.emit, folder))
        self.buttons["import"].setMenu(menu)
        words = QVBoxLayout()
        words.setSpacing(3)
        for label in (self.title, self.about, self.licence, self.state):
            words.addWidget(label)
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addLayout(words, 1)
        for button in self.buttons.values():
            row.addWidget(button, 0, Qt.AlignmentFlag.AlignTop)
        column = QVBoxLayout(self)
        column.setContentsMargins(14, 12, 12, 12)
        column.setSpacing(8)
        column.addLayout(row)
        column.addWidget(self.progress)
        column.addWidget(self.step)

    def show_entry(self, entry: Checkpoint, doing: Doing | None, users: list[str], *, local: bool) -> None:
        """`users`: titles of the pipelines that need it; `local`: its files are on this machine."""
        there = entry.installed
        size = byte_count(there.size_bytes if there is not None else entry.download_bytes)
        needed = translate("Checkpoints", "for {pipelines}").format(pipelines=", ".join(users))
        self.about.setText(" · ".join(filter(None, [size, needed if users else ""])))
        text, role = _state(entry)
        self.state.setText(text)
        self.state.setProperty("role", role)
        self.state.style().polish(self.state)
        self.progress.setVisible(doing is not None)
        self.step.setVisible(doing is not None)
        if doing is not None:
            self._show_doing(doing)
        shown = {
            "install": doing is None and there is None and entry.ready and entry.pullable,
            "import": doing is None and there is None and entry.ready and local,
            "verify": doing is None and there is not None and local,
            "remove": doing is None and there is not None,
            "cancel": doing is not None and doing.what != "remove",
        }
        for name, button in self.buttons.items():
            button.setVisible(shown[name])

    def _show_doing(self, doing: Doing) -> None:
        known = doing.total_bytes > 0 and doing.stage != "wait"
        self.progress.setRange(0, PROGRESS_STEPS if known or doing.stage == "wait" else 0)
        share = min(doing.done_bytes / doing.total_bytes, 1.0) if known else 0.0
        self.progress.setValue(round(share * PROGRESS_STEPS))
        parts = [_stage(doing)]
        if known:
            parts.append(
                translate("Checkpoints", "{done} of {total}").format(
                    done=byte_count(doing.done_bytes), total=byte_count(doing.total_bytes)
                )
            )
        if doing.file:
            parts.append(doing.file)
        self.step.setText(" · ".join(parts))
        self.progress.setAccessibleDescription(self.step.text())


def _button(text: str, title: str, signal: object) -> QPushButton:
    button = QPushButton(text)
    button.setAccessibleName(f"{text.rstrip('…')}: {title}")
    if signal is not None:
        button.clicked.connect(signal)
    return button


def _state(entry: Checkpoint) -> tuple[str, str]:
    """Its words and their role."""
    if entry.installed is not None:
        if entry.installed.official == "no":
            return translate("Checkpoints", "Installed, not the authors' own file"), "warning"
        return translate("Checkpoints", "Installed"), "good"
    if not entry.ready:
        return translate("Checkpoints", "No pipeline of this version uses it yet"), "quiet"
    if not entry.pullable:
        source = entry.sources[0] if entry.sources else ""
        return translate("Checkpoints", "To be downloaded by hand and imported: {source}").format(
            source=source
        ), "warning"
    return translate("Checkpoints", "Not installed"), "quiet"


def _stage(doing: Doing) -> str:
    titles = {
        "wait": translate("Checkpoints", "Waits for the download before it"),
        "ask": translate("Checkpoints", "Asking for it"),
        "download": translate("Checkpoints", "Downloading"),
        "check": translate("Checkpoints", "Checking"),
        "convert": translate("Checkpoints", "Converting"),
        "copy": translate("Checkpoints", "Copying"),
    }
    plain = {
        "import": translate("Checkpoints", "Importing"),
        "verify": translate("Checkpoints", "Checking"),
        "remove": translate("Checkpoints", "Removing"),
    }
    return titles.get(doing.stage) or plain.get(doing.what) or translate("Checkpoints", "Asking for it")
