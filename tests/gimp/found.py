"""Which real GIMP 3 the tests use, and how a command is run where it is.

Looked for in this order: the command in $SAFELIGHT_GIMP; gimp-console on the PATH, when it is a GIMP 3; the root that
`make gimp-rig` has built, when the user is root. $SAFELIGHT_GIMP_SUITE names another root than that of Debian trixie.
"""

from __future__ import annotations

import functools
import os
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.fakes.daemon import ROOT

COMMAND_VARIABLE, SUITE_VARIABLE = "SAFELIGHT_GIMP", "SAFELIGHT_GIMP_SUITE"
CONSOLES = ("gimp-console-3.2", "gimp-console-3.0", "gimp-console")
SCREEN_PROGRAMS = ("Xvfb", "xdotool", "openbox", "import")
IN_RIG = "/usr/bin/gimp-console"
RIG = Path(__file__).parent / "rig"
NOTHING = (
    "no GIMP 3 found: install gimp 3.0 or newer, name its console program in "
    f"{COMMAND_VARIABLE}, or run make gimp-rig as root"
)
SYSTEM_PATH = "/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin"


@dataclass(frozen=True)
class FoundGimp:
    """A GIMP 3."""

    console: str
    """Its program without windows."""
    version: str
    """As it says, such as 3.0.4."""
    prefix: tuple[str, ...] = ()
    """What goes before a command to run it where this GIMP is."""

    @property
    def program(self) -> str:
        """Its program with windows."""
        return self.console.replace("-console", "")

    @property
    def series(self) -> str:
        """3.0 or 3.2: the name of its folder of settings."""
        return ".".join(self.version.split(".")[:2])

    def has(self, program: str) -> bool:
        command = [*self.prefix, "which", program]
        return subprocess.run(command, capture_output=True, env=environment()).returncode == 0


@functools.cache
def found() -> FoundGimp | None:
    """The GIMP of all tests; None where there is none."""
    given = os.environ.get(COMMAND_VARIABLE)
    if given:
        console = shlex.split(given)
        version = _version(console)
        assert version, f"{COMMAND_VARIABLE}={given} is no GIMP 3"
        return FoundGimp(console[-1], version, tuple(console[:-1]))
    for name in CONSOLES:
        path = shutil.which(name)
        if path and (version := _version([path])):
            return FoundGimp(path, version)
    prefix = _rig()
    if prefix and (version := _version([*prefix, IN_RIG])):
        return FoundGimp(IN_RIG, version, prefix)
    return None


def missing_for_screen(gimp: FoundGimp) -> list[str]:
    """Programs that tests with windows need and that are not where this GIMP is."""
    return [name for name in SCREEN_PROGRAMS if not gimp.has(name)]


def environment(**more: str) -> dict[str, str]:
    """A plain one: nothing of this Python's environment reaches GIMP."""
    return {"PATH": SYSTEM_PATH, "LANG": "C.UTF-8", "NO_AT_BRIDGE": "1", **more}


def _version(console: list[str]) -> str:
    """Empty for what is not a GIMP 3."""
    told = subprocess.run([*console, "--version"], capture_output=True, text=True, env=environment())
    match = re.search(r"\b(3\.\d+\.\d+)", told.stdout)
    return match[1] if match else ""


def _rig() -> tuple[str, ...]:
    """How a command is run in the root that was built, seeing this checkout and this Python; empty without one."""
    caches = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    rigs = Path(os.environ.get("SAFELIGHT_GIMP_RIGS") or caches / "safelight-gimp-rigs")
    root = rigs / os.environ.get(SUITE_VARIABLE, "trixie")
    if os.name != "posix" or os.getuid() != 0 or not (root / "etc" / "safelight-rig").exists():
        return ()
    seen = [ROOT, *(Path(p) for p in {sys.prefix, sys.base_prefix} if not Path(p).is_relative_to(ROOT))]
    return (str(RIG / "enter"), str(root), *map(str, seen), "--")
