"""The document and the residual of a restoration, row by row at output size.

"Output pixels" are document pixels times the output scale, counted from the document's origin; rows handed
out here are those of a `place`, a rectangle inside the region, counted from its top. Both classes give the
same bits however the rows are cut into bands, and a place gives the bits of its part of the region.
"""

from __future__ import annotations

import numpy as np

from safelight.engine.bands import HALO_PX, needs_filter, weigh_bands
from safelight.engine.compositor import FILL_REACH_PX, fill_transparent, luma_of, to_samples
from safelight.engine.region_plan import covered_document
from safelight.engine.request import Restoration, RestoreRequest
from safelight.geometry import Rect
from safelight.imaging.pixels import DocumentArray, FloatArray
from safelight.imaging.resample import resize_rows, source_rows

_LANCZOS_PX = 4  # its three source pixels on each side, and one for rounding


class DocumentRows:
    """The place's own samples (scale 1), or the place enlarged by Lanczos in the document's own numbers.

    The pixels around it take part in the enlargement, so a place and the whole picture agree.
    Colours under full transparency are filled from visible neighbours before they are enlarged.
    """

    def __init__(self, request: RestoreRequest, place: Rect) -> None:
        """`place` inside what was sent, document pixels."""
        self.scale = request.settings.output_scale
        self._format = request.format
        sent = request.sent
        source = place.grown(_LANCZOS_PX + FILL_REACH_PX).intersect(sent)
        self._place = place.shifted(-source.x, -source.y)
        self._own = request.pixels[place.shifted(-sent.x, -sent.y).slices]
        self._source = request.pixels[source.shifted(-sent.x, -sent.y).slices]
        self._fill = self.scale > 1 and request.format.alpha and not self._source[..., -1].all()

    def samples(self, start_row: int, end_row: int) -> DocumentArray:
        """Output rows in the document's own type, all channels; at scale 1 a view of what was sent."""
        if self.scale == 1:
            return self._own[start_row:end_row]
        return to_samples(self.enlarged(start_row, end_row), self._format.sample)

    def enlarged(self, start_row: int, end_row: int) -> FloatArray:
        """Output rows as float32 document numbers, all channels, neither rounded nor clipped."""
        height, width, _ = self._source.shape
        target = Rect(0, 0, width, height).times(self.scale).size
        top = self._place.y * self.scale
        first, last = source_rows(height, target.height, top + start_row, top + end_row)
        rows = resize_rows(
            self._prepared(first, last),
            target,
            top + start_row,
            top + end_row,
            first_source_row=first,
            source_height=height,
        )
        left = self._place.x * self.scale
        return rows[:, left : left + self._place.width * self.scale]

    def _prepared(self, first: int, last: int) -> FloatArray:
        """Source rows as float32, hidden colours filled."""
        if not self._fill:
            return self._source[first:last].astype(np.float32)
        above = max(0, first - FILL_REACH_PX)
        rows = self._source[above : last + FILL_REACH_PX].astype(np.float32)
        rows[..., :-1] = fill_transparent(rows[..., :-1], rows[..., -1:])
        return rows[first - above : last - above]


class ResidualRows:
    """r of the residual law: the residual at output size, its bands weighed, for a place.

    One channel (the mean) for a grey document, one (the luma) where `luma` asks for lightness only, else
    three. Bands are taken on what the residual covers around the place as well, as far as they reach.
    """

    def __init__(self, restoration: Restoration, place: Rect, *, luma: bool) -> None:
        """`place` inside what was sent, document pixels; what the network did not see is 0."""
        request = restoration.request
        scale = request.settings.output_scale
        self._residual, self._luma = restoration.residual, luma
        self._grey = request.format.colour_channels == 1
        self._weights = request.settings.band_weights
        self._target = covered_document(restoration.box, restoration.working_scale).times(scale)
        self._resampled = self._target != restoration.box
        output = place.times(scale)
        seen = output.intersect(self._target)
        halo = HALO_PX if needs_filter(self._weights) else 0
        self._plane = seen.grown(halo).intersect(self._target)
        self._inside = seen.shifted(-self._plane.x, -self._plane.y)
        self._seen = seen.shifted(-output.x, -output.y)
        self._width = output.width

    @property
    def silent(self) -> bool:
        """True: all weights are 0, so r is 0 everywhere."""
        return not any(self._weights)

    def rows(self, start_row: int, end_row: int) -> FloatArray:
        """r of output rows, H W 1 or 3 float32."""
        first, last = max(start_row, self._seen.y), min(end_row, self._seen.bottom)
        if (first, last) == (start_row, end_row) and self._seen.width == self._width:
            return self._seen_rows(first - self._seen.y, last - self._seen.y)
        channels = 1 if self._luma or self._grey else 3
        rows = np.zeros((end_row - start_row, self._width, channels), dtype=np.float32)
        if first < last and not self._seen.empty:
            seen = self._seen_rows(first - self._seen.y, last - self._seen.y)
            rows[first - start_row : last - start_row, self._seen.x : self._seen.right] = seen
        return rows

    def _seen_rows(self, start_row: int, end_row: int) -> FloatArray:
        """Rows of what the network saw of the place."""
        halo = HALO_PX if needs_filter(self._weights) else 0
        top = self._inside.y + start_row
        first, last = max(0, top - halo), min(self._plane.height, self._inside.y + end_row + halo)
        plane = self._channels(self._at_output(first, last))
        if plane.any():
            plane = weigh_bands(plane, self._weights)
        return plane[top - first : top - first + end_row - start_row, self._columns]

    @property
    def _columns(self) -> slice:
        return slice(self._inside.x, self._inside.right)

    def _channels(self, rows: FloatArray) -> FloatArray:
        if self._luma:
            return luma_of(rows)
        if self._grey:
            mean: FloatArray = (rows[..., 0:1] + rows[..., 1:2] + rows[..., 2:3]) * np.float32(1 / 3)
            return mean
        return rows

    def _at_output(self, first: int, last: int) -> FloatArray:
        """Rows of the plane the bands are taken on, three channels."""
        top, left = self._plane.y - self._target.y, self._plane.x - self._target.x
        columns = slice(left, left + self._plane.width)
        if not self._resampled:
            return self._residual.read_rows(top + first, top + last, columns)
        height = self._residual.shape[0]
        size = self._target.size
        start, end = source_rows(height, size.height, top + first, top + last)
        source = self._residual.read_rows(start, end)
        if not source.any():
            return np.zeros((last - first, self._plane.width, 3), dtype=np.float32)
        rows = resize_rows(
            source, size, top + first, top + last, first_source_row=start, source_height=height
        )
        return rows[:, columns]
