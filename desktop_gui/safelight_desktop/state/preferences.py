"""What a person prefers, kept between sessions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, QSettings, Signal

from safelight.errors import SafelightError
from safelight.imaging.icc import read_profile
from safelight.imaging.metadata import METADATA_POLICIES, MetadataPolicy

THEMES = ("system", "light", "dark")


class Preferences(QObject):
    """Each has a default; unreadable values count as that."""

    changed = Signal()

    def __init__(self, settings: QSettings, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.settings = settings

    @property
    def theme(self) -> str:
        """system, light or dark."""
        return self._word("theme", THEMES)

    @property
    def language(self) -> str:
        """en, de; empty: the system's."""
        return self._word("language", ("", "en", "de"))

    @property
    def record(self) -> bool:
        """Whether saved files say what was done to them."""
        return self._text("record", "true") == "true"

    @property
    def format(self) -> str:
        """Suffix of saved files, such as .tif; empty: the original's where it can be written."""
        return self._word("format", ("", ".png", ".tif", ".jpg", ".webp", ".avif"))

    @property
    def metadata(self) -> MetadataPolicy:
        """What saved files carry of the original's metadata."""
        found = self._text("metadata", METADATA_POLICIES[0])
        return next((policy for policy in METADATA_POLICIES if policy == found), METADATA_POLICIES[0])

    @property
    def kept_megabytes(self) -> int | None:
        """How much a daemon that this app starts may keep of results; None: its own default."""
        found = self._text("kept-megabytes", "")
        return int(found) if found.isascii() and found.isdigit() and len(found) < 10 else None

    @property
    def notify(self) -> bool:
        """Whether the desktop is told when a long job is over."""
        return self._text("notify", "true") == "true"

    @property
    def monitor_profile(self) -> str:
        """Path of the screen's ICC profile; empty: the screen is taken for sRGB."""
        return self._text("monitor-profile", "")

    def monitor_icc(self) -> bytes:
        """The screen's profile, checked; b"" where there is none that can be used."""
        try:
            icc = Path(self.monitor_profile).read_bytes() if self.monitor_profile else b""
            if icc:
                read_profile(icc)
        except (OSError, SafelightError):
            return b""
        return icc

    def set(self, name: str, value: str | bool) -> None:
        """By the property's name, hyphenated."""
        text = {True: "true", False: "false"}.get(value, value) if isinstance(value, bool) else value
        self.settings.setValue(f"preferences/{name}", text)
        self.changed.emit()

    def _text(self, name: str, default: str) -> str:
        found: Any = self.settings.value(f"preferences/{name}", default)
        return str(found)

    def _word(self, name: str, known: tuple[str, ...]) -> str:
        found = self._text(name, known[0])
        return found if found in known else known[0]
