"""Folders of pictures and a batch of them, against a real daemon."""

import io

import numpy as np
import pytest
from PIL import Image

from safelight.client.restoration import RestorationClient
from safelight_desktop.rpc.background import Background
from safelight_desktop.rpc.link import DaemonLink
from safelight_desktop.state.batch import BatchQueue
from safelight_desktop.state.batch_rows import RowState
from safelight_desktop.state.estimate import Speeds
from safelight_desktop.state.power import Power

WAIT_MS = 20_000
SIDE_PX = 48


def picture(path, number=0):
    """A small picture with a number of its own."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(number)
    pixels = np.full((SIDE_PX, SIDE_PX + number, 3), 90, np.uint8) + rng.integers(
        0, 40, (SIDE_PX, 1, 3), np.uint8
    )
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    path.write_bytes(file.getvalue())
    return path


def folder_of(root, *names):
    """Pictures of these names below `root`."""
    for number, name in enumerate(names):
        picture(root / name, number)
    return root


class Battery:
    """Says what it is told to."""

    def __init__(self):
        self.empty = False

    def __call__(self):
        return self.empty


class Session:
    """One start of the app, as far as the batch goes."""

    def __init__(self, qtbot, link, background, preferences, folder, pipeline="brighten"):
        self.qtbot, self.link = qtbot, link
        self.battery = Battery()
        self.speeds = Speeds(preferences)
        self.queue = BatchQueue(link, background, self.speeds, folder, Power(background, look=self.battery))
        self.errors, self.ends = [], []
        self.queue.failed.connect(self.errors.append)
        self.queue.ended.connect(self.ends.append)
        self.queue.load()
        self.until(lambda: self.queue.loaded)
        if link.client is not None:
            self.queue.form.take_pipelines(link.client.pipelines(), pipeline)

    def until(self, condition, within_ms=WAIT_MS):
        self.qtbot.waitUntil(condition, timeout=within_ms)

    def add(self, *paths):
        self.queue.add(paths)
        self.until(lambda: not self.queue.busy)
        return self.queue.rows

    def run(self):
        """To the end; gives its summary."""
        before = len(self.ends)
        self.queue.start()
        self.until(lambda: len(self.ends) > before)
        return self.ends[-1]

    @property
    def states(self):
        return {row.source.name: row.state for row in self.queue.rows}

    @property
    def names(self):
        return [row.source.name for row in self.queue.rows]


@pytest.fixture
def sessions(qtbot, link, background, preferences, tmp_path):
    """Makes sessions that share what is kept; those that are open are closed at the end."""
    made = []

    def begin(**options):
        session = Session(qtbot, link, background, preferences, tmp_path / "kept", **options)
        made.append(session)
        return session

    yield begin
    for session in made:
        session.queue.close()


@pytest.fixture
def batch(sessions):
    """One session, with the fake that brightens."""
    return sessions()


def lone_link(folder):
    """A connection of its own, and its threads."""
    background = Background()
    client = lambda: RestorationClient.local(folder, start=False)  # noqa: E731
    return DaemonLink(background, open_client=client), background


DONE, FAILED, WAITING, SKIPPED = RowState.DONE, RowState.FAILED, RowState.WAITING, RowState.SKIPPED
