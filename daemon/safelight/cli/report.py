"""`safelight report`: where a result contradicts its input, what it invented, where several results disagree."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from safelight.cli.console import Console
from safelight.cli.values import region_of
from safelight.client.replay import settings_again, work_again
from safelight.client.restoration import RestorationClient, Work
from safelight.errors import InvalidRequest, OutputFileError
from safelight.geometry import Rect, Size
from safelight.imaging.faithfulness import colours_of, faithfulness, spread, spread_numbers
from safelight.imaging.files import PictureFile, open_picture, write_picture
from safelight.imaging.overlay import overlay, plane8, sheet
from safelight.imaging.pixels import DocumentArray, FloatArray, PixelFormat, Sample
from safelight.imaging.record import read_operations
from safelight.imaging.srgb import Srgb8
from safelight.imaging.verification import recorded_mask
from safelight.imaging.xmp import XmpDamaged
from safelight.settings import RestoreSettings, default_settings, unknown_name

SEEDS_MOST = 16


@dataclass(frozen=True)
class Compared:
    """The part of the input that was restored, and the same part of the result, `scale` times as large."""

    before: DocumentArray
    after: DocumentArray
    region: Rect
    """In pixels of the input."""
    place: Rect
    """Of `after` in the result."""

    @property
    def scale(self) -> int:
        return self.place.width // self.region.width


def run(given: argparse.Namespace, console: Console) -> int:
    result, original = open_picture(given.result), open_picture(given.original)
    if given.seeds is not None and not 2 <= given.seeds <= SEEDS_MOST:
        raise InvalidRequest(
            f"--seeds {given.seeds} is out of range: give 2 to {SEEDS_MOST}", "SETTING_OUT_OF_RANGE"
        )
    targets = _targets(given, result.path.stem)
    operations, before = _operations(result), original.read()
    compared = _compared(given.region, operations, before, result.read(), result)
    x = colours_of(original.format, original.icc)(compared.before)
    y = colours_of(result.format, result.icc)(compared.after)
    channels = max(x.shape[2], y.shape[2])
    x, y = _widened(x, channels), _widened(y, channels)
    found = faithfulness(x, y)
    maps = {"contradiction": found.contradiction, "invention": found.invention}
    numbers = found.numbers()
    others = [_widened(o, channels) for o in _others(given, console, operations, original, before, compared)]
    if others:
        maps["spread"] = spread([y, *others], compared.scale)
        numbers.update(spread_numbers(maps["spread"]))
        numbers["spread_results"] = len(others) + 1
    planes = {name: plane8(name, plane) for name, plane in maps.items()}
    for name, plane in planes.items():
        shown = np.zeros((result.size.height, result.size.width, 4), np.uint8)
        shown[compared.place.slices] = overlay(name, plane, compared.place.size)
        _write(targets[name], shown)
    lines = _lines(result.path.name, original.path.name, numbers)
    seen: Srgb8 = np.clip(np.rint(_widened(y, 3) * 255), 0, 255).astype(np.uint8)
    _write(targets["report"], np.asarray(sheet(seen, planes, lines)))
    for line in lines:
        console.result(line)
    written = [str(targets[name]) for name in (*planes, "report")]
    console.say(f"wrote {', '.join(written)}")
    console.event(
        "reported", result=str(result.path), original=str(original.path), region=list(compared.region),
        scale=compared.scale, numbers=numbers, files=written,
    )  # fmt: skip
    return 0


def _targets(given: argparse.Namespace, stem: str) -> dict[str, Path]:
    """Files by map, and the sheet's; nothing of it is there yet, or may be replaced."""
    folder = Path(given.output or ".")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputFileError(
            f"the folder {folder} cannot be made ({error.strerror}): name another", "FOLDER_MISSING"
        ) from None
    names = ["contradiction", "invention", "report"]
    if given.seeds is not None or given.pipelines or given.others:
        names.append("spread")
    targets = {name: folder / f"{stem}-{name}.png" for name in names}
    for target in targets.values():
        if target.exists() and not given.force:
            raise OutputFileError(
                f"{target} is there already: name another folder, or give --force", "OUTPUT_EXISTS"
            )
    return targets


def _widened(plane: FloatArray, channels: int) -> FloatArray:
    """Grey as RGB, where that is wanted."""
    return plane if plane.shape[2] == channels else np.repeat(plane, channels, axis=2)


def _operations(result: PictureFile) -> list[dict[str, Any]]:
    """Of its record; none where there is none that can be read."""
    try:
        return read_operations(result.metadata.xmp)
    except XmpDamaged:
        return []


def _compared(
    chosen: str | None,
    operations: list[dict[str, Any]],
    before: DocumentArray,
    after: DocumentArray,
    result: PictureFile,
) -> Compared:
    document = Size(before.shape[1], before.shape[0])
    whole = Rect.of_size(document)
    if chosen:
        region = region_of(chosen, document)
    else:
        boxes = [Rect(*o["region"]) for o in operations if list(document) == o.get("document")]
        region = boxes[-1].intersect(whole) if boxes else whole
        if boxes and after.shape[:2] == before.shape[:2]:  # in place: all that was restored
            region = Rect.from_edges(
                min(b.x for b in boxes),
                min(b.y for b in boxes),
                max(b.right for b in boxes),
                max(b.bottom for b in boxes),
            ).intersect(whole)
    for part, alone in ((region, False), (region, True)):
        size = part.size if alone else document
        scale = after.shape[1] // size.width
        if scale and (size.height * scale, size.width * scale) == after.shape[:2]:
            place = Rect.of_size(result.size) if alone else part.times(scale)
            return Compared(before[part.slices], after[place.slices], part, place)
    raise InvalidRequest(
        f"the result has {after.shape[1]} x {after.shape[0]} pixels and the original {document.width} x "
        f"{document.height}: "
        "it must be as large, or a whole number of times as large, or --region must say which part it is",
        "SIZES_DIFFER",
    )


def _others(
    given: argparse.Namespace,
    console: Console,
    operations: list[dict[str, Any]],
    original: PictureFile,
    before: DocumentArray,
    compared: Compared,
) -> Iterator[Any]:
    """Encoded results of the same part, beside the one that is looked at."""
    for name in given.others:
        other = open_picture(name)
        pixels = other.read()
        place = compared.place if pixels.shape[:2] != compared.after.shape[:2] else Rect.of_size(other.size)
        part = pixels[place.slices]
        if part.shape[:2] != compared.after.shape[:2]:
            raise InvalidRequest(f"{name} has another size than the result", "SIZES_DIFFER")
        yield colours_of(other.format, other.icc)(part)
    if given.seeds is None and given.pipelines is None:
        return
    encode = colours_of(original.format, original.icc)
    with RestorationClient.chosen(on_start=lambda: console.say("starting the daemon")) as client:
        specs = {p.spec.id: p.spec for p in client.pipelines()}
        runs: list[tuple[Work, RestoreSettings]] = []
        if given.seeds is not None:
            ours = [o for o in operations if Rect(*o["region"]) == compared.region]
            if not ours:
                raise InvalidRequest(
                    "--seeds needs a result whose record says how it was made, and no other --region",
                    "RECORD_MISSING",
                )
            spec = specs.get(str(ours[-1]["pipeline"]))
            if spec is None:
                raise unknown_name("pipeline", str(ours[-1]["pipeline"]), list(specs))
            settings = settings_again(ours[-1], spec)
            work = work_again(1, ours[-1], original, before, recorded_mask(ours[-1]))
            runs = [(work, replace(settings, seed=settings.seed + n)) for n in range(1, given.seeds)]
        for name in (given.pipelines or "").split(",") if given.pipelines else ():
            if name.strip() not in specs:
                raise unknown_name("pipeline", name.strip(), list(specs))
            spec = specs[name.strip()]
            settings = default_settings(spec, in_place=compared.scale == 1)
            settings = settings.with_values(spec, {"output_scale": compared.scale})
            runs.append((_whole_work(original, before, compared.region), settings))
        with console.progress("other results") as bar:
            for number, (work, settings) in enumerate(runs):
                bar.show(
                    stage=settings.pipeline, fraction=number / len(runs), tiles_done=0, tiles=0, eta_s=-1
                )
                restored = client.restore(work, settings, keep=False)
                yield encode(restored.pixels)


def _whole_work(original: PictureFile, before: DocumentArray, region: Rect) -> Work:
    return Work(
        document=original.size,
        sent=Rect.of_size(original.size),
        region=region,
        pixels=before,
        icc=original.icc,
        linear=original.format.linear,
        title=f"report of {original.path.name}",
    )


def _lines(result: str, original: str, numbers: dict[str, float]) -> list[str]:
    n = numbers
    lines = [
        f"{result} against {original}: the input resolves {100 * n['resolution']:.0f} % of its sampling, its noise is "
        f"{n['noise_levels']:.1f} of 255; a blur of {n['blur_px']:g} px brings the result closest to it",
        f"contradiction: {n['contradiction_mean']:.2f} of 255 in the mean, 5 % of the pixels above "
        f"{n['contradiction_p95']:.1f}, {100 * n['contradiction_share']:.2f} % clearly (above 4)",
        f"invention: {n['invention_mean']:.2f} of the local contrast in the mean, 5 % of the pixels above "
        f"{n['invention_p95']:.2f}, {100 * n['invention_share']:.2f} % clearly (above 0.5)",
    ]
    if "spread_mean" in n:
        lines.append(
            f"spread of {n['spread_results']:.0f} results: {n['spread_mean']:.2f} of 255 in the mean, 5 % of the "
            f"pixels above {n['spread_p95']:.1f}, {100 * n['spread_share']:.2f} % clearly (above 4)"
        )
    return lines


def _write(target: Path, pixels: DocumentArray) -> None:
    write_picture(target, pixels, PixelFormat(3, pixels.shape[2] == 4, Sample.U8))
