from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from safelight.engine.bands import HALO_PX
from safelight.engine.color_fix import ChannelStatistics, adain, truncated, wavelet
from safelight.imaging.pixels import FloatArray

# 8-bit pictures before and after the official OSEDiff test script's colour alignment (CPU, fp32, random
# weights), with the script's input picture.
OFFICIAL = np.load(Path(__file__).parent / "data" / "official_colour_fix.npz")


def official(name: str) -> FloatArray:
    return OFFICIAL[name].astype(np.float32) / np.float32(255)


def statistics_of(picture: FloatArray, rows: int = 1000) -> ChannelStatistics:
    statistics = ChannelStatistics(picture.shape[2])
    for start in range(0, len(picture), rows):
        statistics.add(picture[start : start + rows])
    return statistics


def test_adain_equals_the_official_script_level_by_level():
    target, source = official("adain_target"), official("adain_source")
    fixed = adain(target, own=statistics_of(target), source=statistics_of(source))
    assert np.array_equal(truncated(fixed), OFFICIAL["adain_result"])


def test_wavelet_equals_the_official_script():
    fixed = wavelet(official("wavelet_target"), official("wavelet_source"))
    difference = np.abs(truncated(fixed).astype(int) - OFFICIAL["wavelet_result"])
    # order of float32 additions: a value on a level's border may fall to the other side
    assert difference.max() <= 1
    assert np.mean(difference > 0) <= 1e-4


@pytest.mark.parametrize("rows", [1, 17, 64])
def test_statistics_do_not_depend_on_the_cut_into_bands(rows):
    picture = official("adain_target")
    whole, cut = statistics_of(picture), statistics_of(picture, rows)
    assert cut.mean == pytest.approx(whole.mean, abs=1e-12)
    assert cut.deviation == pytest.approx(whole.deviation, abs=1e-12)


def test_deviation_is_unbiased_and_has_the_official_floor():
    picture = np.array([0.25, 0.5, 0.75], np.float32).reshape(1, 3, 1)
    assert statistics_of(picture).deviation == pytest.approx([np.sqrt(0.0625 + 1e-5)])
    flat = np.full((4, 4, 1), 0.3, np.float32)
    assert statistics_of(flat).deviation == pytest.approx([np.sqrt(1e-5)])


def test_wavelet_of_a_band_with_its_halo_equals_the_whole():
    target, source = official("wavelet_target"), official("wavelet_source")
    band = slice(35 - HALO_PX, 45 + HALO_PX)
    whole = wavelet(target, source)[35:45]
    assert np.array_equal(wavelet(target[band], source[band])[HALO_PX:-HALO_PX], whole)


def test_truncated_rounds_down_and_clamps():
    values = np.array([-0.1, 0.0, 0.5, 0.9999, 1.0, 1.7], np.float32).reshape(1, -1, 1)
    assert truncated(values).ravel().tolist() == [0, 0, 127, 254, 255, 255]
