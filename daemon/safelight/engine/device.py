"""The device that pipelines run on, and how much memory it has: measured, not assumed."""

from __future__ import annotations

import platform
from dataclasses import dataclass
from typing import Protocol

import psutil
import torch


class Device(Protocol):
    """What residency and the worker need to know. Tests give one that reports the memory it is told to."""

    @property
    def torch_device(self) -> torch.device: ...

    @property
    def title(self) -> str: ...

    def free_bytes(self) -> int: ...

    def total_bytes(self) -> int: ...

    def release_cache(self) -> None:
        """Gives memory that nobody uses back to the system."""


class CpuDevice:
    """The host's own memory and cores."""

    torch_device = torch.device("cpu")

    @property
    def title(self) -> str:
        return f"CPU, {torch.get_num_threads()} threads ({platform.processor() or platform.machine()})"

    def free_bytes(self) -> int:
        return int(psutil.virtual_memory().available)

    def total_bytes(self) -> int:
        return int(psutil.virtual_memory().total)

    def release_cache(self) -> None:
        return None


@dataclass(frozen=True)
class CudaDevice:
    """One GPU; `torch_device` carries its index."""

    torch_device: torch.device

    @property
    def title(self) -> str:
        return torch.cuda.get_device_name(self.torch_device)

    def free_bytes(self) -> int:
        return torch.cuda.mem_get_info(self.torch_device)[0]

    def total_bytes(self) -> int:
        return torch.cuda.mem_get_info(self.torch_device)[1]

    def release_cache(self) -> None:
        torch.cuda.empty_cache()


def choose_device(name: str = "auto") -> Device:
    """`auto` is the first CUDA GPU, else the CPU; `cpu`, `cuda` or `cuda:N` is taken literally.

    Raises RuntimeError from torch for a device that is not there.
    """
    if name == "cpu" or (name == "auto" and not torch.cuda.is_available()):
        return CpuDevice()
    device = torch.device("cuda:0" if name in ("auto", "cuda") else name)
    torch.cuda.mem_get_info(device)
    return CudaDevice(device)
