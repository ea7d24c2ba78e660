"""The Checkpoints service: the catalogue, downloads, removal. Downloads run in threads; the loop only passes on."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from google.protobuf.timestamp_pb2 import Timestamp

from safelight.engine.checkpoints import catalogue, install, store
from safelight.engine.checkpoints.catalogue import CatalogueEntry
from safelight.engine.checkpoints.download import Places
from safelight.engine.checkpoints.install import Progress
from safelight.engine.worker import Worker
from safelight.errors import TooMuch
from safelight.server.door import abort, told
from safelight.v1 import checkpoints_pb2 as cpb
from safelight.v1 import checkpoints_pb2_grpc as cpb_grpc

Answer = TypeVar("Answer")

PULLS_MOST = 4  # at a time; more only share the same line
PROGRESS_EVERY_S = 0.2


class CheckpointsServicer(cpb_grpc.CheckpointsServicer):
    """`alive` is called while a download runs, so that the daemon does not end for idleness. The store is read again
    for every call: commands on this machine may change it."""

    def __init__(
        self, worker: Worker, *, alive: Callable[[], None] = lambda: None, places: Places | None = None
    ) -> None:
        self._worker = worker
        self._alive = alive
        self._places = places
        self._pulls = 0
        self._seen = _installations(store.checkpoint_dir())

    async def ListCheckpoints(
        self, request: cpb.ListCheckpointsRequest, context: Any
    ) -> cpb.ListCheckpointsResponse | None:
        return await _answered(context, "ListCheckpoints", asyncio.to_thread(_listing))

    async def RemoveCheckpoint(
        self, request: cpb.RemoveCheckpointRequest, context: Any
    ) -> cpb.RemoveCheckpointResponse | None:
        return await _answered(context, "RemoveCheckpoint", self._remove(request.id))

    async def RescanCheckpoints(
        self, request: cpb.RescanCheckpointsRequest, context: Any
    ) -> cpb.RescanCheckpointsResponse | None:
        return await _answered(context, "RescanCheckpoints", self._rescan())

    async def PullCheckpoint(
        self, request: cpb.PullCheckpointRequest, context: Any
    ) -> AsyncIterator[cpb.PullCheckpointResponse]:
        try:
            async for frame in self._pull(request):
                yield frame
        except Exception as error:  # an outermost loop: everything must become a status
            await abort(context, told(error, "PullCheckpoint"))

    async def _pull(self, request: cpb.PullCheckpointRequest) -> AsyncIterator[cpb.PullCheckpointResponse]:
        entry = _entry(request.id)
        install.require_ready(entry)
        root = store.checkpoint_dir()
        await asyncio.to_thread(install.require_licence, entry, request.licence_sha256, root)
        if self._pulls >= PULLS_MOST:
            raise TooMuch(
                f"{self._pulls} downloads are running: wait until one is done", "TOO_MANY_DOWNLOADS"
            )
        pull = _PullThread(entry, self._places)
        self._pulls += 1
        try:
            async for progress in pull.progress():
                self._alive()
                yield cpb.PullCheckpointResponse(progress=_progress(progress))
        finally:
            pull.cancelled.set()
            self._pulls -= 1
        await self._rescan()
        yield cpb.PullCheckpointResponse(installed=await asyncio.to_thread(_described, entry, root))

    async def _remove(self, catalogue_id: str) -> cpb.RemoveCheckpointResponse:
        entry = _entry(catalogue_id)
        busy = [r.pipeline for r in self._users([entry.id]) if r.references]
        if busy:
            raise TooMuch(
                f"a job of the pipeline {busy[0]} is using {entry.id}: wait for it, or cancel it",
                "CHECKPOINT_IN_USE",
                details={"checkpoint": entry.id, "pipeline": busy[0]},
            )
        freed = await asyncio.to_thread(store.remove, entry.id)
        await self._rescan()
        return cpb.RemoveCheckpointResponse(freed_bytes=freed)

    async def _rescan(self) -> cpb.RescanCheckpointsResponse:
        """Unloads idle pipelines whose checkpoints are other ones than before."""
        now = await asyncio.to_thread(_installations, store.checkpoint_dir())
        changed = [name for name in {*now, *self._seen} if now.get(name) != self._seen.get(name)]
        self._seen = now
        for resident in self._users(changed):
            if not resident.references:
                await asyncio.wrap_future(self._worker.unload(resident.name))
        return cpb.RescanCheckpointsResponse(installed=sorted(now))

    def _users(self, ids: list[str]) -> list[Any]:
        """Loaded pipelines that need one of these entries."""
        using = {name for found in catalogue.ENTRIES if found.id in ids for name in found.pipelines}
        return [resident for resident in self._worker.state.residents if resident.name in using]


class _PullThread:
    """One download in a thread of its own; the loop looks at its latest word several times a second. The thread does
    not keep the process alive: what it has written so far is resumed."""

    def __init__(self, entry: CatalogueEntry, places: Places | None) -> None:
        self.cancelled = threading.Event()
        self._entry, self._places = entry, places
        self._loop = asyncio.get_running_loop()
        self._news, self._ended = asyncio.Event(), asyncio.Event()
        self._latest = Progress("ask")
        self._error: Exception | None = None

    async def progress(self) -> AsyncIterator[Progress]:
        """Until it is installed; raises what the thread raised."""
        threading.Thread(target=self._run, name=f"safelight-pull-{self._entry.id}", daemon=True).start()
        while True:
            await self._news.wait()
            self._news.clear()
            if self._ended.is_set():
                break
            yield self._latest
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._ended.wait(), PROGRESS_EVERY_S)
        if self._error is not None:
            raise self._error

    def _run(self) -> None:
        try:
            install.pull(
                self._entry, places=self._places, on_progress=self._on_progress, cancelled=self.cancelled
            )
        except Exception as error:  # the thread's outermost loop
            self._error = error
        self._tell(self._ended)
        self._tell(self._news)

    def _on_progress(self, progress: Progress) -> None:
        self._latest = progress
        if not self._news.is_set():
            self._tell(self._news)

    def _tell(self, event: asyncio.Event) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(event.set)


async def _answered(context: Any, what: str, answer: Awaitable[Answer]) -> Answer | None:
    """The answer, or the status of what was raised."""
    try:
        return await answer
    except Exception as error:  # an outermost loop: everything must become a status
        await abort(context, told(error, what))
        return None


def _entry(catalogue_id: str) -> CatalogueEntry:
    store.entry_dir(catalogue_id)
    return catalogue.entry(catalogue_id)


def _installations(root: Path) -> dict[str, str]:
    """When and from what each installed entry came."""
    records = {name: store.read_record(name, root) for name in store.installed_ids(root)}
    return {name: f"{r.installed_at} {r.source} {r.original_sha256}" for name, r in records.items() if r}


def _listing() -> cpb.ListCheckpointsResponse:
    root = store.checkpoint_dir()
    there = next(folder for folder in (root, *root.parents) if folder.exists())
    return cpb.ListCheckpointsResponse(
        checkpoints=[_described(entry, root) for entry in catalogue.ENTRIES],
        folder=str(root),
        free_bytes=shutil.disk_usage(there).free,
    )


def _described(entry: CatalogueEntry, root: Path) -> cpb.Checkpoint:
    licence = entry.licence
    record = store.read_record(entry.id, root)
    return cpb.Checkpoint(
        id=entry.id,
        title=entry.title,
        licence=cpb.Licence(
            title=licence.title,
            url=licence.url,
            note=licence.note,
            sha256=licence.sha256,
            accepted=licence.sha256 in store.accepted_licences(root),
        ),
        pipelines=entry.pipelines,
        base=entry.base,
        download_bytes=entry.about_bytes,
        sources=[source.where for source in entry.sources],
        pullable=any(source.place != "by-hand" for source in entry.sources),
        ready=entry.ready,
        installed=None if record is None else _installed(record),
    )


def _installed(record: store.Record) -> cpb.InstalledCheckpoint:
    found = cpb.InstalledCheckpoint(
        size_bytes=record.size_bytes,
        source=record.source,
        original_sha256=record.original_sha256,
        official=record.details.get("official", ""),
    )
    with contextlib.suppress(ValueError):
        found.install_time.CopyFrom(
            Timestamp(seconds=int(datetime.fromisoformat(record.installed_at).timestamp()))
        )
    return found


def _progress(progress: Progress) -> cpb.PullProgress:
    return cpb.PullProgress(
        stage=progress.stage,
        done_bytes=max(progress.done_bytes, 0),
        total_bytes=progress.total_bytes,
        file=progress.file,
        source=progress.source,
    )
