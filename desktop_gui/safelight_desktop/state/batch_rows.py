"""Pictures of the batch: what is known of each, and where it stands."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from pathlib import Path, PurePath

from safelight.geometry import Size
from safelight_desktop.rpc.restoring import Progress
from safelight_desktop.state.settings_form import Recipe


class RowState(Enum):
    """Where a picture stands."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    SKIPPED = "skipped"
    """Its result was there already."""
    FAILED = "failed"


class Verdict(Enum):
    """What a person thinks of a result."""

    OPEN = ""
    ACCEPTED = "accepted"
    REJECTED = "rejected"


@dataclass
class BatchRow:
    """One picture. Belongs to the thread of the event loop; workers get copies."""

    id: int
    source: Path
    relative: PurePath
    """Its place below the folder that was added: the bare name where the file itself was."""
    place: float = 0.0
    """Rows are worked off in this order."""
    state: RowState = RowState.WAITING
    size: Size | None = None
    """None: not looked at yet."""
    pixel_bytes: int = 0
    """Bytes of a pixel of the picture, and so of its result."""
    target: Path | None = None
    """Where its result goes, or is."""
    exists: bool = False
    """The target was there when it was looked for last."""
    reason: str = ""
    """Of the error; empty where there is none."""
    message: str = ""
    started: float = 0.0
    """Seconds since the epoch."""
    duration_s: float = 0.0
    result_bytes: int = 0
    recipe: Recipe | None = None
    """Its own, of a picture that is done again otherwise; None: the batch's."""
    verdict: Verdict = Verdict.OPEN
    set_aside: Path | None = None
    """Where a rejected result lies now."""
    losses: int = 0
    """How often the daemon went away while it ran."""
    progress: Progress | None = None
    """While it runs; not kept."""

    @property
    def result(self) -> Path | None:
        """The file with its result; None while there is none."""
        if self.state is not RowState.DONE and not (self.state is RowState.SKIPPED and self.exists):
            return None
        return self.set_aside or self.target
