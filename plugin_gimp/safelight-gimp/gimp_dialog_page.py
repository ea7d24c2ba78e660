"""What the dialog shows: the preview on the left, the controls on the right. It knows no bridge and no image."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any

from choices import OUTPUTS, SCALE, SEED, SEED_MOST, SOURCES, Choices, Setting
from gimp_api import GLib
from gimp_controls import Control, choice, control_for
from gimp_preview import PreviewArea
from gimp_ui import SPACING, WIDE, Gdk, Gtk, label
from texts import N_, _
from words import size, with_mnemonic

OUTPUT_TITLES = {
    "layer": N_("New layer with a mask"),
    "replace": N_("Replace the pixels"),
    "image": N_("New image"),
}
SOURCE_TITLES = {"layer": N_("This layer"), "visible": N_("All visible layers")}
PRESET_TITLES = {
    "faithful": N_("Faithful"),
    "as-the-authors": N_("As the authors"),
    "old-photograph": N_("Old photograph"),
    "film-still": N_("Film still"),
    "crisp": N_("Crisp"),
}
BUTTONS = "rct"  # letters of the dialog's own buttons: Restore, Cancel, Reset
CONTROLS_WIDTH_PX = 400
LABEL_CHARS = 44
STATUS_LINES = 2
SCREEN_SHARE = 0.75
FIRST_HEIGHT_PX = 620  # before the controls are known, so that the window is placed as if they were there

Chosen = Callable[[str, Any], None]


class Page:
    """`on_chosen` gets what was changed and its value; the page itself changes nothing."""

    def __init__(
        self,
        on_chosen: Chosen,
        on_move: Callable[[int, int], None],
        on_rest: Callable[[], None],
        on_install: Callable[[], None],
    ) -> None:
        self._on_chosen, self._on_install = on_chosen, on_install
        self._choices: Choices | None = None
        self._controls: dict[str, Control] = {}
        self._hidden: set[str] = set()
        self._letters: set[str] = set(BUTTONS)
        self._labels = Gtk.SizeGroup(mode=Gtk.SizeGroupMode.HORIZONTAL)
        self.preview = PreviewArea(on_move, on_rest)
        self._status = label(wrap=True)
        self._status.set_max_width_chars(LABEL_CHARS)
        self._status.set_yalign(0.0)
        line_px = self._status.create_pango_layout("X").get_pixel_size().height
        self._status.set_size_request(-1, STATUS_LINES * line_px)  # so that nothing jumps
        self._bar = Gtk.ProgressBar()
        self._busy = True
        self._right = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=WIDE)
        self._right.set_size_request(CONTROLS_WIDTH_PX, -1)
        self._settings = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=WIDE)
        self.widget = self._laid_out()
        self.widget.show_all()

    @property
    def preview_size(self) -> tuple[int, int]:
        """Width and height in pixels of the screen."""
        return self.preview.size

    @property
    def _drawn(self) -> Choices:
        assert self._choices is not None
        return self._choices

    def _laid_out(self) -> Gtk.Box:
        box = Gtk.Box(spacing=WIDE + SPACING, border_width=WIDE)
        left = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=SPACING)
        frame = Gtk.Frame(shadow_type=Gtk.ShadowType.IN)
        frame.add(self.preview.widget)
        left.pack_start(frame, True, True, 0)
        captions = Gtk.Box()
        captions.pack_start(label(_("Before"), dim=True), False, False, 0)
        captions.pack_end(label(_("After"), dim=True), False, False, 0)
        left.pack_start(captions, False, False, 0)
        self._preview_button = Gtk.CheckButton(
            label=with_mnemonic(_("Pre_view"), self._letters), use_underline=True, active=True
        )
        self._preview_handler = self._preview_button.connect(
            "toggled", lambda b: self._on_chosen("preview", b.get_active())
        )
        self._first_letters = frozenset(self._letters)
        row = Gtk.Box(spacing=WIDE)
        row.pack_start(self._preview_button, False, False, 0)
        row.pack_start(self._bar, True, True, 0)
        self._bar.set_valign(Gtk.Align.CENTER)
        left.pack_start(row, False, False, 0)
        left.pack_start(self._status, False, False, 0)
        box.pack_start(left, True, True, 0)
        box.pack_start(self._scrolled(), False, False, 0)
        return box

    def _scrolled(self) -> Gtk.ScrolledWindow:
        """As high as the controls need, but never higher than the screen."""
        self._scroll = Gtk.ScrolledWindow(
            hscrollbar_policy=Gtk.PolicyType.NEVER, propagate_natural_width=True, hexpand=False
        )
        self._scroll.add(self._right)
        self._right.set_focus_vadjustment(self._scroll.get_vadjustment())
        self._scroll.set_min_content_height(min(self._most_height(), FIRST_HEIGHT_PX))
        return self._scroll

    def _fit(self, *_: object) -> None:
        """After the controls have changed."""
        width = max(CONTROLS_WIDTH_PX, self._right.get_allocated_width())
        needed = self._right.get_preferred_height_for_width(width)[1]
        self._scroll.set_min_content_height(min(self._most_height(), needed))

    def _most_height(self) -> int:
        return round(Gdk.Display.get_default().get_monitor(0).get_workarea().height * SCREEN_SHARE)

    # -- what it says ------------------------------------------------------------------------------

    def say(self, text: str) -> None:
        self._status.get_style_context().remove_class("error")
        self._status.set_text(text)

    def say_error(self, text: str) -> None:
        self._status.get_style_context().add_class("error")
        self._status.set_text(text)

    def say_estimate(self, text: str) -> None:
        """What the chosen pipeline costs; empty: nothing is known."""
        self._state.set_text(text)
        self._state.set_visible(bool(text))
        self._fit()

    def suggest(self, name: str, value: Any) -> None:
        """What will be chosen for a setting that is left to us."""
        if name in self._controls:
            self._controls[name].suggest(value)

    def busy(self, on: bool) -> None:
        self._busy = on
        self._bar.set_opacity(1.0 if on else 0.0)

    def pulse(self) -> bool:
        if self._busy:
            self._bar.pulse()
        return True

    # -- drawing -----------------------------------------------------------------------------------

    def draw(self, choices: Choices, *, choose_output: bool, choose_source: bool, hidden: set[str]) -> None:
        """All controls; again when pipelines were installed."""
        self._choices, self._hidden = choices, hidden
        self._letters = set(self._first_letters)
        with self._preview_button.handler_block(self._preview_handler):
            self._preview_button.set_active(choices.preview)
        for child in self._right.get_children():
            self._right.remove(child)
        self._right.pack_start(self._pipeline_part(choices), False, False, 0)
        self._right.pack_start(self._settings, True, True, 0)
        self._right.pack_start(self._result_part(choose_output, choose_source), False, False, 0)
        self.redraw_settings()
        self._right.show_all()
        self._scale_row_visible()

    def redraw_settings(self) -> None:
        """Those of another pipeline."""
        choices = self._drawn
        for child in self._settings.get_children():
            self._settings.remove(child)
        self._controls = {}
        letters = set(self._letters)
        advanced = with_mnemonic(_("_Advanced"), letters)
        settings = [s for s in choices.settings if s.name not in self._hidden]
        grid = _grid()
        self._preset = choice(
            ("", *choices.presets),
            [_("Own values"), *(_(PRESET_TITLES.get(name, name)) for name in choices.presets)],
            lambda name: self._on_chosen("preset", name) if name else None,
        )
        self._add_row(grid, 0, _("Preset"), self._preset, letters)
        for setting in (s for s in settings if not s.advanced):
            self._add_setting(grid, setting, letters)
        self._add_seed(grid, letters)
        self._settings.pack_start(grid, False, False, 0)
        self._settings.pack_start(
            self._advanced_part(advanced, [s for s in settings if s.advanced], letters), False, False, 0
        )
        self._settings.show_all()
        self.show_values()

    def _advanced_part(self, title: str, settings: list[Setting], letters: set[str]) -> Gtk.Expander:
        expander = Gtk.Expander(label=title, use_underline=True)
        grid = _grid()
        grid.set_margin_top(SPACING)
        for setting in settings:
            self._add_setting(grid, setting, letters)
        expander.add(grid)
        expander.connect_after("notify::expanded", self._fit)
        return expander

    def _add_setting(self, grid: Gtk.Grid, setting: Setting, letters: set[str]) -> None:
        title = _(setting.title) + (f" ({setting.unit})" if setting.unit else "")
        text = with_mnemonic(title, letters)
        control = control_for(setting, lambda value: self._on_chosen(setting.name, value), text)
        self._controls[setting.name] = control
        self._add_row(grid, len(self._controls), text, control, None)

    def _add_seed(self, grid: Gtk.Grid, letters: set[str]) -> None:
        adjustment = Gtk.Adjustment(lower=0, upper=SEED_MOST, step_increment=1, page_increment=10)
        spin = Gtk.SpinButton(
            adjustment=adjustment, digits=0, numeric=True, hexpand=True, activates_default=True
        )
        spin.set_tooltip_text(_("The same seed gives the same noise, and so the same result."))
        button = Gtk.Button(label=with_mnemonic(_("N_ew seed"), letters), use_underline=True)
        box = Gtk.Box(spacing=SPACING)
        box.pack_start(spin, True, True, 0)
        box.pack_start(button, False, False, 0)
        handler = adjustment.connect("value-changed", lambda a: self._on_chosen(SEED, round(a.get_value())))
        button.connect("clicked", lambda _: adjustment.set_value(_new_seed()))

        def show(value: int) -> None:
            with adjustment.handler_block(handler):
                adjustment.set_value(value)

        self._controls[SEED] = Control(box, spin, show)
        self._add_row(grid, len(self._controls), _("Seed"), self._controls[SEED], letters)

    def _pipeline_part(self, choices: Choices) -> Gtk.Grid:
        grid = _grid()
        ids = tuple(p["id"] for p in choices.pipelines)
        titles = [
            p["title"] + ("" if p["installed"] else f" ({_('not installed')})") for p in choices.pipelines
        ]
        self._pipeline = choice(ids, titles, lambda name: self._on_chosen("pipeline", name))
        self._add_row(grid, 0, _("P_ipeline"), self._pipeline, self._letters)
        self._summary = label(dim=True, wrap=True)
        self._licence = label(dim=True, wrap=True)
        self._state = label(wrap=True)
        self._state.set_no_show_all(True)
        self._install = Gtk.Button(
            label=with_mnemonic(_("I_nstall..."), self._letters), use_underline=True, no_show_all=True
        )
        self._install.connect("clicked", lambda _: self._on_install())
        for row, widget in enumerate((self._summary, self._licence, self._state), start=1):
            widget.set_max_width_chars(LABEL_CHARS)
            grid.attach(widget, 1, row, 1, 1)
        self._install.set_halign(Gtk.Align.START)
        grid.attach(self._install, 1, 4, 1, 1)
        return grid

    def _result_part(self, choose_output: bool, choose_source: bool) -> Gtk.Grid:
        grid = _grid()
        titles = [_(OUTPUT_TITLES[word]) for word in OUTPUTS]
        self._output = choice(OUTPUTS, titles, lambda word: self._on_chosen("output", word))
        self._source = choice(
            SOURCES,
            [_(SOURCE_TITLES[word]) for word in SOURCES],
            lambda word: self._on_chosen("source", word),
        )
        if choose_source:
            self._add_row(grid, 0, _("So_urce"), self._source, self._letters)
        if choose_output:
            self._add_row(grid, 1, _("Resu_lt"), self._output, self._letters)
        self._scale = choice(
            tuple(str(scale) for scale in self._drawn.scales),
            [f"{scale} ×" for scale in self._drawn.scales],
            lambda word: self._on_chosen(SCALE, int(word)) if word else None,
        )
        self._scale_label = self._add_row(grid, 2, _("Enlar_gement"), self._scale, self._letters)
        return grid

    def show_values(self) -> None:
        """Puts what is chosen into the controls."""
        choices = self._drawn
        spec = choices.spec
        self._pipeline.show(choices.pipeline)
        self._summary.set_text(_(spec["summary"]))
        self._licence.set_markup(_licence_markup(spec))
        self._install.set_visible(not spec["installed"])
        if not spec["installed"]:
            self.say_estimate(_to_download(spec))
        self._preset.show(choices.preset)
        for name, control in self._controls.items():
            control.show(choices.value(name))
        self._output.show(choices.output)
        self._source.show(choices.source)
        self._scale.show(str(choices.value(SCALE)))
        self._scale_row_visible()
        self._fit()

    def _scale_row_visible(self) -> None:
        for widget in (self._scale_label, self._scale.widget):
            widget.set_visible(not self._drawn.in_place)

    def _add_row(
        self, grid: Gtk.Grid, row: int, text: str, control: Control, letters: set[str] | None
    ) -> Gtk.Label:
        """`letters` are those that other labels' mnemonics use; None: the text has its own already."""
        if letters is not None:
            text = with_mnemonic(text, letters)
        shown = Gtk.Label(label=text, use_underline=True, xalign=0.0, mnemonic_widget=control.focus)
        self._labels.add_widget(shown)
        if not control.own_label:
            grid.attach(shown, 0, row, 1, 1)
        grid.attach(control.widget, 1, row, 1, 1)
        return shown


def _to_download(spec: Any) -> str:
    missing = sum(c["download_bytes"] for c in spec["checkpoints"] if not c["installed"])
    return (
        _("Not installed: {size} to download").format(size=size(missing)) if missing else _("Not installed")
    )


def _new_seed() -> int:
    return secrets.randbelow(2**31)


def _licence_markup(spec: Any) -> str:
    name, url = GLib.markup_escape_text(spec["licence"]), GLib.markup_escape_text(spec["licence_url"])
    return _("Licence: {licence}").format(licence=f'<a href="{url}">{name}</a>')


def _grid() -> Gtk.Grid:
    return Gtk.Grid(row_spacing=SPACING, column_spacing=WIDE)
