"""The device that pipelines run on, and how much memory it has: measured, not assumed."""

from __future__ import annotations

import ctypes
import platform
import sys
from dataclasses import dataclass
from typing import Protocol

import psutil
import torch

from safelight.engine.pipelines.base import Precision
from safelight.engine.precision import reduced_precision
from safelight.errors import Unavailable


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
        """glibc keeps blocks of less than 32 MB that are free again; most weights of a network are smaller."""
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
        if trim is not None:  # other C libraries of Linux have none and need none
            trim(0)


@dataclass(frozen=True)
class CudaDevice:
    """One GPU; `torch_device` carries its index."""

    torch_device: torch.device

    @property
    def title(self) -> str:
        return torch.cuda.get_device_name(self.torch_device)

    def free_bytes(self) -> int:
        """With what torch keeps cached for its next tensors, which the driver counts as used."""
        cached = torch.cuda.memory_reserved(self.torch_device) - torch.cuda.memory_allocated(
            self.torch_device
        )
        return torch.cuda.mem_get_info(self.torch_device)[0] + cached

    def total_bytes(self) -> int:
        return torch.cuda.mem_get_info(self.torch_device)[1]

    def release_cache(self) -> None:
        torch.cuda.empty_cache()


def first_precision(device: torch.device) -> Precision:
    """What one-step diffusion pipelines are loaded in first: what `auto` is likely to choose on this device."""
    return reduced_precision(device, steps=1)


def choose_device(name: str = "auto") -> Device:
    """`auto` is the first CUDA GPU, else the CPU; `cpu`, `cuda` or `cuda:N` is taken literally.

    Raises Unavailable (DEVICE_UNAVAILABLE) for a device that is not there.
    """
    if name == "cpu" or (name == "auto" and not torch.cuda.is_available()):
        return CpuDevice()
    try:
        device = torch.device("cuda:0" if name in ("auto", "cuda") else name)
        torch.cuda.mem_get_info(device)
    except (RuntimeError, AssertionError, ValueError) as error:  # torch's words for one that is not there
        raise Unavailable(
            f"the device {name} cannot be used ({str(error).splitlines()[0][:200]}): serve with --device cpu, "
            "or see safelight doctor",
            "DEVICE_UNAVAILABLE",
        ) from None
    return CudaDevice(device)
