"""What `safelight restore` makes of the same samples, to compare with what comes back into GIMP."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from safelight import runtime
from safelight.imaging.files import open_picture, write_picture
from safelight.imaging.pixels import PixelFormat
from tests.fakes.daemon import ROOT


@dataclass(frozen=True)
class CommandLine:
    """Against the daemon of `runtime_folder`; its files go into `folder`."""

    runtime_folder: Path
    folder: Path

    def run(self, *arguments: object) -> str:
        environ = {**os.environ, runtime.RUNTIME_DIR_VARIABLE: str(self.runtime_folder)}
        command = [sys.executable, "-m", "safelight.cli.main", *map(str, arguments)]
        told = subprocess.run(command, capture_output=True, text=True, env=environ, cwd=ROOT)
        assert told.returncode == 0, told.stderr
        return told.stdout

    def restored(
        self,
        samples: np.ndarray,
        *,
        pipeline: str,
        mask: np.ndarray | None = None,
        icc: bytes = b"",
        linear: bool = False,
        scale: int = 1,
        **settings: Any,
    ) -> np.ndarray:
        """The whole picture; `mask` H W uint8 of it."""
        before, after = self.folder / "before.tif", self.folder / "after.tif"
        write_picture(before, samples, PixelFormat.of(samples, linear=linear), icc=icc)
        more: list[object] = [f"--scale={scale}"]
        if mask is not None:
            Image.fromarray(mask).save(self.folder / "mask.png")
            more += ["--mask", self.folder / "mask.png"]
        for name, value in settings.items():
            more += ["--set", f"{name}={value}"]
        self.run("restore", before, "-o", after, "--pipeline", pipeline, "--force", *more)
        return open_picture(after).read()
