"""Results that are set aside, and come back. Blocks."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from safelight.client.sources import REJECTED
from safelight.errors import OutputFileError


def set_aside(result: Path) -> Path:
    """Moves a result into the folder of rejected ones beside it; gives its place there. Raises OutputFileError."""
    return _moved(result, result.parent / REJECTED / result.name)


def restore_set_aside(aside: Path, target: Path) -> Path:
    """Back again; under a number where another file has taken its place. Raises OutputFileError."""
    back = _moved(aside, target)
    with suppress(OSError):  # others are in it
        aside.parent.rmdir()
    return back


def _moved(file: Path, to: Path) -> Path:
    """Never onto another file."""
    try:
        to.parent.mkdir(parents=True, exist_ok=True)
        free, number = to, 2
        while os.path.lexists(free):
            free, number = to.with_name(f"{to.stem}-{number}{to.suffix}"), number + 1
        return file.rename(free)
    except OSError as error:
        raise OutputFileError(
            f"{file} cannot be moved to {to.parent} ({error.strerror}): is it still there?", "MOVE_FAILED"
        ) from None
