"""The steps of a job's noise scheduler, each a function of what it is given.

diffusers' schedulers keep a picture's state between steps on themselves. Here one is kept as it stands before each
step, without that state, and every step works on a private copy of it. What a multistep scheduler must remember of the
picture (UniPC: earlier predictions and the last sample) travels as channels behind the latent's: elementwise in space
like the latent, so that a canvas can be stepped in pieces, and a canvas at any step is all that going on needs.
"""

from __future__ import annotations

import copy
import inspect
import warnings
from collections.abc import Mapping
from typing import Any

import torch
from diffusers import EulerDiscreteScheduler, UniPCMultistepScheduler

from safelight.errors import NotReady

SCHEDULERS: Mapping[str, Any] = {"euler": EulerDiscreteScheduler, "unipc": UniPCMultistepScheduler}


class NoiseSteps:
    """Immutable once made; made anew for each job."""

    def __init__(self, config: Mapping[str, Any], *, scheduler: str, steps: int, channels: int) -> None:
        """`config` of the base's scheduler folder, `scheduler` one of SCHEDULERS, `channels` of a latent. Raises
        NotReady (CHECKPOINT_DAMAGED) for a config that makes no such scheduler."""
        self.channels = channels
        own = _made(SCHEDULERS[scheduler], config)
        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore", DeprecationWarning
            )  # diffusers gives numpy tensors in a way of old
            own.set_timesteps(steps)
        self.timesteps: torch.Tensor = own.timesteps
        self.sigmas: torch.Tensor = own.sigmas
        self.initial_sigma = float(own.init_noise_sigma)
        self.alphas: torch.Tensor = own.alphas_cumprod
        """Cumulative, of every training timestep."""
        self._before = []
        probe = torch.zeros(1, 1, 1, 1)
        for time in self.timesteps:
            own.scale_model_input(probe, time)
            self._before.append(copy.deepcopy(own))
            probe = own.step(probe, time, probe, return_dict=False)[0]

    @property
    def state_channels(self) -> int:
        """Channels behind the latent's own."""
        return self.channels * len(self._remembered(self._before[0]))

    def started(self, latent: torch.Tensor) -> torch.Tensor:
        """B channels h w with room for the state behind it."""
        return torch.cat(
            [latent, latent.new_zeros(len(latent), self.state_channels, *latent.shape[2:])], dim=1
        )

    def scaled(self, canvas: torch.Tensor, step: int) -> torch.Tensor:
        """What the network is given at this step: B channels h w, the state left out."""
        scheduler = copy.copy(self._before[step])
        scaled: torch.Tensor = scheduler.scale_model_input(canvas[:, : self.channels], self.timesteps[step])
        return scaled

    def stepped(self, canvas: torch.Tensor, prediction: torch.Tensor, step: int) -> torch.Tensor:
        """The canvas after this step, with its state; float32."""
        scheduler = copy.deepcopy(self._before[step])
        latent, *state = canvas.split(self.channels, dim=1)
        if state:
            scheduler.last_sample, *outputs = (
                None if absent is None else tensor
                for absent, tensor in zip(self._remembered(scheduler), state, strict=True)
            )
            scheduler.model_outputs = outputs
        after = scheduler.step(prediction, self.timesteps[step], latent, return_dict=False)[0]
        remembered = (torch.zeros_like(latent) if t is None else t for t in self._remembered(scheduler))
        return torch.cat([after, *remembered], dim=1)

    @staticmethod
    def _remembered(scheduler: Any) -> list[torch.Tensor | None]:
        if not hasattr(scheduler, "model_outputs"):
            return []
        return [scheduler.last_sample, *scheduler.model_outputs]


def _made(kind: Any, config: Mapping[str, Any]) -> Any:
    known = inspect.signature(kind.__init__).parameters
    try:
        return kind(**{name: value for name, value in config.items() if name in known})
    except (TypeError, ValueError, NotImplementedError) as error:
        raise NotReady(
            f"the base's scheduler_config.json cannot be used ({str(error)[:120]}): install the base again",
            "CHECKPOINT_DAMAGED",
        ) from None
