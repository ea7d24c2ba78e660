"""Upload and download through a daemon on a Unix socket: 24 megapixels of RGBA8, 96 MB each way.

The pipeline returns its input. Upload: until the daemon has all bytes and has accepted the job. Download: from
the first band to the last, finished rows included. A bare socket and a memory copy beside it show the machine.
"""

from __future__ import annotations

import socket
import statistics
import threading
import time

import numpy as np

from tests.bench.daemons import IDENTITY_COMMAND, Serving, serving, settings, whole
from tests.bench.pictures import Pixels, photo, with_alpha
from tests.bench.tables import Effort, Table, best_and_median, verdict

BAR_MB_S = 300.0
SIZE, TINY_SIZE = (6000, 4000), (320, 240)


def run(effort: Effort) -> list[Table]:
    pixels = with_alpha(photo(*(TINY_SIZE if effort.tiny else SIZE)))
    megabytes = pixels.nbytes / 1e6
    up, down, copy, pipe = [], [], [], []
    with serving(IDENTITY_COMMAND) as daemon:
        for _ in range(effort.runs):
            upload, download = _through_daemon(daemon, pixels)
            up.append(upload)
            down.append(download)
            copy.append(_copied(pixels))
            pipe.append(_through_socket(pixels))
    table = Table(
        f"transfer: {megabytes:.0f} MB each way, MB/s",
        ("way", "best", "median", "of a bare socket"),
    )
    for name, times in (
        ("upload", up),
        ("download", down),
        ("bare Unix socket", pipe),
        ("memory copy", copy),
    ):
        fastest, median = (megabytes / float(s) for s in best_and_median(times))
        share = statistics.median(bare / own for own, bare in zip(times, pipe, strict=True))
        table.rows.append([name, fastest, median, share])
    slowest = min(megabytes / min(times) for times in (up, down))
    table.notes.append(
        f"bar: at least {BAR_MB_S:.0f} MB/s each way (best run): {verdict(slowest, BAR_MB_S, at_least=True)}"
    )
    return [table]


def _through_daemon(daemon: Serving, pixels: Pixels) -> tuple[float, float]:
    """Seconds up and down."""
    restored = daemon.client.restore(whole(pixels), settings("identity", 1))
    assert np.array_equal(restored.pixels, pixels)
    return restored.times_s["accepted"], restored.times_s["last_band"] - restored.times_s["first_band"]


def _copied(pixels: Pixels) -> float:
    target = np.empty_like(pixels)
    started = time.perf_counter()
    target[...] = pixels
    return time.perf_counter() - started


def _through_socket(pixels: Pixels) -> float:
    """The bytes once through a socket pair between two threads: the kernel's share."""
    sender, receiver = socket.socketpair()
    view = memoryview(pixels).cast("B")
    target = memoryview(bytearray(len(view)))
    started = time.perf_counter()
    with sender, receiver:
        thread = threading.Thread(target=sender.sendall, args=(view,))
        thread.start()
        received = 0
        while received < len(target):
            received += receiver.recv_into(target[received : received + (1 << 20)])
        thread.join()
    return time.perf_counter() - started
