"""A VAE with lighter layers gives what diffusers' own layers give."""

import copy

import pytest
import torch
from diffusers import AutoencoderKL
from diffusers.models.resnet import ResnetBlock2D
from diffusers.models.upsampling import Upsample2D
from torch import nn

from safelight.engine.networks.vae_layers import DoublingConvolution, ResidualBlock, lighten
from safelight.engine.pipelines.base_networks import empty
from tests.fakes.golden import DATA


@pytest.fixture(scope="module")
def vae():
    torch.manual_seed(0)
    network = empty(AutoencoderKL, DATA / "osediff/base/vae").to_empty(device="cpu")
    for module in network.modules():
        if hasattr(module, "reset_parameters"):
            module.reset_parameters()
    return network


def lightened(network):
    """A copy."""
    network = copy.deepcopy(network)
    lighten(network)
    return network


@pytest.mark.parametrize("format", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize(("height", "width"), [(8, 8), (7, 5), (1, 1), (3, 16)])
def test_a_decoder_gives_the_same_but_for_rounding(vae, height, width, format):
    z = torch.randn(2, 4, height, width).contiguous(memory_format=format)
    with torch.inference_mode():
        expected, found = vae.decoder(z), lightened(vae.decoder)(z)
    assert found.shape == (2, 3, 8 * height, 8 * width)
    torch.testing.assert_close(found, expected, atol=3e-5, rtol=0)


def test_an_encoder_gives_the_same_bits(vae):
    x = torch.randn(1, 3, 40, 24)
    before = x.clone()
    with torch.inference_mode():
        assert torch.equal(lightened(vae.encoder)(x), vae.encoder(x))
    assert torch.equal(x, before)


def test_in_bfloat16_a_decoder_is_as_near_to_float32_as_diffusers_own(vae):
    z = torch.randn(1, 4, 12, 12)

    def error(network):
        reduced = copy.deepcopy(network).to(torch.bfloat16)(z.to(torch.bfloat16)).float()
        return (reduced - exact).square().mean().sqrt()

    with torch.inference_mode():
        exact = vae.decoder(z)
        assert error(lightened(vae.decoder)) <= 1.1 * error(vae.decoder)


def test_every_block_and_upsampler_of_a_vae_has_a_lighter_form(vae):
    network = lightened(vae)
    assert not any(isinstance(layer, ResnetBlock2D | Upsample2D) for layer in network.modules())
    found = [layer for layer in network.modules() if isinstance(layer, DoublingConvolution)]
    assert len(found) == len(vae.config.block_out_channels) - 1


def test_names_of_layers_stay(vae):
    names = {name for name, _ in vae.encoder.named_parameters()}
    assert {name for name, _ in lightened(vae.encoder).named_parameters()} == names


def test_blocks_that_do_more_are_left_alone():
    timed = nn.ModuleDict({"block": ResnetBlock2D(in_channels=32, temb_channels=8)})
    scaled = nn.ModuleDict(
        {"block": ResnetBlock2D(in_channels=32, temb_channels=None, output_scale_factor=2.0)}
    )
    plain_doubling = nn.ModuleDict({"block": Upsample2D(32)})
    for network in (timed, scaled, plain_doubling):
        before = network["block"]
        lighten(network)
        assert network["block"] is before


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_an_enlarging_convolution_equals_enlarging_and_convolving(dtype):
    layer = Upsample2D(8, use_conv=True, out_channels=6).requires_grad_(False)
    x = torch.randn(3, 8, 9, 5)
    expected = layer(x)
    found = DoublingConvolution(layer.to(dtype).conv)(x.to(dtype))
    assert found.shape == (3, 6, 18, 10)
    tolerance = {torch.float32: 1e-6, torch.bfloat16: 0.02}[dtype]
    torch.testing.assert_close(found.float(), expected, atol=tolerance, rtol=tolerance)


def test_a_block_does_not_change_what_it_is_given():
    block = ResidualBlock(ResnetBlock2D(in_channels=32, temb_channels=None).requires_grad_(False).eval())
    x = torch.randn(1, 32, 4, 4)
    before = x.clone()
    with torch.inference_mode():
        block(x)
    assert torch.equal(x, before)
