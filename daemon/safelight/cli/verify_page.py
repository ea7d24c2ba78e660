"""One page for people about a verified picture: self-contained HTML with the pictures inside."""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from safelight import __version__
from safelight.errors import OutputFileError
from safelight.geometry import Rect
from safelight.imaging.files import PictureFile
from safelight.imaging.record import now
from safelight.imaging.srgb import Srgb8, read_srgb8
from safelight.imaging.verification import Examination, RegionFacts, State

WHOLE_PX = 720  # long side of a whole picture on the page
CROP_PX = 420  # ... and of a region
REGIONS_SHOWN = 12
AMPLIFIED = 8  # differences times this, around middle grey
QUALITY = 88
_TITLES: Mapping[State, str] = {
    "holds": "Proven",
    "fails": "Not proven",
    "unproven": "Not everything could be proven",
}
_ANSWERS: Mapping[State, str] = {"holds": "holds", "fails": "fails", "unproven": "open"}
_STYLE = """
body{font:15px/1.5 system-ui,sans-serif;max-width:75rem;margin:2rem auto;padding:0 1rem;color:#222;background:#fff}
h1{font-size:1.6rem} .holds{color:#146c2e} .fails{color:#b3261e} .unproven{color:#8a5a00}
table{border-collapse:collapse;width:100%} td,th{border:1px solid #ccc;padding:.35rem .6rem;text-align:left;
vertical-align:top} figure{display:inline-block;margin:.5rem 1rem .5rem 0;vertical-align:top}
figcaption{font-size:.85rem;color:#555} img{display:block;max-width:100%;image-rendering:auto}
code{font-size:.8rem;word-break:break-all}
"""


def write_page(
    path: Path, result: PictureFile, original: PictureFile, examination: Examination, answer: State
) -> None:
    """Raises OutputFileError."""
    try:
        path.write_text(_page(result, original, examination, answer), encoding="utf-8")
    except OSError as error:
        raise OutputFileError(f"{path} cannot be written: {error.strerror}", "WRITE_FAILED") from None


def _page(result: PictureFile, original: PictureFile, examination: Examination, answer: State) -> str:
    before, after = read_srgb8(original.path), read_srgb8(result.path)
    checks = "".join(
        f'<tr><th>{c.name}</th><td class="{c.state}">{_ANSWERS[c.state]}</td><td>{html.escape(c.sentence)}</td></tr>'
        for c in examination.checks
    )
    regions = examination.regions if before.shape == after.shape else ()
    pictures = [
        _figure(_outlined(before, regions), f"the original, {original.path.name}"),
        _figure(_outlined(after, regions), f"the result, {result.path.name}"),
    ]
    if before.shape == after.shape:
        pictures.append(_figure(_reduced(_apart(before, after), WHOLE_PX), _APART_CAPTION))
    parts = "".join(_region(facts, examination, before, after) for facts in examination.regions)
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{html.escape(result.path.name)}: what was done'
        f'</title><style>{_STYLE}</style><h1 class="{answer}">{_TITLES[answer]}</h1>'
        f"<p>{html.escape(result.path.name)} against {html.escape(original.path.name)}, looked at by Safelight "
        f"{__version__}, {now()}.</p><table>{checks}</table><h2>The pictures</h2>{''.join(pictures)}"
        f"<h2>What was done</h2>{parts or '<p>No operation could be read.</p>'}</html>\n"
    )


_APART_CAPTION = f"result minus original, {AMPLIFIED} times, around grey: grey is unchanged"


def _region(facts: RegionFacts, examination: Examination, before: Srgb8, after: Srgb8) -> str:
    operation = examination.operations[facts.number - 1]
    x, y, width, height = facts.region
    rows = {
        "pipeline": f"{facts.pipeline} ({'generative' if facts.generative else 'not generative'})",
        "region": f"{width} x {height} at {x},{y}{', under a mask' if facts.masked else ''}",
        "share of the picture": f"{100 * facts.share:.3f} %",
        "time": facts.time,
        "device, precision": f"{operation.get('device')}, {operation.get('precision')}",
        "versions": ", ".join(f"{k} {v}" for k, v in dict(operation.get("versions", {})).items()),
        "settings": ", ".join(f"{k} {v}" for k, v in dict(operation.get("settings", {})).items()),
        "checkpoints": ", ".join(f"{k} {v}" for k, v in dict(operation.get("checkpoints", {})).items()),
        "input SHA-256": operation.get("input_sha256"),
        "output SHA-256": operation.get("output_sha256"),
    }
    if facts.changed_share is not None:
        rows["changed"] = (
            f"{100 * facts.changed_share:.1f} % of its pixels, by {facts.mean_change:.2f} of 255 in the mean and "
            f"{facts.largest_change:.0f} at most"
        )
    table = "".join(
        f"<tr><th>{name}</th><td><code>{html.escape(str(value))}</code></td></tr>"
        for name, value in rows.items()
    )
    pictures = ""
    if before.shape == after.shape and facts.number <= REGIONS_SHOWN:
        place = facts.region.slices
        pictures = _figure(_reduced(before[place], CROP_PX), "before")
        pictures += _figure(_reduced(after[place], CROP_PX), "after")
        pictures += _figure(
            _reduced(_apart(before[place], after[place]), CROP_PX), f"difference, {AMPLIFIED} times"
        )
    return f"<h3>Operation {facts.number}</h3>{pictures}<table>{table}</table>"


def _apart(before: Srgb8, after: Srgb8) -> Srgb8:
    difference = AMPLIFIED * (after.astype(np.int16) - before) + 128
    shown: Srgb8 = np.clip(difference, 0, 255).astype(np.uint8)
    return shown


def _reduced(pixels: Srgb8, most_px: int) -> Image.Image:
    picture = Image.fromarray(np.ascontiguousarray(pixels))
    picture.thumbnail((most_px, most_px), Image.Resampling.LANCZOS)
    return picture


def _outlined(pixels: Srgb8, regions: tuple[RegionFacts, ...]) -> Image.Image:
    picture = _reduced(pixels, WHOLE_PX)
    factor = picture.width / pixels.shape[1]
    draw = ImageDraw.Draw(picture)
    for facts in regions:
        box: Rect = facts.region.scaled_outward(factor)
        draw.rectangle((box.x, box.y, box.right - 1, box.bottom - 1), outline=(255, 196, 0), width=2)
    return picture


def _figure(picture: Image.Image, caption: str) -> str:
    data = io.BytesIO()
    picture.save(data, "JPEG", quality=QUALITY, subsampling=0)
    text = base64.b64encode(data.getvalue()).decode()
    return (
        f'<figure><img alt="{html.escape(caption)}" width="{picture.width}" '
        f'src="data:image/jpeg;base64,{text}"><figcaption>{html.escape(caption)}</figcaption></figure>'
    )
