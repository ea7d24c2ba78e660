"""How long a job will take and how much memory it needs, from jobs that ran here before and the pipeline's spec.

Time is network pixels times what a network pixel took on the same device and pipeline: measured, or not known. The
network pixels of a job to come are counted as the engine plans tiles, but for what the engine looks up in the picture
(a scan that is oversampled is seen smaller, so it is quicker than said).
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import platformdirs

from safelight import runtime
from safelight.geometry import Size
from safelight.settings import IN_PLACE_SCALE, WORKING_SCALE_LEAST, WORKING_SCALE_MOST, RestoreSettings
from safelight.spec import PipelineSpec, StageTiling

LATEST_SHARE = 0.5  # a rate is half the last job and half what was before: a busy hour is forgotten soon
TOO_SHORT_S = 0.02  # says more about the clock than about the network


def rates_path() -> Path:
    return Path(platformdirs.user_cache_dir("safelight", appauthor=False)) / "rates.json"


@dataclass(frozen=True)
class Rates:
    """Seconds per network pixel by device and pipeline, in a small file."""

    path: Path

    def seconds(self, device: str, spec: PipelineSpec, network_px: float) -> float | None:
        """None: this pipeline never ran on this device."""
        rate = self._read().get(_key(device, spec.id))
        return None if rate is None else rate * network_px

    def learn(self, device: str, spec: PipelineSpec, report: Mapping[str, Any]) -> None:
        """From a report of a job; passes over jobs whose network did not run."""
        network_px, seconds = _measured(spec, report)
        if not network_px or seconds < TOO_SHORT_S:
            return
        rates, key = self._read(), _key(device, spec.id)
        latest = seconds / network_px
        rates[key] = latest if key not in rates else rates[key] + LATEST_SHARE * (latest - rates[key])
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            runtime.write_private(self.path, json.dumps(rates, indent=1))
        except OSError:
            return  # an estimate is not worth an error

    def _read(self) -> dict[str, float]:
        try:
            found = json.loads(self.path.read_text(encoding="utf-8"))
            return {str(k): float(v) for k, v in found.items()}
        except (OSError, ValueError, TypeError, AttributeError):
            return {}


def _key(device: str, pipeline: str) -> str:
    return f"{pipeline} on {device}"


def memory_bytes(spec: PipelineSpec, settings: RestoreSettings, region: Size, document: Size) -> int:
    """Of weights and the largest batch of tiles."""
    sides = _box_sides(spec, settings, region, document)
    largest = 0.0
    for name, tiling in spec.stages.items():
        tile = [min(side, float(tiling.tile * _unit(spec, name))) for side in sides]
        batch = tiling.batch * tile[0] * tile[1]
        largest = max(largest, min(batch, _stage_pixels(spec, name, tiling, sides)))
    return spec.memory.weights_bytes + round(spec.memory.bytes_per_tile_px * largest)


def network_pixels(spec: PipelineSpec, settings: RestoreSettings, region: Size, document: Size) -> float:
    """Input pixels of all tiles of all stages."""
    sides = _box_sides(spec, settings, region, document)
    return sum(_stage_pixels(spec, name, tiling, sides) for name, tiling in spec.stages.items())


def working_scale(spec: PipelineSpec, settings: RestoreSettings, region: Size, document: Size) -> float:
    """The one that is asked for, or about the one that will be chosen."""
    return settings.working_scale or _auto_scale(spec, settings.output_scale, region, document)


def _box_sides(spec: PipelineSpec, settings: RestoreSettings, region: Size, document: Size) -> list[float]:
    """Width and height of what the network sees, in its input pixels."""
    working = working_scale(spec, settings, region, document)
    scale = working / max([m for m in spec.magnifications if m <= working] or [min(spec.magnifications)])
    margin = max(spec.context_fraction * region.long_side * scale, spec.context_least_px)
    return [
        min(_side(spec, length * scale + 2 * margin), whole * scale)
        for length, whole in zip(region, document, strict=True)
    ]


def _auto_scale(spec: PipelineSpec, output_scale: int, region: Size, document: Size) -> float:
    preferred = spec.auto_short_side_px
    if preferred is None or output_scale != IN_PLACE_SCALE:
        return float(output_scale)
    if spec.one_tile:
        return min(max(preferred / region.long_side, WORKING_SCALE_LEAST), WORKING_SCALE_MOST)
    if region == document:
        return 1.0
    return min(max(preferred / region.short_side, 1.0), WORKING_SCALE_MOST)


def _side(spec: PipelineSpec, length: float) -> float:
    """Of the box, grown to the first tile."""
    name, first = next(iter(spec.stages.items()))
    return length if first.even else max(length, first.tile * _unit(spec, name))


def _stage_pixels(spec: PipelineSpec, name: str, tiling: StageTiling, sides: list[float]) -> float:
    unit = _unit(spec, name)
    total = float(spec.steps if name == "predict" else 1)
    for side in sides:
        length = max(1.0, side / unit)
        if length <= tiling.tile:
            total *= length
            continue
        step = tiling.tile - tiling.overlap
        count = math.ceil((length - tiling.tile) / step) + 1
        total *= length + (count - 1) * tiling.overlap if tiling.even else count * tiling.tile
    return total * unit * unit


def _unit(spec: PipelineSpec, stage: str) -> int:
    """Network pixels per unit of a stage's input plane."""
    return 1 if stage == "encode" else spec.latent_px


def _measured(spec: PipelineSpec, report: Mapping[str, Any]) -> tuple[float, float]:
    """Network pixels and seconds of a job; 0 where it does not say, or did not run the network as a whole."""
    stages = report.get("plan", {}).get("stages", {})
    done = report.get("tiles", {})
    if report.get("network", "computed") != "computed" or not isinstance(done, Mapping):
        return 0.0, 0.0
    pixels = 0.0
    for name, plan in stages.items():
        width, height = plan["tile"]
        pixels += done.get(name, 0) * width * height * _unit(spec, name) ** 2
    return pixels, float(sum(report.get("stages_s", {}).values()))
