"""Documents for server tests."""

import numpy as np

from safelight.client.restoration import Work
from safelight.geometry import Rect, Size
from safelight.settings import RestoreSettings


def document(width=96, height=80, channels=3, dtype=np.uint8, seed=0):
    random = np.random.default_rng(seed)
    if dtype == np.float32:
        return random.random((height, width, channels), np.float32)
    return random.integers(0, np.iinfo(dtype).max, (height, width, channels), dtype, endpoint=True)


def whole(pixels, **changes):
    size = Size(pixels.shape[1], pixels.shape[0])
    rect = Rect.of_size(size)
    return Work(**{"document": size, "sent": rect, "region": rect, "pixels": pixels, **changes})


def settings(pipeline="identity", **changes):
    own = changes.pop("own", {})
    return RestoreSettings(pipeline, colour=1.0, own=own, **changes)
