"""Restores a picture file into another file: read, send, compose, write with metadata and record."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safelight.client.record import operation_of
from safelight.client.restoration import RestorationClient, Restored, Work, sent_rect
from safelight.geometry import Rect, Size
from safelight.imaging.files import MetadataPolicy, PictureFile, write_picture
from safelight.imaging.pixels import DocumentArray, MaskArray
from safelight.settings import RestoreSettings
from safelight.spec import PipelineSpec


@dataclass(frozen=True)
class FileWork:
    """What is done to one picture, and where the result goes."""

    target: Path
    spec: PipelineSpec
    settings: RestoreSettings
    region: Rect | None = None
    """None: the whole picture."""
    mask: MaskArray | None = None
    """Of the whole picture, 255 = restore; None: all of the region."""
    policy: MetadataPolicy = "keep"
    record: bool = True
    batch: bool = False
    keep: bool | None = None
    """See RestorationClient.restore."""


@dataclass(frozen=True)
class FileResult:
    """What was written."""

    size: Size
    sent: Rect
    restored: Restored
    notes: tuple[str, ...]
    """One sentence for each thing that the file could not keep."""
    times_s: dict[str, float]
    """Seconds: `read`, `write`, `all`."""


def restore_file(
    picture: PictureFile,
    work: FileWork,
    client: RestorationClient,
    *,
    on_progress: Callable[[Any], None] = lambda progress: None,
    before_write: Callable[[], None] = lambda: None,
    cancelling: threading.Event | None = None,
) -> FileResult:
    """Blocks; callbacks come on the calling thread. At output scale 1 the whole picture is written with the region
    restored, else the region enlarged. `before_write` may still refuse the target by raising. Raises what reading,
    restoring and writing raise; the target then is as it was."""
    started = time.monotonic()
    region = work.region or Rect.of_size(picture.size)
    document = picture.read()
    read_s = time.monotonic() - started
    sent = sent_rect(work.spec, region, picture.size, work.settings.working_scale)
    asked = Work(
        document=picture.size,
        sent=sent,
        region=region,
        pixels=document[sent.slices],
        icc=picture.icc,
        linear=picture.format.linear,
        mask=None if work.mask is None else work.mask[region.slices],
        batch=work.batch,
        title=picture.path.name[:200],
    )
    restored = client.restore(
        asked, work.settings, on_progress=on_progress, cancelling=cancelling, keep=work.keep
    )
    result = _composed(document, region, restored, work.settings)
    writing = time.monotonic()
    operation = None
    if work.record:
        operation = operation_of(document, result, asked, work.settings, restored)
    before_write()
    notes = write_picture(
        work.target,
        result,
        picture.format,
        icc=picture.icc,
        metadata=picture.metadata,
        policy=work.policy,
        operation=operation,
        generative=work.spec.generative,
    )
    times_s = {
        "read": read_s, "write": time.monotonic() - writing, "all": time.monotonic() - started,
    }  # fmt: skip
    return FileResult(Size(result.shape[1], result.shape[0]), sent, restored, notes, times_s)


def _composed(
    document: DocumentArray, region: Rect, restored: Restored, settings: RestoreSettings
) -> DocumentArray:
    if settings.output_scale != 1 or restored.pixels.shape == document.shape:
        return restored.pixels
    whole = document.copy()
    whole[region.slices] = restored.pixels
    return whole
