"""Real daemon processes for measuring, each in a runtime folder of its own, ended on leaving.

python -m tests.bench.daemons     serves the identity pipeline in SAFELIGHT_RUNTIME_DIR
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import psutil

from safelight import runtime
from safelight.client import connection
from safelight.client.restoration import RestorationClient, Work
from safelight.engine.pipelines.registry import Entry, Registry
from safelight.geometry import Rect, Size
from safelight.imaging.pixels import DocumentArray
from safelight.server.serve import serve
from safelight.settings import RestoreSettings
from safelight.spec import StageTiling
from tests.fakes.daemon import ROOT, config
from tests.fakes.pipelines import ONE_STAGE, identity

LARGE_TILES = replace(ONE_STAGE, stages={"decode": StageTiling(tile=1024, overlap=16)})
IDENTITY_COMMAND = [sys.executable, "-m", "tests.bench.daemons"]


@dataclass(frozen=True)
class Serving:
    """A running daemon."""

    client: RestorationClient
    folder: Path
    process: psutil.Process
    start_s: float
    """From starting the process until the client had its first answer."""

    @property
    def peak_bytes(self) -> int:
        """Largest resident memory so far; Linux only."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        (line,) = (line for line in status.splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024


@contextmanager
def runtime_folder() -> Iterator[Path]:
    """A short one: socket paths are limited. Its daemon, if there is one, is ended on leaving."""
    folder = Path(tempfile.mkdtemp(prefix="sl-"))
    try:
        yield folder
    finally:
        if (info := runtime.read_info(folder)) is not None:
            process = psutil.Process(info.process_id)
            process.terminate()
            process.wait(30)
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def serving(command: list[str] | None = None) -> Iterator[Serving]:
    """The real daemon, or the one that `command` starts."""
    with runtime_folder() as folder, _importable():
        started = time.perf_counter()
        info = connection.start_daemon(folder, command or connection.auto_command())
        with RestorationClient.local(folder, start=False) as client:
            seconds = time.perf_counter() - started
            yield Serving(client, folder, psutil.Process(info.process_id), seconds)


@contextmanager
def _importable() -> Iterator[None]:
    """Child processes find `tests`."""
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = str(ROOT)
    try:
        yield
    finally:
        if before is None:
            del os.environ["PYTHONPATH"]
        else:
            os.environ["PYTHONPATH"] = before


def whole(pixels: DocumentArray) -> Work:
    """All of a picture as one region."""
    size = Size(pixels.shape[1], pixels.shape[0])
    return Work(document=size, sent=Rect.of_size(size), region=Rect.of_size(size), pixels=pixels)


def settings(pipeline: str, scale: int) -> RestoreSettings:
    return RestoreSettings(pipeline, output_scale=scale, colour=1.0, monochrome="off")


def load_identity(device: object, parts: object) -> object:
    return identity(spec=LARGE_TILES)


if __name__ == "__main__":
    entry = Entry(LARGE_TILES, "tests.bench.daemons:load_identity", lambda: True)
    kept_folder = None if runtime.kept_megabytes() == 0 else runtime.kept_dir()
    sys.exit(serve(config(runtime.runtime_dir(), kept_folder=kept_folder), Registry([entry])))
