"""Out of memory is an event, not an end: the ladder of ever smaller work, and what fitted last time.

What no job uses goes first. Then, rung by rung: smaller batch (halved down to one tile), smaller pieces of a tile
(halved down to the stage's least tile), then the CPU when the device is an accelerator. Per stage, so a decode that
does not fit shrinks decode tiles only.
"""

from __future__ import annotations

import gc
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NamedTuple, TypeVar

import torch

from safelight.errors import TooMuch
from safelight.spec import StageTiling

Result = TypeVar("Result")

CPU_BATCH = 1
"""Tiles per call on a CPU: a tile keeps all cores busy, and a smaller batch is cancelled sooner."""


class Place(NamedTuple):
    """What a rung is remembered for."""

    device: str
    pipeline: str
    stage: str
    precision: str


@dataclass(frozen=True)
class Rung:
    """How much is computed at once."""

    batch: int
    tile: int
    """Side of the largest tile computed in one go, in the stage's input plane; larger ones go in pieces."""
    on_cpu: bool = False
    """True: nothing more fits on the accelerator."""


class MemoryLadder:
    """Remembers for each place the rung that fitted. One per daemon; owned by the worker thread."""

    def __init__(self, evict_idle: Callable[[], bool] = lambda: False) -> None:
        """`evict_idle` frees something that no job uses on the device; False: there is nothing."""
        self.evict_idle = evict_idle
        self._rungs: dict[Place, Rung] = {}

    def rung(self, place: Place, tiling: StageTiling) -> Rung:
        """Where work starts: the top on first sight, later what fitted."""
        batch = CPU_BATCH if place.device == "cpu" else tiling.batch
        return self._rungs.get(place, Rung(batch, max(tiling.tile, tiling.most_tile)))

    def descend(self, place: Place, tiling: StageTiling, *, running_tile: int, cpu_left: bool) -> Rung:
        """The next rung after one that did not fit, which is remembered. `running_tile` is the side of the
        tiles that ran, at most the plan's: smaller pictures have smaller tiles. Raises TooMuch
        (OUT_OF_MEMORY) below the last rung."""
        rung = self._rungs[place] = _lower(
            self.rung(place, tiling), tiling, place=place, running_tile=running_tile, cpu_left=cpu_left
        )
        return rung


def _lower(rung: Rung, tiling: StageTiling, *, place: Place, running_tile: int, cpu_left: bool) -> Rung:
    if rung.batch > 1:
        return replace(rung, batch=rung.batch // 2)
    side = min(rung.tile, running_tile)
    if side > tiling.least_tile:
        return replace(rung, tile=max(side // 2, tiling.least_tile))
    if cpu_left:
        return replace(rung, on_cpu=True)
    raise too_little_memory(
        f"the smallest tile of {place.pipeline} ({place.stage}) does not fit on {place.device}"
    )


def too_little_memory(what: str) -> TooMuch:
    return TooMuch(
        f"memory is used up: {what}; close other programs, unload other pipelines or choose a smaller one",
        "OUT_OF_MEMORY",
    )


def unless_out_of_memory(work: Callable[[], Result]) -> Result | None:
    """What `work` returns, or None when it ran out of memory and what it held has been freed.

    Other errors pass. Freeing happens after the `except` block: inside it the traceback still holds the
    tensors of the frames that failed.
    """
    try:
        return work()
    except (RuntimeError, MemoryError) as error:
        if not out_of_memory(error):
            raise
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    return None


def out_of_memory(error: BaseException) -> bool:
    """torch's error of accelerators, Python's own, and the plain RuntimeErrors of torch's CPU allocator and of
    NVIDIA's libraries when they find no room for their workspaces."""
    if isinstance(error, (torch.OutOfMemoryError, MemoryError)):
        return True
    return isinstance(error, RuntimeError) and any(words in str(error) for words in _WORDS)


_WORDS = ("can't allocate memory", "DefaultCPUAllocator", "out of memory", "STATUS_ALLOC_FAILED")
