"""The record law: what was done to a picture travels in its XMP, one entry per operation, in order.

The record is one simple property, the text of a JSON array: editors built on Exiv2, GIMP among them, keep that, but
only the last entry of a list in a namespace that they do not know. A long record is compressed, because those
editors also write one 64 KB segment of XMP into a JPEG, or none.

Each entry is sealed: `entry_sha256` covers its text and the seal before it, so that a change, a gap or another order
is noticed. A seal is a checksum and no signature: whoever rewrites the whole record can seal it again. What nobody
can rewrite is the original, and that the recorded operations turn it into the result (`safelight verify`).
"""

from __future__ import annotations

import base64
import hashlib
import json
import zlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import numpy as np

from safelight.geometry import Size
from safelight.imaging.pixels import DocumentArray, MaskArray
from safelight.imaging.xmp import OPERATIONS, SOURCE_TYPE, Packet, XmpDamaged

_TERMS = "http://cv.iptc.org/newscodes/digitalsourcetype/"
GENERATIVE_SOURCE = _TERMS + "compositeWithTrainedAlgorithmicMedia"
ENHANCED_SOURCE = _TERMS + "algorithmicallyEnhanced"
_COMPRESSED = "zlib:"
_PLAIN_CHARS_MOST = 12_000  # about four operations
_RECORD_CHARS_MOST = 64_000_000  # a few bytes may stand for very many
SEAL = "entry_sha256"
_PACKED_MASK_CHARS_MOST = 24_000  # so that it and a few entries stay within one segment of a JPEG
_STRONGER = frozenset(
    {GENERATIVE_SOURCE, _TERMS + "trainedAlgorithmicMedia"}
)  # never weakened by a later run


def append_operation(xmp: bytes | None, operation: Mapping[str, object], generative: bool) -> bytes:
    """A packet with everything `xmp` holds and one more operation at the end of the record.

    `operation` is plain JSON data: hashes of pixels, region and mask, pipeline, settings, versions, ... ;
    `generative` is kept with it. The IPTC digital source type is set; once generative, it stays so. Raises
    XmpDamaged when `xmp` cannot be read.
    """
    packet = Packet(xmp or b"")
    record = with_operation(packet.value(OPERATIONS), operation, generative)
    packet.set_value(OPERATIONS, record)
    packet.set_value(SOURCE_TYPE, source_type_after(packet.value(SOURCE_TYPE), record))
    return packet.to_bytes()


def with_operation(record: str | None, operation: Mapping[str, object], generative: bool) -> str:
    """The text of a record with one more operation, sealed; None: there is none yet. Raises XmpDamaged."""
    operations = operations_in(record)
    entry = json.loads(_canonical({**operation, "generative": generative}))
    operations.append({**entry, SEAL: _seal(entry, operations)})
    text = json.dumps(operations, sort_keys=True, allow_nan=False)
    if len(text) <= _PLAIN_CHARS_MOST:
        return text
    return _COMPRESSED + base64.b64encode(zlib.compress(text.encode(), 9)).decode()


def _canonical(entry: Mapping[str, object]) -> str:
    return json.dumps(entry, sort_keys=True, allow_nan=False)


def _seal(entry: Mapping[str, object], before: Sequence[Mapping[str, object]]) -> str:
    bare = {name: value for name, value in entry.items() if name != SEAL}
    previous = str(before[-1].get(SEAL, "")) if before else ""
    return hashlib.sha256((previous + _canonical(bare)).encode()).hexdigest()


def broken_seal(operations: Sequence[Mapping[str, object]]) -> int | None:
    """Index of the first operation that is not as it was written, or that something before it was changed or taken
    from; None: all are whole."""
    for number, entry in enumerate(operations):
        if entry.get(SEAL) != _seal(entry, operations[:number]):
            return number
    return None


def operations_in(record: str | None) -> list[dict[str, object]]:
    """What the text of a record holds; raises XmpDamaged."""
    if not record:
        return []
    try:
        operations = json.loads(_expanded(record))
    except (ValueError, RecursionError, zlib.error) as error:
        raise XmpDamaged("the record of operations is not JSON") from error
    if not isinstance(operations, list) or not all(isinstance(o, dict) for o in operations):
        raise XmpDamaged("the record of operations is not a list of objects")
    return operations


def _expanded(record: str) -> str:
    if not record.startswith(_COMPRESSED):
        return record
    packed = base64.b64decode(record.removeprefix(_COMPRESSED), validate=True)
    return zlib.decompressobj().decompress(packed, _RECORD_CHARS_MOST).decode()


def source_type_after(current: str | None, record: str) -> str:
    """The IPTC digital source type of a picture with this record; once generative, always generative."""
    if current in _STRONGER:
        return str(current)
    generative = any(o.get("generative") for o in operations_in(record))
    return GENERATIVE_SOURCE if generative else ENHANCED_SOURCE


def read_operations(xmp: bytes) -> list[dict[str, object]]:
    """All operations in order; raises XmpDamaged for a packet or a record that cannot be read."""
    return operations_in(Packet(xmp).value(OPERATIONS)) if xmp else []


def digital_source_type(xmp: bytes) -> str | None:
    """The IPTC digital source type's URI; raises XmpDamaged."""
    return Packet(xmp).value(SOURCE_TYPE) if xmp else None


def now() -> str:
    """UTC time of an operation, ISO 8601, seconds."""
    return datetime.now(UTC).isoformat(timespec="seconds")


class PixelHash:
    """SHA-256 of a picture's samples as they come, in bands of whole rows: sizes and type do not count, the
    bytes do, little endian, rows top to bottom."""

    def __init__(self) -> None:
        self._sha = hashlib.sha256()

    def update(self, rows: DocumentArray) -> None:
        little = rows.astype(rows.dtype.newbyteorder("<"), copy=False)
        self._sha.update(np.ascontiguousarray(little).data)

    def hexdigest(self) -> str:
        return self._sha.hexdigest()


def pixels_sha256(pixels: DocumentArray) -> str:
    """The hash of a whole array H W C; equals PixelHash fed with its bands."""
    digest = PixelHash()
    digest.update(pixels)
    return digest.hexdigest()


def packed_mask(mask: MaskArray) -> str | None:
    """A mask H W as text for a record: base64 of the deflated differences of its rows. None for one too detailed to
    travel in a file's metadata: its hash has to do there."""
    above = np.concatenate([np.zeros_like(mask[:1]), mask[:-1]])
    text = base64.b64encode(zlib.compress((mask - above).tobytes(), 9)).decode()
    return text if len(text) <= _PACKED_MASK_CHARS_MOST else None


def unpacked_mask(text: str, size: Size) -> MaskArray:
    """Raises XmpDamaged for what is no mask of this size."""
    try:
        deflated = base64.b64decode(text, validate=True)
        data = zlib.decompressobj().decompress(deflated, size.area + 1)
    except (ValueError, zlib.error) as error:
        raise XmpDamaged("the recorded mask cannot be read") from error
    if len(data) != size.area:
        raise XmpDamaged(f"the recorded mask does not have {size.width} x {size.height} pixels")
    differences = np.frombuffer(data, np.uint8).reshape(size.height, size.width)
    return np.cumsum(differences, axis=0, dtype=np.uint8)
