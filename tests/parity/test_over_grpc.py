"""A reference case sent to a daemon: what comes back is what the authors' path computes here, bit for bit."""

import numpy as np
import pytest

from safelight.client.restoration import Work
from safelight.geometry import Rect, Size
from tests.fakes import daemon, golden
from tests.parity.cases import cases_in, restore_settings
from tests.parity.runner import computed

CHOSEN = [("osediff", "01_single_adain"), ("s3diff", "05_tiled_nofix_shrunk")]


@pytest.fixture(scope="module")
def client():
    with pytest.MonkeyPatch.context() as patch, daemon.short_folder() as folder:
        patch.setattr(daemon, "registry", golden.registry)
        with daemon.serving(folder) as found:
            yield found


@pytest.mark.parametrize(("method", "name"), CHOSEN)
def test_a_case_over_grpc_equals_the_runner_bit_for_bit(client, method, name):
    (case,) = (c for c in cases_in(golden.DATA / method) if c.name == name)
    pipeline = golden.pipeline(method)
    pixels = np.ascontiguousarray(case.picture)
    size = Size(pixels.shape[1], pixels.shape[0])
    work = Work(document=size, sent=Rect.of_size(size), region=Rect.of_size(size), pixels=pixels)
    restored = client.restore(work, restore_settings(case, pipeline.spec))
    assert np.array_equal(restored.pixels, computed(pipeline, case)["final"].numpy())
