"""One GIMP for all tests, with the plug-in that `safelight gimp install` put there, and a daemon with fake pipelines
beside `compact`: plug-in, bridge and daemon are the real ones, as users have them.
"""

from pathlib import Path

import numpy as np
import pytest
from skimage import data

from tests.fakes.daemon import KEEPING_COMMAND, daemon_process, short_folder
from tests.gimp.command_line import CommandLine
from tests.gimp.found import NOTHING, found
from tests.gimp.home import installed
from tests.gimp.session import session

FOLDER = Path(__file__).parent
TIMEOUT_S = 600  # a first start of GIMP asks two hundred plug-ins, on a busy machine for minutes


def pytest_collection_modifyitems(items):
    for item in items:
        if item.path.parent == FOLDER:
            item.add_marker(pytest.mark.timeout(TIMEOUT_S))


@pytest.fixture(scope="session")
def real_gimp():
    """Which one; skips where there is none."""
    gimp = found()
    if gimp is None:
        pytest.skip(NOTHING)
    return gimp


@pytest.fixture(scope="session")
def home(real_gimp):
    """A home folder in which GIMP was started once and the plug-in installed by our command."""
    with installed(real_gimp) as folder:
        yield folder


@pytest.fixture(scope="session")
def plugin_folder(real_gimp, home):
    return home / ".config/GIMP" / real_gimp.series / "plug-ins/safelight-gimp"


@pytest.fixture(scope="session")
def daemon():
    """A daemon process with the fake pipelines."""
    with short_folder() as folder, daemon_process(folder, KEEPING_COMMAND) as process:
        yield process


@pytest.fixture(scope="session")
def open_session(real_gimp, home, daemon):
    with session(real_gimp, home, SAFELIGHT_RUNTIME_DIR=str(daemon.folder)) as opened:
        yield opened


@pytest.fixture
def gimp(open_session):
    """The GIMP, without images."""
    open_session("delete_all")
    return open_session


@pytest.fixture(scope="session")
def photo():
    """A real photo, 200 x 150, H W 3 uint8."""
    return np.ascontiguousarray(data.coffee()[100:250, 200:400])


@pytest.fixture
def command_line(daemon, tmp_path):
    """The command line with the same daemon."""
    return CommandLine(daemon.folder, tmp_path)
