from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from safelight.engine.finish import result_bands
from safelight.engine.grain import gaussian_field
from safelight.engine.noise import measure_noise
from safelight.geometry import Rect
from safelight.imaging.pixels import DocumentArray, FloatArray
from tests.fakes.restorations import PLAIN, restoration_of

REGION = Rect(112, 96, 224, 200)


def smooth(channels: int, height: int = 400, width: int = 448) -> FloatArray:
    rows, columns = np.mgrid[0:height, 0:width]
    base = 0.45 + 0.3 * np.sin(columns / 90 + 0.3) * np.cos(rows / 80)
    return np.stack([base * k for k in ((1, 0.9, 0.8) if channels == 3 else (1,))], -1).astype(np.float32)


def film_noise(shape: tuple[int, ...], blurred: bool, seed: int = 0) -> FloatArray:
    """Unit variance, channels correlated by a half; `blurred` with the 1 px binomial kernel."""
    random = np.random.default_rng(seed)
    noise = random.normal(0, 1, shape)
    if shape[2] == 3:
        noise = np.sqrt(0.5) * noise + np.sqrt(0.5) * random.normal(0, 1, (*shape[:2], 1))
    for axis in (0, 1) if blurred else ():
        noise = (np.roll(noise, 1, axis) + 2 * noise + np.roll(noise, -1, axis)) / np.sqrt(6)
    return noise.astype(np.float32)


def with_grain(
    document: DocumentArray, residual: FloatArray, rows_per_band: int = 100, **changes: object
) -> tuple[DocumentArray, dict[str, object]]:
    wanted = replace(PLAIN, **{"grain": 1.0, **changes.pop("settings", {})})  # type: ignore[arg-type]
    region = changes.pop("region", REGION)
    restoration = restoration_of(document, residual, settings=wanted, region=region, layer=True, **changes)
    bands = list(result_bands(restoration, rows_per_band=rows_per_band))
    return np.concatenate([band.pixels for band in bands]), restoration.report


def as_residual(change: FloatArray) -> FloatArray:
    return np.repeat(change, 3, axis=2) if change.shape[2] == 1 else change


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("blurred", [False, True])
@pytest.mark.parametrize("removed", [0.5, 1.0])
def test_noise_power_inside_is_within_15_percent_of_the_rings(channels, blurred, removed):
    clean = smooth(channels)
    sigma = 0.015 + 0.06 * clean.mean(axis=2, keepdims=True)  # grows with lightness
    noise = film_noise(clean.shape, blurred) * sigma
    result, report = with_grain(clean + noise, as_residual(-noise * np.float32(removed)))
    inside = (result - clean[REGION.slices]) / sigma[REGION.slices]
    ring = np.ones(clean.shape[:2], bool)
    ring[REGION.slices] = False
    wanted = (noise / sigma)[ring].var(axis=0)
    assert report["grain"] is True
    assert inside.var(axis=(0, 1)) == pytest.approx(wanted, rel=0.15)
    light = clean[REGION.slices].mean(axis=2)
    for tones in (light < 0.4, light > 0.5):  # with the right dependence on lightness
        assert inside[tones].var(axis=0) == pytest.approx(wanted, rel=0.15)


@pytest.mark.parametrize(("blurred", "expected"), [(False, 0.0), (True, 2 / 3)])
def test_the_grain_has_the_rings_spectrum(blurred, expected):
    clean = smooth(1)
    noise = film_noise(clean.shape, blurred) * np.float32(0.04)
    result, _ = with_grain(clean + noise, as_residual(-noise))
    grain = (result - clean[REGION.slices])[..., 0]
    neighbours = np.mean(grain[:, 1:] * grain[:, :-1]) / grain.var()
    assert neighbours == pytest.approx(expected, abs=0.05)


def test_channels_stay_correlated_as_in_the_ring():
    clean = smooth(3)
    noise = film_noise(clean.shape, False) * np.float32(0.04)
    result, _ = with_grain(clean + noise, -noise)
    grain = (result - clean[REGION.slices]).reshape(-1, 3)
    assert np.corrcoef(grain.T)[0, 1:] == pytest.approx([0.5, 0.5], abs=0.06)


def test_a_retouched_region_gets_the_rings_grain():
    clean = smooth(1)
    noise = film_noise(clean.shape, False) * np.float32(0.04)
    noise[REGION.slices] = 0
    result, _ = with_grain(clean + noise, np.zeros((400, 448, 3), np.float32))
    assert (result - clean[REGION.slices]).var() == pytest.approx(0.04**2, rel=0.15)


def test_a_whole_picture_is_measured_in_itself():
    clean = smooth(1)
    noise = film_noise(clean.shape, False) * np.float32(0.04)
    result, _ = with_grain(clean + noise, as_residual(-noise), region=Rect(0, 0, 448, 400))
    assert (result - clean).var() == pytest.approx(0.04**2, rel=0.15)


def test_texture_that_the_restoration_keeps_is_not_taken_for_noise():
    document = (np.random.default_rng(1).random((400, 448, 3)) > 0.5).astype(np.float32) * 0.5 + 0.2
    result, report = with_grain(document, np.zeros((400, 448, 3), np.float32))
    assert report["grain"] is False
    assert result.tobytes() == document[REGION.slices].tobytes()


def test_half_the_amount_is_half_the_amplitude():
    clean = smooth(1)
    noise = film_noise(clean.shape, False) * np.float32(0.04)
    result, _ = with_grain(clean + noise, as_residual(-noise), settings={"grain": 0.5})
    assert (result - clean[REGION.slices]).std() == pytest.approx(0.02, rel=0.08)


def test_grey_rgb_documents_get_grey_grain():
    clean = smooth(1)
    noise = film_noise(clean.shape, False) * np.float32(0.04)
    document = np.rint(np.clip(np.repeat(clean + noise, 3, axis=2), 0, 1) * 255).astype(np.uint8)
    result, report = with_grain(
        document,
        as_residual(-noise),
        settings={"monochrome": "auto"},
        network_input=document[::2, ::2] / np.float32(255),
    )
    assert report["monochrome"] is True
    assert report["grain"] is True
    assert np.array_equal(result[..., 0], result[..., 1])
    assert np.array_equal(result[..., 0], result[..., 2])


@pytest.mark.parametrize("scale", [1, 2])
def test_grain_in_bands_equals_the_whole_and_follows_the_seed(scale, monkeypatch):
    clean = smooth(3, 160, 130)
    noise = film_noise(clean.shape, True) * np.float32(0.04)
    residual = np.repeat(np.repeat(-noise, scale, 0), scale, 1)
    case = {"region": Rect(0, 0, 130, 160), "settings": {"output_scale": scale}}
    whole, _ = with_grain(clean + noise, residual, **{**case})
    other, _ = with_grain(
        clean + noise, residual, region=case["region"], settings={**case["settings"], "seed": 7}
    )
    monkeypatch.setattr("safelight.engine.finish._PIECE_SAMPLES", 130 * 3 * 7)
    monkeypatch.setattr("safelight.engine.finish._HALOED_PIECE_ROWS", 7)
    cut, _ = with_grain(clean + noise, residual, 5, **{**case})
    assert cut.tobytes() == whole.tobytes()
    assert np.abs(other - whole).mean() > 0.01


def test_the_field_is_a_function_of_seed_and_position():
    whole = gaussian_field(42, Rect(-70, -10, 300, 200), 3)
    part = gaussian_field(42, Rect(33, 50, 80, 90), 3)
    assert part.tobytes() == whole[60:150, 103:183].tobytes()
    assert abs(whole.mean()) < 0.02
    assert whole.std() == pytest.approx(1, abs=0.02)
    assert not np.array_equal(gaussian_field(43, Rect(33, 50, 80, 90), 3), part)
    cells = gaussian_field(42, Rect(0, 0, 128, 64), 1)[..., 0]
    assert abs(np.corrcoef(cells[:, :64].ravel(), cells[:, 64:].ravel())[0, 1]) < 0.06


def test_noise_is_measured_beside_texture_by_the_flattest_blocks():
    random = np.random.default_rng(5)
    blocks = random.normal(0.5, 0.03, (200, 32, 32, 1)).astype(np.float32)
    stripes = random.normal(0, 0.2, (120, 32, 1, 1)).astype(np.float32)
    blocks[80:] += stripes - stripes.mean(axis=1, keepdims=True)
    assert measure_noise(blocks).spectrum.mean() == pytest.approx(0.03**2, rel=0.1)
