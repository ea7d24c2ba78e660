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

import numpy as np
from PIL import Image
from rich.table import Table

from safelight.cli.console import Console
from safelight.cli.sources import SUFFIXES
from safelight.cli.values import settings_of
from safelight.client.restoration import RestorationClient, Work
from safelight.errors import InputFileError, SafelightError
from safelight.geometry import Rect, Size
from safelight.imaging import metrics
from safelight.imaging.srgb import read_srgb8
from safelight.settings import unknown_name

MEASURES = ("psnr", "ssim", "gmsd")


@dataclass(frozen=True)
class Row:
    """One picture: method name to measure name to value."""

    name: str
    values: dict[str, dict[str, float]]


def run(given: argparse.Namespace, console: Console) -> int:
    pairs = list(_pairs(Path(given.lr), Path(given.hr)))
    rows, failed = [], 0
    with RestorationClient.local(on_start=lambda: console.say("starting the daemon")) as client:
        specs = {p.spec.id: p.spec for p in client.pipelines()}
        if given.pipeline not in specs:
            raise unknown_name("pipeline", given.pipeline, list(specs))
        with console.progress("evaluate") as bar:
            for number, (name, lr, hr) in enumerate(pairs):
                try:
                    row = _measure(name, lr, hr, given, specs[given.pipeline], client)
                except SafelightError as error:
                    console.error(error, file=name)
                    failed += 1
                    continue
                rows.append(row)
                console.event("picture", name=name, **row.values)
                bar.show(stage=name, fraction=(number + 1) / len(pairs), tiles_done=0, tiles=0, eta_s=-1)
    if not rows:
        raise InputFileError("no pair could be measured", "NO_PICTURES")
    mean = {m: {k: statistics.fmean(r.values[m][k] for r in rows) for k in MEASURES} for m in rows[0].values}
    console.table(_table(rows, mean))
    console.event("mean", pictures=len(rows), failed=failed, **mean)
    return 3 if failed else 0


def _pairs(lr_folder: Path, hr_folder: Path) -> Iterator[tuple[str, Path, Path]]:
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
        yield lr.stem, lr, references[lr.stem]
    if not found:
        raise InputFileError(f"there are no pictures in {lr_folder}", "NO_PICTURES")


def _measure(name, lr_path, hr_path, given, spec, client) -> Row:  # type: ignore[no-untyped-def]
    lr, hr = read_srgb8(lr_path), read_srgb8(hr_path)
    size = Size(lr.shape[1], lr.shape[0])
    scale = hr.shape[1] // size.width
    if (size.width * scale, size.height * scale) != (hr.shape[1], hr.shape[0]):
        raise InputFileError(
            f"{name}: the reference is {hr.shape[1]} x {hr.shape[0]}, not a multiple of {size.width} x {size.height}",
            "SIZES_DIFFER",
        )
    given.scale = scale
    settings = settings_of(given, spec, in_place=scale == 1)
    work = Work(size, Rect.of_size(size), Rect.of_size(size), lr, title=name)
    restored = client.restore(work, settings).pixels
    outputs = {spec.id: restored}
    if scale > 1:
        picture, target = Image.fromarray(lr), (hr.shape[1], hr.shape[0])
        outputs["bicubic"] = np.asarray(picture.resize(target, Image.Resampling.BICUBIC))
        outputs["lanczos"] = np.asarray(picture.resize(target, Image.Resampling.LANCZOS))
    else:
        outputs["input"] = lr
    return Row(name, {method: measures(pixels, hr) for method, pixels in outputs.items()})


def measures(pixels: np.ndarray, reference: np.ndarray) -> dict[str, float]:
    return {
        "psnr": float(metrics.psnr_y(pixels, reference)),
        "ssim": float(metrics.ssim_y(pixels, reference)),
        "gmsd": float(metrics.gmsd(pixels, reference)),
    }


def _table(rows: list[Row], mean: dict[str, dict[str, float]]) -> Table:
    methods = list(mean)
    table = Table("picture", *(f"{m} {k}" for m in methods for k in MEASURES))
    for row in [*rows, Row("mean", mean)]:
        table.add_row(row.name, *(f"{row.values[m][k]:.4f}" for m in methods for k in MEASURES))
    return table
