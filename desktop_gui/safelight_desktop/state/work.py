"""What a job is sent for a selection of a document."""

from __future__ import annotations

from dataclasses import replace

from safelight.client.restoration import Work, sent_rect
from safelight.settings import RestoreSettings
from safelight.spec import PipelineSpec
from safelight_desktop.state.document import Document
from safelight_desktop.state.selection import Selection


def work_of(
    document: Document, selection: Selection, settings: RestoreSettings, spec: PipelineSpec
) -> tuple[Work, RestoreSettings]:
    """The region with its context, and the settings with the soft edge that the selection means. Pixels are
    the original's: renditions of other regions are not seen by the network."""
    sent = sent_rect(spec, selection.rect, document.size, settings.working_scale)
    work = Work(
        document=document.size,
        sent=sent,
        region=selection.rect,
        pixels=document.pixels[sent.slices],
        icc=document.icc,
        linear=document.format.linear,
        mask=selection.weights,
        title=document.name[:200],
    )
    return work, replace(settings, feather=selection.feather_px(settings.feather))
