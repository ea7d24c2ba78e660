"""`safelight unload`."""

from __future__ import annotations

import argparse

from safelight.cli.console import Console
from safelight.client.restoration import RestorationClient
from safelight.errors import Unavailable


def run(given: argparse.Namespace, console: Console) -> int:
    try:
        with RestorationClient.local(start=False) as client:
            freed, state = client.unload(given.pipeline or ""), client.state()
    except Unavailable as error:
        if error.reason != "NOT_RUNNING":
            raise
        console.say("no daemon is running")
        console.event("unloaded", running=False, freed_bytes=0)
        return 0
    used = state.process_memory_bytes
    console.say(f"{freed / 1e6:.1f} MB of weights freed; the daemon uses {used / 1e6:.0f} MB of host memory")
    busy = [r.pipeline for r in state.residents if given.pipeline in (None, r.pipeline)]
    if busy:
        console.say(f"{', '.join(busy)} will be unloaded after the running jobs")
    console.event("unloaded", running=True, freed_bytes=freed, process_memory_bytes=used, after_jobs=busy)
    return 0
