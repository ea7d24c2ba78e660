"""The pictures before and after, as layers, from a document and the chosen renditions of its regions."""

from __future__ import annotations

from collections.abc import Sequence

from safelight.geometry import Size
from safelight.imaging.pixels import DocumentArray
from safelight_desktop.planes.colours import Colours
from safelight_desktop.planes.enlarged import FittedPlane, Resampling
from safelight_desktop.planes.layers import PictureLayer
from safelight_desktop.planes.plane import PatchedPlane
from safelight_desktop.planes.pyramid import EnlargedPyramid, Pyramid
from safelight_desktop.state.document import Document
from safelight_desktop.state.region import Region, Rendition


def shown_in_place(regions: Sequence[Region]) -> list[Rendition]:
    """What lies over the document at its own size, lowest first."""
    return [r.shown for r in regions if r.shown is not None and r.shown.scale == 1]


def composed(document: Document, renditions: Sequence[Rendition]) -> Pyramid:
    """The document with renditions of scale 1 laid over it."""
    if not renditions:
        return document.pyramid
    return _patched(document.pyramid, renditions)


def composed_pixels(document: Document, renditions: Sequence[Rendition]) -> DocumentArray:
    """The same as one array; the document's own where nothing was restored."""
    if not renditions:
        return document.pixels
    whole = document.pixels.copy()
    for rendition in renditions:
        whole[rendition.rect.slices] = rendition.pixels
    return whole


def after_layer(
    document: Document, regions: Sequence[Region], active: Region, colours: Colours, resampling: Resampling
) -> PictureLayer:
    """What the picture is now: at the scale of the active region's rendition where that enlarges."""
    pyramid = composed(document, shown_in_place(regions))
    chosen = active.shown
    if chosen is None or chosen.scale == 1:
        return PictureLayer(pyramid, colours)
    return _enlarged(pyramid, chosen, colours, resampling)


def before_layer(
    document: Document, against: Rendition | None, scale: int, colours: Colours, resampling: Resampling
) -> PictureLayer:
    """The original, or another rendition, at `scale`."""
    pyramid = document.pyramid
    if against is not None and against.scale == 1:
        pyramid = composed(document, [against])
    elif against is not None and against.scale == scale:
        return _enlarged(pyramid, against, colours, resampling)
    if scale == 1:
        return PictureLayer(pyramid, colours)
    return PictureLayer(EnlargedPyramid(pyramid, _doublings(scale), resampling), colours, scale)


def other_layer(
    other: Document, size: Size, scale: int, monitor_icc: bytes, resampling: Resampling
) -> PictureLayer:
    """Another picture in place of before, by position as a share of the whole."""
    colours = Colours(other.format, other.icc, monitor_icc)
    if other.size == size:
        return PictureLayer(other.pyramid, colours, scale)
    return PictureLayer(Pyramid(FittedPlane(other.pyramid.plane, size, resampling)), colours, scale)


def _enlarged(
    pyramid: Pyramid, rendition: Rendition, colours: Colours, resampling: Resampling
) -> PictureLayer:
    large = EnlargedPyramid(pyramid, _doublings(rendition.scale), resampling)
    return PictureLayer(_patched(large, [rendition]), colours, rendition.scale)


def _patched(below: Pyramid, renditions: Sequence[Rendition]) -> Pyramid:
    patches = tuple(patch for rendition in renditions for patch in rendition.patches)
    return Pyramid(PatchedPlane(below.plane, patches), below, tuple(p.rect for p in patches))


def _doublings(scale: int) -> int:
    return scale.bit_length() - 1
