"""Megabytes of result per second that the finish makes: from residual canvas to rows in the document's format."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

import numpy as np

from safelight.engine.canvas import RESIDUAL_UNIT, ResidualCanvas
from safelight.engine.finish import result_bands
from safelight.engine.request import Restoration
from safelight.geometry import Rect, Size
from safelight.imaging.pixels import DocumentArray
from safelight.wire import rows_per_band
from tests.bench.pictures import photo
from tests.bench.tables import Effort, Table, best_and_median
from tests.fakes.icc import PROPHOTO, gamma, rgb_profile
from tests.fakes.restorations import PLAIN, restoration_of

SIDE, TINY_SIDE = 2048, 96


@dataclass(frozen=True)
class Case:
    """One kind of document and of settings."""

    kind: str = "u8"
    icc: bytes = b""
    linear: bool = False
    settings: object = PLAIN
    masked: bool = False
    residual: float = 0.05


_PROPHOTO = rgb_profile(PROPHOTO, gamma(1.8))
CASES = {
    "nothing changed, 8-bit sRGB": Case(residual=0.0),
    "8-bit sRGB": Case(),
    "8-bit sRGB, scale 2": Case(settings=replace(PLAIN, output_scale=2)),
    "16-bit ProPhoto": Case("u16", _PROPHOTO),
    "float linear": Case("f32", linear=True),
    "8-bit sRGB, bands": Case(settings=replace(PLAIN, strength=0.8, detail=0.625, colour=0.0)),
    "8-bit sRGB, mask": Case(masked=True),
    "8-bit sRGB, grain": Case(settings=replace(PLAIN, grain=1.0)),
}


def run(effort: Effort) -> list[Table]:
    side = TINY_SIDE if effort.tiny else SIDE
    times: dict[str, list[float]] = {name: [] for name in CASES}
    sizes: dict[str, float] = {}
    for _ in range(min(effort.runs, 3)):
        for name, case in CASES.items():
            seconds, megabytes = _timed(_restoration(case, side))
            times[name].append(seconds)
            sizes[name] = megabytes
    table = Table(
        f"finish: results from {side}x{side} RGB",
        ("document", "MB", "best s", "median s", "MB/s best", "MP/s best"),
    )
    for name, case in CASES.items():
        best, median = best_and_median(times[name])
        megapixels = sizes[name] / 3 / _DTYPES[case.kind](0).nbytes
        table.rows.append(
            [name, sizes[name], best, median, sizes[name] / float(best), megapixels / float(best)]
        )
    return [table]


_DTYPES = {"u8": np.uint8, "u16": np.uint16, "f32": np.float32}


def _restoration(case: Case, side: int) -> Restoration:
    scale = case.settings.output_scale  # type: ignore[attr-defined]
    pixels = photo(side // scale, side // scale)
    margin = side // scale // 8  # the ring that grain is measured in
    size = Size(pixels.shape[1], pixels.shape[0])
    mask = None
    region = Rect.of_size(size).grown(-margin) if case.settings.grain else Rect.of_size(size)  # type: ignore[attr-defined]
    if case.masked:
        mask = np.full((region.height, region.width), 255, np.uint8)
        mask[: region.height // 3] = np.linspace(0, 255, region.width).astype(np.uint8)
    made = restoration_of(
        _as(case.kind, pixels), 0.0, settings=case.settings, region=region, mask=mask, icc=case.icc, linear=case.linear
    )  # fmt: skip
    canvas = ResidualCanvas(made.box.size)
    random = np.random.default_rng(0)
    noise = random.uniform(-case.residual, case.residual, canvas.shape) * RESIDUAL_UNIT
    canvas.add(Rect.of_size(made.box.size), noise.astype(np.int16))
    made.residual = canvas
    return made


def _as(kind: str, pixels: DocumentArray) -> DocumentArray:
    if kind == "u16":
        return pixels.astype(np.uint16) * 257
    return pixels.astype(np.float32) / 255 if kind == "f32" else pixels


def _timed(restoration: Restoration) -> tuple[float, float]:
    row_bytes = restoration.request.region.width * restoration.request.settings.output_scale
    row_bytes *= restoration.request.format.bytes_per_pixel
    started, size = time.perf_counter(), 0
    for band in result_bands(restoration, rows_per_band=rows_per_band(row_bytes)):
        size += band.pixels.nbytes
    return time.perf_counter() - started, size / 1e6
