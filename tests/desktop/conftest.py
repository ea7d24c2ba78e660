from pathlib import Path

from tests.desktop import libraries

if libraries.MISSING:  # the other files import Qt; test_libraries.py says why they are left out
    collect_ignore = [
        p.name for p in Path(__file__).parent.glob("test_*.py") if p.name != "test_libraries.py"
    ]
else:
    from tests.desktop.fixtures import *  # noqa: F403
