"""Puts restored pixels where the person wants them: a layer with a mask, into the layer, or a new image.

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


@dataclass(frozen=True)
class Result:
    """What came back. Rectangles are in output pixels of the document: its own times the output scale."""

    box: Rect
    bands: Sequence[bytes]
    mask_box: Rect
    mask: Sequence[bytes]
    """Empty: no mask is needed."""
    name: str
    recipe: Recipe


@contextmanager
def one_step(image: Gimp.Image) -> Iterator[None]:
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
    """Above the source layer, or above all where all were seen; call it within `one_step`."""
    image = source.image
    if image.get_base_type() == Gimp.ImageBaseType.INDEXED:
        image.convert_rgb()
    layer = _filled_layer(image, source.transport, result)
    if source.kind == "layer":
        image.insert_layer(layer, source.item.get_parent(), image.get_item_position(source.item))
    else:
        image.insert_layer(layer, None, 0)
    _place(layer, source, result)
    return layer


def replace_pixels(source: Source, result: Result) -> Gimp.Layer:
    """Into the layer itself. The daemon has blended already, so the box is copied whole: the selection steps aside
    for that and comes back as it was. Within `one_step`."""
    layer, image = source.item, source.image
    require_changeable(layer)
    write_shadow(layer, result.box, source.transport, result.bands)
    selection = None if Gimp.Selection.is_empty(image) else Gimp.Selection.save(image)
    place = source.in_image(result.box)
    Gimp.context_set_antialias(False)
    Gimp.context_set_feather(False)
    image.select_rectangle(Gimp.ChannelOps.REPLACE, *place)
    layer.merge_shadow(True)
    if selection is None:
        Gimp.Selection.none(image)
    else:
        image.select_item(Gimp.ChannelOps.REPLACE, selection)
        image.remove_channel(selection)
    layer.update(*result.box)
    return layer


def _filled_layer(image: Gimp.Image, travelling: Transport, result: Result) -> Gimp.Layer:
    """Not in the image yet: writing then is quick and no part of undo."""
    box = result.box
    layer = Gimp.Layer.new(
        image, result.name, box.width, box.height, _layer_type(travelling), 100, Gimp.LayerMode.NORMAL
    )
    write(layer, Rect(0, 0, box.width, box.height), travelling, result.bands)
    layer.attach_parasite(
        Gimp.Parasite.new(
            PARASITE, Gimp.PARASITE_PERSISTENT | Gimp.PARASITE_UNDOABLE, list(result.recipe.to_bytes())
        )
    )
    return layer


def _layer_type(travelling: Transport) -> Any:
    grey = travelling.channels == 1
    if travelling.alpha:
        return Gimp.ImageType.GRAYA_IMAGE if grey else Gimp.ImageType.RGBA_IMAGE
    return Gimp.ImageType.GRAY_IMAGE if grey else Gimp.ImageType.RGB_IMAGE


def _place(layer: Gimp.Layer, source: Source, result: Result) -> None:
    place = source.in_image(result.box)
    layer.set_offsets(place.x, place.y)
    if not result.mask:
        return
    mask = layer.create_mask(Gimp.AddMaskType.BLACK)
    layer.add_mask(mask)
    write_mask(mask, result.mask_box.shifted(-result.box.x, -result.box.y), result.mask)
    mask.update(0, 0, result.box.width, result.box.height)
    layer.set_edit_mask(False)
