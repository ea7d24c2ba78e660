"""The dialog: what to restore with, how, and what it will look like. Drawn from what the daemon says of itself.

It opens at once and fills when the daemon has answered. Everything it asks is asked in conversations, so that it
never stands still; the image is only read.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bridge_process import BridgeProcess
from choices import LIVE, OUTPUTS, SOURCES, Choices, read_remembered, write_remembered
from errors import SafelightError
from flow import Ask, Conversation, Talk
from geometry import Rect
from gimp_api import Gimp, GLib
from gimp_dialog_page import Page
from gimp_install import install
from gimp_loop import start
from gimp_previewing import KEY, Previewing
from gimp_source import Source, blends, opened
from gimp_ui import GimpUi, Gtk
from job import Wish
from latest import Latest
from recipe import Recipe
from sentences import sentence
from texts import N_, _
from words import estimate

REMEMBERED = "safelight.json"
SETTLE_MS = 250  # typing and dragging pause that long before something slow begins
PULSE_MS = 120
SMALL_PX = 64


@dataclass(frozen=True)
class Kind:
    """What a dialog is for."""

    title: str
    output: str = ""
    """Empty: the person chooses."""
    whole: bool = False
    """The whole image, whatever is selected."""
    recipe: Recipe | None = None
    under: Gimp.Layer | None = None
    mask_stays: bool = False
    """The layer keeps its mask: somebody has painted it, or it cannot be made again."""

    @property
    def hidden(self) -> set[str]:
        """Settings that do nothing here."""
        return {"feather"} if self.mask_stays or self.whole else set()


RESTORE = Kind(N_("Restore Region"))
UPSCALE = Kind(N_("Upscale Image"), output="image", whole=True)


class Dialog:
    """One run of the dialog. `ask` gives the wish, or None when the person changed their mind."""

    def __init__(self, process: BridgeProcess, image: Gimp.Image, layer: Gimp.Layer, kind: Kind) -> None:
        self._process, self._image, self._layer, self._kind = process, image, layer, kind
        self._memory = Path(Gimp.directory()) / REMEMBERED
        self._choices: Choices | None = None
        self._page: Page | None = None
        self._sources = ExitStack()
        self._source: Source | None = None
        self._talks: list[Talk] = []
        self._estimate = Latest(self._start, self._estimated)
        self._preview: Previewing | None = None
        self._preloaded = ""
        self._loop = GLib.MainLoop()
        self._fault: Exception | None = None
        self._timer = self._pulse = 0
        self._dialog = self._window()

    def ask(self) -> Wish | None:
        """Runs until it is closed."""
        self._talk(self._listed(), self._fill)
        loop = self._loop
        answers: list[int] = []

        def answered(dialog: Gtk.Dialog, response: int) -> None:
            if response == Gtk.ResponseType.REJECT:
                self._reset()
                return
            answers.append(response)
            loop.quit()

        self._dialog.connect("response", answered)
        self._dialog.show()
        loop.run()
        wish = None
        if self._fault is not None:
            self._close()
            raise self._fault
        if answers[0] == Gtk.ResponseType.OK and self._choices is not None:
            write_remembered(self._memory, self._choices.remember())
            wish = self._choices.wish()
        self._close()
        return wish

    # -- the window --------------------------------------------------------------------------------

    def _window(self) -> GimpUi.Dialog:
        dialog = GimpUi.Dialog(title=f"{_(self._kind.title)} (Safelight)", role="safelight")
        for text, response in (
            (_("Rese_t"), Gtk.ResponseType.REJECT),
            (_("_Cancel"), Gtk.ResponseType.CANCEL),
            (_("_Restore"), Gtk.ResponseType.OK),
        ):
            dialog.add_button(text, response)
        dialog.set_default_response(Gtk.ResponseType.OK)
        dialog.set_response_sensitive(Gtk.ResponseType.OK, False)
        GimpUi.window_set_transient(dialog)
        self._page = Page(self._chosen, self._moved, self._rested, self._install)
        dialog.get_content_area().pack_start(self._page.widget, True, True, 0)
        self._page.say(_("Starting Safelight..."))
        self._pulse = GLib.timeout_add(PULSE_MS, self._page.pulse)
        return dialog

    def _close(self) -> None:
        for timer in (self._timer, self._pulse):
            if timer:
                GLib.source_remove(timer)
        self._timer = self._pulse = 0
        self._estimate.stop()
        if self._preview is not None:
            self._preview.open(None)
        for talk in self._talks:
            talk.cancel()
        self._process.request("forget", {"key": KEY})
        self._sources.close()
        self._dialog.destroy()

    def _fill(self, listing: dict[str, Any]) -> None:
        """The daemon has answered."""
        assert self._page is not None
        if self._choices is None:
            self._choices = Choices(listing, remembered=read_remembered(self._memory))
            if self._kind.output:
                self._choices.output = self._kind.output
            if self._kind.whole:
                self._choices.source = "visible"
            if self._kind.recipe is not None:
                self._choices.source = self._kind.recipe.source
                self._choices.take(self._kind.recipe.settings)
            self._preview = Previewing(self._start, self._page, self._choices, self._failed, self._measured)
        else:
            self._choices.renew(listing)
        self._page.busy(False)
        self._page.say("")
        self._page.draw(
            self._choices,
            choose_output=not self._kind.output,
            choose_source=not (self._kind.whole or self._kind.recipe),
            hidden=self._kind.hidden,
        )
        self._open_source()
        self._refresh()
        self._dialog.get_widget_for_response(Gtk.ResponseType.OK).grab_focus()

    # -- what the person does ----------------------------------------------------------------------

    def _chosen(self, what: str, value: Any) -> None:
        """`what` is pipeline, preset, output, source, preview or a setting's name."""
        choices, page = self._choices, self._page
        assert choices is not None
        assert page is not None
        redraw = what in ("pipeline", "output")
        if what == "pipeline":
            choices.choose_pipeline(value)
        elif what == "preset":
            choices.apply_preset(value)
        elif what == "output" and value in OUTPUTS:
            choices.choose_output(value)
        elif what == "source" and value in SOURCES:
            choices.choose_source(value)
            self._open_source()
        elif what == "preview":
            choices.preview = bool(value)
        else:
            choices.set_value(what, value)
        if redraw:
            page.redraw_settings()
        else:
            page.show_values()
        if what in LIVE and self._preview is not None:
            self._preview.refresh()
        else:
            self._settle()

    def _reset(self) -> None:
        if self._choices is not None and self._page is not None:
            self._choices.reset()
            self._page.show_values()
            self._refresh()

    def _moved(self, dx: int, dy: int) -> None:
        if self._preview is not None:
            self._preview.move(dx, dy)

    def _rested(self) -> None:
        if self._preview is not None:
            self._preview.refresh()

    def _install(self) -> None:
        assert self._choices is not None
        if install(self._process, self._choices.spec, self._dialog):
            self._talk(self._listed(), self._fill)

    # -- what is asked -----------------------------------------------------------------------------

    def _listed(self) -> Conversation:
        return (yield Ask("pipelines"))

    def _settle(self) -> None:
        if self._timer:
            GLib.source_remove(self._timer)
        self._timer = GLib.timeout_add(SETTLE_MS, self._settled)

    def _settled(self) -> bool:
        self._timer = 0
        self._refresh()
        return bool(GLib.SOURCE_REMOVE)

    def _refresh(self) -> None:
        """After anything that changes more than the blending."""
        choices, page, preview = self._choices, self._page, self._preview
        assert choices is not None
        assert page is not None
        assert preview is not None
        spec = choices.spec
        self._dialog.set_response_sensitive(
            Gtk.ResponseType.OK, bool(spec["installed"]) and self._source is not None
        )
        if self._source is None:
            return
        if not spec["installed"]:
            preview.stop()
            page.say(_("{pipeline} is not installed.").format(pipeline=spec["title"]))
            return
        self._estimate.ask(self._planned, None)
        if self._preloaded != choices.pipeline:
            self._preloaded = choices.pipeline
            self._talk(_preloaded(choices.pipeline), lambda _: None)
        preview.show_before()
        preview.refresh()

    def _planned(self) -> Conversation:
        assert self._choices is not None
        assert self._source is not None
        wish, source = self._choices.wish(), self._source
        return (
            yield Ask(
                "plan",
                {
                    "pipeline": wish.pipeline,
                    "document": list(source.document),
                    "region": list(source.region),
                    **wish.asked(),
                },
            )
        )

    def _estimated(self, plan: Any, error: Exception | None) -> None:
        assert self._page is not None
        if error is not None:
            self._failed(error)
        else:
            self._page.suggest("working_scale", plan["working_scale"])
            self._page.say_estimate(estimate(plan["seconds"], plan["memory_bytes"]) + self._warning())

    def _measured(self) -> None:
        """A preview says how long the whole will take."""
        if not self._estimate.busy:
            self._estimate.ask(self._planned, None)

    def _warning(self) -> str:
        """What the person should know before it is done."""
        choices, source = self._choices, self._source
        assert choices is not None
        if source is None:
            return ""
        told = []
        if choices.spec["generative"] and min(source.region[2:]) < SMALL_PX:
            told.append(_("The selection is small: details will be invented, and letters may change."))
        blended = source.kind == "layer" and blends(source.item)
        if blended and choices.output == "layer" and self._kind.recipe is None:
            told.append(
                _("The layer's mode or opacity would act twice: Replace the pixels keeps how it looks.")
            )
        return "".join(f"\n{sentence}" for sentence in told)

    def _open_source(self) -> None:
        """What the preview shows; told as an error where there is nothing to restore."""
        assert self._choices is not None
        assert self._page is not None
        assert self._preview is not None
        self._preview.open(None)
        self._sources.close()
        self._source = None
        region = self._kind.recipe.region if self._kind.recipe else None
        if self._kind.whole:
            region = Rect(0, 0, self._image.get_width(), self._image.get_height())
        try:
            self._source = self._sources.enter_context(
                opened(self._image, self._layer, self._choices.source, region=region, under=self._kind.under)
            )
        except SafelightError as error:
            self._page.say_error(sentence(error))
            return
        self._preview.open(self._source)

    # -- conversations -----------------------------------------------------------------------------

    def _start(self, conversation: Conversation, on_end: Callable[[Any, Exception | None], None]) -> Talk:
        return start(self._process, conversation, on_end)

    def _talk(self, conversation: Conversation, on_result: Callable[[Any], None]) -> None:
        def end(outcome: Any, error: Exception | None) -> None:
            if error is None:
                on_result(outcome)
            else:
                self._failed(error)

        self._talks.append(self._start(conversation, end))

    def _failed(self, error: Exception) -> None:
        """Told in the dialog, which stays open; our own bugs end it."""
        assert self._page is not None
        if not isinstance(error, SafelightError):
            self._fault = error
            self._loop.quit()
        elif error.reason != "CANCELLED":
            self._page.busy(False)
            self._page.say_error(sentence(error))


def _preloaded(pipeline: str) -> Conversation:
    """So that it is loaded when the person has made up their mind."""
    return (yield Ask("preload", {"pipeline": pipeline}))
