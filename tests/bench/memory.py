"""Peak memory of the daemon against what the memory law allows: input, result, and a 16-bit canvas.

Each size has a daemon of its own. "base" is its memory after a first tiny job: Python, torch, the network, and
what its kernels allocate once. "named" is input and result at document depth plus the 16-bit canvas of three
channels. "rest" is what remains of the peak: it may grow with the tile, not with the picture. The smallest size
is less than one tile.
"""

from __future__ import annotations

from collections.abc import Sequence

from tests.bench.daemons import serving, settings, whole
from tests.bench.pictures import photo
from tests.bench.tables import Cell, Effort, Table, verdict

BAR = 1.3
SCALE = 4
SIDES, TINY_SIDES = (1024, 1536, 4096), (128,)
"""1536 is one whole tile of 384 px."""
WARM_SIDE = 64
MB = 1e6


def run(effort: Effort) -> list[Table]:
    return [measured("compact", TINY_SIDES if effort.tiny else SIDES)]


def measured(pipeline: str, sides: Sequence[int], program: list[str] | None = None) -> Table:
    """Of results of these sides in px, by a daemon that `program` starts."""
    table = Table(
        f"memory: the daemon's peak for square results, {pipeline}, scale {SCALE}, 8-bit RGB, MB",
        ("result", "base", "peak", "named", "rest", "rest without base", "network input kept"),
        [_row(pipeline, side, program) for side in sides],
    )
    largest = float(table.rows[-1][4] or 0)
    for side, row in zip(sides[:-1], table.rows, strict=False):
        growth = largest / float(row[4] or 1)
        table.notes.append(
            f"the rest grows {growth:.2f} times from {side} to {sides[-1]} (bar {BAR:g}: {verdict(growth, BAR)})"
        )
    return table


def _row(pipeline: str, side: int, program: list[str] | None) -> list[Cell]:
    pixels = photo(side // SCALE, side // SCALE)
    with serving(program) as daemon:
        daemon.client.restore(whole(photo(WARM_SIDE, WARM_SIDE)), settings(pipeline, SCALE))
        base = daemon.peak_bytes / MB
        daemon.client.restore(whole(pixels), settings(pipeline, SCALE))
        peak = daemon.peak_bytes / MB
    named = (pixels.nbytes + 3 * side * side + 6 * side * side) / MB
    kept = 12 * pixels.shape[0] * pixels.shape[1] / MB  # x stays for statistics: float32, three channels
    return [f"{side}x{side}", base, peak, named, peak - named, peak - named - base, kept]
