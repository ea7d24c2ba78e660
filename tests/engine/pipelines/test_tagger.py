"""The tagger with the tiny networks of tests/data."""

import json

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

from safelight.engine.parts import Parts
from safelight.engine.pipelines.base import PictureSource
from safelight.engine.pipelines.osediff import network_picture, prompt_of
from safelight.engine.pipelines.tagger import LIST, THRESHOLDS, Tagger, TagList, joined, network_input
from safelight.errors import NotReady
from tests.fakes import tagger as tiny

CPU = torch.device("cpu")
CASE = json.loads((tiny.TINY / "cases.json").read_text())[0]


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return tiny.write_converted(tmp_path_factory.mktemp("tagger"))


@pytest.fixture(scope="module")
def parts():
    return Parts()


@pytest.fixture(scope="module")
def tagger(files, parts):
    return Tagger(*files, CPU, parts)


@pytest.fixture(scope="module")
def picture():
    given = np.asarray(Image.open(tiny.REFERENCE / "images" / f"{CASE['image']}.png").convert("RGB"))
    return PictureSource(network_picture(given, 512, 4))


def test_tags_and_prompt_are_those_of_the_authors(tagger, picture):
    tags = joined(tagger.tags(picture))
    assert tags == CASE["tags"]
    assert prompt_of(tags) == CASE["prompt"]
    assert prompt_of("") == ", ,"


def test_the_network_is_held_only_while_it_computes(tagger, picture, parts):
    tagger.tags(picture)
    (part,) = parts.loaded
    assert part.key.title == "tagger"
    assert part.idle
    part.free()
    assert joined(tagger.tags(picture)) == CASE["tags"]


def test_a_tag_must_be_surer_than_its_threshold():
    labels = TagList(("even", "above", "below"), torch.tensor([0.5, 0.5, 0.5]))
    assert labels.chosen(torch.tensor([0.0, 0.01, -0.01])) == [1]


def test_without_dape_it_is_ram(files, picture):
    ram, _, lists = files
    expected = load_file(tiny.TINY / "cases" / "square_no_lora.safetensors")["logits"][0]
    found = Tagger(ram, None, lists, CPU, Parts()).logits(network_input(picture))
    assert torch.allclose(found, expected, atol=1e-4)


def test_lists_that_do_not_fit_are_refused(files, tmp_path):
    ram, dape, lists = files
    for name in (LIST, THRESHOLDS):
        (tmp_path / name).write_text((lists / name).read_text())
    (tmp_path / LIST).write_text("only one")
    with pytest.raises(NotReady, match="61 lines for 1 tags"):
        Tagger(ram, dape, tmp_path, CPU, Parts())
    (tmp_path / THRESHOLDS).write_text("0.5")
    with pytest.raises(NotReady, match="1 lines for 61 labels"):
        Tagger(ram, dape, tmp_path, CPU, Parts())
    (tmp_path / THRESHOLDS).write_text("half")
    with pytest.raises(NotReady, match="no number"):
        Tagger(ram, dape, tmp_path, CPU, Parts())


def test_files_that_lack_a_tensor_are_refused(files, tmp_path):
    ram, dape, lists = files
    for path, key in (
        (ram, "model/fc.weight"),
        (dape, "tagging_head.encoder.layer.1.crossattention.self.key.lora_A"),
    ):
        tensors = load_file(path)
        del tensors[key]
        save_file(tensors, tmp_path / path.name)
    for given in ((tmp_path / ram.name, dape), (ram, tmp_path / dape.name)):
        with pytest.raises(NotReady) as raised:
            Tagger(*given, lists, CPU, Parts())
        assert raised.value.reason == "CHECKPOINT_DAMAGED"


def test_dape_that_changes_the_text_networks_is_said(files, picture, tmp_path, caplog):
    ram, dape, lists = files
    tensors = load_file(dape)
    name = next(name for name in tensors if name.startswith("tag_encoder.") and name.endswith("lora_B"))
    tensors[name] += 1
    save_file(tensors, tmp_path / "dape.safetensors")
    found = Tagger(ram, tmp_path / "dape.safetensors", lists, CPU, Parts())
    assert joined(found.tags(picture)) == CASE["tags"]
    assert "text networks" in caplog.text
