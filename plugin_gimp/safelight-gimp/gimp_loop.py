"""Runs conversations with the bridge while GIMP's and GTK's events go on."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bridge_location import bridge_command, bridge_environment
from bridge_process import BridgeProcess
from flow import Conversation, Talk
from gimp_api import GLib

FOLDER = Path(__file__).parent
GIMP_LOOK_MS = 1000


def deliver(call: Callable[[], None]) -> None:
    """To the main thread, the only one that may touch GIMP; from any thread."""
    GLib.idle_add(_once, call, priority=GLib.PRIORITY_DEFAULT)


def later(call: Callable[[], None]) -> None:
    """When no window waits to be drawn."""
    GLib.idle_add(_once, call)


def _once(call: Callable[[], None]) -> bool:
    call()
    return GLib.SOURCE_REMOVE


@contextmanager
def bridge() -> Iterator[BridgeProcess]:
    """The bridge of this run of the plug-in; raises SafelightError when it is not there."""
    process = BridgeProcess(bridge_command(FOLDER), bridge_environment(os.environ), deliver)
    watch = GLib.timeout_add(GIMP_LOOK_MS, _with_gimp, os.getppid())
    try:
        yield process
    finally:
        GLib.source_remove(watch)
        process.close()


def _with_gimp(parent: int) -> bool:
    """A GIMP that crashed tells nobody: without it dialogs would stay and the job go on."""
    if os.getppid() != parent:
        os._exit(1)  # the bridge sees the end of its input, and cancels
    return bool(GLib.SOURCE_CONTINUE)


def start(
    process: BridgeProcess, conversation: Conversation, on_end: Callable[[Any, Exception | None], None]
) -> Talk:
    return Talk(process, conversation, on_end, later)


def finish(
    process: BridgeProcess, conversation: Conversation, on_start: Callable[[Talk], None] = lambda talk: None
) -> Any:
    """Runs a conversation to its end, with events going on; gives its outcome or raises what it ended with."""
    loop = GLib.MainLoop()
    ended: list[tuple[Any, Exception | None]] = []

    def end(outcome: Any, error: Exception | None) -> None:
        ended.append((outcome, error))
        loop.quit()

    talk = start(process, conversation, end)
    on_start(talk)
    if not ended:
        loop.run()
    outcome, error = ended[0]
    if error is not None:
        raise error
    return outcome
