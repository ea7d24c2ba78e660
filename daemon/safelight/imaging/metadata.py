"""What a picture file says besides its pixels, and what of it an output carries: `--metadata`."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import BinaryIO, Literal

from safelight.errors import InvalidRequest
from safelight.geometry import Size
from safelight.imaging import exif as exif_blocks
from safelight.imaging import xmp as xmp_packets
from safelight.imaging.tiff import BYTES, Entry, TiffDamaged, TiffReader, add_entries

MetadataPolicy = Literal["keep", "no-location", "none"]
METADATA_POLICIES: tuple[MetadataPolicy, ...] = ("keep", "no-location", "none")


@dataclass(frozen=True)
class Metadata:
    """Blocks as they stood in the file; b"" where there was none. The colour profile is not part of it."""

    exif: bytes = b""
    """TIFF structure, with or without "Exif" before it."""
    xmp: bytes = b""
    iptc: bytes = b""
    """IIM datasets, without Photoshop's wrapping."""
    pixels_per_mm: tuple[float, float] | None = None
    """Across and down; None: the file states none."""
    unit: str = "in"
    """The unit in which the file states it: in or cm."""


def carried_over(
    metadata: Metadata, policy: MetadataPolicy, *, size: Size, thumbnail: Callable[[], bytes] = bytes
) -> tuple[Metadata, tuple[str, ...]]:
    """What an upright output of `size` carries, and one sentence for each block that had to be dropped.

    Orientation becomes 1; a thumbnail gives way to what `thumbnail` gives (JPEG; b"" for none). `no-location`
    also removes GPS, and the place names of IPTC and XMP; `none` everything but the record of operations. A
    damaged block cannot be cleaned, so it is dropped and said so.
    """
    if policy not in METADATA_POLICIES:
        raise InvalidRequest(
            f"there is no metadata policy {policy!r}: use one of {', '.join(METADATA_POLICIES)}",
            "SETTING_OUT_OF_RANGE",
        )
    notes: list[str] = []
    xmp = _kept_xmp(metadata.xmp, policy, notes)
    if policy == "none":
        return Metadata(xmp=xmp), tuple(notes)
    exif = _kept_exif(metadata.exif, policy, size, thumbnail, notes)
    iptc = metadata.iptc
    if policy == "no-location" and iptc:
        iptc = _iptc_without_location(iptc, notes)
    return replace(metadata, exif=exif, xmp=xmp, iptc=iptc), tuple(notes)


def _kept_exif(
    block: bytes, policy: MetadataPolicy, size: Size, thumbnail: Callable[[], bytes], notes: list[str]
) -> bytes:
    if not block:
        return b""
    try:
        exif = exif_blocks.parse(block).upright(size)
    except TiffDamaged as damage:
        notes.append(f"the EXIF block is damaged ({damage}) and was left out")
        return b""
    if exif.had_thumbnail:
        exif = replace(exif, thumbnail=thumbnail())
    return exif_blocks.to_block(exif.without_location() if policy == "no-location" else exif)


def _kept_xmp(packet: bytes, policy: MetadataPolicy, notes: list[str]) -> bytes:
    if not packet:
        return b""
    try:
        match policy:
            case "none":
                return xmp_packets.only_record(packet)
            case "no-location":
                return xmp_packets.without_location(packet)
        return xmp_packets.upright(packet)
    except xmp_packets.XmpDamaged as damage:
        notes.append(f"the XMP packet is damaged ({damage}) and was left out")
        return b""


# IIM 4.2, record 2: location codes and names, city, sublocation, province, country code and name.
_IPTC_PLACES = frozenset({26, 27, 90, 92, 95, 100, 101})


def _iptc_without_location(iim: bytes, notes: list[str]) -> bytes:
    kept, at = b"", 0
    while at < len(iim) and iim[at] == 0x1C:
        if at + 5 > len(iim):
            break
        record, dataset, length = struct.unpack_from(">BBH", iim, at + 1)
        end = at + 5 + length
        if length & 0x8000 or end > len(iim):  # extended lengths are for embedded pictures
            break
        if not (record == 2 and dataset in _IPTC_PLACES):
            kept += iim[at:end]
        at = end
    if iim[at:].strip(b"\0"):
        notes.append("the IPTC block is damaged and was left out")
        return b""
    return kept


_IRB_SIGNATURE = b"Photoshop 3.0\0"
_IPTC_RESOURCE = 0x0404


def iptc_from_photoshop(block: bytes) -> bytes:
    """The IIM datasets in a JPEG's Photoshop segment; b"" where there are none. Other resources (paths,
    thumbnails) are not carried over."""
    block = block.removeprefix(_IRB_SIGNATURE)
    at = 0
    while block[at : at + 4] == b"8BIM" and at + 12 <= len(block):
        (resource,) = struct.unpack_from(">H", block, at + 4)
        name_bytes = (block[at + 6] + 2) // 2 * 2
        size_at = at + 6 + name_bytes
        if size_at + 4 > len(block):
            break
        (size,) = struct.unpack_from(">I", block, size_at)
        data = block[size_at + 4 : size_at + 4 + size]
        if resource == _IPTC_RESOURCE:
            return data
        at = size_at + 4 + size + size % 2
    return b""


def photoshop_from_iptc(iim: bytes) -> bytes:
    """A JPEG's Photoshop segment that holds these datasets."""
    head = struct.pack(">4sHHI", b"8BIM", _IPTC_RESOURCE, 0, len(iim))
    return _IRB_SIGNATURE + head + iim + bytes(len(iim) % 2)


_TIFF_IPTC = 33723


def tiff_blocks(stream: BinaryIO) -> tuple[bytes, bytes]:
    """The EXIF block and the IIM datasets of a TIFF file, where libvips reads none or a part of them; raises
    TiffDamaged."""
    reader = TiffReader(stream)
    iptc = reader.directory(reader.first, {_TIFF_IPTC}).get(_TIFF_IPTC)
    return exif_blocks.to_block(exif_blocks.from_tiff(stream)), _iptc_bytes(iptc) if iptc else b""


def _iptc_bytes(entry: Entry) -> bytes:
    """Many writers call the bytes 32-bit numbers, in either order."""
    if entry.data[:1] == b"\x1c" or entry.type in (1, BYTES):
        return entry.data
    return b"".join(entry.data[i : i + 4][::-1] for i in range(0, len(entry.data), 4))


def add_tiff_blocks(stream: BinaryIO, metadata: Metadata) -> None:
    """Adds EXIF and IPTC to a TIFF file open for update; raises TiffDamaged."""
    entries, children = exif_blocks.tiff_entries(exif_blocks.parse(metadata.exif or _NO_EXIF))
    if metadata.iptc:
        entries[_TIFF_IPTC] = Entry(BYTES, len(metadata.iptc), metadata.iptc)
    if entries or children:
        add_entries(stream, entries, children)


_NO_EXIF = b"II*\0\x08\0\0\0" + bytes(6)
