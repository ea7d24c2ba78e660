"""Which daemon this user's clients use: their own, or one elsewhere that a small file names.

The file is remote.json in the user's configuration folder of Safelight, or what SAFELIGHT_REMOTE names:

    {"target": "studio.example:7443", "token_file": "token",
     "root_certificate": "ca.pem", "client_key": "key.pem", "client_certificate": "cert.pem"}

Paths count from the file's folder. Without certificates the target must be on this machine.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import grpc
import platformdirs

from safelight.client import connection
from safelight.client.connection import Remote
from safelight.errors import InvalidRequest
from safelight.runtime import write_private

REMOTE_VARIABLE = "SAFELIGHT_REMOTE"
_CERTIFICATES = ("root_certificate", "client_key", "client_certificate")
_LOOPBACK = ("127.", "localhost:", "[::1]:", "unix:")


def remote_path() -> Path:
    """Where the file is, whether it is there or not."""
    if chosen := os.environ.get(REMOTE_VARIABLE):
        return Path(chosen).absolute()
    return Path(platformdirs.user_config_dir("safelight", appauthor=False)) / "remote.json"


def configured_remote() -> Remote | None:
    """The daemon that the user named; None without a file. Raises InvalidRequest for a file that cannot be used."""
    path = remote_path()
    if not path.is_file():
        if os.environ.get(REMOTE_VARIABLE):
            raise _wrong(path, "is not there")
        return None
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise _wrong(path, "is no JSON object with target and token_file") from None
    return _remote(path, found)


def named_remote() -> dict[str, str]:
    """What the file says, unchecked, for people who edit it; empty without a file that can be read."""
    try:
        found = json.loads(remote_path().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return {str(name): str(value) for name, value in found.items()} if isinstance(found, dict) else {}


def name_remote(values: Mapping[str, str]) -> None:
    """From now on the user's clients use the daemon that these fields of the file name. Raises InvalidRequest, and
    changes nothing, where they cannot be used."""
    path = remote_path()
    given = {name: value for name, value in values.items() if value}
    _remote(path, given)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_private(path, json.dumps(given, indent=1))
    except OSError as error:
        raise _wrong(path, f"cannot be written ({error.strerror})") from None


def forget_remote() -> None:
    """From now on the user's clients use this machine's daemon."""
    remote_path().unlink(missing_ok=True)


def _remote(path: Path, found: Any) -> Remote:
    try:
        target, token_file = str(found["target"]), str(found["token_file"])
    except (KeyError, TypeError):
        raise _wrong(path, "is no JSON object with target and token_file") from None
    named = [name for name in _CERTIFICATES if found.get(name)]
    if not named and not target.startswith(_LOOPBACK):
        raise _wrong(path, f"names {target} without certificates: the token would travel in the open")
    if named and len(named) < len(_CERTIFICATES):
        raise _wrong(path, f"needs all of {', '.join(_CERTIFICATES)}")
    token = _read(path, token_file).decode(errors="replace").strip()
    return Remote(target, token, *(_read(path, str(found[name])) for name in named))


def _read(path: Path, name: str) -> bytes:
    try:
        return (path.parent / name).read_bytes()
    except OSError as error:
        raise _wrong(path, f"names {name}, which cannot be read ({error.strerror})") from None


def _wrong(path: Path, problem: str) -> InvalidRequest:
    return InvalidRequest(
        f"the file {path} {problem}: correct it, or remove it to use this machine's daemon", "REMOTE_SETTINGS"
    )


def open_chosen(*, start: bool = True, on_start: Callable[[], None] = lambda: None) -> grpc.Channel:
    """A channel to the daemon that the user's clients use, handshake done. This machine's own one is started when
    there is none and `start`; one elsewhere never."""
    remote = configured_remote()
    if remote is not None:
        return connection.connect_remote(remote)
    return connection.connect(start=start, on_start=on_start)
