"""Captioners with tiny random networks: what they are asked, how they look, and that a seed is a seed."""

import json

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from safelight.engine.parts import Parts
from safelight.engine.pipelines.base import PictureSource
from safelight.engine.pipelines.captioner import HOST, Florence, Llava
from safelight.errors import NotReady
from tests.fakes import captioners

PICTURE = PictureSource(np.random.default_rng(1).integers(0, 256, (90, 70, 3), np.uint8))
RAMP = np.broadcast_to(np.arange(200, dtype=np.uint8)[None, :, None], (100, 200, 3))


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    made = tmp_path_factory.mktemp("captioners")
    return {
        Florence: captioners.write_florence(made / "florence"),
        Llava: captioners.write_llava(made / "llava"),
    }


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(Florence, "side", 64)
    monkeypatch.setitem(Florence.search, "max_new_tokens", 8)
    monkeypatch.setitem(Llava.sampling, "max_new_tokens", 24)


def test_llava_says_the_same_for_the_same_seed(folders):
    llava = Llava(folders[Llava], HOST, Parts())
    state = torch.random.get_rng_state()
    said = [llava.caption(PICTURE, seed=seed).text for seed in (1, 1, 2, 3, 4)]
    assert said[0] == said[1]
    assert len(set(said)) > 1
    assert torch.equal(torch.random.get_rng_state(), state)


def test_llava_is_asked_as_the_authors_ask_it(folders):
    llava = Llava(folders[Llava], HOST, Parts())
    ids = llava.question()
    places = (28 // 14) ** 2
    assert ids.count(captioners.IMAGE) == places
    first = ids.index(captioners.IMAGE)
    assert ids[first : first + places] == [captioners.IMAGE] * places
    assert "USER: " in llava.before
    assert llava.after.startswith("\nDescribe this image and its style")
    assert {**llava.sampling, "max_new_tokens": 512} == {
        "do_sample": True,
        "temperature": 0.2,
        "top_p": 0.7,
        "top_k": 50,
        "num_beams": 1,
        "max_new_tokens": 512,
    }


def test_llava_looks_at_the_middle(folders):
    seen = Llava(folders[Llava], HOST, Parts()).prepared(RAMP)
    assert seen.shape == (28, 28, 3)
    assert abs(int(seen[0, 0, 0]) - 50) < 6
    assert abs(int(seen[0, -1, 0]) - 150) < 6


def test_only_what_llava_says_is_cut(folders):
    parts = Parts()
    llava, florence = (kind(folders[kind], HOST, parts) for kind in (Llava, Florence))
    said = "The image features a harbour. It is grey. Nobody is there."
    assert llava.prompt(said) == "A harbour. It is grey."
    assert llava.prompt("Only three words") == "Only three words"
    assert florence.prompt(said) == said


def test_florence_looks_at_all_and_draws_nothing(folders):
    florence = Florence(folders[Florence], HOST, Parts())
    assert florence.prepared(RAMP).shape == (64, 64, 3)
    first, second = (florence.caption(PICTURE, seed=seed) for seed in (1, 2))
    assert first == second
    assert first.text == first.prompt != ""


def test_at_its_real_size_florence_has_577_places_for_the_picture(folders, monkeypatch):
    monkeypatch.setattr(Florence, "side", 768)
    assert Florence(folders[Florence], HOST, Parts()).question().count(captioners.IMAGE) == 577


@pytest.mark.parametrize("kind", [Florence, Llava])
def test_a_captioner_is_held_only_while_it_writes(kind, folders):
    parts = Parts()
    captioner = kind(folders[kind], HOST, parts)
    assert parts.loaded == []
    captioner.caption(PICTURE, seed=1)
    (part,) = parts.loaded
    assert part.idle
    assert part.key.title.startswith("captioner")
    assert part.bytes <= captioner.bytes


def test_the_published_llava_comes_in_pieces_and_under_older_names(folders, tmp_path):
    tensors = load_file(folders[Llava] / "model.safetensors")
    named = {name.replace("vision_tower.", "vision_tower.vision_model."): t for name, t in tensors.items()}
    named["vision_tower.vision_model.embeddings.position_ids"] = torch.arange(5)[None]
    pieces = {f"model-{n:05}-of-00002.safetensors": sorted(named)[n - 1 :: 2] for n in (1, 2)}
    for file, names in pieces.items():
        save_file({name: named[name] for name in names}, tmp_path / file, metadata={"format": "pt"})
    places = {name: file for file, names in pieces.items() for name in names}
    index = {"metadata": {"total_size": 0}, "weight_map": places}
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps(index))
    for name in ("config.json", "tokenizer.json"):
        (tmp_path / name).write_bytes((folders[Llava] / name).read_bytes())
    whole, apart = (
        Llava(folder, HOST, Parts()).caption(PICTURE, seed=1) for folder in (folders[Llava], tmp_path)
    )
    assert whole == apart


def test_damaged_files_are_one_sentence(folders, tmp_path):
    for name in ("config.json", "tokenizer.json"):
        (tmp_path / name).write_bytes((folders[Llava] / name).read_bytes())
    with pytest.raises(NotReady, match="no safetensors file"):
        Llava(tmp_path, HOST, Parts())
    (tmp_path / "model.safetensors").write_bytes((folders[Florence] / "model.safetensors").read_bytes())
    with pytest.raises(NotReady) as raised:
        Llava(tmp_path, HOST, Parts()).caption(PICTURE, seed=1)
    assert raised.value.reason == "CHECKPOINT_DAMAGED"
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(NotReady, match="tokenizer"):
        Llava(tmp_path, HOST, Parts())
