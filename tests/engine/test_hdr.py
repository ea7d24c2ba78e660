"""FaithDiff's exposure fusion; the authors' pictures are in the reference units."""

import numpy as np
import pytest

from safelight.engine import hdr
from safelight.engine.hdr import fused
from safelight.errors import InvalidRequest
from tests.engine.jobs_at_hand import photo


def test_a_value_of_0_changes_nothing():
    picture = photo(40, 30)
    assert fused(picture, 0.0) is picture


def test_a_dark_picture_becomes_lighter():
    picture = (photo(64, 64) // 8).astype(np.uint8)
    assert fused(picture, 1.0).mean() > 1.2 * picture.mean()


def test_a_picture_too_large_for_memory_is_refused_with_its_size(monkeypatch):
    monkeypatch.setattr(hdr, "PIXELS_MOST", 1000)
    with pytest.raises(InvalidRequest) as caught:
        fused(photo(40, 30), 0.5)
    assert caught.value.reason == "HDR_TOO_LARGE"
