"""The folder of installed checkpoints. Free of torch.

    ROOT/ID/checkpoint.json   where it came from, its files with size and SHA-256, the licence that was accepted
    ROOT/ID/content/          the files: a diffusers folder, or one converted safetensors file

ROOT is SAFELIGHT_CHECKPOINT_DIR, else a folder of the user's data.
"""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass, field
from pathlib import Path

import platformdirs

from safelight.errors import InvalidRequest

CHECKPOINT_DIR_VARIABLE = "SAFELIGHT_CHECKPOINT_DIR"
RECORD_NAME, CONTENT_NAME = "checkpoint.json", "content"
ID_PATTERN = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
RECORD_BYTES_MOST = 1 << 20


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
    if not ID_PATTERN.fullmatch(catalogue_id):
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
