"""The first stage of a job: from document samples to the network's input x, in bands of rows.

x = clip(E(input), 0, 1), brought to network input size by Lanczos; grey is repeated to three channels. What
lies beyond the pixels that were sent is reflected, never black. Colours under full transparency are replaced
by what surrounds them: hidden colours must not bleed into what is seen.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from safelight.engine.canvas import allocate
from safelight.engine.region_plan import RegionPlan
from safelight.engine.request import RestoreRequest
from safelight.engine.working_scale import choose_working_scale
from safelight.errors import InvalidRequest
from safelight.geometry import Rect, Size
from safelight.imaging.pixels import FloatArray, Sample
from safelight.imaging.profiles import Encoding, encoding_for
from safelight.imaging.resample import resize_rows, source_rows
from safelight.spec import PipelineSpec

BAND_ROWS = 128  # rows prepared at once: bounds temporaries, and a cancelled job is noticed between bands

SAMPLE_PX = 1024  # side of what the document's own detail is measured on

Indices = npt.NDArray[np.int64]


def working_scale_for(request: RestoreRequest, spec: PipelineSpec) -> float:
    """y pixels per document pixel: as asked, or as suits pipeline, selection and the document's own detail."""
    settings, region = request.settings, request.region
    looks = not settings.working_scale and spec.auto_short_side_px is not None and settings.output_scale == 1
    return choose_working_scale(
        settings.working_scale,
        spec,
        selection=_selection(request),
        whole_picture=region == Rect.of_size(request.document),
        output_scale=settings.output_scale,
        sample=_middle(request) if looks else None,
    )


def _selection(request: RestoreRequest) -> Size:
    """Of the box around what is selected; the region's where nothing is."""
    if request.mask is None or not request.mask.any():
        return request.region.size
    rows, columns = (np.flatnonzero(request.mask.any(axis=axis)) for axis in (1, 0))
    return Size(int(columns[-1] - columns[0]) + 1, int(rows[-1] - rows[0]) + 1)


def _middle(request: RestoreRequest) -> FloatArray:
    """The middle of the region, encoded, at most SAMPLE_PX a side."""
    region = request.region
    width, height = min(region.width, SAMPLE_PX), min(region.height, SAMPLE_PX)
    left, top = region.x + (region.width - width) // 2, region.y + (region.height - height) // 2
    return EncodedSource(request, Rect(left, top, width, height)).rows(0, height)


def network_input(
    request: RestoreRequest, plan: RegionPlan, *, rows: tuple[int, int] | None = None
) -> Iterator[FloatArray]:
    """Fills x of the plan's box, H W 3 float32 in 0..1 (memory-mapped when large), and yields it after each
    band: the same array each time, complete with the last. With `rows` (from, to) only bands with such rows are
    filled."""
    source = EncodedSource(request, plan.covered)
    size = plan.input_box.size
    x: FloatArray = allocate((size.height, size.width, 3), np.float32)
    height = plan.covered.height
    for start in range(0, size.height, BAND_ROWS):
        end = min(size.height, start + BAND_ROWS)
        if rows is not None and (end <= rows[0] or start >= rows[1]):
            continue
        first, last = source_rows(height, size.height, start, end)
        band = resize_rows(
            source.rows(first, last), size, start, end, first_source_row=first, source_height=height
        )
        np.clip(band, 0.0, 1.0, out=x[start:end])  # broadcasts grey to three channels
        yield x


class EncodedSource:
    """E of the document pixels in a rectangle that may reach beyond what was sent."""

    def __init__(self, request: RestoreRequest, covered: Rect) -> None:
        """`covered` in document pixels."""
        self._request = request
        self._encoding: Encoding = encoding_for(request.format, request.icc)
        self._rows = reflected(covered.y, covered.bottom, request.sent.y, request.sent.height)
        self._columns = reflected(covered.x, covered.right, request.sent.x, request.sent.width)
        hides = request.format.alpha and bool((request.pixels[..., -1] <= 0).any())
        self._visible = visible_colours(request, self._encoding) if hides else None

    def rows(self, start: int, end: int) -> FloatArray:
        """Rows start..end of the rectangle, float32 H W c (c = 1 or 3), unclipped. Raises InvalidRequest
        (SAMPLES_NOT_FINITE) for NaN and infinity that can be seen."""
        rows = self._rows[start:end]
        unique, place = np.unique(rows, return_inverse=True)
        samples = self._request.pixels[unique]
        colours = self._encoding.encode(samples[..., : self._request.format.colour_channels])
        if self._visible is not None:
            hidden = samples[..., -1] <= 0
            row_of, column_of = np.nonzero(hidden)
            colours[hidden] = self._visible[unique[row_of] // 2, column_of // 2]
        if self._request.format.sample is Sample.F32 and not np.isfinite(colours).all():
            raise _not_finite(colours, int(unique[0]) + self._request.sent.y)
        return colours[place][:, self._columns]


def _not_finite(colours: FloatArray, first_row: int) -> InvalidRequest:
    bad = int(np.nonzero(~np.isfinite(colours).all(axis=(1, 2)))[0][0])
    return InvalidRequest(
        f"the picture holds samples that are no numbers or infinite, near row {first_row + bad}: repair them first",
        "SAMPLES_NOT_FINITE",
    )


def reflected(start: int, end: int, first: int, length: int) -> Indices:
    """Positions start..end as indices into `length` samples that begin at position `first`; what lies
    outside is mirrored at the edge sample's centre (the edge itself is not doubled), as often as needed."""
    period = max(1, 2 * (length - 1))
    folded = np.mod(np.arange(start, end, dtype=np.int64) - first, period)
    return np.asarray(np.minimum(folded, period - folded) if length > 1 else np.zeros_like(folded))


def visible_colours(request: RestoreRequest, encoding: Encoding) -> FloatArray:
    """Encoded colours of what was sent at half size, ceil(H/2) ceil(W/2) c, holes filled from around them.

    A pyramid of alpha-weighted means: what is fully transparent takes its colour from the finest level that
    has something visible there. A picture without a visible pixel becomes mid-grey.
    """
    colours, weight = _halved_document(request, encoding)
    levels = []
    while max(weight.shape[:2]) > 1:
        levels.append((colours, weight))
        colours, weight = _halved(colours), _halved(weight)
    filled = np.where(weight > 0, colours / np.maximum(weight, _TINY), np.float32(0.5))
    for colours, weight in reversed(levels):
        around = _doubled(filled, weight.shape[0], weight.shape[1])
        filled = np.where(weight > 0, colours / np.maximum(weight, _TINY), around)
    return filled.astype(np.float32, copy=False)


_TINY = np.float32(1e-20)


def _halved_document(request: RestoreRequest, encoding: Encoding) -> tuple[FloatArray, FloatArray]:
    """Alpha-weighted colour sums and alpha sums of 2x2 blocks, computed in bands of rows."""
    height, width = request.pixels.shape[:2]
    half = (height + 1) // 2, (width + 1) // 2
    colours = np.empty((*half, request.format.colour_channels), np.float32)
    weight = np.empty((*half, 1), np.float32)
    for start in range(0, height, 2 * BAND_ROWS):
        band = request.pixels[start : start + 2 * BAND_ROWS]
        alpha = np.maximum(band[..., -1:].astype(np.float32) / np.float32(request.format.sample.white), 0)
        encoded = np.where(alpha > 0, encoding.encode(band[..., :-1]), np.float32(0))
        rows = slice(start // 2, start // 2 + (band.shape[0] + 1) // 2)
        colours[rows], weight[rows] = _halved(encoded * alpha), _halved(alpha)
    return colours, weight


def _halved(plane: FloatArray) -> FloatArray:
    """Sums of 2x2 blocks; odd sides end with a smaller block."""
    height, width = plane.shape[:2]
    padded = np.pad(plane, ((0, height % 2), (0, width % 2), (0, 0)))
    return np.asarray(padded[::2, ::2] + padded[1::2, ::2] + padded[::2, 1::2] + padded[1::2, 1::2])


def _doubled(plane: FloatArray, height: int, width: int) -> FloatArray:
    """Twice the size by linear interpolation between pixel centres, cut to height x width."""
    for axis, length in ((0, height), (1, width)):
        positions = np.clip((np.arange(length) - 0.5) / 2, 0, plane.shape[axis] - 1)
        lower = np.minimum(positions.astype(np.int64), max(0, plane.shape[axis] - 2))
        share = (positions - lower).astype(np.float32).reshape(-1, *([1] * (2 - axis)))
        upper = np.minimum(lower + 1, plane.shape[axis] - 1)
        plane = plane.take(lower, axis) * (1 - share) + plane.take(upper, axis) * share
    return plane
