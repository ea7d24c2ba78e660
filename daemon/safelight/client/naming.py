"""What the results of many pictures are called, and where they go."""

from __future__ import annotations

import os
import string
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import NamedTuple

from safelight.errors import InvalidRequest
from safelight.imaging.files import SUFFIXES

FIELDS = ("name", "folder", "pipeline", "scale")
"""Of a template: the picture's name without suffix, its folder's name, and what it is restored with."""

_FORBIDDEN = frozenset('/\\:*?"<>|') | {chr(code) for code in range(32)}  # by one file system or another
_INSTEAD = ".png"  # of formats that cannot be written


class Source(NamedTuple):
    """A picture, and its place below the folder that was named: its bare name where the file itself was."""

    path: Path
    relative: PurePath


@dataclass(frozen=True)
class Naming:
    """From sources to targets."""

    template: str = "{name}-restored"
    """Without suffix; see FIELDS."""
    suffix: str = ""
    """One of imaging.files.SUFFIXES; empty: the picture's own, PNG where that cannot be written."""
    folder: Path | None = None
    """Results go into it; None: beside the pictures."""
    mirror: bool = True
    """In `folder` the pictures' own folders are made again."""

    def checked(self) -> Naming:
        """Itself; raises InvalidRequest (NAME_TEMPLATE, FOLDER_RELATIVE) with what to do."""
        try:
            parts = list(string.Formatter().parse(self.template))
        except ValueError:
            raise _wrong(self.template, "has a brace without its partner") from None
        names = [name for _, name, _, _ in parts if name is not None]
        for _, name, spec, conversion in parts:
            if name is not None and (name not in FIELDS or spec or conversion):
                raise _wrong(self.template, f"has {{{name}}}, which means nothing")
        bad = sorted({c for text, *_ in parts for c in text if c in _FORBIDDEN})
        if bad:
            raise _wrong(self.template, f"has {bad[0]!r}, which no file's name may have")
        if "name" not in names:
            raise _wrong(self.template, "would call all results the same")
        if self.folder is not None and not self.folder.is_absolute():
            raise InvalidRequest(f"{self.folder} is no whole path: choose a folder", "FOLDER_RELATIVE")
        return self

    def targets(self, sources: Sequence[Source], *, pipeline: str, scale: int) -> list[Path]:
        """For each source. Two that would get the same name get their old suffix into it, then a number: the
        same sources in any order get the same names. Raises InvalidRequest as `checked` does, and
        OUTPUT_IS_INPUT where a result would be called like its original."""
        self.checked()
        plain = [self._target(source, pipeline, scale, "") for source in sources]
        taken = Counter(map(_key, plain))
        found = [
            target if taken[_key(target)] == 1 else self._target(source, pipeline, scale, _own_suffix(source))
            for source, target in zip(sources, plain, strict=True)
        ]
        found = _numbered(found, [str(source.path) for source in sources])
        for source, target in zip(sources, found, strict=True):
            if _key(target) == _key(source.path):
                raise InvalidRequest(
                    f"the results would be called like their originals ({target.name}), which are never "
                    "overwritten: put something into the name or choose a folder",
                    "OUTPUT_IS_INPUT",
                )
        return found

    def _target(self, source: Source, pipeline: str, scale: int, more: str) -> Path:
        path = source.path
        stem = self.template.format(
            name=path.stem + more, folder=path.parent.name, pipeline=pipeline, scale=f"{scale}x"
        ).rstrip(". ")
        own = path.suffix.lower()
        name = stem + (self.suffix or (own if own in SUFFIXES else _INSTEAD))
        if self.folder is None:
            return path.parent / name
        return (self.folder / source.relative.parent / name) if self.mirror else self.folder / name


def _own_suffix(source: Source) -> str:
    return "-" + source.path.suffix.lower().removeprefix(".") if source.path.suffix else ""


def _key(path: Path) -> str:
    """Some file systems do not tell capitals apart."""
    return os.path.normpath(path).casefold()


def _numbered(targets: list[Path], order: Iterable[str]) -> list[Path]:
    numbered, used = list(targets), {_key(t) for t in targets}
    seen: set[str] = set()
    for _, at in sorted((name, at) for at, name in enumerate(order)):
        target, number = targets[at], 2
        if _key(target) in seen:
            while _key(target) in used:
                target = targets[at].with_name(f"{targets[at].stem}-{number}{targets[at].suffix}")
                number += 1
        numbered[at] = target
        used.add(_key(target))
        seen.add(_key(target))
    return numbered


def _wrong(template: str, what: str) -> InvalidRequest:
    fields = ", ".join(f"{{{name}}}" for name in FIELDS)
    return InvalidRequest(
        f"the name {template!r} {what}: write a name with {{name}} in it; known are {fields}", "NAME_TEMPLATE"
    )
