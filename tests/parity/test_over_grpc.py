"""A reference case sent to a daemon: what comes back is what the authors' path computes here, bit for bit."""

import numpy as np
import pytest

from safelight.client.restoration import Work
from safelight.geometry import Rect, Size
from tests.fakes import daemon, golden
from tests.parity import faithdiff, runner
from tests.parity.cases import cases_in, restore_settings

CHOSEN = [("osediff", "01_single_adain"), ("s3diff", "05_tiled_nofix_shrunk")]
FAITHDIFF = ["c05_tiles_rect_noise_wavelet_pad", "c07_tiles_unipc_lr_nofix"]


@pytest.fixture(scope="module")
def client():
    with pytest.MonkeyPatch.context() as patch, daemon.short_folder() as folder:
        patch.setattr(daemon, "registry", golden.registry)
        with daemon.serving(folder) as found:
            yield found


def sent(client, case, settings):
    """The case's picture as the daemon gives it back."""
    pixels = np.ascontiguousarray(case.picture)
    size = Size(pixels.shape[1], pixels.shape[0])
    work = Work(document=size, sent=Rect.of_size(size), region=Rect.of_size(size), pixels=pixels)
    return client.restore(work, settings).pixels


@pytest.mark.parametrize(("method", "name"), CHOSEN)
def test_a_case_over_grpc_equals_the_runner_bit_for_bit(client, method, name):
    (case,) = (c for c in cases_in(golden.DATA / method) if c.name == name)
    pipeline = golden.pipeline(method)
    found = sent(client, case, restore_settings(case, pipeline.spec))
    assert np.array_equal(found, runner.computed(pipeline, case)["final"].numpy())


@pytest.mark.parametrize("name", FAITHDIFF)
def test_a_case_of_faithdiff_over_grpc_equals_the_runner_bit_for_bit(client, name):
    (case,) = (c for c in cases_in(golden.DATA / "faithdiff") if c.name == name)
    pipeline = golden.pipeline("faithdiff")
    found = sent(client, case, faithdiff.restore_settings(case, pipeline.spec))
    assert np.array_equal(found, faithdiff.computed(pipeline, case)["final_u8"].numpy())
