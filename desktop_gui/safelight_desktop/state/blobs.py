"""Arrays of a project on disk, by the SHA-256 of their memory: what is put in twice is there once."""

from __future__ import annotations

import hashlib
import math
import os
import zipfile
import zlib
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any

import numpy as np

from safelight.errors import InputFileError
from safelight.settings import MAX_PIXELS

KINDS = ("|u1", "<u2", "<f4")
SIDES_MOST = 3
QUICK = 1  # zlib's level: photographs get little smaller at others
_STEP_BYTES = 16 << 20


class Blobs(ABC):
    """References are plain JSON data. Used by one thread at a time."""

    def __init__(self) -> None:
        self._names: dict[int, tuple[Any, str]] = {}
        self.used: set[str] = set()
        """Names of what was put in since `begin`."""

    def begin(self) -> None:
        """Another version of the project: arrays that it lacks are forgotten at its end."""
        self.used = set()

    def put(self, array: Any) -> dict[str, object]:
        """A reference to an array of bytes, 16-bit numbers or floats, which is never written to any more."""
        known = self._names.get(id(array))
        if known is None:
            memory = np.ascontiguousarray(array)
            name = hashlib.sha256(memory.data).hexdigest()
            self._store(name, memory)
            self._names[id(array)] = array, name
        else:
            name = known[1]
        self.used.add(name)
        return {"blob": name, "kind": array.dtype.newbyteorder("<").str, "shape": list(array.shape)}

    def forget_unused(self) -> None:
        """What was not put in since `begin` need not be recognised any more."""
        self._names = {key: kept for key, kept in self._names.items() if kept[1] in self.used}

    def get(self, reference: Any) -> Any:
        """The array again; raises InputFileError (PROJECT_DAMAGED) for anything but what `put` gave."""
        try:
            name, kind, shape = str(reference["blob"]), reference["kind"], tuple(map(int, reference["shape"]))
        except (KeyError, TypeError, ValueError):
            raise damaged("an array has no place") from None
        if kind not in KINDS or len(shape) > SIDES_MOST or min(shape, default=0) < 1:
            raise damaged(f"an array is said to be {kind!r} {shape}")
        if math.prod(shape[:2]) > MAX_PIXELS or math.prod(shape[2:]) > 4:
            raise damaged(f"an array of {shape} is too large")
        array = np.empty(shape, np.dtype(kind))
        if array.nbytes != self._load(name, array.data.cast("B")):
            raise damaged(f"the array {name[:12]} is too short or too long")
        if hashlib.sha256(array.data).hexdigest() != name:
            raise damaged(f"the array {name[:12]} has changed")
        array.setflags(write=False)
        return array

    @abstractmethod
    def _store(self, name: str, array: Any) -> None: ...

    @abstractmethod
    def _load(self, name: str, into: memoryview) -> int:
        """Fills `into`; gives the bytes there are, also where they do not fit."""


class ZipBlobs(Blobs):
    """In an open archive."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        super().__init__()
        self._archive = archive

    def _store(self, name: str, array: Any) -> None:
        if f"arrays/{name}" in self._archive.NameToInfo:
            return
        with self._archive.open(f"arrays/{name}", "w", force_zip64=True) as file:
            memory = memoryview(array).cast("B")
            for start in range(0, len(memory), _STEP_BYTES):
                file.write(memory[start : start + _STEP_BYTES])

    def _load(self, name: str, into: memoryview) -> int:
        try:
            info = self._archive.getinfo(f"arrays/{name}")
            with self._archive.open(info) as file:
                filled = 0
                while part := file.read(min(_STEP_BYTES, len(into) - filled)):
                    into[filled : filled + len(part)] = part
                    filled += len(part)
        except (KeyError, zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
            raise damaged(f"the array {name[:12]} cannot be read ({type(error).__name__})") from None
        return info.file_size


class FolderBlobs(Blobs):
    """Files of a folder, written once each."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder

    def remove_unused(self) -> None:
        """Files that the last version does not need."""
        self.forget_unused()
        for path in self._folder.iterdir():
            if path.name not in self.used:
                path.unlink(missing_ok=True)

    def _store(self, name: str, array: Any) -> None:
        path = self._folder / name
        if path.exists():
            return
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        part = path.with_suffix(".part")
        packer = zlib.compressobj(QUICK)
        with part.open("wb") as file:
            memory = memoryview(array).cast("B")
            for start in range(0, len(memory), _STEP_BYTES):
                file.write(packer.compress(memory[start : start + _STEP_BYTES]))
            file.write(packer.flush())
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)

    def _load(self, name: str, into: memoryview) -> int:
        if not name.isalnum():
            raise damaged("an array has no name")
        unpacker, filled = zlib.decompressobj(), 0
        try:
            with (self._folder / name).open("rb") as file:
                while packed := unpacker.unconsumed_tail or file.read(_STEP_BYTES):
                    room = len(into) - filled
                    part = unpacker.decompress(packed, max(1, min(_STEP_BYTES, room)))
                    if len(part) > room:
                        return filled + len(part)
                    into[filled : filled + len(part)] = part
                    filled += len(part)
        except (OSError, zlib.error) as error:
            raise damaged(f"the array {name[:12]} cannot be read ({type(error).__name__})") from None
        return filled


def damaged(problem: str) -> InputFileError:
    """For a project that cannot be opened."""
    return InputFileError(
        f"the project is damaged: {problem}; open an older copy of it, or the picture itself",
        "PROJECT_DAMAGED",
    )
