"""What the one-step pipelines share: bases, prompts, the noise schedule and precisions."""

import shutil

import pytest
import torch

from safelight.engine.pipelines.base_networks import Networks, PrecisionSets, load_base, stored
from safelight.engine.pipelines.stable_diffusion import clean_latent, last_alpha
from safelight.engine.pipelines.text_encoder import PromptEncoder
from safelight.errors import NotReady
from tests.fakes.golden import DATA

BASE = DATA / "osediff/base"
HERE = torch.device("cpu")


@pytest.fixture(scope="module")
def prompts():
    return PromptEncoder(BASE)


def test_a_base_of_half_precision_files_is_the_same_base(tmp_path):
    half = tmp_path / "base"
    shutil.copytree(BASE, half)
    for path in half.glob("*/*.safetensors"):
        path.rename(path.with_name(f"{path.stem}.fp16.safetensors"))
    expected, found = load_base(BASE), load_base(half)
    for one, other in ((expected.unet, found.unet), (expected.vae, found.vae)):
        assert all(torch.equal(a, b) for a, b in zip(one.parameters(), other.parameters(), strict=True))
    assert torch.equal(PromptEncoder(half).embeddings("a cat"), PromptEncoder(BASE).embeddings("a cat"))


def test_a_base_without_a_network_is_damaged(tmp_path):
    shutil.copytree(BASE, tmp_path / "base")
    (tmp_path / "base/vae/diffusion_pytorch_model.safetensors").unlink()
    with pytest.raises(NotReady) as caught:
        load_base(tmp_path / "base")
    assert caught.value.reason == "CHECKPOINT_DAMAGED"


def test_what_is_not_in_the_store_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv("SAFELIGHT_CHECKPOINT_DIR", str(tmp_path))
    with pytest.raises(NotReady, match="sd21-base is not installed") as caught:
        stored("sd21-base", "osediff")
    assert caught.value.reason == "CHECKPOINT_MISSING"


def test_a_prompt_of_any_length_has_77_tokens(prompts):
    assert prompts.ids("cat, " * 200).shape == prompts.ids("").shape == (1, 77)


def test_a_known_prompt_is_not_encoded_again(prompts):
    first = prompts.embeddings("a cat")
    assert prompts.embeddings("a cat") is first
    for i in range(40):
        prompts.embeddings(f"prompt {i}")
    assert torch.equal(prompts.embeddings("a cat"), first)


def test_the_last_alpha_is_that_of_stable_diffusion():
    assert last_alpha(BASE).sqrt().item() == pytest.approx(0.0683, abs=5e-5)


def test_the_clean_latent_solves_the_noising_equation():
    alpha = last_alpha(BASE)
    clean, eps = torch.randn(2, 1, 4, 8, 8, generator=torch.Generator().manual_seed(0))
    noisy = alpha.sqrt() * clean + (1 - alpha).sqrt() * eps
    assert torch.allclose(clean_latent(noisy, eps, alpha), clean, atol=2e-5)


def test_the_first_precision_stays_and_one_other_beside_it():
    loads = []

    def load():
        loads.append(1)
        return Networks(torch.nn.Conv2d(1, 1, 3), torch.nn.Conv2d(1, 1, 3))

    sets = PrecisionSets(load, HERE, "fp32")
    first = sets.at("fp32")
    assert sets.at("bf16").unet.weight.dtype == torch.bfloat16
    sets.at("fp16")
    assert sets.at("fp32") is first
    assert len(loads) == 3
    sets.at("bf16")
    assert len(loads) == 4
