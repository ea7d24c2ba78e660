"""One run from its source to its result."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from bridge_process import BridgeProcess
from errors import SafelightError
from geometry import Rect
from gimp_api import Gimp
from gimp_loop import finish
from gimp_pixels import read
from gimp_progress import Progress
from gimp_result import Result, metadata_of
from gimp_source import Source
from job import Answer, Wish, restored
from recipe import Recipe, layer_name

Place = Callable[[Source, Result], Gimp.Layer]


def run_job(
    process: BridgeProcess, source: Source, wish: Wish, place: Place, *, interactive: bool
) -> Gimp.Layer:
    """Restores, and hands the result to `place`, which changes the image. Until then it stays as it is."""
    with Progress(interactive) as progress:

        def show(fields: Mapping[str, Any]) -> None:
            progress.show(fields)
            try:
                source.require_valid()
            except SafelightError as error:
                progress.fail(error)

        answer = finish(
            process,
            restored(
                wish,
                source,
                lambda box: read(source.pixels, box, source.transport),
                metadata=lambda: _metadata_of(source),
                title=source.image.get_name(),
                on_progress=show,
            ),
            progress.watch,
        )
    source.require_valid()
    layer = place(source, _result_of(source, answer))
    Gimp.displays_flush()
    return layer


def _metadata_of(source: Source) -> str:
    source.require_valid()
    return metadata_of(source.image)


def _result_of(source: Source, answer: Answer) -> Result:
    settings: dict[str, Any] = answer.fields["settings"]
    scale = settings["output_scale"]
    title = answer.fields["title"]
    recipe = Recipe(
        source=source.kind,
        region=source.region,
        box=answer.box,
        settings=settings,
        title=title,
        source_item=source.item.get_tattoo() if source.kind == "layer" else 0,
        operation=answer.fields["operation"],
    )
    return Result(
        box=answer.box,
        bands=answer.bands,
        region=Rect(*(number * scale for number in source.region)),
        mask=answer.mask,
        scale=scale,
        name=layer_name(title, settings, answer.defaults),
        recipe=recipe,
        metadata=answer.metadata,
    )
