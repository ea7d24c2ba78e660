"""Tiles that fade into their neighbours, against diffusers' own tiled VAE."""

from fractions import Fraction

import pytest
import torch
from diffusers import AutoencoderKL

from safelight.engine.networks.crossfade_tiling import CrossfadeTiling, tiled
from safelight.errors import InvalidRequest


@pytest.fixture(scope="module")
def vae():
    torch.manual_seed(0)
    made = AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        block_out_channels=(8, 8, 8, 8),
        norm_num_groups=4,
        sample_size=64,
    )
    made.enable_tiling()
    return made.requires_grad_(False)


@pytest.mark.parametrize("size", [(80, 136), (64, 200), (48, 112)])
@pytest.mark.parametrize("overlap", [0.25, 0.5])
def test_it_equals_the_tiled_vae_of_diffusers(vae, size, overlap):
    vae.tile_overlap_factor = overlap
    x = torch.rand(1, 3, *size)
    moments = tiled(lambda t: vae.quant_conv(vae.encoder(t)), x, CrossfadeTiling(64, overlap), Fraction(1, 8))
    assert torch.allclose(moments, vae._tiled_encode(x), atol=1e-6)
    z = torch.rand(1, 4, size[0] // 8, size[1] // 8)
    y = tiled(lambda t: vae.decoder(vae.post_quant_conv(t)), z, CrossfadeTiling(8, overlap), Fraction(8))
    assert torch.allclose(y, vae.tiled_decode(z).sample, atol=1e-6)


def test_without_a_tiling_the_network_sees_the_whole(vae):
    x = torch.rand(1, 3, 80, 80)
    assert torch.equal(tiled(vae.encoder, x, None, Fraction(1, 8)), vae.encoder(x))


@pytest.mark.parametrize("tiling", [CrossfadeTiling(64, 0.3), CrossfadeTiling(64, 1.0)])
def test_tiles_that_do_not_meet_are_refused(vae, tiling):
    with pytest.raises(InvalidRequest) as caught:
        tiled(vae.encoder, torch.rand(1, 3, 128, 64), tiling, Fraction(1, 8))
    assert caught.value.reason == "TILE_OVERLAP"
