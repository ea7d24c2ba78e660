"""Puts restored pixels where the person wants them: a layer with a mask, into a layer, or a new image.

Everything slow has been done before: what changes the image is one step of undo, and leaves the selection, the
other layers and what is chosen as they were.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from formats import Transport
from geometry import Rect
from gimp_api import Gimp
from gimp_pixels import write, write_mask, write_shadow
from gimp_source import Source, require_changeable
from recipe import PARASITE, Recipe

COMMENT = "gimp-comment"  # the only parasite that is meant for people


@dataclass(frozen=True)
class Result:
    """What came back. Rectangles are in output pixels of the document: its own times `scale`."""

    box: Rect
    bands: Sequence[bytes]
    region: Rect
    mask: Sequence[bytes]
    """Of the region; empty: no mask is needed."""
    scale: int
    name: str
    recipe: Recipe
    metadata: str
    """For the image, as GIMP serialises it; empty: leave what it has."""


def metadata_of(image: Gimp.Image) -> str:
    """As GIMP serialises it."""
    return str((image.get_metadata() or Gimp.Metadata.new()).serialize())


def _set_metadata(image: Gimp.Image, serialised: str) -> None:
    if serialised:
        image.set_metadata(Gimp.Metadata.deserialize(serialised))


@contextmanager
def _one_step(image: Gimp.Image) -> Iterator[None]:
    """One step of undo; nothing that a person has chosen in the image changes."""
    selected = image.get_selected_layers()
    Gimp.context_push()
    image.undo_group_start()
    try:
        yield
        image.set_selected_layers([layer for layer in selected if layer.is_valid()])
    finally:
        image.undo_group_end()
        Gimp.context_pop()


def add_layer(source: Source, result: Result) -> Gimp.Layer:
    """Above the source layer, or above all where all were seen."""
    image = source.image
    with _one_step(image):
        _make_rgb(image)
        layer = _filled_layer(image, source.transport, result)
        layer.attach_parasite(_parasite(result.recipe))
        if source.kind == "layer":
            image.insert_layer(layer, source.item.get_parent(), image.get_item_position(source.item))
        else:
            image.insert_layer(layer, None, 0)
        layer.set_offsets(result.box.x + source.offset[0], result.box.y + source.offset[1])
        _add_mask(layer, result)
        _set_metadata(image, result.metadata)
    return layer


def renew_layer(layer: Gimp.Layer, source: Source, result: Result, before: Recipe) -> Gimp.Layer:
    """Other pixels for a layer that a recipe has made: where it is now, under the mask it has now."""
    image = source.image
    require_changeable(layer)
    moved = (result.box.x - before.box.x, result.box.y - before.box.y)
    box = Rect(0, 0, result.box.width, result.box.height)
    with _one_step(image):
        if (layer.get_width(), layer.get_height()) != (box.width, box.height):
            layer.resize(box.width, box.height, -moved[0], -moved[1])
        if source.transport.alpha and not layer.has_alpha():
            layer.add_alpha()
        with _selection_aside(image):
            Gimp.Selection.none(image)
            _write_undoable(layer, box, source.transport, result.bands)
        layer.set_name(result.name)
        layer.attach_parasite(_parasite(result.recipe))
        _set_metadata(image, result.metadata)
    return layer


def replace_pixels(source: Source, result: Result) -> Gimp.Layer:
    """Into the layer itself. The daemon has blended already, so the box is copied whole."""
    layer, image = source.item, source.image
    require_changeable(layer)
    with _one_step(image):
        _make_rgb(image)
        with _selection_aside(image):
            image.select_rectangle(Gimp.ChannelOps.REPLACE, *source.in_image(result.box))
            _write_undoable(layer, result.box, source.transport, result.bands)
        _set_metadata(image, result.metadata)
    return layer


def _write_undoable(layer: Gimp.Layer, box: Rect, travelling: Transport, bands: Sequence[bytes]) -> None:
    """`merge_shadow` keeps for undo what was there, but computes what it writes: samples of more than 8 bits come out
    a little different (seen with GIMP 3.0.4: 1e-4 in floats with a profile). So they are written again as they are."""
    write_shadow(layer, box, travelling, bands)
    layer.merge_shadow(True)
    write(layer, box, travelling, bands)
    layer.update(*box)


def new_image(source: Source, result: Result, *, show: bool) -> Gimp.Layer:
    """Of the region at its scale, with the image's profile, resolution, guides, comment and metadata. Without the
    recipe: what it was made from lies in another image."""
    old, box = source.image, result.box
    base = Gimp.ImageBaseType.GRAY if source.transport.channels == 1 else Gimp.ImageBaseType.RGB
    image = Gimp.Image.new_with_precision(box.width, box.height, base, old.get_precision())
    try:
        image.undo_disable()
        if profile := old.get_color_profile():
            image.set_color_profile(profile)
        layer = _filled_layer(image, source.transport, result)
        image.insert_layer(layer, None, 0)
        _copy_surroundings(old, image, source, result)
        image.undo_enable()
    except BaseException:
        image.delete()
        raise
    if show:
        Gimp.Display.new(image)
    return layer


def _copy_surroundings(old: Gimp.Image, image: Gimp.Image, source: Source, result: Result) -> None:
    """All of an image that is not pixels."""
    _set_metadata(image, result.metadata or metadata_of(old))
    _, across, down = old.get_resolution()
    image.set_resolution(across, down)
    image.set_unit(old.get_unit())
    if comment := old.get_parasite(COMMENT):
        image.attach_parasite(comment)
    left, top = (
        result.box.x + source.offset[0] * result.scale,
        result.box.y + source.offset[1] * result.scale,
    )
    guide = old.find_next_guide(0)
    while guide:
        position = old.get_guide_position(guide) * result.scale
        if old.get_guide_orientation(guide) == Gimp.OrientationType.HORIZONTAL:
            if 0 <= position - top <= image.get_height():
                image.add_hguide(position - top)
        elif 0 <= position - left <= image.get_width():
            image.add_vguide(position - left)
        guide = old.find_next_guide(guide)


def _make_rgb(image: Gimp.Image) -> None:
    """Restored pixels do not fit into a palette."""
    if image.get_base_type() == Gimp.ImageBaseType.INDEXED:
        image.convert_rgb()


@contextmanager
def _selection_aside(image: Gimp.Image) -> Iterator[None]:
    """The selection may be changed meanwhile and is the same afterwards."""
    saved = None if Gimp.Selection.is_empty(image) else Gimp.Selection.save(image)
    Gimp.context_set_antialias(False)
    Gimp.context_set_feather(False)
    try:
        yield
    finally:
        if saved is None:
            Gimp.Selection.none(image)
        else:
            image.select_item(Gimp.ChannelOps.REPLACE, saved)
            image.remove_channel(saved)


def _filled_layer(image: Gimp.Image, travelling: Transport, result: Result) -> Gimp.Layer:
    """Not in the image yet: writing then is quick and no part of undo."""
    box = result.box
    kind = _layer_type(travelling)
    layer = Gimp.Layer.new(image, result.name, box.width, box.height, kind, 100, Gimp.LayerMode.NORMAL)
    write(layer, Rect(0, 0, box.width, box.height), travelling, result.bands)
    return layer


def _parasite(recipe: Recipe) -> Gimp.Parasite:
    flags = Gimp.PARASITE_PERSISTENT | Gimp.PARASITE_UNDOABLE
    return Gimp.Parasite.new(PARASITE, flags, list(recipe.to_bytes()))


def _layer_type(travelling: Transport) -> Any:
    grey = travelling.channels == 1
    if travelling.alpha:
        return Gimp.ImageType.GRAYA_IMAGE if grey else Gimp.ImageType.RGBA_IMAGE
    return Gimp.ImageType.GRAY_IMAGE if grey else Gimp.ImageType.RGB_IMAGE


def _add_mask(layer: Gimp.Layer, result: Result) -> None:
    if not result.mask:
        return
    mask = layer.create_mask(Gimp.AddMaskType.BLACK)
    layer.add_mask(mask)
    write_mask(mask, result.region.shifted(-result.box.x, -result.box.y), result.mask)
    mask.update(0, 0, result.box.width, result.box.height)
    layer.set_edit_mask(False)
