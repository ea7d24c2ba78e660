"""Arguments of the procedures: declared for GIMP, and read into what a job is told."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from errors import SafelightError
from gimp_api import Gimp, GObject
from job import Wish
from texts import N_, _

READWRITE = GObject.ParamFlags.READWRITE
UNSET = -1  # of numbers: as the preset or the pipeline says
SEED_MOST = 2**31 - 1  # GIMP's own integers; larger ones go through `settings`
_NUMBERS = ("strength", "detail", "colour", "working-scale", "seed")


def add_settings(procedure: Gimp.Procedure) -> None:
    """What every pipeline has; its own settings travel as JSON, because only the daemon knows them."""
    procedure.add_string_argument(
        "pipeline",
        _("Pipeline"),
        _("Its id, as safelight pipelines lists them; empty: the default"),
        "",
        READWRITE,
    )
    procedure.add_string_argument("preset", _("Preset"), _("Its name; empty: none"), "", READWRITE)
    unset = _("-1: as the preset or the pipeline says")
    for name, nick, blurb, most in (
        ("strength", _("Strength"), _("How much of the restoration is applied"), 1),
        ("detail", _("Detail"), _("Weight of the finest detail within strength"), 1),
        ("colour", _("Colour"), _("Weight of large-area colour as the network sees it"), 1),
        ("working-scale", _("Working scale"), _("How large the network sees the region; 0 chooses"), 4),
    ):
        procedure.add_double_argument(name, nick, f"{blurb}; {unset}", UNSET, most, UNSET, READWRITE)
    procedure.add_int_argument(
        "seed", _("Seed"), f"{_('Seed of all noise')}; {unset}", UNSET, SEED_MOST, UNSET, READWRITE
    )
    procedure.add_string_argument(
        "settings", _("Settings"), _("A JSON object with any other settings by name"), "", READWRITE
    )


def add_output(procedure: Gimp.Procedure) -> None:
    _add_choice(
        procedure,
        "output",
        _("Result"),
        (
            ("layer", _("New layer with a mask")),
            ("replace", _("Replace the pixels")),
            ("image", _("New image")),
        ),
    )


def add_source(procedure: Gimp.Procedure, default: str = "layer") -> None:
    choices = (("layer", _("This layer")), ("visible", _("All visible layers")))
    _add_choice(procedure, "source", _("Source"), choices, default)


def add_scale(procedure: Gimp.Procedure, default: int, blurb: str) -> None:
    procedure.add_int_argument("scale", _("Scale"), blurb, 0, 4, default, READWRITE)


def _add_choice(
    procedure: Gimp.Procedure, name: str, nick: str, choices: tuple[tuple[str, str], ...], default: str = ""
) -> None:
    choice = Gimp.Choice.new()
    for number, (word, label) in enumerate(choices):
        choice.add(word, number, label, "")
    procedure.add_choice_argument(name, nick, nick, choice, default or choices[0][0], READWRITE)


def wish_of(config: Any, *, output: str = "", source: str = "") -> Wish:
    """What the arguments ask for; `output` and `source` where the procedure has no argument for them. Raises
    SafelightError for settings that are no JSON object."""
    values = dict(_own_settings(config.get_property("settings") or ""))
    for name in _NUMBERS:
        number = config.get_property(name)
        if number >= 0:
            values[name.replace("-", "_")] = number
    if "scale" in _names(config) and (scale := config.get_property("scale")):
        values["output_scale"] = scale
    return Wish(
        pipeline=config.get_property("pipeline") or "",
        preset=config.get_property("preset") or "",
        values=values,
        output=output or config.get_property("output"),
        source=source or config.get_property("source"),
    )


def keep_wish(config: Any, wish: Wish) -> None:
    """As arguments, so that Filters > Repeat does the same again."""
    own = {
        n: v for n, v in wish.values.items() if n.replace("_", "-") not in _NUMBERS and n != "output_scale"
    }
    if wish.values.get("seed", 0) > SEED_MOST:
        own["seed"] = wish.values["seed"]
    config.set_property("pipeline", wish.pipeline)
    config.set_property("preset", wish.preset)
    config.set_property("settings", json.dumps(own) if own else "")
    for name in _NUMBERS:
        value = wish.values.get(name.replace("-", "_"), UNSET)
        config.set_property(name, value if name != "seed" or value <= SEED_MOST else UNSET)
    for name, value in (
        ("output", wish.output),
        ("source", wish.source),
        ("scale", wish.values.get("output_scale", 0)),
    ):
        if name in _names(config):
            config.set_property(name, value)


def _names(config: Any) -> set[str]:
    return {spec.name for spec in config.list_properties()}


def _own_settings(text: str) -> Mapping[str, Any]:
    try:
        found = json.loads(text) if text.strip() else {}
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise SafelightError(
            "SETTINGS_FORM",
            N_('The argument settings is no JSON object: give one such as {"prompt": "a portrait"}.'),
        )
    return found
