"""What the plug-in's dialog is drawn from: pipelines with their settings, and what is missing to run them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from safelight.client.checkpoints import Checkpoint
from safelight.client.restoration import Installed
from safelight.settings import COMMON, COMMON_PRESETS, default_settings
from safelight.spec import PipelineSpec


def listing(
    found: Sequence[Installed], checkpoints: Iterable[Checkpoint], default: str, device: str
) -> dict[str, Any]:
    """`defaults` and `presets` are values by name, `output_scale` and `seed` among them."""
    needed = list(checkpoints)
    return {
        "default": default,
        "device": device,
        "common": [asdict(setting) for setting in COMMON],
        "pipelines": [_pipeline(p, [c for c in needed if p.spec.id in c.pipelines]) for p in found],
    }


def _pipeline(found: Installed, needed: Sequence[Checkpoint]) -> dict[str, Any]:
    spec = found.spec
    return {
        "id": spec.id,
        "title": spec.title,
        "summary": spec.summary,
        "licence": spec.licence,
        "licence_url": spec.licence_url,
        "generative": spec.generative,
        "installed": found.installed,
        "install_hint": found.install_hint,
        "resident": found.resident,
        "output_scales": list(spec.output_scales),
        "settings": [asdict(setting) for setting in spec.settings],
        "presets": {name: dict(values) for name, values in {**COMMON_PRESETS, **spec.presets}.items()},
        "defaults": {"in_place": _defaults(spec, True), "enlarged": _defaults(spec, False)},
        "checkpoints": [as_plain(checkpoint) for checkpoint in needed],
    }


def _defaults(spec: PipelineSpec, in_place: bool) -> dict[str, Any]:
    values = default_settings(spec, in_place=in_place).as_values()
    return {name: value for name, value in values.items() if name != "pipeline"}


def as_plain(checkpoint: Checkpoint) -> Mapping[str, Any]:
    return {
        "id": checkpoint.id,
        "title": checkpoint.title,
        "licence": asdict(checkpoint.licence),
        "download_bytes": checkpoint.download_bytes,
        "sources": list(checkpoint.sources),
        "pullable": checkpoint.pullable,
        "ready": checkpoint.ready,
        "installed": checkpoint.installed is not None,
    }
