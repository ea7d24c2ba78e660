"""The button that starts, what it will take, and how far it is."""

from __future__ import annotations

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QHBoxLayout, QLabel, QMenu, QProgressBar, QPushButton, QVBoxLayout, QWidget

from safelight.errors import InvalidRequest
from safelight_desktop.rpc.link import LinkState
from safelight_desktop.state.device import DeviceState
from safelight_desktop.state.editor import Editor
from safelight_desktop.state.estimate import Estimate, Speeds, estimated
from safelight_desktop.state.jobs import Job
from safelight_desktop.texts import translate
from safelight_desktop.units import byte_count, duration, pixel_size
from safelight_desktop.widgets.icons import icon

PROGRESS_STEPS = 1000
SHOW_PAUSE_MS = 60  # of the progress: tiles may come by the hundred


class RunBox(QWidget):
    """Stays in sight at the foot of the side bar."""

    def __init__(
        self, editor: Editor, speeds: Speeds, device: DeviceState, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._editor, self._speeds, self._device = editor, speeds, device
        self.run = QPushButton(translate("Run", "Restore"))
        self.run.setProperty("role", "primary")
        self.more = QPushButton(icon("chevron-down"), "")
        self.more.setProperty("role", "more")
        self.more.setAccessibleName(translate("Run", "More ways to restore"))
        self.menu = QMenu(self)
        self.more.setMenu(self.menu)
        self.cancel = QPushButton(translate("Run", "Cancel"))
        self.progress = QProgressBar()
        self.progress.setRange(0, PROGRESS_STEPS)
        self.progress.setTextVisible(False)
        self.progress.setAccessibleName(translate("Run", "Progress"))
        self.said = QLabel()
        self.said.setWordWrap(True)
        self.said.setProperty("role", "quiet")
        buttons = QHBoxLayout()
        buttons.setSpacing(6)
        buttons.addWidget(self.run, 1)
        buttons.addWidget(self.more)
        buttons.addWidget(self.cancel)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(14, 10, 14, 14)
        layout.setSpacing(8)
        layout.addWidget(self.said)
        layout.addWidget(self.progress)
        layout.addLayout(buttons)
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.setInterval(SHOW_PAUSE_MS)
        self._pause.timeout.connect(self._show)
        self.run.clicked.connect(lambda: editor.run())
        self.cancel.clicked.connect(editor.cancel)
        for signal in (
            editor.jobs.changed, editor.document_changed, editor.active_changed, editor.link.state_changed,
            editor.form.pipeline_changed, speeds.changed, device.changed,
        ):  # fmt: skip
            signal.connect(self._show)
        for signal in (editor.jobs.progressed, editor.regions_changed, editor.form.values_changed):
            signal.connect(self._show_soon)
        self._show()

    def _show_soon(self, *_: object) -> None:
        if not self._pause.isActive():
            self._pause.start()

    def _show(self, *_: object) -> None:
        jobs = self._editor.jobs.running
        self.progress.setVisible(bool(jobs))
        self.cancel.setVisible(bool(jobs))
        connected = self._editor.link.state is LinkState.CONNECTED
        pipeline = self._editor.form.pipeline
        installed = pipeline is not None and pipeline.installed
        ready = self._editor.document is not None and connected and installed
        self.run.setEnabled(ready)
        self.more.setEnabled(ready)
        if jobs:
            self._show_job(jobs[0], len(jobs))
        else:
            self.said.setText(self._estimate())

    def _estimate(self) -> str:
        editor = self._editor
        document, region, spec = editor.document, editor.active, editor.form.spec
        if document is None or region is None or spec is None:
            return ""
        try:
            settings = editor.form.settings()
        except InvalidRequest as error:
            return error.message
        resident = self._device.holds(spec.id)
        return told(estimated(document, region.selection, settings, spec, self._speeds, resident=resident))

    def _show_job(self, job: Job, count: int) -> None:
        progress = job.progress
        if job.call.cancelling:
            text = translate("Run", "Cancelling…")
        elif progress is None:
            text = translate("Run", "Sending…")
        else:
            text = step_text(progress.stage, progress.tiles_done, progress.tiles, progress.eta_s)
        if count > 1:
            text += " · " + translate("Run", "{count} more waiting").format(count=count - 1)
        self.said.setText(text)
        self.progress.setValue(round((progress.fraction if progress else 0.0) * PROGRESS_STEPS))
        self.progress.setAccessibleDescription(text)


def told(estimate: Estimate) -> str:
    """In two lines: what comes out, what it takes."""
    size = byte_count(estimate.output_bytes)
    first = translate("Run", "Result {size}, {bytes}").format(size=pixel_size(estimate.output), bytes=size)
    if estimate.duration_s is None:
        time = translate("Run", "time not known yet")
    else:
        time = duration(estimate.duration_s)
        if estimate.duration_s >= 1:
            time = translate("Run", "about {time}").format(time=time)
    tiles = translate("Run", "tiles: {count}").format(count=estimate.tiles)
    memory = translate("Run", "memory {bytes}").format(bytes=byte_count(estimate.memory_bytes))
    loaded = "" if estimate.resident else " · " + translate("Run", "is loaded first")
    return f"{first}\n{time} · {tiles} · {memory}{loaded}"


def step_text(stage: str, done: int, tiles: int, eta_s: float) -> str:
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
