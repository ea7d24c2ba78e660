"""What is to be restored: which pixels of which image, and what of them is selected."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from errors import SafelightError
from formats import Transport
from geometry import Rect, covered, cut, plain
from gimp_api import Gimp
from gimp_pixels import opaque, profile_of, read_mask, transport_of
from texts import N_

PLAIN_MODES = (Gimp.LayerMode.NORMAL, Gimp.LayerMode.NORMAL_LEGACY, Gimp.LayerMode.PASS_THROUGH)
NOT_RASTER = ("is_link_layer", "is_vector_layer")  # GIMP 3.2 has them


@dataclass(frozen=True)
class Source:
    """Pixels of a drawable, its place in the image, and the selection on it. Valid while `image` is."""

    image: Gimp.Image
    item: Gimp.Layer
    """What the result belongs to: the layer, or the one that was chosen when all visible ones were read."""
    kind: str
    """layer or visible."""
    pixels: Gimp.Drawable
    """What is read: `item`, or a temporary layer."""
    offset: tuple[int, int]
    """Of the document's corner in the image."""
    document: tuple[int, int]
    """Width and height of `pixels`."""
    region: Rect
    """What is selected, in the document."""
    mask: bytes | None
    """Of the region; None: all of it."""
    transport: Transport
    profile: bytes

    def announced(self, key: str, sent: Rect) -> dict[str, Any]:
        """The fields of the bridge's `document`."""
        return {
            "key": key,
            "document": list(self.document),
            "sent": list(sent),
            "region": list(self.region),
            "masked": self.mask is not None,
            **self.transport.announced(),
        }

    def in_image(self, box: Rect) -> Rect:
        return box.shifted(*self.offset)

    def require_valid(self) -> None:
        """GIMP stays usable while a job runs: the image may be gone."""
        if self.image.is_valid() and self.item.is_valid():
            return
        if not self.image.is_valid():  # asked again: it may have been closed between the two questions
            raise SafelightError(
                "IMAGE_CLOSED",
                N_(
                    "The image was closed while it was being restored, so the work was given up: open it and run the "
                    "filter again."
                ),
            )
        raise SafelightError(
            "LAYER_GONE",
            N_("The layer was removed while it was being restored, so there is nothing to do."),
        )


def layer_of(image: Gimp.Image, drawables: list[Gimp.Drawable]) -> Gimp.Layer:
    """The layer a run is about; raises SafelightError when there is none."""
    if not image.is_valid():
        raise SafelightError("IMAGE_CLOSED", N_("The image is no longer open."))
    if len(drawables) != 1:
        raise SafelightError("ONE_LAYER", N_("Choose one layer: Safelight restores one at a time."))
    if image.get_floating_sel() is not None:
        raise SafelightError(
            "FLOATING_SELECTION", N_("Anchor the floating selection first (Layer > Anchor Floating Layer).")
        )
    drawable = drawables[0]
    if not drawable.is_valid():
        raise SafelightError("LAYER_GONE", N_("The layer is no longer there."))
    if drawable.is_layer_mask():
        drawable = Gimp.Layer.from_mask(drawable)
    if not drawable.is_layer():
        raise SafelightError("NO_LAYER", N_("Choose a layer: a channel cannot be restored."))
    return drawable


def require_changeable(layer: Gimp.Layer) -> None:
    """For results that change the layer itself."""
    if layer.is_group() or any(getattr(layer, name)() for name in NOT_RASTER if hasattr(layer, name)):
        raise SafelightError(
            "NOT_CHANGEABLE",
            N_("This kind of layer holds no pixels of its own: choose a new layer as the result instead."),
        )
    item = layer
    while item is not None:
        if item.get_lock_content():
            raise SafelightError(
                "LAYER_LOCKED",
                N_(
                    "The layer's pixels are locked: unlock them, or choose a new layer as the result instead."
                ),
            )
        item = item.get_parent()


def blends(layer: Gimp.Layer) -> bool:
    """Whether what lies below shows through a layer of such a mode or opacity."""
    return layer.get_opacity() < 100 or layer.get_mode() not in PLAIN_MODES


@contextmanager
def opened(
    image: Gimp.Image,
    layer: Gimp.Layer,
    kind: str,
    *,
    region: Rect | None = None,
    mask: bytes | None = None,
    under: Gimp.Layer | None = None,
) -> Iterator[Source]:
    """The source of a run. `region`, in the document, stands for the selection where something else names one, with
    the mask of what is selected in it. `under`: of what is visible, only what lies below that layer."""
    if kind == "layer":
        yield _source(image, layer, kind, layer, region, mask)
        return
    scratch = _scratch_image(image)
    try:
        seen = _visible_below(image, scratch, under) if under else _visible(image, scratch)
        yield _source(image, layer, kind, seen, region, mask)
    finally:
        scratch.delete()


def _visible(image: Gimp.Image, scratch: Gimp.Image) -> Gimp.Layer:
    seen = Gimp.Layer.new_from_visible(image, scratch, "visible")
    scratch.insert_layer(seen, None, 0)
    return seen


def _visible_below(image: Gimp.Image, scratch: Gimp.Image, layer: Gimp.Layer) -> Gimp.Layer:
    """In a copy, so that nothing blinks and nothing is to be undone."""
    copy = image.duplicate()
    try:
        copy.undo_disable()
        item = layer
        while item is not None:
            parent = item.get_parent()
            place = _path(copy, item)
            siblings = place[-1].get_parent().get_children() if parent else copy.get_layers()
            for above in siblings[: copy.get_item_position(place[-1])]:
                above.set_visible(False)
            if item == layer:
                place[-1].set_visible(False)
            item = parent
        return _visible(copy, scratch)
    finally:
        copy.delete()


def _path(copy: Gimp.Image, item: Gimp.Item) -> list[Gimp.Item]:
    """The item in a copy of its image, and the groups it lies in, outermost first."""
    parent = item.get_parent()
    above = _path(copy, parent) if parent else []
    siblings = above[-1].get_children() if above else copy.get_layers()
    return [*above, siblings[item.get_image().get_item_position(item)]]


def _scratch_image(image: Gimp.Image) -> Gimp.Image:
    """Empty, of the same numbers."""
    base = image.get_base_type()
    if base == Gimp.ImageBaseType.INDEXED:
        base = Gimp.ImageBaseType.RGB
    scratch = Gimp.Image.new_with_precision(
        image.get_width(), image.get_height(), base, image.get_precision()
    )
    scratch.undo_disable()
    if profile := image.get_color_profile():
        scratch.set_color_profile(profile)
    return scratch


def _source(
    image: Gimp.Image,
    layer: Gimp.Layer,
    kind: str,
    pixels: Gimp.Drawable,
    region: Rect | None,
    mask: bytes | None,
) -> Source:
    offset = (0, 0) if kind == "visible" else tuple(pixels.get_offsets())[-2:]
    document = Rect(0, 0, pixels.get_width(), pixels.get_height())
    if region is None:
        region, mask = _selected(image, document, offset)
    else:
        named, region = region, region.intersect(document)
        if mask is not None and not region.empty:
            mask = cut(mask, named.width, region.shifted(-named.x, -named.y))
    if region.empty:
        raise SafelightError(
            "SELECTION_OUTSIDE",
            N_("The selection does not touch the layer: move it onto the layer, or choose another layer."),
        )
    alpha = pixels.has_alpha() and not (kind == "visible" and opaque(pixels))
    travelling = transport_of(pixels.get_image(), alpha=alpha)
    profile = profile_of(image, travelling)
    size = (document.width, document.height)
    return Source(image, layer, kind, pixels, offset, size, region, mask, travelling, profile)


def _selected(image: Gimp.Image, document: Rect, offset: tuple[int, int]) -> tuple[Rect, bytes | None]:
    """The box around what is selected, in the document, and the selection in it; everything when nothing is."""
    if Gimp.Selection.is_empty(image):
        return document, None
    _, _, left, top, right, bottom = Gimp.Selection.bounds(image)
    bounds = Rect(left, top, right - left, bottom - top)
    box = bounds.intersect(document.shifted(*offset))
    if box.empty:
        return box, None
    mask = read_mask(image.get_selection(), box)
    inner = covered(mask, box.width)
    mask = cut(mask, box.width, inner)
    region = inner.shifted(box.x - offset[0], box.y - offset[1])
    return region, None if plain(mask) else mask
