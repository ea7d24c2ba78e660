"""How far a result went, as the daemon measures it. Synchronous; no torch."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import grpc
import numpy as np

from safelight import wire
from safelight.client.restoration import RestorationClient, bands, cancel_when
from safelight.client.status import our_errors
from safelight.errors import InternalError, InvalidRequest
from safelight.geometry import Size
from safelight.imaging.overlay import Plane8, overlay
from safelight.imaging.pixels import DocumentArray, PixelFormat
from safelight.v1 import assessment_pb2 as apb
from safelight.v1 import assessment_pb2_grpc as apb_grpc


@dataclass(frozen=True)
class Assessed:
    """Maps and numbers: see docs/report.md."""

    planes: dict[str, Plane8]
    """contradiction, invention and, of several results, spread: H W of the input, 255 = `full_scale` or more."""
    full_scale: dict[str, float]
    numbers: dict[str, float]
    result_size: Size

    def overlay(self, name: str) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
        """RGBA of the result's size, to lay over it."""
        return overlay(name, self.planes[name], self.result_size)


class AssessmentClient:
    """One channel to one daemon. Calls may come from any thread."""

    def __init__(self, channel: grpc.Channel) -> None:
        self._assessment = apb_grpc.AssessmentStub(channel)

    @classmethod
    def of(cls, client: RestorationClient) -> AssessmentClient:
        """The same daemon, over the same channel."""
        return cls(client._channel)

    def assess(
        self,
        before: DocumentArray,
        results: Sequence[DocumentArray],
        *,
        icc: bytes = b"",
        linear: bool = False,
        cancelling: threading.Event | None = None,
    ) -> Assessed:
        """`before` H W C, each of `results` a whole multiple of its size in the same format. Contradiction and
        invention are those of the first; two or more have spread. Setting `cancelling` from another thread ends it
        (raises Cancelled). Raises InvalidRequest (SIZES_DIFFER) for sizes that do not belong together."""
        size = Size(before.shape[1], before.shape[0])
        scale = results[0].shape[1] // size.width if results else 0
        shape = (size.height * scale, size.width * scale, before.shape[2])
        if not results or any(r.shape != shape or r.dtype != before.dtype for r in results):
            raise InvalidRequest(
                "results must be as large as the input or a whole number of times as large, in its format",
                "SIZES_DIFFER",
            )
        header = apb.AssessHeader(
            input=wire.size_to_proto(size),
            scale=scale,
            result_count=len(results),
            format=wire.format_to_proto(PixelFormat.of(before, linear=linear)),
            icc_profile=icc,
        )
        call = self._assessment.Assess(_frames(header, before, results))
        with our_errors(), cancel_when(cancelling, call):
            try:
                return _collected(call, size, Size(shape[1], shape[0]))
            finally:
                call.cancel()  # nothing after the last frame; frees the daemon when we leave early


def _frames(
    header: apb.AssessHeader, before: DocumentArray, results: Sequence[DocumentArray]
) -> Iterator[apb.AssessRequest]:
    yield apb.AssessRequest(header=header)
    for band in bands(before):
        yield apb.AssessRequest(input=band)
    for number, result in enumerate(results):
        for band in bands(result, first_row=number * len(result)):
            yield apb.AssessRequest(result=band)


def _collected(call: grpc.Call, size: Size, result_size: Size) -> Assessed:
    planes: dict[str, Plane8] = {}
    full_scale: dict[str, float] = {}
    numbers: dict[str, float] | None = None
    for response in call:
        if response.WhichOneof("frame") == "assessed":
            numbers = dict(response.assessed.numbers)
            continue
        name, rows = response.map.name, response.map.rows
        plane = planes.setdefault(name, np.zeros((size.height, size.width), np.uint8))
        plane[rows.start_row : rows.end_row] = np.frombuffer(rows.data, np.uint8).reshape(-1, size.width)
        full_scale[name] = response.map.full_scale
    if numbers is None:
        raise InternalError("the daemon ended before all maps were there: ask again", "RESULT_INCOMPLETE")
    return Assessed(planes, full_scale, numbers, result_size)
