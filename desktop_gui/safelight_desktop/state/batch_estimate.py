"""What a batch will take, said before it starts: time, when it is over, room on the disks, and a quicker way."""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from safelight.geometry import Size
from safelight.settings import RestoreSettings
from safelight.spec import PipelineSpec
from safelight_desktop.state.estimate import FILE_PIXELS_LEAST, whole_network_pixels

LONG_S = 12 * 3600.0
"""Longer batches get advice."""
TRIAL_PICTURES = 5
FILE_PIXELS_PER_S = 5e6  # before anything was measured: PNG of 8 bits on a small laptop
BYTES_SHARE = {
    ".jpg": 0.55,
    ".jpeg": 0.55,
    ".avif": 0.5,
    ".webp": 0.8,
    ".png": 1.0,
    ".tif": 1.0,
    ".tiff": 1.0,
}
"""Of a result's samples, at most, on disk. Measured on noisy photographs by tests/desktop/state/test_batch_estimate.py;
deflate never gains on pure noise."""


@dataclass(frozen=True)
class Candidate:
    """A pipeline that could restore the batch, and how quick it was here."""

    spec: PipelineSpec
    settings: RestoreSettings
    rate: float | None
    """Network pixels a second; None: it has not run here yet."""


@dataclass(frozen=True)
class Kind:
    """Pictures that take the same."""

    size: Size
    pixel_bytes: int
    suffix: str
    """Of the result."""
    folder: Path
    """Of the result."""


@dataclass(frozen=True)
class Disk:
    """One file system that results go to."""

    folder: Path
    needed_bytes: int
    """At most."""
    free_bytes: int

    @property
    def full(self) -> bool:
        return self.needed_bytes > self.free_bytes


@dataclass(frozen=True)
class Quicker:
    """Another pipeline."""

    spec: PipelineSpec
    duration_s: float | None
    """None: it has not run here yet."""


@dataclass(frozen=True)
class BatchEstimate:
    """Of all pictures that wait."""

    pictures: int
    pixels: int
    """Of the results."""
    duration_s: float | None
    """None: the pipeline has not run here yet."""
    disks: tuple[Disk, ...]
    """Fullest first."""
    quicker: Quicker | None
    """Where it takes more than 12 hours, or nobody knows how long."""

    @property
    def long(self) -> bool:
        return self.duration_s is not None and self.duration_s > LONG_S


def estimated_batch(
    kinds: Mapping[Kind, int],
    chosen: Candidate,
    others: Sequence[Candidate],
    file_rate: float | None,
    pace: float = 1.0,
) -> BatchEstimate:
    """`kinds` counts the pictures that wait. `pace`: how much longer pictures took than they should have. Asks the
    disks: blocks."""
    duration_s = _duration_s(kinds, chosen, file_rate)
    if duration_s is not None:
        duration_s *= pace
    scale = chosen.settings.output_scale
    pixels = sum(kind.size.scaled(scale).area * count for kind, count in kinds.items())
    quicker = None
    if duration_s is None or duration_s > LONG_S:
        quicker = _quicker(kinds, others, duration_s, file_rate)
    return BatchEstimate(sum(kinds.values()), pixels, duration_s, _disks(kinds, scale), quicker)


def kinds_of(pictures: Iterable[tuple[Size, int, Path]]) -> Counter[Kind]:
    """From size, bytes of a pixel and target of each."""
    return Counter(
        Kind(size, pixel_bytes, target.suffix.lower(), target.parent)
        for size, pixel_bytes, target in pictures
    )


def picture_s(size: Size, chosen: Candidate, file_rate: float | None) -> float | None:
    """What one picture takes; None: nobody knows yet."""
    if chosen.rate is None:
        return None
    pixels = max(size.area + size.scaled(chosen.settings.output_scale).area, FILE_PIXELS_LEAST)
    network = whole_network_pixels(chosen.spec, size, chosen.settings)
    return network / chosen.rate + pixels / (file_rate or FILE_PIXELS_PER_S)


def spread(count: int, pictures: int = TRIAL_PICTURES) -> list[int]:
    """Places of a few out of `count`, spread evenly, both ends among them."""
    if count <= pictures:
        return list(range(count))
    return [round(i * (count - 1) / (pictures - 1)) for i in range(pictures)]


def _duration_s(kinds: Mapping[Kind, int], chosen: Candidate, file_rate: float | None) -> float | None:
    if chosen.rate is None:
        return None
    sizes = Counter[Size]()
    for kind, count in kinds.items():
        sizes[kind.size] += count
    return sum((picture_s(size, chosen, file_rate) or 0.0) * count for size, count in sizes.items())


def _quicker(
    kinds: Mapping[Kind, int], others: Sequence[Candidate], duration_s: float | None, file_rate: float | None
) -> Quicker | None:
    """The quickest that was measured; where none was, the lightest."""
    timed = [(time, other) for other in others if (time := _duration_s(kinds, other, file_rate)) is not None]
    if timed:
        time, best = min(timed, key=lambda found: found[0])
        return Quicker(best.spec, time) if duration_s is None or time < duration_s else None
    if not others:
        return None
    return Quicker(min(others, key=lambda other: _weight(other.spec)).spec, None)


def _weight(spec: PipelineSpec) -> tuple[int, int]:
    return spec.steps, spec.memory.weights_bytes


def _disks(kinds: Mapping[Kind, int], scale: int) -> tuple[Disk, ...]:
    needed = Counter[int]()
    folders: dict[int, Path] = {}
    for kind, count in kinds.items():
        there = _existing(kind.folder)
        device = there.stat().st_dev
        folders.setdefault(device, there)
        samples = kind.size.scaled(scale).area * kind.pixel_bytes
        needed[device] += round(samples * BYTES_SHARE.get(kind.suffix, 1.0)) * count
    disks = [Disk(folders[d], size, shutil.disk_usage(folders[d]).free) for d, size in needed.items()]
    return tuple(sorted(disks, key=lambda disk: disk.free_bytes - disk.needed_bytes))


def _existing(folder: Path) -> Path:
    """Itself, or what of it is there."""
    while not os.path.isdir(folder) and folder != folder.parent:
        folder = folder.parent
    return folder
