"""Whether Qt can be loaded here."""

import importlib
import os

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("PYTEST_QT_API", "pyside6")

APT = "libegl1 libgl1 libxkbcommon0 libdbus-1-3 libfontconfig1 libglib2.0-0"
"""What PySide6 needs of the system to draw offscreen, as Debian 12 and Ubuntu 24.04 call it."""


def missing():
    """One sentence; empty where nothing is."""
    try:
        importlib.import_module("PySide6.QtWidgets")
        importlib.import_module("PySide6.QtSvg")
    except ImportError as error:
        return f"Qt cannot be loaded ({error}): apt-get install {APT}"
    return ""


MISSING = missing()
