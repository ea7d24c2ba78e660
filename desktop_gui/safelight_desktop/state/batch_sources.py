"""Looks into folders and files for the batch. Everything here blocks and belongs on a worker thread."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

from safelight.client.naming import Naming, Source
from safelight.client.sources import pictures_below
from safelight.errors import InputFileError, InvalidRequest, SafelightError
from safelight.geometry import Size
from safelight.imaging.files import open_picture
from safelight_desktop.rpc.background import as_told
from safelight_desktop.rpc.batch import same_name


@dataclass(frozen=True)
class Gathered:
    """Pictures that were found."""

    sources: list[Source]
    known: int
    """So many were in the batch before, or are results of it."""


@dataclass(frozen=True)
class Looked:
    """What a file's header says, or why it says nothing."""

    size: Size | None
    pixel_bytes: int
    error: SafelightError | None


def gather(
    paths: Sequence[Path], naming: Naming, pipeline: str, scale: int, known: Iterable[Path]
) -> Gathered:
    """Pictures of files and of whole folders, in the order of people. Left out are `known` ones, and results that
    lie in the folder that results go to, or beside an original and called like its result. Raises InputFileError
    where there is none at all."""
    found: dict[str, Source] = {}
    skipped = 0
    for path in paths:
        path = path.absolute()
        for source in _sources(path):
            if _result_of_old(naming.folder, path, source.path):
                skipped += 1
            else:
                found.setdefault(same_name(source.path), source)
    if not found and not skipped:
        names = ", ".join(path.name for path in paths[:3])
        raise InputFileError(
            f"there are no pictures in {names}: choose a folder with pictures", "NO_PICTURES"
        )
    left_out = {same_name(path) for path in known}
    sources = list(found.values())
    try:
        targets = naming.targets(sources, pipeline=pipeline, scale=scale)
    except InvalidRequest:  # told where it is shown
        targets = []
    left_out |= {same_name(target) for target in targets}
    fresh = [source for name, source in found.items() if name not in left_out]
    return Gathered(sorted(fresh, key=lambda source: natural(source)), len(found) - len(fresh) + skipped)


def _sources(path: Path) -> Iterable[Source]:
    if not path.is_dir():
        return [Source(path, PurePath(path.name))]
    return (Source(below, below.relative_to(path)) for below in pictures_below(path))


def _result_of_old(results: Path | None, added: Path, path: Path) -> bool:
    """Within a folder that was added, the one that results go to holds results of an earlier batch."""
    return results is not None and added in results.parents and results in path.parents


def natural(source: Source) -> list[list[str | int]]:
    """Sorts 2 before 10, and what lies in one folder together."""
    parts = (str(source.path.parent), source.path.name)
    return [
        [int(piece) if at % 2 else piece.casefold() for at, piece in enumerate(re.split(r"([0-9]+)", part))]
        for part in parts
    ]


def look(paths: Sequence[Path]) -> list[Looked]:
    """For each file, in order."""
    return [_looked(path) for path in paths]


def _looked(path: Path) -> Looked:
    try:
        picture = open_picture(path)
    except Exception as error:  # whatever a file does, the next one is looked at
        return Looked(None, 0, as_told(error))
    return Looked(picture.size, picture.format.bytes_per_pixel, None)
