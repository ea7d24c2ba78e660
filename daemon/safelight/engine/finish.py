"""The last stage of a job: from the residual canvas to result rows in the document's own format.

Rows are made in cache-sized pieces and handed out in bands, top to bottom; memory is that of one band. Where
the residual is 0 at output scale 1 the document's samples are copied.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from safelight.engine.compositor import blend_in_light, restore_colours, to_samples, untouched
from safelight.engine.feather import weights_for
from safelight.engine.output_rows import DocumentRows, ResidualRows
from safelight.engine.request import Restoration
from safelight.imaging.pixels import DocumentArray, FloatArray, Sample
from safelight.imaging.profiles import encoding_for

_PIECE_SAMPLES = 400_000  # measured: temporaries of a piece stay in the second-level cache
_LEAST_PIECE_ROWS = 16
_FILTER_PIECE_ROWS = 128  # with band weights: the halo of 62 rows is computed for each piece


@dataclass(frozen=True)
class ResultBand:
    """Rows of the region at output size, from `start_row` of the region on."""

    start_row: int
    pixels: DocumentArray
    """H W C in the request's format; the caller's own."""


def result_bands(restoration: Restoration, *, rows_per_band: int) -> Iterator[ResultBand]:
    """The region at output size, `rows_per_band` rows at a time (the last band may be lower).

    The time spent, without the consumer's, is added to `restoration.report["stages_s"]["finish"]`.
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
        self._format = request.format
        self._encoding = encoding_for(request.format, request.icc)
        self._document = DocumentRows(request)
        self._residual = ResidualRows(restoration, luma=False)
        self._weights = weights_for(request)
        size = request.region.times(request.settings.output_scale).size
        self.width, self.height = size
        filtered = len(set(request.settings.band_weights)) > 1
        least = _FILTER_PIECE_ROWS if filtered else _LEAST_PIECE_ROWS
        self.piece_rows = max(least, _PIECE_SAMPLES // (size.width * request.format.channels))

    def block(self, start_row: int, end_row: int) -> DocumentArray:
        shape = (end_row - start_row, self.width, self._format.channels)
        block: DocumentArray = np.empty(shape, dtype=self._format.sample.dtype)
        for start in range(start_row, end_row, self.piece_rows):
            end = min(end_row, start + self.piece_rows)
            piece = self._in_place(start, end) if self._document.scale == 1 else self._enlarged(start, end)
            block[start - start_row : end - start_row] = piece
        return block

    def _in_place(self, start: int, end: int) -> DocumentArray:
        """Scale 1: the document's samples, changed where there is something to change."""
        document = self._document.samples(start, end)
        weights = self._weights.rows(start, end) if self._weights else None
        if self._residual.silent or (weights is not None and not weights.any()):
            return document
        residual = self._residual.rows(start, end)
        if not residual.any():
            return document
        colours = document[..., : self._format.colour_channels]
        restored = self._restored(colours, residual, weights)
        kept = self._kept(document, residual, weights)
        if kept is not None:
            restored = np.where(kept[..., None], colours, restored)
        return self._with_alpha(restored, document[..., self._format.colour_channels :])

    def _kept(
        self, document: DocumentArray, residual: FloatArray, weights: FloatArray | None
    ) -> np.ndarray[tuple[int, int], np.dtype[np.bool_]] | None:
        """Samples to copy bit by bit. None where arithmetic copies by itself: integer sRGB without alpha and
        mask, because adding 0 and rounding gives the same integer."""
        if (
            weights is None
            and not self._format.alpha
            and self._encoding.identity
            and self._format.sample is not Sample.F32
        ):
            return None
        kept = untouched(residual)
        if weights is not None:
            kept |= weights == 0
        if self._format.alpha:
            kept |= document[..., -1] == 0
        return kept

    def _enlarged(self, start: int, end: int) -> DocumentArray:
        """Scale above 1: the resampled document, changed where there is something to change."""
        numbers = self._document.enlarged(start, end)
        count = self._format.colour_channels
        colours, alpha = numbers[..., :count], to_samples(numbers[..., count:], self._format.sample)
        weights = self._weights.rows(start, end) if self._weights else None
        idle = self._residual.silent or (weights is not None and not weights.any())
        if not idle:
            residual = self._residual.rows(start, end)
            restored = restore_colours(colours, residual, self._encoding, sample=self._format.sample)
            if not self._encoding.identity:
                restored = np.where(untouched(residual)[..., None], colours, restored)
            colours = (
                restored if weights is None else blend_in_light(colours, restored, weights, self._encoding)
            )
        return self._with_alpha(to_samples(colours, self._format.sample), alpha)

    def _restored(
        self, colours: DocumentArray, residual: FloatArray, weights: FloatArray | None
    ) -> DocumentArray:
        restored = restore_colours(colours, residual, self._encoding, sample=self._format.sample)
        if weights is not None:
            restored = blend_in_light(colours, restored, weights, self._encoding)
        return to_samples(restored, self._format.sample)

    def _with_alpha(self, colours: DocumentArray, alpha: DocumentArray) -> DocumentArray:
        return np.concatenate([colours, alpha], axis=2) if self._format.alpha else colours
