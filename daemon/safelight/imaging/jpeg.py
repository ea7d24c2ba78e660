"""XMP in JPEG files beyond the 64 KB of one segment (XMP specification part 3, 1.1.3.1: extended XMP).

libvips reads and writes only the first segment. A long packet is written as a short one that names the
MD5 of the long one, which follows in as many segments as it needs.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from safelight.imaging.xmp import MAX_PACKET_BYTES, Packet, XmpDamaged

MAX_XMP_BYTES = 65502  # a segment's 65533 less the name before the packet
_STANDARD = b"http://ns.adobe.com/xap/1.0/\0"
_EXTENSION = b"http://ns.adobe.com/xmp/extension/\0"
_CHUNK_BYTES = 65000
_HAS_EXTENDED = "{http://ns.adobe.com/xmp/note/}HasExtendedXMP"
_APP1, _START_OF_SCAN = 0xE1, 0xDA


def read_extended(path: Path, standard: bytes) -> bytes:
    """The whole packet of a JPEG file whose first segment holds `standard`, which is returned as it is
    when it names no extension. Raises XmpDamaged for missing or wrong parts."""
    if _HAS_EXTENDED.rpartition("}")[2].encode() not in standard:
        return standard
    packet = Packet(standard)
    digest = packet.value(_HAS_EXTENDED)
    if not digest:
        return standard
    with path.open("rb") as file:
        extension = _joined(list(_extension_chunks(file, digest.encode())))
    if hashlib.md5(extension, usedforsecurity=False).hexdigest().upper() != digest.upper():
        raise XmpDamaged("its extension is not the one it names")
    whole = Packet(extension)
    packet.remove(lambda tag: tag == _HAS_EXTENDED)
    whole.merge(packet)
    return whole.to_bytes()


def _joined(chunks: list[tuple[int, bytes]]) -> bytes:
    data = b""
    for offset, chunk in sorted(chunks):
        if offset != len(data):
            raise XmpDamaged("parts of its extension are missing")
        data += chunk
    return data


def _extension_chunks(file: BinaryIO, digest: bytes) -> Iterator[tuple[int, bytes]]:
    total = 0
    for marker, body in _segments(file):
        if marker == _APP1 and body.startswith(_EXTENSION + digest):
            at = len(_EXTENSION) + 32
            if len(body) < at + 8:
                raise XmpDamaged("parts of its extension are cut short")
            (offset,) = struct.unpack_from(">I", body, at + 4)
            total += len(body)
            if total > 2 * MAX_PACKET_BYTES:
                raise XmpDamaged("its extension is too long")
            yield offset, body[at + 8 :]


def _segments(file: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """Markers and bodies from the start up to the first scan."""
    file.seek(2)
    while len(head := file.read(4)) == 4 and head[0] == 0xFF and head[1] != _START_OF_SCAN:
        (length,) = struct.unpack(">H", head[2:])
        yield head[1], file.read(max(length - 2, 0))


def insert_extended(path: Path, packet: bytes) -> None:
    """Puts a packet of any length after the start of a JPEG file that has none."""
    digest = hashlib.md5(packet, usedforsecurity=False).hexdigest().upper()
    standard = Packet()
    standard.set_value(_HAS_EXTENDED, digest)
    segments = _segment(_STANDARD + standard.to_bytes())
    for offset in range(0, len(packet), _CHUNK_BYTES):
        head = _EXTENSION + digest.encode() + struct.pack(">II", len(packet), offset)
        segments += _segment(head + packet[offset : offset + _CHUNK_BYTES])
    data = path.read_bytes()
    path.write_bytes(data[:2] + segments + data[2:])


def _segment(body: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, _APP1, len(body) + 2) + body
