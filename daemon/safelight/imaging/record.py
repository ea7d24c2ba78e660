"""The record law: what was done to a picture travels in its XMP, one entry per operation, in order."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime

import numpy as np

from safelight.imaging.pixels import DocumentArray
from safelight.imaging.xmp import OPERATIONS, SOURCE_TYPE, Packet, XmpDamaged

_TERMS = "http://cv.iptc.org/newscodes/digitalsourcetype/"
GENERATIVE_SOURCE = _TERMS + "compositeWithTrainedAlgorithmicMedia"
ENHANCED_SOURCE = _TERMS + "algorithmicallyEnhanced"
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
    entry = {**operation, "generative": generative}
    packet.append(OPERATIONS, json.dumps(entry, sort_keys=True, allow_nan=False))
    if packet.value(SOURCE_TYPE) not in _STRONGER:
        earlier = any(o.get("generative") for o in _operations(packet))
        packet.set_value(SOURCE_TYPE, GENERATIVE_SOURCE if earlier else ENHANCED_SOURCE)
    return packet.to_bytes()


def read_operations(xmp: bytes) -> list[dict[str, object]]:
    """All operations in order; raises XmpDamaged for a packet or an entry that cannot be read."""
    return _operations(Packet(xmp)) if xmp else []


def _operations(packet: Packet) -> list[dict[str, object]]:
    try:
        operations = [json.loads(text) for text in packet.entries(OPERATIONS)]
    except (ValueError, RecursionError) as error:
        raise XmpDamaged("an operation of the record is not JSON") from error
    if not all(isinstance(o, dict) for o in operations):
        raise XmpDamaged("an operation of the record is not an object")
    return operations


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
