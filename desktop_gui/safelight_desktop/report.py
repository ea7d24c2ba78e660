"""What a person can send to somebody who helps: versions and the error, without names of people or files."""

from __future__ import annotations

import platform
import re
from pathlib import Path

import PySide6

from safelight import __version__
from safelight.errors import SafelightError

_PATH = re.compile(r"(?:[A-Za-z]:)?(?:[\\/][^\\/\s:'\"]+)+")


def report_of(error: SafelightError) -> str:
    """Plain text."""
    lines = [
        f"Safelight {__version__}, Python {platform.python_version()}, Qt {PySide6.__version__}",
        f"{platform.system()} {platform.release()} {platform.machine()}",
        f"{type(error).__name__} {error.reason}",
        redacted(error.message),
        *(f"{name}: {redacted(value)}" for name, value in error.details.items()),
    ]
    return "\n".join(lines)


def redacted(text: str) -> str:
    """Paths keep their suffix only."""
    return _PATH.sub(lambda found: f"<path>{Path(found.group()).suffix}", text)
