"""Commands of Safelight and what they say, printed as a person sees them, with a daemon of one's own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from PIL import Image

from safelight import runtime
from safelight.cli.serve import THREAD_POLICY
from safelight.client import connection
from tests.bench.daemons import runtime_folder
from tests.bench.pictures import photo
from tests.fakes.daemon import ROOT

SAFELIGHT = [sys.executable, "-m", "safelight.cli.main"]


@contextmanager
def daemon(program: list[str]) -> Iterator[int]:
    """A daemon that `program` starts, for the commands below; gives its process id."""
    os.environ |= {"PYTHONPATH": str(ROOT), **THREAD_POLICY}
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell has background jobs ignore it
    with runtime_folder() as folder:
        os.environ[runtime.RUNTIME_DIR_VARIABLE] = str(folder)
        yield connection.start_daemon(folder, program).process_id


def command(*words: str) -> None:
    print("$ safelight " + " ".join(words), flush=True)
    done = subprocess.run([*SAFELIGHT, *words], capture_output=True, text=True, env=_wide())
    print(done.stdout + done.stderr, flush=True)


def restore(
    picture: Path, out: str, pipeline: str, *more: str, interrupt_at: tuple[str, int] | None = None
) -> None:
    """With its progress; `more` are further words of the command, `interrupt_at` is the stage and tile after which the
    person presses Ctrl-C."""
    words = ["restore", picture.name, "-o", out, "--pipeline", pipeline, *more, "--force", "--json"]
    print("$ safelight " + " ".join(words), flush=True)
    with subprocess.Popen([*SAFELIGHT, *words], stdout=subprocess.PIPE, text=True, cwd=picture.parent) as run:
        assert run.stdout is not None
        for event in map(json.loads, run.stdout):
            said = _said(event)
            if said:
                print(said, flush=True)
            if interrupt_at == (event.get("stage"), event.get("tiles_done")):
                print("^C", flush=True)
                run.send_signal(signal.SIGINT)
                interrupt_at = None
    print(f"exit code {run.returncode}\n", flush=True)


_told: list[str] = []


def _said(event: dict[str, Any]) -> str:
    """Progress in short, each tile once; of the report what was computed; anything else as it is."""
    if event["event"] == "progress":
        tiles = f" {event['tiles_done']}/{event['tiles']}" if event["tiles"] else ""
        step = f", step {event['step']} of {event['steps']}" if event.get("steps", 0) > 1 else ""
        said = f"  {event['stage']}{tiles}{step}"
        if _told[-1:] == [said]:
            return ""
        _told.append(said)
        eta = "" if event["eta_s"] is None else f", {event['eta_s']:.0f} s to go"
        return f"{said}: {event['fraction']:.0%}{eta}"
    if event["event"] == "done":
        report = event["report"]
        stages = ", ".join(f"{name} {seconds:.1f}" for name, seconds in report["stages_s"].items())
        size = f"{event['width']}x{event['height']}"
        return f"  {size} in {event['seconds']['all']:.0f} s ({stages}), {report['precision']}"
    return "  " + json.dumps(event)


def photo_in(folder: Path, size: tuple[int, int]) -> Path:
    path = folder / f"photo-{size[0]}.jpg"
    Image.fromarray(photo(*size)).save(path, quality=90)
    return path


def status_mb(process_id: int, name: str) -> int:
    """A line of the kernel's account of a process, such as VmHWM."""
    lines = Path(f"/proc/{process_id}/status").read_text().splitlines()
    return next(int(line.split()[1]) // 1024 for line in lines if line.startswith(name))


def _wide() -> dict[str, str]:
    return {**os.environ, "COLUMNS": "120"}
