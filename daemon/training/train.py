"""Train one network of pipeline `compact` on a pool of pairs; seeded, resumable, on CPU or CUDA.

What a step does depends on (seed, step) and the checkpoint only, so a run that was interrupted and resumed
ends, on the same machine and thread count, with the same bits as one that was not.

    python -m training.train --pool pool_x4.npz --checkpoint x4.ckpt --steps 16000 [--device cuda] [--threads
    1] [--bf16]
"""

from __future__ import annotations

import argparse
import math
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from safelight.engine.networks.compact import CompactNetwork

EMA_DECAY = 0.998
WARM_UP_STEPS = 200
CLIP_NORM = 0.2
"""Gradient norm bound; without it heavy samples throw the body back to the skip connection."""


@dataclass(frozen=True)
class TrainingConfig:
    """All that a run depends on besides the pool."""

    scale: int
    channels: int = 48
    convs: int = 8
    steps: int = 16000
    """Length of the whole learning-rate schedule."""
    batch: int = 8
    peak_rate: float = 1e-3
    final_rate: float = 2e-5
    seed: int = 1
    knee: float = 0.0
    """Errors well below it count quadratically, those above linearly (Charbonnier); it falls to a tenth over
    the run. 0 is the mean absolute error, with which the network of scale 1 was measured to stay at its skip.
    """
    bf16: bool = False
    """Forward and backward pass under bfloat16 autocast; weights, optimiser and average stay float32."""


@dataclass(frozen=True)
class Pool:
    """Training pairs: `low` and `target` uint8 N,3,side,side; `sharpness` float32 N."""

    low: Tensor
    target: Tensor
    sharpness: Tensor

    @classmethod
    def load(cls, path: Path, device: torch.device) -> tuple[Pool, int]:
        """Return the pool on `device`, and the scale it was made for."""
        with np.load(path) as arrays:
            low, target = (
                torch.from_numpy(arrays[k]).permute(0, 3, 1, 2).to(device) for k in ("low", "target")
            )
            return cls(low, target, torch.from_numpy(arrays["sharpness"]).to(device)), int(arrays["scale"])

    def batch(self, size: int, generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
        """Draw pairs with replacement, all turned and mirrored alike; float32 in 0..1."""
        picked = torch.randint(len(self.sharpness), (size,), generator=generator).to(self.low.device)
        turns, mirror = (
            torch.randint(4, (1,), generator=generator),
            torch.randint(2, (1,), generator=generator),
        )
        pictures = [torch.rot90(p[picked], int(turns), (2, 3)) for p in (self.low, self.target)]
        low, target = (p.flip(3) if int(mirror) else p for p in pictures)
        channels_last = torch.channels_last
        return (
            low.contiguous(memory_format=channels_last).float() / 255,
            target.float() / 255,
            self.sharpness[picked],
        )


class Trainer:
    """A network, its average and its optimiser, advanced step by step on one thread."""

    def __init__(self, config: TrainingConfig, device: torch.device) -> None:
        self.config = config
        self.device = device
        self.step = 0
        self.seconds = 0.0
        self.network = _new_network(config).to(device)
        self.average = _new_network(config).to(device)
        self.average.load_state_dict(self.network.state_dict())
        self.optimiser = torch.optim.Adam(
            self.network.parameters(), lr=config.peak_rate, betas=(0.9, 0.99), fused=True
        )

    def rate(self) -> float:
        """Learning rate of the next step: linear warm-up, then a cosine down to the final rate."""
        config = self.config
        cosine = 0.5 * (1 + math.cos(math.pi * min(1.0, self.step / config.steps)))
        rate = config.final_rate + (config.peak_rate - config.final_rate) * cosine
        return rate * min(1.0, (self.step + 1) / WARM_UP_STEPS)

    def loss(self, output: Tensor, target: Tensor) -> Tensor:
        """Mean absolute error, rounded off below the knee."""
        error = (output - target).abs()
        knee = self.config.knee * (1 - 0.9 * self.step / self.config.steps)
        return error.mean() if knee == 0 else ((error.square() + knee**2).sqrt() - knee).mean()

    def advance(self, pool: Pool) -> float:
        """Do one step; return its loss."""
        started = time.perf_counter()
        generator = torch.Generator().manual_seed(self.config.seed * 1_000_003 + self.step)
        low, target, sharpness = pool.batch(self.config.batch, generator)
        for group in self.optimiser.param_groups:
            group["lr"] = self.rate()
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.config.bf16):
            output = self.network(low, sharpness)
        loss = self.loss(output.float(), target)
        self.optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), CLIP_NORM)
        self.optimiser.step()
        # A short average at first, so that early checkpoints are not made of the starting weights.
        weight = max(1 - EMA_DECAY, 1 / (self.step + 1))
        with torch.no_grad():
            torch._foreach_lerp_(list(self.average.parameters()), list(self.network.parameters()), weight)
        self.step += 1
        self.seconds += time.perf_counter() - started
        return float(loss.item())

    def save(self, path: Path) -> None:
        """Write all that the next step depends on, atomically."""
        state = {
            "config": vars(self.config),
            "step": self.step,
            "seconds": self.seconds,
            "network": self.network.state_dict(),
            "average": self.average.state_dict(),
            "optimiser": self.optimiser.state_dict(),
        }
        partial = path.with_suffix(".partial")
        torch.save(state, partial)
        partial.replace(path)

    @classmethod
    def resume(cls, path: Path, device: torch.device) -> Trainer:
        """Return the trainer as `save` left it."""
        state: dict[str, Any] = torch.load(path, map_location=device, weights_only=True)
        trainer = cls(TrainingConfig(**state["config"]), device)
        trainer.step, trainer.seconds = state["step"], state["seconds"]
        trainer.network.load_state_dict(state["network"])
        trainer.average.load_state_dict(state["average"])
        trainer.optimiser.load_state_dict(state["optimiser"])
        return trainer


def _new_network(config: TrainingConfig) -> CompactNetwork:
    network = CompactNetwork(scale=config.scale, channels=config.channels, convs=config.convs)
    network.initialise(torch.Generator().manual_seed(config.seed))
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return network


def main() -> None:
    parser = argparse.ArgumentParser(description="Train one network; resumes when the checkpoint exists.")
    parser.add_argument("--pool", type=Path, required=True)
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument(
        "--steps", type=int, default=16000, help="length of the schedule; may change on resuming"
    )
    parser.add_argument("--until", type=int, help="stop after this step of the schedule")
    parser.add_argument("--channels", type=int, default=48)
    parser.add_argument("--convs", type=int, default=8)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--knee", type=float, default=0.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--bf16", action="store_true")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--save-every", type=int, default=500)
    a = parser.parse_args()
    torch.set_num_threads(a.threads)
    device = torch.device(a.device)
    pool, scale = Pool.load(a.pool, device)
    if a.checkpoint.exists():
        trainer = Trainer.resume(a.checkpoint, device)
        trainer.config = replace(trainer.config, steps=a.steps)
    else:
        sizes = {"channels": a.channels, "convs": a.convs, "steps": a.steps, "batch": a.batch}
        trainer = Trainer(TrainingConfig(scale, **sizes, knee=a.knee, seed=a.seed, bf16=a.bf16), device)
    total = 0.0
    last = min(a.until or a.steps, a.steps)
    while trainer.step < last:
        total += trainer.advance(pool)
        if trainer.step % a.save_every == 0 or trainer.step == last:
            trainer.save(a.checkpoint)
            print(
                f"step {trainer.step} loss {total / a.save_every:.5f} after {trainer.seconds:.0f} s",
                flush=True,
            )
            total = 0.0


if __name__ == "__main__":
    main()
