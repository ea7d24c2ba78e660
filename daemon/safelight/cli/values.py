"""From what a person typed to RestoreSettings, a region and a mask."""

from __future__ import annotations

import argparse

from safelight.errors import InvalidRequest
from safelight.geometry import Rect, Size
from safelight.settings import COMMON, RestoreSettings, default_settings, preset_values, setting_named
from safelight.spec import PipelineSpec, SettingValue


def settings_of(given: argparse.Namespace, spec: PipelineSpec, *, in_place: bool) -> RestoreSettings:
    """Defaults, then the preset, then --strength, --seed and --set; raises InvalidRequest for the first bad one."""
    settings = default_settings(spec, in_place=in_place)
    values: dict[str, SettingValue] = {}
    if given.preset:
        values.update(preset_values(spec, given.preset))
    if getattr(given, "strength", None) is not None:
        values["strength"] = setting_named(spec, "strength").parse(given.strength)
    for text in given.values:
        name, equals, value = text.partition("=")
        if not equals:
            raise InvalidRequest(f"--set {text!r} has no value: write NAME=VALUE", "SETTING_FORM")
        values[name.strip()] = setting_named(spec, name.strip()).parse(value.strip())
    if given.seed is not None:
        values["seed"] = _whole(given.seed, "--seed")
    if getattr(given, "scale", None) is not None:
        values["output_scale"] = given.scale
    return settings.with_values(spec, values)


def region_of(text: str, picture: Size) -> Rect:
    """`X,Y,W,H` inside the picture."""
    parts = text.split(",")
    if len(parts) != 4:
        raise InvalidRequest(
            f"--region {text!r} is not left,top,width,height: give four numbers", "REGION_FORM"
        )
    region = Rect(*(_whole(part, "--region") for part in parts))
    if region.empty:
        raise InvalidRequest(f"the region {text} is empty: give it a width and a height", "REGION_EMPTY")
    if not Rect.of_size(picture).contains(region):
        raise InvalidRequest(
            f"the region {text} reaches outside the picture of {picture.width} x {picture.height} pixels",
            "REGION_OUTSIDE",
        )
    return region


def _whole(text: str, what: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise InvalidRequest(f"{what} {text!r} is not a whole number: give one", "NOT_A_NUMBER") from None


def described(settings: RestoreSettings) -> str:
    """What differs from the plain defaults, for people."""
    plain = {s.name: s.default for s in COMMON}
    changed = [f"{n} {v}" for n, v in settings.as_values().items() if n in plain and plain[n] != v]
    return ", ".join([f"scale {settings.output_scale}", *changed])
