"""Writes the picture as it stands, with metadata, profile and record."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from safelight.client.record import operation_of
from safelight.geometry import Size
from safelight.imaging.files import MetadataPolicy, write_picture
from safelight.imaging.pixels import DocumentArray
from safelight.imaging.record import append_operation
from safelight_desktop.state.composition import composed_pixels
from safelight_desktop.state.document import Document
from safelight_desktop.state.region import Rendition


@dataclass(frozen=True)
class SavePlan:
    """What is to be written. Values of one moment: it is carried out on a worker thread."""

    document: Document
    in_place: tuple[Rendition, ...]
    """Laid over the document, lowest first."""
    enlarged: Rendition | None
    """Written instead of the document where it is not None: a region or the whole picture, larger."""
    policy: MetadataPolicy = "keep"
    record: bool = True

    @property
    def size(self) -> Size:
        """Of what is written."""
        pixels = self.document.pixels if self.enlarged is None else self.enlarged.pixels
        return Size(pixels.shape[1], pixels.shape[0])

    def write(self, path: Path) -> tuple[str, ...]:
        """Gives a sentence for each thing the file could not keep; raises OutputFileError. Blocks."""
        document = self.document
        pixels, operations = self._result()
        metadata = document.metadata
        for operation, generative in operations[:-1]:
            metadata = replace(metadata, xmp=append_operation(metadata.xmp, operation, generative))
        last, generative = operations[-1] if operations else (None, False)
        return write_picture(
            path,
            pixels,
            document.format,
            icc=document.icc,
            metadata=metadata,
            policy=self.policy,
            operation=last,
            generative=generative,
        )

    def _result(self) -> tuple[DocumentArray, list[tuple[dict[str, object], bool]]]:
        operations: list[tuple[dict[str, object], bool]] = []
        if self.enlarged is not None:
            pixels = self.enlarged.pixels
            if self.record:
                operations.append(_operation(self.document.pixels, pixels, self.enlarged))
            return pixels, operations
        before = self.document.pixels
        for count in range(1, len(self.in_place) + 1) if self.record else ():
            after = composed_pixels(self.document, self.in_place[:count])
            last = self.in_place[count - 1]
            seen = before if self._disjoint(last, count - 1) else self.document.pixels
            operations.append(_operation(seen, after, last))
            before = after
        return composed_pixels(self.document, self.in_place), operations

    def _disjoint(self, rendition: Rendition, earlier: int) -> bool:
        """Whether its network saw nothing that an earlier operation changes: the original was sent."""
        sent = rendition.work.sent
        return all(sent.intersect(other.rect).empty for other in self.in_place[:earlier])


def _operation(
    before: DocumentArray, after: DocumentArray, rendition: Rendition
) -> tuple[dict[str, object], bool]:
    entry = operation_of(before, after, rendition.work, rendition.sent, rendition.restored)
    return entry, bool(rendition.report.get("generative"))
