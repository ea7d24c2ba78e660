from pathlib import Path

from tests.desktop import libraries

HERE = Path(__file__).parent

if libraries.MISSING:  # the other files import Qt; test_libraries.py says why they are left out
    collect_ignore = [str(p) for p in HERE.rglob("test_*.py") if p.name != "test_libraries.py"]
else:
    from tests.desktop.fixtures import *  # noqa: F403
