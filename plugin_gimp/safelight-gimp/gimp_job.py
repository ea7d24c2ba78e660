"""One run from its source to its result."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
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
from texts import N_

Place = Callable[[Source, Result], Gimp.Layer]


def run_job(
    process: BridgeProcess, source: Source, wish: Wish, place: Place, *, interactive: bool
) -> Gimp.Layer:
    """Restores, and hands the result to `place`, which changes the image. Until then it stays as it is."""
    reading = _Reading(source)
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
                reading.read,
                metadata=lambda: _metadata_of(source),
                title=source.image.get_name(),
                on_progress=show,
            ),
            progress.watch,
        )
    source.require_valid()
    if wish.output == "replace":
        reading.require_unchanged()
    layer = place(source, _result_of(source, answer))
    Gimp.displays_flush()
    return layer


class _Reading:
    """Remembers what was read, so that nothing painted meanwhile is overwritten."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._box = Rect(0, 0, 0, 0)
        self._seen = hashlib.sha256()

    def read(self, box: Rect) -> Iterator[bytes]:
        self._box, self._seen = box, hashlib.sha256()
        for band in read(self._source.pixels, box, self._source.transport):
            self._seen.update(band)
            yield band

    def require_unchanged(self) -> None:
        before = self._seen.digest()
        for _ in self.read(self._box):
            pass
        if self._seen.digest() != before:
            raise SafelightError(
                "LAYER_CHANGED",
                N_(
                    "The layer was changed while it was being restored, so nothing was replaced: run the filter again."
                ),
            )


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
