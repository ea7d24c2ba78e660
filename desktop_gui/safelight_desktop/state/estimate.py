"""What a run will take, said before it starts: size, tiles, memory, time."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QObject, QSettings, Signal

from safelight.client.restoration import Restored, sent_rect
from safelight.geometry import Rect, Size
from safelight.settings import WORKING_SCALE_LEAST, WORKING_SCALE_MOST, RestoreSettings
from safelight.spec import PipelineSpec, StageTiling
from safelight_desktop.state.document import Document
from safelight_desktop.state.region import Rendition
from safelight_desktop.state.selection import Selection, whole

SMOOTHING = 0.5  # share of the newest run in what is remembered of a pipeline's speed
FILES = "_files"  # beside the pipelines' names
FILE_PIXELS_LEAST = 1_000_000  # smaller files take no less: opening and flushing count more than their pixels


@dataclass(frozen=True)
class Estimate:
    """Of one job."""

    output: Size
    output_bytes: int
    """Of its samples, uncompressed."""
    tiles: int
    memory_bytes: int
    """On the daemon's device, weights included."""
    duration_s: float | None
    """None: this pipeline has not run here yet."""
    resident: bool
    """False: its weights are loaded first."""


def expected_working_scale(spec: PipelineSpec, selection: Selection, settings: RestoreSettings) -> float:
    """What `auto` comes to, but for the daemon's look at the spectrum of oversampled scans."""
    if settings.working_scale > 0:
        return settings.working_scale
    preferred, size = spec.auto_short_side_px, selection.rect.size
    if preferred is None or settings.output_scale != 1:
        return float(settings.output_scale)
    if selection.kind == "whole":
        return 1.0
    return min(max(preferred / size.short_side, WORKING_SCALE_LEAST), WORKING_SCALE_MOST)


def estimated(
    document: Document,
    selection: Selection,
    settings: RestoreSettings,
    spec: PipelineSpec,
    speeds: Speeds,
    *,
    resident: bool,
) -> Estimate:
    """From the pipeline's spec, and how quick it was before."""
    scale = expected_working_scale(spec, selection, settings)
    seen = _network_size(spec, sent_rect(spec, selection.rect, document.size, scale), scale)
    output = selection.rect.size.scaled(settings.output_scale)
    decode = spec.stages["decode"]
    cells = spec.latent_px if len(spec.stages) > 1 else 1
    tile_px = min(decode.tile * cells, seen.long_side) ** 2
    batch = min(decode.batch, _tiles(decode, Size(-(-seen.width // cells), -(-seen.height // cells))))
    return Estimate(
        output,
        output.area * document.format.bytes_per_pixel,
        _tiles(decode, Size(-(-seen.width // cells), -(-seen.height // cells))),
        spec.memory.weights_bytes + spec.memory.bytes_per_tile_px * tile_px * batch,
        speeds.duration_s(spec.id, seen.area * spec.steps),
        resident,
    )


def whole_network_pixels(spec: PipelineSpec, size: Size, settings: RestoreSettings) -> int:
    """What the network computes for a whole picture, over all steps."""
    scale = expected_working_scale(spec, whole(size), settings)
    sent = sent_rect(spec, Rect.of_size(size), size, scale)
    return _network_size(spec, sent, scale).area * spec.steps


def _network_size(spec: PipelineSpec, sent: Rect, working_scale: float) -> Size:
    """What the network gets: enlarging ones get the picture smaller."""
    fitting = [m for m in spec.magnifications if m <= working_scale]
    return sent.size.scaled(working_scale / max(fitting, default=min(spec.magnifications)))


def _tiles(tiling: StageTiling, plane: Size) -> int:
    step = max(1, tiling.tile - tiling.overlap)
    return math.prod(max(1, math.ceil((side - tiling.overlap) / step)) for side in plane)


class Speeds(QObject):
    """Network pixels per second of each pipeline on this daemon's device, remembered from finished runs."""

    changed = Signal()

    def __init__(self, settings: QSettings, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._settings = settings
        self.device = ""

    def duration_s(self, pipeline: str, network_pixels: int) -> float | None:
        speed = self.rate(pipeline)
        return network_pixels / speed if speed else None

    def rate(self, pipeline: str) -> float | None:
        """Network pixels per second; None while it is not known."""
        speed: Any = self._settings.value(self._key(pipeline))
        return float(speed) if speed else None

    @property
    def file_rate(self) -> float | None:
        """Pixels of pictures and results that are read, sent and written in a second."""
        return self.rate(FILES)

    def learn(self, rendition: Rendition, spec: PipelineSpec) -> None:
        """From a run whose network ran."""
        self.learn_run(rendition.work.sent, rendition.restored, spec)

    def learn_run(self, sent: Rect, restored: Restored, spec: PipelineSpec) -> float:
        """As `learn`, from what was sent and what came back; gives the seconds that the network took, 0 where it
        did not run."""
        report = restored.report
        if report.get("network", "computed") != "computed":
            return 0.0
        seconds: float = sum(v for k, v in report.get("stages_s", {}).items() if k not in ("load", "upload"))
        seconds = seconds or restored.times_s.get("report", 0.0)
        if seconds <= 0:
            return 0.0
        seen = _network_size(spec, sent, float(report.get("working_scale", 1.0)))
        self._learn(spec.id, seen.area * spec.steps / seconds)
        return seconds

    def learn_files(self, pixels: int, seconds: float) -> None:
        """What one picture took besides the network."""
        if seconds > 0:
            self._learn(FILES, max(pixels, FILE_PIXELS_LEAST) / seconds)

    def _learn(self, name: str, speed: float) -> None:
        known = self.rate(name)
        if known:
            speed = SMOOTHING * speed + (1 - SMOOTHING) * known
        self._settings.setValue(self._key(name), speed)
        self.changed.emit()

    def _key(self, pipeline: str) -> str:
        return f"speeds/{self.device.replace('/', '-') or 'device'}/{pipeline}"
