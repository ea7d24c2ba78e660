"""Small pictures of large regions."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from safelight.engine.pipelines.base import PictureSource
from safelight.engine.pipelines.squeezed import reduced, squeezed
from safelight.geometry import Size


class Rows:
    """A region that counts the rows which are read at once."""

    def __init__(self, pixels):
        self.pixels, self.most = pixels, 0
        self.size = Size(pixels.shape[1], pixels.shape[0])

    def rows(self, start, end):
        self.most = max(self.most, end - start)
        return self.pixels[start:end]


@pytest.mark.parametrize("shape", [(501, 377), (40, 1500), (384, 384), (9, 7), (1, 1)])
def test_squeezing_is_torchs_interpolation_without_antialiasing(shape):
    pixels = np.random.default_rng(3).random((*shape, 3), np.float32)
    wanted = F.interpolate(torch.from_numpy(pixels).permute(2, 0, 1)[None], (48, 36), mode="bilinear")
    source = Rows(pixels)
    found = squeezed(source, Size(36, 48))
    assert np.abs(found - wanted[0].permute(1, 2, 0).numpy()).max() < 1e-6
    assert source.most == 1


def test_reducing_takes_means_of_blocks():
    pixels = np.arange(5 * 7 * 3, dtype=np.float32).reshape(5, 7, 3) / 255
    found = reduced(Rows(pixels), 2)
    assert found.shape == (3, 4, 3)
    assert (found[0, 0] == np.rint(pixels[:2, :2].mean((0, 1)) * 255)).all()
    assert (found[2, 3] == np.rint(pixels[4:, 6:].mean((0, 1)) * 255)).all()


def test_small_pictures_are_not_reduced():
    picture = np.random.default_rng(4).integers(0, 256, (30, 50, 3), np.uint8)
    assert (reduced(PictureSource(picture), 20) == picture).all()
