"""State, calls and planes know no widget; the app knows no engine."""

import subprocess
import sys
from pathlib import Path

import pytest

import safelight_desktop

PACKAGE = Path(safelight_desktop.__file__).parent


def modules_of(*folders):
    return [
        "safelight_desktop." + ".".join(path.relative_to(PACKAGE).with_suffix("").parts)
        for folder in folders
        for path in sorted((PACKAGE / folder).rglob("*.py"))
        if path.name != "__init__.py"
    ]


BORDERS = {
    "state, calls and planes know no widget": (
        modules_of("planes", "rpc", "state"),
        ["PySide6.QtWidgets", "PySide6.QtSvg"],
    ),
    "the app knows no engine": (
        modules_of("."),
        ["torch", "safelight.engine", "safelight.server", "safelight.cli"],
    ),
}


@pytest.mark.parametrize(("modules", "blocked"), BORDERS.values(), ids=BORDERS)
def test_border(modules, blocked):
    lines = ["import importlib, sys", f"for name in {blocked!r}: sys.modules[name] = None"]
    lines += [f"importlib.import_module({m!r})" for m in modules]
    result = subprocess.run([sys.executable, "-c", "\n".join(lines)], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr.splitlines()[-1]
