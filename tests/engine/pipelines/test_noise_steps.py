"""Noise schedulers whose steps keep nothing, against diffusers' own that keep everything."""

import json

import pytest
import torch

from safelight.engine.pipelines.noise_steps import SCHEDULERS, NoiseSteps
from safelight.errors import NotReady
from tests.fakes.fill_rule import REFERENCE

CONFIG = json.loads((REFERENCE / "weights/sdxl/scheduler/scheduler_config.json").read_text("utf-8"))
STEPS = 6


def predictions():
    generator = torch.Generator().manual_seed(0)
    return [torch.randn(1, 4, 6, 5, generator=generator) for _ in range(STEPS + 1)]


def by_diffusers(name, latent, predicted):
    """All latents of diffusers' scheduler, and what it gave the network."""
    known = {key: value for key, value in CONFIG.items() if not key.startswith("_")}
    scheduler = SCHEDULERS[name].from_config(known)
    scheduler.set_timesteps(STEPS)
    latents, seen = [], []
    for time, prediction in zip(scheduler.timesteps, predicted, strict=True):
        seen.append(scheduler.scale_model_input(latent, time))
        latent = scheduler.step(prediction, time, latent, return_dict=False)[0]
        latents.append(latent)
    return latents, seen


@pytest.mark.filterwarnings("ignore:__array__:DeprecationWarning")
@pytest.mark.parametrize("name", SCHEDULERS)
def test_steps_equal_those_of_diffusers(name):
    start, *predicted = predictions()
    latents, seen = by_diffusers(name, start, predicted)
    steps = NoiseSteps(CONFIG, scheduler=name, steps=STEPS, channels=4)
    canvas = steps.started(start)
    for i, prediction in enumerate(predicted):
        assert torch.equal(steps.scaled(canvas, i), seen[i])
        canvas = steps.stepped(canvas, prediction, i)
        assert torch.equal(canvas[:, :4], latents[i])


@pytest.mark.parametrize("name", SCHEDULERS)
def test_a_canvas_can_be_stepped_in_pieces_and_beside_another_job(name):
    start, *predicted = predictions()
    steps = NoiseSteps(CONFIG, scheduler=name, steps=STEPS, channels=4)
    whole = left = right = other = steps.started(start)
    left, right = left[..., :2], right[..., 2:]
    for i, prediction in enumerate(predicted):
        whole = steps.stepped(whole, prediction, i)
        left = steps.stepped(left, prediction[..., :2], i)
        other = steps.stepped(other, -prediction, i)
        right = steps.stepped(right, prediction[..., 2:], i)
    assert torch.allclose(torch.cat([left, right], dim=-1), whole, atol=1e-6)
    assert not torch.allclose(other, whole, atol=0.1)


@pytest.mark.parametrize(("name", "channels"), [("euler", 0), ("unipc", 12)])
def test_the_state_travels_as_channels(name, channels):
    steps = NoiseSteps(CONFIG, scheduler=name, steps=STEPS, channels=4)
    assert steps.state_channels == channels
    canvas = steps.started(torch.rand(2, 4, 3, 3))
    assert canvas.shape == (2, 4 + channels, 3, 3)
    assert steps.stepped(canvas, torch.rand(2, 4, 3, 3), 0).shape == canvas.shape


def test_a_config_that_makes_no_scheduler_is_damage():
    with pytest.raises(NotReady) as caught:
        NoiseSteps({**CONFIG, "beta_schedule": "of my own"}, scheduler="euler", steps=2, channels=4)
    assert caught.value.reason == "CHECKPOINT_DAMAGED"
