"""Measures Safelight: `python -m tests.bench [NAME...] [--json FILE] [--runs N] [--tiny]`.

Each subject runs in a process of its own, so that peak memory and thread pools of one do not touch another.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from safelight import runtime
from safelight.cli.serve import THREAD_POLICY
from tests.bench.machine import facts, load_note
from tests.bench.tables import Effort, Table

SUBJECTS = (
    "compact",
    "overhead",
    "transfer",
    "health",
    "command",
    "memory",
    "tiling",
    "finish",
    "kept",
    "osediff",
    "s3diff",
    "faithdiff",
    "gpu",
    "decode",
)
LONG_SUBJECTS = ("large",)
"""Asked for by name only."""
OWN_PROCESS = "SAFELIGHT_BENCH_SUBJECT"


def main() -> int:
    given = _parsed()
    if os.environ.get(OWN_PROCESS):
        return _measure(given.subjects[0], Effort(given.runs, given.tiny), given.json)
    print(" | ".join(f"{name} {value}" for name, value in facts().items()), flush=True)
    with tempfile.TemporaryDirectory() as folder:
        codes = {name: _in_own_process(name, given, Path(folder)) for name in given.subjects}
        if given.json:
            subjects = {
                name: json.loads((Path(folder) / name).read_text())
                for name, code in codes.items()
                if not code
            }
            Path(given.json).write_text(json.dumps({"machine": facts(), "subjects": subjects}, indent=1))
    for name, code in codes.items():
        if code:
            print(f"{name} failed with exit code {code}", file=sys.stderr)
    return 1 if any(codes.values()) else 0


def _parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument(
        "subjects",
        nargs="*",
        metavar="NAME",
        help=f"of {', '.join(SUBJECTS)}, all without; {', '.join(LONG_SUBJECTS)} takes an hour",
    )
    parser.add_argument("--json", metavar="FILE", help="write all figures here as well")
    parser.add_argument("--runs", type=int, default=5, metavar="N", help="paired runs of everything (5)")
    parser.add_argument("--tiny", action="store_true", help="smallest sizes: shows that it runs, no figures")
    given = parser.parse_args()
    given.subjects = given.subjects or list(SUBJECTS)
    if unknown := set(given.subjects) - {*SUBJECTS, *LONG_SUBJECTS}:
        parser.error(
            f"there is no subject {min(unknown)}: choose from {', '.join((*SUBJECTS, *LONG_SUBJECTS))}"
        )
    if given.runs < 1:
        parser.error("--runs must be at least 1")
    return given


def _in_own_process(name: str, given: argparse.Namespace, folder: Path) -> int:
    command = [sys.executable, "-m", "tests.bench", name, "--runs", str(given.runs)]
    command += ["--json", str(folder / name), *(["--tiny"] if given.tiny else [])]
    environment = {**THREAD_POLICY, **os.environ, OWN_PROCESS: "1", runtime.KEPT_VARIABLE: "0"}
    environment.pop(runtime.RUNTIME_DIR_VARIABLE, None)
    return subprocess.run(command, env=environment, check=False).returncode


def _measure(name: str, effort: Effort, file: str) -> int:
    tables: list[Table] = importlib.import_module(f"tests.bench.{name}").run(effort)
    for table in tables:
        table.notes.append(load_note())
        print("\n" + table.text, flush=True)
    Path(file).write_text(json.dumps([table.plain for table in tables]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
