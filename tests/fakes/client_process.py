"""A client process that goes some way into a job and stays there until it is killed.

python -m tests.fakes.client_process upload|compute|download [MEGABYTES]     says `there` when it is there
"""

import subprocess
import sys
import threading
from contextlib import contextmanager

import numpy as np

from safelight.client import connection
from safelight.client.restoration import RestorationClient, _frames, _header
from tests.fakes.daemon import ROOT, process_environment
from tests.server.works import settings, whole

ROW_PX = 1000  # x 3 channels: a megabyte has a third of a thousand rows


@contextmanager
def launched(folder, where, megabytes=16):
    """The process, once it is there; killed on leaving."""
    command = [sys.executable, "-m", "tests.fakes.client_process", where, str(megabytes)]
    environment = process_environment(folder)
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, cwd=ROOT) as process:
        try:
            assert process.stdout.readline() == b"there\n"
            yield process
        finally:
            process.kill()


def stay():
    sys.stdout.write("there\n")
    sys.stdout.flush()
    threading.Event().wait()


def frames(work, chosen, *, most=None, then=lambda: None):
    """The job's frames; or only the first `most`, and nothing more comes after them."""
    for number, frame in enumerate(_frames(_header(work, chosen, False, None), work)):
        if number == most:
            then()
            threading.Event().wait()
        yield frame


def main(where, megabytes):
    work = whole(np.zeros((int(megabytes * 1e6 / 3 / ROW_PX), ROW_PX, 3), np.uint8))
    client = RestorationClient(connection.connect(start=False))
    if where == "upload":
        most = megabytes * 3 // 4  # of about as many bands
        arrived = threading.Event()
        calls = [client._restoration.Restore(frames(work, settings(), most=most, then=arrived.set))]
        arrived.wait()
        stay()
        calls.clear()
    if where == "compute":
        client.restore(work, settings("tortoise", own={"pause": 0.5}), on_progress=stay_at_first_tile)
    if where == "download":
        for response in client._restoration.Restore(frames(work, settings())):
            if response.WhichOneof("frame") == "result":
                stay()


def stay_at_first_tile(progress):
    if progress.tile_count_done:
        stay()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
