"""What the one-step pipelines share: the noise schedule."""

import json
import shutil

import pytest
import torch

from safelight.engine.pipelines.stable_diffusion import clean_latent, last_alpha
from safelight.errors import NotReady
from tests.fakes.golden import DATA

BASE = DATA / "osediff/base"


def test_the_last_alpha_is_that_of_stable_diffusion():
    assert last_alpha(BASE).sqrt().item() == pytest.approx(0.0683, abs=5e-5)


def test_the_clean_latent_solves_the_noising_equation():
    alpha = last_alpha(BASE)
    clean, eps = torch.randn(2, 1, 4, 8, 8, generator=torch.Generator().manual_seed(0))
    noisy = alpha.sqrt() * clean + (1 - alpha).sqrt() * eps
    assert torch.allclose(clean_latent(noisy, eps, alpha), clean, atol=2e-5)


def test_a_schedule_that_lacks_a_value_is_damaged(tmp_path):
    shutil.copytree(BASE / "scheduler", tmp_path / "scheduler")
    path = tmp_path / "scheduler/scheduler_config.json"
    config = json.loads(path.read_text())
    del config["beta_start"]
    path.write_text(json.dumps(config))
    with pytest.raises(NotReady, match="beta_start") as caught:
        last_alpha(tmp_path)
    assert caught.value.reason == "CHECKPOINT_DAMAGED"
