"""EXIF blocks (Exif 2.32): parsed, changed and written again; taken out of TIFF files and put into them."""

from __future__ import annotations

import io
from dataclasses import dataclass, field, replace
from typing import BinaryIO

from safelight.geometry import Size
from safelight.imaging.tiff import Directory, Entry, TiffDamaged, TiffReader, pointing_to_next, serialise

_PREFIX = b"Exif\0\0"
_ORIENTATION, _EXIF, _GPS, _INTEROP = 0x0112, 0x8769, 0x8825, 0xA005
_PIXEL_WIDTH, _PIXEL_HEIGHT = 0xA002, 0xA003
_COMPRESSION, _JPEG_AT, _JPEG_BYTES, _JPEG = 0x0103, 0x0201, 0x0202, 6
_POINTERS = (_EXIF, _GPS, _INTEROP)
# What a TIFF file's first directory says about the picture rather than about how its pixels are stored:
# description, maker, model, software, date, artist, computer, copyright, rating, and Windows' five texts.
_DESCRIPTIVE = frozenset({270, 271, 272, 305, 306, 315, 316, 33432, 18246, 18249, *range(40091, 40096)})
_MAX_BLOCK_BYTES = 16 << 20


@dataclass(frozen=True)
class Exif:
    """The directories of one block."""

    main: Directory = field(default_factory=dict)
    exif: Directory = field(default_factory=dict)
    gps: Directory = field(default_factory=dict)
    interop: Directory = field(default_factory=dict)
    thumbnail: bytes = b""
    """JPEG of the small picture to write. A parsed block has none: its own shows the picture as it was."""
    had_thumbnail: bool = False
    """The parsed block had one."""

    def without_location(self) -> Exif:
        return replace(self, gps={})

    def upright(self, size: Size) -> Exif:
        """Orientation 1 and, where the block states pixel dimensions, those of `size`."""
        main, exif = dict(self.main), dict(self.exif)
        if _ORIENTATION in main:
            main[_ORIENTATION] = Entry.short(1)
        for tag, length in ((_PIXEL_WIDTH, size.width), (_PIXEL_HEIGHT, size.height)):
            if tag in exif:
                exif[tag] = Entry.long(length)
        return replace(self, main=main, exif=exif)


def parse(block: bytes) -> Exif:
    """Reads a block with or without its "Exif" prefix; raises TiffDamaged."""
    if len(block) > _MAX_BLOCK_BYTES:
        raise TiffDamaged(f"the EXIF block has {len(block)} bytes")
    reader = TiffReader(io.BytesIO(block.removeprefix(_PREFIX)))
    _, next_directory = reader.raw_directory(reader.first)
    exif = _with_children(reader, reader.directory(reader.first))
    return replace(exif, had_thumbnail=any(next_directory))


def from_tiff(stream: BinaryIO) -> Exif:
    """What a TIFF file's first directory says about its picture, as EXIF; raises TiffDamaged."""
    reader = TiffReader(stream)
    return _with_children(reader, reader.directory(reader.first, {*_DESCRIPTIVE, *_POINTERS}))


def _with_children(reader: TiffReader, main: Directory) -> Exif:
    exif = _child(reader, main, _EXIF)
    gps = _child(reader, main, _GPS)
    interop = _child(reader, exif, _INTEROP)
    return Exif(_without_pointers(main), _without_pointers(exif), gps, interop)


def _child(reader: TiffReader, parent: Directory, tag: int) -> Directory:
    return reader.directory(parent[tag].number) if tag in parent else {}


def _without_pointers(directory: Directory) -> Directory:
    return {tag: entry for tag, entry in directory.items() if tag not in _POINTERS}


def to_block(exif: Exif) -> bytes:
    """The block with its prefix, little endian; empty for no entries."""
    if not (exif.main or exif.exif or exif.gps):
        return b""
    main, body = dict(exif.main), dict(exif.exif)
    children = b""
    base = 8 + len(serialise({**main, **_pointers(exif, 0, 0)}, 8))
    if exif.interop:
        body[_INTEROP] = Entry.long(0)
    gps_at = base + len(serialise(body, base))
    interop_at = gps_at + len(serialise(exif.gps, gps_at))
    if exif.interop:
        body[_INTEROP] = Entry.long(interop_at)
    for directory, at in ((body, base), (exif.gps, gps_at), (exif.interop, interop_at)):
        children += serialise(directory, at)
    first = serialise({**main, **_pointers(exif, base, gps_at)}, 8)
    if exif.thumbnail:
        at = 8 + len(first) + len(children)
        first = pointing_to_next(first, at)
        children += _thumbnail_directory(exif.thumbnail, at)
    return _PREFIX + b"II*\0\x08\0\0\0" + first + children


def _thumbnail_directory(jpeg: bytes, at: int) -> bytes:
    """The directory of the small picture at offset `at`, and its bytes."""
    entries = {_COMPRESSION: Entry.short(_JPEG), _JPEG_AT: Entry.long(0), _JPEG_BYTES: Entry.long(len(jpeg))}
    entries[_JPEG_AT] = Entry.long(at + len(serialise(entries, at)))
    return serialise(entries, at) + jpeg


def _pointers(exif: Exif, exif_at: int, gps_at: int) -> Directory:
    pointers = {}
    if exif.exif or exif.interop:
        pointers[_EXIF] = Entry.long(exif_at)
    if exif.gps:
        pointers[_GPS] = Entry.long(gps_at)
    return pointers


def tiff_entries(exif: Exif) -> tuple[Directory, dict[int, Directory]]:
    """What `exif` says as entries of a TIFF file's first directory, and as its child directories."""
    main = {tag: entry for tag, entry in exif.main.items() if tag in _DESCRIPTIVE}
    children = {_EXIF: exif.exif, _GPS: exif.gps}
    return main, {tag: child for tag, child in children.items() if child}
