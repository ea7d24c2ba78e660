"""`safelight evaluate`: a pipeline on pairs of pictures, next to bicubic and Lanczos.

PSNR and SSIM on Y and GMSD as `imaging.metrics` defines them; the references' size over the inputs' is the
output scale. Results are rounded to 8 bits as a saved picture would be.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image
from rich.table import Table

from safelight.cli.console import Console
from safelight.cli.values import settings_of
from safelight.client.restoration import RestorationClient, Work
from safelight.client.sources import SUFFIXES
from safelight.errors import InputFileError, SafelightError
from safelight.geometry import Rect, Size
from safelight.imaging import metrics
from safelight.imaging.pixels import DocumentArray
from safelight.imaging.srgb import Srgb8, read_srgb8
from safelight.settings import unknown_name
from safelight.spec import PipelineSpec

MEASURES = ("psnr", "ssim", "gmsd")


class Pair(NamedTuple):
    """A picture and its reference."""

    name: str
    lr: Path
    hr: Path


@dataclass(frozen=True)
class Row:
    """One picture: method name to measure name to value."""

    name: str
    values: dict[str, dict[str, float]]


def run(given: argparse.Namespace, console: Console) -> int:
    pairs = list(_pairs(Path(given.lr), Path(given.hr)))
    rows, failed = [], 0
    with RestorationClient.chosen(on_start=lambda: console.say("starting the daemon")) as client:
        specs = {p.spec.id: p.spec for p in client.pipelines()}
        if given.pipeline not in specs:
            raise unknown_name("pipeline", given.pipeline, list(specs))
        with console.progress("evaluate") as bar:
            for number, pair in enumerate(pairs):
                try:
                    row = _measure(pair, given, specs[given.pipeline], client)
                except SafelightError as error:
                    console.error(error, file=str(pair.lr))
                    failed += 1
                    continue
                rows.append(row)
                console.event("picture", name=row.name, **row.values)
                bar.show(stage=row.name, fraction=(number + 1) / len(pairs), tiles_done=0, tiles=0, eta_s=-1)
    if not rows:
        raise InputFileError("no pair could be measured", "NO_PICTURES")
    mean = {m: {k: statistics.fmean(r.values[m][k] for r in rows) for k in MEASURES} for m in rows[0].values}
    baseline = "bicubic" if "bicubic" in mean else "input"
    console.table(_picture_table(rows, given.pipeline, baseline))
    console.table(_mean_table(mean, len(rows)))
    console.event("mean", pictures=len(rows), failed=failed, **mean)
    return 3 if failed else 0


def _pairs(lr_folder: Path, hr_folder: Path) -> Iterator[Pair]:
    for folder in (lr_folder, hr_folder):
        if not folder.is_dir():
            raise InputFileError(f"{folder} is not a folder: name one with pictures", "NO_PICTURES")
    references = {p.stem: p for p in hr_folder.iterdir() if p.suffix.lower() in SUFFIXES}
    found = False
    for lr in sorted(p for p in lr_folder.iterdir() if p.suffix.lower() in SUFFIXES):
        if lr.stem not in references:
            raise InputFileError(
                f"{lr.name} has no reference of the same name in {hr_folder}", "NO_REFERENCE"
            )
        found = True
        yield Pair(lr.stem, lr, references[lr.stem])
    if not found:
        raise InputFileError(f"there are no pictures in {lr_folder}", "NO_PICTURES")


def _measure(pair: Pair, given: argparse.Namespace, spec: PipelineSpec, client: RestorationClient) -> Row:
    lr, hr = read_srgb8(pair.lr), read_srgb8(pair.hr)
    size, target = Size(lr.shape[1], lr.shape[0]), Size(hr.shape[1], hr.shape[0])
    scale = target.width // size.width
    if (size.width * scale, size.height * scale) != target:
        raise InputFileError(
            f"the reference is {target.width} x {target.height}, not a multiple of {size.width} x {size.height}",
            "SIZES_DIFFER",
        )
    settings = settings_of(given, spec, in_place=scale == 1)
    settings = settings.with_values(spec, {"output_scale": scale})
    work = Work(size, Rect.of_size(size), Rect.of_size(size), lr, title=pair.name)
    outputs: dict[str, DocumentArray] = {spec.id: client.restore(work, settings, keep=False).pixels}
    if scale == 1:
        outputs["input"] = lr
    else:
        for name in (Image.Resampling.BICUBIC, Image.Resampling.LANCZOS):
            outputs[name.name.lower()] = np.asarray(Image.fromarray(lr).resize(target, name))
    return Row(pair.name, {method: measures(pixels, hr) for method, pixels in outputs.items()})


def measures(pixels: DocumentArray, reference: Srgb8) -> dict[str, float]:
    return {
        "psnr": float(metrics.psnr_y(pixels, reference)),
        "ssim": float(metrics.ssim_y(pixels, reference)),
        "gmsd": float(metrics.gmsd(pixels, reference)),
    }


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


def _texts(values: dict[str, float]) -> tuple[str, str, str]:
    return f"{values['psnr']:.2f} dB", f"{values['ssim']:.4f}", f"{values['gmsd']:.4f}"
