"""A batch goes on where it was after its app or its daemon was killed."""

import os
import signal
import sqlite3
import subprocess
import sys

import pytest

from safelight.imaging.files import open_picture
from tests.desktop.batches import DONE, Session, folder_of, lone_link
from tests.fakes.daemon import COMMAND, daemon_process, launched, process_environment, short_folder
from tests.fakes.waiting import until

NAMES = [f"{n}.png" for n in range(1, 7)]
APP = [sys.executable, "-m", "safelight.cli.main", "desktop"]
WAIT_S = 60


@pytest.fixture
def slow_batch(qtbot, background, own_daemon, preferences, tmp_path):
    """Pictures of which each takes a while, in a batch that ran when its session was closed; gives their folder, and
    where the app keeps what it must not lose."""
    link, threads = lone_link(own_daemon.folder)
    with qtbot.waitSignal(link.greeted, timeout=WAIT_S * 1000):
        link.connect_now()
    kept = tmp_path / "data/safelight/batch"
    session = Session(qtbot, link, background, preferences, kept, pipeline="tortoise")
    scans = folder_of(tmp_path / "scans", *NAMES)
    session.queue.form.choose("pause", 0.4)
    session.add(scans)
    session.queue.start()
    session.until(lambda: session.queue.current is not None)
    session.queue.close()
    link.close()
    threads.close()
    return scans, kept


def app_of(folder, tmp_path):
    """The real app, offscreen, with folders of its own."""
    places = {
        f"XDG_{name}_HOME": str(tmp_path / name.lower()) for name in ("DATA", "CONFIG", "CACHE", "STATE")
    }
    environment = {**process_environment(folder), **places, "QT_QPA_PLATFORM": "offscreen"}
    with (tmp_path / "app.out").open("ab") as out:
        return subprocess.Popen(APP, env=environment, stdout=out, stderr=out)


def results(scans):
    return {path.name: path.stat().st_mtime_ns for path in scans.glob("*-restored.png")}


def states(kept):
    """As they are on the disk, in order."""
    file = sqlite3.connect(f"file:{kept / 'batch.sqlite'}?mode=ro", uri=True)
    try:
        return [state for (state,) in file.execute("SELECT state FROM rows ORDER BY place, id")]
    finally:
        file.close()


def test_the_app_is_killed_and_the_next_one_finishes_the_batch(slow_batch, own_daemon, tmp_path):
    scans, kept = slow_batch
    originals = {path.name: path.read_bytes() for path in scans.iterdir() if path.name in NAMES}
    app = app_of(own_daemon.folder, tmp_path)
    until(lambda: len(results(scans)) >= 2 or app.poll() is not None, within_s=WAIT_S)
    assert app.poll() is None, (tmp_path / "app.out").read_text()
    os.kill(app.pid, signal.SIGKILL)
    app.wait()
    before = results(scans)
    assert 2 <= len(before) < len(NAMES)
    for name in before:
        open_picture(scans / name).read()  # whole, or not there at all
    app = app_of(own_daemon.folder, tmp_path)
    until(lambda: states(kept) == ["done"] * len(NAMES), within_s=WAIT_S)
    app.kill()
    app.wait()
    after = results(scans)
    assert len(after) == len(NAMES)
    assert before.items() <= after.items()  # what was finished is not done again
    assert {path.name: path.read_bytes() for path in scans.iterdir() if path.name in NAMES} == originals
    left = {path.name for path in scans.iterdir()} - after.keys() - originals.keys()
    assert all(
        name.startswith(".") for name in left
    )  # at most what a kill left of a file that was being written


def test_the_daemon_is_killed_and_the_next_one_goes_on(qtbot, background, preferences, tmp_path):
    with short_folder() as folder, daemon_process(folder) as daemon:
        link, threads = lone_link(folder)
        with qtbot.waitSignal(link.greeted, timeout=WAIT_S * 1000):
            link.connect_now()
        session = Session(qtbot, link, background, preferences, tmp_path / "kept", pipeline="tortoise")
        session.queue.form.choose("pause", 0.3)
        scans = folder_of(tmp_path / "scans", "a.png", "b.png", "c.png")
        session.add(scans)
        session.queue.start()
        session.until(
            lambda: session.queue.current is not None and session.queue.current.progress is not None
        )
        os.kill(daemon.process.pid, signal.SIGKILL)
        daemon.process.wait()
        session.until(lambda: session.queue.current is None and link.client is None)
        assert session.queue.running
        assert results(scans) == {}
        again = launched(folder, COMMAND)
        try:
            session.until(lambda: len(session.ends) == 1, within_ms=WAIT_S * 1000)
            assert [row.state for row in session.queue.rows] == [DONE] * 3
            assert session.errors == []
        finally:
            session.queue.close()
            link.close()
            threads.close()
            again.kill()
            again.wait()
