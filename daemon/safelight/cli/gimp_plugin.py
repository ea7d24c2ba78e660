"""The GIMP plug-in's files: where they come from, and putting them into a folder of GIMP's and away again.

An installed plug-in is the folder `safelight-gimp` as it is shipped, its main file executable, and beside it
`bridge.json`, which tells the plug-in how to start the bridge: {"command": [...], "version": "..."}.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import safelight
from safelight.errors import InternalError, OutputFileError

NAME = "safelight-gimp"
MAIN = f"{NAME}.py"
BRIDGE = "bridge.json"
SHEBANG = b"#!"
BRIDGE_WAIT_S = 60.0  # Python and grpc from a cold disk
PASSED_OVER = shutil.ignore_patterns("__pycache__", "*.pyc", "*.po", "*.pot", BRIDGE)


@dataclass(frozen=True)
class Installed:
    """What is in a folder of plug-ins."""

    version: str
    """Of the Safelight that installed it; empty when its bridge.json cannot be read."""
    current: bool
    """The same files and the same bridge as this Safelight would install."""
    executable: bool
    """GIMP passes over a main file that is not executable or names no interpreter."""
    bridge: tuple[str, ...]


def source() -> Path:
    """The plug-in that belongs to this Safelight: in the package, or in the checkout that it runs from."""
    package = Path(safelight.__file__).parent
    for folder in (package.parents[1] / "plugin_gimp" / NAME, package / "plugin_gimp" / NAME):
        if (folder / MAIN).is_file():
            return folder
    raise InternalError(
        f"the plug-in's files are not beside {package}: install Safelight again", "PLUGIN_FILES_MISSING"
    )


def bridge_command() -> list[str]:
    """Starts the bridge of this very installation, whatever the environment and the current folder are."""
    return [sys.executable, "-E", "-P", "-m", "safelight.cli.main", "bridge"]


def install(plugins: Path) -> bool:
    """Puts the plug-in into a folder of plug-ins, or renews it; False when it was there just so.

    All or nothing: the new folder takes the old one's place by renaming. Raises OutputFileError.
    """
    found = installed(plugins)
    if found is not None and found.current and found.executable:
        return False
    fresh = plugins / f".{NAME}.{secrets.token_hex(4)}"
    try:
        plugins.mkdir(parents=True, exist_ok=True)
        shutil.copytree(source(), fresh, ignore=PASSED_OVER, copy_function=shutil.copyfile)
        (fresh / BRIDGE).write_text(_bridge_text(), encoding="utf-8")
        (fresh / MAIN).chmod(0o755)
        _take_away(plugins)
        fresh.rename(plugins / NAME)
    except OSError as error:
        shutil.rmtree(fresh, ignore_errors=True)
        raise _not_written(plugins, error) from None
    return True


def remove(plugins: Path) -> bool:
    """Takes the plug-in away; False when it was not there. Raises OutputFileError."""
    try:
        return _take_away(plugins)
    except OSError as error:
        raise _not_written(plugins, error) from None


def installed(plugins: Path) -> Installed | None:
    """None when it is not there."""
    main = plugins / NAME / MAIN
    if not main.is_file():
        return None
    try:
        told = json.loads((plugins / NAME / BRIDGE).read_text(encoding="utf-8"))
        version, bridge = str(told["version"]), tuple(map(str, told["command"]))
    except (OSError, ValueError, TypeError, KeyError):
        version, bridge = "", ()
    same = dict(_digests(plugins / NAME)) == dict(_digests(source())) and list(bridge) == bridge_command()
    return Installed(version, same and version == safelight.__version__, _startable(main), bridge)


def bridge_version(bridge: tuple[str, ...]) -> str:
    """What the bridge's Safelight says of itself; empty when it does not start."""
    try:
        told = subprocess.run(
            [*bridge[:-1], "--version"], capture_output=True, text=True, timeout=BRIDGE_WAIT_S
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return told.stdout.strip().removeprefix("safelight ") if told.returncode == 0 else ""


def registered(folder: Path) -> bool:
    """Whether GIMP has met the plug-in: it lists what it found at its last start in `pluginrc`."""
    try:
        return MAIN in (folder / "pluginrc").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False


def _take_away(plugins: Path) -> bool:
    """Also what an installation that was broken off left. A link goes, not what it points to."""
    there = plugins / NAME
    if not os.path.lexists(there):
        return False
    if there.is_symlink():
        there.unlink()
        return True
    old = plugins / f".{NAME}.old-{secrets.token_hex(4)}"
    there.rename(old)
    for leftover in plugins.glob(f".{NAME}.old-*"):
        shutil.rmtree(leftover)
    return True


def _bridge_text() -> str:
    return json.dumps({"command": bridge_command(), "version": safelight.__version__}, indent=1) + "\n"


def _digests(folder: Path) -> Iterator[tuple[str, str]]:
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder)
        if path.is_file() and not any(PASSED_OVER("", list(inside.parts))):
            yield inside.as_posix(), hashlib.sha256(path.read_bytes()).hexdigest()


def _startable(main: Path) -> bool:
    with main.open("rb") as file:
        return file.read(2) == SHEBANG and (os.name != "posix" or os.access(main, os.X_OK))


def _not_written(plugins: Path, error: OSError) -> OutputFileError:
    reason = error.args[0][0][2] if isinstance(error, shutil.Error) else error.strerror
    return OutputFileError(
        f"the plug-in cannot be written into {plugins} ({reason}): make room there, and the folder writable for you",
        "PLUGIN_FOLDER_NOT_WRITABLE",
    )
