"""A large layer: nothing is lost on the way, and it does not take for ever."""

import time

import numpy as np
import pytest

from safelight import runtime
from tests.bench.daemons import IDENTITY_COMMAND
from tests.fakes.daemon import daemon_process, short_folder
from tests.gimp.session import session

pytestmark = pytest.mark.gimp

SIZE = 6000, 4000


@pytest.fixture
def gimp(real_gimp, home):
    """With a daemon whose pipeline returns its input in large tiles."""
    with (
        short_folder() as folder,
        daemon_process(folder, IDENTITY_COMMAND),
        session(real_gimp, home, **{runtime.RUNTIME_DIR_VARIABLE: str(folder)}) as opened,
    ):
        yield opened


def test_24_megapixels_there_and_back(gimp, photo, record_property):
    """`python -m tests.gimp.figures transfer` measures how quick; here the time is only told."""
    repeats = -(-SIZE[1] // photo.shape[0]), -(-SIZE[0] // photo.shape[1]), 1
    samples = np.ascontiguousarray(np.tile(photo, repeats)[: SIZE[1], : SIZE[0]])
    image, layer = gimp.image(samples)
    started = time.monotonic()
    made = gimp.restored(image, layer, pipeline="identity")
    record_property("seconds", round(time.monotonic() - started, 1))
    assert np.array_equal(gimp.pixels(made), samples)
