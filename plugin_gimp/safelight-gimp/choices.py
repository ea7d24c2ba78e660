"""What a person has chosen in the dialog, drawn from what the daemon says of its pipelines. Standard library only.

`listing` is the bridge's answer to `pipelines`. Settings are those that every pipeline has and the pipeline's own,
in the order in which a person sees them; the dialog shows what is here and writes back what is changed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from job import Wish

OUTPUTS = ("layer", "replace", "image")
SOURCES = ("layer", "visible")
LIVE = ("strength", "detail", "colour")
"""Act after the network: a preview follows them at once."""
SHOWN = (*LIVE, "working_scale")
"""First, and never folded away."""
SEED, SCALE = "seed", "output_scale"
SEED_MOST = 2**53  # what a spin button can hold


@dataclass(frozen=True)
class Setting:
    """One control."""

    name: str
    title: str
    type: str
    default: Any
    help: str
    minimum: float | None
    maximum: float | None
    choices: tuple[str, ...]
    unit: str
    advanced: bool


class Choices:
    """Where the output is a new image, scale and colour have other defaults."""

    def __init__(self, listing: Mapping[str, Any], *, remembered: Mapping[str, Any] | None = None) -> None:
        self._pipelines: dict[str, Mapping[str, Any]] = {p["id"]: p for p in listing["pipelines"]}
        self._common = [_setting(s) for s in listing["common"]]
        self._remembered: dict[str, dict[str, Any]] = {}
        self.output, self.source, self.preview = "layer", "layer", True
        self._take_remembered(remembered or {})
        last = (remembered or {}).get("pipeline")
        self.pipeline = last if last in self._pipelines else str(listing["default"])
        self._values = self._fitting(self._remembered.get(self.pipeline, {}))

    # -- pipelines ---------------------------------------------------------------------------------

    @property
    def pipelines(self) -> Sequence[Mapping[str, Any]]:
        return list(self._pipelines.values())

    @property
    def spec(self) -> Mapping[str, Any]:
        """The chosen pipeline as the bridge describes it."""
        return self._pipelines[self.pipeline]

    def choose_pipeline(self, name: str) -> None:
        """Its values are those it was used with last."""
        if name in self._pipelines and name != self.pipeline:
            self.remember()
            self.pipeline = name
            self._values = self._fitting(self._remembered.get(name, {}))

    def renew(self, listing: Mapping[str, Any]) -> None:
        """After something was installed."""
        self._pipelines = {p["id"]: p for p in listing["pipelines"]}

    # -- values ------------------------------------------------------------------------------------

    @property
    def in_place(self) -> bool:
        return self.output != "image"

    @property
    def defaults(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.spec["defaults"]["in_place" if self.in_place else "enlarged"]
        return found

    @property
    def settings(self) -> list[Setting]:
        """First what most people use, advanced ones last."""
        own = [_setting(s) for s in self.spec["settings"]]
        first = [replace(s, advanced=False) for s in self._common if s.name in SHOWN]
        others = [s for s in self._common if s.name not in SHOWN]
        found = [*first, *own, *others]
        return [s for s in found if not s.advanced] + [s for s in found if s.advanced]

    def value(self, name: str) -> Any:
        return self._values.get(name, self.defaults.get(name))

    def set_value(self, name: str, value: Any) -> None:
        if value == self.defaults.get(name):
            self._values.pop(name, None)
        else:
            self._values[name] = value

    def reset(self) -> None:
        self._values = {}

    @property
    def scales(self) -> list[int]:
        """What a new image can be enlarged by, the default first."""
        found = [scale for scale in self.spec["output_scales"] if scale > 1]
        return [*found, 1]

    @property
    def presets(self) -> Mapping[str, Mapping[str, Any]]:
        found: Mapping[str, Mapping[str, Any]] = self.spec["presets"]
        return found

    @property
    def preset(self) -> str:
        """The one that stands for the values of now; empty: none does."""
        named = {name for values in self.presets.values() for name in values}
        for name, values in self.presets.items():
            if all(self.value(n) == {**self.defaults, **values}[n] for n in named if n in self.defaults):
                return name
        return ""

    def apply_preset(self, name: str) -> None:
        """What it says; what only other presets speak of has its default again. Seed and scale stay."""
        for other in self.presets.values():
            for setting in other:
                self._values.pop(setting, None)
        for setting, value in self.presets[name].items():
            self.set_value(setting, value)

    def take(self, settings: Mapping[str, Any]) -> None:
        """The values of a recipe."""
        name = settings.get("pipeline")
        if name in self._pipelines:
            self.choose_pipeline(str(name))
        self._values = {}
        for setting, value in self._fitting(settings).items():
            self.set_value(setting, value)

    def wish(self) -> Wish:
        values = {n: v for n, v in self._values.items() if n != SCALE or not self.in_place}
        return Wish(self.pipeline, "", values, self.output, self.source)

    def _fitting(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Those that this version of the pipeline knows and allows."""
        known = {s.name: s for s in self.settings}
        fitting = {n: v for n, v in values.items() if n in known and _allowed(known[n], v)}
        seed = values.get(SEED)
        if type(seed) is int and 0 <= seed <= SEED_MOST:
            fitting[SEED] = seed
        if not self.in_place and values.get(SCALE) in self.spec["output_scales"]:
            fitting[SCALE] = values[SCALE]
        return fitting

    # -- from run to run ---------------------------------------------------------------------------

    def remember(self) -> dict[str, Any]:
        """What the next run begins with. What this dialog did not ask for stays as it was remembered."""
        self._remembered[self.pipeline] = dict(self._values)
        return {
            "pipeline": self.pipeline,
            "values": self._remembered,
            "output": self._asked_output,
            "source": self._asked_source,
            "preview": self.preview,
        }

    def choose_output(self, output: str) -> None:
        """As the person says; `output` alone is set where a dialog has only one."""
        self.output = self._asked_output = output

    def choose_source(self, source: str) -> None:
        self.source = self._asked_source = source

    def _take_remembered(self, found: Mapping[str, Any]) -> None:
        values = found.get("values")
        if isinstance(values, Mapping):
            self._remembered = {str(k): dict(v) for k, v in values.items() if isinstance(v, Mapping)}
        self.output = found["output"] if found.get("output") in OUTPUTS else self.output
        self.source = found["source"] if found.get("source") in SOURCES else self.source
        self._asked_output, self._asked_source = self.output, self.source
        self.preview = bool(found.get("preview", True))


def _setting(found: Mapping[str, Any]) -> Setting:
    """What a newer Safelight says of it besides is passed over."""
    known = {field.name: found[field.name] for field in fields(Setting)}
    return Setting(**{**known, "choices": tuple(found["choices"])})


def _allowed(setting: Setting, value: Any) -> bool:
    if setting.type == "bool":
        return isinstance(value, bool)
    if setting.type in ("int", "float"):
        whole = isinstance(value, int) or setting.type == "float"
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not whole:
            return False
        low = setting.minimum if setting.minimum is not None else value
        high = setting.maximum if setting.maximum is not None else value
        return low <= value <= high
    return isinstance(value, str) and (not setting.choices or value in setting.choices)


def read_remembered(path: Path) -> dict[str, Any]:
    """Of the last run; empty where there is none."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def write_remembered(path: Path, remembered: Mapping[str, Any]) -> None:
    """In one step; a folder that cannot be written to is no reason to fail."""
    fresh = path.with_name(path.name + ".new")
    try:
        fresh.write_text(json.dumps(remembered, indent=1), encoding="utf-8")
        fresh.replace(path)
    except OSError:
        return
