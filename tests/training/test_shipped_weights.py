"""The shipped weights on photographs that no training picture was made from."""

import pytest
import torch
from PIL import Image

pytest.importorskip("skimage")

from safelight.engine.networks.compact import load_compact
from safelight.imaging.metrics import psnr_y, ssim_y
from training.evaluate_photos import PHOTOS, SHIPPED, Case, damage, enlarge, photo, restore

CASES = (Case(4, "camera", blur_px=2.35, noise=0.7), Case(2, "camera", blur_px=1.2, noise=0.7))


@pytest.mark.parametrize("name", PHOTOS)
@pytest.mark.parametrize("case", CASES, ids=lambda case: f"x{case.scale}")
def test_an_enlarged_photograph_is_closer_to_the_original_than_bicubic(case, name):
    reference = photo(name)
    low = damage(reference, case)
    bicubic = enlarge(low, case.scale, Image.Resampling.BICUBIC)
    restored = restore(load_compact(SHIPPED, case.scale), low)
    assert psnr_y(restored, reference) > psnr_y(bicubic, reference)
    assert ssim_y(restored, reference) > ssim_y(bicubic, reference)


@pytest.mark.parametrize(
    ("case", "gain_db"),
    [
        (Case(1, "noise 12", noise=12), 1.2),
        (Case(1, "noise 8 + JPEG 60", noise=8, jpeg=60), 1.1),
        (Case(1, "JPEG 30", jpeg=30), 0.4),
    ],
    ids=lambda value: value.name if isinstance(value, Case) else "",
)
def test_scale_1_removes_noise_and_blocks(case, gain_db):
    network = load_compact(SHIPPED, 1)
    gains = []
    for name in PHOTOS:
        reference = photo(name)
        low = damage(reference, case)
        gains.append(psnr_y(restore(network, low), reference) - psnr_y(low, reference))
    assert sum(gains) / len(gains) >= gain_db


def test_scale_1_leaves_clean_photographs_alone():
    # A softness of 0.7 px is that of a camera original; a picture that was made smaller has none.
    network = load_compact(SHIPPED, 1)
    originals = [photo(name, soften_px=0.7) for name in PHOTOS]
    likeness = [psnr_y(restore(network, original), original) for original in originals]
    assert sum(likeness) / len(likeness) >= 49


def test_tiles_with_the_receptive_field_as_overlap_equal_the_whole():
    network = load_compact(SHIPPED, 4)
    x = torch.rand(1, 3, 40, 64, generator=torch.Generator().manual_seed(1))
    margin = network.receptive_field_px
    with torch.inference_mode():
        whole, tile = network(x), network(x[..., : 32 + margin])
    assert (whole[..., : 32 * 4] - tile[..., : 32 * 4]).abs().max() < 1 / 255
