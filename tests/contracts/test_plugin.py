"""GIMP's own Python runs the plug-in: it uses the standard library and gi, and imports nothing of ours.

The plug-in is too large for one file. Whatever touches GIMP lies in safelight-gimp.py and the modules gimp_*.py; the
others must do without gi, so that they are tested without GIMP.
"""

import ast
import sys
from pathlib import Path

import pytest

PLUGIN = Path(__file__).parents[2] / "plugin_gimp" / "safelight-gimp"
FILES = sorted(PLUGIN.rglob("*.py"))
OWN = {path.stem for path in FILES}
OLDEST_PYTHON = (3, 10)  # of the GIMP packages for Windows and macOS


def imported(path):
    """Top-level names of all modules that a file imports."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (name.name.split(".")[0] for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0
            yield node.module.split(".")[0]


def touches_gimp(path):
    return path.stem == "safelight-gimp" or path.stem.startswith("gimp_")


@pytest.mark.parametrize("path", FILES, ids=[p.stem for p in FILES])
def test_it_uses_the_standard_library_and_gi_only(path):
    allowed = set(sys.stdlib_module_names) | OWN | ({"gi"} if touches_gimp(path) else set())
    assert set(imported(path)) <= allowed


@pytest.mark.parametrize("path", FILES, ids=[p.stem for p in FILES])
def test_what_is_tested_without_gimp_needs_nothing_that_touches_it(path):
    if not touches_gimp(path):
        assert not [name for name in imported(path) if name.startswith("gimp_")]


@pytest.mark.parametrize("path", FILES, ids=[p.stem for p in FILES])
def test_the_oldest_python_of_gimps_packages_can_read_it(path):
    ast.parse(path.read_text(), feature_version=OLDEST_PYTHON)


def test_no_second_file_has_the_name_of_the_package():
    assert "safelight" not in OWN
