"""`safelight restore`."""

from __future__ import annotations

import argparse
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from safelight.cli.console import Console, ProgressBar
from safelight.cli.values import region_of, settings_of
from safelight.client.files import FileResult, FileWork, restore_file
from safelight.client.restoration import RestorationClient
from safelight.client.sources import Pair, pairs
from safelight.errors import InvalidRequest, OutputFileError, SafelightError, Unavailable
from safelight.geometry import Rect
from safelight.imaging.files import PictureFile, check_output, open_picture
from safelight.imaging.pixels import MaskArray
from safelight.imaging.srgb import read_mask
from safelight.settings import unknown_name
from safelight.spec import PipelineSpec

EXIT_SOME_FAILED = 3


@dataclass(frozen=True)
class Plan:
    """What one command does to each picture."""

    given: argparse.Namespace
    spec: PipelineSpec
    batch: bool


def run(given: argparse.Namespace, console: Console) -> int:
    found, batch = pairs(given.inputs, given.output)
    if batch and (given.region or given.mask):
        raise InvalidRequest(
            "--region and --mask belong to one picture: give one input with them", "REGION_OF_MANY"
        )
    if not batch:
        _check_files(found[0], given)  # a bad name or file is told before a daemon is started
    with RestorationClient.chosen(on_start=lambda: console.say("starting the daemon")) as client:
        plan = Plan(given, _spec(given, client), batch)
        settings_of(given, plan.spec, in_place=True)  # bad values are told before any picture is read
        if not batch:
            _restore_one(found[0], plan, client, console)
            return 0
        return _restore_many(found, plan, client, console)


def _check_files(pair: Pair, given: argparse.Namespace) -> None:
    picture = open_picture(pair.source)
    check_output(pair.target, picture.format)
    if given.region:
        region_of(given.region, picture.size)
    if given.mask:
        read_mask(Path(given.mask), picture.size)


def _spec(given: argparse.Namespace, client: RestorationClient) -> PipelineSpec:
    specs = {p.spec.id: p.spec for p in client.pipelines()}
    chosen = given.pipeline or client.default_pipeline()
    if chosen not in specs:
        raise unknown_name("pipeline", chosen, list(specs))
    return specs[chosen]


def _restore_many(found: list[Pair], plan: Plan, client: RestorationClient, console: Console) -> int:
    """One bad picture never stops the rest; a lost daemon does."""
    failed = skipped = 0
    for number, pair in enumerate(found, 1):
        console.say(f"{number}/{len(found)} {pair.source}")
        if pair.target.exists() and not plan.given.force:
            skipped += 1
            console.event("skipped", file=str(pair.source), output=str(pair.target))
            continue
        try:
            _make_folder(pair.target.parent)
            _restore_one(pair, plan, client, console)
        except Unavailable:
            raise
        except SafelightError as error:
            failed += 1
            console.error(error, file=str(pair.source))
    done = len(found) - failed - skipped
    console.say(f"{done} restored, {skipped} skipped because their output exists, {failed} failed")
    console.event("summary", restored=done, skipped=skipped, failed=failed)
    return EXIT_SOME_FAILED if failed else 0


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputFileError(
            f"the folder {folder} cannot be made ({error.strerror}): name another", "FOLDER_MISSING"
        ) from None


def _restore_one(pair: Pair, plan: Plan, client: RestorationClient, console: Console) -> None:
    given = plan.given
    picture = open_picture(pair.source)
    mask = read_mask(Path(given.mask), picture.size) if given.mask else None
    chosen_region = region_of(given.region, picture.size) if given.region else None
    in_place = given.scale == 1 or (given.scale is None and (given.region or given.mask) is not None)
    settings = settings_of(given, plan.spec, in_place=bool(in_place))
    work = FileWork(
        target=pair.target,
        spec=plan.spec,
        settings=settings,
        region=_region(picture, chosen_region, mask, settings.output_scale),
        mask=mask,
        policy=given.metadata,
        record=not given.no_record,
        batch=plan.batch,
    )
    cancelling = threading.Event()
    with console.progress(pair.source.name) as bar:
        try:
            result = restore_file(picture, work, client, on_progress=_shower(bar), cancelling=cancelling)
        except KeyboardInterrupt:  # cancels the job in the daemon before it ends the command
            cancelling.set()
            raise
    _tell(console, pair, result)


def _region(picture: PictureFile, chosen: Rect | None, mask: MaskArray | None, scale: int) -> Rect:
    """The box that is sent as region. In place a mask shrinks it to what the mask covers; enlarged, the box stays."""
    whole = chosen or Rect.of_size(picture.size)
    if mask is None:
        return whole
    covered = _covered(mask).intersect(whole)
    if covered.empty:
        raise InvalidRequest(
            "the mask restores nothing there: paint white what is to be restored", "MASK_EMPTY"
        )
    return covered if scale == 1 else whole


def _covered(mask: MaskArray) -> Rect:
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not rows.size:
        return Rect(0, 0, 0, 0)
    return Rect.from_edges(int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)


def _shower(bar: ProgressBar) -> Callable[..., None]:
    return lambda p: bar.show(
        stage=p.stage, fraction=p.fraction, tiles_done=p.tile_count_done, tiles=p.tile_count, eta_s=p.eta_s,
        step=p.step, steps=p.step_count,
    )  # fmt: skip


def _tell(console: Console, pair: Pair, result: FileResult) -> None:
    width, height = result.size
    restored, times_s = result.restored, result.times_s
    console.say(f"wrote {pair.target}, {width} x {height}, in {times_s['all']:.2f} s")
    for note in [*result.notes, *restored.report.get("notes", [])]:
        console.say(f"note: {note}")
    console.event(
        "done",
        file=str(pair.source),
        output=str(pair.target),
        width=width,
        height=height,
        job_id=restored.job_id,
        seconds={k: round(v, 4) for k, v in {**times_s, **restored.times_s}.items()},
        report=restored.report,
        notes=list(result.notes),
    )
