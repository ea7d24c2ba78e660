"""The directory structure of TIFF 6.0 and BigTIFF: tagged entries, read from and added to files.

EXIF blocks have the same structure, so they are read and written with it too. Entries are held in little
endian whatever the file's order. Everything comes from outside: counts and offsets are bounded, and damage
raises TiffDamaged.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Container, Mapping
from typing import BinaryIO, NamedTuple

_UNIT_BYTES = {
    1: 1,
    2: 1,
    3: 2,
    4: 4,
    5: 8,
    6: 1,
    7: 1,
    8: 2,
    9: 4,
    10: 8,
    11: 4,
    12: 8,
    13: 4,
    16: 8,
    17: 8,
    18: 8,
}
_SWAPPED_BYTES = {**_UNIT_BYTES, 5: 4, 10: 4}  # a rational is two numbers
SHORT, LONG, BYTES, IFD8 = 3, 4, 7, 18
_MAX_ENTRIES = 1000  # real directories have under 100
_MAX_ENTRY_BYTES = 4 << 20  # the largest maker notes are under 1 MB


class TiffDamaged(ValueError):
    pass


class Entry(NamedTuple):
    type: int
    values: int
    """How many."""
    data: bytes
    """The values, little endian, without padding."""

    @classmethod
    def short(cls, value: int) -> Entry:
        return cls(SHORT, 1, struct.pack("<H", value))

    @classmethod
    def long(cls, value: int) -> Entry:
        return cls(LONG, 1, struct.pack("<I", value))

    @property
    def number(self) -> int:
        """The first value of an entry of unsigned whole numbers; raises TiffDamaged for others."""
        code = {1: "B", 3: "H", 4: "I", 13: "I", 16: "Q", 18: "Q"}.get(self.type)
        if code is None or len(self.data) < struct.calcsize(code):
            raise TiffDamaged("a directory entry is not a number")
        return int(struct.unpack_from("<" + code, self.data)[0])


Directory = dict[int, Entry]


class _Layout(NamedTuple):
    """What differs between classic TIFF and BigTIFF."""

    count_code: str
    offset_code: str
    inline_bytes: int
    header_bytes: int

    @property
    def entry_bytes(self) -> int:
        return 4 + 2 * self.inline_bytes


_CLASSIC, _BIG = _Layout("H", "I", 4, 8), _Layout("Q", "Q", 8, 16)


class TiffReader:
    """Reads directories of an open file or block, whose TIFF header is at its start."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._length = stream.seek(0, io.SEEK_END)
        head = self._bytes(0, 8)
        if head[:4] not in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"):
            raise TiffDamaged("there is no TIFF header")
        self.order = "<" if head[:2] == b"II" else ">"
        self.layout = _BIG if b"+" in head[:4] else _CLASSIC
        self.pointer_at = self.layout.inline_bytes  # offset 4 in classic files, 8 in BigTIFF
        (self.first,) = struct.unpack(
            self.order + self.layout.offset_code, self._bytes(self.pointer_at, self.layout.inline_bytes)
        )

    def directory(self, offset: int, wanted: Container[int] | None = None) -> Directory:
        """The entries at `offset` (only the `wanted` tags); unknown types are left out."""
        entries: Directory = {}
        for tag, kind, count, value in self._raw_entries(offset):
            size = _UNIT_BYTES.get(kind, 0) * count
            if not size or (wanted is not None and tag not in wanted):
                continue
            if size > _MAX_ENTRY_BYTES:
                raise TiffDamaged(f"the entry {tag} announces {size} bytes")
            if size > len(value):
                (at,) = struct.unpack(self.order + self.layout.offset_code, value)
                value = self._bytes(at, size)
            entries[tag] = Entry(kind, count, _little_endian(value[:size], kind, self.order))
        return entries

    def raw_directory(self, offset: int) -> tuple[list[bytes], bytes]:
        """The entries' own bytes, and the pointer to the next directory."""
        count = self._count(offset)
        start = offset + struct.calcsize(self.layout.count_code)
        size = self.layout.entry_bytes
        body = self._bytes(start, count * size)
        next_pointer = self._bytes(start + count * size, self.layout.inline_bytes)
        return [body[i : i + size] for i in range(0, len(body), size)], next_pointer

    def _raw_entries(self, offset: int) -> list[tuple[int, int, int, bytes]]:
        entries, _ = self.raw_directory(offset)
        head = self.order + "HH" + self.layout.offset_code
        return [(*struct.unpack_from(head, e), e[struct.calcsize(head) :]) for e in entries]

    def _count(self, offset: int) -> int:
        code = self.order + self.layout.count_code
        (count,) = struct.unpack(code, self._bytes(offset, struct.calcsize(code)))
        if count > _MAX_ENTRIES:
            raise TiffDamaged(f"a directory announces {count} entries")
        return int(count)

    def _bytes(self, at: int, size: int) -> bytes:
        if at + size > self._length:
            raise TiffDamaged("a directory points beyond the end")
        self._stream.seek(at)
        return self._stream.read(size)


def _little_endian(data: bytes, kind: int, order: str) -> bytes:
    unit = _SWAPPED_BYTES[kind]
    if order == "<" or unit == 1:
        return data
    return b"".join(data[i : i + unit][::-1] for i in range(0, len(data), unit))


def serialise(directory: Mapping[int, Entry], at: int, layout: _Layout = _CLASSIC) -> bytes:
    """One little-endian directory placed at file offset `at`, its values after it, no next directory."""
    entries = sorted(directory.items())
    values_at = (
        at
        + struct.calcsize("<" + layout.count_code)
        + len(entries) * layout.entry_bytes
        + layout.inline_bytes
    )
    body, values = struct.pack("<" + layout.count_code, len(entries)), b""
    for tag, entry in entries:
        body += struct.pack("<HH" + layout.offset_code, tag, entry.type, entry.values)
        if len(entry.data) <= layout.inline_bytes:
            body += entry.data.ljust(layout.inline_bytes, b"\0")
        else:
            body += struct.pack("<" + layout.offset_code, values_at + len(values))
            values += entry.data + bytes(len(entry.data) % 2)
    return body + bytes(layout.inline_bytes) + values


def pointing_to_next(directory: bytes, at: int) -> bytes:
    """A classic little-endian directory as `serialise` gives it, with its next directory at offset `at`."""
    (count,) = struct.unpack_from("<H", directory)
    pointer = 2 + count * _CLASSIC.entry_bytes
    return directory[:pointer] + struct.pack("<I", at) + directory[pointer + 4 :]


def add_entries(
    stream: BinaryIO, entries: Mapping[int, Entry], children: Mapping[int, Mapping[int, Entry]]
) -> None:
    """Adds entries and child directories (pointer tag to its entries) to the first directory of a
    little-endian file open for update: a longer copy of it is appended, the header points there."""
    reader = TiffReader(stream)
    if reader.order != "<":
        raise TiffDamaged("only little-endian files can be added to")
    layout = reader.layout
    raw, next_pointer = reader.raw_directory(reader.first)
    end = stream.seek(0, io.SEEK_END)
    stream.write(bytes(end % 2))
    added = dict(entries)
    for tag, child in children.items():
        at = stream.tell()
        stream.write(_even(serialise(child, at, layout)))
        added[tag] = (
            Entry(LONG, 1, struct.pack("<I", at))
            if layout is _CLASSIC
            else Entry(IFD8, 1, struct.pack("<Q", at))
        )
    fresh = {tag: _appended(stream, tag, entry, layout) for tag, entry in added.items()}
    kept = {struct.unpack_from("<H", r)[0]: r for r in raw}
    merged = sorted({**kept, **fresh}.items())
    directory_at = stream.tell()
    stream.write(
        struct.pack("<" + layout.count_code, len(merged)) + b"".join(r for _, r in merged) + next_pointer
    )
    stream.seek(reader.pointer_at)
    stream.write(struct.pack("<" + layout.offset_code, directory_at))


def _appended(stream: BinaryIO, tag: int, entry: Entry, layout: _Layout) -> bytes:
    """The entry's own bytes; a value too long for them is written at the end of the file first."""
    head = struct.pack("<HH" + layout.offset_code, tag, entry.type, entry.values)
    if len(entry.data) <= layout.inline_bytes:
        return head + entry.data.ljust(layout.inline_bytes, b"\0")
    at = stream.tell()
    stream.write(_even(entry.data))
    return head + struct.pack("<" + layout.offset_code, at)


def _even(data: bytes) -> bytes:
    return data + bytes(len(data) % 2)
