"""How far a job is, and where its time goes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from safelight.engine.region_plan import RegionPlan
from safelight.engine.request import Progress


class Meter:
    """Counts finished tiles of every stage, weighed by the network pixels they stand for."""

    def __init__(
        self, plan: RegionPlan, tiles: Mapping[str, int], clock: Callable[[], float], *, steps: int = 0
    ) -> None:
        """`tiles` is how many each stage computes, over all `steps`."""
        self._tiles = dict(tiles)
        self._tile_cost = {s.name: plan.input_box.size.area / len(s.tiles.tiles) for s in plan.stages}
        self._steps, self._clock = steps, clock
        self._done: Counter[str] = Counter()
        self._started_s: float | None = None
        self.seconds: dict[str, float] = {}
        """By stage; without the time in which the job waited for its turn."""

    @contextmanager
    def timing(self, stage: str) -> Iterator[None]:
        """Adds the time of the block to `seconds`."""
        started = self._clock()
        if self._started_s is None and stage in self._tiles:
            self._started_s = started
        yield
        self.seconds[stage] = self.seconds.get(stage, 0.0) + self._clock() - started

    def advanced(self, stage: str, tiles: int, *, step: int = 0) -> Progress:
        """After `tiles` more tiles of `stage`; `step` counts from 1."""
        self._done[stage] += tiles
        whole = sum(count * self._tile_cost[name] for name, count in self._tiles.items())
        fraction = sum(count * self._tile_cost[name] for name, count in self._done.items()) / whole
        elapsed = 0.0 if self._started_s is None else self._clock() - self._started_s
        eta = elapsed / fraction * (1 - fraction)
        steps = self._steps if step else 0
        return Progress(stage, self._done[stage], self._tiles[stage], step, steps, fraction, eta)
