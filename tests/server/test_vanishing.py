"""Jobs that are overtaken, and clients that go away, sleep or read slowly."""

import gc
import signal
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from safelight import errors
from safelight.client.status import our_errors
from safelight.engine.request import RestoreRequest
from safelight.server.restoration import STREAMS_MOST
from safelight.v1 import restoration_pb2 as rpb
from tests.fakes import client_process
from tests.fakes.client_process import frames
from tests.fakes.daemon import serving
from tests.fakes.waiting import seconds_until, until
from tests.server.works import document, settings, whole

FREED_S = 1.0
"""After a client is killed its job is gone within this; the tortoise's tile of half a second included."""
FROZEN_FREED_S = 20.0
"""A frozen client is pinged after 10 s and given 4 more; rows wait 15 s."""
PLACES = {"upload": 4, "compute": 2, "download": 16}
"""Where a client vanishes, and the megabytes it sends: a download must be more than flow control lets through."""


def jobs_left(client):
    state = client.state()
    return state.queued_job_count + state.running_job_count


@pytest.fixture
def warm(daemon):
    """The daemon with all loaded that jobs need, and nothing going on."""
    for pipeline in ("identity", "tortoise", "compact"):
        daemon.client.restore(whole(document(64, 64)), settings(pipeline))
    until(lambda: not jobs_left(daemon.client))
    return daemon


@pytest.fixture
def watched(folder):
    """A daemon in this process, so that its pixels can be counted; without garbage collection, so that what is
    let go is free at once or never."""
    gc.collect()
    gc.disable()
    try:
        with serving(folder) as client:
            yield client, folder
    finally:
        gc.enable()


def requests_held():
    """Jobs whose pixels live, whether they are being sent, computed or sent back."""
    return sum(type(thing) is RestoreRequest for thing in gc.get_objects())


@pytest.mark.parametrize(("where", "megabytes"), PLACES.items(), ids=PLACES)
def test_a_killed_client_frees_its_job(watched, where, megabytes):
    client, folder = watched
    with client_process.launched(folder, where, megabytes) as process:
        until(lambda: requests_held() == 1)
        assert jobs_left(client) == (0 if where == "upload" else 1)
        process.kill()
        assert seconds_until(lambda: not requests_held()) < FREED_S
    assert jobs_left(client) == 0
    pixels = document()
    assert np.array_equal(client.restore(whole(pixels), settings()).pixels, pixels)


@pytest.mark.slow
@pytest.mark.parametrize(("where", "megabytes"), PLACES.items(), ids=PLACES)
def test_a_frozen_client_frees_its_job(watched, where, megabytes):
    client, folder = watched
    with client_process.launched(folder, where, megabytes) as process:
        until(lambda: requests_held() == 1)
        process.send_signal(signal.SIGSTOP)
        until(lambda: not requests_held(), within_s=FROZEN_FREED_S)
    assert jobs_left(client) == 0


def test_an_interactive_job_finishes_while_a_batch_job_runs(warm):
    running = threading.Event()
    chosen = settings("tortoise", own={"pause": 0.02})
    with ThreadPoolExecutor(1) as pool:
        batch = pool.submit(
            warm.client.restore,
            whole(document(600, 300), batch=True),
            chosen,
            on_progress=lambda p: p.tile_count_done and running.set(),
        )
        assert running.wait(20)
        warm.client.restore(whole(document(100, 60)), chosen)
        assert not batch.done()
        assert batch.result(20).report["tiles"] == {"decode": 66}


def test_a_batch_job_moves_on_under_endless_interactive_ones(warm):
    chosen = settings("tortoise", own={"pause": 0.005})
    ended = threading.Event()

    def interactive():
        while not ended.is_set():
            warm.client.restore(whole(document(200, 60)), chosen)

    with ThreadPoolExecutor(2) as pool:
        others = [pool.submit(interactive) for _ in range(2)]
        try:
            assert warm.client.restore(whole(document(200, 60), batch=True), chosen)
        finally:
            ended.set()
        assert [other.result(20) for other in others] == [None, None]


def stalled(daemon, work, chosen):
    """A call that has taken the first rows of its result and then reads no more."""
    call = daemon.client._restoration.Restore(frames(work, chosen))
    for response in call:
        if response.WhichOneof("frame") == "result":
            return call
    raise AssertionError("the job ended without rows")


def test_slow_readers_block_nobody_and_hold_little(warm):
    memory = warm.memory_bytes
    work = whole(document(1600, 1200))  # the result's 6 MB are more than flow control lets through
    calls = [stalled(warm, work, settings()) for _ in range(3)]
    per_stream = (warm.memory_bytes - memory) / len(calls)
    request, canvas, network_input = 6e6, 12e6, 24e6
    assert per_stream < request + canvas + network_input + (64 << 20)
    pixels = document()
    assert np.array_equal(warm.client.restore(whole(pixels), settings()).pixels, pixels)
    for call in calls:
        call.cancel()
    until(lambda: not jobs_left(warm.client))


def test_a_reader_that_comes_back_gets_every_row(warm):
    work = whole(document(1600, 1200))
    call = stalled(warm, work, settings())
    rows = [response.result for response in call if response.WhichOneof("frame") == "result"]
    assert b"".join(band.data for band in rows) == work.pixels[rows[0].start_row :].tobytes()


def test_cancelling_a_download_ends_it(warm):
    call = stalled(warm, whole(document(1600, 1200)), settings())
    job = next(j for j in warm.client.jobs() if j.progress.state == rpb.JOB_STATE_RUNNING)
    warm.client.cancel(job.job_id)
    with pytest.raises(errors.Cancelled), our_errors():
        list(call)
    until(lambda: not jobs_left(warm.client))
    assert warm.client.jobs()[0].progress.state == rpb.JOB_STATE_CANCELLED


def test_previews_larger_than_a_message_come_in_pieces(warm):
    heard = []
    work = whole(document(340, 330))
    chosen = settings("compact", output_scale=4)
    restored = warm.client.restore(work, chosen, on_preview=heard.append)
    assert restored.pixels.shape == (1320, 1360, 3)
    assert max(len(p.data) for p in heard) <= 1 << 20
    tallest = max(p.rect.y_px + p.rect.height_px for p in heard)
    assert tallest == 1320


def test_with_too_many_streams_the_next_is_refused(warm):
    chosen = settings("tortoise", own={"pause": 2.0})
    work = whole(document(70, 70))
    calls = [warm.client._restoration.Restore(frames(work, chosen)) for _ in range(STREAMS_MOST)]
    try:
        assert [next(call).WhichOneof("frame") for call in calls] == ["accepted"] * STREAMS_MOST
        with pytest.raises(errors.TooMuch) as raised:
            warm.client.restore(work, chosen)
        assert raised.value.reason == "TOO_MANY_STREAMS"
        state = warm.client.state()
        assert (state.running_job_count, state.queued_job_count) == (1, STREAMS_MOST - 1)
    finally:
        for call in calls:
            call.cancel()
    until(lambda: not jobs_left(warm.client))
