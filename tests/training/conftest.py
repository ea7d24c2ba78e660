"""Makes `training` importable: it lies beside the package and is no part of the wheel."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[2] / "daemon"))
