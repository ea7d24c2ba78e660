"""`safelight doctor`: what could be wrong, each with what to do about it."""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from safelight import __version__, runtime
from safelight.cli.console import Console
from safelight.client.restoration import RestorationClient
from safelight.errors import SafelightError

DISK_LEAST_BYTES = 2 << 30  # a large picture's canvas and output
LOG_TAIL_BYTES = 200_000
DAEMON_NEEDS = {"torch": "2.10", "safetensors": "0.5", "psutil": "6"}


@dataclass(frozen=True)
class Finding:
    """`fix` is empty where all is well."""

    area: str
    text: str
    fix: str = ""


def run(given: argparse.Namespace, console: Console) -> int:
    failed = 0
    for finding in findings():
        failed += bool(finding.fix)
        mark = "!!" if finding.fix else "ok"
        console.result(f"{mark}  {finding.area:12} {finding.text}")
        if finding.fix:
            console.result(f"    {'':12} fix: {finding.fix}")
        console.event("finding", area=finding.area, ok=not finding.fix, text=finding.text, fix=finding.fix)
    console.result("all is well" if not failed else f"{failed} thing(s) to fix")
    return 1 if failed else 0


def findings() -> Iterator[Finding]:
    checks: tuple[Callable[[], Iterator[Finding]], ...] = (
        _environment, _packages, _pictures, _runtime_folder, _daemon, _log, _disk,
    )  # fmt: skip
    for check in checks:
        try:
            yield from check()
        except (SafelightError, OSError) as error:
            text = error.message if isinstance(error, SafelightError) else str(error)
            yield Finding(check.__name__.strip("_"), text, "do what the sentence says, then run doctor again")


def _environment() -> Iterator[Finding]:
    version = platform.python_version()
    fix = "" if sys.version_info >= (3, 11) else "install Python 3.11 or newer"
    yield Finding("python", f"{version} at {sys.executable}", fix)
    yield Finding("safelight", f"{__version__} at {Path(runtime.__file__).parent}")


def _packages() -> Iterator[Finding]:
    for name, least in DAEMON_NEEDS.items():
        try:
            version = metadata.version(name)
        except metadata.PackageNotFoundError:
            yield Finding(name, "not installed", "pip install 'safelight[daemon]', or use a daemon elsewhere")
            continue
        old = _numbers(version) < _numbers(least)
        yield Finding(name, version, f"pip install '{name}>={least}'" if old else "")


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("+")[0].split(".") if part.isdigit())


def _pictures() -> Iterator[Finding]:
    import pyvips

    found = [
        name
        for name in ("jpeg", "png", "tiff", "webp", "heif")
        if pyvips.type_find("VipsForeignLoad", f"{name}load")
    ]
    missing = {"jpeg", "png", "tiff", "webp"} - set(found)
    fix = "pip install --force-reinstall 'pyvips[binary]'" if missing else ""
    version = f"{pyvips.version(0)}.{pyvips.version(1)}.{pyvips.version(2)}"
    yield Finding("pictures", f"libvips {version} reads {', '.join(found)}", fix)


def _runtime_folder() -> Iterator[Finding]:
    folder = runtime.runtime_dir()
    runtime.prepare_runtime_dir(folder)
    if os.name == "posix":
        runtime.socket_path(folder)
    yield Finding("runtime", f"{folder} is private")


def _daemon() -> Iterator[Finding]:
    with RestorationClient.local() as client:
        state, pipelines = client.state(), client.pipelines()
    title = state.device_title or "a device it is still looking for"
    yield Finding("daemon", f"process {state.process_id} answers, on {title}")
    if "CPU" in state.device_title and shutil.which("nvidia-smi"):
        yield Finding(
            "device", "there is an NVIDIA GPU but torch does not use it",
            "install the CUDA build of torch, see README, Installing by hand",
        )  # fmt: skip
    for pipeline in pipelines:  # one that is not installed is a choice, not a fault
        yield Finding(pipeline.spec.id, pipeline.install_hint or "installed")


def _log() -> Iterator[Finding]:
    path = runtime.log_path()
    if not path.exists():
        yield Finding("log", f"{path} is not there yet")
        return
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - LOG_TAIL_BYTES))
        lines = file.read().decode(errors="replace").splitlines()
    errors = [line for line in lines if " ERROR " in line]
    text = f"{path}, {len(errors)} recent error(s)" + (f", last: {errors[-1][:160]}" if errors else "")
    yield Finding("log", text)


def _disk() -> Iterator[Finding]:
    folder = Path(tempfile.gettempdir())
    free = shutil.disk_usage(folder).free
    fix = (
        ""
        if free >= DISK_LEAST_BYTES
        else f"free some space on the volume of {folder}, or set TMPDIR to another"
    )
    yield Finding("disk", f"{free / 1e9:.1f} GB free for temporary files in {folder}", fix)
