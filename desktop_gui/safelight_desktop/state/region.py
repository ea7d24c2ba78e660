"""A region of the open picture and what was made of it."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import Any

from safelight.client.restoration import Restored, Work
from safelight.geometry import Rect
from safelight.imaging.pixels import DocumentArray
from safelight.settings import RestoreSettings
from safelight_desktop.planes.plane import Patch
from safelight_desktop.state.selection import Selection

_numbers = itertools.count(1)


@dataclass(eq=False)
class Rendition:
    """One result of one region: a pipeline with its settings."""

    title: str
    """The pipeline's."""
    settings: RestoreSettings
    """As a person chose them."""
    sent: RestoreSettings
    """As the daemon got them: with the soft edge that the selection means."""
    selection: Selection
    """What it was made for; the region may have moved on."""
    work: Work
    restored: Restored
    provisional: Patch | None = None
    """A part with newer bands or masks than the rest, until all of it is there."""
    number: int = field(default_factory=lambda: next(_numbers))

    @property
    def scale(self) -> int:
        return self.settings.output_scale

    @property
    def pixels(self) -> DocumentArray:
        return self.restored.pixels

    @property
    def report(self) -> dict[str, Any]:
        return self.restored.report

    @property
    def rect(self) -> Rect:
        """Its place in the document enlarged by its scale."""
        return self.work.region.times(self.scale)

    def replace_result(
        self,
        settings: RestoreSettings,
        sent: RestoreSettings,
        selection: Selection,
        work: Work,
        restored: Restored,
    ) -> None:
        """The same network output with other bands, grain or mask."""
        self.settings, self.sent = settings, sent
        self.selection, self.work, self.restored = selection, work, restored
        self.provisional = None

    @property
    def patches(self) -> tuple[Patch, ...]:
        """What lies over the document at its scale, lowest first."""
        result = Patch(self.rect, self.pixels)
        return (result,) if self.provisional is None else (result, self.provisional)


@dataclass(eq=False)
class Region:
    """Where, and the renditions of it."""

    name: str
    selection: Selection
    renditions: list[Rendition] = field(default_factory=list)
    chosen: Rendition | None = None
    """What the picture shows there (B); None: the original."""
    against: Rendition | None = None
    """What it is compared with (A); None: the original."""

    @property
    def whole(self) -> bool:
        return self.selection.kind == "whole"

    def current(self, rendition: Rendition) -> bool:
        """Whether it was made for the region as it lies now."""
        return rendition.selection.rect == self.selection.rect

    @property
    def shown(self) -> Rendition | None:
        """The chosen rendition where it still fits."""
        return self.chosen if self.chosen is not None and self.current(self.chosen) else None
