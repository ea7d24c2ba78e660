"""What figures depend on: processor, cores, versions, and how busy the machine is meanwhile."""

from __future__ import annotations

import os
import platform
from importlib import metadata
from pathlib import Path

BUSY_LOAD = 1.0


def facts() -> dict[str, object]:
    return {
        "cpu": _cpu(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "bf16": "native" if "avx512_bf16" in _cpu_info() or "amx_bf16" in _cpu_info() else "emulated",
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9),
        "python": platform.python_version(),
        **{name: metadata.version(name) for name in ("torch", "numpy", "grpcio", "protobuf")},
        "load": _load(),
    }


def load_note() -> str:
    """Says when other programs compete for the cores; the bench's own work counts, so it is read with care."""
    load = _load()
    busy = " BUSY MACHINE: times are too long" if load > BUSY_LOAD else ""
    return f"load average {load:.2f}{busy}"


def _load() -> float:
    return round(os.getloadavg()[0], 2)


def _cpu_info() -> str:
    path = Path("/proc/cpuinfo")
    return path.read_text() if path.exists() else ""


def _cpu() -> str:
    names = [
        line.split(":", 1)[1].strip() for line in _cpu_info().splitlines() if line.startswith("model name")
    ]
    return names[0] if names else platform.processor() or platform.machine()
