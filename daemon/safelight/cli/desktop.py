"""`safelight desktop`."""

from __future__ import annotations

import argparse
import importlib
import importlib.util
from pathlib import Path

from safelight.cli.console import Console
from safelight.errors import NotReady


def run(given: argparse.Namespace, console: Console) -> int:
    """Raises NotReady where Qt, or a library of the system that it needs, is missing."""
    if importlib.util.find_spec("PySide6") is None or importlib.util.find_spec("safelight_desktop") is None:
        raise NotReady(
            "the desktop app is not installed: pip install 'safelight[desktop]'", "DESKTOP_NOT_INSTALLED"
        )
    try:
        app = importlib.import_module("safelight_desktop.app")
    except ImportError as error:
        raise NotReady(
            f"the desktop app cannot start ({error}): on Debian and Ubuntu, "
            "apt install libegl1 libgl1 libxkbcommon-x11-0 libdbus-1-3 libfontconfig1 libxcb-cursor0 helps",
            "DESKTOP_LIBRARIES_MISSING",
        ) from None
    return int(app.run([Path(name) for name in given.files]))
