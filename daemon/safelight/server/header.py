"""The first frame of a Restore stream: everything that can be checked before a pixel is there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from safelight import wire
from safelight.engine.jobs import JobClass
from safelight.engine.pipelines.registry import Registry
from safelight.engine.request import RestoreRequest
from safelight.engine.residency import checked_keep_alive
from safelight.errors import InvalidRequest, TooMuch
from safelight.geometry import Rect, Size
from safelight.imaging.pixels import PixelFormat
from safelight.imaging.profiles import encoding_for
from safelight.settings import MAX_PIXELS
from safelight.v1 import restoration_pb2 as rpb

TITLE_CHARS_MOST = 200
ROW_BYTES_MOST = wire.MESSAGE_BYTES * 3 // 4
MEMORY_SHARE = 0.8
"""A document is refused when it and its result would need more of the free host memory than this."""
CANVAS_SAMPLE_BYTES = 6  # three channels of 16 bits
CANVAS_IN_MEMORY_BYTES = 256 * 10**6  # a larger canvas lies on disk


@dataclass(frozen=True)
class Header:
    """A checked header. Its request has room for the pixels, which no memory stands behind yet."""

    request: RestoreRequest
    job_class: JobClass
    title: str
    previews: bool
    keep_alive_s: float | None
    keep: bool | None
    """As RestoreHeader.keep; None where it says nothing."""

    @property
    def keeps(self) -> bool:
        return self.job_class is JobClass.INTERACTIVE if self.keep is None else self.keep

    @property
    def sent_bytes(self) -> int:
        """What the bands will bring."""
        mask = self.request.mask
        return self.request.pixels.nbytes + (0 if mask is None else mask.nbytes)

    def require_room(self, free_host_bytes: int) -> None:
        """Raises TooMuch (HOST_MEMORY)."""
        canvas = self.request.result_size.area * CANVAS_SAMPLE_BYTES
        needed = self.sent_bytes + (canvas if canvas <= CANVAS_IN_MEMORY_BYTES else 0)
        if needed > MEMORY_SHARE * free_host_bytes:
            raise TooMuch(
                f"the document needs {needed / 1e9:.1f} GB of memory and {max(0, free_host_bytes) / 1e9:.1f} GB "
                "are free: choose a smaller region or scale, or close other programs",
                "HOST_MEMORY",
            )


def check_header(message: rpb.RestoreHeader, registry: Registry) -> Header:
    """Raises the error that says what is wrong."""
    document = wire.size_from_proto(message.document, "document")
    sent, region = wire.rect_from_proto(message.sent), wire.rect_from_proto(message.region)
    wire.require_inside(sent, Rect.of_size(document), "sent part", "document")
    wire.require_inside(region, sent, "region", "sent part")
    patch = wire.rect_from_proto(message.patch) if message.HasField("patch") else None
    if patch is not None:
        layer = message.result_kind == rpb.RESULT_KIND_LAYER
        wire.require_inside(patch, sent if layer else region, "patch", "sent part" if layer else "region")
    fmt = wire.format_from_proto(message.format)
    require_profile(message.icc_profile)
    entry = registry.entry(wire.pipeline_id(message.settings.pipeline))
    settings = wire.settings_from_proto(message.settings, entry.spec)
    entry.require_installed()
    _check_size(sent.size, (patch or region).size, fmt, settings.output_scale)
    encoding_for(fmt, message.icc_profile)
    request = RestoreRequest(
        settings=settings,
        document=document,
        sent=sent,
        region=region,
        format=fmt,
        icc=message.icc_profile,
        pixels=np.empty((sent.height, sent.width, fmt.channels), fmt.sample.dtype),
        mask=np.empty((region.height, region.width), np.uint8) if message.masked else None,
        layer=message.result_kind == rpb.RESULT_KIND_LAYER,
        patch=patch,
        focus=wire.point_from_proto(message.focus) if message.HasField("focus") else None,
    )
    return Header(
        request,
        JobClass.BATCH if message.job_class == rpb.JOB_CLASS_BATCH else JobClass.INTERACTIVE,
        "".join(c for c in message.title[:TITLE_CHARS_MOST] if c.isprintable()),
        message.previews,
        checked_keep_alive(message.keep_alive_s) if message.HasField("keep_alive_s") else None,
        message.keep if message.HasField("keep") else None,
    )


def _check_size(sent: Size, wanted: Size, fmt: PixelFormat, scale: int) -> None:
    require_size(sent, fmt, "sent part")
    require_size(Size(wanted.width * scale, wanted.height * scale), fmt, "result")


def require_size(size: Size, fmt: PixelFormat, what: str) -> None:
    """Raises InvalidRequest (TOO_MANY_PIXELS, ROW_TOO_WIDE)."""
    if size.area > MAX_PIXELS:
        raise InvalidRequest(
            f"the {what} has {size.area / 1e6:.0f} megapixels: at most {MAX_PIXELS / 1e6:.0f} are taken; "
            "choose a smaller region or scale",
            "TOO_MANY_PIXELS",
        )
    if size.width * fmt.bytes_per_pixel > ROW_BYTES_MOST:
        raise InvalidRequest(
            f"a row of {size.width} pixels of the {what} does not fit into a frame: choose a narrower region",
            "ROW_TOO_WIDE",
        )


def require_profile(icc: bytes) -> None:
    """Raises InvalidRequest (PROFILE_TOO_LARGE)."""
    if len(icc) > wire.ICC_BYTES_MOST:
        raise InvalidRequest(
            f"the colour profile has {len(icc)} bytes: at most {wire.ICC_BYTES_MOST} are taken",
            "PROFILE_TOO_LARGE",
        )
