"""Maps of `imaging.faithfulness` as pictures: an overlay for editors, and a sheet for people.

An overlay has one colour for each map and the value as opacity, so that more colour means more. Orange and blue are
told apart by people who confuse red and green.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from safelight.geometry import Size
from safelight.imaging.faithfulness import SHOWN
from safelight.imaging.pixels import FloatArray
from safelight.imaging.srgb import Srgb8

COLOURS: Mapping[str, tuple[int, int, int]] = {
    "contradiction": (235, 95, 0),
    "invention": (0, 105, 255),
    "spread": (0, 160, 90),
}
UNITS: Mapping[str, str] = {
    "contradiction": "8-bit levels",
    "invention": "of the local contrast",
    "spread": "8-bit levels",
}
_MEANING: Mapping[str, str] = {
    "contradiction": "contradiction: the input speaks against it",
    "invention": "invention: finer than the input shows",
    "spread": "spread: results disagree",
}
_OPACITY = 0.9  # at full scale, so that the picture is never hidden
_ROUNDING = 1e-2  # of a step of 8 bits
_PANE_PX, _GAP_PX, _LINE_PX = 560, 12, 22
_COLUMN_LEAST_PX = 310  # holds a title and its scale
_LETTER_PX = 8  # widest mean of a line of text
_GROUND, _INK = (32, 32, 34), (230, 230, 230)

Plane8 = npt.NDArray[np.uint8]


def plane8(name: str, plane: FloatArray) -> Plane8:
    """A map in 8 bits: 255 = SHOWN[name] or more. What is above 0 stays above 0, but for the rounding of floats."""
    share = np.clip(plane / np.float32(SHOWN[name]), 0, 1)
    shown: Plane8 = np.ceil(share * np.float32(255) - np.float32(_ROUNDING)).astype(np.uint8)
    return shown


def overlay(name: str, plane: Plane8, size: Size) -> npt.NDArray[np.uint8]:
    """RGBA, H W 4, of the result's size: lay it over the result."""
    picture = Image.fromarray(plane).resize(size, Image.Resampling.BILINEAR)
    shown = np.empty((size.height, size.width, 4), np.uint8)
    shown[..., :3] = COLOURS[name]
    shown[..., 3] = np.rint(np.asarray(picture, np.float32) * np.float32(_OPACITY))
    return shown


def sheet(result: Srgb8, planes: Mapping[str, Plane8], lines: Sequence[str]) -> Image.Image:
    """The result, then the result in grey with each map in its colour over it, and `lines` of text below."""
    size = Size(result.shape[1], result.shape[0])
    factor = min(1.0, _PANE_PX / size.long_side)
    small = size.scaled(factor)
    plain = Image.fromarray(result).resize(small, Image.Resampling.LANCZOS)
    panes = [("the result", plain)]
    grey = Image.blend(
        plain.convert("L").convert("RGB"), Image.new("RGB", small, (255, 255, 255)), 0.25
    ).convert("RGBA")
    for name, plane in planes.items():
        top = Image.fromarray(overlay(name, plane, small))
        panes.append((_MEANING[name], Image.alpha_composite(grey, top).convert("RGB")))
    column = max(small.width, _COLUMN_LEAST_PX) + _GAP_PX
    width = len(panes) * column + _GAP_PX
    wrapped = [part for line in lines for part in textwrap.wrap(line, (width - 2 * _GAP_PX) // _LETTER_PX)]
    height = small.height + 2 * _GAP_PX + _LINE_PX * (len(wrapped) + 2) + _GAP_PX
    paper = Image.new("RGB", (width, height), _GROUND)
    draw, font = ImageDraw.Draw(paper), ImageFont.load_default(14)
    for number, (title, pane) in enumerate(panes):
        left = _GAP_PX + number * column
        paper.paste(pane, (left, _GAP_PX))
        draw.text((left, small.height + 2 * _GAP_PX - 4), title, fill=_INK, font=font)
        if number:
            _scale(paper, list(planes)[number - 1], left, small.height + 2 * _GAP_PX + _LINE_PX - 4)
    for number, line in enumerate(wrapped):
        top_px = small.height + 2 * _GAP_PX + _LINE_PX * (number + 2)
        draw.text((_GAP_PX, top_px), line, fill=_INK, font=font)
    return paper


def _scale(paper: Image.Image, name: str, left: int, top: int) -> None:
    """From nothing to full colour, with its numbers."""
    ramp = np.repeat(np.linspace(0, 255, 160).astype(np.uint8)[None], 10, axis=0)
    ground = Image.new("RGBA", (160, 10), (190, 190, 190, 255))
    strip = Image.alpha_composite(ground, Image.fromarray(overlay(name, ramp, Size(160, 10))))
    paper.paste(strip.convert("RGB"), (left + 18, top + 4))
    draw, font = ImageDraw.Draw(paper), ImageFont.load_default(12)
    draw.text((left, top), "0", fill=_INK, font=font)
    draw.text((left + 186, top), f"{SHOWN[name]:g} {UNITS[name]}", fill=_INK, font=font)
