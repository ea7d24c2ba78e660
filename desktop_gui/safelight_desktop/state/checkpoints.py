"""The daemon's checkpoints: what there is, and what is being done to them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from safelight.client.checkpoints import Checkpoint, PullProgress
from safelight.client.restoration import RestorationClient
from safelight.errors import Cancelled, SafelightError
from safelight_desktop.rpc.command import CommandCall
from safelight_desktop.rpc.link import DaemonLink, LinkState
from safelight_desktop.rpc.pulling import PullCall


@dataclass(frozen=True)
class Doing:
    """What is being done to an entry."""

    what: str
    """pull, import, verify or remove."""
    stage: str = ""
    """wait, ask, download, check or convert; empty: not told."""
    done_bytes: int = 0
    total_bytes: int = 0
    """0: not known yet."""
    file: str = ""


class CheckpointStore(QObject):
    """Asks when it is looked at, and after each change. Downloads run one after the other. Import and verify are
    commands on the daemon's machine: not offered where that is another one."""

    changed = Signal()
    """The list, or what is done to one of them."""
    installed_changed = Signal()
    """Something was installed or removed: pipelines may have come or gone."""
    verified = Signal(str)
    """All files of the entry of this id are as they were installed."""
    failed = Signal(SafelightError)

    def __init__(self, link: DaemonLink, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._link = link
        self.entries: list[Checkpoint] = []
        self.folder, self.free_bytes = "", 0
        self.doing: dict[str, Doing] = {}
        self._calls: dict[str, PullCall | CommandCall] = {}
        self._queue: list[tuple[str, str]] = []
        link.state_changed.connect(self._link_changed)

    @property
    def local(self) -> bool:
        """The daemon's files are on this machine."""
        return self._link.state is LinkState.CONNECTED and not self._link.elsewhere

    def ask(self) -> None:
        """Now; `changed` follows."""
        if self._link.state is LinkState.CONNECTED:
            self._link.call(_listing, self._listed, self.failed.emit)

    def entry(self, checkpoint: str) -> Checkpoint | None:
        return next((entry for entry in self.entries if entry.id == checkpoint), None)

    def missing(self, pipeline: str) -> list[Checkpoint]:
        """What a pipeline needs and is not installed."""
        return [e for e in self.entries if pipeline in e.pipelines and e.installed is None]

    def pull(self, entries: list[Checkpoint]) -> None:
        """Downloads and installs them; their licences have been accepted as they stand in them."""
        for entry in entries:
            if entry.id not in self.doing:
                self.doing[entry.id] = Doing("pull", "wait", 0, entry.download_bytes)
                self._queue.append((entry.id, entry.licence.sha256))
        self._pull_next()
        self.changed.emit()

    def import_path(self, entry: Checkpoint, path: Path) -> None:
        """A file or folder of this machine; the licence has been accepted."""
        self._command(
            entry.id, Doing("import"), ["models", "import", entry.id, str(path), "--accept-licence"]
        )

    def verify(self, entry: Checkpoint) -> None:
        """Hashes its files again; `verified` follows, or `failed`."""
        self._command(entry.id, Doing("verify"), ["models", "verify", entry.id])

    def remove(self, entry: Checkpoint) -> None:
        self.doing[entry.id] = Doing("remove")
        self._link.call(
            lambda client: client.checkpoints().remove(entry.id),
            lambda _: self._over(entry.id),
            lambda error: self._refused(entry.id, error),
        )
        self.changed.emit()

    def cancel(self, checkpoint: str) -> None:
        """What came of a download so far is gone on with by the next one."""
        self._queue = [waiting for waiting in self._queue if waiting[0] != checkpoint]
        call = self._calls.get(checkpoint)
        if call is not None:
            call.cancel()
        else:
            self.doing.pop(checkpoint, None)
            self.changed.emit()

    def _pull_next(self) -> None:
        if not self._queue or any(isinstance(call, PullCall) for call in self._calls.values()):
            return
        client = self._link.client
        if client is None:
            self._link.connect_now()
            return
        checkpoint, licence = self._queue.pop(0)
        call = PullCall(client, checkpoint, licence, self)
        call.progressed.connect(lambda progress: self._progressed(checkpoint, progress))
        call.finished.connect(lambda _: self._over(checkpoint))
        call.failed.connect(lambda error: self._refused(checkpoint, error))
        self._calls[checkpoint] = call
        call.start()

    def _command(self, checkpoint: str, doing: Doing, arguments: list[str]) -> None:
        call = CommandCall(arguments, self)
        call.line.connect(lambda event: self._told(checkpoint, doing.what, event))
        call.finished.connect(lambda _: self._over(checkpoint))
        call.failed.connect(lambda error: self._refused(checkpoint, error))
        self.doing[checkpoint] = doing
        self._calls[checkpoint] = call
        call.start()
        self.changed.emit()

    def _progressed(self, checkpoint: str, told: PullProgress) -> None:
        self.doing[checkpoint] = Doing("pull", told.stage, told.done_bytes, told.total_bytes, told.file)
        self.changed.emit()

    def _told(self, checkpoint: str, what: str, event: dict[str, object]) -> None:
        if event.get("event") == "progress":
            done, total = (int(str(event.get(name) or 0)) for name in ("done_bytes", "total_bytes"))
            self.doing[checkpoint] = Doing(
                what, str(event.get("stage", "")), done, total, str(event.get("file", ""))
            )
            self.changed.emit()
        elif event.get("event") == "verified":
            self.verified.emit(checkpoint)

    def _refused(self, checkpoint: str, error: SafelightError) -> None:
        self._link.notice(error)
        self._over(checkpoint)
        if not isinstance(error, Cancelled):
            self.failed.emit(error)

    def _over(self, checkpoint: str) -> None:
        doing = self.doing.pop(checkpoint, None)
        call = self._calls.pop(checkpoint, None)
        if call is not None:
            call.deleteLater()
        self._pull_next()
        self.changed.emit()
        if doing is not None and doing.what != "verify":
            self._link.call(_rescanned, self._listed, self.failed.emit)
            self.installed_changed.emit()

    def _listed(self, listing: tuple[list[Checkpoint], str, int]) -> None:
        self.entries, self.folder, self.free_bytes = listing
        self.changed.emit()

    def _link_changed(self, state: LinkState) -> None:
        if state is LinkState.CONNECTED:
            if self.entries:
                self.ask()
            self._pull_next()
        self.changed.emit()


def _listing(client: RestorationClient) -> tuple[list[Checkpoint], str, int]:
    checkpoints = client.checkpoints()
    return checkpoints.checkpoints(), *checkpoints.folder()


def _rescanned(client: RestorationClient) -> tuple[list[Checkpoint], str, int]:
    client.checkpoints().rescan()
    return _listing(client)
