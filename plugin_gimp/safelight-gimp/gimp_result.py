"""Puts restored pixels where the person wants them: a layer with a mask, into a layer, or a new image.

Everything slow has been done before: what changes the image is one step of undo, and leaves the selection, the
other layers and what is chosen as they were.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from formats import Transport
from geometry import Rect, placed, plain, product
from gimp_api import Gimp
from gimp_pixels import (
    copy_of,
    put_back,
    read_mask,
    write,
    write_mask,
    write_mask_shadow,
    write_shadow,
)
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
        if source.kind == "layer":
            image.insert_layer(layer, source.item.get_parent(), image.get_item_position(source.item))
        else:
            image.insert_layer(layer, None, 0)
        layer.set_offsets(result.box.x + source.offset[0], result.box.y + source.offset[1])
        _add_mask(layer, result, _wanted_mask(source, result))
        if source.kind == "layer":
            _look_like(layer, source.item)
        layer.attach_parasite(_parasite(layer, result.recipe))
        _set_metadata(image, result.metadata)
    return layer


def renew_layer(layer: Gimp.Layer, source: Source, result: Result, before: Recipe) -> Gimp.Layer:
    """Other pixels for a layer that a recipe has made, where it is now. A mask that somebody has painted stays."""
    image = source.image
    require_changeable(layer)
    moved = (result.box.x - before.box.x, result.box.y - before.box.y)
    box = Rect(0, 0, result.box.width, result.box.height)
    own_mask = mask_renewable(layer, before)
    with _one_step(image):
        if (layer.get_width(), layer.get_height()) != (box.width, box.height):
            layer.resize(box.width, box.height, -moved[0], -moved[1])
        if source.transport.alpha and not layer.has_alpha():
            layer.add_alpha()
        with _selection_aside(image):
            Gimp.Selection.none(image)
            _write_undoable(layer, box, source.transport, result.bands)
            if own_mask and layer.get_mask() is not None:
                _renew_mask(layer, result, _wanted_mask(source, result))
        layer.set_name(result.name)
        layer.attach_parasite(_parasite(layer, result.recipe, None if own_mask else before.mask_sha256))
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
            before = None if source.transport.exact else copy_of(layer)
            _write_undoable(layer, result.box, source.transport, result.bands)
            if before is not None and source.mask is not None:
                put_back(layer, before, result.box, source.mask)
                layer.update(*result.box)
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


def mask_renewable(layer: Gimp.Layer, recipe: Recipe) -> bool:
    """Whether the layer's mask is the one that it was given and can be made again: nothing painted is lost with it."""
    return recipe.selection_known and _mask_sha256(layer) == recipe.mask_sha256


def _mask_sha256(layer: Gimp.Layer) -> str:
    mask = layer.get_mask()
    if mask is None:
        return ""
    return hashlib.sha256(read_mask(mask, Rect(0, 0, layer.get_width(), layer.get_height()))).hexdigest()


def _parasite(layer: Gimp.Layer, recipe: Recipe, mask_sha256: str | None = None) -> Gimp.Parasite:
    """With the mask that the layer has now, or with another that it was given."""
    told = replace(recipe, mask_sha256=_mask_sha256(layer) if mask_sha256 is None else mask_sha256)
    flags = Gimp.PARASITE_PERSISTENT | Gimp.PARASITE_UNDOABLE
    return Gimp.Parasite.new(PARASITE, flags, list(told.to_bytes()))


def _layer_type(travelling: Transport) -> Any:
    grey = travelling.channels == 1
    if travelling.alpha:
        return Gimp.ImageType.GRAYA_IMAGE if grey else Gimp.ImageType.RGBA_IMAGE
    return Gimp.ImageType.GRAY_IMAGE if grey else Gimp.ImageType.RGB_IMAGE


def _wanted_mask(source: Source, result: Result) -> bytes:
    """Of the region: the selection with its soft edge, where the source layer can be seen; empty: no mask is needed."""
    wanted = b"".join(result.mask)
    mask = source.item.get_mask() if source.kind == "layer" else None
    if mask is None or not source.item.get_apply_mask():
        return wanted
    shown = read_mask(mask, result.region)
    if plain(shown):
        return wanted
    return product(wanted, shown, result.region.width) if wanted else shown


def _look_like(layer: Gimp.Layer, source: Gimp.Layer) -> None:
    """As GIMP's own duplicate of the source layer would: the same opacity, mode and way of blending."""
    layer.set_opacity(source.get_opacity())
    if source.get_mode() != Gimp.LayerMode.PASS_THROUGH:  # of groups only
        layer.set_mode(source.get_mode())
        layer.set_blend_space(source.get_blend_space())
        layer.set_composite_space(source.get_composite_space())
        layer.set_composite_mode(source.get_composite_mode())


def _add_mask(layer: Gimp.Layer, result: Result, wanted: bytes) -> None:
    if not wanted:
        return
    mask = layer.create_mask(Gimp.AddMaskType.BLACK)
    layer.add_mask(mask)
    write_mask(mask, result.region.shifted(-result.box.x, -result.box.y), [wanted])
    mask.update(0, 0, result.box.width, result.box.height)
    layer.set_edit_mask(False)


def _renew_mask(layer: Gimp.Layer, result: Result, wanted: bytes) -> None:
    """As one that is added now would be; undo knows what was there."""
    mask, whole = layer.get_mask(), Rect(0, 0, result.box.width, result.box.height)
    place = result.region.shifted(-result.box.x, -result.box.y)
    renewed = placed(wanted or bytes([255]) * (place.width * place.height), place, whole)
    write_mask_shadow(mask, whole, [renewed])
    mask.merge_shadow(True)
    write_mask(mask, whole, [renewed])
    mask.update(*whole)
