"""The daemon's checkpoints as clients see them. Synchronous; no torch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import grpc

from safelight.client import connection
from safelight.client.remote import open_chosen
from safelight.client.status import our_errors
from safelight.errors import InternalError
from safelight.v1 import checkpoints_pb2 as cpb
from safelight.v1 import checkpoints_pb2_grpc as cpb_grpc

CALL_WAIT_S = 30.0


@dataclass(frozen=True)
class Licence:
    """Terms that a person accepts before a pull."""

    title: str
    url: str
    note: str
    sha256: str
    """Sent back to accept exactly these."""
    accepted: bool


@dataclass(frozen=True)
class InstalledCheckpoint:
    """What is on the daemon's disk."""

    size_bytes: int
    source: str
    original_sha256: str
    official: str
    """yes, no, unknown, or empty where nothing was converted."""


@dataclass(frozen=True)
class Checkpoint:
    """An entry of the daemon's catalogue."""

    id: str
    title: str
    licence: Licence
    pipelines: tuple[str, ...]
    base: str
    """Id of the entry it needs beside it; may be empty."""
    download_bytes: int
    sources: tuple[str, ...]
    pullable: bool
    """False: to be downloaded by a person and imported on the daemon's machine."""
    ready: bool
    """False: nothing uses it yet."""
    installed: InstalledCheckpoint | None


@dataclass(frozen=True)
class PullProgress:
    """How far a download is."""

    stage: str
    done_bytes: int
    total_bytes: int
    """0: not known yet."""
    file: str
    source: str


class CheckpointsClient:
    """One channel to one daemon."""

    def __init__(self, channel: grpc.Channel) -> None:
        self._channel = channel
        self._stub = cpb_grpc.CheckpointsStub(channel)

    @classmethod
    def local(
        cls, folder: Path | None = None, *, start: bool = True, on_start: Callable[[], None] = lambda: None
    ) -> CheckpointsClient:
        """This user's daemon, started when there is none and `start`."""
        return cls(connection.connect(folder, start=start, on_start=on_start))

    @classmethod
    def chosen(cls, *, start: bool = True, on_start: Callable[[], None] = lambda: None) -> CheckpointsClient:
        """The daemon that this user's clients use: see `client.remote`."""
        return cls(open_chosen(start=start, on_start=on_start))

    def __enter__(self) -> CheckpointsClient:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._channel.close()

    def checkpoints(self) -> list[Checkpoint]:
        """The catalogue, in the order it should be offered."""
        return [_from_proto(found) for found in self._listing().checkpoints]

    def folder(self) -> tuple[str, int]:
        """Where the daemon keeps them, and the free bytes there."""
        listing = self._listing()
        return str(listing.folder), int(listing.free_bytes)

    def pull(
        self,
        checkpoint: str,
        licence_sha256: str = "",
        *,
        on_progress: Callable[[PullProgress], None] = lambda progress: None,
    ) -> Checkpoint:
        """Returns when it is installed. Leaving by an exception (also KeyboardInterrupt) cancels the download; the
        next call goes on from there. Raises what the daemon raised."""
        request = cpb.PullCheckpointRequest(id=checkpoint, licence_sha256=licence_sha256)
        call = self._stub.PullCheckpoint(request)
        try:
            with our_errors():
                for frame in call:
                    if frame.WhichOneof("frame") == "installed":
                        return _from_proto(frame.installed)
                    on_progress(_progress(frame.progress))
        finally:
            call.cancel()
        raise InternalError("the daemon ended the download without a result", "NO_RESULT")

    def remove(self, checkpoint: str) -> int:
        """Bytes that are free again."""
        with our_errors():
            request = cpb.RemoveCheckpointRequest(id=checkpoint)
            return int(self._stub.RemoveCheckpoint(request, timeout=CALL_WAIT_S).freed_bytes)

    def rescan(self) -> list[str]:
        """Ids that are installed now."""
        with our_errors():
            answer = self._stub.RescanCheckpoints(cpb.RescanCheckpointsRequest(), timeout=CALL_WAIT_S)
        return list(answer.installed)

    def _listing(self) -> cpb.ListCheckpointsResponse:
        with our_errors():
            request = cpb.ListCheckpointsRequest()
            answer: cpb.ListCheckpointsResponse = self._stub.ListCheckpoints(request, timeout=CALL_WAIT_S)
        return answer


def _from_proto(found: cpb.Checkpoint) -> Checkpoint:
    licence, there = found.licence, found.installed
    return Checkpoint(
        found.id,
        found.title,
        Licence(licence.title, licence.url, licence.note, licence.sha256, licence.accepted),
        tuple(found.pipelines),
        found.base,
        found.download_bytes,
        tuple(found.sources),
        found.pullable,
        found.ready,
        InstalledCheckpoint(there.size_bytes, there.source, there.original_sha256, there.official)
        if found.HasField("installed")
        else None,
    )


def _progress(found: cpb.PullProgress) -> PullProgress:
    return PullProgress(found.stage, found.done_bytes, found.total_bytes, found.file, found.source)
