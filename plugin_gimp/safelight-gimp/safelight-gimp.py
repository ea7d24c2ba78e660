#!/usr/bin/env python3
"""Safelight's procedures in GIMP 3: their names, arguments and menu entries. What they do is in the modules beside.

GIMP starts this file anew for every call, in its own Python, so nothing else than the standard library and gi is
imported here and in the modules, and nothing that needs a screen before it is known that there is one.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import gimp_arguments as arguments
from gimp_api import Gegl, Gimp
from gimp_errors import outcome
from texts import DOMAIN, _

RESTORE, REDO, UPSCALE = "plug-in-safelight-restore", "plug-in-safelight-redo", "plug-in-safelight-upscale"
MENU = "<Image>/Filters/Enhance"
AUTHORS = "The Safelight developers"


class Safelight(Gimp.PlugIn):  # type: ignore[misc]
    def do_set_i18n(self, name: str) -> tuple[bool, str, None]:
        return True, DOMAIN, None

    def do_query_procedures(self) -> list[str]:
        return [RESTORE, REDO, UPSCALE]

    def do_create_procedure(self, name: str) -> Gimp.Procedure:
        return {RESTORE: _restore, REDO: _redo, UPSCALE: _upscale}[name](self)


def _restore(plug_in: Gimp.PlugIn) -> Gimp.Procedure:
    procedure = _procedure(
        plug_in,
        RESTORE,
        _("Restore Re_gion (Safelight)..."),
        _("Restore the selection, or the whole layer, with a super-resolution network"),
        _(
            "Sends the selected pixels and their surroundings to Safelight's daemon and puts the restored ones into a "
            "new layer with a mask, into the layer itself, or into a new image."
        ),
    )
    arguments.add_settings(procedure)
    arguments.add_output(procedure)
    arguments.add_source(procedure)
    arguments.add_scale(procedure, 0, _("1, 2 or 4, for a new image; 0: 2 there"))
    return procedure


def _redo(plug_in: Gimp.PlugIn) -> Gimp.Procedure:
    procedure = _procedure(
        plug_in,
        REDO,
        _("Redo with _Other Settings (Safelight)..."),
        _("Restore again what a layer made by Safelight shows, with other settings"),
        _(
            "Takes the recipe that the layer carries and changes what the arguments say. Where only strength, detail "
            "or colour change, the network does not run again."
        ),
    )
    arguments.add_settings(procedure)
    return procedure


def _upscale(plug_in: Gimp.PlugIn) -> Gimp.Procedure:
    procedure = _procedure(
        plug_in,
        UPSCALE,
        _("Upsca_le Image (Safelight)..."),
        _("Enlarge the whole image with a super-resolution network"),
        _("Makes a new image from all visible layers, with guides, resolution, metadata and colour profile."),
    )
    arguments.add_settings(procedure)
    arguments.add_scale(procedure, 2, _("2 or 4"))
    return procedure


def _procedure(plug_in: Gimp.PlugIn, name: str, menu_label: str, blurb: str, text: str) -> Gimp.Procedure:
    procedure = Gimp.ImageProcedure.new(plug_in, name, Gimp.PDBProcType.PLUGIN, _run, None)
    procedure.set_image_types("*")
    procedure.set_sensitivity_mask(Gimp.ProcedureSensitivityMask.DRAWABLE)
    procedure.set_menu_label(menu_label)
    procedure.add_menu_path(MENU)
    procedure.set_documentation(blurb, text, name)
    procedure.set_attribution(AUTHORS, f"{AUTHORS}, Apache-2.0", "2026")
    procedure.add_layer_return_value("layer", _("Layer"), _("The restored layer"), False, arguments.READWRITE)
    return procedure


def _run(
    procedure: Gimp.Procedure,
    run_mode: Gimp.RunMode,
    image: Gimp.Image,
    drawables: list[Any],
    config: Any,
    data: Any,
) -> Gimp.ValueArray:
    def run() -> Gimp.Layer | None:
        import gimp_runs

        Gegl.init(None)
        runs: dict[str, Callable[..., Gimp.Layer | None]] = {
            RESTORE: gimp_runs.restore,
            REDO: gimp_runs.redo,
            UPSCALE: gimp_runs.upscale,
        }
        return runs[procedure.get_name()](run_mode, image, drawables, config)

    return outcome(procedure, run)


if __name__ == "__main__":
    Gimp.main(Safelight.__gtype__, sys.argv)
