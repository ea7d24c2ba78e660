"""Kept results through a daemon: a preview patch of 256 px with compact, then the same with other settings, which run
no network; the whole region after it; and what keeping costs a job that is nothing but overhead.

`after upload` is the time from the last byte of the input to the last of the result: hash, look-up and finish.
"""

from __future__ import annotations

import os
import statistics
import time
from dataclasses import replace

import numpy as np

from safelight import runtime
from safelight.geometry import Rect
from safelight.settings import RestoreSettings
from tests.bench.daemons import IDENTITY_COMMAND, Serving, serving, settings, whole
from tests.bench.pictures import Pixels, photo
from tests.bench.tables import Cell, Effort, Table, verdict

SIZES, TINY_SIZES = ((1600, 1200), (6000, 4000)), ((320, 240),)
PATCH_PX = 256
BAR_S = 0.05
CHANGES: dict[str, dict[str, object]] = {
    "less strength": {"strength": 0.5},
    "other bands": {"detail": 0.4, "colour": 0.3},
    "lightness only": {"monochrome": "on"},
    "grain": {"grain": 0.5},
}


def run(effort: Effort) -> list[Table]:
    os.environ.pop(runtime.KEPT_VARIABLE, None)  # the other subjects keep nothing
    sizes = TINY_SIZES if effort.tiny else SIZES
    with serving() as daemon:
        tables = [_patches(daemon, photo(*size), effort) for size in sizes]
    with serving(IDENTITY_COMMAND) as daemon:
        tables.append(_cost(daemon, sizes[-1], effort))
    return tables


def _patches(daemon: Serving, pixels: Pixels, effort: Effort) -> Table:
    height, width = pixels.shape[:2]
    table = Table(
        f"kept: compact, {width}x{height} as one region, 8-bit RGB, median seconds",
        ("call", "network", "all", "upload", "after upload"),
    )
    side = min(PATCH_PX, height)
    patch = Rect((width - side) // 2, (height - side) // 2, side, side)
    plain = settings("compact", 1)
    daemon.client.load("compact")
    daemon.client.restore(whole(pixels[::4, ::4].copy()), plain, keep=False)  # measures precisions
    table.rows.append(_row(daemon, f"patch of {side} px, first", pixels, plain, patch, runs=1))
    after = []
    for name, change in CHANGES.items():
        changed = replace(plain, **change)  # type: ignore[arg-type]
        table.rows.append(_row(daemon, f"the same patch, {name}", pixels, changed, patch, runs=effort.runs))
        if name != "grain":
            after.append(float(table.rows[-1][-1] or 0))
    if len(pixels) <= SIZES[0][1]:
        table.rows.append(_row(daemon, "the whole, patch kept", pixels, plain, None, runs=1))
        for name in ("less strength", "other bands"):
            changed = replace(plain, **CHANGES[name])  # type: ignore[arg-type]
            table.rows.append(_row(daemon, f"the whole, {name}", pixels, changed, None, runs=effort.runs))
    table.notes.append(
        f"bar: a kept patch without grain at most {BAR_S} s after upload: {verdict(max(after), BAR_S)}"
    )
    return table


def _row(
    daemon: Serving, name: str, pixels: Pixels, chosen: RestoreSettings, patch: Rect | None, *, runs: int
) -> list[Cell]:
    alls, uploads = [], []
    for _ in range(runs):
        restored = daemon.client.restore(whole(pixels), chosen, patch=patch)
        alls.append(restored.times_s["last_band"])
        uploads.append(restored.report["upload_s"])
    both = statistics.median(alls), statistics.median(uploads)
    rest = statistics.median(a - u for a, u in zip(alls, uploads, strict=True))
    return [name, str(restored.report["network"]), *both, rest]


def _cost(daemon: Serving, size: tuple[int, int], effort: Effort) -> Table:
    """Noise, so that no two inputs are the same; a pause, so that one run's writing is not the next one's."""
    width, height = size
    table = Table(
        f"kept: a job that returns its input, {width}x{height}, median seconds", ("way", "all", "ratio")
    )
    times: dict[bool, list[float]] = {False: [], True: []}
    for number in range(effort.runs):
        pixels = np.random.default_rng(number).integers(0, 255, (height, width, 3), np.uint8)
        for keep in (False, True):
            restored = daemon.client.restore(whole(pixels), settings("identity", 1), keep=keep)
            times[keep].append(restored.times_s["report"])
            time.sleep(0 if effort.tiny else 2.0)
    ratio = statistics.median(k / n for k, n in zip(times[True], times[False], strict=True))
    table.rows.append(["not kept", statistics.median(times[False]), 1.0])
    table.rows.append(["kept", statistics.median(times[True]), ratio])
    return table
