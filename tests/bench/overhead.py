"""What a job costs beside its stages: wire, queue, threads, copies. Scale 2 on 2 megapixels of 8-bit RGB.

Overhead is the time from the client's first byte to its last band minus the sum of the stage times in the
report. Starting the daemon, and reading and writing files, are listed apart.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from safelight.imaging.files import open_picture, write_picture
from safelight.imaging.pixels import PixelFormat
from tests.bench.daemons import Serving, serving, settings, whole
from tests.bench.pictures import Pixels, photo
from tests.bench.tables import Effort, Table, best_and_median, verdict

BAR = 0.10
SIZE, TINY_SIZE = (1632, 1224), (96, 64)
STAGES = ("prepare", "condition", "measure", "encode", "predict", "decode", "finish")


def run(effort: Effort) -> list[Table]:
    pixels = photo(*(TINY_SIZE if effort.tiny else SIZE))
    table = Table(
        f"overhead: scale 2 on {pixels.shape[0] * pixels.shape[1] / 1e6:.2f} MP, 8-bit RGB, Unix socket",
        (
            "request",
            "first byte to last band s",
            "stages s",
            "overhead s",
            "share %",
            "upload s",
            "measure s",
        ),
    )
    with serving() as daemon:
        rows = [_row("cold, loads the network", daemon, pixels)]
        rows += [_row(f"warm {number}", daemon, pixels) for number in range(1, effort.runs + 1)]
    table.rows = rows
    shares = [float(row[4]) / 100 for row in rows[1:]]
    best, median = best_and_median(shares)
    table.notes.append(
        f"bar: at most {100 * BAR:.0f} % of the whole; warm best {100 * float(best):.2f} %, "
        f"median {100 * float(median):.2f} %: {verdict(float(median), BAR)}"
    )
    return [table, _apart(pixels, daemon.start_s)]


def _row(name: str, daemon: Serving, pixels: Pixels) -> list[str | float]:
    restored = daemon.client.restore(whole(pixels), settings("compact", 2))
    stages = restored.report["stages_s"]
    assert set(stages) <= set(STAGES), stages
    total, computing = restored.times_s["last_band"], sum(stages.values())
    over = total - computing
    upload = restored.times_s["accepted"]
    return [name, total, computing, over, 100 * over / total, upload, stages.get("measure", 0.0)]


def _apart(pixels: Pixels, start_s: float) -> Table:
    table = Table(
        "overhead: listed apart", ("what", "seconds"), [["daemon process start to first answer", start_s]]
    )
    height, width = pixels.shape[:2]
    result = photo(2 * width, 2 * height)
    with tempfile.TemporaryDirectory() as folder:
        for suffix in (".jpg", ".png"):
            small, large = Path(folder) / f"small{suffix}", Path(folder) / f"large{suffix}"
            picture = open_picture(_written(small, pixels))
            table.rows.append([f"read {width}x{height} {suffix}", _timed(picture.read)])
            table.rows.append(
                [f"write {2 * width}x{2 * height} {suffix}", _timed(lambda to=large: _written(to, result))]
            )
    return table


def _written(path: Path, pixels: Pixels) -> Path:
    write_picture(path, pixels, PixelFormat.of(pixels))
    return path


def _timed(work: object) -> float:
    started = time.perf_counter()
    work()  # type: ignore[operator]
    return time.perf_counter() - started
