"""The authors' VAE tiles: places as tables; the numbers are in the reference cases."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from safelight.engine.networks.vae_tiling import CELL_PX, decode_tiled, plan
from safelight.geometry import Rect, Size

# length, tile, pad: what the tiles of one axis read and own
SPANS = {
    "two cores": (160, 64, 32, [(0, 128, 0, 96), (64, 160, 96, 160)]),
    "core grown to a multiple of 32": (224, 96, 32, [(0, 160, 0, 128), (96, 224, 128, 224)]),
    "core grown to a multiple of 8": (28, 4, 11, [(0, 26, 0, 15), (4, 28, 15, 28)]),
}


@pytest.mark.parametrize(("length", "tile", "pad", "expected"), SPANS.values(), ids=SPANS)
def test_tiles_along_an_axis(length, tile, pad, expected):
    tiles = plan(Size(length, 2 * pad), tile, pad, lambda edge: edge)
    assert [(t.read.x, t.read.right, t.owned.x, t.owned.right) for t in tiles] == expected


@settings(deadline=None)  # a busy machine is no failure
@given(st.integers(30, 400), st.integers(30, 400), st.integers(4, 96), st.sampled_from([11, 32]))
def test_every_output_pixel_is_owned_once_and_read(width, height, tile, pad):
    owners = np.zeros((height, width), int)
    for t in plan(Size(width, height), tile, pad, lambda edge: edge):
        owners[t.owned.slices] += 1
        assert t.read.contains(t.owned)
        assert Rect(0, 0, width, height).contains(t.read)
    assert (owners == 1).all()


def test_a_small_plane_passes_through_whole():
    latent = torch.rand(1, 4, 20, 30)
    found = decode_tiled(torch.nn.Upsample(scale_factor=CELL_PX), latent, 8)
    assert found.shape == (1, 4, 160, 240)
