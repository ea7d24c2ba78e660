"""`safelight bridge`: started by the GIMP plug-in, for as long as it runs."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from typing import NoReturn

from safelight.cli.console import Console
from safelight.client.bridge import Session
from safelight.client.bridge_commands import Commands
from safelight.client.bridge_estimate import Rates, rates_path
from safelight.client.bridge_framing import FramingError

EXIT_NO_FRAMES = 2


def run(given: argparse.Namespace, console: Console) -> int:
    if sys.stdin.isatty():
        console.say(
            "this command is started by the GIMP plug-in (safelight gimp install) and talks in frames"
        )
        return EXIT_NO_FRAMES
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    frames_out = os.dup(1)
    os.dup2(2, 1)  # whatever a library prints must not get between the frames
    commands = Commands(Rates(rates_path()))
    reader, writer = os.fdopen(0, "rb", buffering=0, closefd=False), os.fdopen(frames_out, "wb")
    code = 0
    try:
        Session(reader, writer, commands.aside, commands.inline).run()
    except FramingError as error:
        logging.error("%s", error)
        code = EXIT_NO_FRAMES
    _leave(code)


def _leave(code: int) -> NoReturn:
    """At once: nobody is left to tell, and closing the connection to the daemon cancels what runs there."""
    sys.stderr.flush()
    os._exit(code)
