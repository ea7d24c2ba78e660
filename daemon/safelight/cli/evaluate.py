"""`safelight evaluate`: a pipeline on pairs of pictures, next to bicubic and Lanczos; and against its authors' results.

PSNR and SSIM on Y and GMSD as `imaging.metrics` defines them; the references' size over the inputs' is the
output scale. Results are rounded to 8 bits as a saved picture would be. `--metrics paper` adds what
`engine.paper_metrics` names. `--against` compares our results with the authors' published ones, sample by sample.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from PIL import Image
from rich.table import Table

from safelight.cli.console import Console
from safelight.cli.values import settings_of
from safelight.client.restoration import RestorationClient, Work
from safelight.client.sources import SUFFIXES
from safelight.errors import InputFileError, InvalidRequest, NotReady, SafelightError
from safelight.geometry import Rect, Size
from safelight.imaging import metrics
from safelight.imaging.pixels import DocumentArray
from safelight.imaging.srgb import Srgb8, read_srgb8, write_srgb8
from safelight.settings import unknown_name
from safelight.spec import PipelineSpec

if TYPE_CHECKING:
    from safelight.engine.paper_metrics import Measure

MEASURES = ("psnr", "ssim", "gmsd")
EXIT_SOME_FAILED = 3
CLOSE_LEVELS = 2  # what reduced precision or another library may change in 8 bits


class Pair(NamedTuple):
    """A picture and what it is compared with."""

    name: str
    lr: Path
    hr: Path | None
    authors: Path | None


@dataclass(frozen=True)
class Row:
    """One picture: method name to measure name to value."""

    name: str
    values: dict[str, dict[str, float]]
    against: dict[str, float] | None = None


@dataclass(frozen=True)
class Plan:
    """What is done to each picture."""

    given: argparse.Namespace
    spec: PipelineSpec
    client: RestorationClient
    measures: list[Measure] = field(default_factory=list)
    """Of the papers, of single pictures."""
    folders: tuple[Path, Path] | None = None
    """Where results and references are left for measures of all pictures together."""


def run(given: argparse.Namespace, console: Console) -> int:
    if not given.hr and not given.against:
        raise InvalidRequest("there is nothing to compare with: give --hr, --against or both", "NO_REFERENCE")
    pairs = list(_pairs(given))
    single, together = _paper_measures(given, console)
    rows, failed = [], 0
    with ExitStack() as stack:
        client = stack.enter_context(
            RestorationClient.chosen(on_start=lambda: console.say("starting the daemon"))
        )
        specs = {p.spec.id: p.spec for p in client.pipelines()}
        if given.pipeline not in specs:
            raise unknown_name("pipeline", given.pipeline, list(specs))
        folders = _folders(stack) if together else None
        plan = Plan(given, specs[given.pipeline], client, single, folders)
        bar = stack.enter_context(console.progress("evaluate"))
        for number, pair in enumerate(pairs):
            try:
                row = _measure(pair, plan)
            except SafelightError as error:
                console.error(error, file=str(pair.lr))
                failed += 1
                continue
            rows.append(row)
            told = row.values if row.against is None else {**row.values, "against": row.against}
            console.event("picture", name=row.name, **told)
            bar.show(stage=row.name, fraction=(number + 1) / len(pairs), tiles_done=0, tiles=0, eta_s=-1)
        if not rows:
            raise InputFileError("no pair could be measured", "NO_PICTURES")
        mean = _means(rows)
        if folders is not None:
            for measure in together:
                mean[given.pipeline][measure.metric.name.lower()] = measure.of_folders(*folders)
    _show(console, given, rows, mean)
    against = _against_mean(rows)
    console.event(
        "mean", pictures=len(rows), failed=failed, **mean, **({"against": against} if against else {})
    )
    return EXIT_SOME_FAILED if failed else 0


def _pairs(given: argparse.Namespace) -> Iterator[Pair]:
    lr_folder = Path(given.lr)
    hr, authors = (None if folder is None else _by_stem(Path(folder)) for folder in (given.hr, given.against))
    if not lr_folder.is_dir():
        raise InputFileError(f"{lr_folder} is not a folder: name one with pictures", "NO_PICTURES")
    inputs = sorted(p for p in lr_folder.iterdir() if p.suffix.lower() in SUFFIXES)
    for lr in inputs:
        for found, folder in ((hr, given.hr), (authors, given.against)):
            if found is not None and lr.stem not in found:
                raise InputFileError(f"{lr.name} has no picture of the same name in {folder}", "NO_REFERENCE")
        yield Pair(
            lr.stem, lr, None if hr is None else hr[lr.stem], None if authors is None else authors[lr.stem]
        )
    if not inputs:
        raise InputFileError(f"there are no pictures in {lr_folder}", "NO_PICTURES")


def _by_stem(folder: Path) -> dict[str, Path]:
    if not folder.is_dir():
        raise InputFileError(f"{folder} is not a folder: name one with pictures", "NO_PICTURES")
    return {p.stem: p for p in folder.iterdir() if p.suffix.lower() in SUFFIXES}


def _paper_measures(given: argparse.Namespace, console: Console) -> tuple[list[Measure], list[Measure]]:
    """Of single pictures, and of all together; what is left out is said. Raises NotReady where none is there."""
    if given.metrics != "paper":
        return [], []
    from safelight.engine.paper_metrics import available

    measures, sentences = available()
    for sentence in sentences:
        console.say(f"note: {sentence}")
        console.event("left_out", sentence=sentence)
    usable = [m for m in measures if given.hr or not m.metric.reference]
    if not usable:
        raise NotReady(
            f"none of the papers' measures can be computed: {sentences[0] if sentences else 'give --hr'}",
            "METRIC_WEIGHTS",
        )
    return [m for m in usable if not m.metric.folders], [m for m in usable if m.metric.folders]


def _folders(stack: ExitStack) -> tuple[Path, Path]:
    root = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="safelight-")))
    folders = root / "results", root / "references"
    for folder in folders:
        folder.mkdir()
    return folders


def _measure(pair: Pair, plan: Plan) -> Row:
    lr = read_srgb8(pair.lr)
    hr = None if pair.hr is None else read_srgb8(pair.hr)
    authors = None if pair.authors is None else read_srgb8(pair.authors)
    size = Size(lr.shape[1], lr.shape[0])
    compared = authors if hr is None else hr
    assert compared is not None  # `run` wants one of the two
    scale = _scale(size, compared, exact=hr is not None)
    settings = settings_of(plan.given, plan.spec, in_place=scale == 1)
    settings = settings.with_values(plan.spec, {"output_scale": scale})
    work = Work(size, Rect.of_size(size), Rect.of_size(size), lr, title=pair.name)
    ours = plan.client.restore(work, settings, keep=False).pixels
    values: dict[str, dict[str, float]] = {plan.spec.id: {}}
    if hr is not None:
        outputs: dict[str, DocumentArray] = {plan.spec.id: ours, **_baselines(lr, scale)}
        values = {method: measures(pixels, hr) for method, pixels in outputs.items()}
    result = np.asarray(ours, np.uint8)
    for measure in plan.measures:
        values[plan.spec.id][measure.metric.name.lower()] = measure.value(
            result, hr if measure.metric.reference else None
        )
    if plan.folders is not None and hr is not None:
        for folder, picture in zip(plan.folders, (result, hr), strict=True):
            write_srgb8(folder / f"{pair.name}.png", picture)
    return Row(pair.name, values, None if authors is None else compare(result, authors))


def _scale(size: Size, compared: Srgb8, *, exact: bool) -> int:
    """Output scale: authors may have cut their result to a multiple of 8."""
    height, width = int(compared.shape[0]), int(compared.shape[1])
    scale = round(width / size.width)
    if scale < 1 or (exact and (size.width * scale, size.height * scale) != (width, height)):
        raise InputFileError(
            f"the reference is {width} x {height}, not a multiple of {size.width} x {size.height}",
            "SIZES_DIFFER",
        )
    return scale


def _baselines(lr: Srgb8, scale: int) -> dict[str, DocumentArray]:
    if scale == 1:
        return {"input": lr}
    target = lr.shape[1] * scale, lr.shape[0] * scale
    filters = (Image.Resampling.BICUBIC, Image.Resampling.LANCZOS)
    return {name.name.lower(): np.asarray(Image.fromarray(lr).resize(target, name)) for name in filters}


def measures(pixels: DocumentArray, reference: Srgb8) -> dict[str, float]:
    return {
        "psnr": float(metrics.psnr_y(pixels, reference)),
        "ssim": float(metrics.ssim_y(pixels, reference)),
        "gmsd": float(metrics.gmsd(pixels, reference)),
    }


def compare(ours: Srgb8, theirs: Srgb8) -> dict[str, float]:
    """Two results that should be one: PSNR over all samples (infinity is told as 100 dB), SSIM on Y, the largest
    difference in levels, and the share of samples that differ at all, and by more than CLOSE_LEVELS."""
    if ours.shape != theirs.shape:
        raise InputFileError(
            f"our result is {ours.shape[1]} x {ours.shape[0]} and the authors' {theirs.shape[1]} x "
            f"{theirs.shape[0]}: --set authors_exact=true gives theirs",
            "SIZES_DIFFER",
        )
    apart = np.abs(ours.astype(np.int16) - theirs)
    error = float(np.mean(np.square(apart, dtype=np.float64)))
    return {
        "psnr": min(100.0, float(20 * np.log10(255) - 10 * np.log10(error))) if error else 100.0,
        "ssim": float(metrics.ssim_y(ours, theirs)),
        "largest": float(apart.max()),
        "differing": float((apart > 0).mean()),
        "beyond_2": float((apart > CLOSE_LEVELS).mean()),
    }


def _means(rows: list[Row]) -> dict[str, dict[str, float]]:
    return {
        method: {name: statistics.fmean(r.values[method][name] for r in rows) for name in values}
        for method, values in rows[0].values.items()
    }


def _against_mean(rows: list[Row]) -> dict[str, float]:
    """Of all pictures; the largest difference is the largest of all."""
    found = [row.against for row in rows if row.against is not None]
    if not found:
        return {}
    mean = {name: statistics.fmean(values[name] for values in found) for name in found[0]}
    return {**mean, "largest": max(values["largest"] for values in found)}


def _show(
    console: Console, given: argparse.Namespace, rows: list[Row], mean: dict[str, dict[str, float]]
) -> None:
    if given.hr:
        console.table(_picture_table(rows, given.pipeline, "bicubic" if "bicubic" in mean else "input"))
        console.table(_mean_table(mean, len(rows)))
    if given.metrics == "paper":
        console.table(_paper_table(rows, given.pipeline, mean[given.pipeline]))
    if given.against:
        console.table(_against_table(rows))


def _picture_table(rows: list[Row], pipeline: str, baseline: str) -> Table:
    """Each picture: the pipeline's values and what it gains over the baseline."""
    table = Table("picture", "PSNR", "SSIM", "GMSD", f"PSNR over {baseline}")
    for row in rows:
        ours, theirs = row.values[pipeline], row.values[baseline]
        gain = f"{ours['psnr'] - theirs['psnr']:+.2f} dB"
        table.add_row(row.name, *_texts(ours), gain)
    return table


def _mean_table(mean: dict[str, dict[str, float]], pictures: int) -> Table:
    table = Table(f"mean of {pictures}", "PSNR", "SSIM", "GMSD (lower is better)")
    for method, values in mean.items():
        table.add_row(method, *_texts(values))
    return table


def _paper_table(rows: list[Row], pipeline: str, mean: dict[str, float]) -> Table:
    names = [name for name in mean if name not in MEASURES]
    table = Table("picture", *(name.upper() for name in names))
    for row in rows:
        values = row.values[pipeline]
        table.add_row(row.name, *(f"{values[n]:.4f}" if n in values else "" for n in names))
    table.add_row("all", *(f"{mean[n]:.4f}" for n in names))
    return table


def _against_table(rows: list[Row]) -> Table:
    table = Table("ours against the authors'", "PSNR", "SSIM", "largest", "differing", "by more than 2")
    for name, values in [*((r.name, r.against) for r in rows), ("all", _against_mean(rows))]:
        if values is not None:
            table.add_row(
                name, f"{values['psnr']:.2f} dB", f"{values['ssim']:.5f}", f"{values['largest']:.0f}",
                f"{100 * values['differing']:.3f} %", f"{100 * values['beyond_2']:.4f} %",
            )  # fmt: skip
    return table


def _texts(values: dict[str, float]) -> tuple[str, str, str]:
    return f"{values['psnr']:.2f} dB", f"{values['ssim']:.4f}", f"{values['gmsd']:.4f}"
