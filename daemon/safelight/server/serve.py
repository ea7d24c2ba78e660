"""Starts, runs and ends a daemon: lock, token, socket, health, signals, idle time."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import logging.handlers
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import grpc
import psutil
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

import safelight
from safelight import runtime, wire
from safelight.engine.device import choose_device
from safelight.engine.jobs import JobQueue
from safelight.engine.pipelines.registry import Registry
from safelight.engine.worker import Worker
from safelight.server import door
from safelight.server.daemon import DaemonServicer
from safelight.server.restoration import RestorationServicer
from safelight.settings import KEEP_ALIVE_S
from safelight.v1 import daemon_pb2, daemon_pb2_grpc, restoration_pb2, restoration_pb2_grpc

log = logging.getLogger(__name__)

FINISH_THREADS = 4  # header checks and finished rows; a slow reader holds none
DRAIN_S = 10.0  # what running jobs get after SIGTERM
IDLE_LOOK_S = 1.0
LOG_BYTES, LOG_FILES = 1 << 20, 3
SERVICES = (
    restoration_pb2.DESCRIPTOR.services_by_name["Restoration"].full_name,
    daemon_pb2.DESCRIPTOR.services_by_name["Daemon"].full_name,
)


@dataclass(frozen=True)
class Tls:
    """PEM files for serving beyond this machine; clients must show a certificate of `client_ca`."""

    certificate: Path
    key: Path
    client_ca: Path


@dataclass(frozen=True)
class ServeConfig:
    """How to serve. `host` empty: a Unix socket where the system has them, else loopback."""

    folder: Path
    log_path: Path
    host: str = ""
    port: int = 0
    """0: one the system chooses."""
    tls: Tls | None = None
    device: str = "auto"
    keep_alive_s: float = KEEP_ALIVE_S
    idle_exit_s: float | None = None
    """An auto-started daemon ends after so long without a call or job."""
    reflection: bool = False
    log_to_stderr: bool = False


def serve(config: ServeConfig, registry: Registry, *, default_pipeline: str = "compact") -> int:
    """Runs until stopped; returns the exit code. Raises SafelightError when it cannot start."""
    runtime.prepare_runtime_dir(config.folder)
    with runtime.daemon_lock(config.folder), _logging(config):
        return asyncio.run(_serve(config, registry, default_pipeline))


async def _serve(config: ServeConfig, registry: Registry, default_pipeline: str) -> int:
    ending = _Ending(asyncio.get_running_loop())
    worker = Worker(
        registry,
        JobQueue(),
        lambda: choose_device(config.device),
        keep_alive_s=config.keep_alive_s,
        on_fault=lambda: ending.ask(0.0, exit_code=1),
    )
    executor = ThreadPoolExecutor(FINISH_THREADS, thread_name_prefix="safelight-finish")
    token = runtime.new_token(config.folder)
    activity = _Activity()
    server = grpc.aio.server(
        interceptors=[door.TokenInterceptor(token), activity], options=door.SERVER_OPTIONS
    )
    restoration = RestorationServicer(registry, worker.queue, executor, _free_host_bytes)
    restoration_pb2_grpc.add_RestorationServicer_to_server(restoration, server)
    daemon = DaemonServicer(
        worker, default_pipeline=default_pipeline, log_path=config.log_path, stop=ending.ask
    )
    daemon_pb2_grpc.add_DaemonServicer_to_server(daemon, server)
    health_servicer = health.aio.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(health_servicer, server)
    if config.reflection:
        _add_reflection(server)
    target = _listen(server, config)
    await server.start()
    worker.start()
    for name in ("", *SERVICES):
        await health_servicer.set(name, health_pb2.HealthCheckResponse.SERVING)
    runtime.write_info(config.folder, _info(config, target))
    log.info("safelight %s serves on %s, process %d", safelight.__version__, target, os.getpid())
    with _signals(ending):
        exit_code = await _until_end(ending, activity, worker, restoration, config.idle_exit_s)
    await health_servicer.enter_graceful_shutdown()
    (config.folder / "daemon.json").unlink(missing_ok=True)  # new clients start a new daemon
    await _drain(server, worker, restoration, ending.grace_s)
    executor.shutdown(wait=False, cancel_futures=True)
    with contextlib.suppress(FileNotFoundError):
        (config.folder / "token").unlink()
    if target.startswith("unix:"):
        runtime.socket_path(config.folder).unlink(missing_ok=True)
    log.info("ended")
    return exit_code


class _Ending:
    """That the daemon is to end, asked for by a signal, a call, idle time or a device fault."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self.asked = asyncio.Event()
        self.grace_s = DRAIN_S
        self.exit_code = 0

    def ask(self, grace_s: float = DRAIN_S, *, exit_code: int = 0) -> None:
        """From any thread."""
        self.grace_s, self.exit_code = grace_s, exit_code
        self._loop.call_soon_threadsafe(self.asked.set)


class _Activity(grpc.aio.ServerInterceptor):  # type: ignore[misc]
    """When the last call came in, for the idle exit."""

    def __init__(self) -> None:
        self.last_s = time.monotonic()

    async def intercept_service(
        self, continuation: Callable[..., object], handler_call_details: object
    ) -> object:
        self.last_s = time.monotonic()
        return await continuation(handler_call_details)  # type: ignore[misc]


async def _until_end(
    ending: _Ending,
    activity: _Activity,
    worker: Worker,
    restoration: RestorationServicer,
    idle_exit_s: float | None,
) -> int:
    while not ending.asked.is_set():
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(ending.asked.wait(), IDLE_LOOK_S)
        if restoration.streams or worker.queue.active:
            activity.last_s = time.monotonic()
        if idle_exit_s is not None and time.monotonic() - activity.last_s > idle_exit_s:
            log.info("idle for %.0f s", idle_exit_s)
            ending.ask(0.0)
    return ending.exit_code


async def _drain(
    server: grpc.aio.Server, worker: Worker, restoration: RestorationServicer, grace_s: float
) -> None:
    """No new calls; running streams get the grace time, then they are told UNAVAILABLE."""
    deadline = time.monotonic() + grace_s
    stopping = asyncio.ensure_future(server.stop(grace_s + 1.0))
    while restoration.streams and time.monotonic() < deadline:
        await asyncio.sleep(0.02)
    worker.stop()
    await asyncio.to_thread(worker.join, 30.0)
    await stopping


def _listen(server: grpc.aio.Server, config: ServeConfig) -> str:
    """Binds and returns the target clients use."""
    if config.host:
        return _listen_tcp(server, config, config.host)
    if os.name != "posix":
        return _listen_tcp(server, config, "127.0.0.1")
    path = runtime.socket_path(config.folder)
    path.unlink(missing_ok=True)  # stale: we hold the lock
    server.add_insecure_port(f"unix:{path}")
    return f"unix:{path}"


def _listen_tcp(server: grpc.aio.Server, config: ServeConfig, host: str) -> str:
    address = f"{host}:{config.port}"
    if config.tls is None:
        door.require_loopback(host)
        return f"{host}:{server.add_insecure_port(address)}"
    credentials = grpc.ssl_server_credentials(
        [(config.tls.key.read_bytes(), config.tls.certificate.read_bytes())],
        root_certificates=config.tls.client_ca.read_bytes(),
        require_client_auth=True,
    )
    return f"{host}:{server.add_secure_port(address, credentials)}"


def _add_reflection(server: grpc.aio.Server) -> None:
    from grpc_reflection.v1alpha import reflection  # a development package: wanted only behind the flag

    reflection.enable_server_reflection((*SERVICES, health.SERVICE_NAME, reflection.SERVICE_NAME), server)


def _info(config: ServeConfig, target: str) -> runtime.DaemonInfo:
    return runtime.DaemonInfo(
        target=target,
        process_id=os.getpid(),
        version=safelight.__version__,
        install_path=str(Path(safelight.__file__).parent),
        protocol_version=wire.PROTOCOL_VERSION,
        log_path=str(config.log_path),
    )


@contextlib.contextmanager
def _signals(ending: _Ending) -> Iterator[None]:
    """SIGTERM and SIGINT drain. Only the main thread may set handlers; tests serve from others."""
    loop = asyncio.get_running_loop()
    chosen = [signal.SIGTERM, signal.SIGINT]
    try:
        for number in chosen:
            loop.add_signal_handler(number, ending.ask)
    except (NotImplementedError, RuntimeError, ValueError):
        chosen = []
    try:
        yield
    finally:
        for number in chosen:
            loop.remove_signal_handler(number)


def _free_host_bytes() -> int:
    return int(psutil.virtual_memory().available)


@contextlib.contextmanager
def _logging(config: ServeConfig) -> Iterator[None]:
    """Log file with rotation, also stderr when asked for, while the daemon runs."""
    config.log_path.parent.mkdir(parents=True, exist_ok=True)
    handlers: list[logging.Handler] = [
        logging.handlers.RotatingFileHandler(
            config.log_path, maxBytes=LOG_BYTES, backupCount=LOG_FILES, encoding="utf-8"
        )
    ]
    if config.log_to_stderr:
        handlers.append(logging.StreamHandler(sys.stderr))
    ours = logging.getLogger("safelight")
    ours.setLevel(logging.INFO)
    for handler in handlers:
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
        ours.addHandler(handler)
    try:
        yield
    finally:
        for handler in handlers:
            ours.removeHandler(handler)
            handler.close()
