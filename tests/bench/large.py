"""Peak memory of OSEDiff at its real size with random weights: results of 1024 and 4096 px, as `memory` for compact.

Its largest result takes up to an hour on a CPU; so it is no part of `make bench` but `make bench-full`.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from tests.bench import full_size_job, memory
from tests.bench.one_step import METHODS, checkpoints
from tests.bench.tables import Effort, Table

SIDES, TINY_SIDES = (1024, 4096), (64, 128)


def run(effort: Effort) -> list[Table]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        checkpoints(METHODS["osediff"], folder)
        os.environ[full_size_job.store.CHECKPOINT_DIR_VARIABLE] = str(full_size_job.store_in(folder))
        return [memory.measured("osediff", TINY_SIDES if effort.tiny else SIDES, full_size_job.DAEMON)]
