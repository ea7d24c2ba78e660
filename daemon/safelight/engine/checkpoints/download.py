"""One file from a public place onto the disk, resumed where it was broken off.

The HTTP work is `huggingface_hub`'s: redirects, retries after a broken connection, ranges. Its own download throws
away what a failed run left behind, so the partial file is kept here, with the server's tag beside it; a later run, also
of another process, goes on from there when the tag is the same. No credentials are sent.
"""

from __future__ import annotations

import os
import re
import threading
import urllib.parse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from safelight.engine.checkpoints import store
from safelight.engine.checkpoints.catalogue import CatalogueFile, Source
from safelight.errors import Cancelled, NotReady, TooMuch

HUB_VARIABLE = "HF_ENDPOINT"  # what the hub's own tools read; people behind a firewall set a mirror there
GITHUB_VARIABLE = "SAFELIGHT_GITHUB_ENDPOINT"
HUB, GITHUB = "https://huggingface.co", "https://raw.githubusercontent.com"
SPACES = "spaces/"
FILE_BYTES_MOST = 50 << 30  # the hub serves no larger ones over plain HTTP
ASK_WAIT_S = 10.0
CHUNK_BYTES = (
    256 << 10
)  # the client's own 10 MiB are lost when a connection breaks, and make it slow to cancel


@dataclass(frozen=True)
class Places:
    """Where the hub and GitHub's files are served from."""

    hub: str
    github: str

    @classmethod
    def of_environment(cls) -> Places:
        return cls(
            (os.environ.get(HUB_VARIABLE) or HUB).rstrip("/"),
            (os.environ.get(GITHUB_VARIABLE) or GITHUB).rstrip("/"),
        )


@dataclass(frozen=True)
class Remote:
    """A file as its server describes it."""

    location: str
    size_bytes: int | None
    tag: str
    """The server's ETag."""
    commit: str
    sha256: str
    """Empty where the server states none."""


def address(source: Source, path: str, places: Places) -> str:
    """URL of one file of a hub or GitHub source."""
    if source.place == "hub":
        from huggingface_hub import hf_hub_url

        space = source.where.startswith(SPACES)
        return hf_hub_url(
            source.where.removeprefix(SPACES),
            path,
            repo_type="space" if space else "model",
            revision=source.revision,
            endpoint=places.hub,
        )
    return f"{places.github}/{source.where}/{source.revision}/{urllib.parse.quote(path)}"


def ask(source: Source, file: CatalogueFile, places: Places) -> Remote:
    """What the server says of the file, without its bytes. Raises NotReady (CHECKPOINT_NOT_DOWNLOADED) when it is
    not there or of another size than the catalogue says."""
    from huggingface_hub import get_hf_file_metadata

    url = address(source, source.path_of(file.name), places)
    with _network_errors(source, file):
        found = get_hf_file_metadata(url, token=False, timeout=ASK_WAIT_S)
    if found.size is not None and found.size > FILE_BYTES_MOST:
        raise _failed(source, file, f"it has {found.size} bytes, more than {FILE_BYTES_MOST}")
    if None not in (found.size, file.size_bytes) and found.size != file.size_bytes:
        raise _failed(source, file, f"it has {found.size} bytes, not {file.size_bytes}")
    tag = found.etag or ""
    # the hub's tag of a large file is its SHA-256; GitHub's looks the same and is a hash of something else
    stated = source.place == "hub" and re.fullmatch(r"[0-9a-f]{64}", tag)
    return Remote(found.location, found.size, tag, found.commit_hash or "", tag if stated else "")


def fetch(
    remote: Remote,
    source: Source,
    file: CatalogueFile,
    part: Path,
    *,
    on_bytes: Callable[[int], None],
    cancelled: threading.Event,
) -> None:
    """Completes `part`. `on_bytes` gets the change of the number of bytes there (negative when a server begins anew).

    Raises NotReady (CHECKPOINT_NOT_DOWNLOADED), TooMuch (DISK_FULL), Cancelled; what came stays for the next time.
    """
    from huggingface_hub import constants
    from huggingface_hub.file_download import http_get

    constants.DOWNLOAD_CHUNK_SIZE = CHUNK_BYTES
    part.parent.mkdir(parents=True, exist_ok=True)
    there = _resumable_bytes(part, remote)
    if remote.size_bytes is not None:
        store.require_space(part.parent, remote.size_bytes - there)
    on_bytes(there)
    with _network_errors(source, file), part.open("r+b") as written:
        written.seek(there)
        http_get(
            remote.location,
            written,
            resume_size=there,
            headers={"Accept-Encoding": "identity"},  # else ranges count in compressed bytes
            expected_size=remote.size_bytes,
            displayed_filename=file.name,
            tqdm_class=_meter(on_bytes, cancelled),
        )


def _resumable_bytes(part: Path, remote: Remote) -> int:
    """How much of the same file is there already; a part of another one is emptied."""
    tag_path = part.with_name(part.name + ".json")
    known = {"tag": remote.tag, "size_bytes": remote.size_bytes}
    size = part.stat().st_size if part.exists() else 0
    same = bool(remote.tag) and store.read_json(tag_path) == known and size <= (remote.size_bytes or 0)
    try:
        if not same:
            part.write_bytes(b"")
            store.write_json(tag_path, known)
    except OSError as error:
        raise store.disk_full(part.parent, error) from None
    return size if same else 0


def check_hashes(part: Path, remote: Remote, source: Source, file: CatalogueFile, root: Path) -> str:
    """SHA-256 of the finished file, compared with every hash that is known of it. Raises NotReady (CHECKPOINT_HASH);
    the file is deleted then."""
    place = f"{source.key}/{source.path_of(file.name)}"
    found = store.file_sha256(part)
    stated = file.sha256 or remote.sha256
    known = stated or store.first_seen(place, root)
    wrong = bool(known) and found != known
    if file.git_blob and not file.sha256:
        wrong = wrong or store.file_git_blob(part) != file.git_blob
    if not wrong:
        store.remember_first(place, found, root)
        return found
    part.unlink()
    wanted = f"SHA-256 {known}" if known and found != known else f"git object {file.git_blob}"
    raise NotReady(
        f"{file.name} from {source.where} is not the file it should be (it has the SHA-256 {found[:12]}..., wanted "
        f"is the {wanted[:20]}...), nothing was installed",
        "CHECKPOINT_HASH",
        details={"file": file.name, "source": source.key, "found": found, "wanted": wanted},
    )


def _meter(on_bytes: Callable[[int], None], cancelled: threading.Event) -> Any:
    """What the hub's client takes for a progress bar; breaking off goes through it too."""

    class Meter:
        def __init__(self, **unused: Any) -> None:
            pass

        def __enter__(self) -> Meter:
            return self

        def __exit__(
            self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
        ) -> None:
            pass

        def update(self, count: int) -> None:
            if cancelled.is_set():
                raise Cancelled(
                    "the download was cancelled: ask again and it goes on from there", "CANCELLED"
                )
            on_bytes(count)

    return Meter


@contextmanager
def _network_errors(source: Source, file: CatalogueFile) -> Iterator[None]:
    """Turns what the hub's client lets through into our errors."""
    try:
        yield
    except (Cancelled, TooMuch):
        raise
    except Exception as error:  # which HTTP library raises what changes between versions of the client
        if isinstance(error, OSError) and error.errno in store.NO_SPACE:
            raise store.disk_full(store.checkpoint_dir(), error) from None
        raise _failed(source, file, _in_short(error)) from None


def _in_short(error: Exception) -> str:
    status = getattr(getattr(error, "response", None), "status_code", None)
    if status is not None:
        return f"the server answers {status}"
    text = (str(error).splitlines() or [""])[0]
    return re.sub(r"https?://\S+", "", text)[:120].strip() or type(error).__name__


def _failed(source: Source, file: CatalogueFile, why: str) -> NotReady:
    return NotReady(
        f"{file.name} could not be downloaded from {source.where}: {why}",
        "CHECKPOINT_NOT_DOWNLOADED",
        details={"source": source.key, "file": file.name},
    )
