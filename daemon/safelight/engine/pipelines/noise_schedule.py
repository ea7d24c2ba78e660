"""The one diffusion step of the one-step pipelines: from the noisiest timestep to a clean latent.

The authors of OSEDiff and S3Diff read the base's `scheduler_config.json`, of whatever class, into diffusers'
DDPMScheduler and take one step at t = 999 with one inference step. There the mean is the clean latent itself and the
noise added has a deviation of 1e-10, which is left out here. All in float32.
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from diffusers import DDPMScheduler

from safelight.engine.checkpoints.weights import damaged, read_config

TIMESTEP = 999  # the last of 1000: the authors start from the noisiest, with the picture in place of noise
NEEDED = ("num_train_timesteps", "beta_start", "beta_end", "beta_schedule")
"""DDPMScheduler's own values for these are no latent network's."""
PREDICTED = ("epsilon", "v_prediction", "sample")
_KNOWN = frozenset(inspect.signature(DDPMScheduler.__init__).parameters)


@dataclass(frozen=True)
class LastStep:
    """What is left of a noise schedule in one step."""

    alpha: torch.Tensor
    """Cumulative alpha at t = 999, a float32 scalar: 0.0047 for Stable Diffusion."""
    predicted: str = "epsilon"
    """What the network gives: the noise, a velocity, or the clean latent."""
    clip: float | None = None
    """Largest magnitude of a clean latent's values. Stable Diffusion has none, DDPMScheduler by itself 1."""

    @classmethod
    def of(cls, base: Path) -> LastStep:
        """From a base's folder. Raises NotReady (CHECKPOINT_DAMAGED)."""
        path = base / "scheduler/scheduler_config.json"
        config = read_config(path)
        try:
            given = {name: config[name] for name in NEEDED}
            given |= {name: value for name, value in config.items() if name in _KNOWN}
            schedule: Any = DDPMScheduler(**given)
            alpha = schedule.alphas_cumprod[TIMESTEP]
        except (LookupError, TypeError, ValueError, NotImplementedError) as error:
            raise damaged(path, f"is no noise schedule ({str(error)[:80]})") from None
        of = schedule.config
        if of.thresholding or of.prediction_type not in PREDICTED:
            raise damaged(path, "asks for a prediction or a thresholding that one-step networks do not have")
        return cls(alpha, of.prediction_type, float(of.clip_sample_range) if of.clip_sample else None)

    def on(self, device: torch.device) -> LastStep:
        return LastStep(self.alpha.to(device), self.predicted, self.clip)

    def clean(self, latent: torch.Tensor, prediction: torch.Tensor) -> torch.Tensor:
        """The clean latent x0, with z the latent: (z - sqrt(1 - a) eps) / sqrt(a), or sqrt(a) z - sqrt(1 - a) v. The
        factor 1 / sqrt(a) is 14.6 for Stable Diffusion: errors of eps grow by that much."""
        z, predicted = latent.float(), prediction.float()
        match self.predicted:
            case "epsilon":
                clean = (z - (1 - self.alpha).sqrt() * predicted) / self.alpha.sqrt()
            case "v_prediction":
                clean = self.alpha.sqrt() * z - (1 - self.alpha).sqrt() * predicted
            case _:
                clean = predicted
        return clean if self.clip is None else clean.clamp(-self.clip, self.clip)
