"""What the client is told about a finished job, and a record may keep: plain JSON data.

pipeline, title, generative, settings, band_weights, working_scale, output_scale, region, sent, document
masked, layer, checkpoints    weights file name to SHA-256
tiles, batch, precision, device, threads, plan, retries, ladder, conditioning, monochrome, ...
network, network_time         computed, completed or kept, and when it ran; tiles_computed are those of this job
provisional                   what a patch shows as measured so far: colour_fix, grain
stages_s                      seconds per stage
versions                      of Safelight, torch and numpy
notes                         sentences for the person
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import metadata

import numpy as np

import safelight
from safelight.engine.request import Restoration


def report_of(restoration: Restoration) -> dict[str, object]:
    """Everything of the module's list; call it when the last row has been finished."""
    request, spec = restoration.request, restoration.spec
    settings = request.settings
    own = restoration.report
    return {
        "pipeline": spec.id,
        "title": spec.title,
        "generative": spec.generative,
        "settings": settings.as_values(),
        "band_weights": list(settings.band_weights),
        "working_scale": restoration.working_scale,
        "output_scale": settings.output_scale,
        "document": list(request.document),
        "sent": list(request.sent),
        "region": list(request.region),
        "masked": request.mask is not None,
        "layer": request.layer,
        **{key: plain(value) for key, value in own.items()},
        "versions": versions(),
        "notes": list(_notes(own)),
    }


def versions() -> dict[str, str]:
    """Read from the installed packages' metadata, so that nothing heavy is imported for it."""
    found = {"safelight": safelight.__version__}
    for name in ("torch", "numpy"):
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def plain(value: object) -> object:
    """The same value in JSON's own types; numbers of numpy become Python's."""
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [plain(v) for v in value]
    if isinstance(value, np.generic):
        return value.item()
    if value is None or isinstance(value, bool | int | float | str):
        return value
    return str(value)


def _notes(own: Mapping[str, object]) -> Iterator[str]:
    if own.get("monochrome"):
        yield "the picture is toned monochrome: only lightness was restored (monochrome=off: colour too)"
    if own.get("retries"):
        yield "some tiles failed their check and were computed again in a safer way"
    if own.get("provisional"):
        yield "colours or grain of this patch may still change a little when the whole region is there"
    conditioning = own.get("conditioning")
    if isinstance(conditioning, Mapping) and "prompt_note" in conditioning:
        yield str(conditioning["prompt_note"])
    if own.get("ladder"):
        yield "memory was short: some tiles were computed in smaller pieces"
