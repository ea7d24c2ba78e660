"""SD-Turbo and S3Diff at their real size, random weights, pulled from a hub on loopback that breaks off once.

python -m tests.bench.full_size_pull FOLDER     prints the commands and what they say

FOLDER gets the checkpoints of `full_size` (8.5 GB) where they are not there yet, and for the time of the run a store of
5.4 GB.
"""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
from pathlib import Path
from unittest import mock

import numpy as np

from safelight.cli.serve import THREAD_POLICY
from safelight.client import connection
from safelight.engine.checkpoints import catalogue, store
from tests.bench.full_size import write_all
from tests.bench.transcript import command, daemon
from tests.fakes.hub import hub

NAMES = ("sd-turbo", "s3diff")
LARGEST = "stabilityai/sd-turbo/unet/diffusion_pytorch_model.safetensors"
BREAK_BYTES = 1_000_000_000


def served(folder: Path) -> dict[str, np.memmap]:
    """`owner/name/path` of the catalogue's files that FOLDER has, mapped."""
    files = {}
    for name in NAMES:
        entry = catalogue.entry(name)
        (repository,) = (source.where for source in entry.sources if source.place == "hub")
        for file in entry.files:
            path = folder / name / file.name if name == "sd-turbo" else folder / file.name
            if path.is_file():
                files[f"{repository}/{file.name}"] = np.memmap(path, np.uint8, "r")
    return files


def show(folder: Path) -> None:
    if not (folder / "de_net.pth").is_file():
        write_all(folder)
    with hub(served(folder)) as there, tempfile.TemporaryDirectory(dir=folder) as place:
        there.breaks[LARGEST] = [BREAK_BYTES]
        there.tags |= {path: hashlib.sha256(data).hexdigest() for path, data in there.files.items()}
        found = {store.CHECKPOINT_DIR_VARIABLE: place, **there.environment, **THREAD_POLICY}
        with mock.patch.dict(os.environ, found), daemon(connection.auto_command()):
            command("models", "pull", *NAMES, "--accept-licence")
            command("models", "pull", *NAMES, "--accept-licence")
            command("models", "verify")
        print(f"asked for {LARGEST}: from byte {[first for path, first in there.ranges if path == LARGEST]}")


if __name__ == "__main__":
    show(Path(sys.argv[1]).absolute())
