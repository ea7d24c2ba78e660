"""What a person can send to somebody who helps: versions, findings and errors, without names of people or files."""

from __future__ import annotations

import getpass
import platform
import re
from collections.abc import Sequence
from pathlib import Path

import PySide6

from safelight import __version__, runtime
from safelight.errors import SafelightError
from safelight_desktop.state.doctor import Finding

_PATH = re.compile(r"(?:[A-Za-z]:)?(?:[\\/][^\\/\s:'\"]+)+")
_QUOTED_FILE = re.compile(
    r"[^\s:'\"\\/]+\.(?:png|jpe?g|jpe|tiff?|webp|heic|heif|avif|jxl|safelight)\b", re.IGNORECASE
)
LOG_BYTES, REPORT_LINES = 200_000, 60


def report_of(error: SafelightError) -> str:
    """Plain text about one error."""
    lines = [
        *_versions(),
        f"{type(error).__name__} {error.reason}",
        redacted(error.message),
        *(f"{name}: {redacted(value)}" for name, value in error.details.items()),
    ]
    return "\n".join(lines)


def whole_report(findings: Sequence[Finding]) -> str:
    """Plain text about this machine: versions, what the doctor found, the end of the daemon's log."""
    found = [
        f"{'!!' if f.fix else 'ok'} {f.area}: {f.text}{f' -> {f.fix}' if f.fix else ''}" for f in findings
    ]
    log = log_tail().splitlines()[-REPORT_LINES:]
    return "\n".join([*_versions(), "", *map(redacted, found), "", *map(redacted, log)])


def log_tail() -> str:
    """The end of the daemon's log on this machine; empty where there is none."""
    try:
        with runtime.log_path().open("rb") as file:
            file.seek(0, 2)
            file.seek(max(0, file.tell() - LOG_BYTES))
            return file.read().decode(errors="replace")
    except OSError:
        return ""


def redacted(text: str) -> str:
    """Paths and names of pictures keep their suffix only; the user's name goes."""
    text = _PATH.sub(lambda found: f"<path>{Path(found.group()).suffix}", text)
    text = _QUOTED_FILE.sub(lambda found: f"<file>{Path(found.group()).suffix}", text)
    name = _user()
    return re.sub(rf"\b{re.escape(name)}\b", "<user>", text) if len(name) > 2 else text


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return ""


def _versions() -> list[str]:
    return [
        f"Safelight {__version__}, Python {platform.python_version()}, Qt {PySide6.__version__}",
        f"{platform.system()} {platform.release()} {platform.machine()}",
    ]
