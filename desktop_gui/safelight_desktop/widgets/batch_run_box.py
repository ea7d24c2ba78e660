"""What a batch will take, the buttons that start and pause it, and advice where it takes very long."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from safelight_desktop.state.batch import BatchQueue, BatchState
from safelight_desktop.state.batch_estimate import TRIAL_PICTURES, BatchEstimate
from safelight_desktop.state.batch_rows import RowState
from safelight_desktop.texts import translate
from safelight_desktop.widgets.batch_texts import advice, disk_line, time_lines
from safelight_desktop.widgets.icons import icon


class BatchRunBox(QWidget):
    """At the foot of the batch's side bar."""

    results_asked = Signal()

    def __init__(self, queue: BatchQueue, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._queue = queue
        self.count = QLabel()
        self.count.setProperty("role", "quiet")
        self.time = QLabel()
        self.time.setProperty("role", "heading")
        self.time.setWordWrap(True)
        self.finish = QLabel()
        self.finish.setProperty("role", "quiet")
        self.finish.setWordWrap(True)
        self.disk = QLabel()
        self.disk.setProperty("role", "quiet")
        self.disk.setWordWrap(True)
        self.locked = QLabel(translate("Batch", "Pause to change how the rest is restored."))
        self.locked.setProperty("role", "quiet")
        self.locked.setWordWrap(True)
        self.advice = _Advice(queue)
        self.battery = QPushButton(translate("Batch", "Run on the battery too"))
        self.battery.clicked.connect(queue.run_on_battery)
        self.start = QPushButton(translate("Batch", "Start"))
        self.start.setProperty("role", "primary")
        self.start.clicked.connect(lambda: queue.start())
        self.pause = QPushButton(translate("Batch", "Pause"))
        self.pause.clicked.connect(queue.pause)
        self.trial = QPushButton(translate("Batch", "Try {n} pictures").format(n=TRIAL_PICTURES))
        self.trial.setToolTip(
            translate(
                "Batch", "Restores a few pictures spread over the list, then stops: look at them first."
            )
        )
        self.trial.clicked.connect(queue.start_trial)
        self.look = QPushButton(translate("Batch", "Look at the results"))
        self.look.setProperty("role", "primary")
        self.look.clicked.connect(self.results_asked)
        self.pause.setIconSize(QSize(16, 16))
        buttons = QHBoxLayout()
        buttons.setSpacing(6)
        buttons.addWidget(self.look, 3)
        buttons.addWidget(self.start, 3)
        buttons.addWidget(self.pause, 3)
        buttons.addWidget(self.trial, 2)
        column = QVBoxLayout(self)
        column.setContentsMargins(14, 12, 14, 14)
        column.setSpacing(3)
        column.addWidget(self.advice)
        for label in (self.count, self.time, self.finish, self.disk):
            column.addWidget(label)
        column.addWidget(self.locked)
        column.addSpacing(7)
        column.addWidget(self.battery)
        column.addLayout(buttons)
        queue.state_changed.connect(self._show)
        queue.planned.connect(self._show)
        self._show()

    def redraw(self) -> None:
        """The theme changed."""
        self.pause.setIcon(icon("pause"))

    def _show(self) -> None:
        queue = self._queue
        state, estimate = queue.state, queue.estimate
        waiting = queue.count(RowState.WAITING)
        active = state in (BatchState.RUNNING, BatchState.ON_BATTERY, BatchState.NO_DAEMON)
        looks = state is BatchState.OVER and queue.count(RowState.DONE) > 0
        self.look.setVisible(looks)
        self.start.setVisible(not active and not looks)
        self.start.setText(
            translate("Batch", "Go on") if state is BatchState.PAUSED else translate("Batch", "Start")
        )
        pipeline = queue.form.pipeline
        installed = pipeline is not None and pipeline.installed
        ready = waiting > 0 and not queue.elsewhere and queue.problem is None and installed
        self.start.setEnabled(ready)
        self.pause.setVisible(active)
        self.trial.setVisible(not active and waiting > TRIAL_PICTURES)
        self.trial.setEnabled(ready)
        self.battery.setVisible(state is BatchState.ON_BATTERY)
        there = estimate is not None and estimate.pictures > 0
        for label in (self.count, self.time, self.finish, self.disk):
            label.setVisible(there)
        self.advice.show_for(None if active else estimate)
        self.locked.setVisible(active)
        if estimate is None or not there:
            return
        text = translate("Batch", "{n} pictures to restore")
        self.count.setText(text.format(n=estimate.pictures))
        if estimate.pictures == 1:
            self.count.setText(translate("Batch", "One picture to restore"))
        time, finish = time_lines(estimate)
        self.time.setText(time)
        self.finish.setText(finish)
        room, short = disk_line(estimate)
        self.disk.setText(room)
        self.disk.setProperty("role", "error" if short else "quiet")
        self.disk.style().polish(self.disk)


class _Advice(QFrame):
    """Over twelve hours."""

    def __init__(self, queue: BatchQueue) -> None:
        super().__init__()
        self._queue = queue
        self._pipeline = ""
        self.setProperty("role", "card")
        self.text = QLabel()
        self.text.setWordWrap(True)
        self.use = QPushButton()
        self.use.setProperty("role", "flat")
        self.use.clicked.connect(lambda: queue.form.choose_pipeline(self._pipeline))
        self.trial = QPushButton(translate("Batch", "Try {n} pictures first").format(n=TRIAL_PICTURES))
        self.trial.setProperty("role", "flat")
        self.trial.clicked.connect(queue.start_trial)
        buttons = QVBoxLayout()
        buttons.setSpacing(0)
        buttons.setContentsMargins(-8, 0, 0, 0)
        buttons.addWidget(self.use, 0, Qt.AlignmentFlag.AlignLeft)
        buttons.addWidget(self.trial, 0, Qt.AlignmentFlag.AlignLeft)
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 10, 12, 8)
        column.setSpacing(6)
        column.addWidget(self.text)
        column.addLayout(buttons)

    def show_for(self, estimate: BatchEstimate | None) -> None:
        """None: nothing is advised."""
        spec = self._queue.form.spec
        text = advice(estimate, spec.title) if estimate is not None and spec is not None else ""
        self.setVisible(bool(text))
        if estimate is None or not text:
            return
        self.text.setText(text)
        quicker = estimate.quicker
        self._pipeline = quicker.spec.id if quicker is not None else ""
        self.use.setVisible(quicker is not None)
        if quicker is not None:
            self.use.setText(translate("Batch", "Use {title}").format(title=quicker.spec.title))
