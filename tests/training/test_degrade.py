import numpy as np
import pytest

from training.degrade import LOW_PATCH_PX, degrade, pool_sample
from training.generate import generate_picture


@pytest.fixture(scope="module")
def pictures():
    return [generate_picture(1, index, size=224) for index in range(2)]


@pytest.mark.parametrize("scale", [1, 2, 4])
def test_a_pool_sample_depends_on_seed_and_index_only(pictures, scale):
    first = pool_sample(pictures, 5, scale=scale, seed=1)
    again = pool_sample(pictures, 5, scale=scale, seed=1)
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert not np.array_equal(first[0], pool_sample(pictures, 6, scale=scale, seed=1)[0])


@pytest.mark.parametrize("scale", [1, 2, 4])
def test_patches_have_the_sides_of_the_network(pictures, scale):
    low, target, sharpness = pool_sample(pictures, 0, scale=scale, seed=1)
    side = LOW_PATCH_PX[scale]
    assert low.shape == (side, side, 3)
    assert target.shape == (side * scale, side * scale, 3)
    assert 0 <= sharpness <= 1


@pytest.mark.parametrize("scale", [1, 2, 4])
def test_low_and_target_show_the_same_place(pictures, scale):
    correlations = []
    for index in range(12):
        low, target, _ = pool_sample(pictures, index, scale=scale, seed=2)
        side = LOW_PATCH_PX[scale]
        reduced = target.reshape(side, scale, side, scale, 3).mean((1, 3))
        correlations.append(np.corrcoef(low.ravel(), reduced.ravel())[0, 1])
    assert np.median(correlations) > 0.9


def test_half_of_the_samples_are_faithful_and_crisp_targets_are_sharper():
    sharp = generate_picture(2, 0, size=96).astype(np.float32) / 255
    samples = [degrade(sharp, scale=4, rng=np.random.default_rng(seed)) for seed in range(200)]
    faithful = [s for s in samples if s.sharpness == 0]
    crisp = [s for s in samples if s.sharpness > 0.7]
    assert 70 < len(faithful) < 130
    edges = [
        np.mean([np.abs(np.diff(s.target, axis=1)).mean() for s in group]) for group in (faithful, crisp)
    ]
    assert edges[1] > edges[0] * 1.2


def test_low_pictures_lie_on_8_bit_levels():
    sharp = generate_picture(2, 1, size=96).astype(np.float32) / 255
    for seed in range(20):
        low = degrade(sharp, scale=2, rng=np.random.default_rng(seed)).low * 255
        assert np.abs(low - np.round(low)).max() < 1e-3
