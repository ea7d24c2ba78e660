"""A job with `authors_exact`: the region alone goes through the authors' own path, its 8-bit result comes back.

The result is put on a residual canvas like any other, so that the finish delivers it in the document's own format:
exactly, where the document is 8-bit sRGB. What would change it on the way is switched off in the request.
Memory grows with the region, as in the authors' scripts.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import replace

import numpy as np
import torch
from PIL import Image

from safelight.engine.canvas import RESIDUAL_LIMIT, RESIDUAL_UNIT, ResidualCanvas
from safelight.engine.out_of_memory import too_little_memory, unless_out_of_memory
from safelight.engine.pipelines.base import Picture, PictureSource, Pipeline, Precision, TileProgress
from safelight.engine.prepare import EncodedSource
from safelight.engine.region_source import with_own
from safelight.engine.request import Progress, Restoration, RestoreRequest
from safelight.engine.residual import enlarged_tile
from safelight.errors import InvalidRequest, Unrestorable
from safelight.geometry import Rect, Size
from safelight.imaging.pixels import FloatArray

BAND_ROWS = 256
SHARES = {"encode": (0.0, 0.25), "predict": (0.25, 0.75), "decode": (0.75, 1.0)}
"""Where each stage begins and ends in a job's progress; a rough guess."""


def restore_as_authors(
    request: RestoreRequest, pipeline: Pipeline, *, clock: Callable[[], float]
) -> Generator[Progress, None, Restoration]:
    """Raises InvalidRequest for a working scale other than the output's, TooMuch (OUT_OF_MEMORY), Unrestorable
    for a result that is no picture."""
    request = _alone(request)
    scale = request.settings.output_scale
    started = clock()
    yield Progress("prepare")
    source = EncodedSource(request, request.region)
    x = np.broadcast_to(
        source.rows(0, request.region.height), (request.region.height, request.region.width, 3)
    )
    picture = np.rint(np.clip(x, 0, 1) * np.float32(255)).astype(np.uint8)
    with torch.inference_mode():
        found = pipeline.estimated(PictureSource(picture), settings=request.settings)
    request = replace(request, settings=with_own(request.settings, found))
    result, precision = yield from _computed(request, pipeline, picture)
    size = Size(request.region.width * scale, request.region.height * scale)
    canvas = _as_residual(_sized(result, size), np.ascontiguousarray(x), scale)
    return Restoration(
        request,
        pipeline.spec,
        float(scale),
        request.region.times(scale),
        canvas,
        np.ascontiguousarray(x),
        report={
            "conditioning": dict(found),
            "tiles": {},
            "precision": precision,
            "device": str(pipeline.device),
            "threads": torch.get_num_threads(),
            "retries": [],
            "ladder": [],
            "authors_size": [result.shape[1], result.shape[0]],
            "network": "computed",
            "checkpoints": dict(pipeline.checkpoint_hashes),
            "stages_s": {"authors": clock() - started},
        },
    )


def _alone(request: RestoreRequest) -> RestoreRequest:
    """The request as the scripts see it: no surroundings, and nothing that changes the result afterwards."""
    settings = request.settings
    if settings.working_scale not in (0.0, float(settings.output_scale)):
        raise InvalidRequest(
            f"authors_exact works at the output scale, {settings.output_scale}, not at {settings.working_scale:g}: "
            "leave the working scale at 0",
            "SETTING_OUT_OF_RANGE",
        )
    plain = replace(settings, strength=1.0, detail=1.0, colour=1.0, grain=0.0, monochrome="off", feather=0.0)
    pixels = request.pixels[request.region.shifted(-request.sent.x, -request.sent.y).slices]
    return replace(request, settings=plain, sent=request.region, pixels=pixels)


def _computed(
    request: RestoreRequest, pipeline: Pipeline, picture: Picture
) -> Generator[Progress, None, tuple[Picture, Precision]]:
    """In the precision that was asked for (fp32 where none was), in fp32 where that gave no numbers."""
    asked = request.settings.precision
    ways: dict[str, tuple[Precision, ...]] = {"fp16": ("fp16", "fp32"), "bf16": ("bf16", "fp32")}
    for precision in ways.get(asked, ("fp32",)):
        finite = True

        def tap(name: str, tensor: torch.Tensor) -> None:
            nonlocal finite
            finite = finite and (tensor.dtype == torch.uint8 or bool(torch.isfinite(tensor).all()))

        result = yield from _stepped(
            pipeline.authors(picture, settings=request.settings, precision=precision, tap=tap), pipeline
        )
        if finite:
            return result, precision
    raise Unrestorable(
        f"{pipeline.spec.id} gave values that are no numbers, in fp32 too: choose another pipeline",
        "OUTPUT_REFUSED",
    )


def _stepped(
    running: Generator[TileProgress, None, Picture], pipeline: Pipeline
) -> Generator[Progress, None, Picture]:
    ended: list[Picture] = []

    def advance() -> TileProgress:
        with torch.inference_mode():
            try:
                return next(running)
            except StopIteration as end:
                ended.append(end.value)
                return "decode", 1, 1

    while not ended:
        progress = unless_out_of_memory(advance)
        if progress is None:
            raise too_little_memory(
                f"{pipeline.spec.id} as its authors run it needs more than {pipeline.device} has; lower the tile "
                "settings or switch authors_exact off"
            )
        stage, done, tiles = progress
        begin, end = SHARES[stage]
        yield Progress(stage, done, tiles, fraction=begin + (end - begin) * done / tiles)
    return ended[0]


def _sized(result: Picture, size: Size) -> Picture:
    """At the size that was asked for; bicubic by Pillow, as OSEDiff's script means to."""
    image = Image.fromarray(result)
    return result if image.size == size else np.asarray(image.resize(size))


def _as_residual(result: Picture, x: FloatArray, scale: int) -> ResidualCanvas:
    """result / 255 less x enlarged as the finish enlarges the document."""
    height, width = result.shape[:2]
    canvas = ResidualCanvas(Size(width, height))
    for top in range(0, x.shape[0], BAND_ROWS):
        rows = Rect(0, top, x.shape[1], min(BAND_ROWS, x.shape[0] - top))
        box = rows.times(scale)
        residual = result[box.slices].astype(np.float32) / np.float32(255) - enlarged_tile(x, rows, scale)
        np.clip(residual, -RESIDUAL_LIMIT, RESIDUAL_LIMIT, out=residual)
        canvas.add(box, np.rint(residual * np.float32(RESIDUAL_UNIT)).astype(np.int16))
    return canvas
