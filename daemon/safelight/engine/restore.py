"""One job from first stage to last: prepare, condition, encode, predict per step, decode.

`restore` is a generator. It stops after each tile batch (and each band of prepared rows), so that whoever
drives it can look at cancellations and more urgent jobs; closing it frees everything it holds.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import replace

import numpy as np
import torch

from safelight.engine.authors_run import restore_as_authors
from safelight.engine.canvas import LatentCanvas, ResidualCanvas
from safelight.engine.canvas_colours import fix_by_adain
from safelight.engine.job_spec import job_spec
from safelight.engine.meter import Meter
from safelight.engine.needed import needed_tiles
from safelight.engine.out_of_memory import MemoryLadder, too_little_memory
from safelight.engine.pipelines.base import Conditioning, Origins, Pipeline, Precision
from safelight.engine.precision import Measured, PrecisionTable
from safelight.engine.prepare import network_input, working_scale_for
from safelight.engine.preview import preview_of
from safelight.engine.region_plan import StagePlan, plan_region
from safelight.engine.region_source import SeenRegion, with_own
from safelight.engine.request import Preview, Progress, Restoration, RestoreRequest
from safelight.engine.residual import enlarged_tile, tapered_residual
from safelight.engine.tile_runner import Account, Network, StageWork, TileRunner
from safelight.engine.tiling import Tile
from safelight.geometry import Rect, Size
from safelight.imaging.pixels import FloatArray

PROBE_PX = 128  # side of what precisions are timed on: long enough for the clock, short for who waits
STEP_ROWS_LAT = 256  # latent rows per call of the noise scheduler: bounds device memory

DONE = object()

Clock = Callable[[], float]


def restore(
    request: RestoreRequest,
    pipeline: Pipeline,
    *,
    memory: MemoryLadder,
    precisions: PrecisionTable | None = None,
    on_cpu: Callable[[], Pipeline] | None = None,
    previews: bool = False,
    clock: Clock = time.monotonic,
) -> Generator[Progress | Preview, None, Restoration]:
    """Runs all stages that need the device; what is left to do is in the Restoration it returns.

    `memory` and `precisions` remember what fitted and what was fastest, and outlive jobs; `on_cpu` loads the
    pipeline on the CPU for when an accelerator has no room at all. Finished tiles are yielded as previews when
    asked for. Raises TooMuch (OUT_OF_MEMORY) after the ladder's last rung, Unrestorable for output that fails
    every check, InvalidRequest for samples that are no numbers.
    """
    if request.settings.own.get("authors_exact"):
        return (yield from restore_as_authors(request, pipeline, clock=clock))
    run = _Run(request, pipeline, memory, precisions or PrecisionTable(), on_cpu, previews, clock)
    try:
        yield from run.prepare()
        yield from run.condition()
        latent = yield from run.encode()
        for step in range(run.steps):
            latent = yield from run.predict(latent, step)
        yield from run.decode(latent)
        return run.restoration()
    except MemoryError:
        run.close()
        raise too_little_memory("the picture does not fit beside what is loaded") from None
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
        memory: MemoryLadder,
        precisions: PrecisionTable,
        on_cpu: Callable[[], Pipeline] | None,
        previews: bool,
        clock: Clock,
    ) -> None:
        self._request, self._spec = request, job_spec(pipeline.spec, request.settings)
        self._precisions, self._previews = precisions, previews
        self._plan = plan_region(
            self._spec,
            region=request.region,
            sent=request.sent,
            working_scale=working_scale_for(request, self._spec),
        )
        self._stages = {stage.name: stage for stage in self._plan.stages}
        self.steps = self._spec.steps if "predict" in self._stages else 0
        self._decoded = needed_tiles(request, self._plan, self._stages["decode"])
        self._meter = Meter(self._plan, self.steps, len(self._decoded), clock)
        self._account = Account()
        self._runner = TileRunner(
            pipeline, self._conditioning, memory=memory, on_cpu=on_cpu, account=self._account
        )
        self._x: FloatArray = np.empty((0, 0, 3), np.float32)
        self._residual: ResidualCanvas | None = None
        self._measured: Measured | None = None
        self._condition_report: dict[str, object] = {}

    # -- stages ------------------------------------------------------------------------------------

    def prepare(self) -> Iterator[Progress]:
        bands = network_input(self._request, self._plan)
        while True:
            with self._meter.timing("prepare"):
                x = next(bands, None)
            if x is None:
                return
            self._x = x
            yield Progress("prepare")

    def condition(self) -> Iterator[Progress]:
        yield Progress("condition")
        with self._meter.timing("condition"):
            self._condition_report = dict(self._runner.conditioning().report)

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

        return (yield from self._onto_latents(self._work("encode", network, self._x_tile)))

    def predict(self, latent: FloatArray | None, step: int) -> Generator[Progress, None, FloatArray]:
        """One diffusion step on the whole latent canvas."""
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
        prediction = yield from self._onto_latents(work, step=step + 1)
        with self._meter.timing("predict"):
            return self._stepped(latent, prediction, step)

    def decode(self, latent: FloatArray | None) -> Iterator[Progress | Preview]:
        """Adds tapered residuals of all tiles to the residual canvas."""
        plan = self._stages["decode"]
        canvas = self._residual = ResidualCanvas(self._plan.box.size)
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
        for batch in self._batches(work):
            with self._meter.timing("decode"):
                self._add_residuals(canvas, plan, batch)
            if self._previews:
                yield from self._previews_of(batch)
            yield self._meter.advanced("decode", len(batch))
        if self._request.settings.own.get("colour_fix") == "adain":
            yield from self._adain(canvas)

    def restoration(self) -> Restoration:
        assert self._residual is not None
        if any(retry["passed"] for retry in self._account.retries) and self._measured is not None:
            self._precisions.objected(self._runner.pipeline, self._measured.precision)
        return Restoration(
            self._delivered,
            self._spec,
            self._plan.working_scale,
            self._plan.box,
            self._residual,
            self._x,
            self._report(),
        )

    def close(self) -> None:
        if self._residual is not None:
            self._residual.close()
        self._x = np.empty((0, 0, 3), np.float32)

    def dismiss(self) -> None:
        """The runner refers back to the run: apart, both are freed at once, not at some garbage collection."""
        del self._runner

    # -- parts of stages ---------------------------------------------------------------------------

    def _conditioning(self, pipeline: Pipeline) -> Conditioning:
        region = torch.from_numpy(self._x).permute(2, 0, 1)[None]
        seen = SeenRegion(self._request, self._plan.covered)
        settings = self._request.settings
        settings = with_own(settings, pipeline.estimated(seen, settings=settings))
        return pipeline.condition(region, settings=settings, magnification=self._plan.magnification)

    def _adain(self, canvas: ResidualCanvas) -> Iterator[Progress]:
        plan = self._stages["decode"]
        decoded = [plan.tiles.output_box(tile, plan.scale) for tile in self._decoded]
        fix = fix_by_adain(canvas, self._x, magnification=self._plan.magnification, decoded=decoded)
        while True:
            with self._meter.timing("colour fix"):
                band = next(fix, DONE)
            if band is DONE:
                return
            yield self._meter.advanced("decode", 0)

    @property
    def _delivered(self) -> RestoreRequest:
        """For the finish: the wavelet colour fix is weight 0 of the low band."""
        settings = self._request.settings
        if settings.own.get("colour_fix") != "wavelet":
            return self._request
        return replace(self._request, settings=replace(settings, colour=0.0))

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

    def _onto_latents(self, work: StageWork, *, step: int = 0) -> Generator[Progress, None, FloatArray]:
        """All tiles of a stage, blended by taper on a latent canvas."""
        plan = work.plan
        canvas = LatentCanvas(self._latent_size)
        for batch in self._batches(work):
            with self._meter.timing(plan.name):
                for tile, latent in batch:
                    down, across = plan.tiles.tapers(tile, plan.scale)
                    tapered = latent.float().cpu().numpy() * down[:, None] * across
                    canvas.add(plan.tiles.output_box(tile, plan.scale), tapered)
            yield self._meter.advanced(plan.name, len(batch), step=step)
        return canvas.blended()

    def _batches(self, work: StageWork) -> Iterator[list[tuple[Tile, torch.Tensor]]]:
        """The stage's tiles, computed and checked; from the region's centre outward when somebody watches."""
        plan = work.plan.tiles
        center = plan.size.width / 2, plan.size.height / 2
        name = work.plan.name
        tiles = plan.from_center(*center) if self._previews else plan.tiles
        if name == "decode":
            needed = set(self._decoded)
            tiles = tuple(tile for tile in tiles if tile in needed)
        with self._meter.timing("measure"):
            precision = self._precision(work, plan.from_center(*center)[0])
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

    def _add_residuals(
        self, canvas: ResidualCanvas, plan: StagePlan, batch: list[tuple[Tile, torch.Tensor]]
    ) -> None:
        """A method of its own so that nothing as large as a tile outlives it."""
        for tile, y in batch:
            enlarged = enlarged_tile(self._x, self._x_box("decode", tile.box), self._plan.magnification)
            fixed = tapered_residual(y, enlarged, plan.tiles.tapers(tile, plan.scale))
            canvas.add(plan.tiles.output_box(tile, plan.scale), fixed)

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

    @property
    def _latent_size(self) -> Size:
        cell = self._spec.latent_px
        return Size(self._plan.input_box.width // cell, self._plan.input_box.height // cell)

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

    def _report(self) -> dict[str, object]:
        measured = self._measured
        assert measured is not None
        return {
            "tiles": dict(self._account.tiles),
            "batch": self._account.batch,
            "precision": measured.precision,
            "precision_seconds": measured.seconds,
            "precision_psnr_db": measured.psnr_db,
            "device": str(self._runner.pipeline.device),
            "threads": torch.get_num_threads(),
            "retries": self._account.retries,
            "ladder": self._account.ladder,
            "conditioning": self._condition_report,
            "plan": self._plan.output,
            "stages_s": self._meter.seconds,
        }
