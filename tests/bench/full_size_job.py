"""Whole jobs of OSEDiff and S3Diff at their real size: real commands, the real daemon, random weights.

python -m tests.bench.full_size_job FOLDER     prints the commands and what they say

FOLDER gets the checkpoints of `full_size` (8.5 GB) and a store into which they are imported (10.6 GB), where they are
not there yet. What random weights draw is no restoration, and the sentinel refuses it: so the daemon here has a
registry of its own, of the same pipelines with thresholds that nothing exceeds. The product has no such setting.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from PIL import Image

from safelight import runtime
from safelight.cli.serve import THREAD_POLICY
from safelight.client import connection
from safelight.engine.checkpoints import store
from safelight.engine.parts import Parts
from safelight.engine.pipelines import registry
from safelight.engine.pipelines.base import Pipeline
from safelight.server.serve import serve
from safelight.spec import SentinelThresholds
from tests.bench.daemons import runtime_folder
from tests.bench.full_size import write_all
from tests.bench.pictures import photo
from tests.fakes.daemon import ROOT, config

DAEMON = [sys.executable, "-m", "tests.bench.full_size_job"]
SAFELIGHT = [sys.executable, "-m", "safelight.cli.main"]
PIPELINES = ("osediff", "s3diff")
FILES = {
    "sd21-base": "sd21-base",
    "osediff": "osediff.pkl",
    "sd-turbo": "sd-turbo",
    "s3diff": "s3diff.pkl",
    "de-net": "de_net.pth",
}
LAX = SentinelThresholds(mean_shift=1e9, low_frequency=1e9)
SIZE = (480, 320)
"""At output scale 2 two tiles per stage."""


def load_osediff(device: torch.device, parts: Parts) -> Pipeline:
    return _lax(registry.default_registry().load("osediff", device, parts))


def load_s3diff(device: torch.device, parts: Parts) -> Pipeline:
    return _lax(registry.default_registry().load("s3diff", device, parts))


def _lax(pipeline: Pipeline) -> Pipeline:
    pipeline.spec = replace(pipeline.spec, sentinel=LAX)
    return pipeline


def lax_registry() -> registry.Registry:
    real = registry.default_registry()
    return registry.Registry(
        replace(entry, loader=f"tests.bench.full_size_job:load_{name}")
        for name in PIPELINES
        for entry in [real.entry(name)]
    )


# -- the transcript ------------------------------------------------------------------------------------


def show(folder: Path) -> None:
    """Everything from import to unload; prints as it goes."""
    import_all(folder)
    picture = _photo(folder, SIZE)
    with _daemon() as process_id:
        command("ps")
        for name in PIPELINES:
            restore(picture, f"{name}.png", name)
            command("ps")
            print(
                f"(highest host memory of the daemon so far: {_status(process_id, 'VmHWM')} MB)\n", flush=True
            )
        restore(picture, "cancelled.png", PIPELINES[0], interrupt_at=("predict", 1))
        command("ps")
        command("unload", PIPELINES[0])
        command("ps")
        command("unload")
        command("ps")


def import_all(folder: Path) -> None:
    if not (folder / "de_net.pth").is_file():
        write_all(folder)
    os.environ[store.CHECKPOINT_DIR_VARIABLE] = str(folder / "job-store")
    for name, file in FILES.items():
        if store.installed_path(name) is None:
            command("models", "import", name, str(folder / file), "--accept-licence")


@contextmanager
def _daemon() -> Iterator[int]:
    """Its process id."""
    os.environ |= {"PYTHONPATH": str(ROOT), **THREAD_POLICY}
    with runtime_folder() as folder:
        os.environ[runtime.RUNTIME_DIR_VARIABLE] = str(folder)
        yield connection.start_daemon(folder, DAEMON).process_id


def command(*words: str) -> None:
    print("$ safelight " + " ".join(words), flush=True)
    done = subprocess.run([*SAFELIGHT, *words], capture_output=True, text=True, env=_wide())
    print(done.stdout + done.stderr, flush=True)


def restore(picture: Path, out: str, pipeline: str, *, interrupt_at: tuple[str, int] | None = None) -> None:
    """With its progress; `interrupt_at` is the stage and tile after which the person presses Ctrl-C."""
    words = ["restore", picture.name, "-o", out, "--pipeline", pipeline, "--force", "--json"]
    print("$ safelight " + " ".join(words), flush=True)
    with subprocess.Popen([*SAFELIGHT, *words], stdout=subprocess.PIPE, text=True, cwd=picture.parent) as run:
        assert run.stdout is not None
        for event in map(json.loads, run.stdout):
            said = _said(event)
            if said:
                print(said, flush=True)
            if interrupt_at == (event.get("stage"), event.get("tiles_done")):
                print("^C", flush=True)
                run.send_signal(signal.SIGINT)
                interrupt_at = None
    print(f"exit code {run.returncode}\n", flush=True)


_told: list[str] = []


def _said(event: dict[str, Any]) -> str:
    """Progress in short, each tile once; the report's figures; anything else as it is."""
    if event["event"] == "progress":
        tiles = f" {event['tiles_done']}/{event['tiles']}" if event["tiles"] else ""
        said = f"  {event['stage']}{tiles}"
        if _told[-1:] == [said]:
            return ""
        _told.append(said)
        eta = "" if event["eta_s"] is None else f", {event['eta_s']:.0f} s to go"
        return f"{said}: {event['fraction']:.0%}{eta}"
    return "  " + json.dumps(event)[:1200]


def _photo(folder: Path, size: tuple[int, int]) -> Path:
    path = folder / f"photo-{size[0]}.jpg"
    Image.fromarray(photo(*size)).save(path, quality=90)
    return path


def _status(process_id: int, name: str) -> int:
    lines = Path(f"/proc/{process_id}/status").read_text().splitlines()
    return next(int(line.split()[1]) // 1024 for line in lines if line.startswith(name))


def _wide() -> dict[str, str]:
    return {**os.environ, "COLUMNS": "120"}


if __name__ == "__main__":
    if len(sys.argv) > 1 and not sys.argv[1].startswith("-"):
        show(Path(sys.argv[1]).absolute())
    else:
        sys.exit(serve(config(runtime.runtime_dir()), lax_registry()))
