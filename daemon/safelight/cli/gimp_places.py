"""Where GIMP 3 keeps its settings on this machine, and which GIMP programs there are.

Folders: Linux packages and AppImages use $XDG_CONFIG_HOME/GIMP/3.x, the flatpak the same or its own below ~/.var/app,
the snap one below ~/snap; Windows %APPDATA%\\GIMP\\3.x; macOS ~/Library/Application Support/GIMP/3.x. Every series
(3.0, 3.2) has a folder of its own, made by GIMP when it is started for the first time.
"""

from __future__ import annotations

import os
import plistlib
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

SERIES = re.compile(r"[1-9]\d*\.\d+")
VERSION = re.compile(r"\b([1-9]\d*\.\d+)(?:\.\d+)?\b")
CONSOLES = ("gimp-console-3.4", "gimp-console-3.2", "gimp-console-3.0", "gimp-console", "gimp")
FLATPAK, SNAP = "org.gimp.GIMP", "gimp"
ANSWER_WAIT_S = 30.0
OWN_FOLDER_VARIABLE = "GIMP3_DIRECTORY"  # GIMP's own: another folder of settings


@dataclass(frozen=True)
class Machine:
    """What the search depends on."""

    system: str
    """As sys.platform says."""
    home: Path
    environ: Mapping[str, str]
    root: Path = Path("/")

    @classmethod
    def this(cls) -> Machine:
        return cls(sys.platform, Path.home(), os.environ)

    @property
    def path(self) -> str:
        return self.environ.get("PATH", "")


@dataclass(frozen=True)
class Program:
    """An installed GIMP."""

    series: str
    """Such as 3.0; empty when it does not say."""
    name: str
    """For people: a path, flatpak or snap."""
    console: tuple[str, ...] = ()
    """Starts it without windows; empty where that is not known."""

    @property
    def new_enough(self) -> bool:
        return not self.series or _number(self.series) >= (3, 0)


@dataclass(frozen=True)
class Place:
    """A folder of settings of one GIMP 3 series."""

    folder: Path
    series: str
    package: str = ""
    """flatpak or snap where the folder is theirs alone."""

    @property
    def plugins(self) -> Path:
        return self.folder / "plug-ins"


def places(machine: Machine) -> list[Place]:
    """The folders of GIMP 3 that exist, older series first."""
    if own := machine.environ.get(OWN_FOLDER_VARIABLE):
        return [Place(Path(own), "3.x")]
    found = [
        Place(folder, folder.name, package)
        for root, package in _roots(machine)
        for folder in _series_folders(root)
        if _number(folder.name) >= (3, 0)
    ]
    return sorted(found, key=lambda place: _number(place.series))


def old_places(machine: Machine) -> list[Path]:
    """Folders of GIMP 2."""
    folders = [folder for root, _ in _roots(machine) for folder in _series_folders(root)]
    return [folder for folder in folders if _number(folder.name) < (3, 0)]


def programs(machine: Machine) -> list[Program]:
    """Every GIMP that can be found without searching the disk, of any version."""
    finders = {"win32": _windows_programs, "darwin": _mac_programs}
    return list(finders.get(machine.system, _linux_programs)(machine))


def place_of(program: Program, machine: Machine) -> Place:
    """Where a program keeps its settings, or will when it has been started."""
    if own := machine.environ.get(OWN_FOLDER_VARIABLE):
        return Place(Path(own), "3.x")
    root, package = _roots(machine)[-1 if program.name == "snap" else 0]
    return Place(root / program.series, program.series, package)


def flatpak_may_start_programs(machine: Machine) -> bool:
    """Whether the user has allowed the flatpak to start programs outside its sandbox."""
    for folder in _flatpak_folders(machine):
        try:
            text = (folder / "overrides" / FLATPAK).read_text(encoding="utf-8")
        except OSError:
            continue
        if re.search(r"^org\.freedesktop\.Flatpak=(talk|own)$", text, re.MULTILINE):
            return True
    return False


def _roots(machine: Machine) -> list[tuple[Path, str]]:
    """Folders that hold one folder a series, and whose they are; the usual one first."""
    home = machine.home
    if machine.system == "win32":
        return [(Path(machine.environ.get("APPDATA") or home / "AppData/Roaming") / "GIMP", "")]
    if machine.system == "darwin":
        return [(home / "Library/Application Support/GIMP", "")]
    configs = Path(machine.environ.get("XDG_CONFIG_HOME") or home / ".config")
    return [
        (configs / "GIMP", ""),
        (home / ".var/app" / FLATPAK / "config/GIMP", "flatpak"),
        (home / "snap" / SNAP / "current/.config/GIMP", "snap"),
    ]


def _series_folders(root: Path) -> list[Path]:
    if not root.is_dir():
        return []
    return sorted(entry for entry in root.iterdir() if entry.is_dir() and SERIES.fullmatch(entry.name))


def _number(series: str) -> tuple[int, ...]:
    return tuple(int(part) for part in series.split(".") if part.isdigit())


def _linux_programs(machine: Machine) -> Iterator[Program]:
    seen = set()
    for name in CONSOLES:
        path = shutil.which(name, path=machine.path)
        if path and (real := Path(path).resolve()) not in seen:
            seen.add(real)
            series = _told((path, "--version"), machine)
            if series:
                yield Program(series, path, (path,) if "console" in name else ())
    if any((folder / "app" / FLATPAK).is_dir() for folder in _flatpak_folders(machine)):
        run = ("flatpak", "run", "--command=gimp-console", FLATPAK)
        yield Program(_told(("flatpak", "info", FLATPAK), machine), "flatpak", run)
    snap = machine.root / "snap" / SNAP / "current/meta/snap.yaml"
    if snap.is_file():
        version = re.search(r"^version:.*$", snap.read_text(encoding="utf-8"), re.MULTILINE)
        yield Program(_series(version[0]) if version else "", "snap")


def _flatpak_folders(machine: Machine) -> tuple[Path, Path]:
    return machine.home / ".local/share/flatpak", machine.root / "var/lib/flatpak"


def _windows_programs(machine: Machine) -> Iterator[Program]:
    """The series stands in the program's name."""
    folders = [
        Path(machine.environ[name]) for name in ("ProgramFiles", "ProgramW6432") if name in machine.environ
    ]
    if "LOCALAPPDATA" in machine.environ:
        folders.append(Path(machine.environ["LOCALAPPDATA"]) / "Programs")
    for folder in dict.fromkeys(folders):
        for path in sorted(folder.glob("GIMP*/bin/gimp-console-*.exe")):
            if "." in path.stem:
                yield Program(_series(path.stem), str(path), (str(path),))


def _mac_programs(machine: Machine) -> Iterator[Program]:
    for folder in (machine.root / "Applications", machine.home / "Applications"):
        for bundle in sorted(folder.glob("GIMP*.app")):
            try:
                told = plistlib.loads((bundle / "Contents/Info.plist").read_bytes())
            except (OSError, plistlib.InvalidFileException):
                continue
            console = bundle / "Contents/MacOS/gimp-console"
            series = _series(str(told.get("CFBundleShortVersionString", "")))
            yield Program(series, str(bundle), (str(console),) if console.exists() else ())


def _told(command: tuple[str, ...], machine: Machine) -> str:
    """The series in what a command says; empty when it says none."""
    try:
        told = subprocess.run(
            command, capture_output=True, text=True, timeout=ANSWER_WAIT_S, env=dict(machine.environ)
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return _series(told.stdout)


def _series(text: str) -> str:
    match = VERSION.search(text)
    return match[1] if match else ""
