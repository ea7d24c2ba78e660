#!/usr/bin/env python3
"""Safelight's procedures in GIMP 3: their names, arguments and menu entries. What they do is in the modules beside.

GIMP starts this file anew for every call, in its own Python, so nothing else than the standard library and gi is
imported here and in the modules, and nothing that needs a screen before it is known that there is one.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from gimp_api import Gegl, Gimp, GLib, GObject
from gimp_errors import outcome
from texts import DOMAIN, _

RESTORE, REDO, UPSCALE = "plug-in-safelight-restore", "plug-in-safelight-redo", "plug-in-safelight-upscale"
READWRITE = GObject.ParamFlags.READWRITE
DEFAULT = -1  # of numbers: as the preset or the pipeline says
SEED_MOST = 2**31 - 1  # GIMP's own integers; larger ones go through `settings`


class Safelight(Gimp.PlugIn):  # type: ignore[misc]
    def do_set_i18n(self, name: str) -> tuple[bool, str, None]:
        return True, DOMAIN, None

    def do_query_procedures(self) -> list[str]:
        return [RESTORE]

    def do_create_procedure(self, name: str) -> Gimp.Procedure:
        makers: dict[str, Callable[[Gimp.PlugIn], Gimp.Procedure]] = {RESTORE: _restore_procedure}
        return makers[name](self)


def _restore_procedure(plug_in: Gimp.PlugIn) -> Gimp.Procedure:
    procedure = _procedure(plug_in, RESTORE, _run_restore)
    procedure.set_menu_label(_("Restore Re_gion (Safelight)..."))
    procedure.add_menu_path("<Image>/Filters/Enhance")
    procedure.set_documentation(
        _("Restore the selection, or the whole layer, with a super-resolution network"),
        _(
            "Sends the selected pixels and their surroundings to Safelight's daemon on this machine and puts the "
            "restored ones into a new layer with a mask, into the layer itself, or into a new image."
        ),
        RESTORE,
    )
    _add_settings(procedure)
    _add_choice(
        procedure, "output", _("Result"),
        (("layer", _("New layer with a mask")), ("replace", _("Replace the pixels")), ("image", _("New image"))),
    )  # fmt: skip
    _add_choice(
        procedure, "source", _("Source"), (("layer", _("This layer")), ("visible", _("All visible layers")))
    )
    procedure.add_int_argument(
        "scale", _("Scale"), _("1, 2 or 4; 0: 1, or 2 for a new image"), 0, 4, 0, READWRITE
    )
    return procedure


def _procedure(plug_in: Gimp.PlugIn, name: str, run: Callable[..., Any]) -> Gimp.Procedure:
    procedure = Gimp.ImageProcedure.new(plug_in, name, Gimp.PDBProcType.PLUGIN, run, None)
    procedure.set_image_types("*")
    procedure.set_sensitivity_mask(Gimp.ProcedureSensitivityMask.DRAWABLE)
    procedure.set_attribution("The Safelight developers", "The Safelight developers, Apache-2.0", "2026")
    procedure.add_layer_return_value("layer", _("Layer"), _("The restored layer"), False, READWRITE)
    return procedure


def _add_settings(procedure: Gimp.Procedure) -> None:
    """What every pipeline has; its own settings travel as JSON, because they are known to the daemon only."""
    procedure.add_string_argument(
        "pipeline",
        _("Pipeline"),
        _("Its id, as `safelight pipelines` lists them; empty: the default"),
        "",
        READWRITE,
    )
    procedure.add_string_argument("preset", _("Preset"), _("Its name; empty: none"), "", READWRITE)
    for name, nick, blurb, most in (
        ("strength", _("Strength"), _("How much of the restoration is applied"), 1),
        ("detail", _("Detail"), _("Weight of the finest detail within strength"), 1),
        ("colour", _("Colour"), _("Weight of large-area colour as the network sees it"), 1),
        ("working-scale", _("Working scale"), _("How large the network sees the region; 0 chooses"), 4),
    ):
        blurb = f"{blurb}; {_('-1: as the preset or the pipeline says')}"
        procedure.add_double_argument(name, nick, blurb, DEFAULT, most, DEFAULT, READWRITE)
    procedure.add_int_argument(
        "seed", _("Seed"), _("Seed of all noise; -1: the default"), DEFAULT, SEED_MOST, DEFAULT, READWRITE
    )
    procedure.add_string_argument(
        "settings", _("Settings"), _("A JSON object with any other settings by name"), "", READWRITE
    )


def _add_choice(
    procedure: Gimp.Procedure, name: str, nick: str, choices: tuple[tuple[str, str], ...]
) -> None:
    choice = Gimp.Choice.new()
    for number, (word, label) in enumerate(choices):
        choice.add(word, number, label, "")
    procedure.add_choice_argument(name, nick, nick, choice, choices[0][0], READWRITE)


def _run_restore(
    procedure: Gimp.Procedure,
    run_mode: Gimp.RunMode,
    image: Gimp.Image,
    drawables: list[Any],
    config: Any,
    data: Any,
) -> Gimp.ValueArray:
    Gegl.init(None)

    def run() -> Gimp.Layer:
        from gimp_restore import restore

        return restore(run_mode, image, drawables, config)

    return outcome(procedure, run)


if __name__ == "__main__":
    GLib.set_prgname("safelight-gimp")
    Gimp.main(Safelight.__gtype__, sys.argv)
