"""Which pictures are meant by files and folders, and where each result goes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from safelight.errors import InputFileError, InvalidRequest, OutputFileError

SUFFIXES = frozenset(
    {".png", ".jpg", ".jpeg", ".jpe", ".tif", ".tiff", ".webp", ".heic", ".heif", ".avif", ".jxl"}
)
"""What is looked for in folders; a file that is named is tried whatever its suffix."""

REJECTED = "Safelight rejected"
"""Folder beside results into which a person set some aside."""


@dataclass(frozen=True)
class Pair:
    """One picture and where its result goes."""

    source: Path
    target: Path


def pairs(inputs: Sequence[str], output: str) -> tuple[list[Pair], bool]:
    """All pairs, and whether `output` is a folder. Raises InvalidRequest or a LocalError for what cannot be."""
    paths = [Path(text) for text in inputs]
    for path in paths:
        if not path.exists():
            raise InputFileError(f"there is no file {path}: check the name", "FILE_MISSING")
    target = Path(output)
    if len(paths) == 1 and not paths[0].is_dir():
        return [_single(paths[0], target)], False
    if target.exists() and not target.is_dir():
        raise InvalidRequest(
            f"{target} is a file: with several inputs or a folder, -o names the folder to write into",
            "OUTPUT_NOT_FOLDER",
        )
    found = [pair for path in paths for pair in _below(path, target)]
    if not found:
        raise InputFileError(f"there are no pictures in {', '.join(inputs)}", "NO_PICTURES")
    _require_different_targets(found)
    return found, True


def _single(source: Path, target: Path) -> Pair:
    if target.is_dir():
        target = target / source.name
    _require_not_original(source, target)
    if not target.parent.is_dir():
        raise OutputFileError(
            f"there is no folder {target.parent}: make it or name another", "FOLDER_MISSING"
        )
    return Pair(source, target)


def _below(path: Path, target: Path) -> Iterator[Pair]:
    if not path.is_dir():
        yield Pair(path, target / path.name)
        return
    inside = target.resolve()
    for source in pictures_below(path):
        if inside != path.resolve() and inside in source.resolve().parents:
            continue  # results of an earlier run inside the input folder are not inputs
        yield Pair(source, target / source.relative_to(path))


def pictures_below(folder: Path) -> Iterator[Path]:
    """Sorted by path. Hidden ones, and those in hidden folders or in one of REJECTED, are left out."""
    for path in sorted(folder.rglob("*")):
        parts = path.relative_to(folder).parts
        if any(part.startswith(".") or part == REJECTED for part in parts):
            continue
        if path.suffix.lower() in SUFFIXES and path.is_file():
            yield path


def _require_different_targets(found: Sequence[Pair]) -> None:
    seen: dict[Path, Path] = {}
    for pair in found:
        _require_not_original(pair.source, pair.target)
        if pair.target in seen:
            raise InvalidRequest(
                f"{seen[pair.target]} and {pair.source} would both be written to {pair.target}: restore them apart",
                "OUTPUTS_COLLIDE",
            )
        seen[pair.target] = pair.source


def _require_not_original(source: Path, target: Path) -> None:
    if target.exists() and target.samefile(source):
        raise InvalidRequest(
            f"{target} is the original itself: name another output, originals are never overwritten",
            "OUTPUT_IS_INPUT",
        )
