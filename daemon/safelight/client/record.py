"""What one job adds to a file's record (record law), from what was sent, what came back and the report."""

from __future__ import annotations

import hashlib
from typing import Any

from safelight.client.restoration import Restored, Work
from safelight.imaging.pixels import DocumentArray, PixelFormat
from safelight.imaging.record import now, packed_mask, pixels_sha256
from safelight.settings import RestoreSettings

KEPT_FROM_REPORT = (
    "pipeline", "checkpoints", "working_scale", "output_scale", "band_weights", "precision", "batch", "tiles",
    "network", "network_time", "plan", "device", "threads", "retries", "ladder", "conditioning", "monochrome",
    "grain", "versions",
)  # fmt: skip


def operation_of(
    document: DocumentArray, result: DocumentArray, work: Work, settings: RestoreSettings, restored: Restored
) -> dict[str, object]:
    """`document` and `result` are the whole pictures before and after, H W C."""
    entry: dict[str, Any] = {
        "operation": "restore",
        "time": now(),
        "input_sha256": pixels_sha256(document),
        "output_sha256": pixels_sha256(result),
        "document": list(work.document),
        "region": list(work.region),
        "sent": list(work.sent),
        "mask_sha256": None if work.mask is None else hashlib.sha256(work.mask.tobytes()).hexdigest(),
        "mask": None if work.mask is None else packed_mask(work.mask),
        "format": _format_of(PixelFormat.of(work.pixels, linear=work.linear)),
        "icc_sha256": hashlib.sha256(work.icc).hexdigest() if work.icc else None,
        "settings": settings.as_values(),
        "seed": settings.seed,
    }
    entry.update((key, restored.report[key]) for key in KEPT_FROM_REPORT if key in restored.report)
    return entry


def _format_of(fmt: PixelFormat) -> dict[str, object]:
    """What the hashed bytes are made of."""
    return {"channels": fmt.channels, "sample": fmt.sample.value, "linear": fmt.linear}
