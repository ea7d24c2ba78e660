"""Requests and ways to run them, for tests of the engine."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any

import numpy as np
import numpy.typing as npt
import skimage.data

from safelight.engine.kept_key import InputHash
from safelight.engine.out_of_memory import MemoryLadder
from safelight.engine.pipelines.base import Pipeline
from safelight.engine.request import Preview, Progress, Restoration, RestoreRequest
from safelight.engine.restore import restore
from safelight.geometry import Rect, Size
from safelight.imaging.pixels import FloatArray, PixelFormat
from safelight.settings import RestoreSettings
from safelight.spec import PipelineSpec


def photo(width: int, height: int) -> npt.NDArray[np.uint8]:
    """Part of a photograph (NASA's portrait of Eileen Collins, public domain), H W 3."""
    return np.ascontiguousarray(skimage.data.astronaut()[:height, :width])


def request_for(
    pixels: npt.NDArray[Any],
    spec: PipelineSpec,
    *,
    region: Rect | None = None,
    sent: Rect | None = None,
    document: Size | None = None,
    precision: str = "fp32",
    **values: Any,
) -> RestoreRequest:
    """The whole of `pixels` unless told otherwise; in fp32, so that no test depends on a clock."""
    sent = sent or Rect(0, 0, pixels.shape[1], pixels.shape[0])
    settings = RestoreSettings(spec.id).with_values(spec, {"precision": precision, **values})
    return RestoreRequest(
        settings=settings,
        document=document or Size(sent.right, sent.bottom),
        sent=sent,
        region=region or sent,
        format=PixelFormat.of(pixels),
        icc=b"",
        pixels=pixels,
        mask=None,
        layer=False,
    )


def input_sha256(request: RestoreRequest) -> str:
    """Of all of its pixels."""
    digest = InputHash(request)
    digest.add(request.pixels)
    return digest.hexdigest()


def finished(run: Generator[Progress | Preview, None, Restoration]) -> Restoration:
    """Drives a run to its end."""
    return followed(run)[0]


def followed(
    run: Generator[Progress | Preview, None, Restoration],
) -> tuple[Restoration, list[Progress | Preview]]:
    """Drives a run to its end and keeps what it told."""
    events = []
    while True:
        try:
            events.append(next(run))
        except StopIteration as end:
            return end.value, events


def restored(
    pixels: npt.NDArray[Any],
    pipeline: Pipeline,
    *,
    memory: MemoryLadder | None = None,
    on_cpu: Callable[[], Pipeline] | None = None,
    **request: Any,
) -> Restoration:
    return finished(
        restore(
            request_for(pixels, pipeline.spec, **request),
            pipeline,
            memory=memory or MemoryLadder(),
            on_cpu=on_cpu,
        )
    )


def residual_of(restoration: Restoration) -> FloatArray:
    """The whole residual canvas."""
    return restoration.residual.read_rows(0, restoration.box.height)
