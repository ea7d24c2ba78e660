import numpy as np
import pytest

from safelight.imaging.metrics import edge_energy, gmsd, luma, psnr_y, ssim_y


def _picture(seed: int = 0, side: int = 24) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (side, side, 3), dtype=np.uint8)


def test_luma_of_white_and_black_is_studio_range():
    picture = np.array([[[255, 255, 255], [0, 0, 0]]], np.uint8)
    assert luma(picture) * 255 == pytest.approx(np.array([[235.0, 16.0]]))


def test_uint8_and_unit_floats_score_alike():
    a, b = _picture(1), _picture(2)
    assert psnr_y(a, b) == pytest.approx(psnr_y(a / 255, b / 255))
    assert ssim_y(a, b) == pytest.approx(ssim_y(a / 255, b / 255))


def test_equal_pictures_reach_the_ends_of_the_scales():
    picture = _picture()
    assert psnr_y(picture, picture) == pytest.approx(80)
    assert ssim_y(picture, picture) == pytest.approx(1)
    assert gmsd(picture, picture) == 0


def test_psnr_of_a_known_luma_difference():
    grey = np.full((16, 16, 3), 100, np.uint8)
    # One level on all channels moves Y by 219 / 255 of a level.
    expected = -10 * np.log10((219 / 255**2) ** 2 + 1e-8)
    assert psnr_y(grey, grey + np.uint8(1)) == pytest.approx(expected)


def test_ssim_agrees_with_scikit_image():
    structural = pytest.importorskip("skimage.metrics").structural_similarity
    reference = np.clip(np.cumsum(_picture(3, 48) / 40, axis=1) % 200, 0, 255).astype(np.uint8)
    noise = np.random.default_rng(4).normal(0, 6, (48, 48, 3))
    picture = np.clip(reference + noise, 0, 255).astype(np.uint8)
    a, b = (np.round(luma(p) * 255) for p in (picture, reference))
    _, plane = structural(
        a, b, data_range=255, gaussian_weights=True, sigma=1.5, use_sample_covariance=False, full=True
    )
    # Nothing in this pair has a negative contrast-structure term, so clipping changes nothing.
    assert ssim_y(picture, reference) == pytest.approx(plane[5:-5, 5:-5].mean(), abs=1e-9)


def test_ssim_of_an_inverted_texture_is_not_negative():
    picture = _picture(5)
    assert ssim_y(picture, 255 - picture) >= 0


def test_gmsd_by_hand_on_a_step():
    flat = np.zeros((8, 8, 3), np.uint8)
    step = flat.copy()
    step[:, 4:] = 30
    # After 2x2 means the step lies between columns 1 and 2; zero padding adds an edge at the border.
    g = np.zeros((4, 4))
    padded = np.pad(np.repeat([[0.0, 0.0, 30.0, 30.0]], 4, axis=0), 1)
    for y in range(4):
        for x in range(4):
            w = padded[y : y + 3, x : x + 3]
            g[y, x] = np.hypot(w[:, 2].sum() - w[:, 0].sum(), w[2].sum() - w[0].sum()) / 3
    assert gmsd(step, flat) == pytest.approx(np.std(170 / (g**2 + 170)), abs=1e-6)


def test_blur_lowers_edge_energy_and_raises_gmsd():
    sharp = np.kron(_picture(6, 8), np.ones((8, 8, 1))).astype(np.uint8)
    blurred = ((sharp.astype(float) + np.roll(sharp, 1, 0) + np.roll(sharp, 1, 1)) / 3).astype(np.uint8)
    assert edge_energy(blurred) < edge_energy(sharp)
    assert gmsd(blurred, sharp) > 0


@pytest.mark.parametrize("measure", [psnr_y, ssim_y, gmsd])
def test_pictures_of_two_sizes_are_refused(measure):
    with pytest.raises(ValueError, match="one size"):
        measure(_picture(side=24), _picture(side=25))


@pytest.mark.parametrize(("measure", "side"), [(ssim_y, 10), (gmsd, 3)])
def test_pictures_too_small_are_refused(measure, side):
    with pytest.raises(ValueError, match="at least"):
        measure(_picture(side=side), _picture(side=side))
