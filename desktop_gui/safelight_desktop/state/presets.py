"""Presets that a person made, beside those of the pipelines."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import QObject, QSettings, Signal

from safelight.spec import SettingValue

NAME_CHARS_MOST = 40


class OwnPresets(QObject):
    """Name to values, kept between sessions. A pipeline takes those values that it knows."""

    changed = Signal()

    def __init__(self, settings: QSettings, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._settings = settings

    def all(self) -> dict[str, dict[str, SettingValue]]:
        """By name, sorted."""
        found: Any = self._settings.value("presets/own", "{}")
        try:
            read = json.loads(str(found))
        except ValueError:
            return {}
        if not isinstance(read, dict):
            return {}
        return {
            str(name): _values(values) for name, values in sorted(read.items()) if isinstance(values, dict)
        }

    def put(self, name: str, values: Mapping[str, SettingValue]) -> None:
        """A new one, or in place of the one of this name."""
        name = " ".join(name.split())[:NAME_CHARS_MOST]
        if name:
            self._write({**self.all(), name: dict(values)})

    def remove(self, name: str) -> None:
        self._write({n: values for n, values in self.all().items() if n != name})

    def _write(self, presets: dict[str, dict[str, SettingValue]]) -> None:
        self._settings.setValue("presets/own", json.dumps(presets))
        self.changed.emit()


def _values(found: dict[object, object]) -> dict[str, SettingValue]:
    return {str(n): v for n, v in found.items() if isinstance(v, bool | int | float | str)}
