"""What a picture shows, as the daemon reads it. Synchronous; no torch."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import grpc

from safelight import wire
from safelight.client.restoration import RestorationClient, bands
from safelight.client.status import our_errors
from safelight.geometry import Rect, Size, context_rect
from safelight.imaging.pixels import DocumentArray, PixelFormat
from safelight.v1 import description_pb2 as spb
from safelight.v1 import description_pb2_grpc as spb_grpc

LOOK_WAIT_S = 1800.0  # a captioner of 13 billion numbers on a processor, from a slow disk
CONTEXT_FRACTION, CONTEXT_LEAST_PX = 0.25, 64  # of jobs: see PipelineSpec


@dataclass(frozen=True)
class Described:
    """Words for one picture."""

    tags: tuple[str, ...]
    caption: str
    prompt: str
    """To be typed as a pipeline's prompt."""
    read_with: tuple[str, ...]
    """Catalogue ids."""


class DescriptionClient:
    """One channel to one daemon. Calls may come from any thread."""

    def __init__(self, channel: grpc.Channel) -> None:
        self._description = spb_grpc.DescriptionStub(channel)

    @classmethod
    def of(cls, client: RestorationClient) -> DescriptionClient:
        """The same daemon, over the same channel."""
        return cls(client._channel)

    def describe(
        self,
        pixels: DocumentArray,
        source: str,
        *,
        icc: bytes = b"",
        linear: bool = False,
        captioner: str = "",
        seed: int = 0,
    ) -> Described:
        """`pixels` H W C; `source` tags or caption. Raises NotReady (CHECKPOINT_MISSING) where its network is not
        installed."""
        header = spb.DescribeHeader(
            picture=wire.size_to_proto(Size(pixels.shape[1], pixels.shape[0])),
            format=wire.format_to_proto(PixelFormat.of(pixels, linear=linear)),
            icc_profile=icc,
            source=source,
            captioner=captioner,
            seed=seed,
        )
        with our_errors():
            found = self._description.Describe(_frames(header, pixels), timeout=LOOK_WAIT_S)
        return Described(tuple(found.tags), found.caption, found.prompt, tuple(found.read_with))


def seen_rect(region: Rect, document: Size) -> Rect:
    """The region with what a job would see around it, document pixels."""
    return context_rect(
        region, document, fraction=CONTEXT_FRACTION, least_px=CONTEXT_LEAST_PX, working_scale=1.0
    )


def _frames(header: spb.DescribeHeader, pixels: DocumentArray) -> Iterator[spb.DescribeRequest]:
    yield spb.DescribeRequest(header=header)
    for band in bands(pixels):
        yield spb.DescribeRequest(pixels=band)
