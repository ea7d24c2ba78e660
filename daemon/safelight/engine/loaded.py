"""The pipelines on the device: loads, evicts and unloads as `residency` decides, and measures in between.

Owned by the worker's thread.
"""

from __future__ import annotations

import gc
import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from safelight.engine import residency
from safelight.engine.device import Device
from safelight.engine.out_of_memory import too_little_memory, unless_out_of_memory
from safelight.engine.pipelines.base import Pipeline
from safelight.engine.pipelines.registry import Registry
from safelight.engine.residency import Resident
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
        self._registry, self._device = registry, device
        self._keep_alive_s, self._clock = keep_alive_s, clock
        self._loaded: dict[str, _Loaded] = {}
        self._unload_after_job: set[str] = set()

    @property
    def facts(self) -> list[Resident]:
        return [loaded.facts for loaded in self._loaded.values()]

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

    def give_back(self, name: str, *, keep_alive_s: float | None, precision: str = "") -> None:
        """The job that held it is done; `keep_alive_s` None is the daemon's own."""
        loaded = self._loaded[name]
        if name in self._unload_after_job:
            keep_alive_s = 0.0
        facts = replace(
            loaded.facts,
            references=loaded.facts.references - 1,
            precision=precision or loaded.facts.precision,
        )
        loaded.facts = self._used_now(facts, keep_alive_s)

    def preload(self, name: str, keep_alive_s: float | None) -> Resident:
        """Raises TooMuch (DEVICE_BUSY) where a job would wait."""
        if self.acquire(name) is None:
            raise TooMuch(
                f"the pipeline {name} fits only when running jobs have ended: try again", "DEVICE_BUSY"
            )
        loaded = self._loaded[name]
        loaded.facts = self._used_now(loaded.facts, keep_alive_s)
        return loaded.facts

    def unload(self, name: str) -> int:
        """One pipeline, or all for an empty name; one in use goes after its jobs. Gives the bytes freed now."""
        if name:
            self._registry.entry(name)
        chosen = [facts for facts in self.facts if not name or facts.pipeline == name]
        self._unload_after_job.update(facts.pipeline for facts in chosen if facts.references)
        idle = [facts for facts in chosen if not facts.references]
        self._drop(facts.pipeline for facts in idle)
        return sum(facts.weights_bytes for facts in idle)

    def drop_expired(self) -> None:
        self._drop(residency.expired(self.facts, self._clock()))

    def _make_room(self, name: str) -> bool:
        """Evicts until it fits, measuring after each eviction; False: wait. Raises TooMuch."""
        spec = self._registry.entry(name).spec
        needed = spec.memory.weights_bytes + _tile_bytes(spec)
        while True:
            free = self._device.free_bytes()
            match residency.decide(self.facts, name, needed_bytes=needed, free_bytes=free):
                case residency.Use() | residency.Load(()):
                    return True
                case residency.Load(evict):
                    self._drop(evict[:1])
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

    def _load(self, name: str) -> Pipeline | None:
        """None: it ran out of memory beside running jobs."""
        started = self._clock()
        pipeline = unless_out_of_memory(lambda: self._registry.load(name, self._device.torch_device))
        if pipeline is None and self._loaded:
            self._drop([facts.pipeline for facts in self.facts if not facts.references])
            pipeline = unless_out_of_memory(lambda: self._registry.load(name, self._device.torch_device))
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

    @property
    def _busy(self) -> bool:
        return any(facts.references for facts in self.facts)

    def _drop(self, names: Iterable[str]) -> None:
        dropped = [name for name in names if self._loaded.pop(name, None) is not None]
        if dropped:
            self._unload_after_job.difference_update(dropped)
            gc.collect()  # jobs that used it may have left reference cycles around it
            self._device.release_cache()
            log.info("unloaded %s", ", ".join(dropped))


def _tile_bytes(spec: PipelineSpec) -> int:
    """What one tile of the largest stage needs while it runs, by the spec's memory model."""
    side = max(tiling.tile for tiling in spec.stages.values())
    return spec.memory.bytes_per_tile_px * side * side
