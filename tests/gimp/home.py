"""A home folder with the plug-in in its GIMP, put there by our own command."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.fakes.daemon import short_folder
from tests.gimp.found import FoundGimp, environment


@contextmanager
def installed(gimp: FoundGimp) -> Iterator[Path]:
    """GIMP was started once in it."""
    with short_folder() as folder:
        programs = folder / "bin"
        programs.mkdir()
        console = programs / "gimp-console"
        console.write_text('#!/bin/sh\nexec {} "$@"\n'.format(" ".join([*gimp.prefix, gimp.console])))
        console.chmod(0o755)
        environ = environment(HOME=str(folder))
        environ["PATH"] = f"{programs}{os.pathsep}{environ['PATH']}"
        command = [sys.executable, "-m", "safelight.cli.main", "gimp", "install"]
        told = subprocess.run(command, capture_output=True, text=True, env=environ, cwd=folder)
        assert told.returncode == 0, told.stderr
        yield folder
