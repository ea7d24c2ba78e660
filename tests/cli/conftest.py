import json
import shutil
import tempfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from skimage import data

from safelight import runtime
from safelight.cli.main import main
from tests.fakes.daemon import serving


@pytest.fixture(scope="package")
def daemon_folder():
    """The runtime folder of a daemon with fake pipelines beside `compact`."""
    folder = Path(tempfile.mkdtemp(prefix="sl-"))
    with serving(folder):
        yield folder
    shutil.rmtree(folder, ignore_errors=True)


class Run:
    """What a command gave."""

    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err

    @property
    def last_line(self):
        return self.err.strip().splitlines()[-1]

    @property
    def events(self):
        return [json.loads(line) for line in self.out.splitlines()]

    def event(self, name):
        return next(e for e in self.events if e["event"] == name)


@pytest.fixture
def safelight(daemon_folder, monkeypatch, capsys):
    """Runs one command against that daemon."""
    monkeypatch.setenv(runtime.RUNTIME_DIR_VARIABLE, str(daemon_folder))

    def run(*arguments):
        capsys.readouterr()
        try:
            code = main([str(a) for a in arguments])
        except SystemExit as end:  # argparse
            code = end.code
        said = capsys.readouterr()
        return Run(code, said.out, said.err)

    return run


@pytest.fixture(scope="session")
def photo():
    """A real photo, 96 x 64, H W 3 uint8."""
    return np.ascontiguousarray(data.coffee()[100:164, 200:296])


@pytest.fixture
def photo_png(tmp_path, photo):
    path = tmp_path / "photo.png"
    Image.fromarray(photo).save(path)
    return path
