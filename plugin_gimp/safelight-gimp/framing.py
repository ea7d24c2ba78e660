"""Frames on the pipe between the plug-in and `safelight bridge`. Standard library only.

A frame is the length of its header (4 bytes, big endian), the header (a JSON object in UTF-8) and the payload,
whose length the header's `payload` says (absent: none). This layout never changes, so that any two versions
can tell each other which protocol version they speak. The bridge has the same in `client/bridge_framing.py`.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from typing import IO, Any, NamedTuple

HEADER_BYTES_MOST = 16 << 20  # an image's XMP packet travels in a header
PAYLOAD_BYTES_MOST = 256 << 20


class FramingError(ValueError):
    """What came is no frame: the other side is no bridge, or it ended in the middle of one."""


class Frame(NamedTuple):
    header: dict[str, Any]
    payload: bytes = b""


def write_frame(stream: IO[bytes], header: Mapping[str, Any], payload: bytes = b"") -> None:
    """Writes and flushes one frame."""
    head = json.dumps({**header, "payload": len(payload)}).encode()
    stream.write(struct.pack(">I", len(head)) + head)
    if payload:
        stream.write(payload)
    stream.flush()


def read_frame(stream: IO[bytes]) -> Frame | None:
    """The next frame; None when the stream ends between two frames. Raises FramingError."""
    start = _read(stream, 4, at_start=True)
    if start is None:
        return None
    (length,) = struct.unpack(">I", start)
    if length > HEADER_BYTES_MOST:
        raise FramingError(f"a frame's header cannot have {length} bytes")
    try:
        header = json.loads(bytes(_read(stream, length) or b""))
    except ValueError:
        raise FramingError("a frame's header is not JSON") from None
    payload = header.pop("payload", 0) if isinstance(header, dict) else None
    if not isinstance(payload, int) or not 0 <= payload <= PAYLOAD_BYTES_MOST:
        raise FramingError("a frame's header does not say how long its payload is")
    return Frame(header, bytes(_read(stream, payload) or b""))


def _read(stream: IO[bytes], length: int, *, at_start: bool = False) -> bytearray | None:
    """Exactly `length` bytes; None for an end `at_start`."""
    buffer = bytearray(length)
    view, got = memoryview(buffer), 0
    while got < length:
        count = stream.readinto(view[got:])  # type: ignore[attr-defined]
        if not count:
            if at_start and got == 0:
                return None
            raise FramingError(f"the stream ended in the middle of a frame, {length - got} bytes short")
        got += count
    return buffer
