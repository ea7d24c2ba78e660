"""What `safelight restore` makes of the same samples, to compare with what comes back into GIMP."""

from __future__ import annotations

import io
import os
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
from PIL import Image

from safelight import runtime
from safelight.cli.main import main
from safelight.imaging.files import open_picture, write_picture
from safelight.imaging.pixels import PixelFormat


@dataclass(frozen=True)
class CommandLine:
    """Against the daemon of `runtime_folder`; its files go into `folder`."""

    runtime_folder: Path
    folder: Path

    def run(self, *arguments: object) -> str:
        """In this process: starting another for each of a hundred would take most of the tests' time."""
        told = io.StringIO()
        place = {runtime.RUNTIME_DIR_VARIABLE: str(self.runtime_folder)}
        with patch.dict(os.environ, place), redirect_stdout(told), redirect_stderr(told):
            code = main([str(argument) for argument in arguments])
        assert code == 0, told.getvalue()
        return told.getvalue()

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
