"""Installs a catalogue entry: from its sources, or from a file or folder of this machine. Free of torch.

Either way the files land in a folder beside the store's entry, are checked there, and appear in one step.
"""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from safelight.engine.checkpoints import download, store
from safelight.engine.checkpoints.catalogue import CatalogueEntry, CatalogueFile, Source, needed_by
from safelight.engine.checkpoints.download import Places
from safelight.errors import Cancelled, InvalidRequest, NotReady

COPY_CHUNK_BYTES = 4 << 20
IMPORTED = "import"


@dataclass(frozen=True)
class Progress:
    """How far an installation is."""

    stage: str
    """ask, download, check, convert, copy."""
    done_bytes: int = 0
    total_bytes: int = 0
    """0: not known yet."""
    file: str = ""
    source: str = ""


OnProgress = Callable[[Progress], None]


def require_licence(entry: CatalogueEntry, accepted: str, root: Path) -> None:
    """Remembers an acceptance; raises NotReady (LICENCE_NOT_ACCEPTED) when neither this call nor an earlier one
    accepts what the catalogue says now."""
    licence = entry.licence
    if licence.sha256 in store.accepted_licences(root):
        return
    if accepted != licence.sha256:
        raise NotReady(
            f"the licence of {entry.id} has to be accepted first: {licence.title}, {licence.url}",
            "LICENCE_NOT_ACCEPTED",
            details={"licence": licence.title, "licence_url": licence.url, "licence_sha256": licence.sha256},
        )
    store.accept_licence(licence.sha256, licence.title, root)


def pull(
    entry: CatalogueEntry,
    *,
    root: Path | None = None,
    places: Places | None = None,
    on_progress: OnProgress = lambda progress: None,
    cancelled: threading.Event | None = None,
) -> store.Record:
    """Downloads from the first source that has everything, checks, converts and installs. The licence is the
    caller's business.

    Raises NotReady (CHECKPOINT_NOT_DOWNLOADED, CHECKPOINT_HASH, CHECKPOINT_DAMAGED, CHECKPOINT_NOT_USED),
    TooMuch (DISK_FULL, CHECKPOINT_BUSY), Cancelled.
    """
    root = root or store.checkpoint_dir()
    require_ready(entry)
    run = _Pull(entry, root, places or Places.of_environment(), on_progress, cancelled or threading.Event())
    with store.changing(entry.id, root) as staging:
        source = run.first_good()
        record = _finish(entry, run.parts(source), staging, root, source.key, on_progress, move=True)
    shutil.rmtree(root / store.PARTIAL_NAME / entry.id, ignore_errors=True)
    return record


def import_path(
    entry: CatalogueEntry,
    path: Path,
    *,
    root: Path | None = None,
    on_progress: OnProgress = lambda progress: None,
) -> store.Record:
    """Copies a file or folder of this machine into the store, converted where the entry is a pickle. A copy whose
    hash differs from the authors' file is taken (details: `official` is no): people tune their own.

    Raises InvalidRequest (CHECKPOINT_UNREADABLE, CHECKPOINT_FOREIGN), NotReady (CHECKPOINT_DAMAGED,
    CHECKPOINT_NOT_USED), TooMuch (DISK_FULL, CHECKPOINT_BUSY).
    """
    root = root or store.checkpoint_dir()
    require_ready(entry)
    found = _files_at(entry, path)
    with store.changing(entry.id, root) as staging:
        if entry.kind is None:
            store.require_space(root, sum(origin.stat().st_size for origin in found.values()))
        return _finish(entry, found, staging, root, IMPORTED, on_progress, move=False)


def require_ready(entry: CatalogueEntry) -> None:
    """Raises NotReady (CHECKPOINT_NOT_USED) for an entry that no pipeline of this version can use."""
    if not entry.ready:
        raise NotReady(
            f"no pipeline of this version uses {entry.id} yet: nothing was installed", "CHECKPOINT_NOT_USED"
        )


def missing(pipeline: str, root: Path | None = None) -> list[str]:
    """Ids that a pipeline needs and that are not installed, in the order to install: for `safelight models pull`."""
    return [e.id for e in needed_by(pipeline) if store.read_record(e.id, root) is None]


class _Pull:
    """The tries of one pull."""

    def __init__(
        self,
        entry: CatalogueEntry,
        root: Path,
        places: Places,
        on_progress: OnProgress,
        cancelled: threading.Event,
    ) -> None:
        self._entry, self._root, self._places = entry, root, places
        self._on_progress, self._cancelled = on_progress, cancelled

    def first_good(self) -> Source:
        """The first source from which every file came and was right."""
        failures: list[NotReady] = []
        for source in self._entry.sources:
            if source.place == "by-hand":
                continue
            try:
                self._from(source)
                return source
            except NotReady as failure:
                failures.append(failure)
        raise self._none_left(failures)

    def parts(self, source: Source) -> dict[str, Path]:
        folder = self._root / store.PARTIAL_NAME / self._entry.id / _folder_name(source)
        return {file.name: folder / f"{file.name}.part" for file in self._entry.files}

    def _from(self, source: Source) -> None:
        entry, parts = self._entry, self.parts(source)
        self._on_progress(Progress("ask", source=source.where))
        remotes = {}
        for file in entry.files:
            self._require_going()
            remotes[file.name] = download.ask(source, file, self._places)
        total = sum(remote.size_bytes or 0 for remote in remotes.values()) or entry.about_bytes
        done = 0

        def on_bytes(change: int) -> None:
            nonlocal done
            done += change
            self._on_progress(Progress("download", done, total, file.name, source.where))

        for file in entry.files:
            download.fetch(
                remotes[file.name],
                source,
                file,
                parts[file.name],
                on_bytes=on_bytes,
                cancelled=self._cancelled,
            )
            self._require_going()
            self._on_progress(Progress("check", done, total, file.name, source.where))
            download.check_hashes(parts[file.name], remotes[file.name], source, file, self._root)

    def _require_going(self) -> None:
        if self._cancelled.is_set():
            raise Cancelled("the download was cancelled: ask again and it goes on from there", "CANCELLED")

    def _none_left(self, failures: list[NotReady]) -> NotReady:
        by_hand = [source.where for source in self._entry.sources if source.place == "by-hand"]
        advice = (
            f"try again later, or import a copy that you trust: safelight models import {self._entry.id} PATH"
        )
        if by_hand:
            advice = f"download it from {by_hand[0]} and run safelight models import {self._entry.id} FILE"
        if not failures:
            return NotReady(
                f"{self._entry.id} cannot be downloaded by a program: {advice}", "CHECKPOINT_NOT_DOWNLOADED"
            )
        last = failures[-1]
        told = "; ".join(failure.message for failure in failures)
        return NotReady(f"{told}; {advice}", last.reason, details=last.details)


def _folder_name(source: Source) -> str:
    return "".join(c if c.isalnum() or c in "-_." else "_" for c in source.key)


def _files_at(entry: CatalogueEntry, path: Path) -> dict[str, Path]:
    """Where each file of the entry is, at or below `path`."""
    if path.is_file() and len(entry.files) == 1:
        return {entry.files[0].name: path}
    if not path.is_dir():
        what = "a folder" if len(entry.files) > 1 else "a file"
        raise InvalidRequest(
            f"{path} is not {what}: {entry.id} is {_listed(entry.files)}", "CHECKPOINT_UNREADABLE"
        )
    found = {}
    for file in entry.files:
        there = [path / name for name in (file.name, *file.alternatives) if (path / name).is_file()]
        if not there:
            raise InvalidRequest(
                f"the folder {path} has no {file.name}: {_instead(entry, file, path)}",
                "CHECKPOINT_FOREIGN",
                details={"missing": file.name},
            )
        found[file.name] = there[0]
    return found


def _instead(entry: CatalogueEntry, file: CatalogueFile, path: Path) -> str:
    """What to do about a file that a folder lacks."""
    if file.name.endswith(".safetensors") and any((path / file.name).parent.glob("*.bin")):
        return (
            "its .bin files are pickles, which Safelight does not read for bases; take a copy with safetensors files "
            f"(safelight models pull {entry.id}), or make one: diffusers' DiffusionPipeline.from_pretrained(OLD)"
            ".save_pretrained(NEW)"
        )
    return f"{entry.id} is {_listed(entry.files)}"


def _listed(files: tuple[CatalogueFile, ...]) -> str:
    names = [file.name for file in files]
    return names[0] if len(names) == 1 else f"{len(names)} files such as {names[0]} and {names[-1]}"


def _finish(
    entry: CatalogueEntry,
    origins: dict[str, Path],
    staging: Path,
    root: Path,
    source: str,
    on_progress: OnProgress,
    *,
    move: bool,
) -> store.Record:
    """Fills `content`, checks it and installs it."""
    content = staging / store.CONTENT_NAME
    details: dict[str, str] = {}
    main = ""
    if entry.kind is not None:
        original = origins[entry.files[0].name]
        store.require_space(root, original.stat().st_size)  # the converted file is as large
        details["official"] = _official(entry.files[0], original)
        details["original_sha256"] = store.file_sha256(original)
        on_progress(Progress("convert", file=original.name))
        main = entry.converted_name
        _convert(entry, original, content / main, root, called=entry.files[0].name if move else original.name)
    else:
        _bring(origins, content, on_progress, move=move)
        _check_plain(content)
        if len(entry.files) == 1:
            main = entry.files[0].name
    on_progress(Progress("check"))
    record = store.Record(
        entry.id,
        main,
        source,
        store.stored_files(content),
        details.pop("original_sha256", ""),
        entry.licence.sha256,
        store.now(),
        details,
    )
    store.put(staging, record, root)
    return record


def _official(file: CatalogueFile, path: Path) -> str:
    if file.sha256:
        return "yes" if store.file_sha256(path) == file.sha256 else "no"
    if file.git_blob:
        return "yes" if store.file_git_blob(path) == file.git_blob else "no"
    return "unknown"


def _convert(entry: CatalogueEntry, original: Path, target: Path, root: Path, *, called: str) -> None:
    """Converted, and compared with the base when that is installed; else the pipeline does so when it loads. `called`
    is the file's name in messages."""
    from safelight.engine.checkpoints.convert import convert_official

    kind = entry.kind
    assert kind is not None
    convert_official(original, target, kind, called=called)
    from safelight.engine.checkpoints.layout import BASELESS, check_layout

    base = root / entry.base / store.CONTENT_NAME if entry.base and kind not in BASELESS else None
    if kind in BASELESS or (base is not None and base.is_dir()):
        check_layout(target, kind, base, called=called, base_called=entry.base)


def _bring(origins: dict[str, Path], content: Path, on_progress: OnProgress, *, move: bool) -> None:
    total = sum(path.stat().st_size for path in origins.values())
    done = 0
    for name, origin in origins.items():
        target = content / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if move:
            origin.rename(target)
            continue
        with origin.open("rb") as read, target.open("wb") as written:
            while chunk := read.read(COPY_CHUNK_BYTES):
                written.write(chunk)
                done += len(chunk)
                on_progress(Progress("copy", done, total, name, IMPORTED))


def _check_plain(content: Path) -> None:
    """Safetensors and JSON files can be read at all; which tensors they hold their pipeline's loader checks."""
    import json

    from safetensors import SafetensorError, safe_open

    for path in sorted(content.rglob("*")):
        try:
            if path.suffix == ".safetensors":
                with safe_open(path, framework="np"):
                    pass
            elif path.suffix == ".json":
                json.loads(path.read_text(encoding="utf-8"))
        except (SafetensorError, ValueError, OSError):
            raise NotReady(
                f"the file {path.relative_to(content).as_posix()} is damaged or cut short: get another copy",
                "CHECKPOINT_DAMAGED",
                details={"file": path.name},
            ) from None
