"""Real daemons for tests: in a thread of this process, or as a process of their own."""

import os
import shutil
import subprocess
import sys
import tempfile
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from safelight import runtime
from safelight.client import connection
from safelight.client.restoration import RestorationClient
from safelight.engine.pipelines.registry import Registry, default_registry
from safelight.server.serve import ServeConfig, serve
from tests.fakes import faulty, greedy, tortoise
from tests.fakes.pipelines import fake_registry
from tests.fakes.waiting import until

FORGOTTEN_S = 300.0  # a daemon whose test was killed ends by itself
ROOT = Path(__file__).parents[2]
MAIN = f"import sys; sys.path[:0] = [{str(ROOT)!r}]; from tests.fakes.daemon import main; sys.exit(main("
COMMAND = [sys.executable, "-c", MAIN + "))"]
KEEPING_COMMAND = [sys.executable, "-c", MAIN + "keeping=True))"]
"""Of a daemon that keeps what networks did, as the real one does."""


def registry():
    """The real pipelines and the fake ones."""
    return Registry(
        [*default_registry().entries, *fake_registry().entries, tortoise.ENTRY, faulty.ENTRY, greedy.ENTRY],
    )


def config(folder, **changes):
    return ServeConfig(**{"folder": folder, "log_path": folder / "daemon.log", "device": "cpu", **changes})


def main(keeping=False):
    """A daemon of fakes in SAFELIGHT_RUNTIME_DIR; gives its exit code."""
    folder = runtime.runtime_dir()
    kept_folder = folder / "kept" if keeping else None
    return serve(config(folder, idle_exit_s=FORGOTTEN_S, kept_folder=kept_folder), registry())


@contextmanager
def short_folder():
    """A runtime folder whose socket path is short enough, whatever pytest calls its own."""
    folder = Path(tempfile.mkdtemp(prefix="sl-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def serving(folder, **changes):
    """A daemon in a thread; gives a client of it. Stopped on leaving, whatever happened."""
    codes = []
    thread = threading.Thread(target=lambda: codes.append(serve(config(folder, **changes), registry())))
    thread.start()
    try:
        until(lambda: runtime.read_info(folder) is not None or not thread.is_alive())
        with RestorationClient.local(folder, start=False) as client:
            yield client
            info = runtime.read_info(folder)
            if info is not None and info.process_id == os.getpid():
                client.stop(0.0)
    finally:
        thread.join(30)
    assert codes == [0]


@dataclass
class DaemonProcess:
    """A daemon of its own process, and a client of it."""

    folder: Path
    process: subprocess.Popen
    client: RestorationClient

    @property
    def memory_bytes(self):
        return psutil.Process(self.process.pid).memory_info().rss

    @property
    def descriptors(self):
        return psutil.Process(self.process.pid).num_fds()

    @property
    def threads(self):
        return psutil.Process(self.process.pid).num_threads()


@contextmanager
def daemon_process(folder, command=COMMAND):
    """A daemon process, killed on leaving if it is still there."""
    process = launched(folder, command)
    try:
        until(lambda: runtime.read_info(folder) is not None or process.poll() is not None, within_s=60)
        with RestorationClient.local(folder, start=False) as client:
            yield DaemonProcess(folder, process, client)
    finally:
        process.kill()
        process.wait()


def launched(folder, command=COMMAND):
    """The bare process, its words in daemon.out."""
    with (folder / "daemon.out").open("ab") as out:
        return subprocess.Popen(command, stdout=out, stderr=out, env=process_environment(folder))


def started(folder):
    """A daemon process of fakes as a client starts it; gives its DaemonInfo."""
    return connection.start_daemon(folder, COMMAND)


def ended(folder):
    """Kills the daemon of `folder`, if there is one, and any that was waiting for its lock."""

    def gone():
        if not runtime.daemon_alive(folder):
            return True
        holder = runtime.lock_holder(folder)
        if holder is not None and holder != os.getpid():  # a daemon that has just taken it has not signed yet
            with suppress(psutil.NoSuchProcess):
                psutil.Process(holder).kill()
        return False

    until(gone)


def process_environment(folder):
    """For subprocesses that should use the daemon of `folder`."""
    return {**os.environ, runtime.RUNTIME_DIR_VARIABLE: str(folder), "PYTHONPATH": str(ROOT)}
