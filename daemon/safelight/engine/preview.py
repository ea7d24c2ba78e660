"""A finished tile as a person may see it while the rest is computed."""

from __future__ import annotations

import math

import numpy as np
import torch

from safelight.engine.request import Preview, RestoreRequest
from safelight.geometry import Rect, Size
from safelight.imaging.resample import resize


def preview_of(
    y: torch.Tensor, box: Rect, *, working_scale: float, request: RestoreRequest
) -> Preview | None:
    """The part of a tile inside what is wanted at result size, or None when there is none.

    `y` 3 h w float32, sRGB-encoded; `box` its place in the y plane.
    """
    scale = request.settings.output_scale
    wanted = request.wanted
    visible = box.intersect(wanted.scaled_outward(working_scale))
    if visible.empty:
        return None
    inside = visible.shifted(-box.x, -box.y)
    colours = y[:, inside.y : inside.bottom, inside.x : inside.right].permute(1, 2, 0).float().cpu().numpy()
    factor = scale / working_scale
    place = Rect.from_edges(
        *(math.floor(edge * factor + 0.5) for edge in (*visible[:2], visible.right, visible.bottom))
    )
    place = place.intersect(wanted.times(scale))
    if place.empty:
        return None
    colours = resize(np.ascontiguousarray(colours), Size(place.width, place.height))
    pixels = np.rint(np.clip(colours, 0, 1) * 255).astype(np.uint8)
    return Preview(place.shifted(-wanted.x * scale, -wanted.y * scale), pixels)
