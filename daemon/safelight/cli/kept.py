"""`safelight kept`: what the daemon keeps of results, so that they are blended anew without the network."""

from __future__ import annotations

import argparse

from safelight.cli.console import Console
from safelight.client.restoration import RestorationClient


def run(given: argparse.Namespace, console: Console) -> int:
    with RestorationClient.chosen() as client:
        freed = client.forget_kept() if given.clear else 0
        state = client.state()
    if given.clear:
        console.say(f"{freed / 1e6:.1f} MB of kept results removed")
    count, size, limit = state.kept_result_count, state.kept_bytes, state.kept_bytes_limit
    if limit:
        console.result(f"{count} kept result(s), {size / 1e6:.1f} MB of at most {limit / 1e6:.0f} MB")
    else:
        console.result("the daemon keeps no results")
    console.event("kept", count=count, bytes=size, bytes_limit=limit, freed_bytes=freed)
    return 0
