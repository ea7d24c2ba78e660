"""Where the results of all pictures will go. Asks the disk: belongs on a worker thread."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import NamedTuple

from safelight.client.naming import Naming, Source
from safelight.errors import InvalidRequest
from safelight_desktop.rpc.batch import same_name


class PlanRow(NamedTuple):
    """What of a row is needed."""

    id: int
    source: Path
    relative: PurePath
    fixed: Path | None
    """The result that it has: a new one takes its place."""


@dataclass(frozen=True)
class Planned:
    """Of one moment."""

    targets: dict[int, tuple[Path, bool]] = field(default_factory=dict)
    """By row: the file of its result, and whether it is there already."""
    originals: frozenset[str] = frozenset()
    """Names of all sources, as `same_name` gives them."""
    problem: InvalidRequest | None = None
    """Why there are no targets."""


def plan(rows: Sequence[PlanRow], naming: Naming, *, pipeline: str, scale: int) -> Planned:
    """Never raises InvalidRequest: that is `problem`."""
    originals = frozenset(same_name(row.source) for row in rows)
    try:
        named = naming.targets(
            [Source(row.source, row.relative) for row in rows], pipeline=pipeline, scale=scale
        )
    except InvalidRequest as error:
        return Planned({}, originals, error)
    targets = {row.id: row.fixed or target for row, target in zip(rows, named, strict=True)}
    return Planned({number: (path, path.exists()) for number, path in targets.items()}, originals)
