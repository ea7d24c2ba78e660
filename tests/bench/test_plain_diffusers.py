"""What the bench compares with does the same work: plain diffusers draws what the pipelines draw."""

import numpy as np
import pytest
import torch
from diffusers.models.autoencoders.vae import DiagonalGaussianDistribution

from safelight.engine.finish import result_bands
from tests.bench.one_step import METHODS
from tests.engine.jobs_at_hand import photo, restored
from tests.fakes import golden

SIDE = 128


@pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)
@pytest.mark.filterwarnings("ignore:.*peft_config:UserWarning")
def test_plain_diffusers_gives_the_pipelines_picture(method, monkeypatch):
    monkeypatch.setattr(DiagonalGaussianDistribution, "sample", lambda self: self.mode())
    files = golden.DATA / method.name
    plain = method.plain(
        files / "base", files / f"{method.name}.pkl", device=torch.device("cpu"), dtype=torch.float32
    )
    expected = plain(photo(SIDE, SIDE))
    job = restored(
        photo(SIDE, SIDE), golden.pipeline(method.name), colour_fix="none", colour=1.0, **method.own
    )
    found = np.concatenate([band.pixels for band in result_bands(job, rows_per_band=64)])
    assert np.abs(found.astype(int) - expected).max() <= 1
