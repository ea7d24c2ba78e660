"""The real configurations with the keys and shapes of the authors' real files, on torch's meta device."""

import gzip
import json

import pytest
import torch
from diffusers import AutoencoderKL, UNet2DConditionModel

from safelight.engine.networks.faithdiff import LQEncoder, lq_name, own_name
from safelight.engine.networks.s3diff_lora import ModulatedLowRank, modulate
from safelight.engine.pipelines import osediff, s3diff
from safelight.engine.pipelines.faithdiff_networks import aligned_unet
from tests.fakes import sdxl
from tests.fakes.golden import DATA

META = torch.device("meta")


def manifest(name):
    return json.loads(gzip.decompress((DATA / f"{name}.manifest.json.gz").read_bytes()))


def tensors(entries):
    return {name: torch.empty(entry["shape"], device=META) for name, entry in entries.items()}


@pytest.fixture
def networks():
    configs = manifest("osediff/full_size_sd21_base")["configs"]
    with META:
        return {
            "unet": UNet2DConditionModel.from_config(configs["unet"]),
            "vae": AutoencoderKL.from_config(configs["vae"]),
        }


def test_osediffs_real_adapters_merge_into_the_real_base(networks):
    content = manifest("osediff/full_size_osediff.pkl")["content"]
    for name, network in networks.items():
        given = tensors(content[f"state_dict_{name}"])
        adapters = osediff.Adapters(given)
        before = network.state_dict()
        changed = {key: adapters(key, tensor) for key, tensor in before.items()}
        assert all(changed[key].shape == tensor.shape for key, tensor in before.items())
        different = {key.rpartition(".")[0] for key, tensor in before.items() if changed[key] is not tensor}
        assert different == {key.partition(".lora_")[0].partition(".base_layer")[0] for key in given}


def test_s3diffs_real_pairs_find_their_layers(networks):
    content = manifest("s3diff/full_size_s3diff.pkl")
    for name, network in networks.items():
        given = tensors(content["content"][f"state_dict_{name}"])
        given = {key: tensor for key, tensor in given.items() if ".lora_" in key}
        modulate(network, s3diff._pairs(given, {"unet": "default", "vae": "vae_skip"}[name]))
        found = {key for key, layer in network.named_modules() if isinstance(layer, ModulatedLowRank)}
        assert found == set(content["block_index_of_each_adapted_layer"][name])


def test_faithdiffs_real_tensors_find_their_places(tmp_path):
    (tmp_path / "unet").mkdir()
    (tmp_path / "unet" / "config.json").write_text(json.dumps(sdxl.UNET))
    content = json.loads(
        gzip.decompress((DATA / "faithdiff/full_size_faithdiff.bin.layout.json.gz").read_bytes())
    )
    given = {
        k: tuple(v) for part in (content["core_unet"], *content["extra"].values()) for k, v in part.items()
    }
    with META:
        encoder = LQEncoder()
    for name, network in ((own_name, aligned_unet(tmp_path)), (lq_name, encoder)):
        placed = {own: shape for key, shape in given.items() if (own := name(key))}
        assert placed == {key: tuple(tensor.shape) for key, tensor in network.state_dict().items()}
    assert all(bool(own_name(key)) != bool(lq_name(key)) for key in given)
