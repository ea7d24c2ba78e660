"""What each procedure does, with a dialog where somebody sits before the screen."""

from __future__ import annotations

from typing import Any

from bridge_process import BridgeProcess
from errors import SafelightError
from geometry import Rect
from gimp_api import Gimp
from gimp_arguments import keep_wish, wish_of
from gimp_job import run_job
from gimp_loop import bridge
from gimp_result import add_layer, mask_renewable, new_image, renew_layer, replace_pixels
from gimp_source import layer_of, opened, require_changeable
from job import Wish
from recipe import PARASITE, Recipe, read_recipe
from texts import N_, _


def restore(
    run_mode: Gimp.RunMode, image: Gimp.Image, drawables: list[Any], config: Any
) -> Gimp.Layer | None:
    layer, interactive = layer_of(image, drawables), run_mode != Gimp.RunMode.NONINTERACTIVE
    with bridge() as process:
        wish: Wish | None = wish_of(config)
        if run_mode == Gimp.RunMode.INTERACTIVE:
            from gimp_dialog import RESTORE

            wish = _asked(process, image, layer, RESTORE)
        if wish is None or not _possible(image, layer, wish, interactive):
            return None
        keep_wish(config, wish)
        with opened(image, layer, wish.source) as source:
            place = {
                "layer": add_layer,
                "replace": replace_pixels,
                "image": lambda source, result: new_image(source, result, show=interactive),
            }[wish.output]
            return run_job(process, source, wish, place, interactive=interactive)


def upscale(
    run_mode: Gimp.RunMode, image: Gimp.Image, drawables: list[Any], config: Any
) -> Gimp.Layer | None:
    layer, interactive = layer_of(image, drawables), run_mode != Gimp.RunMode.NONINTERACTIVE
    with bridge() as process:
        wish: Wish | None = wish_of(config, output="image", source="visible")
        if run_mode == Gimp.RunMode.INTERACTIVE:
            from gimp_dialog import UPSCALE

            wish = _asked(process, image, layer, UPSCALE)
        if wish is None:
            return None
        keep_wish(config, wish)
        whole = Rect(0, 0, image.get_width(), image.get_height())
        with opened(image, layer, "visible", region=whole) as source:
            return run_job(
                process,
                source,
                wish,
                lambda source, result: new_image(source, result, show=interactive),
                interactive=interactive,
            )


def redo(run_mode: Gimp.RunMode, image: Gimp.Image, drawables: list[Any], config: Any) -> Gimp.Layer | None:
    layer, interactive = layer_of(image, drawables), run_mode != Gimp.RunMode.NONINTERACTIVE
    recipe = _recipe_of(layer)
    require_changeable(layer)
    origin = _origin(image, layer, recipe)
    under = layer if recipe.source == "visible" else None
    with bridge() as process:
        wish: Wish | None = _changed(recipe, wish_of(config, output="layer", source=recipe.source))
        if run_mode == Gimp.RunMode.INTERACTIVE:
            from gimp_dialog import Kind

            kind = Kind(
                N_("Redo with Other Settings"),
                output="layer",
                recipe=recipe,
                under=under,
                mask_stays=not mask_renewable(layer, recipe),
            )
            wish = _asked(process, image, origin, kind)
        if wish is None:
            return None
        keep_wish(config, wish)
        selection = recipe.selection
        with opened(
            image, origin, recipe.source, region=recipe.region, mask=selection, under=under
        ) as source:
            return run_job(
                process,
                source,
                wish,
                lambda source, result: renew_layer(layer, source, result, recipe),
                interactive=interactive,
            )


def _asked(process: BridgeProcess, image: Gimp.Image, layer: Gimp.Layer, kind: Any) -> Wish | None:
    import gimp_ui
    from gimp_dialog import Dialog

    gimp_ui.init()
    wish = Dialog(process, image, layer, kind).ask()
    if wish is not None:
        layer_of(image, [layer])  # time has passed
    return wish


def _possible(image: Gimp.Image, layer: Gimp.Layer, wish: Wish, interactive: bool) -> bool:
    """Before anything is computed; False: a person did not want what it takes."""
    if wish.output == "replace":
        require_changeable(layer)
        if wish.source == "visible":
            raise SafelightError(
                "REPLACE_VISIBLE",
                N_(
                    "What all visible layers show cannot replace one of them: choose a new layer as the result."
                ),
            )
    if wish.output != "image" and image.get_base_type() == Gimp.ImageBaseType.INDEXED:
        if interactive:
            return _may_convert()
        raise SafelightError(
            "INDEXED",
            N_(
                "The image has a palette of few colours, which restored pixels do not fit into: convert it first "
                "(Image > Mode > RGB), or choose a new image as the result."
            ),
        )
    return True


def _may_convert() -> bool:
    import gimp_ui
    from gimp_ui import Gtk

    gimp_ui.init()
    dialog = Gtk.MessageDialog(
        message_type=Gtk.MessageType.QUESTION,
        text=_("Convert the image to RGB?"),
        secondary_text=_(
            "It has a palette of few colours, which restored pixels do not fit into. The conversion and the result "
            "are one step of undo."
        ),
    )
    dialog.add_button(_("_Cancel"), Gtk.ResponseType.CANCEL)
    dialog.add_button(_("Convert to _RGB"), Gtk.ResponseType.OK)
    dialog.set_default_response(Gtk.ResponseType.OK)
    answer = dialog.run()
    dialog.destroy()
    return bool(answer == Gtk.ResponseType.OK)


def _recipe_of(layer: Gimp.Layer) -> Recipe:
    found = layer.get_parasite(PARASITE)
    recipe = read_recipe(bytes(found.get_data())) if found is not None else None
    if recipe is None:
        raise SafelightError(
            "NO_RECIPE",
            N_("This layer was not made by Safelight: choose one that was, or use Restore Region."),
        )
    return recipe


def _origin(image: Gimp.Image, layer: Gimp.Layer, recipe: Recipe) -> Gimp.Layer:
    """What the recipe's layer was made from."""
    if recipe.source == "visible":
        return layer
    found = image.get_layer_by_tattoo(recipe.source_item)
    if found is None or found == layer:
        raise SafelightError(
            "SOURCE_GONE",
            N_("The layer from which this one was made is gone: undo its removal, or use Restore Region."),
        )
    return found


def _changed(recipe: Recipe, wish: Wish) -> Wish:
    """The recipe with what the arguments say otherwise; another pipeline begins with its own values."""
    if wish.pipeline not in ("", recipe.settings["pipeline"]) or wish.preset:
        return Wish(
            wish.pipeline or recipe.settings["pipeline"], wish.preset, wish.values, wish.output, wish.source
        )
    kept = {
        name: value for name, value in recipe.settings.items() if name not in ("pipeline", "output_scale")
    }
    return Wish(recipe.settings["pipeline"], "", {**kept, **wish.values}, wish.output, wish.source)
