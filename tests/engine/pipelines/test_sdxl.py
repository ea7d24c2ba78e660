"""SDXL's prompts and size conditioning with tiny text encoders; their numbers are in the reference cases."""

import pytest
import torch

from safelight.engine.parts import Parts
from safelight.engine.pipelines.sdxl import PromptEncoders, guided, time_ids
from safelight.geometry import Size
from tests.fakes import golden

ACCELERATOR = torch.device("cuda")
"""Of a pipeline; the encoders are on the host all the same."""


@pytest.fixture
def base():
    golden.pipeline("faithdiff")
    return golden.folder("faithdiff") / "official" / "sdxl"


def test_equal_prompts_are_encoded_once_and_each_encoder_is_held_once(base):
    released = []
    encoders = PromptEncoders(base, Parts(released=released.append), ACCELERATOR)
    first = encoders.encoded("a cat", "", "a cat")
    assert len(released) == 2
    assert torch.equal(first.embeddings[0], first.embeddings[2])
    assert not torch.equal(first.embeddings[0], first.embeddings[1])
    again = encoders.encoded("", "a cat")
    assert len(released) == 2
    assert torch.equal(again.embeddings, first.embeddings[[1, 0]])
    assert torch.equal(again.pooled, first.pooled[[1, 0]])


def test_a_prompt_beside_others_is_the_prompt_alone(base):
    together = PromptEncoders(base, Parts(), ACCELERATOR).encoded("an old stone house", "a cat")
    alone = PromptEncoders(base, Parts(), ACCELERATOR).encoded("a cat")
    assert torch.equal(together.embeddings[1:], alone.embeddings)


def test_encoders_can_be_freed_between_stages(base):
    encoders = PromptEncoders(base, Parts(released=lambda part: part.free()), ACCELERATOR)
    encoders.encoded("a cat")
    assert [part.bytes for part in encoders.parts] == [0, 0]


@pytest.mark.parametrize(("device", "idle"), [("cpu", False), ("cuda", True)])
def test_encoders_do_not_idle_where_tiles_are_computed(base, device, idle):
    encoders = PromptEncoders(base, Parts(), torch.device(device))
    encoders.encoded("a cat")
    assert [bool(part.bytes) for part in encoders.parts] == [idle, idle]


def test_a_long_prompt_is_cut_and_not_refused(base):
    assert (
        PromptEncoders(base, Parts(), ACCELERATOR).encoded("a very long tale " * 60).embeddings.shape[1] == 77
    )


def test_sizes_come_with_the_vertical_number_first():
    assert time_ids(Size(300, 200), (7, 3), Size(104, 72)).tolist() == [[200, 300, 3, 7, 72, 104]]


def test_guidance_leads_away_from_the_negative_prompt():
    branches = torch.stack([torch.full((1, 4, 2, 2), 1.0), torch.full((1, 4, 2, 2), 3.0)])
    assert torch.equal(guided(branches, 5.0), torch.full((1, 4, 2, 2), 11.0))
    assert torch.equal(guided(branches[1:], 1.0), branches[1])
