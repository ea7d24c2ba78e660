"""`safelight compare`: two pictures side by side, and a magnified crop of each below."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from safelight.cli.console import Console
from safelight.cli.values import region_of
from safelight.geometry import Rect, Size
from safelight.imaging.srgb import Srgb8, read_srgb8, write_srgb8

VIEW_PX = 640  # long side of each whole picture on the sheet
CROP_PX = 640  # side of each magnified crop
CROP_SHARE = 6  # the automatic crop is this fraction of the short side ...
CROP_LEAST, CROP_MOST = 48, 192  # ... within these, so that pixels can be seen
GAP_PX, CAPTION_PX = 12, 30
GROUND, INK, FRAME = (32, 32, 34), (230, 230, 230), (255, 196, 0)


def run(given: argparse.Namespace, console: Console) -> int:
    before, after = read_srgb8(Path(given.before)), read_srgb8(Path(given.after))
    size = Size(after.shape[1], after.shape[0])
    crop = region_of(given.crop, size) if given.crop else busiest_crop(before, after)
    panels = [(Path(given.before).name, before), (Path(given.after).name, after)]
    write_srgb8(Path(given.output), sheet(panels, crop))
    console.say(
        f"wrote {given.output}; the crop is {crop.x},{crop.y},{crop.width},{crop.height} of {given.after}"
    )
    console.event("done", output=given.output, crop=list(crop))
    return 0


def sheet(panels: list[tuple[str, Srgb8]], crop: Rect) -> Srgb8:
    """Panels (caption, H W 3 uint8 sRGB) side by side, whole above and `crop` (of the last panel) magnified
    below without smoothing. Panels of another size are shown at the last one's, enlarged without smoothing."""
    height, width = panels[-1][1].shape[:2]
    scale = VIEW_PX / max(width, height)
    view = Size(round(width * scale), round(height * scale))
    magnified = Size(CROP_PX, CROP_PX).scaled(1) if crop.width == crop.height else _fitted(crop.size, CROP_PX)
    column = max(view.width, magnified.width)
    total = (
        len(panels) * column + (len(panels) + 1) * GAP_PX,
        view.height + magnified.height + CAPTION_PX + 3 * GAP_PX,
    )
    page = Image.new("RGB", total, GROUND)
    draw = ImageDraw.Draw(page)
    font = ImageFont.load_default(16)
    for i, (caption, pixels) in enumerate(panels):
        left = GAP_PX + i * (column + GAP_PX)
        whole = Image.fromarray(pixels)
        if whole.size != (width, height):
            whole = whole.resize((width, height), Image.Resampling.NEAREST)
        draw.text((left, GAP_PX), caption, fill=INK, font=font)
        top = GAP_PX + CAPTION_PX
        page.paste(whole.resize(view, Image.Resampling.LANCZOS), (left, top))
        box = [round(v * scale) for v in (crop.x, crop.y, crop.right, crop.bottom)]
        draw.rectangle((left + box[0], top + box[1], left + box[2], top + box[3]), outline=FRAME)
        part = whole.crop((crop.x, crop.y, crop.right, crop.bottom))
        page.paste(part.resize(magnified, Image.Resampling.NEAREST), (left, top + view.height + GAP_PX))
    return np.asarray(page)


def _fitted(size: Size, long_side: int) -> Size:
    return size.scaled(long_side / size.long_side)


def busiest_crop(before: Srgb8, after: Srgb8) -> Rect:
    """The square of `after` where the two differ most."""
    height, width = after.shape[:2]
    old = Image.fromarray(before).resize((width, height), Image.Resampling.BICUBIC)
    difference = np.abs(np.asarray(old, np.float32) - after).sum(axis=2)
    side = min(max(CROP_LEAST, min(height, width) // CROP_SHARE), CROP_MOST, height, width)
    total = np.pad(difference.cumsum(0).cumsum(1), ((1, 0), (1, 0)))
    inside = total[side:, side:] - total[:-side, side:] - total[side:, :-side] + total[:-side, :-side]
    y, x = np.unravel_index(int(inside.argmax()), inside.shape)
    return Rect(int(x), int(y), side, side)
