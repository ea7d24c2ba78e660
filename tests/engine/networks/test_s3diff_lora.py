"""Modulated low-rank layers against their formula, and where their values live."""

import gzip
import json

import pytest
import torch
from torch import nn

from safelight.engine.networks.s3diff_lora import (
    ModulatedLowRank,
    block_index,
    fourier_features,
    modulation,
)
from tests.fakes.golden import DATA

MANIFEST = DATA / "s3diff/full_size_s3diff.pkl.manifest.json.gz"
RANK = 3
BLOCKS = 2


def seeded(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(sum(shape)))


def convolution(stride=1, padding=1, kernel=3):
    torch.manual_seed(0)
    base = nn.Conv2d(5, 7, kernel, stride=stride, padding=padding)
    down, up = seeded(RANK, 5, kernel, kernel), seeded(7, RANK, 1, 1)
    return ModulatedLowRank(base, down, up, 1).requires_grad_(False)


def linear():
    torch.manual_seed(0)
    return ModulatedLowRank(nn.Linear(5, 7), seeded(RANK, 5), seeded(7, RANK), 1).requires_grad_(False)


def by_the_formula(layer, x, middle):
    """base(x) + 8/r * B(M^T A(x)), one element after the other, with modules of torch."""
    if isinstance(layer.base, nn.Linear):
        low = x @ layer.down.T
        return layer.base(x) + 8 / RANK * (low @ middle) @ layer.up.T
    low = torch.nn.functional.conv2d(x, layer.down, None, layer.base.stride, layer.base.padding)
    mixed = torch.einsum("bkhw,kr->brhw", low, middle)
    return layer.base(x) + 8 / RANK * torch.einsum("brhw,cr->bchw", mixed, layer.up)


LAYERS = {
    "convolution": (convolution(), (2, 5, 9, 8)),
    "few positions": (convolution(), (1, 5, 2, 1)),
    "stride 2 without padding": (convolution(2, 0), (2, 5, 9, 9)),
    "1x1": (convolution(padding=0, kernel=1), (2, 5, 6, 4)),
    "linear": (linear(), (2, 11, 5)),
    "linear, few tokens": (linear(), (1, 2, 5)),
}


@pytest.mark.parametrize(("layer", "shape"), LAYERS.values(), ids=LAYERS)
def test_a_layer_is_its_formula(layer, shape):
    x, matrices = seeded(*shape), seeded(1, BLOCKS, RANK, RANK)
    with modulation(matrices):
        found = layer(x)
    assert torch.allclose(found, by_the_formula(layer, x, matrices[0, 1]), atol=2e-5)


@pytest.mark.parametrize(("layer", "shape"), LAYERS.values(), ids=LAYERS)
def test_elements_of_a_batch_may_have_their_own_matrices(layer, shape):
    x, matrices = seeded(3, *shape[1:]), seeded(3, BLOCKS, RANK, RANK)
    with modulation(matrices):
        together = layer(x)
    for i in range(3):
        alone = by_the_formula(layer, x[i : i + 1], matrices[i, 1])
        assert torch.allclose(together[i : i + 1], alone, atol=2e-5)


@pytest.mark.parametrize(("layer", "shape"), LAYERS.values(), ids=LAYERS)
def test_as_written_is_the_official_order_of_operations_bit_for_bit(layer, shape):
    x, matrices = seeded(*shape), seeded(1, BLOCKS, RANK, RANK)
    with modulation(matrices, as_written=True):
        found = layer(x)
    if isinstance(layer.base, nn.Linear):
        low = torch.einsum("...lk,...kr->...lr", nn.functional.linear(x, layer.down), matrices[:, 1])
        raised = nn.functional.linear(low, layer.up)
    else:
        low = nn.functional.conv2d(x, layer.down, None, layer.base.stride, layer.base.padding)
        low = torch.einsum("...khw,...kr->...rhw", low, matrices[:, 1])
        raised = nn.functional.conv2d(low, layer.up[:, :, None, None])
    assert torch.equal(found, layer.base(x) + raised * (8 / RANK))


def test_both_exact_forms_are_used():
    layer = convolution()
    assert not layer._cheaper_merged(torch.zeros(1, 5, 2, 1))
    assert layer._cheaper_merged(torch.zeros(1, 5, 9, 8))


def test_nothing_is_left_on_the_layer_or_in_the_thread():
    layer = linear()
    before = {name: tensor.clone() for name, tensor in layer.state_dict().items()}
    with pytest.raises(RuntimeError, match="shapes"), modulation(seeded(1, BLOCKS, RANK, RANK)):
        layer(seeded(1, 9, 6))
    assert all(torch.equal(before[name], tensor) for name, tensor in layer.state_dict().items())
    with pytest.raises(RuntimeError, match="outside modulation"):
        layer(seeded(1, 9, 5))


@pytest.mark.parametrize("network", ["unet", "vae"])
def test_every_layer_of_the_real_networks_uses_the_official_block(network):
    manifest = json.loads(gzip.decompress(MANIFEST.read_bytes()))
    official = manifest["block_index_of_each_adapted_layer"][network]
    blocks = {"unet": 10, "vae": 6}[network]
    assert {name: block_index(name) % blocks for name in official} == official


PLACES = {
    "down_blocks.2.resnets.0.conv1": 2,
    "mid_block.attentions.0.proj_in": 4,
    "up_blocks.0.resnets.0.conv1": 5,
    "conv_out": -1,
    "encoder.down_blocks.1.resnets.0.conv1": 1,
    "encoder.mid_block.attentions.0.to_q": 4,
    "encoder.conv_in": -1,
}


@pytest.mark.parametrize(("name", "place"), PLACES.items(), ids=PLACES)
def test_places_of_blocks_do_not_depend_on_how_many_there_are(name, place):
    assert block_index(name) == place


def test_fourier_features_are_sines_and_cosines_of_the_first_score_then_of_the_second():
    features = fourier_features(torch.tensor([[0.25, 0.5]]), torch.tensor([1.0, 2.0]))
    expected = torch.tensor([[1.0, 0.0, 0.0, -1.0, 0.0, 0.0, -1.0, 1.0]])
    assert torch.allclose(features, expected, atol=1e-6)
