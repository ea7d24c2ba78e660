"""OSEDiff at its real size against plain diffusers: see `one_step`."""

from __future__ import annotations

from tests.bench.one_step import METHODS, measured
from tests.bench.tables import Effort, Table


def run(effort: Effort) -> list[Table]:
    return measured(METHODS["osediff"], effort)
