"""One job from first stage to last: prepare, condition, encode, predict per step, decode.

`restore` is a generator. It stops after each tile batch (and each band of prepared rows), so that whoever
drives it can look at cancellations and more urgent jobs; closing it frees everything it holds. Tiles that are on a
kept canvas already are not computed again.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
import torch

from safelight.engine.authors_run import restore_as_authors
from safelight.engine.canvas import LatentCanvas
from safelight.engine.features import FeaturePlane
from safelight.engine.finished_tiles import FinishedTiles
from safelight.engine.job_plan import JobPlan, plan_job
from safelight.engine.kept_canvas import KeptCanvas
from safelight.engine.kept_key import before_network
from safelight.engine.meter import Meter
from safelight.engine.monochrome import toning_of
from safelight.engine.needed import feeding_tiles
from safelight.engine.out_of_memory import MemoryLadder, too_little_memory
from safelight.engine.pipelines.base import Conditioning, Origins, Pipeline, Precision
from safelight.engine.precision import Measured, PrecisionTable
from safelight.engine.prepare import network_input
from safelight.engine.preview import preview_of
from safelight.engine.reblend import Keep, blended, reblended, seen_rows, suffices, toning_facts
from safelight.engine.region_source import PlaneSource, SeenRegion, with_own
from safelight.engine.report import plain
from safelight.engine.request import Preview, Progress, Restoration, RestoreRequest, nothing
from safelight.engine.residual import HALO_PX
from safelight.engine.tile_runner import Account, Network, StageWork, TileRunner
from safelight.engine.tiling import Tile
from safelight.errors import SafelightError
from safelight.geometry import Rect
from safelight.imaging.pixels import FloatArray
from safelight.spec import SettingValue

PROBE_PX = 128  # side of what precisions are timed on: long enough for the clock, short for who waits
STEP_ROWS_LAT = 256  # latent rows per call of the noise scheduler: bounds device memory

Clock = Callable[[], float]


def restore(
    request: RestoreRequest,
    pipeline: Pipeline,
    *,
    memory: MemoryLadder,
    precisions: PrecisionTable | None = None,
    on_cpu: Callable[[], Pipeline] | None = None,
    previews: bool = False,
    plan: JobPlan | None = None,
    kept: KeptCanvas | None = None,
    keep: Keep | None = None,
    clock: Clock = time.monotonic,
) -> Generator[Progress | Preview, None, Restoration]:
    """Runs all stages that need the device; what is left to do is in the Restoration it returns.

    `plan` is that of `plan_job`, where it is known already. `kept` is what was kept of a job with the same key: its
    tiles count as finished, and its facts decide what that job had to decide. `keep` is given the canvas when the
    tiles are there, or those that are when the job is cancelled or fails.

    `memory` and `precisions` remember what fitted and what was fastest, and outlive jobs; `on_cpu` loads the
    pipeline on the CPU for when an accelerator has no room at all. Finished tiles are yielded as previews when
    asked for. Raises TooMuch (OUT_OF_MEMORY) after the ladder's last rung, Unrestorable for output that fails
    every check, InvalidRequest for samples that are no numbers.
    """
    if request.settings.own.get("authors_exact"):
        return (yield from restore_as_authors(request, pipeline, clock=clock))
    plan = plan or plan_job(request, pipeline.spec)
    if kept is not None and suffices(kept, plan):
        return (yield from reblended(request, plan, kept, clock=clock))
    run = _Run(request, pipeline, plan, memory, precisions or PrecisionTable(), on_cpu, previews, kept, clock)
    try:
        yield from run.prepare()
        yield from run.condition()
        if run.conditioned_otherwise:
            run.close()
            again = restore(
                request,
                pipeline,
                memory=memory,
                precisions=precisions,
                on_cpu=on_cpu,
                previews=previews,
                plan=plan,
                keep=keep,
                clock=clock,
            )
            return (yield from again)
        latent = yield from run.encode()
        for step in range(run.steps):
            latent = yield from run.predict(latent, step)
        yield from run.decode(latent)
        restoration = run.restoration()
        restoration.on_close = run.offer(keep)
        return restoration
    except MemoryError:
        run.close()
        raise too_little_memory("the picture does not fit beside what is loaded") from None
    except (GeneratorExit, SafelightError):
        run.offer(keep)()
        run.close()
        raise
    except BaseException:
        run.close()
        raise
    finally:
        run.dismiss()


class _Run:
    """One job between its stages. Owned by the worker thread."""

    def __init__(
        self,
        request: RestoreRequest,
        pipeline: Pipeline,
        plan: JobPlan,
        memory: MemoryLadder,
        precisions: PrecisionTable,
        on_cpu: Callable[[], Pipeline] | None,
        previews: bool,
        kept: KeptCanvas | None,
        clock: Clock,
    ) -> None:
        self._request, self._job, self._kept = request, plan, kept
        self._spec, self._plan = plan.spec, plan.region
        self._precisions, self._previews = precisions, previews
        self._stages = {stage.name: stage for stage in self._plan.stages}
        self.steps = plan.steps
        self._finished = FinishedTiles(plan, kept)
        self._decoded = self._finished.missing
        self._encoded, self._predicted = feeding_tiles(self._plan, self._decoded, self.steps)
        self._meter = Meter(self._plan, self._tile_counts(), clock, steps=self.steps)
        self._account = Account()
        self._runner = TileRunner(
            pipeline, self._conditioning, memory=memory, on_cpu=on_cpu, account=self._account
        )
        self._x: FloatArray = np.empty((0, 0, 3), np.float32)
        self._toning = None if kept is None else kept.facts["toning"]
        self._features = FeaturePlane(self._latent_box) if self._spec.feature_channels else None
        self._measured = None if kept is None else Measured(kept.facts["report"]["precision"], {})
        self._condition_report: dict[str, object] = {}
        self._found: Mapping[str, SettingValue] = {} if kept is None else kept.facts["found"]

    # -- stages ------------------------------------------------------------------------------------

    def prepare(self) -> Iterator[Progress]:
        bands = network_input(self._request, self._plan, rows=self._needed_rows())
        while True:
            with self._meter.timing("prepare"):
                x = next(bands, None)
            if x is None:
                break
            self._x = x
            yield Progress("prepare")
        if self._kept is None and self._request.format.colour_channels > 1:
            with self._meter.timing("prepare"):
                self._toning = toning_facts(toning_of(self._x))

    def condition(self) -> Iterator[Progress]:
        yield Progress("condition")
        with self._meter.timing("condition"):
            self._condition_report = dict(self._runner.conditioning().report)

    @property
    def conditioned_otherwise(self) -> bool:
        """What this job found out is not what the kept one did, such as weights in another precision: tiles of both
        do not belong on one canvas."""
        return (
            self._kept is not None
            and plain(self._condition_report) != self._kept.facts["report"]["conditioning"]
        )

    def encode(self) -> Generator[Progress, None, FloatArray | None]:
        """Latents of the box, C H W; None for one-stage pipelines."""
        if "encode" not in self._stages:
            return None
        cell = self._spec.latent_px

        def network(
            pipeline: Pipeline,
            x: torch.Tensor,
            origins: Origins,
            conditioning: Conditioning,
            precision: Precision,
        ) -> torch.Tensor:
            cells = tuple((column // cell, row // cell) for column, row in origins)
            return pipeline.encode(x, origins=cells, conditioning=conditioning, precision=precision)

        work = self._work("encode", network, self._x_tile)
        return (yield from self._onto_latents(work, self._encoded, features=self._features))

    def predict(self, latent: FloatArray | None, step: int) -> Generator[Progress, None, FloatArray]:
        """One diffusion step on the latent canvas."""
        assert latent is not None

        def network(
            pipeline: Pipeline,
            tiles: torch.Tensor,
            origins: Origins,
            conditioning: Conditioning,
            precision: Precision,
        ) -> torch.Tensor:
            return pipeline.predict(
                tiles, step=step, origins=origins, conditioning=conditioning, precision=precision
            )

        work = self._work("predict", network, lambda box: latent[:, *box.slices])
        prediction = yield from self._onto_latents(work, self._predicted[step], step=step + 1)
        with self._meter.timing("predict"):
            return self._stepped(latent, prediction, step)

    def decode(self, latent: FloatArray | None) -> Iterator[Progress | Preview]:
        """Adds tapered residuals of the tiles that are not kept to the residual canvas."""
        self._finished.open()
        read = self._x_tile if latent is None else lambda box: latent[:, *box.slices]

        def network(
            pipeline: Pipeline,
            tiles: torch.Tensor,
            origins: Origins,
            conditioning: Conditioning,
            precision: Precision,
        ) -> torch.Tensor:
            return pipeline.decode(tiles, conditioning=conditioning, precision=precision)

        work = self._work("decode", network, read, picture=self._x_tile)
        for batch in self._batches(work, self._decoded):
            with self._meter.timing("decode"):
                self._add_residuals(batch)
            if self._previews:
                yield from self._previews_of(batch)
            yield self._meter.advanced("decode", len(batch))

    def restoration(self) -> Restoration:
        if any(retry["passed"] for retry in self._account.retries) and self._measured is not None:
            self._precisions.objected(self._runner.pipeline, self._measured.precision)
        tiles = self._finished.kept(self._facts())
        report = {
            **tiles.facts["report"],
            "tiles_computed": dict(self._account.tiles),
            "network": "computed" if self._kept is None else "completed",
            "stages_s": self._meter.seconds,
        }
        return blended(self._request, self._job, tiles, self._x, report)

    def offer(self, keep: Keep | None) -> Callable[[], None]:
        """What is finished, for later jobs; gives what begins to write it."""
        if keep is None or not self._account.tiles["decode"]:
            return nothing
        return keep(self._finished.kept(self._facts()))

    def close(self) -> None:
        self._finished.close()
        self._x = np.empty((0, 0, 3), np.float32)

    def dismiss(self) -> None:
        """The runner refers back to the run: apart, both are freed at once, not at some garbage collection."""
        del self._runner
        if self._features is not None:
            self._features.close()

    # -- parts of stages ---------------------------------------------------------------------------

    def _conditioning(self, pipeline: Pipeline) -> Conditioning:
        region = torch.from_numpy(self._x).permute(2, 0, 1)[None]
        seen = SeenRegion(self._request, self._plan.covered)
        settings = before_network(self._request.settings)
        if self._kept is None:
            enlarged = PlaneSource(self._x)
            self._found = pipeline.estimated(seen, settings=settings, enlarged=enlarged)
        settings = with_own(settings, self._found)
        made = pipeline.condition(region, settings=settings, magnification=self._plan.magnification)
        return made if self._features is None else pipeline.with_features(made, self._features)

    def _work(
        self,
        name: str,
        network: Network,
        read: Callable[[Rect], FloatArray],
        *,
        picture: Callable[[Rect], FloatArray] | None = None,
    ) -> StageWork:
        """`read` gives C h w for a box of the stage's input plane, `picture` 3 h w for a box of x."""
        unit = 1 if name == "encode" else self._spec.latent_px
        corner = self._plan.input_box.x // unit, self._plan.input_box.y // unit

        def picture_at(tile: Tile) -> torch.Tensor:
            assert picture is not None
            return torch.from_numpy(picture(self._x_box(name, tile.box)))

        return StageWork(
            plan=self._stages[name],
            network=network,
            read=lambda tile: torch.from_numpy(read(tile.box)),
            picture=None if picture is None else picture_at,
            origin=lambda tile: (corner[0] + tile.box.x, corner[1] + tile.box.y),
            position=lambda tile: self._position(self._x_box(name, tile.box)),
        )

    def _onto_latents(
        self,
        work: StageWork,
        tiles: Sequence[Tile],
        *,
        step: int = 0,
        features: FeaturePlane | None = None,
    ) -> Generator[Progress, None, FloatArray]:
        """Tiles of a stage, blended by taper on a latent canvas, and what is behind the latents on `features`; cells
        that they do not fill are never read."""
        plan = work.plan
        canvas = LatentCanvas(self._latent_box.size)
        for batch in self._batches(work, tiles):
            with self._meter.timing(plan.name):
                for tile, latent in batch:
                    down, across = plan.tiles.tapers(tile, plan.scale)
                    tapered = latent.float().cpu().numpy() * down[:, None] * across
                    box = plan.tiles.output_box(tile, plan.scale)
                    if features is not None:
                        behind = len(tapered) - self._spec.feature_channels
                        features.add(box, tapered[behind:])
                        tapered = tapered[:behind]
                    canvas.add(box, tapered)
            yield self._meter.advanced(plan.name, len(batch), step=step)
        return canvas.blended()

    def _batches(self, work: StageWork, tiles: Sequence[Tile]) -> Iterator[list[tuple[Tile, torch.Tensor]]]:
        """`tiles` of the stage, computed and checked; from the focus outward when somebody watches."""
        name, needed = work.plan.name, set(tiles)
        outward = [tile for tile in work.plan.tiles.from_center(*self._focus(name)) if tile in needed]
        if self._previews or self._request.focus is not None:
            tiles = outward
        with self._meter.timing("measure"):
            precision = self._precision(work, outward[0])
        batches = self._runner.run(work, tiles, precision)
        while True:
            with self._meter.timing(name):
                batch = next(batches, None)
            if batch is None:
                return
            yield batch

    def _precision(self, work: StageWork, tile: Tile) -> Precision:
        """Chosen once per job; when there is something to measure, on a part of the first stage's `tile`."""
        if self._measured is None:
            side = min(PROBE_PX, *tile.box.size) // work.plan.tiling.multiple * work.plan.tiling.multiple
            small = replace(tile, box=Rect(tile.box.x, tile.box.y, side, side))
            self._measured = self._precisions.choose(
                self._runner.pipeline,
                self._request.settings.precision,
                lambda precision: self._runner.probe(work, small, precision),
            )
        return self._measured.precision

    def _add_residuals(self, batch: list[tuple[Tile, torch.Tensor]]) -> None:
        """A method of its own so that nothing as large as a tile outlives it."""
        for tile, y in batch:
            self._finished.add(tile, y, self._x)

    def _stepped(self, latent: FloatArray, prediction: FloatArray, step: int) -> FloatArray:
        pipeline, conditioning = self._runner.pipeline, self._runner.conditioning()
        result = np.empty_like(latent)
        with torch.inference_mode():
            for top in range(0, latent.shape[1], STEP_ROWS_LAT):
                rows = slice(top, top + STEP_ROWS_LAT)
                before, predicted = (
                    torch.from_numpy(plane[:, rows])[None].to(pipeline.device)
                    for plane in (latent, prediction)
                )
                after = pipeline.step(before, predicted, step=step, conditioning=conditioning)
                result[:, rows] = after[0].float().cpu().numpy()
        return result

    def _previews_of(self, batch: list[tuple[Tile, torch.Tensor]]) -> Iterator[Preview]:
        plan = self._stages["decode"]
        for tile, y in batch:
            box = plan.tiles.output_box(tile, plan.scale).shifted(self._plan.box.x, self._plan.box.y)
            preview = preview_of(y, box, working_scale=self._plan.working_scale, request=self._request)
            if preview is not None:
                yield preview

    # -- places ------------------------------------------------------------------------------------

    def _needed_rows(self) -> tuple[int, int] | None:
        """Rows of x without which the missing tiles and the finish cannot be; None for all, which a first run
        looks at."""
        if self._kept is None or self._runner.pipeline.looks_at_region:
            return None
        boxes = [tile.box for tile in self._encoded]
        boxes += [self._x_box("decode", tile.box).grown(HALO_PX) for tile in self._decoded]
        first, last = seen_rows(self._request, self._job)
        return max(0, min(first, *(box.y for box in boxes))), max(last, *(box.bottom for box in boxes))

    def _focus(self, stage: str) -> tuple[float, float]:
        """The place of the document that comes first, else the region's centre, in the stage's input plane."""
        plane = self._stages[stage].tiles.size
        if self._request.focus is None:
            return plane.width / 2, plane.height / 2
        box, scale = self._plan.input_box, self._plan.working_scale / self._plan.magnification
        unit = 1 if stage == "encode" else self._spec.latent_px
        column, row = self._request.focus
        return (column * scale - box.x) / unit, (row * scale - box.y) / unit

    @property
    def _latent_box(self) -> Rect:
        """What the network sees, absolute latent cells."""
        return Rect(*(edge // self._spec.latent_px for edge in self._plan.input_box))

    def _x_box(self, stage: str, box: Rect) -> Rect:
        """A box of a stage's input plane in pixels of x."""
        return box if stage == "encode" else box.times(self._spec.latent_px)

    def _x_tile(self, box: Rect) -> FloatArray:
        return self._x[box.slices].transpose(2, 0, 1)

    def _position(self, x_box: Rect) -> str:
        """A box of x in words, document pixels."""
        scale = self._plan.working_scale / self._plan.magnification
        place = x_box.shifted(self._plan.input_box.x, self._plan.input_box.y)
        return f"column {round(place.x / scale)}, row {round(place.y / scale)}"

    # -- what is left behind -----------------------------------------------------------------------

    def _tile_counts(self) -> dict[str, int]:
        """Of each stage, over all steps."""
        predicted = sum(map(len, self._predicted))
        counts = {"encode": len(self._encoded), "predict": predicted, "decode": len(self._decoded)}
        return {name: counts[name] for name in self._stages}

    def _facts(self) -> dict[str, Any]:
        """What later jobs must know of this one; JSON."""
        return {"report": plain(self._report()), "toning": self._toning, "found": plain(self._found)}

    def _report(self) -> dict[str, Any]:
        measured = self._measured
        assert measured is not None
        pipeline, account = self._runner.pipeline, self._account
        before: Mapping[str, Any] = {} if self._kept is None else self._kept.facts["report"]
        return {
            "tiles": dict(account.tiles + Counter(before.get("tiles", {}))),
            "batch": {**before.get("batch", {}), **account.batch},
            "precision": measured.precision,
            "precision_seconds": before.get("precision_seconds", measured.seconds),
            "precision_psnr_db": before.get("precision_psnr_db", measured.psnr_db),
            "device": str(pipeline.device),
            "threads": torch.get_num_threads(),
            "retries": [*before.get("retries", []), *account.retries],
            "ladder": [*before.get("ladder", []), *account.ladder],
            "conditioning": self._condition_report,
            "checkpoints": dict(pipeline.checkpoint_hashes),
            "plan": self._plan.output,
            "network_time": datetime.now(UTC).isoformat(timespec="seconds"),
        }
