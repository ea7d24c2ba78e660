"""Real daemons for tests: in a thread of this process, or as a process of their own.

python -m tests.fakes.daemon [--real]     serves in SAFELIGHT_RUNTIME_DIR, fake pipelines beside `compact`
"""

import os
import sys
import threading
from contextlib import contextmanager
from pathlib import Path

from safelight import runtime
from safelight.client import connection
from safelight.client.restoration import RestorationClient
from safelight.engine.pipelines.registry import Registry, default_registry
from safelight.server.serve import ServeConfig, serve
from tests.fakes import tortoise
from tests.fakes.pipelines import fake_registry

ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, "-m", "tests.fakes.daemon"]


def registry():
    """The real pipelines and the fake ones."""
    return Registry([*default_registry().entries, *fake_registry().entries, tortoise.ENTRY])


def config(folder, **changes):
    return ServeConfig(folder=folder, log_path=folder / "daemon.log", device="cpu", **changes)


@contextmanager
def serving(folder, **changes):
    """A daemon in a thread; gives a client of it. Stopped on leaving, whatever happened."""
    codes = []
    thread = threading.Thread(target=lambda: codes.append(serve(config(folder, **changes), registry())))
    thread.start()
    try:
        while thread.is_alive() and runtime.read_info(folder) is None:
            thread.join(0.01)
        with RestorationClient.local(folder, start=False) as client:
            yield client
            if runtime.daemon_alive(folder):
                client.stop(0.0)
    finally:
        thread.join(30)
    assert codes == [0]


def started(folder):
    """A daemon process of fakes; gives its DaemonInfo."""
    return connection.start_daemon(folder, COMMAND)


def process_environment(folder):
    """For subprocesses that should use the daemon of `folder`."""
    return {**os.environ, runtime.RUNTIME_DIR_VARIABLE: str(folder), "PYTHONPATH": str(ROOT)}


if __name__ == "__main__":
    sys.exit(serve(config(runtime.runtime_dir()), registry()))
