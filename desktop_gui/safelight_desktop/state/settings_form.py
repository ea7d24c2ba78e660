"""What the next run will use: pipeline, output scale, and the values a person chose."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from PySide6.QtCore import QObject, QRandomGenerator, Signal

from safelight.client.restoration import Installed
from safelight.settings import (
    COMMON,
    DEFAULT_SEED,
    RestoreSettings,
    default_settings,
    preset_values,
)
from safelight.spec import PipelineSpec, SettingSpec, SettingValue

LIVE = frozenset({"strength", "detail", "colour", "grain", "monochrome", "feather"})
"""Act after the network: a finished rendition takes them without another run."""

SEEDS = 1_000_000_000  # that can be told on the telephone


@dataclass(frozen=True)
class Recipe:
    """What the next run will use."""

    pipeline: str
    output_scale: int
    seed: int
    preset: str
    values: Mapping[str, SettingValue]
    """Those that a person chose."""


class SettingsForm(QObject):
    """Values that were not chosen follow the defaults, which depend on pipeline and output scale."""

    pipelines_changed = Signal()
    pipeline_changed = Signal()
    values_changed = Signal(str)
    """One setting by name; empty: several."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.pipelines: list[Installed] = []
        self.pipeline: Installed | None = None
        self.output_scale = 1
        self.seed = DEFAULT_SEED
        self.preset = ""
        """Name of the preset the values came from; empty where they were changed since."""
        self._chosen: dict[str, SettingValue] = {}
        self._awaited = ""
        """Pipeline of a recipe that came before the daemon had said what there is."""

    def take_pipelines(self, pipelines: list[Installed], default: str) -> None:
        """What the daemon offers; the pipeline stays where it is still there."""
        self.pipelines = pipelines
        wanted = self._awaited or (self.pipeline.spec.id if self.pipeline else default)
        found = {p.spec.id: p for p in pipelines}
        self.pipelines_changed.emit()
        if found:
            self._awaited = ""
            self._use(found.get(wanted) or found.get(default) or pipelines[0])

    def choose_pipeline(self, pipeline_id: str) -> None:
        """Keeps the chosen values that the other pipeline knows as well."""
        for installed in self.pipelines:
            if installed.spec.id == pipeline_id:
                self._use(installed)

    def choose_scale(self, scale: int) -> None:
        if scale != self.output_scale:
            self.output_scale = scale
            self.values_changed.emit("")

    def choose_seed(self, seed: int) -> None:
        if seed != self.seed:
            self.seed = seed
            self.values_changed.emit("seed")

    @property
    def tiles(self) -> dict[str, int]:
        """The settings for the sides of tiles, with the sides in use; empty for pipelines without such settings."""
        if self.spec is None:
            return {}
        chosen = {f"{stage}_tile": tiling.tile for stage, tiling in self.spec.stages.items()}
        known = {n: side for n, side in chosen.items() if self.spec.setting(n) is not None}
        return {n: int(self.value(n)) or side for n, side in known.items()}

    def halve_tiles(self) -> None:
        """Where memory was short; never below what the pipeline's stages bear."""
        if self.spec is None:
            return
        for name, side in self.tiles.items():
            tiling = self.spec.stages[name.removesuffix("_tile")]
            half = max(tiling.least_tile, side // 2 // tiling.multiple * tiling.multiple)
            self.choose(name, half)

    def new_seed(self) -> None:
        """Other noise: another rendition of the same settings."""
        self.choose_seed(QRandomGenerator.global_().bounded(SEEDS))

    @property
    def spec(self) -> PipelineSpec | None:
        return self.pipeline.spec if self.pipeline else None

    @property
    def settings_specs(self) -> tuple[SettingSpec, ...]:
        """Common ones, then the pipeline's own."""
        return (*COMMON, *self.spec.settings) if self.spec else ()

    def value(self, name: str) -> SettingValue:
        """Chosen or default."""
        return self._chosen[name] if name in self._chosen else self.default(name)

    def default(self, name: str) -> SettingValue:
        if self.spec is None:
            raise KeyError(name)
        return default_settings(self.spec, in_place=self.output_scale == 1).as_values()[name]

    def chosen(self, name: str) -> bool:
        """Whether a person chose it."""
        return name in self._chosen

    @property
    def chosen_values(self) -> dict[str, SettingValue]:
        return dict(self._chosen)

    def choose(self, name: str, value: SettingValue) -> None:
        if name in self._chosen and self._chosen[name] == value:
            return
        self._chosen[name] = value
        self.preset = ""
        self.values_changed.emit(name)

    def reset(self, name: str) -> None:
        """Back to the default."""
        if self._chosen.pop(name, None) is not None:
            self.preset = ""
            self.values_changed.emit(name)

    def apply_preset(self, name: str, own: Mapping[str, SettingValue] | None = None) -> None:
        """A preset of the daemon, or with `own` one of the person's: all values it does not name go back."""
        if self.spec is None:
            return
        values = own if own is not None else preset_values(self.spec, name)
        self._chosen = {n: v for n, v in values.items() if n in self._known_names()}
        self.preset = name
        self.values_changed.emit("")

    def take_settings(self, settings: RestoreSettings) -> None:
        """Those of a finished rendition."""
        self.choose_pipeline(settings.pipeline)
        values = settings.as_values()
        self.output_scale, self.seed = settings.output_scale, settings.seed
        known = self._known_names()
        self._chosen = {n: v for n, v in values.items() if n in known and v != self.default(n)}
        self.preset = ""
        self.values_changed.emit("")

    def recipe(self) -> Recipe:
        """All of it, to be kept."""
        pipeline = self._awaited or (self.spec.id if self.spec else "")
        return Recipe(pipeline, self.output_scale, self.seed, self.preset, self.chosen_values)

    def take_recipe(self, recipe: Recipe) -> None:
        """An earlier one again, as far as its pipeline is known here."""
        self.output_scale, self.seed, self.preset = recipe.output_scale, recipe.seed, recipe.preset
        self._chosen = dict(recipe.values)
        if self.pipelines:
            self.choose_pipeline(recipe.pipeline)
        else:
            self._awaited = recipe.pipeline
        self.values_changed.emit("")

    def settings(self) -> RestoreSettings:
        """For a job; raises InvalidRequest for a bad value."""
        if self.spec is None:
            raise RuntimeError("no pipeline is known yet")
        return self.settings_for(self.spec)

    def settings_for(self, spec: PipelineSpec) -> RestoreSettings:
        """As far as another pipeline knows what was chosen; raises InvalidRequest."""
        plain = default_settings(spec, in_place=self.output_scale == 1)
        known = _names(spec)
        values = {n: v for n, v in self._chosen.items() if n in known}
        return replace(plain, output_scale=self.output_scale, seed=self.seed).with_values(spec, values)

    def _known_names(self) -> frozenset[str]:
        return _names(self.spec) if self.spec else frozenset()

    def _use(self, installed: Installed) -> None:
        self.pipeline = installed
        if self.output_scale not in installed.spec.output_scales:
            self.output_scale = installed.spec.output_scales[0]
        self.pipeline_changed.emit()


def _names(spec: PipelineSpec) -> frozenset[str]:
    return frozenset(s.name for s in (*COMMON, *spec.settings))
