"""The pictures before and after, as layers, from a document and the chosen renditions of its regions."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from safelight.imaging.pixels import DocumentArray
from safelight_desktop.planes.colours import Colours
from safelight_desktop.planes.enlarged import FittedPlane, Resampling
from safelight_desktop.planes.layers import PictureLayer
from safelight_desktop.planes.plane import Patch, PatchedPlane
from safelight_desktop.planes.pyramid import EnlargedPyramid, Pyramid
from safelight_desktop.state.document import Document
from safelight_desktop.state.region import Region, Rendition


def shown_in_place(regions: Sequence[Region]) -> list[Rendition]:
    """What lies over the document at its own size, lowest first."""
    return [r.shown for r in regions if r.shown is not None and r.shown.scale == 1]


def composed_pixels(document: Document, renditions: Sequence[Rendition]) -> DocumentArray:
    """The document with renditions of scale 1 laid over it; its own array where nothing was restored."""
    if not renditions:
        return document.pixels
    whole = document.pixels.copy()
    for rendition in renditions:
        whole[rendition.rect.slices] = rendition.pixels
    return whole


class Composer:
    """Layers of one document on one screen. What did not change since the last pair of layers is the same layer
    again, and where a patch does not reach, its layer shows the one below: tiles that are ready stay ready."""

    def __init__(self, document: Document, monitor_icc: bytes) -> None:
        self._document, self._monitor_icc = document, monitor_icc
        self._colours = Colours(document.format, document.icc, monitor_icc)
        self._layers: dict[object, PictureLayer] = {}
        self._used: dict[object, PictureLayer] = {}

    def pair(
        self,
        regions: Sequence[Region],
        active: Region,
        resampling: Resampling,
        other: Document | None = None,
    ) -> tuple[PictureLayer, PictureLayer]:
        """Before and after: after at the scale of the active region's rendition where that enlarges; before is the
        original, the rendition it is compared with, or `other`, another file."""
        self._used = {}
        after = self._patched(self._original(), shown_in_place(regions))
        chosen = active.shown
        if chosen is not None and chosen.scale > 1:
            after = self._patched(self._enlarged(after, chosen.scale, resampling), [chosen])
        before = self._before(active.against, after, resampling)
        if other is not None:
            before = self._other(other, after, resampling)
        self._layers = self._used
        return before, after

    def _before(self, against: Rendition | None, after: PictureLayer, resampling: Resampling) -> PictureLayer:
        if against is None:
            return self._enlarged(self._original(), after.scale, resampling)
        if against.scale == 1:
            return self._enlarged(self._patched(self._original(), [against]), after.scale, resampling)
        if against.scale == after.scale:
            return self._patched(self._enlarged(self._original(), after.scale, resampling), [against])
        return self._enlarged(self._original(), after.scale, resampling)

    def _original(self) -> PictureLayer:
        return self._kept("original", lambda: PictureLayer(self._document.pyramid, self._colours))

    def _enlarged(self, layer: PictureLayer, scale: int, resampling: Resampling) -> PictureLayer:
        if scale == layer.scale:
            return layer
        doublings = scale.bit_length() - 1
        return self._kept(
            (layer.number, scale, resampling),
            lambda: PictureLayer(EnlargedPyramid(layer.pyramid, doublings, resampling), self._colours, scale),
        )

    def _patched(self, layer: PictureLayer, renditions: Sequence[Rendition]) -> PictureLayer:
        for patch in (patch for rendition in renditions for patch in rendition.patches):
            layer = self._with_patch(layer, patch)
        return layer

    def _with_patch(self, below: PictureLayer, patch: Patch) -> PictureLayer:
        def make() -> PictureLayer:
            plane = PatchedPlane(below.pyramid.plane, (patch,))
            pyramid = Pyramid(plane, below.pyramid, (patch.rect,))
            return PictureLayer(pyramid, self._colours, below.scale, below, patch.rect)

        return self._kept((below.number, patch.rect, id(patch.pixels)), make)

    def _other(self, other: Document, after: PictureLayer, resampling: Resampling) -> PictureLayer:
        """By position as a share of the whole, whatever its size."""

        def make() -> PictureLayer:
            colours = Colours(other.format, other.icc, self._monitor_icc)
            if other.size == after.size:
                return PictureLayer(other.pyramid, colours, after.scale)
            plane = FittedPlane(other.pyramid.plane, after.size, resampling)
            return PictureLayer(Pyramid(plane), colours, after.scale)

        return self._kept((id(other), after.size, resampling), make)

    def _kept(self, key: object, make: Callable[[], PictureLayer]) -> PictureLayer:
        layer = self._used.get(key) or self._layers.get(key) or make()
        self._used[key] = layer
        return layer
