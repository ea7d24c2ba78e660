"""`safelight restore photo.jpg -o out.png --scale 4` as a person types it: the daemon not running, then warm."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from safelight import runtime
from safelight.imaging.files import write_picture
from safelight.imaging.pixels import PixelFormat
from tests.bench.daemons import runtime_folder
from tests.bench.pictures import photo
from tests.bench.tables import Cell, Effort, Table

SIZE, TINY_SIZE = (512, 512), (48, 32)
IMPORTS = {
    "python -c pass": "pass",
    "import the command line": "import safelight.cli.restore",
    "import torch (in the daemon)": "import torch",
}


def run(effort: Effort) -> list[Table]:
    pixels = photo(*(TINY_SIZE if effort.tiny else SIZE))
    table = Table(
        f"command: safelight restore, {pixels.shape[1]}x{pixels.shape[0]} JPEG to PNG, scale 4, seconds",
        ("daemon", "wall", "process", "read", "upload", "load and measure", "stages", "write"),
        notes=[
            "process: everything outside the command's own work: Python, imports, finding or starting the daemon"
        ],
    )
    with tempfile.TemporaryDirectory() as folder, runtime_folder() as runtime_dir:
        photo_file = Path(folder) / "photo.jpg"
        write_picture(photo_file, pixels, PixelFormat.of(pixels))
        for number in range(1 if effort.tiny else effort.runs + 1):
            name = f"warm {number}" if number else "not running"
            table.rows.append(_row(name, photo_file, Path(folder) / f"out{number}.png", runtime_dir))
    return [table, _imports(effort)]


def _row(name: str, source: Path, target: Path, runtime_dir: Path) -> list[Cell]:
    command = [sys.executable, "-m", "safelight.cli.main", "restore", str(source), "-o", str(target)]
    command += ["--scale", "4", "--json"]
    environment = {**os.environ, runtime.RUNTIME_DIR_VARIABLE: str(runtime_dir)}
    started = time.perf_counter()
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    wall = time.perf_counter() - started
    (event,) = (e for e in map(json.loads, done.stdout.splitlines()) if e.get("event") == "done")
    seconds, stages = event["seconds"], event["report"]["stages_s"]
    measure = stages.get("measure", 0.0)
    computing = sum(stages.values()) - measure
    before = seconds["last_band"] - seconds["accepted"] - computing
    return [
        name, wall, wall - seconds["all"], seconds["read"], seconds["accepted"], before, computing, seconds["write"],
    ]  # fmt: skip


def _imports(effort: Effort) -> Table:
    rows: list[list[Cell]] = []
    for name, code in list(IMPORTS.items())[: 1 if effort.tiny else None]:
        times = []
        for _ in range(1 if effort.tiny else 3):
            started = time.perf_counter()
            subprocess.run([sys.executable, "-c", code], check=True)
            times.append(time.perf_counter() - started)
        rows.append([name, min(times)])
    return Table("command: what starting costs, best", ("what", "seconds"), rows)
