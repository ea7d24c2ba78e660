"""Restorations made of arrays, for tests of what comes after the network."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from safelight.engine.monochrome import toning_of
from safelight.engine.request import Restoration, RestoreRequest
from safelight.geometry import Rect, Size
from safelight.imaging.pixels import DocumentArray, FloatArray, MaskArray, PixelFormat
from safelight.settings import RestoreSettings
from safelight.spec import MemoryModel, PipelineSpec, StageTiling

SPEC = PipelineSpec(
    id="arithmetic",
    title="Arithmetic",
    summary="Adds what the test says.",
    licence="Apache-2.0",
    licence_url="https://www.apache.org/licenses/LICENSE-2.0",
    generative=False,
    stages={"decode": StageTiling(tile=64, overlap=8)},
    memory=MemoryModel(weights_bytes=0, bytes_per_tile_px=0),
)
PLAIN = RestoreSettings("arithmetic", colour=1.0, monochrome="off")
"""All band weights 1: the residual is applied as it is."""


class ArrayResidual:
    """A residual canvas that holds the numbers it was given."""

    def __init__(self, values: FloatArray) -> None:
        self.shape = values.shape
        self._values = values

    def read_rows(self, start: int, end: int, columns: slice = slice(None)) -> FloatArray:
        return self._values[start:end, columns].copy()

    def close(self) -> None:
        pass


def restoration_of(
    document: DocumentArray,
    residual: npt.ArrayLike,
    *,
    settings: RestoreSettings = PLAIN,
    sent: Rect | None = None,
    region: Rect | None = None,
    mask: MaskArray | None = None,
    layer: bool = False,
    icc: bytes = b"",
    linear: bool = False,
    working_scale: float | None = None,
    network_input: FloatArray | None = None,
) -> Restoration:
    """`document` is the whole document, `residual` (H W 3, or a number) covers `sent` at working scale, which
    is the output scale unless given. `network_input` defaults to middle grey."""
    size = Size(document.shape[1], document.shape[0])
    sent = sent or Rect.of_size(size)
    scale = working_scale or float(settings.output_scale)
    box = sent.scaled_outward(scale)
    values = np.broadcast_to(np.asarray(residual, np.float32), (box.height, box.width, 3))
    request = RestoreRequest(
        settings=settings,
        document=size,
        sent=sent,
        region=region or sent,
        format=replace(PixelFormat.of(document), linear=linear),
        icc=icc,
        pixels=document[sent.slices],
        mask=mask,
        layer=layer,
    )
    if network_input is None:
        network_input = np.full((sent.height, sent.width, 3), 0.5, np.float32)
    toning = toning_of(network_input)
    return Restoration(request, SPEC, scale, box, ArrayResidual(values), network_input, {}, toning)
