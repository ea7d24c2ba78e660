"""FaithDiff's networks against tensors of the authors' code; whole cases are in tests/parity."""

import pytest
import torch
from safetensors.torch import load_file

from safelight.engine.networks import faithdiff
from safelight.engine.networks.faithdiff import AlignedInput, aligned_with, own_name
from tests.fakes.fill_rule import REFERENCE, component

SEED = 11
PREFIX = "conv_in."


@pytest.fixture(scope="module")
def reference():
    return load_file(REFERENCE / "units" / "alignment.safetensors")


@pytest.fixture(scope="module")
def aligned():
    tensors = component(REFERENCE / "weights", "faithdiff", SEED)
    module = AlignedInput(torch.nn.Conv2d(4, 320, 3, padding=1))
    own = {own_name(key): tensor for key, tensor in tensors.items()}
    kept = {key.removeprefix(PREFIX): tensor for key, tensor in own.items() if key.startswith(PREFIX)}
    module.load_state_dict(kept)
    return module.requires_grad_(False)


def test_the_embedding_equals_the_authors(aligned, reference):
    found = aligned.alignment.condition_embedding(reference["feat"])
    assert torch.allclose(found, reference["cond_embedding"], atol=1e-5)


def test_items_of_a_batch_do_not_meet(aligned, reference):
    h, e = reference["conv_in_out"], reference["cond_embedding"]
    found = aligned.alignment(h, e)
    assert torch.allclose(found, reference["residual_each_alone"], atol=3e-5)
    assert not torch.allclose(found, reference["residual_batch2_distinct"], atol=1)


def test_equal_items_are_what_the_authors_batch_holds(aligned, reference):
    found = aligned.alignment(reference["conv_in_out"][:1], reference["cond_embedding"][:1])
    assert torch.allclose(found.repeat(2, 1, 1, 1), reference["residual_batch2_identical"], atol=3e-5)


def test_guidance_branches_of_a_tile_are_computed_once(aligned, reference):
    latent, e = torch.rand(2, 4, 6, 5), reference["cond_embedding"]
    seen = []
    handle = aligned.convolution.register_forward_pre_hook(lambda module, args: seen.append(len(args[0])))
    with aligned_with(e):
        both = aligned(latent.repeat(2, 1, 1, 1))
    handle.remove()
    assert seen == [2]
    assert torch.equal(both[:2], both[2:])
    h = aligned.convolution(latent)
    assert torch.allclose(both[:2], h + aligned.alignment(h, e), atol=1e-6)


def test_nothing_is_left_behind(aligned, reference):
    with aligned_with(reference["cond_embedding"]):
        pass
    assert faithdiff._current.get() is None
    with pytest.raises(RuntimeError, match="outside"):
        aligned(torch.rand(1, 4, 6, 5))


def test_a_batch_that_repeats_no_tiles_is_refused(aligned, reference):
    with aligned_with(reference["cond_embedding"]), pytest.raises(RuntimeError, match="another batch"):
        aligned(torch.rand(3, 4, 6, 5))
