"""`safelight serve`."""

from __future__ import annotations

import argparse
import importlib.util
import os
import sys
from pathlib import Path

from safelight import runtime
from safelight.cli.console import Console
from safelight.errors import InvalidRequest, NotReady

NEEDED = ("torch", "safetensors", "psutil")
THREAD_POLICY = {"OMP_WAIT_POLICY": "passive"}
"""Set before torch is imported. Torch's threads otherwise spin while they wait for each other: measured on two
cores that other programs use as well, that makes a network take twice as long and burn twice the time."""


def run(given: argparse.Namespace, console: Console) -> int:
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise NotReady(
            f"the daemon needs {', '.join(missing)}, which are not installed: pip install 'safelight[daemon]'",
            "DAEMON_NOT_INSTALLED",
        )
    for name, value in THREAD_POLICY.items():
        os.environ.setdefault(name, value)
    from safelight.engine.kept_store import KEPT_BYTES_MOST
    from safelight.engine.pipelines.registry import default_registry
    from safelight.server.listen import Tls
    from safelight.server.serve import ServeConfig, serve

    kept_mb = runtime.kept_megabytes()
    config = ServeConfig(
        folder=runtime.runtime_dir(),
        log_path=runtime.log_path(),
        host=given.host,
        port=given.port,
        tls=Tls(*paths) if (paths := _tls_paths(given)) else None,
        device=given.device,
        keep_alive_s=given.keep_alive,
        idle_exit_s=given.idle_exit,
        kept_folder=runtime.kept_dir(),
        kept_bytes_most=KEPT_BYTES_MOST if kept_mb is None else kept_mb * 10**6,
        reflection=given.reflection,
        log_to_stderr=sys.stderr.isatty(),
    )
    return serve(config, default_registry())


def _tls_paths(given: argparse.Namespace) -> tuple[Path, Path, Path] | None:
    paths = (given.tls_certificate, given.tls_key, given.tls_client_ca)
    if not any(paths):
        return None
    if not all(paths):
        raise InvalidRequest(
            "to serve beyond this machine give all of --tls-certificate, --tls-key and --tls-client-ca",
            "TLS_INCOMPLETE",
        )
    for path in paths:
        if not Path(path).is_file():
            raise InvalidRequest(f"there is no file {path}: name a PEM file", "TLS_FILE_MISSING")
    return Path(paths[0]), Path(paths[1]), Path(paths[2])
