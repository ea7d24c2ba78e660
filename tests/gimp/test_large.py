"""A large layer: nothing is lost on the way, and it does not take for ever."""

import time

import numpy as np
import pytest

pytestmark = pytest.mark.gimp

SIZE = 6000, 4000


def test_24_megapixels_there_and_back(gimp, photo, record_property):
    """The figures are in docs/figures.md; here the time is only told."""
    repeats = -(-SIZE[1] // photo.shape[0]), -(-SIZE[0] // photo.shape[1]), 1
    samples = np.ascontiguousarray(np.tile(photo, repeats)[: SIZE[1], : SIZE[0]])
    image, layer = gimp.image(samples)
    started = time.monotonic()
    made = gimp.restored(image, layer, pipeline="identity")
    record_property("seconds", round(time.monotonic() - started, 1))
    assert np.array_equal(gimp.pixels(made), samples)
