"""The check that every tile passes before it counts."""

from __future__ import annotations

import pytest
import torch

from safelight.engine.sentinel import faults
from safelight.spec import SentinelThresholds
from tests.engine.jobs_at_hand import photo

LIMITS = SentinelThresholds(mean_shift=0.10, low_frequency=0.20)
X = torch.from_numpy(photo(96, 64)).permute(2, 0, 1)[None].float() / 255
FLAT = torch.full((1, 3, 64, 96), 0.5)


def spoiled(value: float) -> torch.Tensor:
    y = X.clone()
    y[0, 1, 40, 70] = value
    return y


def dark_corner() -> torch.Tensor:
    y = FLAT.clone()
    y[..., :16, :16] = 0.25
    return y


CASES = {
    "the input itself": (X, X, None),
    "a little brighter": (X + 0.09, X, None),
    "one NaN": (spoiled(float("nan")), X, "not finite"),
    "one infinity": (spoiled(float("-inf")), X, "not finite"),
    "black": (torch.zeros_like(X), X, "constant"),
    "a flat input may stay flat": (FLAT, FLAT, None),
    "brighter": (X + 0.11, X, "another colour"),
    "one channel darker": (X - torch.tensor([0.0, 0.0, 0.11]).reshape(1, 3, 1, 1), X, "another colour"),
    "a dark corner": (dark_corner(), FLAT + 0.001 * torch.rand_like(FLAT), "another picture"),
    "fine detail may change": (X + 0.2 * (torch.rand_like(X) - 0.5), X, None),
    "twice the size": (X.repeat_interleave(2, 2).repeat_interleave(2, 3), X, None),
    "latents are only finite": (torch.full((1, 4, 8, 8), 9.0), None, None),
    "latents with NaN": (torch.full((1, 4, 8, 8), float("nan")), None, "not finite"),
}


@pytest.mark.parametrize(("y", "x", "fault"), CASES.values(), ids=CASES)
def test_fault(y: torch.Tensor, x: torch.Tensor | None, fault: str | None) -> None:
    assert faults(y, x, LIMITS) == (fault,)


def test_only_the_bad_tile_of_a_batch_is_refused() -> None:
    y = torch.cat([X, spoiled(float("nan")), X])
    assert faults(y, X.expand(3, -1, -1, -1), LIMITS) == (None, "not finite", None)


def test_a_picture_a_pixel_wide_is_judged_by_its_mean_only():
    noise = torch.rand(1, 3, 9, 1, generator=torch.Generator().manual_seed(0))
    smoothed = noise.mean(dim=2, keepdim=True) + (noise - noise.mean(dim=2, keepdim=True)) * 0.1
    assert faults(smoothed, noise, SentinelThresholds()) == (None,)
