"""The folder of installed checkpoints. Free of torch.

    ROOT/ID/checkpoint.json   where it came from, its files with size and SHA-256, the licence that was accepted
    ROOT/ID/content/          the files: a diffusers folder, or one converted safetensors file
    ROOT/.partial/ID/         downloads that were broken off, to be resumed
    ROOT/.ID.*                an entry that is being installed or removed
    ROOT/.licences.json       accepted licences: hash -> name and time
    ROOT/.first-seen.json     SHA-256 that a source gave first, where the catalogue knows none

ROOT is SAFELIGHT_CHECKPOINT_DIR, else a folder of the user's data. An entry appears and vanishes by one rename.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import filelock
import platformdirs

from safelight.errors import InvalidRequest, NotFound, NotReady, TooMuch

CHECKPOINT_DIR_VARIABLE = "SAFELIGHT_CHECKPOINT_DIR"
RECORD_NAME, CONTENT_NAME = "checkpoint.json", "content"
ID_PATTERN = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
PARTIAL_NAME, LICENCES_NAME, FIRST_SEEN_NAME = ".partial", ".licences.json", ".first-seen.json"
RECORD_BYTES_MOST = 1 << 20
HASH_CHUNK_BYTES = 1 << 20
NO_SPACE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
LOCK_WAIT_S = 10.0  # small files: whoever holds the lock writes a few lines
SPARE_BYTES = 64 << 20  # a disk filled to its last byte hurts everybody


def checkpoint_dir() -> Path:
    """Where checkpoints are kept; may not exist yet."""
    if chosen := os.environ.get(CHECKPOINT_DIR_VARIABLE):
        return Path(chosen).absolute()
    return Path(platformdirs.user_data_dir("safelight", appauthor=False)) / "checkpoints"


@dataclass(frozen=True)
class StoredFile:
    """One file of an installed checkpoint."""

    name: str
    """Path inside `content`, with `/`."""
    size_bytes: int
    sha256: str


@dataclass(frozen=True)
class Record:
    """What checkpoint.json says."""

    id: str
    main: str
    """File or folder inside `content` that pipelines are given; empty: `content` itself."""
    source: str
    """Where it came from: a hub repository, a link, or `import`."""
    files: tuple[StoredFile, ...] = ()
    original_sha256: str = ""
    """Of the authors' file, where that was converted."""
    licence: str = ""
    """Hash of the licence's terms as accepted."""
    installed_at: str = ""
    """UTC, ISO 8601."""
    details: dict[str, str] = field(default_factory=dict)

    @property
    def size_bytes(self) -> int:
        return sum(file.size_bytes for file in self.files)


def entry_dir(catalogue_id: str, root: Path | None = None) -> Path:
    """Folder of one checkpoint, there or not. Raises InvalidRequest for an id that is no plain name, or whose
    folder is a link out of the store."""
    root = root or checkpoint_dir()
    if not ID_PATTERN.fullmatch(catalogue_id) or _reserved(catalogue_id):
        raise InvalidRequest(
            f"{catalogue_id[:80]!r} is no id of a checkpoint: give letters, digits, dots and dashes",
            "CHECKPOINT_ID",
        )
    folder = root / catalogue_id
    if folder.resolve().parent != root.resolve():
        raise InvalidRequest(
            f"the checkpoint folder {folder} leads out of the store: remove the link", "CHECKPOINT_ID"
        )
    return folder


def read_record(catalogue_id: str, root: Path | None = None) -> Record | None:
    """None when it is not installed or its record cannot be read."""
    path = entry_dir(catalogue_id, root) / RECORD_NAME
    try:
        if path.stat().st_size > RECORD_BYTES_MOST:
            return None
        found = json.loads(path.read_text(encoding="utf-8"))
        files = tuple(StoredFile(**file) for file in found.pop("files"))
        return Record(**found, files=files)
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None


def installed_path(catalogue_id: str) -> Path | None:
    """File (converted checkpoints) or folder (bases) of an installed checkpoint; None when it is not there.

    Cheap: looks, does not hash. Raises InvalidRequest for an id that is no plain name.
    """
    record = read_record(catalogue_id)
    if record is None:
        return None
    content = (entry_dir(catalogue_id) / CONTENT_NAME).resolve()
    path = (content / record.main).resolve()
    inside = path == content or content in path.parents
    return path if inside and path.exists() else None


def _reserved(name: str) -> bool:
    """Names that Windows takes for devices, whatever follows their first dot."""
    return bool(re.fullmatch(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", name))


@contextmanager
def changing(catalogue_id: str, root: Path) -> Iterator[Path]:
    """A folder beside the entry to build its next state in, under a lock that other processes respect; it is gone
    afterwards unless `put` gave it the entry's name. Raises TooMuch (CHECKPOINT_BUSY, DISK_FULL)."""
    entry_dir(catalogue_id, root)
    try:
        root.mkdir(parents=True, exist_ok=True)
        with filelock.FileLock(root / f".{catalogue_id}.lock", timeout=0):
            for left in root.glob(f".{catalogue_id}.*.staging"):
                shutil.rmtree(left, ignore_errors=True)
            staging = root / f".{catalogue_id}.{secrets.token_hex(8)}.staging"
            (staging / CONTENT_NAME).mkdir(parents=True)
            try:
                yield staging
            finally:
                shutil.rmtree(staging, ignore_errors=True)
    except filelock.Timeout:
        raise TooMuch(
            f"the checkpoint {catalogue_id} is being installed or removed already: wait until that is done",
            "CHECKPOINT_BUSY",
        ) from None
    except OSError as error:
        raise disk_full(root, error) from None


def put(staging: Path, record: Record, root: Path) -> None:
    """Gives a finished folder the entry's name; what was there before goes."""
    write_json(staging / RECORD_NAME, {**asdict(record), "files": [asdict(file) for file in record.files]})
    for folder in {path.parent for path in staging.rglob("*")}:
        sync_folder(folder)
    target = entry_dir(record.id, root)
    with _moved_away(target):
        staging.rename(target)
    sync_folder(root)


def remove(catalogue_id: str, root: Path | None = None) -> int:
    """Bytes that were freed. Raises NotFound (CHECKPOINT_NOT_INSTALLED), TooMuch (CHECKPOINT_BUSY)."""
    root = root or checkpoint_dir()
    folder = entry_dir(catalogue_id, root)
    partial = root / PARTIAL_NAME / catalogue_id
    if not folder.exists() and not partial.exists():
        raise NotFound(
            f"the checkpoint {catalogue_id} is not installed: safelight models list shows what is",
            "CHECKPOINT_NOT_INSTALLED",
        )
    freed = disk_bytes(folder) + disk_bytes(partial)
    with changing(catalogue_id, root), _moved_away(folder):
        shutil.rmtree(partial, ignore_errors=True)
    return freed


@contextmanager
def _moved_away(folder: Path) -> Iterator[None]:
    """Inside, `folder` is free; afterwards its old content is deleted, or back where it was when that failed."""
    if not folder.exists():
        yield
        return
    old = folder.with_name(f".{folder.name}.{secrets.token_hex(8)}.staging")
    folder.rename(old)
    try:
        yield
    except BaseException:
        if not folder.exists():
            old.rename(folder)
        raise
    shutil.rmtree(old, ignore_errors=True)


def installed_ids(root: Path | None = None) -> list[str]:
    """Entries with a readable record."""
    root = root or checkpoint_dir()
    if not root.is_dir():
        return []
    names = sorted(path.name for path in root.iterdir() if ID_PATTERN.fullmatch(path.name))
    return [name for name in names if read_record(name, root) is not None]


def disk_bytes(folder: Path) -> int:
    """What the files below a folder take; 0 when it is not there."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def verify(
    catalogue_id: str, root: Path | None = None, on_bytes: Callable[[int], None] = lambda done: None
) -> None:
    """Hashes every file again. Raises NotReady (CHECKPOINT_MISSING, CHECKPOINT_DAMAGED) naming the first bad one."""
    record = read_record(catalogue_id, root)
    if record is None:
        raise NotReady(
            f"the checkpoint {catalogue_id} is not installed: safelight models pull {catalogue_id}",
            "CHECKPOINT_MISSING",
            details={"checkpoint": catalogue_id},
        )
    content = entry_dir(catalogue_id, root) / CONTENT_NAME
    for file in record.files:
        path = content / file.name
        if not path.is_file() or path.stat().st_size != file.size_bytes:
            what = "is missing" if not path.is_file() else f"has {path.stat().st_size} bytes"
        elif file_sha256(path, on_bytes) != file.sha256:
            what = "has changed since it was installed"
        else:
            continue
        raise NotReady(
            f"the file {file.name} of the checkpoint {catalogue_id} {what}: remove it and install it again",
            "CHECKPOINT_DAMAGED",
            details={"checkpoint": catalogue_id, "file": file.name},
        )


def stored_files(content: Path) -> tuple[StoredFile, ...]:
    """Every file below `content` with its size and hash."""
    paths = sorted(path for path in content.rglob("*") if path.is_file())
    return tuple(
        StoredFile(path.relative_to(content).as_posix(), path.stat().st_size, file_sha256(path))
        for path in paths
    )


def file_sha256(path: Path, on_bytes: Callable[[int], None] = lambda done: None) -> str:
    """Reads the whole file; 1 GB takes about two seconds."""
    return _digest(path, hashlib.sha256(), on_bytes)


def file_git_blob(path: Path) -> str:
    """The id under which git would keep the file: SHA-1 of a short header and its bytes."""
    return _digest(path, hashlib.sha1(b"blob %d\0" % path.stat().st_size, usedforsecurity=False))


def _digest(path: Path, digest: Any, on_bytes: Callable[[int], None] = lambda done: None) -> str:
    with path.open("rb") as file:
        while chunk := file.read(HASH_CHUNK_BYTES):
            digest.update(chunk)
            on_bytes(len(chunk))
    return str(digest.hexdigest())


def accepted_licences(root: Path | None = None) -> set[str]:
    """Hashes of the licences that somebody accepted on this machine."""
    return set(read_json((root or checkpoint_dir()) / LICENCES_NAME))


def accept_licence(sha256: str, title: str, root: Path | None = None) -> None:
    """Remembers it, so that it is asked for once."""
    root = root or checkpoint_dir()
    _update_json(root / LICENCES_NAME, sha256, {"title": title, "accepted_at": now()})


def first_seen(place: str, root: Path | None = None) -> str:
    """SHA-256 that `place` (source and path) gave first; empty: never seen."""
    found = read_json((root or checkpoint_dir()) / FIRST_SEEN_NAME).get(place, "")
    return found if isinstance(found, str) else ""


def remember_first(place: str, sha256: str, root: Path | None = None) -> None:
    """Keeps what is known already."""
    root = root or checkpoint_dir()
    if not first_seen(place, root):
        _update_json(root / FIRST_SEEN_NAME, place, sha256)


def _update_json(path: Path, key: str, value: object) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with filelock.FileLock(path.with_name(path.name + ".lock"), timeout=LOCK_WAIT_S):
            write_json(path, {**read_json(path), key: value})
    except OSError as error:
        raise disk_full(path.parent, error) from None


def read_json(path: Path) -> dict[str, Any]:
    """Empty when the file is not there or damaged."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def write_json(path: Path, value: object) -> None:
    """In one step: no reader sees half of it."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        with temporary.open("x", encoding="utf-8") as file:
            json.dump(value, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """Makes renames in it lasting, where the system knows how."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def disk_full(folder: Path, error: OSError) -> TooMuch:
    """For any failed write into the store."""
    if error.errno in NO_SPACE:
        return TooMuch(
            f"no space is left on the disk of {folder}: make room, or name another folder in "
            f"{CHECKPOINT_DIR_VARIABLE}",
            "DISK_FULL",
            details={"folder": str(folder)},
        )
    return TooMuch(
        f"the checkpoint folder {folder} cannot be written ({error.strerror}): make it yours, or name another "
        f"in {CHECKPOINT_DIR_VARIABLE}",
        "CHECKPOINT_DIR",
        details={"folder": str(folder)},
    )


def require_space(folder: Path, needed_bytes: int) -> None:
    """Raises TooMuch (DISK_FULL) before anything is written."""
    free = shutil.disk_usage(folder).free
    if free < needed_bytes + SPARE_BYTES:
        raise TooMuch(
            f"{needed_bytes / 1e9:.1f} GB are needed and {free / 1e9:.1f} GB are free on the disk of {folder}: "
            f"make room, or name another folder in {CHECKPOINT_DIR_VARIABLE}",
            "DISK_FULL",
            details={"needed_bytes": str(needed_bytes), "free_bytes": str(free), "folder": str(folder)},
        )


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
