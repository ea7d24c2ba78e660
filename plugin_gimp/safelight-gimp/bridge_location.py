"""How the bridge is started: which command, in which environment. Standard library only.

`safelight gimp install` writes bridge.json beside this file: {"command": [...], "version": "..."}. The variable
SAFELIGHT_BRIDGE, a JSON list, goes before it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

from errors import SafelightError
from texts import N_

COMMAND_VARIABLE = "SAFELIGHT_BRIDGE"
FILE = "bridge.json"
FLATPAK_MARK = Path("/.flatpak-info")
# What GIMP's packages set for their own Python and libraries would break another Python.
_NOT_OURS = (
    "PYTHONHOME",
    "PYTHONPATH",
    "PYTHONSTARTUP",
    "VIRTUAL_ENV",
    "GI_TYPELIB_PATH",
    "LD_LIBRARY_PATH",
    "LD_PRELOAD",
)
_NOT_OURS_BEGIN = ("GIO_", "GTK_", "GDK_", "GEGL_", "BABL_", "GIMP", "DYLD_")


def bridge_command(
    folder: Path, environ: Mapping[str, str] = os.environ, flatpak_mark: Path = FLATPAK_MARK
) -> list[str]:
    """Raises SafelightError (BRIDGE_NOT_FOUND)."""
    named = environ.get(COMMAND_VARIABLE)
    try:
        told = (
            json.loads(named) if named else json.loads((folder / FILE).read_text(encoding="utf-8"))["command"]
        )
    except OSError:
        raise _not_found("is missing") from None
    except (ValueError, KeyError, TypeError):
        raise _not_found("cannot be read") from None
    if not isinstance(told, list) or not told or not all(isinstance(part, str) for part in told):
        raise _not_found("cannot be read")
    if flatpak_mark.exists():
        # --watch-bus: the host's process ends with this one
        return ["flatpak-spawn", "--host", "--watch-bus", *told]
    if os.path.isabs(told[0]) and not os.path.exists(told[0]):
        raise SafelightError(
            "BRIDGE_NOT_FOUND",
            N_(
                "Safelight is no longer where it was when this plug-in was installed: run safelight gimp install again."
            ),
            {"command": " ".join(told)},
        )
    return told


def _not_found(problem: str) -> SafelightError:
    return SafelightError(
        "BRIDGE_NOT_FOUND",
        N_("The plug-in does not know where Safelight is: run safelight gimp install in a terminal."),
        {"file": f"{FILE} {problem}"},
    )


def bridge_environment(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The plug-in's environment without what belongs to GIMP's own Python and libraries."""
    return {
        name: value
        for name, value in environ.items()
        if name not in _NOT_OURS and not name.startswith(_NOT_OURS_BEGIN)
    }
