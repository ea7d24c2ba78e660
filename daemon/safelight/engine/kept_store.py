"""Kept canvases on the user's disk: found by key, bounded in bytes, the least recently used go first.

What is given to `keep` can be found at once; it is written by a thread of its own when the job's rows are sent, so
neither a full disk nor a slow one holds up a result. A file appears under its name only when it is whole. Everything
here is a cache: whatever goes wrong, the job computes. Free of torch.
"""

from __future__ import annotations

import contextlib
import logging
import os
import secrets
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from safelight.engine.kept_canvas import KeptCanvas, KeptFileDamaged, read_kept, write_kept
from safelight.engine.request import nothing

log = logging.getLogger(__name__)

KEPT_BYTES_MOST = 2 << 30
"""Three 24-megapixel pictures at output scale 2, or a day of selections: as much as browsers' caches take."""
FREE_LEAST_BYTES = 1 << 30
"""Left free on the disk: keeping must not be what fills it."""
PENDING_BYTES_MOST = 512 << 20
"""Kept and not yet written: each may hold memory that its job would have given back. One is always taken."""
PART_LIFE_S = 3600.0
"""A half-written file of that age belongs to no daemon that is alive."""
SUFFIX, PART_SUFFIX = ".kept", ".part"


class KeptStore:
    """See the module. Calls may come from any thread."""

    def __init__(self, folder: Path, *, limit_bytes: int = KEPT_BYTES_MOST) -> None:
        """Makes `folder` with mode 0700. With a limit of 0, or a folder that cannot be made private, nothing is
        kept."""
        self.folder = folder
        self.limit_bytes = limit_bytes
        self._lock = threading.Lock()
        self._pending: dict[str, KeptCanvas] = {}
        self._checked: set[str] = set()  # keys of files that were read once, or written, by this process
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="safelight-kept")
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            folder.chmod(0o700)
            self._sweep()
        except OSError as error:
            log.warning("nothing is kept: %s", error)
            self.limit_bytes = 0

    def find(self, key: str) -> KeptCanvas | None:
        """What was kept under `key`; a damaged file is removed."""
        with self._lock:
            if key in self._pending:
                return self._pending[key]
        path = self._path(key)
        try:
            found = read_kept(path, key, check=key not in self._checked)
            os.utime(path)  # used now
        except FileNotFoundError:
            return None
        except (OSError, KeptFileDamaged) as error:
            log.warning("a kept result cannot be read and is removed: %s", error)
            self._remove(path)
            return None
        self._checked.add(key)
        return found

    def keep(self, kept: KeptCanvas) -> Callable[[], None]:
        """Takes it unless what is there already has all its tiles. Gives what begins to write it, and returns at
        once; whoever calls must call that too."""
        if not 0 < kept.bytes <= self.limit_bytes:
            return nothing
        there = self.find(kept.key)
        if there is not None and there.tiles.keys() >= kept.tiles.keys():
            return nothing
        with self._lock:
            waiting = sum(k.bytes for k in self._pending.values() if k.key != kept.key)
            if waiting and waiting + kept.bytes > PENDING_BYTES_MOST:
                log.info("a result is not kept: the disk is too slow")
                return nothing
            self._pending[kept.key] = kept

        def write() -> None:
            with contextlib.suppress(RuntimeError):  # closed: the daemon is going down
                self._writer.submit(self._write, kept)

        return write

    def usage(self) -> tuple[int, int]:
        """Number of kept results and the bytes they take."""
        sizes = [size for _, size, _ in self._files()]
        return len(sizes), sum(sizes)

    def forget(self) -> int:
        """Removes all; gives the bytes that are free now."""
        with self._lock:
            self._pending.clear()
        freed = 0
        for _, size, path in self._files():
            freed += size
            self._remove(path)
        return freed

    def close(self) -> None:
        """Waits for what is being written."""
        self._writer.shutdown()

    # -- on the writer's thread --------------------------------------------------------------------

    def _write(self, kept: KeptCanvas) -> None:
        part = self.folder / f".{secrets.token_hex(8)}{PART_SUFFIX}"
        try:
            if self._pending.get(kept.key) is kept and self._room(kept):
                self._write_part(part, kept)
                self._publish(part, kept)
        except OSError as error:
            log.warning("a result is not kept: %s", error)
        except Exception:  # the thread's outermost loop
            log.exception("a result is not kept")
        finally:
            self._remove(part)
            with self._lock:
                if self._pending.get(kept.key) is kept:
                    del self._pending[kept.key]

    def _room(self, kept: KeptCanvas) -> bool:
        """Evicts others for its sake; False where the disk would become too full all the same."""
        self._evict(self.limit_bytes - kept.bytes, besides=self._path(kept.key))
        return shutil.disk_usage(self.folder).free - kept.bytes >= FREE_LEAST_BYTES

    @staticmethod
    def _write_part(part: Path, kept: KeptCanvas) -> None:
        handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
        with os.fdopen(handle, "wb") as file:
            write_kept(file, kept)

    def _publish(self, part: Path, kept: KeptCanvas) -> None:
        with self._lock:  # what was forgotten meanwhile stays so
            if self._pending.get(kept.key) is kept:
                part.replace(self._path(kept.key))
                self._checked.add(kept.key)

    # -- files -------------------------------------------------------------------------------------

    def _path(self, key: str) -> Path:
        return self.folder / f"{key}{SUFFIX}"

    def _files(self) -> Iterator[tuple[float, int, Path]]:
        """When used last, bytes on the disk, and path of each."""
        for path in list(self.folder.glob(f"*{SUFFIX}")):
            with contextlib.suppress(OSError):
                found = path.stat()
                blocks = getattr(found, "st_blocks", None)  # files have holes; Windows does not say
                yield found.st_mtime, found.st_size if blocks is None else blocks * 512, path

    def _evict(self, most_bytes: int, *, besides: Path | None = None) -> None:
        files = sorted(file for file in self._files() if file[2] != besides)
        total = sum(size for _, size, _ in files)
        for _, size, path in files:
            if total <= most_bytes:
                return
            self._remove(path)
            total -= size

    def _sweep(self) -> None:
        """What a killed daemon left half-written, and what the limit no longer allows."""
        for path in self.folder.glob(f".*{PART_SUFFIX}"):
            if time.time() - path.stat().st_mtime > PART_LIFE_S:
                self._remove(path)
        self._evict(self.limit_bytes)

    def _remove(self, path: Path) -> None:
        self._checked.discard(path.name.removesuffix(SUFFIX))
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)
