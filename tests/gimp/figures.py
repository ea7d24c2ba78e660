"""Measures the plug-in in a real GIMP: `python -m tests.gimp.figures [NAME...] [--runs N]`.

    overhead   a selection of 2 megapixels through GIMP, plug-in, bridge and daemon, beside `safelight restore` of the
               same samples; once with a pipeline that computes and once with one that returns its input
    dialog     from the keys that choose the menu entry until the dialog has asked for its first preview, which it
               does when all controls are there; with a daemon that runs and with none
    transfer   24 megapixels from GIMP into the bridge, through the daemon and back

The last table says how busy the machine was.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image

from safelight import runtime
from safelight.client.restoration import RestorationClient
from safelight.imaging.files import write_picture
from safelight.imaging.pixels import PixelFormat
from tests.bench.daemons import IDENTITY_COMMAND
from tests.bench.machine import facts, load_note
from tests.bench.pictures import photo
from tests.bench.tables import Cell, Table
from tests.fakes.daemon import COMMAND, ROOT, daemon_process, ended, short_folder
from tests.fakes.waiting import until
from tests.gimp import timed_bridge
from tests.gimp.found import NOTHING, FoundGimp, found, missing_for_screen
from tests.gimp.home import installed
from tests.gimp.screen import RESTORE, Screen, open_gimp, screen
from tests.gimp.session import GimpSession, session

WHOLE, SELECTED = (2400, 1800), (1632, 1224)
LARGE = (6000, 4000)
TITLE = r"^Restore Region \(Safelight\)"
WAIT_S = 300.0

Times = list[tuple[float, str, int]]


def overhead(gimp: FoundGimp, home: Path, runs: int) -> Table:
    title = f"overhead: {SELECTED[0]}x{SELECTED[1]} of {WHOLE[0]}x{WHOLE[1]}, 8-bit RGB, warm daemon, medians"
    table = Table(title, ("pipeline", "GIMP s", "command s", "difference s"))
    left, top = (WHOLE[0] - SELECTED[0]) // 2, (WHOLE[1] - SELECTED[1]) // 2
    box = [left, top, *SELECTED]
    pixels = photo(*WHOLE)
    with short_folder() as folder, daemon_process(folder, COMMAND) as daemon:
        variables = {runtime.RUNTIME_DIR_VARIABLE: str(daemon.folder)}
        before, after = folder / "before.tif", folder / "after.tif"
        write_picture(before, pixels, PixelFormat.of(pixels))
        with session(gimp, home, **variables) as opened:
            image, layer = opened.image(pixels)
            opened("select", image=image, shape="rectangle", box=box)
            for pipeline in ("compact", "identity"):
                command = [
                    sys.executable,
                    "-m",
                    "safelight.cli.main",
                    "restore",
                    str(before),
                    "-o",
                    str(after),
                ]
                command += ["--pipeline", pipeline, "--force", "--region", ",".join(map(str, box))]
                ways: tuple[Callable[[], object], ...] = (
                    lambda name=pipeline: opened.restored(image, layer, pipeline=name),  # type: ignore[misc]
                    lambda told=command: subprocess.run(  # type: ignore[misc]
                        told, check=True, capture_output=True, env={**os.environ, **variables}, cwd=ROOT
                    ),
                )
                for way in ways:
                    way()
                pairs = [[_seconds(way) for way in ways] for _ in range(runs)]
                one, other = (statistics.median(column) for column in zip(*pairs, strict=True))
                differences = statistics.median(pair[0] - pair[1] for pair in pairs)
                table.rows.append([pipeline, one, other, differences])
    return table


def dialog(gimp: FoundGimp, home: Path, runs: int) -> Table:
    table = Table(
        "dialog: from the menu entry to a filled dialog", ("daemon", "window s", "filled s", "runs")
    )
    if missing := missing_for_screen(gimp):
        table.notes.append(f"not measured, {', '.join(missing)} not found")
        return table
    picture = home / "picture.png"
    Image.fromarray(photo(600, 400)).save(picture)
    with short_folder() as folder, screen(gimp, home) as shown:
        variables = {runtime.RUNTIME_DIR_VARIABLE: str(folder)}
        try:
            with open_gimp(shown, picture, **variables) as (_, window):
                for kind in ("running", "none"):
                    times = []
                    for _ in range(runs + 1):  # the first one reads files that later ones find in memory
                        if kind == "none":
                            ended(folder)
                        times.append(_opening(shown, window, folder))
                    shown_s, filled_s = (statistics.median(column) for column in zip(*times[1:], strict=True))
                    table.rows.append([kind, shown_s, filled_s, runs])
        finally:
            ended(folder)
    return table


def _opening(shown: Screen, window: str, folder: Path) -> tuple[float, float]:
    """Seconds until the dialog's window is there, and until the daemon has its first preview."""
    before = _previews(folder)
    shown.activate(window)
    started = time.monotonic()
    shown.keys(*RESTORE)
    made = shown.wait(TITLE)
    shown_s = time.monotonic() - started
    until(lambda: _previews(folder) - before, within_s=WAIT_S)
    filled_s = time.monotonic() - started
    shown.activate(made)
    shown.keys("Escape")
    shown.wait_gone(TITLE)
    return shown_s, filled_s


def _previews(folder: Path) -> set[str]:
    if runtime.read_info(folder) is None or not runtime.daemon_alive(folder):
        return set()
    with RestorationClient.local(folder, start=False) as client:
        return {job.job_id for job in client.jobs()}


def transfer(gimp: FoundGimp, home: Path, runs: int) -> Table:
    columns = (
        "samples",
        "MB",
        "GIMP to bridge MB/s",
        "daemon, both ways s",
        "to GIMP MB/s",
        "new layer s",
        "whole s",
    )
    table = Table(
        f"transfer: {LARGE[0]}x{LARGE[1]}, RGB, a pipeline that returns its input, medians", columns
    )
    pixels = photo(*LARGE)
    with (
        tempfile.TemporaryDirectory() as kept,
        short_folder() as folder,
        daemon_process(folder, IDENTITY_COMMAND) as daemon,
    ):
        log = Path(kept) / "times"
        variables = {
            runtime.RUNTIME_DIR_VARIABLE: str(daemon.folder),
            "SAFELIGHT_BRIDGE": json.dumps([sys.executable, timed_bridge.__file__]),
            timed_bridge.VARIABLE: str(log),
        }
        for name, samples in (("u8", pixels), ("float", pixels.astype(np.float32) / 255)):
            with session(gimp, home, **variables) as opened:
                image, layer = opened.image(samples)
                rows = [_passed(opened, image, layer, log, samples.nbytes) for _ in range(runs)]
            medians: list[Cell] = [statistics.median(column) for column in zip(*rows, strict=True)]
            table.rows.append([name, round(samples.nbytes / 1e6), *medians])
    return table


def _passed(opened: GimpSession, image: int, layer: int, log: Path, count: int) -> tuple[float, ...]:
    log.unlink(missing_ok=True)
    started = time.monotonic()
    made = opened.restored(image, layer, pipeline="identity")
    whole = time.monotonic() - started
    opened("remove_layer", item=made)
    times: Times = [tuple(json.loads(line)) for line in log.read_text().splitlines()]  # type: ignore[misc]
    words = [word for _, word, _ in times]
    at = [when for when, _, _ in times]
    document, restore = words.index("document"), words.index("restore")
    first_out = words.index("rows", restore)
    forget = words.index("forget")
    sent = at[words.index("result", document)] - at[document]
    received = at[words.index("result", first_out)] - at[first_out - 1]
    daemon_s = at[first_out - 1] - at[restore]
    return count / 1e6 / sent, daemon_s, count / 1e6 / received, started + whole - at[forget], whole


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


SUBJECTS = {"overhead": overhead, "dialog": dialog, "transfer": transfer}


@contextmanager
def _gimp_at_home() -> Iterator[tuple[FoundGimp, Path]]:
    gimp = found()
    if gimp is None:
        sys.exit(NOTHING)
    with installed(gimp) as home:
        yield gimp, home


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.gimp.figures")
    parser.add_argument("subjects", nargs="*", metavar="NAME", help=f"of {', '.join(SUBJECTS)}; all without")
    parser.add_argument("--runs", type=int, default=5, metavar="N")
    given = parser.parse_args()
    print(" | ".join(f"{name} {value}" for name, value in facts().items()))
    with _gimp_at_home() as (gimp, home):
        print(f"GIMP {gimp.version}")
        for name in given.subjects or SUBJECTS:
            print(SUBJECTS[name](gimp, home, given.runs).text)
            print(load_note(), flush=True)


if __name__ == "__main__":
    main()
