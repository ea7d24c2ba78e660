"""What the daemon holds and on which device, asked for while a window is open."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal

from safelight.client.restoration import RestorationClient
from safelight.errors import SafelightError
from safelight_desktop.rpc.link import DaemonLink, LinkState

POLL_MS = 2_000
FOR_EVER_S = -1.0


@dataclass(frozen=True)
class Resident:
    """A loaded pipeline."""

    pipeline: str
    weights_bytes: int
    precision: str
    device: str
    until: datetime | None
    """None: for ever, or in use."""
    in_use: bool


@dataclass(frozen=True)
class Part:
    """A loaded network that pipelines share; it counts for itself."""

    title: str
    device: str
    weights_bytes: int
    precision: str
    used_by: tuple[str, ...]


@dataclass(frozen=True)
class Device:
    """One answer of the daemon."""

    title: str
    free_bytes: int
    memory_bytes: int
    residents: tuple[Resident, ...] = ()
    parts: tuple[Part, ...] = ()
    kept_results: int = 0
    kept_bytes: int = 0
    kept_bytes_limit: int = 0
    """0: nothing is kept."""
    process_bytes: int = field(default=0, compare=False)
    """Host memory of the daemon."""
    queued: int = 0
    running: int = 0
    log_path: str = field(default="", compare=False)


class DeviceState(QObject):
    """Asks every two seconds while `watching`."""

    changed = Signal()
    failed = Signal(SafelightError)

    def __init__(self, link: DaemonLink, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._link = link
        self.device: Device | None = None
        self._asking = False
        self._timer = QTimer(self)
        self._timer.setInterval(POLL_MS)
        self._timer.timeout.connect(self.ask)
        link.state_changed.connect(self._link_changed)

    def watch(self, watching: bool) -> None:
        """Off while nobody looks."""
        if watching:
            self._timer.start()
            self.ask()
        else:
            self._timer.stop()

    def ask(self) -> None:
        """Now; `changed` follows when something did."""
        if self._asking or self._link.state is not LinkState.CONNECTED:
            return
        self._asking = True
        self._link.call(_asked, self._answered, self._refused)

    def holds(self, pipeline: str) -> bool:
        """Whether it is loaded, as far as is known."""
        return self.device is not None and any(r.pipeline == pipeline for r in self.device.residents)

    def keep(self, pipeline: str) -> None:
        """It stays loaded until it is unloaded by hand."""
        self._link.call(lambda client: client.load(pipeline, FOR_EVER_S), self._done, self.failed.emit)

    def unload(self, pipeline: str) -> None:
        """Now, or after the running stage; empty: all."""
        self._link.call(lambda client: client.unload(pipeline), self._done, self.failed.emit)

    def forget_kept(self) -> None:
        """Removes what the daemon keeps of results."""
        self._link.call(lambda client: client.forget_kept(), self._done, self.failed.emit)

    def restart(self) -> None:
        """Ends this machine's daemon, and starts another one."""
        self._link.call(lambda client: client.stop(0.0), lambda _: self._link.reconnect(), self.failed.emit)

    def _done(self, _: object) -> None:
        self.ask()

    def _answered(self, device: Device) -> None:
        self._asking = False
        if device != self.device:
            self.device = device
            self.changed.emit()

    def _refused(self, error: SafelightError) -> None:
        self._asking = False

    def _link_changed(self, state: LinkState) -> None:
        if state is LinkState.CONNECTED:
            self.ask()
        elif self.device is not None:
            self.device = None
            self.changed.emit()


def _asked(client: RestorationClient) -> Device:
    told = client.state()
    return Device(
        told.device_title or told.device,
        told.free_memory_bytes,
        told.memory_bytes,
        tuple(_resident(r) for r in told.residents),
        tuple(Part(p.title, p.device, p.weights_bytes, p.precision, tuple(p.used_by)) for p in told.parts),
        told.kept_result_count,
        told.kept_bytes,
        told.kept_bytes_limit,
        told.process_memory_bytes,
        told.queued_job_count,
        told.running_job_count,
        told.log_path,
    )


def _resident(told: Any) -> Resident:
    until = None
    if told.HasField("expire_time"):
        until = datetime.fromtimestamp(told.expire_time.seconds).replace(second=0)
    return Resident(
        told.pipeline, told.weights_bytes, told.precision, told.device, until, told.reference_count > 0
    )
