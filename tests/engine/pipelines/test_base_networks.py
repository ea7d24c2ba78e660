"""Base folders to networks: precisions, shared halves, and files that do not fit."""

import json
import shutil

import pytest
import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from safetensors.torch import load_file, save_file

from safelight.engine.checkpoints import catalogue, install, store
from safelight.engine.networks.vae_layers import lighten
from safelight.engine.parts import Parts
from safelight.engine.pipelines.base_networks import content_hash, load_unet, load_vae, stored
from safelight.engine.pipelines.versions import DTYPES, Place
from safelight.errors import NotReady
from tests.fakes.golden import DATA

BASE = DATA / "osediff/base"
HERE = torch.device("cpu")
FP32 = Place(HERE, "fp32")
WEIGHTS = "diffusion_pytorch_model.safetensors"


@pytest.fixture
def copied(tmp_path):
    """A base that a test may change."""
    return shutil.copytree(BASE, tmp_path / "base")


def theirs(base, dtype=torch.float32):
    """UNet and VAE by diffusers' own loader, with our VAE's layers."""
    unet = UNet2DConditionModel.from_pretrained(base / "unet", torch_dtype=dtype)
    vae = AutoencoderKL.from_pretrained(base / "vae", torch_dtype=dtype)
    lighten(vae)
    return unet, vae


def both(base, place=FP32):
    """UNet and VAE by ours."""
    return load_unet(base, place).network, load_vae(base, place, Parts()).network


def tensors(*networks):
    return [tensor for network in networks for _, tensor in sorted(network.state_dict().items())]


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_networks_are_those_of_diffusers_own_loader(precision):
    unet, vae = both(BASE, Place(HERE, precision))
    for ours, expected in zip(tensors(unet, vae), tensors(*theirs(BASE, DTYPES[precision])), strict=True):
        assert torch.equal(ours, expected)
        assert not ours.requires_grad
    assert not unet.training
    assert not vae.training


def test_a_base_of_half_precision_files_is_the_same_base(copied):
    for path in copied.glob("*/*.safetensors"):
        path.rename(path.with_name(f"{path.stem}.fp16.safetensors"))
    for ours, other in zip(tensors(*both(copied)), tensors(*both(BASE)), strict=True):
        assert torch.equal(ours, other)


def test_a_vae_with_the_old_names_of_attention_is_the_same_vae(copied):
    path = copied / "vae" / WEIGHTS
    found = load_file(path)
    for new, old in {"to_q": "query", "to_k": "key", "to_v": "value", "to_out.0": "proj_attn"}.items():
        found = {name.replace(f"attentions.0.{new}.", f"attentions.0.{old}."): t for name, t in found.items()}
    assert "encoder.mid_block.attentions.0.query.weight" in found
    save_file(found, path)
    for ours, other in zip(tensors(*both(copied)), tensors(*both(BASE)), strict=True):
        assert torch.equal(ours, other)


def test_two_pipelines_on_one_base_have_one_vae_decoder():
    parts = Parts()
    first, second = load_vae(BASE, FP32, parts), load_vae(BASE, FP32, parts)
    assert first.network.decoder is second.network.decoder
    assert first.network.post_quant_conv is second.network.post_quant_conv
    assert first.network.encoder is not second.network.encoder
    assert parts.loaded == list(first.shared) == list(second.shared)
    whole = sum(p.numel() * p.element_size() for p in first.network.parameters())
    assert 0 < first.bytes == whole - first.shared[0].bytes


def test_the_decoder_goes_with_the_last_networks_that_have_it():
    parts = Parts()
    first, second = load_vae(BASE, FP32, parts), load_vae(BASE, FP32, parts)
    del first
    assert len(parts.loaded) == 1
    del second
    assert parts.loaded == []


def test_each_precision_has_a_decoder_of_its_own():
    parts = Parts()
    fp32, bf16 = (load_vae(BASE, Place(HERE, precision), parts) for precision in ("fp32", "bf16"))
    assert fp32.network.decoder is not bf16.network.decoder
    assert len(parts.loaded) == 2


def test_who_wrote_a_configuration_does_not_matter_to_its_content(copied):
    path = copied / "vae/config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "_diffusers_version": "0.0", "_name": "x"}))
    assert content_hash(copied, "vae") == content_hash(BASE, "vae")
    path.write_text(json.dumps({**json.loads(path.read_text()), "norm_num_groups": 1}))
    assert content_hash(copied, "vae") != content_hash(BASE, "vae")


def test_another_weight_is_another_content(copied):
    path = copied / "vae" / WEIGHTS
    changed = load_file(path)
    changed["decoder.conv_in.bias"] += 1
    save_file(changed, path)
    assert content_hash(copied, "vae") != content_hash(BASE, "vae")


# -- folders that were changed after they were installed -----------------------------------------------


def lacking(base):
    path = base / "unet" / WEIGHTS
    save_file({name: t for name, t in load_file(path).items() if name != "conv_out.bias"}, path)


def with_more(base):
    path = base / "vae" / WEIGHTS
    save_file({**load_file(path), "decoder.secret.weight": torch.zeros(3)}, path)


def reshaped(base):
    path = base / "unet" / WEIGHTS
    found = load_file(path)
    save_file({**found, "conv_out.bias": found["conv_out.bias"][:-1].clone()}, path)


def other_numbers(base):
    path = base / "unet/config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "layers_per_block": 5}))


CHANGES = {
    "a tensor is missing": (lacking, "base/unet/.* lacks conv_out.bias"),
    "a tensor is unknown": (with_more, "base/vae/.* has the unknown decoder.secret.weight"),
    "a tensor has another shape": (reshaped, "has another shape of conv_out.bias"),
    "the configuration makes another network": (other_numbers, "lacks"),
    "the configuration makes no network": (
        lambda base: (base / "unet/config.json").write_text('{"block_out_channels": "wide"}'),
        "config.json makes no network",
    ),
    "the configuration is no JSON": (
        lambda base: (base / "vae/config.json").write_text("{"),
        "config.json is missing or no JSON",
    ),
    "the weights are cut short": (
        lambda base: (base / "unet" / WEIGHTS).write_bytes((base / "unet" / WEIGHTS).read_bytes()[:5000]),
        "damaged or cut short",
    ),
    "the weights are gone": (lambda base: (base / "vae" / WEIGHTS).unlink(), "holds no safetensors file"),
}


@pytest.mark.parametrize(("change", "sentence"), CHANGES.values(), ids=CHANGES)
def test_a_base_that_was_changed_is_said_in_one_sentence(copied, change, sentence):
    change(copied)
    with pytest.raises(NotReady, match=sentence) as caught:
        both(copied)
    assert caught.value.reason == "CHECKPOINT_DAMAGED"
    assert "install it again" in caught.value.message


def test_what_is_not_in_the_store_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv(store.CHECKPOINT_DIR_VARIABLE, str(tmp_path))
    with pytest.raises(NotReady, match="sd21-base is not installed") as caught:
        stored("sd21-base", "osediff")
    assert caught.value.reason == "CHECKPOINT_MISSING"


def test_a_file_of_another_length_than_installed_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv(store.CHECKPOINT_DIR_VARIABLE, str(tmp_path))
    install.import_path(catalogue.entry("sd21-base"), BASE)
    (base,), _ = stored("sd21-base")
    assert content_hash(base, "vae") == content_hash(BASE, "vae")
    with (base / "vae" / WEIGHTS).open("ab") as file:
        file.write(b"more")
    with pytest.raises(NotReady, match=f"sd21-base/vae/{WEIGHTS} is not what was installed") as caught:
        stored("sd21-base")
    assert caught.value.reason == "CHECKPOINT_DAMAGED"
