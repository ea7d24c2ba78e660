"""Prompts to embeddings with the tiny text encoder of tests/data."""

import json
import shutil

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import CLIPTextModel

from safelight.engine.parts import Parts
from safelight.engine.pipelines.text_encoder import PromptEncoder
from safelight.errors import NotReady
from tests.fakes.golden import DATA

BASE = DATA / "osediff/base"
ACCELERATOR = torch.device("cuda")  # where the pipeline computes; the text encoder does on the host


@pytest.fixture
def parts():
    return Parts()


@pytest.fixture
def prompts(parts):
    return PromptEncoder(BASE, parts, ACCELERATOR)


@pytest.fixture
def copied(tmp_path):
    """A base's text half that a test may change."""
    for part in ("text_encoder", "tokenizer"):
        shutil.copytree(BASE / part, tmp_path / part)
    return tmp_path


def test_a_prompt_of_any_length_has_77_tokens(prompts):
    assert prompts.ids("cat, " * 200).shape == prompts.ids("").shape == (1, 77)


def test_a_tokenizer_that_says_so_gives_fewer_tokens(copied, parts):
    path = copied / "tokenizer/tokenizer_config.json"
    path.write_text(path.read_text().replace('"model_max_length": 77', '"model_max_length": 40'))
    assert PromptEncoder(copied, parts, ACCELERATOR).ids("cat, " * 200).shape == (1, 40)


def test_embeddings_are_those_of_transformers_own_loader(prompts):
    theirs = CLIPTextModel.from_pretrained(BASE / "text_encoder", dtype=torch.float32).eval()
    with torch.inference_mode():
        expected = theirs(prompts.ids("a cat")).last_hidden_state
    assert torch.allclose(prompts.embeddings("a cat")[0], expected, atol=1e-5)


def test_embeddings_are_those_of_the_authors_bit_for_bit(prompts):
    """On a CPU with AVX-512, as computed the reference; others sum in another order, so their last digits differ."""
    expected = load_file(DATA / "osediff/cases/01_single_adain/expected.safetensors")
    facts = json.loads((DATA / "osediff/cases/01_single_adain/case.json").read_text())
    (found,) = prompts.embeddings(f"{facts['settings']['caption']}, {facts['settings']['user_prompt']},")
    if torch.backends.cpu.get_cpu_capability() == "AVX512":
        assert torch.equal(found, expected["prompt_embeds"])
    assert torch.allclose(found, expected["prompt_embeds"], rtol=0, atol=2e-6)


def test_names_of_newer_transformers_are_the_same_network(prompts, copied):
    path = copied / "text_encoder/model.safetensors"
    save_file({name.removeprefix("text_model."): t for name, t in load_file(path).items()}, path)
    found = PromptEncoder(copied, Parts(), ACCELERATOR).embeddings("a cat")[0]
    assert torch.equal(found, prompts.embeddings("a cat")[0])


def test_old_files_that_list_positions_are_taken(prompts, copied):
    path = copied / "text_encoder/model.safetensors"
    save_file({**load_file(path), "text_model.embeddings.position_ids": torch.arange(77)[None]}, path)
    found = PromptEncoder(copied, Parts(), ACCELERATOR).embeddings("a cat")[0]
    assert torch.equal(found, prompts.embeddings("a cat")[0])


def test_nothing_is_loaded_before_a_prompt_needs_it(parts, prompts):
    assert parts.loaded == []
    prompts.embeddings("a cat")
    assert parts.loaded == [prompts.encoder]


def test_a_known_prompt_does_not_load_an_encoder_that_was_evicted(parts, prompts):
    first = prompts.embeddings("a cat")[0]
    prompts.encoder.free()
    assert prompts.embeddings("a cat")[0] is first
    assert parts.loaded == []


def test_several_prompts_hold_the_encoder_once(parts, prompts, monkeypatch):
    released = []
    monkeypatch.setattr(parts, "released", released.append)
    both = prompts.embeddings("a cat", "a dog")
    assert released == [prompts.encoder]
    assert torch.equal(both[1], PromptEncoder(BASE, Parts(), ACCELERATOR).embeddings("a dog")[0])
    assert prompts.embeddings("a dog", "a cat", "a dog")[1] is both[0]
    assert released == [prompts.encoder]


def test_a_forgotten_prompt_is_encoded_again(prompts):
    first = prompts.embeddings("a cat")[0]
    for i in range(40):
        prompts.embeddings(f"prompt {i}")
    prompts.encoder.free()
    again = prompts.embeddings("a cat")[0]
    assert again is not first
    assert torch.equal(again, first)


def test_bases_with_equal_files_have_one_encoder_and_one_memory(parts, prompts, copied):
    other = PromptEncoder(copied, parts, ACCELERATOR)
    assert other.encoder is prompts.encoder
    assert other.embeddings("a cat")[0] is prompts.embeddings("a cat")[0]


def test_another_encoder_is_another_part(parts, prompts):
    assert PromptEncoder(DATA / "s3diff/base", parts, ACCELERATOR).encoder is not prompts.encoder


def test_a_folder_without_a_tokenizer_is_damaged(copied):
    shutil.rmtree(copied / "tokenizer")
    with pytest.raises(NotReady, match="tokenizer") as caught:
        PromptEncoder(copied, Parts(), ACCELERATOR)
    assert caught.value.reason == "CHECKPOINT_DAMAGED"


def test_beside_tiles_on_the_host_the_network_goes_once_its_prompts_are_known(parts):
    prompts = PromptEncoder(BASE, parts, torch.device("cpu"))
    known = prompts.embeddings("a cat")[0]
    assert prompts.encoder.bytes == 0
    assert torch.equal(prompts.embeddings("a cat")[0], known)
    assert prompts.encoder.bytes == 0


def test_beside_an_accelerator_the_network_stays_where_there_is_room(prompts):
    prompts.embeddings("a cat")
    assert prompts.encoder.bytes > 0
