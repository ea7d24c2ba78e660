"""What `safelight doctor` finds on this machine."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QObject, Signal

from safelight.errors import SafelightError
from safelight_desktop.rpc.command import CommandCall


@dataclass(frozen=True)
class Finding:
    """`fix` is empty where all is well."""

    area: str
    text: str
    fix: str


class Doctor(QObject):
    """Checks when asked to."""

    changed = Signal()
    failed = Signal(SafelightError)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.findings: list[Finding] = []
        self._call: CommandCall | None = None

    @property
    def checking(self) -> bool:
        return self._call is not None

    def check(self) -> None:
        """From the start; `changed` comes with each finding."""
        if self._call is not None:
            return
        self.findings = []
        call = CommandCall(["doctor"], self)
        call.line.connect(self._found)
        call.finished.connect(lambda _: self._over())
        call.failed.connect(self._refused)
        self._call = call
        call.start()
        self.changed.emit()

    def close(self) -> None:
        if self._call is not None:
            self._call.cancel()

    def _found(self, event: dict[str, object]) -> None:
        if event.get("event") == "finding":
            words = (str(event.get(name, "")) for name in ("area", "text", "fix"))
            self.findings.append(Finding(*words))
            self.changed.emit()

    def _refused(self, error: SafelightError) -> None:
        self._over()
        self.failed.emit(error)

    def _over(self) -> None:
        if self._call is not None:
            self._call.deleteLater()
        self._call = None
        self.changed.emit()
