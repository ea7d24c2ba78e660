from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from safelight.engine.finish import result_bands
from safelight.engine.request import Restoration
from safelight.geometry import Rect
from safelight.imaging.pixels import DocumentArray, Sample
from safelight.imaging.resample import resize
from tests.fakes.restorations import PLAIN, restoration_of

RNG = np.random.default_rng(7)
FORMATS = [(channels, sample) for channels in (1, 2, 3, 4) for sample in Sample]


def random_document(channels: int, sample: Sample, height: int = 40, width: int = 56) -> DocumentArray:
    """Every number of the type may occur; floats go from -0.5 to 2."""
    shape = (height, width, channels)
    if sample is Sample.F32:
        return RNG.uniform(-0.5, 2, shape).astype(np.float32)
    return RNG.integers(0, int(sample.white) + 1, shape).astype(sample.dtype)


def random_residual(height: int, width: int, amplitude: float = 0.2) -> np.ndarray:
    return RNG.uniform(-amplitude, amplitude, (height, width, 3)).astype(np.float32)


def finished(restoration: Restoration, rows_per_band: int = 1000) -> DocumentArray:
    bands = list(result_bands(restoration, rows_per_band=rows_per_band))
    starts = np.cumsum([0, *(len(b.pixels) for b in bands)])[:-1]
    assert [b.start_row for b in bands] == starts.tolist()
    return np.concatenate([b.pixels for b in bands])


def same_bits(a: DocumentArray, b: DocumentArray) -> bool:
    return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()


@pytest.mark.parametrize(("channels", "sample"), FORMATS)
@pytest.mark.parametrize("linear", [False, True])
@pytest.mark.parametrize("colour", [0.0, 1.0])
def test_residual_zero_returns_the_document_bit_by_bit(channels, sample, linear, colour):
    document = random_document(channels, sample)
    restoration = restoration_of(document, 0.0, settings=replace(PLAIN, colour=colour), linear=linear)
    assert same_bits(finished(restoration), document)


@pytest.mark.parametrize("sample", list(Sample))
def test_samples_without_residual_are_copied_beside_changed_ones(sample):
    document = random_document(3, sample)
    residual = random_residual(40, 56)
    residual[:, :20] = 0
    result = finished(restoration_of(document, residual, linear=True))
    assert same_bits(result[:, :20], document[:, :20])
    assert not same_bits(result[:, 20:], document[:, 20:])


def test_negative_zero_and_nan_of_float_documents_are_copied():
    document = np.full((8, 8, 3), -0.0, np.float32)
    document[2] = np.nan
    assert same_bits(finished(restoration_of(document, 0.0)), document)


@pytest.mark.parametrize(
    ("sample", "before", "residual", "after"),
    [
        (Sample.U8, 100, 0.125, 132),  # 100 + 31.875
        (Sample.U8, 250, 0.125, 255),  # clipped
        (Sample.U8, 3, -0.125, 0),
        (Sample.U16, 30000, 0.125, 38192),  # 30000 + 8191.875
        (Sample.F32, 0.5, 0.125, 0.625),
        (Sample.F32, 1.75, 0.125, 1.875),  # not clipped
    ],
)
def test_srgb_documents_get_the_residual_times_white(sample, before, residual, after):
    document = np.full((8, 8, 3), before, sample.dtype)
    assert np.all(finished(restoration_of(document, residual)) == after)


def test_linear_documents_get_the_residual_through_the_curve():
    # sRGB encodes 0.2140411 as 0.5; 0.5 + 0.25 decodes to 0.5225216 (IEC 61966-2-1)
    document = np.full((8, 8, 3), 0.2140411, np.float32)
    result = finished(restoration_of(document, 0.25, linear=True))
    assert result == pytest.approx(0.5225216, abs=2e-6)


def test_linear_highlights_above_one_keep_their_range():
    document = np.full((8, 8, 3), 6.0, np.float32)
    result = finished(restoration_of(document, -0.0625, linear=True))
    assert np.all((result > 4.5) & (result < 6.0))


def test_grey_documents_get_the_mean_of_the_channels():
    document = np.full((8, 8, 1), 100, np.uint8)
    result = finished(restoration_of(document, (0.0, 0.0, 0.375)))
    assert np.all(result == 132)


@pytest.mark.parametrize("sample", list(Sample))
def test_alpha_and_hidden_colours_are_copied_in_place(sample):
    document = random_document(4, sample)
    document[5:20, 5:30, 3] = 0
    result = finished(restoration_of(document, random_residual(40, 56)))
    assert same_bits(result[..., 3], document[..., 3])
    assert same_bits(result[5:20, 5:30], document[5:20, 5:30])
    assert not same_bits(result[20:, :, :3], document[20:, :, :3])


@pytest.mark.parametrize("scale", [2, 4])
def test_enlarged_without_residual_is_the_lanczos_enlargement(scale):
    document = random_document(3, Sample.U16)
    result = finished(restoration_of(document, 0.0, settings=replace(PLAIN, output_scale=scale)))
    expected = resize(document.astype(np.float32), Rect(0, 0, 56, 40).times(scale).size)
    assert np.array_equal(result, np.clip(np.rint(expected), 0, 65535))


def test_an_enlarged_region_agrees_with_the_enlarged_picture():
    document = random_document(3, Sample.F32)
    whole = finished(restoration_of(document, 0.0, settings=replace(PLAIN, output_scale=2)))
    region = Rect(13, 11, 20, 16)
    part = finished(restoration_of(document, 0.0, settings=replace(PLAIN, output_scale=2), region=region))
    assert part == pytest.approx(whole[region.times(2).slices], abs=1e-5)


def test_colours_under_full_transparency_do_not_bleed_when_enlarged():
    document = np.zeros((32, 32, 4), np.uint8)
    document[:, :16] = (200, 100, 50, 255)
    document[:, 16:] = (0, 255, 0, 0)  # hidden green
    result = finished(restoration_of(document, 0.0, settings=replace(PLAIN, output_scale=2)))
    visible = result[result[..., 3] > 0]
    assert np.all(visible[:, :3] == (200, 100, 50))


def test_resampled_float_alpha_stays_between_0_and_1():
    document = np.ones((16, 16, 4), np.float32)
    document[:, 8:, 3] = 0
    result = finished(restoration_of(document, 0.0, settings=replace(PLAIN, output_scale=4)))
    assert result[..., 3].min() == 0.0
    assert result[..., 3].max() == 1.0


def test_half_transparent_edges_keep_visible_colours_when_enlarged():
    document = np.zeros((32, 32, 4), np.float32)
    document[:, :16] = (0.5, 0.25, 0.125, 1)
    document[:, 16] = (0.5, 0.25, 0.125, 0.25)
    document[:, 17:] = (7.0, 9.0, -3.0, 0)
    result = finished(restoration_of(document, 0.0, settings=replace(PLAIN, output_scale=4)))
    visible = result[result[..., 3] > 0]
    assert visible[:, :3] == pytest.approx(np.broadcast_to([0.5, 0.25, 0.125], (len(visible), 3)), abs=1e-5)


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    sample=st.sampled_from(list(Sample)),
    channels=st.integers(1, 4),
    hard=st.booleans(),
    linear=st.booleans(),
    feather=st.sampled_from([-1.0, 0.0, 3.0, 20.0]),
)
def test_outside_any_mask_no_sample_differs(seed, sample, channels, hard, linear, feather):
    random = np.random.default_rng(seed)
    document = random_document(channels, sample)
    mask = random.integers(0, 256, (24, 30)).astype(np.uint8)
    mask[random.random((24, 30)) < 0.5] = 0
    if hard:
        mask = np.where(mask > 0, 255, 0).astype(np.uint8)
    region = Rect(20, 10, 30, 24)
    restoration = restoration_of(
        document,
        random_residual(40, 56),
        settings=replace(PLAIN, feather=feather),
        region=region,
        mask=mask,
        linear=linear,
    )
    result, before = finished(restoration, 7), document[region.slices]
    assert same_bits(result[mask == 0], before[mask == 0])


@pytest.mark.parametrize("scale", [1, 2])
def test_inside_a_hard_mask_without_feather_the_bits_are_the_restored_ones(scale):
    document = random_document(3, Sample.U8)
    residual = random_residual(40 * scale, 56 * scale)
    mask = np.zeros((40, 56), np.uint8)
    mask[10:30, 10:40] = 255
    wanted = replace(PLAIN, output_scale=scale, feather=0.0)
    restored = finished(restoration_of(document, residual, settings=wanted, layer=True))
    result = finished(restoration_of(document, residual, settings=wanted, mask=mask))
    inside = Rect(11, 11, 28, 18).times(scale).slices
    assert same_bits(result[inside], restored[inside])


def test_enlarged_outside_the_mask_is_the_resampled_document():
    document = random_document(4, Sample.U16)
    wanted = replace(PLAIN, output_scale=2)
    mask = np.zeros((40, 56), np.uint8)
    mask[10:30, 10:40] = 255
    resampled = finished(restoration_of(document, 0.0, settings=wanted))
    result = finished(restoration_of(document, random_residual(80, 112), settings=wanted, mask=mask))
    outside = np.repeat(np.repeat(mask == 0, 2, 0), 2, 1)
    assert same_bits(result[outside], resampled[outside])
    assert not same_bits(result, resampled)


def test_the_half_way_weight_mixes_light_and_not_encoded_numbers():
    # black and white in equal shares of light: 0.5 encodes as 0.7353570 (IEC 61966-2-1)
    document = np.zeros((8, 8, 3), np.float32)
    mask = np.full((8, 8), 128, np.uint8)
    wanted = replace(PLAIN, feather=0.0)
    result = finished(restoration_of(document, 1.0, settings=wanted, mask=mask))
    assert result == pytest.approx(0.7366470, abs=1e-5)  # weight 128/255


def test_a_box_inside_the_document_is_feathered_inward_and_a_layer_is_not():
    document = np.full((60, 60, 3), 64, np.uint8)
    region = Rect(0, 10, 40, 40)
    blended = finished(restoration_of(document, 0.25, region=region))
    layer = finished(restoration_of(document, 0.25, region=region, layer=True))
    assert np.all(layer == 128)
    assert np.all(blended[20, :35] == 128)  # the left edge is the document's own
    assert np.all(blended[4:-4, 20] == 128)
    assert np.all(blended[[0, -1], 20] < 80)
    assert np.all(blended[20, -1] < 80)
    assert np.all(np.diff(blended[:5, 20, 0].astype(int)) > 0)


def test_an_enlarged_box_is_not_feathered():
    document = np.full((40, 40, 3), 64, np.uint8)
    result = finished(
        restoration_of(document, 0.25, settings=replace(PLAIN, output_scale=2), region=Rect(5, 5, 20, 20))
    )
    assert np.all(result == 128)


def test_strength_scales_the_residual():
    document = np.full((8, 8, 3), 100, np.uint8)
    result = finished(restoration_of(document, 0.25, settings=replace(PLAIN, strength=0.5)))
    assert np.all(result == 132)


def test_without_the_low_band_an_even_change_of_colour_is_dropped():
    document = np.full((80, 80, 3), 100, np.uint8)
    result = finished(restoration_of(document, 0.25, settings=replace(PLAIN, colour=0.0)))
    assert np.all(result == 100)


def test_bands_see_the_context_around_the_region():
    document = random_document(3, Sample.U16, 120, 120)
    residual = random_residual(120, 120)
    wanted = replace(PLAIN, colour=0.0, detail=0.5)
    whole = finished(restoration_of(document, residual, settings=wanted))
    region = Rect(40, 36, 30, 40)
    part = finished(restoration_of(document, residual, settings=wanted, region=region, layer=True))
    assert same_bits(part, whole[region.slices])


@pytest.mark.parametrize("rows", [1, 7, 64])
@pytest.mark.parametrize("scale", [1, 2])
@pytest.mark.parametrize(
    "case",
    [
        {},
        {"linear": True},
        {"masked": True},
        {"working_scale": 1.375},
        {"working_scale": 4.0},
        {"colour": 0.0, "masked": True},
        {"colour": 0.0, "working_scale": 0.75},
        {"channels": 4, "sample": Sample.F32},
        {"channels": 2},
    ],
)
def test_bands_of_rows_equal_the_whole_bit_for_bit(rows, scale, case, monkeypatch):
    random = np.random.default_rng(3)
    channels = case.get("channels", 3)
    document = random.integers(0, 256, (150, 60, channels)).astype(np.uint8)
    if channels % 2 == 0:
        document[40:60, 10:30, -1] = 0
    if case.get("sample"):
        document = document.astype(np.float32) / 200
    mask = None
    if case.get("masked"):
        mask = np.zeros((150, 60), np.uint8)
        mask[20:110, 5:50] = 255
    working_scale = case.get("working_scale", scale)
    shape = Rect(0, 0, 60, 150).scaled_outward(working_scale)
    residual = random.uniform(-0.2, 0.2, (shape.height, shape.width, 3))

    def make() -> Restoration:
        return restoration_of(
            document,
            residual,
            settings=replace(PLAIN, output_scale=scale, colour=case.get("colour", 1.0)),
            mask=mask,
            linear=case.get("linear", False),
            working_scale=working_scale,
        )

    whole = finished(make())
    monkeypatch.setattr("safelight.engine.finish._PIECE_SAMPLES", 60 * 3 * 5)
    monkeypatch.setattr("safelight.engine.finish._LEAST_PIECE_ROWS", 5)
    monkeypatch.setattr("safelight.engine.finish._HALOED_PIECE_ROWS", 5)
    assert same_bits(finished(make(), rows), whole)


def test_a_residual_at_another_working_scale_lands_where_it_belongs():
    document = np.full((64, 64, 1), 0.25, np.float32)
    residual = np.zeros((128, 128, 3), np.float32)
    residual[60:68, 20:28] = 0.5
    result = finished(restoration_of(document, residual, working_scale=2.0, region=Rect(3, 20, 50, 40)))
    change = np.zeros((64, 64))
    change[20:60, 3:53] = result[..., 0] - 0.25
    rows, columns = np.mgrid[0:64, 0:64] + 0.5
    assert (change * rows).sum() / change.sum() == pytest.approx(32.0, abs=0.01)
    assert (change * columns).sum() / change.sum() == pytest.approx(12.0, abs=0.01)


def test_the_time_spent_is_added_to_the_report():
    restoration = restoration_of(random_document(3, Sample.U8), random_residual(40, 56))
    restoration.report["stages_s"] = {"decode": 1.0, "finish": 2.0}
    finished(restoration, 8)
    stages = restoration.report["stages_s"]
    assert stages["decode"] == 1.0
    assert 2.0 < stages["finish"] < 4.0
