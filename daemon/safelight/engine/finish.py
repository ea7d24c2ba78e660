"""The last stage of a job: from the residual canvas to result rows in the document's own format.

Rows are made in cache-sized pieces and handed out in bands, top to bottom; memory is that of one band. Where
the residual is 0 at output scale 1 the document's samples are copied.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from safelight.engine.bands import needs_filter
from safelight.engine.compositor import (
    BoolArray,
    blend_in_light,
    luma_of,
    restore_colours,
    to_samples,
    untouched,
)
from safelight.engine.grain import Grain, Picture, measure_grain
from safelight.engine.monochrome import Toning, guarded
from safelight.engine.output_rows import DocumentRows, ResidualRows
from safelight.engine.request import Restoration, RestoreRequest
from safelight.geometry import Rect
from safelight.imaging.feather import BoxWeights, MaskPart, MaskWeights, edge_weights
from safelight.imaging.pixels import DocumentArray, FloatArray, Sample
from safelight.imaging.profiles import encoding_for

_PIECE_SAMPLES = 400_000  # measured: temporaries of a piece stay in the second-level cache
_LEAST_PIECE_ROWS = 16
_HALOED_PIECE_ROWS = 128  # bands, feather and grain compute a halo of up to 128 rows for each piece


@dataclass(frozen=True)
class ResultBand:
    """Rows of what is wanted at output size, from `start_row` of it on."""

    start_row: int
    pixels: DocumentArray
    """H W C in the request's format; the caller's own."""


def result_bands(restoration: Restoration, *, rows_per_band: int) -> Iterator[ResultBand]:
    """What is wanted (the region, or a patch of it) at output size, `rows_per_band` rows at a time (the last
    band may be lower).

    The time spent, without the consumer's, is added to `restoration.report["stages_s"]["finish"]`; `monochrome`
    and `grain` there say whether the guard acted and whether grain was added. `provisional` gets `grain` where
    it was measured on a patch, because the rest of the region is not there.
    """
    started = time.perf_counter()
    finisher = _Finisher(restoration)
    height = finisher.height
    block_rows = rows_per_band * max(1, finisher.piece_rows // rows_per_band)
    for block_start in range(0, height, block_rows):
        block = finisher.block(block_start, min(height, block_start + block_rows))
        _add_time(restoration, time.perf_counter() - started)
        for start in range(0, len(block), rows_per_band):
            yield ResultBand(block_start + start, block[start : start + rows_per_band])
        started = time.perf_counter()


def _add_time(restoration: Restoration, seconds: float) -> None:
    stages = restoration.report.setdefault("stages_s", {})
    assert isinstance(stages, dict)
    stages["finish"] = stages.get("finish", 0.0) + seconds


class _Finisher:
    """What all rows of one result share."""

    def __init__(self, restoration: Restoration) -> None:
        request = restoration.request
        scale = request.settings.output_scale
        self._format, self._sample = request.format, request.format.sample
        self._colours = slice(0, request.format.colour_channels)
        self._encoding = encoding_for(request.format, request.icc)
        self._document = DocumentRows(request, request.wanted)
        self._weights = _weights(request)
        self._toning = _toning(restoration)
        self._residual = ResidualRows(restoration, request.wanted, luma=self._toning is not None)
        self._place = request.wanted.times(scale)
        self.height = self._place.height
        self._grain: Grain | None = None
        if request.settings.grain > 0:
            self._grain = self._measured_grain(restoration)
        self.piece_rows = self._piece_rows(
            haloed=needs_filter(request.settings.band_weights)
            or self._grain is not None
            or isinstance(self._weights, MaskWeights | MaskPart)
        )
        restoration.report["monochrome"] = self._toning is not None
        restoration.report["grain"] = self._grain is not None

    def _piece_rows(self, *, haloed: bool) -> int:
        least = _HALOED_PIECE_ROWS if haloed else _LEAST_PIECE_ROWS
        return max(least, _PIECE_SAMPLES // (self._place.width * self._format.channels))

    def block(self, start_row: int, end_row: int) -> DocumentArray:
        shape = (end_row - start_row, self._place.width, self._format.channels)
        block: DocumentArray = np.empty(shape, dtype=self._sample.dtype)
        make = self._in_place if self._document.scale == 1 else self._enlarged
        for start in range(start_row, end_row, self.piece_rows):
            end = min(end_row, start + self.piece_rows)
            make(start, end, block[start - start_row : end - start_row])
        return block

    def _in_place(self, start: int, end: int, out: DocumentArray) -> None:
        """Scale 1: the document's samples, changed where there is something to change."""
        document = self._document.samples(start, end)
        colours = document[..., self._colours]
        weights = self._weights.rows(start, end) if self._weights else None
        change = self._change(start, end, colours, weights)
        if change is None:
            out[...] = document
            return
        restored = restore_colours(colours, change, self._encoding, sample=self._sample)
        if weights is not None:
            restored = blend_in_light(colours, restored, weights, self._encoding)
        out[..., self._colours] = to_samples(restored, self._sample)
        kept = self._kept(document, change, weights)
        if kept is not None and kept.any():
            out[kept] = document[kept]
        if self._format.alpha:
            out[..., -1] = document[..., -1]

    def _kept(
        self, document: DocumentArray, change: FloatArray, weights: FloatArray | None
    ) -> BoolArray | None:
        """Samples to copy bit by bit, H W. Integers where nothing changes need none of this: adding 0 and
        rounding gives the same integer; floats may hold NaN, infinities or -0."""
        kept: BoolArray | None = None
        if self._sample is Sample.F32:
            kept = untouched(change)
            if weights is not None:
                kept |= weights == 0
        if self._format.alpha:
            hidden = document[..., -1] == 0
            kept = hidden if kept is None else kept | hidden
        return kept

    def _enlarged(self, start: int, end: int, out: DocumentArray) -> None:
        """Scale above 1: the resampled document, changed where there is something to change."""
        numbers = self._document.enlarged(start, end)
        colours = numbers[..., self._colours]
        weights = self._weights.rows(start, end) if self._weights else None
        change = self._change(start, end, colours, weights)
        if self._format.alpha:
            alpha = np.clip(numbers[..., -1:], 0, self._sample.white)  # Lanczos overshoots
            out[..., -1:] = to_samples(alpha, self._sample)
        if change is not None:
            restored = restore_colours(colours, change, self._encoding, sample=self._sample)
            if self._sample is Sample.F32:
                restored = np.where(untouched(change)[..., None], colours, restored)
            colours = restored
            if weights is not None:
                colours = blend_in_light(numbers[..., self._colours], restored, weights, self._encoding)
        out[..., self._colours] = to_samples(colours, self._sample)

    def _change(
        self, start: int, end: int, colours: DocumentArray, weights: FloatArray | None
    ) -> FloatArray | None:
        """r with everything that acts on it, H W c; None where it is 0 throughout or nobody will see it."""
        if weights is not None and not weights.any():
            return None
        residual = None if self._residual.silent else self._residual.rows(start, end)
        if residual is not None and not residual.any():
            residual = None
        if self._grain is None and (residual is None or self._toning is None):
            return residual
        encoded = self._encoded(colours)
        if self._grain is not None:
            residual = self._with_grain(residual, encoded, start)
        if self._toning is not None and residual is not None:
            residual = self._toning.spread(residual, encoded)
        return residual

    def _with_grain(self, residual: FloatArray | None, encoded: FloatArray, start: int) -> FloatArray:
        assert self._grain is not None
        luma = luma_of(encoded)[..., 0]
        if residual is not None:
            luma = luma + luma_of(residual)[..., 0]
        place = Rect(self._place.x, self._place.y + start, self._place.width, len(encoded))
        grain = self._grain.rows(place, luma)
        return grain if residual is None else residual + grain

    def _encoded(self, colours: DocumentArray) -> FloatArray:
        """E of document numbers; resampled ones are rounded first."""
        if colours.dtype != self._sample.dtype:
            colours = to_samples(colours.astype(np.float32), self._sample)
        return self._encoding.encode(colours)

    def _measured_grain(self, restoration: Restoration) -> Grain | None:
        """Measured as the result will be seen: at output size, and on luma where only luma is restored."""
        request = restoration.request
        sent = DocumentRows(request, request.sent)
        scale = request.settings.output_scale
        document, residual, height = self._document, self._residual, self.height
        if request.patch is not None and restoration.complete:
            document = DocumentRows(request, request.region)
            residual = ResidualRows(restoration, request.region, luma=self._toning is not None)
            height = request.region.height * scale
        elif request.patch is not None:
            restoration.provisional("grain")
        hidden = request.region.shifted(-request.sent.x, -request.sent.y).times(scale)

        def original(start: int, end: int) -> tuple[FloatArray, BoolArray]:
            samples = sent.samples(start, end)
            return self._measurable(self._encoded(samples[..., self._colours])), self._visible(samples)

        def around(start: int, end: int) -> tuple[FloatArray, BoolArray]:
            encoded, usable = original(start, end)
            usable[max(0, hidden.y - start) : max(0, hidden.bottom - start), hidden.x : hidden.right] = False
            return encoded, usable

        def inside(start: int, end: int) -> tuple[FloatArray, BoolArray]:
            samples = document.samples(start, end)
            before = self._measurable(self._encoded(samples[..., self._colours]))
            after = before if residual.silent else before + residual.rows(start, end)
            return np.concatenate([before, after], axis=2), self._visible(samples)

        return measure_grain(
            Picture(original, request.sent.height * scale),
            Picture(around, request.sent.height * scale),
            Picture(inside, height),
            amount=request.settings.grain,
            seed=request.settings.seed,
        )

    def _measurable(self, encoded: FloatArray) -> FloatArray:
        return encoded if self._toning is None else luma_of(encoded)

    def _visible(self, samples: DocumentArray) -> BoolArray:
        if self._format.alpha:
            return np.asarray(samples[..., -1] > 0)
        return np.ones(samples.shape[:2], dtype=bool)


def _weights(request: RestoreRequest) -> BoxWeights | MaskWeights | MaskPart | None:
    """None where every sample is the restored one: an editor's layer is blended by the editor."""
    if request.layer:
        return None
    settings, region = request.settings, request.region
    weights = edge_weights(
        request.mask,
        region,
        request.document,
        feather=settings.feather,
        output_scale=settings.output_scale,
    )
    if weights is None or request.patch is None:
        return weights
    return weights.part(request.patch.shifted(-region.x, -region.y))


def _toning(restoration: Restoration) -> Toning | None:
    request = restoration.request
    if request.format.colour_channels == 1:
        return None
    return guarded(restoration.toning, request.settings.monochrome)
