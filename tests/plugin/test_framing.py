"""Both ends of the pipe have their own framing: each reads what the other writes, and refuses the same."""

import io
import struct

import framing
import numpy as np
import pytest

from safelight.client import bridge_framing

SIDES = {"plug-in": framing, "bridge": bridge_framing}
both = pytest.mark.parametrize("side", SIDES.values(), ids=SIDES)


def written(side, *frames):
    stream = io.BytesIO()
    for header, payload in frames:
        side.write_frame(stream, header, payload)
    return stream.getvalue()


class Dripping(io.RawIOBase):
    """Gives a byte at a time, as a pipe may."""

    def __init__(self, data):
        self._data = io.BytesIO(data)

    def readinto(self, buffer):
        return self._data.readinto(memoryview(buffer)[:1])


@pytest.mark.parametrize("writer", SIDES.values(), ids=SIDES)
@pytest.mark.parametrize("reader", SIDES.values(), ids=SIDES)
def test_what_one_side_writes_the_other_reads(writer, reader):
    stream = Dripping(written(writer, ({"id": 1, "text": "ä\n"}, b"\0\xff"), ({}, b"")))
    first, second = reader.read_frame(stream), reader.read_frame(stream)
    assert (first.header, bytes(first.payload)) == ({"id": 1, "text": "ä\n"}, b"\0\xff")
    assert (second.header, bytes(second.payload)) == ({}, b"")
    assert reader.read_frame(stream) is None


def test_both_write_the_same_bytes():
    frame = {"event": "rows", "start_row": 3}, b"abc"
    assert written(framing, frame) == written(bridge_framing, frame)


def test_the_bridge_writes_views_of_arrays():
    rows = np.arange(6, dtype=np.uint8)
    stream = io.BytesIO(written(bridge_framing, ({}, rows.data)))
    assert framing.read_frame(stream).payload == rows.tobytes()


WHOLE = written(framing, ({"id": 1}, b"12345678"))
GARBAGE = {
    "cut in its length": WHOLE[:3],
    "cut in its header": WHOLE[:9],
    "cut in its payload": WHOLE[:-1],
    "text": b"Traceback (most recent call last):",
    "header that is no JSON": struct.pack(">I", 4) + b"nope",
    "header that is no object": struct.pack(">I", 2) + b"[]",
    "endless header": struct.pack(">I", framing.HEADER_BYTES_MOST + 1),
    "endless payload": written(framing, ({}, b"")).replace(b'"payload": 0', b'"payload": 9999999999999'),
    "negative payload": struct.pack(">I", 15) + b'{"payload": -1}',
}


@both
@pytest.mark.parametrize("data", GARBAGE.values(), ids=GARBAGE)
def test_what_is_no_frame_is_refused(side, data):
    with pytest.raises(side.FramingError):
        side.read_frame(io.BytesIO(data))


def test_bounds_are_the_same():
    names = ("HEADER_BYTES_MOST", "PAYLOAD_BYTES_MOST")
    assert [getattr(framing, n) for n in names] == [getattr(bridge_framing, n) for n in names]
