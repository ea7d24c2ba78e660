"""What a layer carries so that it can be made again with other settings. Standard library only.

The recipe is a parasite on the layer: plain JSON. Rectangles are in pixels of what was read, the source layer or the
image, so that they hold when layers are moved.
"""

from __future__ import annotations

import base64
import binascii
import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from geometry import Rect

PARASITE = "safelight-recipe"
VERSION = 1
_SHOWN_DIGITS = 2


@dataclass(frozen=True)
class Recipe:
    """Where a restored layer came from and how."""

    source: str
    """layer or visible."""
    region: Rect
    """What was selected."""
    box: Rect
    """What the layer holds: the region and its surroundings."""
    settings: dict[str, Any]
    """Every setting by name, pipeline, output_scale and seed among them."""
    title: str
    """Of the pipeline, for people."""
    source_item: int = 0
    """GIMP's tattoo of the source layer, kept in XCF files; 0 for all visible layers."""
    operation: dict[str, Any] = field(default_factory=dict)
    """What the record of the image says of it."""
    mask_sha256: str = ""
    """Of the layer's mask as it was made, 8 bit; empty: it had none."""

    @property
    def selection(self) -> bytes | None:
        """What was selected of the region, 255 = all of it; None: all of the region, or no longer known."""
        packed = self.operation.get("mask")
        return unpacked_mask(packed, self.region) if isinstance(packed, str) else None

    @property
    def selection_known(self) -> bool:
        """False: it had a shape that was too detailed to be kept."""
        return not self.operation.get("mask_sha256") or self.selection is not None

    def to_bytes(self) -> bytes:
        return json.dumps({"version": VERSION, **asdict(self)}).encode()


def read_recipe(data: bytes) -> Recipe | None:
    """None for what is no recipe of ours, or one of a later version."""
    try:
        found = json.loads(data)
        if found["version"] != VERSION or found["source"] not in ("layer", "visible"):
            return None
        return Recipe(
            source=found["source"],
            region=_rect(found["region"]),
            box=_rect(found["box"]),
            settings=dict(found["settings"]),
            title=str(found["title"]),
            source_item=int(found["source_item"]),
            operation=dict(found["operation"]),
            mask_sha256=str(found.get("mask_sha256", "")),
        )
    except (ValueError, KeyError, TypeError):
        return None


def unpacked_mask(text: str, region: Rect) -> bytes | None:
    """Of a record: base64 of the deflated differences of its rows. None for what is no mask of that region."""
    width, size = region.width, region.width * region.height
    try:
        differences = zlib.decompressobj().decompress(base64.b64decode(text, validate=True), size + 1)
    except (binascii.Error, zlib.error):
        return None
    if len(differences) != size:
        return None
    rows, above = [], bytes(width)
    for start in range(0, size, width):
        change = differences[start : start + width]
        if change.count(0) != width:
            above = bytes((a + c) & 255 for a, c in zip(above, change))  # noqa: B905 - GIMP's Python may be older
        rows.append(above)
    return b"".join(rows)


def _rect(numbers: Sequence[int]) -> Rect:
    return Rect(*(int(number) for number in numbers))


def layer_name(title: str, settings: Mapping[str, Any], defaults: Mapping[str, Any]) -> str:
    """The pipeline's title and what differs from its defaults: `OSEDiff (strength 0.8, seed 7)`."""
    changed = [
        f"{name.replace('_', ' ')} {_shown(value)}"
        for name, value in settings.items()
        if name in defaults and value != defaults[name] and not isinstance(value, str)
    ]
    return f"{title} ({', '.join(changed)})" if changed else title


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return f"{value:.{_SHOWN_DIGITS}f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)
