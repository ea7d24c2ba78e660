"""GIMP's and GTK's widgets, imported only where there is a screen."""

import gi

gi.require_version("Gdk", "3.0")
gi.require_version("GimpUi", "3.0")
gi.require_version("Gtk", "3.0")
gi.require_version("GdkPixbuf", "2.0")
from gi.repository import Gdk, GdkPixbuf, GimpUi, Gtk, Pango  # noqa: E402

__all__ = ["Gdk", "GdkPixbuf", "GimpUi", "Gtk", "Pango", "init", "label"]

SPACING, WIDE = 6, 12  # GNOME's guidelines: between related and between unrelated things


def init() -> None:
    """Before the first window of a run."""
    GimpUi.init("safelight-gimp")


def label(text: str = "", *, dim: bool = False, wrap: bool = False) -> Gtk.Label:
    """Left-aligned."""
    made = Gtk.Label(label=text, xalign=0.0)
    if dim:
        made.get_style_context().add_class("dim-label")
    if wrap:
        made.set_line_wrap(True)
        made.set_line_wrap_mode(Pango.WrapMode.WORD_CHAR)
    return made
