"""`safelight stop`."""

from __future__ import annotations

import argparse
import os
import signal
from pathlib import Path

from safelight import runtime
from safelight.cli.console import Console
from safelight.client import connection
from safelight.client.restoration import RestorationClient
from safelight.errors import Unavailable

AFTER_GRACE_S = 40.0  # the worker ends after its tile, streams are told, files are removed


def run(given: argparse.Namespace, console: Console) -> int:
    folder = runtime.runtime_dir()
    if not runtime.daemon_alive(folder):
        console.say("no daemon is running")
        console.event("stopped", was_running=False)
        return 0
    try:
        with RestorationClient.local(folder, start=False) as client:
            jobs = client.stop(given.grace)
        if jobs:
            console.say(f"waiting up to {given.grace:.0f} s for {jobs} running job(s)")
        if not connection.wait_until_gone(folder, given.grace + AFTER_GRACE_S):
            raise Unavailable("the daemon does not end: use safelight stop --force", "NOT_ENDING")
    except Unavailable:
        if not given.force:
            raise
        _kill(folder)
    console.say("the daemon has ended")
    console.event("stopped", was_running=True)
    return 0


def _kill(folder: Path) -> None:
    process_id = runtime.lock_holder(folder)
    if process_id is not None and runtime.daemon_alive(folder):
        os.kill(process_id, signal.SIGKILL if os.name == "posix" else signal.SIGTERM)
        connection.wait_until_gone(folder, AFTER_GRACE_S)
