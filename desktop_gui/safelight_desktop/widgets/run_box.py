"""The button that starts, what it will take, and how far it is."""

from __future__ import annotations

from PySide6.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QPushButton, QVBoxLayout, QWidget

from safelight_desktop.rpc.link import LinkState
from safelight_desktop.state.editor import Editor
from safelight_desktop.state.jobs import Job
from safelight_desktop.texts import translate
from safelight_desktop.units import duration

PROGRESS_STEPS = 1000


class RunBox(QWidget):
    """Stays in sight at the foot of the side bar."""

    def __init__(self, editor: Editor, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._editor = editor
        self.run = QPushButton(translate("Run", "Restore"))
        self.run.setProperty("role", "primary")
        self.cancel = QPushButton(translate("Run", "Cancel"))
        self.progress = QProgressBar()
        self.progress.setRange(0, PROGRESS_STEPS)
        self.progress.setTextVisible(False)
        self.progress.setAccessibleName(translate("Run", "Progress"))
        self.said = QLabel()
        self.said.setWordWrap(True)
        self.said.setProperty("role", "quiet")
        buttons = QHBoxLayout()
        buttons.addWidget(self.run, 1)
        buttons.addWidget(self.cancel)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(14, 10, 14, 14)
        layout.setSpacing(8)
        layout.addWidget(self.said)
        layout.addWidget(self.progress)
        layout.addLayout(buttons)
        self.run.clicked.connect(lambda: editor.run())
        self.cancel.clicked.connect(editor.jobs.cancel_all)
        editor.jobs.changed.connect(self._show)
        editor.jobs.progressed.connect(self._show)
        editor.document_changed.connect(self._show)
        editor.link.state_changed.connect(self._show)
        self._show()

    def _show(self, *_: object) -> None:
        jobs = self._editor.jobs.running
        self.progress.setVisible(bool(jobs))
        self.cancel.setVisible(bool(jobs))
        connected = self._editor.link.state is LinkState.CONNECTED
        self.run.setEnabled(self._editor.document is not None and connected)
        if jobs:
            self._show_job(jobs[0], len(jobs))
        else:
            self.said.setText("")

    def _show_job(self, job: Job, count: int) -> None:
        progress = job.progress
        if job.call.cancelling:
            self.said.setText(translate("Run", "Cancelling…"))
        elif progress is None:
            self.said.setText(translate("Run", "Sending…"))
        else:
            self.said.setText(_told(progress.stage, progress.tiles_done, progress.tiles, progress.eta_s))
        if count > 1:
            more = translate("Run", "{count} more waiting").format(count=count - 1)
            self.said.setText(f"{self.said.text()} · {more}")
        self.progress.setValue(round((progress.fraction if progress else 0.0) * PROGRESS_STEPS))
        self.progress.setAccessibleDescription(self.said.text())


def _told(stage: str, done: int, tiles: int, eta_s: float) -> str:
    parts = [stage_title(stage)]
    if tiles > 1:
        parts.append(translate("Run", "tile {done} of {tiles}").format(done=done, tiles=tiles))
    if eta_s >= 1:
        parts.append(translate("Run", "{time} left").format(time=duration(eta_s)))
    return " · ".join(parts)


def stage_title(stage: str) -> str:
    """For people."""
    titles = {
        "queued": translate("Run", "Waiting"),
        "upload": translate("Run", "Sending"),
        "load": translate("Run", "Loading the pipeline"),
        "prepare": translate("Run", "Preparing"),
        "condition": translate("Run", "Looking at the picture"),
        "encode": translate("Run", "Encoding"),
        "predict": translate("Run", "Restoring"),
        "decode": translate("Run", "Restoring"),
        "finish": translate("Run", "Finishing"),
    }
    return titles.get(stage, stage)
