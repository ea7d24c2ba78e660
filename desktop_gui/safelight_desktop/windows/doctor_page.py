"""What could be wrong, each with what to do about it; the log, and a report for whoever helps."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from safelight_desktop.report import log_tail, whole_report
from safelight_desktop.state.doctor import Doctor, Finding
from safelight_desktop.texts import translate
from safelight_desktop.widgets import theme
from safelight_desktop.widgets.icons import pixmap
from safelight_desktop.widgets.message_bar import sentence

ICON_PX = 18
Fix = tuple[str, Callable[[], None]]


class DoctorPage(QWidget):
    """`fix_for` gives the button that helps with a finding, or None."""

    def __init__(
        self,
        doctor: Doctor,
        fix_for: Callable[[Finding], Fix | None],
        open_log: Callable[[], None],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._doctor, self._fix_for = doctor, fix_for
        self.summary = QLabel()
        self.summary.setProperty("role", "heading")
        self.again = QPushButton(translate("Doctor", "Check again"))
        self.again.clicked.connect(doctor.check)
        self.log = QPushButton(translate("Doctor", "Open the log"))
        self.log.clicked.connect(open_log)
        self.copy_log = QPushButton(translate("Doctor", "Copy the log"))
        self.copy_log.clicked.connect(lambda: self._copy(log_tail()))
        self.copy_report = QPushButton(translate("Doctor", "Copy a report"))
        self.copy_report.setToolTip(
            translate("Doctor", "Versions, findings and the end of the log, without names of files")
        )
        self.copy_report.clicked.connect(lambda: self._copy(whole_report(doctor.findings)))
        self.copied = QLabel()
        self.copied.setProperty("role", "good")
        content = QWidget()
        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(10)
        self._grid.setVerticalSpacing(8)
        self._grid.setColumnStretch(2, 1)
        inside = QVBoxLayout(content)
        inside.setContentsMargins(0, 0, 8, 0)
        inside.addLayout(self._grid)
        inside.addStretch(1)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setWidget(content)
        head, foot = QHBoxLayout(), QHBoxLayout()
        head.addWidget(self.summary, 1)
        head.addWidget(self.again)
        for button in (self.log, self.copy_log, self.copy_report):
            foot.addWidget(button)
        foot.addWidget(self.copied, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 14, 8, 12)
        column.setSpacing(12)
        column.addLayout(head)
        column.addWidget(scroll, 1)
        column.addLayout(foot)
        doctor.changed.connect(self._show)
        self._show()

    def redraw(self) -> None:
        """The theme changed."""
        self._show()

    def _show(self) -> None:
        findings = self._doctor.findings
        while self._grid.count():
            item = self._grid.takeAt(0)
            widget = item.widget() if item is not None else None
            if widget is not None:
                widget.setParent(None)
                widget.deleteLater()
        for row, finding in enumerate(findings):
            self._draw(row, finding)
        self.again.setEnabled(not self._doctor.checking)
        wrong = sum(bool(finding.fix) for finding in findings)
        if self._doctor.checking:
            self.summary.setText(translate("Doctor", "Checking…"))
        elif not findings:
            self.summary.setText("")
        elif wrong:
            self.summary.setText(translate("Doctor", "To be fixed: {count}").format(count=wrong))
        else:
            self.summary.setText(translate("Doctor", "All is well"))

    def _draw(self, row: int, finding: Finding) -> None:
        used = theme.current()
        mark, area, text = QLabel(), QLabel(finding.area), QLabel(sentence(finding.text))
        fix = self._fix_for(finding)
        drawing, colour = "good", used.good
        if finding.fix:
            drawing, colour = "warning", used.warning
        elif fix is not None:  # a choice, not a fault
            drawing, colour = "info", used.quiet_text
        mark.setPixmap(pixmap(drawing, ICON_PX, self.devicePixelRatioF(), colour.name()))
        mark.setAccessibleName(
            translate("Doctor", "to be fixed") if finding.fix else translate("Doctor", "in order")
        )
        area.setProperty("role", "quiet")
        if finding.fix:
            text.setText(f"{sentence(finding.text)}\n{sentence(finding.fix)}")
        text.setWordWrap(True)
        text.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        text.setAccessibleName(f"{finding.area}: {text.text()}")
        top = Qt.AlignmentFlag.AlignTop
        self._grid.addWidget(mark, row, 0, top)
        self._grid.addWidget(area, row, 1, top)
        self._grid.addWidget(text, row, 2)
        if fix is not None:
            button = QPushButton(fix[0])
            button.setAccessibleName(f"{fix[0].rstrip('…')}: {finding.area}")
            button.clicked.connect(fix[1])
            self._grid.addWidget(button, row, 3, top)

    def _copy(self, text: str) -> None:
        QGuiApplication.clipboard().setText(text)
        self.copied.setText(translate("Doctor", "Copied"))
