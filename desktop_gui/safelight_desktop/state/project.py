"""A picture with its regions, masks, recipes and renditions: values of one moment, and their JSON form."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np

from safelight import __version__
from safelight.client.restoration import Restored, Work
from safelight.errors import InputFileError
from safelight.geometry import Rect
from safelight.imaging.metadata import Metadata
from safelight.imaging.pixels import PixelFormat
from safelight.settings import RestoreSettings
from safelight.spec import SettingValue
from safelight_desktop.planes.plane import Patch
from safelight_desktop.state.blobs import Blobs, damaged
from safelight_desktop.state.document import Document, document_of_pixels
from safelight_desktop.state.region import Region, Rendition
from safelight_desktop.state.selection import Selection
from safelight_desktop.state.settings_form import Recipe
from safelight_desktop.state.view import Point

FORMAT, VERSION = "safelight-project", 1
REGIONS_MOST, RENDITIONS_MOST = 10_000, 10_000
NAME_CHARS_MOST = 200
KINDS = ("whole", "rectangle", "lasso", "brush")
_BLOCKS = ("exif", "xmp", "iptc")


@dataclass(frozen=True)
class Look:
    """Where the canvas looks, and how it compares."""

    zoom: float
    centre: Point
    fitted: bool
    mode: str
    stacked: bool
    divider: float


@dataclass(frozen=True)
class Project:
    """Nothing in it changes any more: regions and renditions are copies."""

    document: Document
    regions: tuple[Region, ...]
    active: int
    recipe: Recipe
    look: Look

    @property
    def renditions(self) -> int:
        return sum(len(region.renditions) for region in self.regions)


def copied(regions: list[Region]) -> tuple[Region, ...]:
    """Regions and renditions as they are now; their arrays are shared, since nobody writes to them."""
    return tuple(_copied(region) for region in regions)


def _copied(region: Region) -> Region:
    twins = {id(r): replace(r) for r in region.renditions}
    return Region(
        region.name,
        region.selection,
        list(twins.values()),
        twins.get(id(region.chosen)),
        twins.get(id(region.against)),
    )


# -- writing ------------------------------------------------------------------------------------------


def to_json(project: Project, blobs: Blobs, *, picture: dict[str, object] | None = None) -> str:
    """`picture` stands for the document where its samples are not to be kept; arrays go into `blobs`."""
    told = {
        "format": FORMAT,
        "version": VERSION,
        "safelight": __version__,
        "picture": picture if picture is not None else _picture(project.document, blobs),
        "regions": [_region(region, blobs) for region in project.regions],
        "active": project.active,
        "recipe": {**vars(project.recipe), "values": dict(project.recipe.values)},
        "look": {**vars(project.look), "centre": list(project.look.centre)},
    }
    return json.dumps(told, ensure_ascii=False)


def _picture(document: Document, blobs: Blobs) -> dict[str, object]:
    metadata = document.metadata
    blocks = {name: getattr(metadata, name) for name in _BLOCKS} | {"icc": document.icc}
    return {
        "name": document.name,
        "path": str(document.path) if document.path is not None else None,
        "samples": blobs.put(document.pixels),
        "linear": document.format.linear,
        "blocks": {n: blobs.put(np.frombuffer(block, np.uint8)) for n, block in blocks.items() if block},
        "pixels_per_mm": metadata.pixels_per_mm,
        "unit": metadata.unit,
        "notes": list(document.notes),
    }


def _region(region: Region, blobs: Blobs) -> dict[str, object]:
    places: dict[int | None, int] = {id(r): at for at, r in enumerate(region.renditions)}
    return {
        "name": region.name,
        "selection": _selection(region.selection, blobs),
        "renditions": [_rendition(rendition, blobs) for rendition in region.renditions],
        "chosen": places.get(id(region.chosen)),
        "against": places.get(id(region.against)),
    }


def _selection(selection: Selection, blobs: Blobs) -> dict[str, object]:
    return {
        "kind": selection.kind,
        "rect": list(selection.rect),
        "mask": None if selection.mask is None else blobs.put(selection.mask),
        "strength": None if selection.strength is None else blobs.put(selection.strength),
        "outline": [list(point) for point in selection.outline],
    }


def _rendition(rendition: Rendition, blobs: Blobs) -> dict[str, object]:
    restored, patch = rendition.restored, rendition.provisional
    return {
        "title": rendition.title,
        "settings": rendition.settings.as_values(),
        "sent_settings": rendition.sent.as_values(),
        "selection": _selection(rendition.selection, blobs),
        "sent": list(rendition.work.sent),
        "samples": blobs.put(restored.pixels),
        "provisional": None if patch is None else {"rect": list(patch.rect), **blobs.put(patch.pixels)},
        "report": restored.report,
        "job_id": restored.job_id,
        "times_s": restored.times_s,
    }


# -- reading ------------------------------------------------------------------------------------------


def from_json(
    text: str, blobs: Blobs, *, load: Callable[[dict[str, Any]], Document] | None = None
) -> Project:
    """What `to_json` was given; `load` opens a picture that stands outside. Raises InputFileError."""
    try:
        told = json.loads(text)
        if not isinstance(told, dict) or told.get("format") != FORMAT:
            raise damaged("it does not say that it is one")
        if told["version"] != VERSION:
            raise InputFileError(
                f"the project has format version {told['version']} (of Safelight {told.get('safelight')}), this "
                f"Safelight reads {VERSION}: upgrade it",
                "PROJECT_VERSION",
            )
        return _Reader(blobs).project(told, load)
    except (KeyError, TypeError, ValueError, IndexError, AttributeError, OverflowError) as error:
        raise damaged(f"{type(error).__name__}: {str(error)[:120]}") from None


class _Reader:
    def __init__(self, blobs: Blobs) -> None:
        self._blobs = blobs
        self._selections: dict[str, Selection] = {}

    def project(self, told: Any, load: Callable[[dict[str, Any]], Document] | None) -> Project:
        picture = told["picture"]
        document = self._document(picture) if load is None or "samples" in picture else load(picture)
        if len(told["regions"]) > REGIONS_MOST:
            raise damaged(f"it has {len(told['regions'])} regions")
        regions = tuple(self._region(region, document) for region in told["regions"])
        if not regions or not regions[0].whole:
            raise damaged("the region of the whole picture is missing")
        recipe, look = told["recipe"], told["look"]
        return Project(
            document,
            regions,
            range(len(regions))[int(told["active"])],
            Recipe(
                str(recipe["pipeline"]), int(recipe["output_scale"]), int(recipe["seed"]), str(recipe["preset"]),
                _values(recipe["values"]),
            ),
            Look(
                float(look["zoom"]), Point(*map(float, look["centre"])), bool(look["fitted"]), str(look["mode"]),
                bool(look["stacked"]), float(look["divider"]),
            ),
        )  # fmt: skip

    def _document(self, told: Any) -> Document:
        pixels = self._blobs.get(told["samples"])
        if pixels.ndim != 3:
            raise damaged("the picture is no picture")
        blocks = {name: self._blobs.get(at).tobytes() for name, at in told["blocks"].items()}
        dots = told["pixels_per_mm"]
        metadata = Metadata(
            **{name: blocks.get(name, b"") for name in _BLOCKS},
            pixels_per_mm=None if dots is None else (float(dots[0]), float(dots[1])),
            unit=str(told["unit"]),
        )
        return document_of_pixels(
            str(told["name"])[:NAME_CHARS_MOST],
            None if told["path"] is None else Path(told["path"]),
            pixels,
            PixelFormat.of(pixels, linear=bool(told["linear"])),
            blocks.get("icc", b""),
            metadata,
            tuple(map(str, told["notes"])),
        )

    def _region(self, told: Any, document: Document) -> Region:
        if len(told["renditions"]) > RENDITIONS_MOST:
            raise damaged(f"a region has {len(told['renditions'])} renditions")
        renditions = [self._rendition(rendition, document) for rendition in told["renditions"]]

        def at(place: int | None) -> Rendition | None:
            return None if place is None else renditions[place]

        return Region(
            str(told["name"])[:NAME_CHARS_MOST],
            self._selection(told["selection"], document),
            renditions,
            at(told["chosen"]),
            at(told["against"]),
        )

    def _selection(self, told: Any, document: Document) -> Selection:
        """The same object for the same values: a rendition that is of its region stays so."""
        key = json.dumps(told, sort_keys=True)
        if key not in self._selections:
            rect = _rect(told["rect"])
            if told["kind"] not in KINDS or rect.empty or not document.rect.contains(rect):
                raise damaged(f"a region lies at {tuple(rect)}")
            mask, strength = (
                None if told[name] is None else self._blobs.get(told[name]) for name in ("mask", "strength")
            )
            for plane in (mask, strength):
                if plane is not None and (
                    plane.dtype != np.uint8 or plane.shape != (rect.height, rect.width)
                ):
                    raise damaged("a mask does not fit its region")
            outline = tuple(Point(float(x), float(y)) for x, y in told["outline"])
            self._selections[key] = Selection(told["kind"], rect, mask, outline, strength)
        return self._selections[key]

    def _rendition(self, told: Any, document: Document) -> Rendition:
        selection = self._selection(told["selection"], document)
        settings, sent_settings = _settings(told["settings"]), _settings(told["sent_settings"])
        sent = _rect(told["sent"])
        if not document.rect.contains(sent):
            raise damaged("a rendition was made of more than the picture")
        pixels = self._blobs.get(told["samples"])
        size = selection.rect.size.scaled(settings.output_scale)
        like = document.pixels
        if pixels.shape != (size.height, size.width, like.shape[2]) or pixels.dtype != like.dtype:
            raise damaged("a rendition does not fit its region")
        work = Work(
            document=document.size,
            sent=sent,
            region=selection.rect,
            pixels=like[sent.slices],
            icc=document.icc,
            linear=document.format.linear,
            mask=selection.weights,
            title=document.name[:NAME_CHARS_MOST],
        )
        restored = Restored(pixels, dict(told["report"]), str(told["job_id"]), dict(told["times_s"]))
        patch = told["provisional"]
        return Rendition(
            str(told["title"]), settings, sent_settings, selection, work, restored,
            None if patch is None else self._patch(patch, pixels, work.region.times(settings.output_scale)),
        )  # fmt: skip

    def _patch(self, told: Any, like: Any, within: Rect) -> Patch:
        rect, pixels = _rect(told["rect"]), self._blobs.get(told)
        fits = pixels.shape == (rect.height, rect.width, like.shape[2]) and pixels.dtype == like.dtype
        if not fits or not within.contains(rect):
            raise damaged("a part of a rendition does not fit it")
        return Patch(rect, pixels)


def _rect(told: Any) -> Rect:
    return Rect(*(int(number) for number in told))


def _values(told: Any) -> dict[str, SettingValue]:
    for name, value in told.items():
        if not isinstance(value, bool | int | float | str):
            raise damaged(f"the setting {name} is {type(value).__name__}")
    return dict(told)


def _settings(told: Any) -> RestoreSettings:
    values = _values(told)
    common = {f.name for f in fields(RestoreSettings)} - {"own"}
    own = {name: value for name, value in values.items() if name not in common}
    return RestoreSettings(**{n: v for n, v in values.items() if n in common}, own=own)  # type: ignore[arg-type]
