"""`safelight models`: the weights that pipelines need. Listing, pulling and removing are the daemon's work; importing
and verifying read files of this machine.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

from rich.table import Column, Table

from safelight import runtime
from safelight.cli.console import Console
from safelight.client.checkpoints import Checkpoint, CheckpointsClient, PullProgress
from safelight.errors import NotReady, SafelightError
from safelight.settings import unknown_name

YES = ("y", "yes")


def run(given: argparse.Namespace, console: Console) -> int:
    actions: dict[str, Callable[[argparse.Namespace, Console], int]] = {
        "list": _list, "pull": _pull, "import": _import, "verify": _verify, "remove": _remove,
    }  # fmt: skip
    return actions[given.action](given, console)


def _client(console: Console) -> CheckpointsClient:
    return CheckpointsClient.chosen(on_start=lambda: console.say("starting the daemon"))


def _list(given: argparse.Namespace, console: Console) -> int:
    with _client(console) as client:
        found = client.checkpoints()
        folder, free_bytes = client.folder()
    table = Table(Column("id", no_wrap=True), "what it is", Column("size", no_wrap=True), "state")
    for checkpoint in found:
        there = checkpoint.installed
        table.add_row(
            checkpoint.id,
            f"{checkpoint.title}\n{checkpoint.licence.title}",
            size(there.size_bytes if there else checkpoint.download_bytes),
            _state(checkpoint),
        )
        console.event("checkpoint", **_as_json(checkpoint))
    console.table(table)
    used = sum(checkpoint.installed.size_bytes for checkpoint in found if checkpoint.installed)
    console.say("safelight models pull ID downloads one; import ID PATH takes a file or folder that you have")
    console.say(f"{folder}: {size(used)} used, {size(free_bytes)} free on its disk")
    console.event("folder", path=folder, used_bytes=used, free_bytes=free_bytes)
    return 0


def _state(checkpoint: Checkpoint) -> str:
    if checkpoint.installed is not None:
        return "installed" + (", not the authors' own file" if checkpoint.installed.official == "no" else "")
    if not checkpoint.ready:
        return "not used yet"
    if not checkpoint.pullable:
        return f"to be downloaded by hand: {checkpoint.sources[0]}"
    return "not installed"


def _pull(given: argparse.Namespace, console: Console) -> int:
    with _client(console) as client:
        found = {checkpoint.id: checkpoint for checkpoint in client.checkpoints()}
        for name in given.ids:
            if name not in found:
                raise unknown_name("checkpoint", name, list(found))
        for name in given.ids:
            there = found[name].installed
            if there is not None and there.source != "import":
                console.say(f"{name}: installed already; to download it anew: safelight models remove {name}")
                console.event("already_installed", id=name)
                continue
            accepted = _accepted(found[name], given, console)
            _pull_one(client, found[name], accepted, console)
        found = {checkpoint.id: checkpoint for checkpoint in client.checkpoints()}
    _say_what_is_missing(given.ids, found, console)
    return 0


def _accepted(checkpoint: Checkpoint, given: argparse.Namespace, console: Console) -> str:
    """Hash of the licence, once a person has accepted it."""
    licence = checkpoint.licence
    if licence.accepted:
        return licence.sha256
    _ask(checkpoint.id, licence.title, licence.url, licence.note, given, console)
    return licence.sha256


def _ask(
    checkpoint: str, title: str, url: str, note: str, given: argparse.Namespace, console: Console
) -> None:
    """Returns when the terms are accepted. Raises NotReady (LICENCE_NOT_ACCEPTED)."""
    console.say(f"{checkpoint} is under the licence {title}: {url}")
    if note:
        console.say(note)
    if given.accept_licence:
        return
    by_flag = "read it and add --accept-licence"
    if not console.json_lines and sys.stdin.isatty() and sys.stderr.isatty():
        console.say("Do you accept it? [y/N]")
        if sys.stdin.readline().strip().lower() in YES:
            return
        by_flag = "nothing was installed"
    raise NotReady(
        f"the licence of {checkpoint} ({title}, {url}) has not been accepted: {by_flag}",
        "LICENCE_NOT_ACCEPTED",
        details={"licence": title, "licence_url": url},
    )


def _pull_one(client: CheckpointsClient, checkpoint: Checkpoint, accepted: str, console: Console) -> None:
    with console.progress(checkpoint.id) as bar:

        def show(progress: PullProgress) -> None:
            bar.show_bytes(
                stage=progress.stage, done_bytes=progress.done_bytes, total_bytes=progress.total_bytes,
                file=progress.file,
            )  # fmt: skip

        done = client.pull(checkpoint.id, accepted, on_progress=show)
    assert done.installed is not None
    console.result(f"{done.id}: installed, {size(done.installed.size_bytes)}, from {done.installed.source}")
    console.event("installed", **_as_json(done))


def _say_what_is_missing(ids: list[str], found: dict[str, Checkpoint], console: Console) -> None:
    """What else the pipelines need for which these were pulled."""
    wanted = {pipeline for name in ids if name in found for pipeline in found[name].pipelines}
    for pipeline in sorted(wanted):
        missing = [c.id for c in found.values() if pipeline in c.pipelines and c.installed is None]
        if missing:
            console.say(f"the pipeline {pipeline} also needs: safelight models pull {' '.join(missing)}")


def _import(given: argparse.Namespace, console: Console) -> int:
    with _engine() as (catalogue, install, _):
        entry = catalogue.entry(given.id)
        folder = _store_folder()
        try:
            install.require_licence(entry, "", folder)
        except NotReady:
            licence = entry.licence
            install.require_ready(entry)
            _ask(entry.id, licence.title, licence.url, licence.note, given, console)
            install.require_licence(entry, licence.sha256, folder)
        with console.progress(entry.id) as bar:

            def show(progress: install.Progress) -> None:  # type: ignore[name-defined]
                bar.show_bytes(
                    stage=progress.stage, done_bytes=progress.done_bytes, total_bytes=progress.total_bytes,
                    file=progress.file,
                )  # fmt: skip

            record = install.import_path(entry, Path(given.path), root=folder, on_progress=show)
    told = _rescan()
    console.result(f"{entry.id}: imported, {size(record.size_bytes)}")
    if record.details.get("official") == "no":
        console.say("it is not the file that the authors publish (its hash differs); it was taken as yours")
    console.event(
        "imported", id=entry.id, size_bytes=record.size_bytes, original_sha256=record.original_sha256,
        official=record.details.get("official", ""), daemon_told=told,
    )  # fmt: skip
    return 0


def _verify(given: argparse.Namespace, console: Console) -> int:
    """Every file is hashed again; goes through all and fails when one is bad."""
    failed = 0
    with _engine() as (catalogue, _, store):
        folder = _store_folder()
        if given.id and store.read_record(given.id, folder) is None:
            catalogue.entry(given.id)  # an unknown one is told from one that is not installed
        ids = [given.id] if given.id else store.installed_ids(folder)
        for name in ids:
            try:
                with console.progress(name) as bar:
                    _verify_one(name, folder, store, bar.show_bytes)
            except NotReady as error:
                failed += 1
                console.error(error)
            else:
                console.result(f"{name}: all files are as they were installed")
                console.event("verified", id=name)
    if not ids:
        console.say("nothing is installed")
    return 1 if failed else 0


def _verify_one(name: str, folder: Path, store: ModuleType, show: Callable[..., None]) -> None:
    record = store.read_record(name, folder)
    total = record.size_bytes if record else 0
    done = 0

    def on_bytes(count: int) -> None:
        nonlocal done
        done += count
        show(stage="check", done_bytes=done, total_bytes=total, file="")

    store.verify(name, folder, on_bytes)


def _remove(given: argparse.Namespace, console: Console) -> int:
    with _client(console) as client:
        freed = client.remove(given.id)
    console.result(f"{given.id}: removed, {size(freed)} are free again")
    console.event("removed", id=given.id, freed_bytes=freed)
    return 0


@contextlib.contextmanager
def _engine() -> Iterator[tuple[ModuleType, ModuleType, ModuleType]]:
    """The daemon's half, on the daemon's machine. Raises NotReady (NO_DAEMON_PACKAGES) where it is not installed."""
    try:
        from safelight.engine.checkpoints import catalogue, install, store
    except ModuleNotFoundError as error:
        raise NotReady(
            f"the package {error.name} is missing: install safelight[daemon], or run this where the daemon runs",
            "NO_DAEMON_PACKAGES",
        ) from None
    yield catalogue, install, store


def _store_folder() -> Path:
    """The running daemon's folder; without one, what it would use when started from here."""
    from safelight.engine.checkpoints import store

    with contextlib.suppress(SafelightError), CheckpointsClient.local(start=False) as client:
        return Path(client.folder()[0])
    return store.checkpoint_dir()


def _rescan() -> bool:
    """Tells a running daemon; False when there is none."""
    if not runtime.daemon_alive(runtime.runtime_dir()):
        return False
    try:
        with CheckpointsClient.local(start=False) as client:
            client.rescan()
    except SafelightError:
        return False  # it looks again by itself at the next call
    return True


def size(count: int) -> str:
    """Bytes for people."""
    amount, units = float(count), ["bytes", "kB", "MB", "GB"]
    while amount >= 1000 and len(units) > 1:
        amount /= 1000
        units.pop(0)
    return f"{amount:.0f} {units[0]}" if units[0] == "bytes" else f"{amount:.1f} {units[0]}"


def _as_json(checkpoint: Checkpoint) -> dict[str, object]:
    there, licence = checkpoint.installed, checkpoint.licence
    return {
        "id": checkpoint.id,
        "title": checkpoint.title,
        "pipelines": list(checkpoint.pipelines),
        "base": checkpoint.base,
        "licence": licence.title,
        "licence_url": licence.url,
        "licence_sha256": licence.sha256,
        "licence_accepted": licence.accepted,
        "download_bytes": checkpoint.download_bytes,
        "sources": list(checkpoint.sources),
        "pullable": checkpoint.pullable,
        "ready": checkpoint.ready,
        "installed": there is not None,
        "size_bytes": there.size_bytes if there else None,
        "source": there.source if there else None,
        "original_sha256": there.original_sha256 if there else None,
        "official": there.official if there else None,
    }
