"""The layers on the canvas, swapped only when all that is in sight of the new ones is ready: no flash between."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from safelight_desktop.planes.layers import DifferenceLayer, Layer, PictureLayer


@dataclass(frozen=True, eq=False)
class Scene:
    """What there is to see."""

    before: PictureLayer
    after: PictureLayer
    difference: DifferenceLayer | None = None

    def layer(self, name: str) -> Layer:
        """before, after or difference (after, while there is none)."""
        return {"before": self.before, "after": self.after, "difference": self.difference or self.after}[name]

    @property
    def restored(self) -> bool:
        """Whether there is anything to compare."""
        return self.before is not self.after

    @property
    def layers(self) -> list[Layer]:
        return [self.after, self.before, *([self.difference] if self.difference else [])]


class SceneSwitch:
    """The scene that is drawn, and the one that will be."""

    def __init__(self) -> None:
        self.shown: Scene | None = None
        self.wanted: Scene | None = None

    def replace(self, scene: Scene | None, *, at_once: bool) -> None:
        """`at_once`: another picture; there is nothing to keep still."""
        if scene is None or self.shown is None or at_once:
            self.shown, self.wanted = scene, None
        else:
            self.wanted = scene

    def advance(self, ready: Callable[[Scene], bool]) -> None:
        """Swaps when the wanted scene is ready."""
        if self.wanted is not None and ready(self.wanted):
            self.shown, self.wanted = self.wanted, None
