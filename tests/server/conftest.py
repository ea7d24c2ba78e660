import shutil
import tempfile
from pathlib import Path

import pytest

from tests.fakes.daemon import serving


@pytest.fixture(scope="session")
def short_folder():
    """A runtime folder whose socket path is short enough, whatever pytest calls its own."""
    made = []

    def make():
        made.append(Path(tempfile.mkdtemp(prefix="sl-")))
        return made[-1]

    yield make
    for folder in made:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def client(short_folder):
    """A client of a daemon with fake pipelines, shared by a module's tests."""
    with serving(short_folder()) as found:
        yield found
