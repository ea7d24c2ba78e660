"""How far a run is: in GIMP's status bar, and where a person waits, in a window whose Cancel is a gentle one.

The Cancel of the status bar kills the plug-in; the bridge notices and cancels the job as well.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from errors import SafelightError
from flow import Talk
from gimp_api import Gimp, GLib
from texts import _
from words import progress

SHOWN_AFTER_MS = 400  # a window that only flickers is worse than none
WIDTH_PX = 380


class Progress:
    """Of one run."""

    def __init__(self, interactive: bool) -> None:
        self._interactive = interactive
        self._window: _Window | None = None
        self._talk: Talk | None = None
        self._timer = 0
        self._last: tuple[str, float | None] = ("", None)

    def __enter__(self) -> Progress:
        Gimp.progress_init("Safelight")
        return self

    def __exit__(self, *exception: object) -> None:
        if self._timer:
            GLib.source_remove(self._timer)
        if self._window is not None:
            self._window.close()
        Gimp.progress_end()

    def watch(self, talk: Talk) -> None:
        """What Cancel cancels."""
        self._talk = talk
        if self._interactive and self._window is None and not self._timer:
            self._timer = GLib.timeout_add(SHOWN_AFTER_MS, self._open)

    def show(self, fields: Mapping[str, Any]) -> None:
        """The bridge's progress fields, or a `stage` alone."""
        text, fraction = progress(fields), fields.get("fraction")
        Gimp.progress_set_text(text)
        if fraction is None:
            Gimp.progress_pulse()
        else:
            Gimp.progress_update(fraction)
        if self._window is not None:
            self._window.show(text, fraction)
        self._last = text, fraction

    def fail(self, error: SafelightError) -> None:
        """The run has become pointless."""
        if self._talk is not None:
            self._talk.fail(error)

    def _open(self) -> bool:
        self._timer = 0
        self._window = _Window(self._cancel)
        self._window.show(*self._last)
        return bool(GLib.SOURCE_REMOVE)

    def _cancel(self) -> None:
        if self._talk is not None:
            self._talk.cancel()


class _Window:
    """A bar, what is being done, and Cancel."""

    def __init__(self, on_cancel: Any) -> None:
        from gimp_ui import WIDE, GimpUi, Gtk, label

        self._dialog = GimpUi.Dialog(title=_("Safelight"), role="safelight-progress")
        self._dialog.add_button(_("_Cancel"), Gtk.ResponseType.CANCEL)
        self._dialog.set_resizable(False)
        box = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=WIDE, border_width=WIDE)
        self._bar = Gtk.ProgressBar()
        self._bar.set_size_request(WIDTH_PX, -1)
        self._label = label()
        box.pack_start(self._label, False, False, 0)
        box.pack_start(self._bar, False, False, 0)
        self._dialog.get_content_area().pack_start(box, True, True, 0)
        self._dialog.connect("response", lambda *_: on_cancel())
        self._dialog.show_all()

    def show(self, text: str, fraction: float | None) -> None:
        self._label.set_text(text)
        if fraction is None:
            self._bar.pulse()
        else:
            self._bar.set_fraction(fraction)

    def close(self) -> None:
        self._dialog.destroy()
