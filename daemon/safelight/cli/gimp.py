"""`safelight gimp install`: the plug-in into every GIMP 3 of this user, renewed, checked or taken away."""

from __future__ import annotations

import argparse
import os
import subprocess
from pathlib import Path

from safelight.cli import gimp_plugin as plugin
from safelight.cli.console import Console
from safelight.cli.gimp_places import (
    FLATPAK,
    Machine,
    Place,
    Program,
    flatpak_may_start_programs,
    old_places,
    place_of,
    places,
    programs,
)
from safelight.errors import NotReady

FIRST_START_S = 180.0
OVERRIDE = f"flatpak override --user --talk-name=org.freedesktop.Flatpak {FLATPAK}"
SNAP_NOTE = (
    "the snap may not start programs outside it, so the plug-in cannot reach Safelight from there: "
    "use GIMP's flatpak, AppImage or your system's package"
)


def run(given: argparse.Namespace, console: Console) -> int:
    machine = Machine.this()
    if given.uninstall:
        return _uninstall(_places(given, machine), given, console)
    if given.check:
        return _check(_places(given, machine), machine, console)
    return _install(given, machine, console)


def _install(given: argparse.Namespace, machine: Machine, console: Console) -> int:
    found = programs(machine)
    there = _places(given, machine)
    if not given.folder:
        there += _first_starts(found, there, machine, given, console)
    if not there:
        raise _no_gimp(found, machine)
    for place in there:
        if given.dry_run:
            state = "would be installed"
        else:
            state = "installed" if plugin.install(place.plugins) else "was there already"
        console.result(f"GIMP {place.series}: {state} in {place.plugins / plugin.NAME}")
        console.event("installed", **_plain(place), state=state)
    if not given.dry_run:
        console.say("Restart GIMP if it is open; then see Filters > Enhance > Restore Region (Safelight)")
    _say_of_sandboxes(found, machine, console)
    return 0


def _uninstall(there: list[Place], given: argparse.Namespace, console: Console) -> int:
    for place in there:
        removed = (place.plugins / plugin.NAME).exists() if given.dry_run else plugin.remove(place.plugins)
        state = ("would be removed" if given.dry_run else "removed") if removed else "was not there"
        console.result(f"GIMP {place.series}: {state}: {place.plugins / plugin.NAME}")
        console.event("removed", **_plain(place), removed=removed)
    if not there:
        console.say("there is no folder of a GIMP 3 here, so nothing to remove")
    return 0


def _check(there: list[Place], machine: Machine, console: Console) -> int:
    found = programs(machine)
    if not there:
        raise _no_gimp(found, machine)
    for program in found:
        console.result(f"GIMP {program.series or 'of unknown version'}: {program.name}")
    fixes = [fix for place in there for fix in _check_place(place, console)]
    _say_of_sandboxes(found, machine, console)
    console.result("all is well" if not fixes else f"{len(fixes)} thing(s) to fix")
    return 1 if fixes else 0


def _check_place(place: Place, console: Console) -> list[str]:
    """Says what is there; gives what to do about it."""
    again = "safelight gimp install"
    found = plugin.installed(place.plugins)
    facts: dict[str, object] = {"installed": found is not None}
    fixes = []
    if found is None:
        fixes.append(f"the plug-in is not installed: {again}")
    else:
        answer = plugin.bridge_version(found.bridge) if found.bridge else ""
        met = plugin.registered(place.folder)
        facts |= {"version": found.version, "current": found.current, "executable": found.executable}
        facts |= {"bridge": list(found.bridge), "bridge_version": answer, "registered": met}
        if not found.executable:
            fixes.append(f"{plugin.MAIN} is not executable, so GIMP passes it over: {again}")
        if not answer:
            fixes.append(f"its bridge does not start ({' '.join(found.bridge) or 'none is named'}): {again}")
        elif not found.current:
            fixes.append(f"it is not the one of this Safelight: {again}")
        if not met:
            console.say(f"GIMP {place.series} has not been started since the plug-in was installed")
    text = f"plug-in {found.version or 'of unknown version'}" if found else "no plug-in"
    console.result(f"{'!!' if fixes else 'ok'}  GIMP {place.series}: {text} in {place.plugins}")
    for fix in fixes:
        console.result(f"    fix: {fix}")
    console.event("checked", **_plain(place), **facts, fixes=fixes)
    return fixes


def _places(given: argparse.Namespace, machine: Machine) -> list[Place]:
    return [Place(Path(given.folder).absolute(), "3.x")] if given.folder else places(machine)


def _first_starts(
    found: list[Program], there: list[Place], machine: Machine, given: argparse.Namespace, console: Console
) -> list[Place]:
    """Places of programs that were never started. GIMP makes its folder itself and takes over what an older one
    had; a folder that somebody else has made keeps it from doing so. So it is started once, without windows."""
    made: list[Place] = []
    for program in found:
        if not program.series or not program.new_enough:
            continue
        place = place_of(program, machine)
        if place.folder in {p.folder for p in (*there, *made)}:
            continue
        if given.dry_run:
            console.say(f"GIMP {program.series} ({program.name}) would be started once, to make its folder")
        elif not _started_once(program, place, console):
            console.say(
                f"GIMP {program.series} ({program.name}) was never started: start it once, "
                "then run safelight gimp install again"
            )
            continue
        made.append(place)
    return made


def _started_once(program: Program, place: Place, console: Console) -> bool:
    """Whether GIMP has made its folder."""
    if not program.console:
        return False
    console.say(f"starting GIMP {program.series} once, without windows, to make its folder")
    try:
        subprocess.run(
            [*program.console, "--no-interface", "--quit"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=FIRST_START_S,
            env=dict(os.environ),
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return place.folder.is_dir()


def _no_gimp(found: list[Program], machine: Machine) -> NotReady:
    if any(program.new_enough for program in found):
        return NotReady(
            "this GIMP 3 was never started, so it has no folder for plug-ins yet: start it once, "
            "then run safelight gimp install again",
            "GIMP_NEVER_STARTED",
        )
    if found or old_places(machine):
        series = found[0].series if found else old_places(machine)[0].name
        return NotReady(
            f"only GIMP {series} is here, and the plug-in needs GIMP 3.0 or newer: install it from gimp.org "
            "or your system's packages, then run safelight gimp install again",
            "GIMP_TOO_OLD",
        )
    return NotReady(
        "no GIMP 3 was found: install it, or name its folder of settings with --folder "
        "(in GIMP: Edit > Preferences > Folders)",
        "GIMP_NOT_FOUND",
    )


def _say_of_sandboxes(found: list[Program], machine: Machine, console: Console) -> None:
    names = {program.name for program in found}
    if "flatpak" in names and not flatpak_may_start_programs(machine):
        console.say(
            "the flatpak may not start programs outside its sandbox, and Safelight is one; allow it once:"
        )
        console.say(f"    {OVERRIDE}")
        console.event("sandboxed", package="flatpak", command=OVERRIDE)
    if "snap" in names:
        console.say(SNAP_NOTE)
        console.event("sandboxed", package="snap", command="")


def _plain(place: Place) -> dict[str, str]:
    return {"folder": str(place.folder), "series": place.series, "package": place.package}
