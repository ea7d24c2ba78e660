"""Where a daemon and its clients meet on one machine: the runtime folder and the small files in it.

    daemon.lock   flock'd by the running daemon for its whole life; holds its process id
    daemon.json   how to reach it (DaemonInfo); written after it listens
    daemon.sock   its Unix socket, where the system has them
    token         256 random bits, new at every start, mode 0600

Standard library and platformdirs only: clients, the daemon and the GIMP bridge read it.
"""

from __future__ import annotations

import json
import os
import secrets
import stat
import sys
import time
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import platformdirs

from safelight.errors import InvalidRequest, Unavailable

RUNTIME_DIR_VARIABLE = "SAFELIGHT_RUNTIME_DIR"
KEPT_VARIABLE = "SAFELIGHT_KEPT_MB"
SOCKET_PATH_BYTES_MOST = 107  # sun_path holds 108 with its closing zero
TOKEN_BYTES = 32
LOCK_TRIES, LOCK_RETRY_S = 20, 0.025


@dataclass(frozen=True)
class DaemonInfo:
    """What daemon.json says."""

    target: str
    """gRPC target: `unix:/...` or `127.0.0.1:port`."""
    process_id: int
    version: str
    install_path: str
    """Folder of the `safelight` package that serves, to tell builds apart."""
    protocol_version: int
    log_path: str


def runtime_dir() -> Path:
    """SAFELIGHT_RUNTIME_DIR, else a folder below XDG_RUNTIME_DIR, else one in the user's cache."""
    if chosen := os.environ.get(RUNTIME_DIR_VARIABLE):
        return Path(chosen).absolute()
    xdg = os.environ.get("XDG_RUNTIME_DIR")
    if xdg and Path(xdg).is_dir():
        return Path(xdg) / "safelight"
    return Path(platformdirs.user_cache_dir("safelight", appauthor=False)) / "run"


def log_path() -> Path:
    """The daemon's log file; beside the socket when the runtime folder was chosen by hand."""
    if os.environ.get(RUNTIME_DIR_VARIABLE):
        return runtime_dir() / "daemon.log"
    return Path(platformdirs.user_log_dir("safelight", appauthor=False)) / "daemon.log"


def kept_dir() -> Path:
    """Where the daemon keeps results for blending them anew; beside the socket when the runtime folder was chosen
    by hand."""
    if os.environ.get(RUNTIME_DIR_VARIABLE):
        return runtime_dir() / "kept"
    return Path(platformdirs.user_cache_dir("safelight", appauthor=False)) / "kept"


def kept_megabytes() -> int | None:
    """SAFELIGHT_KEPT_MB: how many megabytes the daemon may keep, 0 for nothing; None where it is not set. Raises
    InvalidRequest for what is no such number."""
    text = os.environ.get(KEPT_VARIABLE)
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise InvalidRequest(
            f"{KEPT_VARIABLE} is {text[:40]!r}: give whole megabytes, 0 to keep nothing", "KEPT_MB"
        )
    return int(text)


def prepare_runtime_dir(folder: Path) -> None:
    """Makes the folder, or checks the one that is there; raises InvalidRequest (RUNTIME_DIR_UNSAFE)."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise _unsafe(folder, f"cannot be made ({error.strerror})") from None
    check_runtime_dir(folder)


def check_runtime_dir(folder: Path) -> None:
    """A real folder, ours, closed to everybody else; one that is not there is all right.

    Raises InvalidRequest (RUNTIME_DIR_UNSAFE) rather than repairing: somebody else may be listening in it.
    """
    if os.name != "posix" or not os.path.lexists(folder):
        return
    found = folder.lstat()
    problem = ""
    if not stat.S_ISDIR(found.st_mode):
        problem = "is not a folder"
    elif found.st_uid != os.getuid():
        problem = f"belongs to user id {found.st_uid}, not to you"
    elif stat.S_IMODE(found.st_mode) & 0o077:
        problem = f"is open to other users (mode {stat.S_IMODE(found.st_mode):o})"
    if problem:
        raise _unsafe(folder, problem)


def _unsafe(folder: Path, problem: str) -> InvalidRequest:
    return InvalidRequest(
        f"the runtime folder {folder} {problem}: make it yours with mode 0700, "
        f"or name another in {RUNTIME_DIR_VARIABLE}",
        "RUNTIME_DIR_UNSAFE",
    )


def socket_path(folder: Path) -> Path:
    """Raises InvalidRequest when the system could not bind a path of that length."""
    path = folder / "daemon.sock"
    if len(os.fsencode(path)) > SOCKET_PATH_BYTES_MOST:
        raise InvalidRequest(
            f"the socket path {path} is longer than {SOCKET_PATH_BYTES_MOST} bytes: "
            f"name a shorter folder in {RUNTIME_DIR_VARIABLE}",
            "SOCKET_PATH_TOO_LONG",
        )
    return path


def socket_target(path: Path) -> str:
    """gRPC reads targets as URIs: a `#`, `?` or `%` in a folder's name would end or change the path."""
    return "unix:" + urllib.parse.quote(str(path))


def write_private(path: Path, text: str) -> None:
    """Creates or replaces a file with mode 0600 in one step, so that no reader sees half of it."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def new_token(folder: Path) -> str:
    token = secrets.token_hex(TOKEN_BYTES)
    write_private(folder / "token", token)
    return token


def read_token(folder: Path) -> str:
    """Raises Unavailable when there is none."""
    try:
        return (folder / "token").read_text(encoding="utf-8").strip()
    except OSError:
        raise Unavailable(
            f"there is no readable daemon token in {folder}: start the daemon with safelight serve",
            "NO_TOKEN",
        ) from None


def write_info(folder: Path, info: DaemonInfo) -> None:
    write_private(folder / "daemon.json", json.dumps(asdict(info), indent=1))


def read_info(folder: Path) -> DaemonInfo | None:
    """None when there is no daemon.json or it is not ours. What a newer build adds to it is passed over."""
    try:
        found = json.loads((folder / "daemon.json").read_text(encoding="utf-8"))
        return DaemonInfo(**{f.name: found[f.name] for f in fields(DaemonInfo)})
    except (OSError, ValueError, TypeError, KeyError):
        return None


def forget_info(folder: Path) -> None:
    """Clients find no daemon here any more."""
    (folder / "daemon.json").unlink(missing_ok=True)


@contextmanager
def daemon_lock(folder: Path) -> Iterator[None]:
    """Holds daemon.lock; raises Unavailable (ALREADY_RUNNING) when another daemon has it."""
    with (folder / "daemon.lock").open("a+", encoding="utf-8") as file:
        if not _lock_soon(file.fileno()):
            process_id = lock_holder(folder)
            who = f" (process {process_id})" if process_id else ""
            raise Unavailable(
                f"a daemon is already running{who} in {folder}: use it, or end it with safelight stop",
                "ALREADY_RUNNING",
            )
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


def lock_holder(folder: Path) -> int | None:
    """Process id of the daemon that holds the lock, or held it last."""
    try:
        return int((folder / "daemon.lock").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def _lock_soon(descriptor: int) -> bool:
    """A client that asks whether a daemon is alive holds the lock for an instant: outlast it."""
    for _ in range(LOCK_TRIES):
        if _lock(descriptor):
            return True
        time.sleep(LOCK_RETRY_S)
    return False


def daemon_alive(folder: Path) -> bool:
    """True while a daemon holds the lock, whether it answers or not."""
    try:
        with (folder / "daemon.lock").open("a+", encoding="utf-8") as file:
            return not _lock(file.fileno(), shared=True)
    except OSError:
        return False


if sys.platform == "win32":
    import msvcrt

    LOCKED_BYTE = 1 << 20  # a locked byte cannot be read: keep it clear of the process id

    def _lock(descriptor: int, *, shared: bool = False) -> bool:
        os.lseek(descriptor, LOCKED_BYTE, os.SEEK_SET)
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _lock(descriptor: int, *, shared: bool = False) -> bool:
        """`shared`: several clients may ask at the same time."""
        try:
            fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except OSError:
            return False
        return True
