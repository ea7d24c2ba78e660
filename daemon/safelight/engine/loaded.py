"""The pipelines on the device and the parts that they share: loads, evicts and unloads as `residency` decides, and
measures in between.

Owned by the worker's thread.
"""

from __future__ import annotations

import gc
import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

import torch

from safelight.engine import residency
from safelight.engine.device import CpuDevice, Device, first_precision
from safelight.engine.out_of_memory import too_little_memory, unless_out_of_memory
from safelight.engine.parts import Part, Parts
from safelight.engine.pipelines.base import Pipeline, Precision
from safelight.engine.pipelines.registry import Registry
from safelight.engine.residency import Resident, ResidentPart
from safelight.errors import TooMuch
from safelight.spec import PipelineSpec

log = logging.getLogger(__name__)


@dataclass
class _Loaded:
    pipeline: Pipeline
    facts: Resident


class LoadedPipelines:
    """See the module."""

    def __init__(
        self, registry: Registry, device: Device, *, keep_alive_s: float, clock: Callable[[], float]
    ) -> None:
        self.parts = Parts(room=self._room, released=self._released, clock=clock)
        self._registry, self._device = registry, device
        self._host = device if device.torch_device.type == "cpu" else CpuDevice()
        self._keep_alive_s, self._clock = keep_alive_s, clock
        self._loaded: dict[str, _Loaded] = {}
        self._unload_after_job: set[str] = set()
        self._job_left_memory = False

    @property
    def facts(self) -> list[Resident]:
        """Of the pipelines."""
        return [
            replace(
                loaded.facts,
                weights_bytes=loaded.pipeline.weights_bytes,
                precision=loaded.pipeline.kept_as(loaded.facts.precision),
            )
            for loaded in self._loaded.values()
        ]

    @property
    def part_facts(self) -> list[ResidentPart]:
        """Of the parts that are loaded, on whatever device."""
        return [self._facts_of(part) for part in self.parts.loaded]

    def acquire(self, name: str, on_load: Callable[[], None] = lambda: None) -> Pipeline | None:
        """The pipeline, loaded if need be; None: it has to wait for jobs that hold others.

        Raises TooMuch when it does not fit on the device, NotReady when its files are damaged.
        """
        if not self._make_room(name):
            return None
        if name not in self._loaded:
            on_load()
            pipeline = self._load(name)
            if pipeline is None:
                return None
            self._loaded[name] = _Loaded(pipeline, self._new_facts(pipeline))
        return self._loaded[name].pipeline

    def hold(self, name: str) -> None:
        """A job uses it from now on."""
        loaded = self._loaded[name]
        loaded.facts = replace(loaded.facts, references=loaded.facts.references + 1)

    def give_back(self, name: str, *, keep_alive_s: float | None, precision: Precision | None = None) -> None:
        """The job that held it is done; `keep_alive_s` None is the daemon's own. What only a job needs is freed with
        the last one."""
        loaded = self._loaded[name]
        if name in self._unload_after_job:
            keep_alive_s = 0.0
        facts = replace(
            loaded.facts,
            references=loaded.facts.references - 1,
            precision=precision or loaded.facts.precision,
        )
        loaded.facts = self._used_now(facts, keep_alive_s)
        if not facts.references:
            loaded.pipeline.rest(precision)
            self._job_left_memory = True

    def preload(self, name: str, keep_alive_s: float | None) -> Resident:
        """Raises TooMuch (DEVICE_BUSY) where a job would wait."""
        if self.acquire(name) is None:
            raise TooMuch(
                f"the pipeline {name} fits only when running jobs have ended: try again", "DEVICE_BUSY"
            )
        loaded = self._loaded[name]
        loaded.facts = self._used_now(loaded.facts, keep_alive_s)
        return next(facts for facts in self.facts if facts.name == name)

    def unload(self, name: str) -> int:
        """One pipeline, or all for an empty name; one in use goes after its jobs. Gives the bytes freed now."""
        if name:
            self._registry.entry(name)
        before = self._weights_bytes
        chosen = [facts for facts in self.facts if not name or facts.name == name]
        self._unload_after_job.update(facts.name for facts in chosen if facts.references)
        self._drop(facts.name for facts in chosen if not facts.references)
        if not name:
            self._free_orphans(self._clock())
        return before - self._weights_bytes

    def tidy(self) -> None:
        """Between turns: drops what has expired, and gives back what jobs left in the allocator's hands. That takes
        tens of milliseconds after gigabytes, which a result does not wait for."""
        if self._job_left_memory:
            self._job_left_memory = False
            self._host.release_cache()
        now = self._clock()
        self._drop(residency.expired(self.facts, now))
        if self._keep_alive_s >= 0:
            self._free_orphans(now - self._keep_alive_s)

    def evict_idle(self) -> bool:
        """What was used least recently on the device of all that no job uses; False: there is nothing."""
        return self._evict_idle(self._device.torch_device)

    # -- room --------------------------------------------------------------------------------------

    def _make_room(self, name: str) -> bool:
        """Evicts until it fits, measuring after each eviction; False: wait. Raises TooMuch."""
        spec = self._registry.entry(name).spec
        device = self._device.torch_device
        needed, least = expected_bytes(spec, device), least_bytes(spec, device)
        while True:
            free = self._device.free_bytes()
            parts = self._parts_on(device)
            match residency.decide(self.facts, parts, name, needed_bytes=needed, free_bytes=free):
                case residency.Use() | residency.Load(()):
                    return True
                case residency.Load(evict):
                    self._evict(evict[0])
                case residency.Refuse() if least < needed:
                    needed = least
                case residency.Refuse(needed_bytes, available_bytes) if not self._busy:
                    raise TooMuch(
                        f"the pipeline {name} needs {needed_bytes / 1e9:.1f} GB on {self._device.title} and "
                        f"{available_bytes / 1e9:.1f} GB can be had: close other programs or use another",
                        "DEVICE_MEMORY",
                        details={
                            "needed_bytes": str(needed_bytes),
                            "available_bytes": str(available_bytes),
                        },
                    )
                case _:  # tiles of running jobs take memory too, which the books do not have
                    return False

    def _room(self, device: torch.device, needed_bytes: int) -> bool:
        """Evicts what is idle on `device` until so much is free there; False: there is less."""
        here = self._device if device == self._device.torch_device else self._host
        while here.free_bytes() < needed_bytes + residency.RESERVE_BYTES:
            if not self._evict_idle(device):
                return False
        return True

    def _evict_idle(self, device: torch.device) -> bool:
        pipelines = self.facts if device == self._device.torch_device else []
        idle = residency.idle(pipelines, self._parts_on(device))
        if idle:
            self._evict(idle[0].name)
        return bool(idle)

    def _released(self, part: Part[Any]) -> None:
        """A stage has let go of a part: before the next one, tiles of what runs there must fit."""
        if not part.bytes:
            self._release_caches()
        device = torch.device(part.key.device)
        running = [facts.name for facts in self.facts if facts.references]
        here = running if device == self._device.torch_device else []
        tiles = (tile_bytes(self._registry.entry(name).spec, device) for name in here)
        self._room(device, max(tiles, default=0))

    def _evict(self, name: str) -> None:
        if name in self._loaded:
            self._drop([name])
            return
        for part in self.parts.loaded:
            if part.key.name == name:
                part.free()
                self._release_caches()
                log.info("evicted the part %s", name)

    # -- loading and dropping ----------------------------------------------------------------------

    def _load(self, name: str) -> Pipeline | None:
        """None: it ran out of memory beside running jobs."""

        def load() -> Pipeline:
            return self._registry.load(name, self._device.torch_device, self.parts)

        started = self._clock()
        pipeline = unless_out_of_memory(load)
        if pipeline is None and self._loaded:
            self._drop([facts.name for facts in self.facts if not facts.references])
            pipeline = unless_out_of_memory(load)
        if pipeline is None and not self._busy:
            raise too_little_memory(f"{name} could not be loaded on {self._device.title}")
        if pipeline is not None:
            log.info("loaded %s in %.2f s, %d bytes", name, self._clock() - started, pipeline.weights_bytes)
        return pipeline

    def _new_facts(self, pipeline: Pipeline) -> Resident:
        new = Resident(pipeline.spec.id, pipeline.weights_bytes, 0, 0.0, None)
        return self._used_now(new, None)

    def _used_now(self, facts: Resident, keep_alive_s: float | None) -> Resident:
        now = self._clock()
        keep_alive = self._keep_alive_s if keep_alive_s is None else keep_alive_s
        return replace(facts, last_used_s=now, expires_s=residency.expiry(keep_alive, now))

    def _facts_of(self, part: Part[Any]) -> ResidentPart:
        used_by = tuple(name for name, loaded in self._loaded.items() if part in loaded.pipeline.parts)
        return ResidentPart(
            part.key.name,
            part.bytes,
            part.references,
            part.last_used_s,
            part.key.title,
            part.key.device,
            part.key.precision,
            used_by,
            part.kept,
        )

    def _parts_on(self, device: torch.device) -> list[ResidentPart]:
        return [facts for facts in self.part_facts if facts.device == str(device)]

    @property
    def _busy(self) -> bool:
        return any(loaded.facts.references for loaded in self._loaded.values())

    @property
    def _weights_bytes(self) -> int:
        return sum(sitting.weights_bytes for sitting in (*self.facts, *self.part_facts))

    def _drop(self, names: Iterable[str]) -> None:
        dropped = [name for name in names if self._loaded.pop(name, None) is not None]
        if dropped:
            self._unload_after_job.difference_update(dropped)
            self._release_caches()
            log.info("unloaded %s", ", ".join(dropped))

    def _free_orphans(self, used_before_s: float) -> None:
        """Parts that no loaded pipeline has, and that nobody has used since."""
        owned = {id(part) for loaded in self._loaded.values() for part in loaded.pipeline.parts}
        for part in self.parts.loaded:
            if part.idle and id(part) not in owned and part.last_used_s <= used_before_s:
                self._evict(part.key.name)

    def _release_caches(self) -> None:
        gc.collect()  # jobs that used it may have left reference cycles around it
        self._device.release_cache()
        if self._host is not self._device:
            self._host.release_cache()


def expected_bytes(spec: PipelineSpec, device: torch.device) -> int:
    """Weights and one tile, by the spec's memory model."""
    weights_bytes = spec.memory.weights_bytes * (2 if _in_fp32(spec, device) else 1)
    return weights_bytes + tile_bytes(spec, device)


def least_bytes(spec: PipelineSpec, device: torch.device) -> int:
    """The same where the pipeline keeps its weights in less."""
    least = spec.memory.least_weights_bytes
    return least + tile_bytes(spec, device) if least else expected_bytes(spec, device)


def tile_bytes(spec: PipelineSpec, device: torch.device) -> int:
    """What one tile of the largest stage needs while it runs, by the spec's memory model."""
    sides = [
        tiling.tile * (1 if stage == "encode" else spec.latent_px) for stage, tiling in spec.stages.items()
    ]
    memory = spec.memory
    per_px = memory.bytes_per_tile_px
    if _in_fp32(spec, device):
        per_px = memory.fp32_bytes_per_tile_px or 2 * per_px
    return per_px * max(sides) ** 2


def _in_fp32(spec: PipelineSpec, device: torch.device) -> bool:
    """True where the memory model is that of two-byte precision and the device is loaded with fp32."""
    return spec.memory.reduced and first_precision(device) == "fp32"
