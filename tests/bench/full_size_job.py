"""Whole jobs of OSEDiff and S3Diff at their real size: real commands, the real daemon, random weights.

python -m tests.bench.full_size_job FOLDER     prints the commands and what they say

FOLDER gets the checkpoints of `full_size` (8.5 GB) and a store into which they are imported (10.6 GB), where they are
not there yet. What random weights draw is no restoration, and the sentinel refuses it: so the daemon here has a
registry of its own, of the same pipelines with thresholds that nothing exceeds. The product has no such setting.
"""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path

import torch

from safelight import runtime
from safelight.engine.checkpoints import store
from safelight.engine.parts import Parts
from safelight.engine.pipelines import registry
from safelight.engine.pipelines.base import Pipeline
from safelight.server.serve import serve
from safelight.spec import SentinelThresholds
from tests.bench.full_size import write_all
from tests.bench.transcript import command, daemon, photo_in, restore, status_mb
from tests.fakes.daemon import config

DAEMON = [sys.executable, "-m", "tests.bench.full_size_job"]
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
    picture = photo_in(folder, SIZE)
    with daemon(DAEMON) as process_id:
        command("ps")
        for name in PIPELINES:
            restore(picture, f"{name}.png", name)
            command("ps")
            print(
                f"(highest host memory of the daemon so far: {status_mb(process_id, 'VmHWM')} MB)\n",
                flush=True,
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
    import_files(folder, tuple(FILES))


def import_files(folder: Path, names: tuple[str, ...]) -> None:
    """Those of FILES that the folder's store does not have yet."""
    os.environ[store.CHECKPOINT_DIR_VARIABLE] = str(store_in(folder))
    for name in names:
        if store.installed_path(name) is None:
            command("models", "import", name, str(folder / FILES[name]), "--accept-licence")


def store_in(folder: Path) -> Path:
    return folder / "job-store"


if __name__ == "__main__":
    if len(sys.argv) > 1 and not sys.argv[1].startswith("-"):
        show(Path(sys.argv[1]).absolute())
    else:
        sys.exit(serve(config(runtime.runtime_dir()), lax_registry()))
