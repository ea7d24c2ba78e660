"""How far a run is, in GIMP's status bar."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flow import Talk
from gimp_api import Gimp


class Progress:
    def __init__(self, interactive: bool) -> None:
        self._interactive = interactive

    def __enter__(self) -> Progress:
        Gimp.progress_init("Safelight")
        return self

    def __exit__(self, *exception: object) -> None:
        Gimp.progress_end()

    def watch(self, talk: Talk) -> None:
        pass

    def show(self, fields: Mapping[str, Any]) -> None:
        if "fraction" in fields:
            Gimp.progress_update(fields["fraction"])
