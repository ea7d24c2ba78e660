"""Restore Region: from what was chosen to the finished layer."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from errors import SafelightError
from geometry import Rect
from gimp_api import Gimp
from gimp_loop import bridge, finish
from gimp_pixels import read
from gimp_progress import Progress
from gimp_result import Result, add_layer, one_step, replace_pixels
from gimp_source import Source, layer_of, opened, require_changeable
from job import Answer, Wish, restored
from recipe import Recipe, layer_name
from texts import N_

_NUMBERS = ("strength", "detail", "colour", "working-scale", "seed")


def restore(
    run_mode: Gimp.RunMode, image: Gimp.Image, drawables: list[Any], config: Any
) -> Gimp.Layer | None:
    layer = layer_of(image, drawables)
    return run_wish(image, layer, wish_of(config), interactive=run_mode != Gimp.RunMode.NONINTERACTIVE)


def run_wish(image: Gimp.Image, layer: Gimp.Layer, wish: Wish, *, interactive: bool) -> Gimp.Layer:
    if wish.output == "replace":
        require_changeable(layer)
        if wish.source == "visible":
            raise SafelightError(
                "REPLACE_VISIBLE",
                N_(
                    "What all visible layers show cannot replace one of them: choose a new layer as the result."
                ),
            )
    with opened(image, layer, wish.source) as source, bridge() as process, Progress(interactive) as progress:
        answer = finish(
            process,
            restored(
                wish,
                source,
                lambda box: read(source.pixels, box, source.transport),
                title=image.get_name(),
                on_progress=progress.show,
            ),
            progress.watch,
        )
        source.require_valid()
        result = result_of(source, answer)
        with one_step(image):
            made = add_layer(source, result) if wish.output == "layer" else replace_pixels(source, result)
    Gimp.displays_flush()
    return made


def result_of(source: Source, answer: Answer) -> Result:
    settings = answer.fields["settings"]
    scale = settings["output_scale"]
    region = Rect(*(number * scale for number in source.region))
    recipe = Recipe(
        source=source.kind,
        region=source.in_image(source.region),
        box=source.in_image(answer.box),
        settings=settings,
        title=answer.fields["title"],
        source_item=source.item.get_tattoo() if source.kind == "layer" else 0,
        operation=answer.fields["operation"],
    )
    name = layer_name(answer.fields["title"], settings, answer.defaults)
    return Result(answer.box, answer.bands, region, answer.mask, name, recipe)


def wish_of(config: Any) -> Wish:
    """From the arguments of the procedure; raises SafelightError for settings that are no JSON object."""
    values = dict(_own_settings(config.get_property("settings") or ""))
    for name in _NUMBERS:
        number = config.get_property(name)
        if number >= 0:
            values[name.replace("-", "_")] = number
    if scale := config.get_property("scale"):
        values["output_scale"] = scale
    return Wish(
        pipeline=config.get_property("pipeline") or "",
        preset=config.get_property("preset") or "",
        values=values,
        output=config.get_property("output"),
        source=config.get_property("source"),
    )


def _own_settings(text: str) -> Mapping[str, Any]:
    try:
        found = json.loads(text) if text.strip() else {}
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise SafelightError(
            "SETTINGS_FORM",
            N_('The argument settings is no JSON object: give one such as {"prompt": "a portrait"}.'),
        )
    return found
