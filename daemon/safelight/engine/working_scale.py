"""How large the network sees a region: the working scale, y pixels per document pixel.

An explicit value wins. A pipeline without a preferred object size, and whatever is enlarged, use the output
scale. In place the short side of the selection is brought to the preferred size, at most four times and never
below the scale at which the document's own detail fits: 1 for a sharp picture, less for an oversampled scan,
whose spectrum ends before its sampling does. A whole picture in place stays at that scale.
"""

from __future__ import annotations

import numpy as np

from safelight.engine.compositor import luma_of
from safelight.geometry import Size
from safelight.imaging.pixels import FloatArray
from safelight.imaging.spectrum import FADED, GONE, measured_spectrum
from safelight.settings import IN_PLACE_SCALE, WORKING_SCALE_LEAST, WORKING_SCALE_MOST
from safelight.spec import PipelineSpec

_SHARP_FROM = 0.75  # a picture that uses this share of its sampling is not called oversampled


def choose_working_scale(
    settings_value: float,
    spec: PipelineSpec,
    *,
    selection: Size,
    whole_picture: bool,
    output_scale: int,
    sample: FloatArray | None,
) -> float:
    """The working scale of one job.

    `settings_value` is `RestoreSettings.working_scale`, 0 for auto. `selection` is the size of the box around
    what is selected, document pixels. `sample` is the selection, or a representative part of it, at document
    size, H W 1 or 3, sRGB-encoded; None skips the look at the spectrum.
    """
    if settings_value > 0:
        return settings_value
    preferred = spec.auto_short_side_px
    if preferred is not None and spec.one_tile:
        return float(np.clip(preferred / selection.long_side, WORKING_SCALE_LEAST, WORKING_SCALE_MOST))
    if preferred is None or output_scale != IN_PLACE_SCALE:
        return float(output_scale)
    least = resolved_share(sample) if sample is not None else 1.0
    wanted = 0.0 if whole_picture else preferred / selection.short_side
    return float(np.clip(wanted, least, WORKING_SCALE_MOST))


def resolved_share(sample: FloatArray) -> float:
    """The scale that keeps all detail of a picture: 1 when its spectrum reaches its sampling, else where the
    spectrum ends, relative to the Nyquist frequency, at least WORKING_SCALE_LEAST.

    A fall by 13 dB (`GONE`) below `_SHARP_FROM` means oversampling; the detail then ends where 10 dB (`FADED`) are
    lost: the rest is what interpolation left of the spectrum's images.
    """
    spectrum = measured_spectrum(luma_of(sample)[..., 0])
    if spectrum is None or spectrum.end(GONE) >= _SHARP_FROM:
        return 1.0
    return float(np.clip(spectrum.end(FADED), WORKING_SCALE_LEAST, 1.0))
