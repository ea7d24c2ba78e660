"""What must not be imported is blocked, then the package is imported in a fresh interpreter."""

import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "daemon" / "safelight"
HEAVY = ["torch", "diffusers", "transformers", "peft", "safetensors", "psutil"]


def modules_of(*folders):
    for folder in folders:
        for path in sorted((PACKAGE / folder).rglob("*.py")):
            parts = path.relative_to(PACKAGE).with_suffix("").parts
            yield ".".join(("safelight", *(p for p in parts if p != "__init__")))


LEAVES = ["safelight.geometry", "safelight.errors", "safelight.spec", "safelight.settings"]
ENGINE_WITHOUT_TORCH = [
    f"safelight.engine.{name}"
    for name in ("jobs", "residency", "tiling", "request", "finish", "pipelines.registry", "checkpoints")
]
ENGINE_WITHOUT_TORCH += [
    f"safelight.engine.checkpoints.{n}" for n in ("catalogue", "store", "download", "install", "convert")
]
BORDERS = {
    "leaves need the standard library only": (LEAVES, [*HEAVY, "numpy", "grpc", "pyvips", "PIL"]),
    "imaging needs no torch and no grpc": (list(modules_of("imaging")), [*HEAVY, "grpc", "safelight.v1"]),
    "the client needs no torch, engine or server": (
        [*modules_of("client"), "safelight.wire", "safelight.runtime"],
        [*HEAVY, "safelight.engine", "safelight.server"],
    ),
    "client commands need no torch": (
        [m for m in modules_of("cli") if m != "safelight.cli.main"],
        [*HEAVY, "safelight.engine", "safelight.server"],
    ),
    "queue, residency, tiling and finish need no torch": (ENGINE_WITHOUT_TORCH, ["torch", "grpc"]),
    "the engine has never heard of grpc": (
        list(modules_of("engine")),
        ["grpc", "safelight.v1", "safelight.wire", "safelight.server", "safelight.client", "safelight.cli"],
    ),
}


@pytest.mark.parametrize(("modules", "blocked"), BORDERS.values(), ids=BORDERS)
def test_border(modules, blocked):
    lines = ["import importlib, sys", f"for name in {blocked!r}: sys.modules[name] = None"]
    lines += [f"importlib.import_module({m!r})" for m in modules]
    result = subprocess.run([sys.executable, "-c", "\n".join(lines)], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr.splitlines()[-1]


def test_package_inits_are_empty():
    filled = [p for p in PACKAGE.rglob("__init__.py") if p.parent != PACKAGE and p.read_text().strip()]
    assert filled == []


FORBIDDEN_WORDS = ["weights_only=False", "pickle.load", "trust_remote_code=True", "unix-abstract:"]


@pytest.mark.parametrize("words", FORBIDDEN_WORDS)
def test_shipped_code_never_says(words):
    found = [str(p) for p in PACKAGE.rglob("*.py") if words in p.read_text()]
    assert found == []
