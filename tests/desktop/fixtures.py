"""Windows against a real daemon in this process, or in one of its own."""

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QSettings
from skimage import data

from safelight.client.restoration import RestorationClient
from safelight_desktop.rpc.background import Background
from safelight_desktop.rpc.link import DaemonLink
from safelight_desktop.state.editor import Editor
from safelight_desktop.windows.main_window import MainWindow
from tests.fakes.daemon import daemon_process, serving, short_folder

WAIT_MS = 20_000


@pytest.fixture(scope="package")
def daemon_folder():
    """The runtime folder of a daemon with fake pipelines beside `compact`, in this process."""
    with short_folder() as folder, serving(folder):
        yield folder


@pytest.fixture(scope="package")
def own_daemon():
    """A daemon of fakes as a process of its own, shared by all tests of the app."""
    with short_folder() as folder, daemon_process(folder) as daemon:
        yield daemon


@pytest.fixture(scope="session")
def photo():
    """A real photo, 240 x 160, H W 3 uint8."""
    return np.ascontiguousarray(data.coffee()[60:220, 160:400])


@pytest.fixture
def photo_png(tmp_path, photo):
    path = tmp_path / "photo.png"
    Image.fromarray(photo).save(path)
    return path


@pytest.fixture
def background(qtbot):
    made = Background()
    yield made
    made.close()


@pytest.fixture
def link(qtbot, background, daemon_folder):
    """Connected to the daemon of this process."""
    made = DaemonLink(background, open_client=lambda: RestorationClient.local(daemon_folder, start=False))
    with qtbot.waitSignal(made.greeted, timeout=WAIT_MS):
        made.connect_now()
    yield made
    made.close()


@pytest.fixture
def editor(qtbot, link, background):
    """Without a window; `compact` is chosen."""
    made = Editor(link, background)
    made.form.take_pipelines(link.client.pipelines(), "compact")
    yield made
    made.close()


@pytest.fixture
def preferences(tmp_path):
    return QSettings(str(tmp_path / "desktop.ini"), QSettings.Format.IniFormat)


@pytest.fixture
def window(qtbot, daemon_folder, preferences):
    """Shown and connected; `compact` is chosen."""
    background = Background()
    link = DaemonLink(background, open_client=lambda: RestorationClient.local(daemon_folder, start=False))
    made = MainWindow(link, background, preferences)
    qtbot.addWidget(made)
    made.resize(1200, 800)
    made.show()
    with qtbot.waitSignal(link.greeted, timeout=WAIT_MS):
        link.connect_now()
    made.editor.form.choose_pipeline("compact")
    yield made
    made.close()


@pytest.fixture
def opened(qtbot, window, photo_png):
    """The window with the photo."""
    with qtbot.waitSignal(window.editor.document_changed, timeout=WAIT_MS):
        window.open_files([photo_png])
    qtbot.waitUntil(lambda: window.canvas.settled, timeout=WAIT_MS)
    return window


@pytest.fixture
def restored(qtbot, opened):
    """The photo with a finished run of a box in place, by the fake that brightens."""
    from safelight.geometry import Rect
    from safelight_desktop.state.selection import Selection

    opened.editor.form.choose_pipeline("brighten")
    opened.editor.add_region(Selection("rectangle", Rect(40, 30, 120, 80)))
    with qtbot.waitSignal(opened.editor.jobs.finished, timeout=WAIT_MS):
        opened.editor.run()
    qtbot.waitUntil(lambda: opened.canvas.settled, timeout=WAIT_MS)
    return opened
