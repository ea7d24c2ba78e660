"""A bridge or daemon that fails, jobs that are killed: with a GIMP, a bridge and a daemon of their own."""

import json
import os
import re
import signal
import sys
from contextlib import contextmanager

import numpy as np
import psutil
import pytest

from safelight import runtime
from safelight.client.restoration import RestorationClient
from safelight.v1 import restoration_pb2 as rpb
from tests.fakes.daemon import ended, short_folder, started
from tests.fakes.waiting import until
from tests.gimp import other_bridge
from tests.gimp.session import session
from tests.gimp.test_failures import refused

pytestmark = pytest.mark.gimp

RESTORE = "plug-in-safelight-restore"
SLOW = {"pipeline": "tortoise", "settings": '{"pause": 2}'}


@pytest.fixture(scope="module")
def chain(real_gimp, home):
    """GIMP, the file that says which bridge it gets, and the runtime folder."""
    with short_folder() as folder, short_folder() as run:
        kind = folder / "bridge"
        kind.write_text("real")
        variables = {
            "SAFELIGHT_BRIDGE": json.dumps([sys.executable, other_bridge.__file__]),
            other_bridge.VARIABLE: str(kind),
            runtime.RUNTIME_DIR_VARIABLE: str(run),
        }
        try:
            with session(real_gimp, home, **variables) as gimp:
                yield gimp, kind, run
        finally:
            ended(run)


@pytest.fixture
def gimp(chain):
    """Without images, with the real bridge and a daemon of fakes."""
    opened, kind, run = chain
    kind.write_text("real")
    if not runtime.daemon_alive(run):
        started(run)
    opened("delete_all")
    return opened


@pytest.fixture
def bridge(chain):
    """Chooses what kind of bridge the next runs get."""
    return lambda kind: chain[1].write_text(kind)


@pytest.fixture
def client(gimp, chain):
    with RestorationClient.local(chain[2], start=False) as found:
        yield found


KINDS = {
    "newer": "different versions.*safelight gimp install",
    "older": "different versions.*safelight gimp install",
    "old-daemon": "different versions: run safelight stop",
    "ends": "ended unexpectedly.*safelight doctor",
    "no-daemon": "open to other users.*safelight doctor",
    "bad-daemon": "could not start.*safelight doctor",
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_bridge_with_a_fault(gimp, bridge, photo, kind):
    image, layer = gimp.image(photo)
    bridge(kind)
    assert re.search(KINDS[kind], refused(gimp, image, [layer], pipeline="brighten"))


@contextmanager
def running(gimp, client, image, layer):
    """A run that has reached the daemon and computes; gives its job's id."""
    gimp.ask("run", procedure=RESTORE, image=image, drawables=[layer], values=SLOW)
    yield until(lambda: computing(client), within_s=60)


def computing(client):
    jobs = [job for job in client.jobs() if job.pipeline == "tortoise" and not over(job)]
    return jobs[0].job_id if jobs and jobs[0].progress.tile_count_done else None


def over(job):
    return job.progress.state in (rpb.JOB_STATE_SUCCEEDED, rpb.JOB_STATE_FAILED, rpb.JOB_STATE_CANCELLED)


def ends(client, job_id):
    """Waits for the end of a job; gives how it ended."""
    found = until(lambda: next((j for j in client.jobs() if j.job_id == job_id and over(j)), None))
    return rpb.JobState.Name(found.progress.state)


def children(gimp, word):
    """Processes below this GIMP with that word in their command line."""
    below = psutil.Process(gimp.process.pid).children(recursive=True)
    return [process for process in below if any(word in part for part in process.cmdline())]


def orphans():
    """Bridges of ours whose plug-in is gone."""
    found = psutil.process_iter(["cmdline"])
    return [process for process in found if other_bridge.__file__ in (process.info["cmdline"] or [])]


def test_cancelling_as_the_status_bar_does(gimp, client, photo):
    """GIMP kills the plug-in: nobody is left to say anything, but the job must end."""
    image, layer = gimp.image(photo)
    before = gimp("state", image=image)
    with running(gimp, client, image, layer) as job:
        children(gimp, "safelight-gimp.py")[0].kill()
        assert gimp.answer()["status"] != "SUCCESS"
        assert ends(client, job) == "JOB_STATE_CANCELLED"
    assert gimp("state", image=image) == before
    until(lambda: not orphans())
    gimp.restored(image, layer, pipeline="brighten")


def test_a_daemon_that_is_killed_in_the_middle(gimp, client, chain, photo):
    image, layer = gimp.image(photo)
    before = gimp("state", image=image)
    with running(gimp, client, image, layer):
        os.kill(runtime.read_info(chain[2]).process_id, signal.SIGKILL)
        answer = gimp.answer()
    assert answer["status"] == "EXECUTION_ERROR"
    assert "run the filter again" in answer["message"]
    assert gimp("state", image=image) == before


def test_the_next_run_starts_a_daemon(gimp, chain, photo):
    """The installation's own one, which has no fakes."""
    ended(chain[2])
    image, layer = gimp.image(photo)
    made = gimp.restored(image, layer, pipeline="compact")
    assert not np.array_equal(gimp.pixels(made)[..., :3], photo)
    ended(chain[2])


def test_two_runs_at_once(gimp, real_gimp, home, chain, photo):
    image, layer = gimp.image(photo)
    variables = {runtime.RUNTIME_DIR_VARIABLE: str(chain[2]), "LANG": "de_DE.UTF-8"}
    with session(real_gimp, home, **variables) as other:
        other_image, other_layer = other.image(np.ascontiguousarray(photo[::-1]))
        for asked, of, what in ((gimp, image, layer), (other, other_image, other_layer)):
            values = {"pipeline": "tortoise", "settings": '{"pause": 0.1}'}
            asked.ask("run", procedure=RESTORE, image=of, drawables=[what], values=values)
        first, second = gimp.answer(), other.answer()
        assert first["status"] == second["status"] == "SUCCESS"
        assert np.array_equal(gimp.pixels(first["values"][0])[..., :3], photo)
        assert np.array_equal(other.pixels(second["values"][0])[..., :3], photo[::-1])
        other("lock_pixels", item=other_layer)
        told = refused(other, other_image, [other_layer], pipeline="brighten", output="replace")
        assert "sind gesperrt" in told  # the other one speaks German


def test_a_gimp_that_is_killed_takes_its_job_along(real_gimp, home, client, chain, photo):
    with session(real_gimp, home, **{runtime.RUNTIME_DIR_VARIABLE: str(chain[2])}) as dying:
        image, layer = dying.image(photo)
        with running(dying, client, image, layer) as job:
            dying.process.kill()
            assert ends(client, job) == "JOB_STATE_CANCELLED"
