"""The name under which a job's residual canvas is kept: everything that the network's output depends on, and nothing
that acts after the network. Free of torch.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import fields, replace
from functools import cache
from importlib import metadata
from pathlib import Path

import numpy as np

import safelight
from safelight.engine.job_plan import JobPlan
from safelight.engine.request import RestoreRequest
from safelight.imaging.pixels import DocumentArray
from safelight.settings import RestoreSettings

AFTER_NETWORK = frozenset({"strength", "detail", "colour", "grain", "monochrome", "feather"})
"""Settings that act on the kept canvas."""
IN_PLAN = frozenset({"output_scale", "working_scale"})
"""Settings that the network knows through the plan only: other values that lead to the same plan share a canvas."""
OWN_AFTER_NETWORK = frozenset({"colour_fix"})
"""The same, of pipelines' own settings."""
COMPUTED_WITH = ("torch", "numpy", "pillow", "diffusers", "transformers", "peft")


def before_network(settings: RestoreSettings) -> RestoreSettings:
    """What the network is given and the key covers: settings of `AFTER_NETWORK` and `IN_PLAN` have their defaults,
    own ones of `OWN_AFTER_NETWORK` are absent."""
    hidden = AFTER_NETWORK | IN_PLAN
    defaults = {f.name: f.default for f in fields(RestoreSettings) if f.name in hidden}
    own = {name: value for name, value in settings.own.items() if name not in OWN_AFTER_NETWORK}
    return replace(settings, own=own, **defaults)  # type: ignore[arg-type]


class InputHash:
    """SHA-256 of the pixels that were sent and how they are to be read: about 1 GB/s, and it lets go of the
    interpreter's lock."""

    def __init__(self, request: RestoreRequest) -> None:
        form = request.format
        reading = form.colour_channels, form.alpha, form.sample.name, form.linear, request.sent
        self._digest = hashlib.sha256(repr(reading).encode())
        self._digest.update(hashlib.sha256(request.icc).digest())

    def add(self, rows: DocumentArray) -> None:
        """The next rows, top to bottom."""
        self._digest.update(np.ascontiguousarray(rows).data)

    def hexdigest(self) -> str:
        return self._digest.hexdigest()


def content_key(
    request: RestoreRequest,
    plan: JobPlan,
    *,
    input_sha256: str,
    checkpoints: Mapping[str, str],
    place: str,
) -> str:
    """64 hexadecimal digits. `checkpoints` are the SHA-256 of the pipeline's files, `place` names the device and
    whatever of it changes bits."""
    covered = {
        "build": build(),
        "place": place,
        "input": input_sha256,
        "geometry": [request.document, request.sent, request.region, plan.region.output],
        "tiling": {name: repr(tiling) for name, tiling in plan.spec.stages.items()},
        "settings": before_network(request.settings).as_values(),
        "checkpoints": dict(checkpoints),
    }
    return hashlib.sha256(json.dumps(covered, sort_keys=True).encode()).hexdigest()


@cache
def build() -> str:
    """SHA-256 of this package's code and of what it computes with: another build keeps results of its own. Looked
    up once, so call it when the daemon starts."""
    digest = hashlib.sha256()
    folder = Path(safelight.__file__).parent
    for path in sorted(p for p in folder.rglob("*") if p.suffix in (".py", ".sha256")):
        digest.update(path.relative_to(folder).as_posix().encode() + b"\0" + path.read_bytes())
    for name in COMPUTED_WITH:
        digest.update(f"{name} {_version(name)}\n".encode())
    return digest.hexdigest()


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return ""
