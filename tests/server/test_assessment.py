"""How far a result went, asked of a real daemon."""

import threading

import numpy as np
import pytest

from safelight import errors, wire
from safelight.client.assessment import AssessmentClient
from safelight.client.status import our_errors
from safelight.geometry import Size
from safelight.imaging.faithfulness import colours_of, faithfulness
from safelight.imaging.overlay import plane8
from safelight.imaging.pixels import PixelFormat
from safelight.imaging.resample import resize
from safelight.v1 import assessment_pb2 as apb
from tests.server.works import document


@pytest.fixture(scope="module")
def assessment(client):
    return AssessmentClient.of(client)


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_maps_are_those_of_the_library(assessment, dtype, channels):
    before = document(90, 70, channels=channels, dtype=dtype)
    after = np.ascontiguousarray(before[::-1])
    found = assessment.assess(before, [after])
    encode = colours_of(PixelFormat.of(before), b"")
    wanted = faithfulness(before, after, encode=encode)
    assert set(found.planes) == {"contradiction", "invention"}
    for name, plane in found.planes.items():
        assert np.array_equal(plane, plane8(name, getattr(wanted, name)))
    assert found.numbers == pytest.approx(wanted.numbers())
    assert found.planes["contradiction"].any()


def test_several_results_have_spread(assessment):
    before = document(64, 48)
    results = [np.repeat(np.repeat(before, 2, 0), 2, 1) for _ in range(3)]
    results[1][20:40, 30:50] ^= 64
    found = assessment.assess(before, results)
    assert found.planes["spread"].shape == before.shape[:2]
    assert found.planes["spread"][10:20, 15:25].min() > 100
    assert found.planes["spread"][30:].max() == 0
    assert found.full_scale == {"contradiction": 16, "invention": 1, "spread": 16}
    assert found.overlay("spread").shape == (96, 128, 4)


def test_wide_maps_travel_in_several_bands(assessment):
    before = document(1100, 1000)
    assert wire.BAND_BYTES < 2100 * 700
    found = assessment.assess(before, [before])
    assert not found.planes["contradiction"].any()


def test_the_profile_and_linear_numbers_are_obeyed(assessment):
    before = np.full((80, 80, 3), 0.02, np.float32)
    after = before + np.float32(0.01)
    encoded = assessment.assess(before, [after]).numbers["contradiction_mean"]
    linear = assessment.assess(before, [after], linear=True).numbers["contradiction_mean"]
    assert linear > 3 * encoded > 0


def test_sizes_that_do_not_belong_together_are_refused_at_once(assessment):
    before = document(64, 48)
    for results in ([], [document(65, 48)], [before, document(128, 96)], [before.astype(np.uint16)]):
        with pytest.raises(errors.InvalidRequest) as raised:
            assessment.assess(before, results)
        assert raised.value.reason == "SIZES_DIFFER"


def header(**changes):
    fields = {
        "input": wire.size_to_proto(Size(8, 8)),
        "scale": 1,
        "result_count": 1,
        "format": wire.format_to_proto(PixelFormat.of(document(8, 8))),
    }
    return apb.AssessRequest(header=apb.AssessHeader(**{**fields, **changes}))


def bands(count=8):
    return wire.band_fields(0, document(8, count))


def answer(assessment, *frames):
    with our_errors():
        return list(assessment._assessment.Assess(iter(frames), timeout=20))


@pytest.mark.parametrize(
    ("frames", "reason"),
    [
        ([], "HEADER_MISSING"),
        ([apb.AssessRequest(input=bands())], "HEADER_MISSING"),
        ([header(scale=0)], "SETTING_OUT_OF_RANGE"),
        ([header(scale=9)], "SETTING_OUT_OF_RANGE"),
        ([header(result_count=0)], "SETTING_OUT_OF_RANGE"),
        ([header(result_count=2**31 - 1)], "SETTING_OUT_OF_RANGE"),
        ([header(input=wire.size_to_proto(Size(0, 8)))], "SIZE_OUT_OF_RANGE"),
        ([header(input=wire.size_to_proto(Size(40_000, 40_000)))], "TOO_MANY_PIXELS"),
        ([header(input=wire.size_to_proto(Size(4_000, 4_000)), scale=8)], "TOO_MANY_PIXELS"),
        ([header(icc_profile=b"x" * 100)], "PROFILE_NOT_SUPPORTED"),
        ([header(icc_profile=b"x" * (wire.ICC_BYTES_MOST + 1))], "PROFILE_TOO_LARGE"),
        ([header()], "BANDS_MISSING"),
        ([header(), apb.AssessRequest(result=bands())], "FRAME_MISPLACED"),
        ([header(), apb.AssessRequest(input=bands()), header()], "FRAME_MISPLACED"),
        ([header(), apb.AssessRequest(input=bands(9))], "BAND_MISPLACED"),
        ([header(), apb.AssessRequest(input=bands())], "BANDS_MISSING"),
    ],
)
def test_what_is_wrong_is_told(assessment, frames, reason):
    with pytest.raises(errors.SafelightError) as raised:
        answer(assessment, *frames)
    assert raised.value.reason == reason


def test_a_cancelled_call_ends(assessment):
    before = document(2000, 1500)
    cancelling = threading.Event()
    threading.Timer(0.2, cancelling.set).start()
    with pytest.raises(errors.Cancelled):
        assessment.assess(before, [resize_like(before)], cancelling=cancelling)
    small = document(8, 8)
    assert assessment.assess(small, [small]).numbers["contradiction_most"] == 0


def resize_like(pixels):
    """Another picture of that size."""
    shown = resize(pixels[:100, :150].astype(np.float32), Size(pixels.shape[1], pixels.shape[0]))
    return np.clip(shown, 0, 255).astype(np.uint8)
