"""Controls for settings, drawn from what the daemon says of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from choices import Setting
from gimp_ui import SPACING, Gtk
from texts import _

SLIDER_SPAN_MOST = 100  # a slider over more is too coarse to aim with
# Settings with a number that means "chosen by Safelight": that number, the first one of one's own, the least one.
AUTOMATIC = {"working_scale": (0.0, 1.0, 0.25), "feather": (-1.0, 8.0, 0.0)}


@dataclass
class Control:
    """`focus` is what a label's mnemonic goes to."""

    widget: Gtk.Widget
    focus: Gtk.Widget
    show: Callable[[Any], None]
    """Shows a value, without telling anybody that it changed."""
    own_label: bool = False
    """True: it says itself what it is."""
    suggest: Callable[[Any], None] = lambda value: None
    """Shows what is chosen where the person leaves it to us."""


def control_for(setting: Setting, on_change: Callable[[Any], None], label: str) -> Control:
    """`on_change` gets values in the setting's own type; `label`, with its mnemonic, is for check buttons."""
    if setting.name in AUTOMATIC:
        made = _automatic(setting, on_change)
    elif setting.type == "bool":
        made = _check(on_change, label)
    elif setting.type == "choice":
        made = choice(setting.choices, [_shown(word) for word in setting.choices], on_change)
    elif setting.type in ("int", "float"):
        made = _number(setting, on_change)
    else:  # text, and what a newer Safelight may have
        made = _entry(on_change)
    made.widget.set_tooltip_text(_(setting.help))
    made.show(setting.default)
    return made


def _shown(word: str) -> str:
    """Words as people see them; names such as fp16 stay as they are."""
    text = _(word)
    return text if any(c.isdigit() for c in text) else text[:1].upper() + text[1:]


def choice(words: tuple[str, ...], labels: list[str], on_change: Callable[[str], None]) -> Control:
    """A list of words under their labels."""
    box = Gtk.ComboBoxText(hexpand=True)
    for word, label in zip(words, labels):  # noqa: B905 - GIMP's Python may be older than `strict`
        box.append(word, label)
    handler = box.connect("changed", lambda b: on_change(b.get_active_id() or ""))

    def show(value: str) -> None:
        with box.handler_block(handler):
            box.set_active_id(value)

    return Control(box, box, show)


def _check(on_change: Callable[[bool], None], label: str) -> Control:
    button = Gtk.CheckButton(label=label, use_underline=True)
    handler = button.connect("toggled", lambda b: on_change(b.get_active()))

    def show(value: bool) -> None:
        with button.handler_block(handler):
            button.set_active(value)

    return Control(button, button, show, own_label=True)


def _entry(on_change: Callable[[str], None]) -> Control:
    entry = Gtk.Entry(hexpand=True, activates_default=True)
    handler = entry.connect("changed", lambda e: on_change(e.get_text()))

    def show(value: str) -> None:
        with entry.handler_block(handler):
            entry.set_text(str(value))

    return Control(entry, entry, show)


def _adjusted(low: float, high: float, whole: bool) -> tuple[Gtk.Adjustment, int]:
    """And the digits worth showing."""
    span = high - low
    step = 1.0 if whole or span > SLIDER_SPAN_MOST else span / 100
    digits = 0 if whole or span > SLIDER_SPAN_MOST else 2
    return Gtk.Adjustment(lower=low, upper=high, step_increment=step, page_increment=10 * step), digits


def _number(setting: Setting, on_change: Callable[[Any], None]) -> Control:
    low = setting.minimum if setting.minimum is not None else 0
    high = setting.maximum if setting.maximum is not None else 2**31 - 1
    whole = setting.type == "int"
    adjustment, digits = _adjusted(low, high, whole)
    spin = Gtk.SpinButton(adjustment=adjustment, digits=digits, numeric=True, activates_default=True)
    box = Gtk.Box(spacing=SPACING, hexpand=True)
    if high - low <= SLIDER_SPAN_MOST:
        scale = Gtk.Scale(adjustment=adjustment, draw_value=False, hexpand=True, can_focus=False)
        box.pack_start(scale, True, True, 0)
    box.pack_start(spin, False, False, 0)
    handler = adjustment.connect(
        "value-changed", lambda a: on_change(round(a.get_value()) if whole else round(a.get_value(), 4))
    )

    def show(value: float) -> None:
        with adjustment.handler_block(handler):
            adjustment.set_value(value)

    return Control(box, spin, show)


def _automatic(setting: Setting, on_change: Callable[[float], None]) -> Control:
    """A check button Automatic, and a number of one's own where it is off."""
    meaning, first, least = AUTOMATIC[setting.name]
    adjustment, digits = _adjusted(least, setting.maximum or least, whole=False)
    adjustment.set_value(first)
    spin = Gtk.SpinButton(adjustment=adjustment, digits=digits, numeric=True, activates_default=True)
    button = Gtk.CheckButton(label=_("Automatic"))
    box = Gtk.Box(spacing=SPACING, hexpand=True)
    box.pack_start(button, True, True, 0)
    box.pack_start(spin, False, False, 0)

    def changed(*_: object) -> None:
        spin.set_sensitive(not button.get_active())
        on_change(meaning if button.get_active() else round(adjustment.get_value(), 4))

    handlers = button.connect("toggled", changed), adjustment.connect("value-changed", changed)

    def show(value: float) -> None:
        with button.handler_block(handlers[0]), adjustment.handler_block(handlers[1]):
            button.set_active(value == meaning)
            spin.set_sensitive(value != meaning)
            if value != meaning:
                adjustment.set_value(value)

    def suggest(value: float) -> None:
        if button.get_active():
            with adjustment.handler_block(handlers[1]):
                adjustment.set_value(value)

    return Control(box, button, show, suggest=suggest)
