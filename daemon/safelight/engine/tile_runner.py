"""Computes tiles: batches them, goes down the memory ladder when they do not fit, has each one checked by the
sentinel, and computes refused ones again in a safer way.

A plan's tiles never change while a job runs. A tile that is too large is put together from pieces inside
itself, so a job goes on after an out-of-memory in its middle and keeps what is finished.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import torch

from safelight.engine.out_of_memory import (
    MemoryLadder,
    Place,
    Rung,
    too_little_memory,
    unless_out_of_memory,
)
from safelight.engine.pipelines.base import Conditioning, Origins, Pipeline, Precision
from safelight.engine.precision import SAFER
from safelight.engine.region_plan import StagePlan
from safelight.engine.sentinel import faults
from safelight.engine.tiling import Tile, TilePlan, with_smaller_tiles
from safelight.errors import Unrestorable
from safelight.geometry import Size

Condition = Callable[[Pipeline], Conditioning]
Network = Callable[[Pipeline, torch.Tensor, Origins, Conditioning, Precision], torch.Tensor]


@dataclass(frozen=True)
class StageWork:
    """What the runner needs to know of a stage."""

    plan: StagePlan
    network: Network
    """Calls the pipeline's method of this stage on a batch."""
    read: Callable[[Tile], torch.Tensor]
    """A tile's input, C h w on the host."""
    picture: Callable[[Tile], torch.Tensor] | None
    """The x at a tile's place, 3 h w on the host, when the output is a picture too; None for latents."""
    origin: Callable[[Tile], tuple[int, int]]
    """Column and row of a tile in the absolute plane of the stage's input."""
    position: Callable[[Tile], str]
    """Its place in the document, for people."""


@dataclass
class Account:
    """What happened, for the report."""

    tiles: Counter[str] = field(default_factory=Counter)
    batch: dict[str, int] = field(default_factory=dict)
    retries: list[dict[str, object]] = field(default_factory=list)
    ladder: list[dict[str, object]] = field(default_factory=list)


class TileRunner:
    """One job's computations on a pipeline. Owned by the worker thread."""

    def __init__(
        self,
        pipeline: Pipeline,
        condition: Condition,
        *,
        memory: MemoryLadder,
        on_cpu: Callable[[], Pipeline] | None,
        account: Account,
    ) -> None:
        """`condition` makes the job's conditioning for a pipeline; `on_cpu` loads the same pipeline there, for
        the last rung of the ladder."""
        self.pipeline = pipeline
        self._condition = condition
        self._memory = memory
        self._on_cpu = on_cpu
        self._account = account
        self._conditioned: dict[str, Conditioning] = {}
        self._cpu_pipeline: Pipeline | None = None

    def conditioning(self) -> Conditioning:
        """Of the pipeline's own device; computed once. Raises TooMuch when not even the CPU has room."""
        made = unless_out_of_memory(lambda: self._conditioning_for(self.pipeline))
        while made is None and self._evicted("condition"):
            made = unless_out_of_memory(lambda: self._conditioning_for(self.pipeline))
        if made is None and self._cpu_left:
            self._note_ladder("condition", "CPU")
            self.pipeline = self._cpu()
            made = unless_out_of_memory(lambda: self._conditioning_for(self.pipeline))
        if made is None:
            raise too_little_memory(f"{self.pipeline.spec.id} could not look at the whole region")
        return made

    def run(
        self, work: StageWork, tiles: Sequence[Tile], precision: Precision
    ) -> Iterator[list[tuple[Tile, torch.Tensor]]]:
        """Batches of tiles with their outputs C h w, float32 on the device that computed them, in order. A list
        is emptied when the next one is asked for: two batches never take memory at once."""
        name = work.plan.name
        done = 0
        while done < len(tiles):
            batch = self._memory.rung(self._place(name, precision), work.plan.tiling).batch
            group = tiles[done : done + batch]
            computed = list(zip(group, self._checked(work, group, precision), strict=True))
            done += len(group)
            self._account.tiles[name] += len(group)
            self._account.batch[name] = batch
            yield computed
            computed.clear()

    def probe(self, work: StageWork, tile: Tile, precision: Precision) -> torch.Tensor:
        """One tile in a precision, unchecked; for timing."""
        return self._computed(work, (tile,), precision)[0]

    # -- checking ----------------------------------------------------------------------------------

    def _checked(self, work: StageWork, group: Sequence[Tile], precision: Precision) -> list[torch.Tensor]:
        outputs = self._computed(work, group, precision)
        for i, fault in enumerate(self._faults(work, group, outputs)):
            if fault is not None:
                outputs[i] = self._again(work, group[i], precision, fault)
        return outputs

    def _faults(
        self, work: StageWork, group: Sequence[Tile], outputs: Sequence[torch.Tensor]
    ) -> tuple[str | None, ...]:
        y = _batched(outputs)
        x = None if work.picture is None else _batched([work.picture(t) for t in group]).to(y.device)
        return faults(y, x, self.pipeline.spec.sentinel)

    def _again(self, work: StageWork, tile: Tile, precision: Precision, fault: str) -> torch.Tensor:
        """Safer precisions, then fp32 in pieces; the first result that passes. Raises Unrestorable."""
        half = max(work.plan.tiling.least_tile, max(tile.box.size) // 2)
        safer: tuple[Precision, ...] = SAFER[precision]
        for way, pieces in (*((p, None) for p in safer), ("fp32", half)):
            outputs = self._computed(work, (tile,), way, pieces=pieces)
            (still,) = self._faults(work, (tile,), outputs)
            self._account.retries.append(
                {
                    "stage": work.plan.name,
                    "tile": list(tile.box),
                    "fault": fault,
                    "refused_precision": precision,
                    "precision": way,
                    "pieces": pieces or 0,
                    "passed": still is None,
                }
            )
            if still is None:
                return outputs[0]
        raise Unrestorable(
            f"{self.pipeline.spec.id} gave no usable picture at {work.position(tile)} ({fault}), neither in fp32 "
            "nor in smaller pieces: choose another pipeline or another working scale",
            "OUTPUT_REFUSED",
            details={"fault": fault, "stage": work.plan.name, "position": work.position(tile)},
        )

    # -- computing ---------------------------------------------------------------------------------

    def _computed(
        self, work: StageWork, group: Sequence[Tile], precision: Precision, *, pieces: int | None = None
    ) -> list[torch.Tensor]:
        """Outputs of all tiles of `group`, whatever it takes; `pieces` limits the side computed in one go."""
        place = self._place(work.plan.name, precision)
        outputs: list[torch.Tensor] = []
        while len(outputs) < len(group):
            rung = self._memory.rung(place, work.plan.tiling)
            chunk = group[len(outputs) : len(outputs) + rung.batch]
            side = min(rung.tile, pieces or rung.tile)
            result = unless_out_of_memory(
                lambda chunk=chunk, rung=rung, side=side: self._on_rung(work, chunk, precision, rung, side)  # type: ignore[misc]
            )
            if result is None:
                self._descend(place, work, max(chunk[0].box.size))
            else:
                outputs.extend(result.unbind(0))
        return outputs

    def _on_rung(
        self, work: StageWork, chunk: Sequence[Tile], precision: Precision, rung: Rung, side: int
    ) -> torch.Tensor:
        pipeline = self._cpu() if rung.on_cpu else self.pipeline
        precision = "fp32" if rung.on_cpu else precision
        if rung.on_cpu:
            side = self._memory.rung(self._cpu_place(work), work.plan.tiling).tile
        conditioning = self._conditioning_for(pipeline)
        inputs = torch.stack([work.read(tile) for tile in chunk]).to(pipeline.device)
        origins = tuple(work.origin(tile) for tile in chunk)

        def network(tiles: torch.Tensor, offset: tuple[int, int]) -> torch.Tensor:
            moved = tuple((column + offset[0], row + offset[1]) for column, row in origins)
            return work.network(pipeline, tiles, moved, conditioning, precision)

        with torch.inference_mode():
            if max(inputs.shape[-2:]) <= side:
                return network(inputs, (0, 0))
            return _in_pieces(network, inputs, work.plan, side)

    def _descend(self, place: Place, work: StageWork, running_tile: int) -> None:
        tiling, cpu_left = work.plan.tiling, self._cpu_left
        if self._memory.rung(place, tiling).on_cpu:
            place, cpu_left = self._cpu_place(work), False
        elif self._evicted(work.plan.name):
            return
        rung = self._memory.descend(place, tiling, running_tile=running_tile, cpu_left=cpu_left)
        to = "CPU" if rung.on_cpu else f"batch {rung.batch}, tile {min(rung.tile, running_tile)}"
        self._note_ladder(work.plan.name, to)

    def _evicted(self, stage: str) -> bool:
        if not self._memory.evict_idle():
            return False
        self._note_ladder(stage, "evicting what is idle")
        return True

    def _note_ladder(self, stage: str, to: str) -> None:
        self._account.ladder.append({"stage": stage, "event": "out of memory", "to": to})

    def _place(self, stage: str, precision: Precision) -> Place:
        return Place(str(self.pipeline.device), self.pipeline.spec.id, stage, precision)

    def _cpu_place(self, work: StageWork) -> Place:
        return Place("cpu", self.pipeline.spec.id, work.plan.name, "fp32")

    @property
    def _cpu_left(self) -> bool:
        return self._on_cpu is not None and self.pipeline.device.type != "cpu"

    def _cpu(self) -> Pipeline:
        if self._cpu_pipeline is None:
            assert self._on_cpu is not None
            self._cpu_pipeline = self._on_cpu()
        return self._cpu_pipeline

    def _conditioning_for(self, pipeline: Pipeline) -> Conditioning:
        device = str(pipeline.device)
        if device not in self._conditioned:
            with torch.inference_mode():
                self._conditioned[device] = self._condition(pipeline)
        return self._conditioned[device]


def _batched(tiles: Sequence[torch.Tensor]) -> torch.Tensor:
    """C h w each to B C h w; a single one is not copied."""
    return tiles[0][None] if len(tiles) == 1 else torch.stack(list(tiles))


def _in_pieces(
    network: Callable[[torch.Tensor, tuple[int, int]], torch.Tensor],
    inputs: torch.Tensor,
    plan: StagePlan,
    side: int,
) -> torch.Tensor:
    """Tiles B C h w computed from overlapping pieces of at most `side`, blended by taper in float32."""
    height, width = inputs.shape[-2:]
    pieces = TilePlan.of(Size(width, height), with_smaller_tiles(plan.tiling, side))
    total: torch.Tensor | None = None
    for piece in pieces.tiles:
        rows, columns = piece.box.slices
        y = network(inputs[..., rows, columns], (piece.box.x, piece.box.y)).float()
        if total is None:
            size = int(height * plan.scale), int(width * plan.scale)
            total = torch.zeros((*y.shape[:2], *size), device=y.device)
        down, across = (torch.from_numpy(p).to(y.device) for p in pieces.tapers(piece, plan.scale))
        out_rows, out_columns = pieces.output_box(piece, plan.scale).slices
        total[..., out_rows, out_columns] += y * down[:, None] * across
    assert total is not None
    return total
