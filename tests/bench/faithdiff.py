"""FaithDiff at its real size with random weights: a step of its UNet against plain diffusers, and its text encoders.

One step is both guidance branches of one tile of 1024 pixels. Plain is diffusers' SDXL UNet as a script calls it, in
float32, without FaithDiff's alignment; ours is the aligned UNet of the pipeline, with whole weights and with weights in
8 bits, in bf16 where the CPU has units for it and in fp32 elsewhere. Each run has a process of its own and loads one
network, so that peak memory is that network's; runs of the kinds alternate.
"""

from __future__ import annotations

import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import torch
from diffusers import UNet2DConditionModel
from diffusers.hooks.layerwise_casting import apply_layerwise_casting
from torch import nn

from safelight.engine.networks.faithdiff import align, aligned_with
from safelight.engine.parts import Parts
from safelight.engine.pipelines.faithdiff_networks import EXACT, FP8
from safelight.engine.pipelines.sdxl import PromptEncoders
from safelight.engine.precision import native_bf16_cpu
from tests.bench.tables import Cell, Effort, Table
from tests.fakes import sdxl
from tests.fakes.fill_rule import REFERENCE, write_folders

PLAIN = "plain fp32"
WITH_BF16 = (PLAIN, "plain bf16", "ours bf16", "ours bf16, weights fp8")
WITHOUT = (PLAIN, "ours fp32", "ours fp32, weights fp8")
TINY_UNET = json.loads((REFERENCE / "weights/sdxl/unet/config.json").read_text("utf-8"))
CELLS, TINY_CELLS = 128, 16
RUNS_MOST = 3  # a run of all kinds takes several minutes
BLOCK = 1 << 20
"""Random numbers that weights are filled with again and again: drawing 2.6 billion takes longer than a step."""
GB = 1e9


def run(effort: Effort) -> list[Table]:
    return [_steps(effort), _prompts(effort)]


def _steps(effort: Effort) -> Table:
    runs = min(effort.runs, RUNS_MOST)
    kinds = WITH_BF16 if effort.tiny or native_bf16_cpu() else WITHOUT
    with tempfile.TemporaryDirectory() as folder:
        found = [{kind: _in_process(kind, effort, Path(folder)) for kind in kinds} for _ in range(runs)]
        table = Table(
            "faithdiff: one step of the UNet on one tile, both branches, random weights",
            ("network", "seconds", "plain fp32 / it", "peak RSS, GB", "weights, GB"),
        )
        plain = statistics.median(run[PLAIN]["seconds"] for run in found)
        for kind in kinds:
            seconds = statistics.median(run[kind]["seconds"] for run in found)
            ratio = statistics.median(run[PLAIN]["seconds"] / run[kind]["seconds"] for run in found)
            peak, weights = (max(run[kind][name] for run in found) / GB for name in ("peak", "weights"))
            table.rows.append([kind, seconds, ratio, peak, weights])
        outputs = {kind: np.load(Path(folder) / f"{kind}.npy") for kind in kinds}
        whole, eighth = kinds[-2:]
        table.notes += [
            f"{runs} runs, medians; plain fp32 takes {plain:.1f} s",
            f"{whole}, {eighth}: {_psnr(outputs[whole], outputs[eighth]):.1f} dB of the prediction's range",
        ]
        if "plain bf16" in outputs:
            table.notes.append(
                f"{PLAIN}, plain bf16: {_psnr(outputs[PLAIN], outputs['plain bf16']):.1f} dB of the same"
            )
        return table


def _psnr(exact: Any, other: Any) -> float:
    error = float(np.mean((exact.astype(np.float64) - other) ** 2))
    return float(10 * np.log10((exact.max() - exact.min()) ** 2 / max(error, 1e-30)))


def _in_process(kind: str, effort: Effort, folder: Path) -> dict[str, float]:
    if effort.tiny:
        return measure(kind, tiny=True, folder=folder)
    command = [sys.executable, "-m", "tests.bench.faithdiff", kind, str(folder)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=os.environ)
    answer: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return answer


def measure(kind: str, *, tiny: bool, folder: Path) -> dict[str, float]:
    """One step in this process; the prediction goes to a file."""
    dtype = torch.float32 if "fp32" in kind else torch.bfloat16
    unet = _made(TINY_UNET if tiny else sdxl.UNET, dtype, aligned=kind.startswith("ours"))
    if "fp8" in kind:
        apply_layerwise_casting(unet, FP8, dtype, skip_modules_pattern=EXACT)
    weights = sum(p.numel() * p.element_size() for p in unet.parameters())
    step = _step(unet, dtype, TINY_CELLS if tiny else CELLS)
    started = time.perf_counter()
    with torch.inference_mode():
        prediction = step()
    seconds = time.perf_counter() - started
    np.save(folder / f"{kind}.npy", prediction.float().numpy())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return {"seconds": seconds, "peak": float(peak), "weights": float(weights)}


def _made(config: dict[str, Any], dtype: torch.dtype, *, aligned: bool) -> Any:
    with torch.device("meta"):
        unet: Any = UNet2DConditionModel.from_config(config)
        if aligned:
            align(unet)
    nn.Module.to(unet, dtype)  # diffusers' own warns of modules that this network has none of
    unet.to_empty(device="cpu").requires_grad_(False).eval()
    block = torch.empty(BLOCK).uniform_(-1, 1, generator=torch.Generator().manual_seed(0))
    for name, weight in unet.named_parameters():
        if weight.ndim < 2:
            weight.fill_(1.0 if name.endswith(".weight") else 0.0)
        else:
            flat, scaled = weight.view(-1), block / weight[0].numel() ** 0.5
            for start in range(0, flat.numel(), BLOCK):
                flat[start : start + BLOCK] = scaled[: flat.numel() - start]
    return unet if dtype == torch.float32 else nn.Module.to(unet, memory_format=torch.channels_last)


def _step(unet: Any, dtype: torch.dtype, cells: int) -> Callable[[], torch.Tensor]:
    generator = torch.Generator().manual_seed(1)

    def random(*shape: int) -> torch.Tensor:
        return torch.randn(shape, generator=generator).to(dtype)

    latent = random(1, 4, cells, cells).repeat(2, 1, 1, 1)
    width, pooled = unet.config.cross_attention_dim, unet.add_embedding.linear_1.in_features
    pooled -= 6 * unet.config.addition_time_embed_dim
    given = {
        "text_embeds": random(2, pooled),
        "time_ids": torch.tensor([[1024.0, 1024, 0, 0, 1024, 1024]] * 2),
    }
    prompts, embedding = random(2, 77, width), random(1, 320, cells, cells)

    def call() -> torch.Tensor:
        with aligned_with(embedding):
            out: torch.Tensor = unet(
                latent, 500, encoder_hidden_states=prompts, added_cond_kwargs=given
            ).sample
        return out

    return call


def _prompts(effort: Effort) -> Table:
    """Both encoders read from half-precision files, two prompts, and freed."""
    with tempfile.TemporaryDirectory() as folder:
        base = _base(Path(folder), tiny=effort.tiny)
        encoders = PromptEncoders(base, Parts(), torch.device("cpu"))
        before = _rss()
        started = time.perf_counter()
        encoders.encoded("", "an old stone house with a red roof")
        seconds = time.perf_counter() - started
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        _trim()
        row: list[Cell] = ["two prompts", seconds, before / GB, peak / GB, _rss() / GB]
    return Table(
        "faithdiff: text encoders, loaded, two prompts, freed, random weights",
        ("work", "seconds", "RSS before, GB", "peak RSS, GB", "RSS after, GB"),
        [row],
    )


def _base(folder: Path, *, tiny: bool) -> Path:
    if tiny:
        write_folders(REFERENCE / "weights", folder, 11)
        return folder / "sdxl"
    from tests.bench.full_size_faithdiff import write_base

    (folder / "sdxl").mkdir()
    subprocess.run(  # in a process of its own: its memory is not the encoders'
        [
            sys.executable,
            "-c",
            f"from pathlib import Path; from {write_base.__module__} import write_base; "
            f"write_base(Path({str(folder / 'sdxl')!r}))",
        ],
        check=True,
    )
    return folder / "sdxl"


def _rss() -> int:
    return int(psutil.Process().memory_info().rss)


def _trim() -> None:
    from safelight.engine.device import CpuDevice

    CpuDevice().release_cache()


if __name__ == "__main__":
    kind, folder = sys.argv[1:]
    print(json.dumps(measure(kind, tiny=False, folder=Path(folder))))
