"""Installs what a pipeline needs: its files, their licences and sizes, and how far the download is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bridge_process import BridgeProcess
from errors import SafelightError
from flow import Ask, Conversation, Talk
from gimp_api import GLib
from gimp_loop import start
from gimp_ui import SPACING, WIDE, GimpUi, Gtk, label
from sentences import sentence
from texts import _
from words import STAGES, size

WIDTH_CHARS = 60


def install(process: BridgeProcess, spec: Mapping[str, Any], parent: Gtk.Window) -> bool:
    """Whether something was installed; the person may leave at any time, and a download goes on where it stopped."""
    return _Installer(process, spec, parent).run()


class _Installer:
    def __init__(self, process: BridgeProcess, spec: Mapping[str, Any], parent: Gtk.Window) -> None:
        self._process, self._spec = process, spec
        self._missing = [c for c in spec["checkpoints"] if not c["installed"]]
        self._loop = GLib.MainLoop()
        self._talk: Talk | None = None
        self._installed = False
        title = _("Install {pipeline}").format(pipeline=spec["title"])
        self._dialog = GimpUi.Dialog(title=title, role="safelight-install", transient_for=parent, modal=True)
        self._dialog.add_button(_("_Close"), Gtk.ResponseType.CLOSE)
        self._dialog.add_button(_("_Install"), Gtk.ResponseType.OK)
        self._dialog.set_default_response(Gtk.ResponseType.OK)
        self._dialog.connect("response", self._answered)
        self._accepted: list[Gtk.CheckButton] = []
        self._draw()
        self._allow()

    def run(self) -> bool:
        self._dialog.show_all()
        self._loop.run()
        if self._talk is not None:
            self._talk.cancel()
        self._dialog.destroy()
        return self._installed

    def _draw(self) -> None:
        box = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=WIDE, border_width=WIDE)
        by_hand = [c for c in self._missing if not c["pullable"]]
        for checkpoint in self._missing:
            box.pack_start(self._part(checkpoint), False, False, 0)
        if by_hand or not self._missing:
            hint = self._spec["install_hint"]
            box.pack_start(_text(hint[:1].upper() + hint[1:]), False, False, 0)
        self._status = _text("")
        self._bar = Gtk.ProgressBar(no_show_all=True)
        box.pack_start(self._status, False, False, 0)
        box.pack_start(self._bar, False, False, 0)
        self._dialog.get_content_area().pack_start(box, True, True, 0)

    def _part(self, checkpoint: Mapping[str, Any]) -> Gtk.Box:
        part = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=SPACING)
        licence = checkpoint["licence"]
        title, size_text = GLib.markup_escape_text(checkpoint["title"]), size(checkpoint["download_bytes"])
        link = f'<a href="{GLib.markup_escape_text(licence["url"])}">{GLib.markup_escape_text(licence["title"])}</a>'
        head = _text("")
        head.set_markup(f"<b>{title}</b>, {size_text}\n" + _("Licence: {licence}").format(licence=link))
        part.pack_start(head, False, False, 0)
        if licence["note"]:
            part.pack_start(_text(licence["note"]), False, False, 0)
        if not checkpoint["pullable"]:
            where = _("To be downloaded by hand from {place}").format(place=", ".join(checkpoint["sources"]))
            part.pack_start(_text(where), False, False, 0)
        elif not licence["accepted"]:
            button = Gtk.CheckButton(label=_("I have read this licence and _accept it"), use_underline=True)
            button.connect("toggled", lambda _: self._allow())
            self._accepted.append(button)
            part.pack_start(button, False, False, 0)
        return part

    def _allow(self) -> None:
        can = any(c["pullable"] for c in self._missing) and all(b.get_active() for b in self._accepted)
        self._dialog.set_response_sensitive(Gtk.ResponseType.OK, can and self._talk is None)

    def _answered(self, dialog: Gtk.Dialog, response: int) -> None:
        if response == Gtk.ResponseType.OK:
            self._bar.show()
            self._talk = start(self._process, self._pulled(), self._ended)
            self._allow()
        else:
            self._loop.quit()

    def _pulled(self) -> Conversation:
        for checkpoint in self._missing:
            if not checkpoint["pullable"]:
                continue
            self._status.set_text(checkpoint["title"])
            fields = {"checkpoint": checkpoint["id"], "licence_sha256": checkpoint["licence"]["sha256"]}
            yield Ask("pull", fields, on_event=self._progress)
            self._installed = True

    def _progress(self, event: str, fields: Mapping[str, Any], payload: bytes) -> None:
        if event != "progress":
            return
        done, total = fields["done_bytes"], fields["total_bytes"]
        text = _(STAGES.get(fields["stage"], fields["stage"]))
        if total:
            self._bar.set_fraction(min(1.0, done / total))
            text = _("{stage}: {done} of {all}").format(stage=text, done=size(done), all=size(total))
        else:
            self._bar.pulse()
        self._status.set_text(text)

    def _ended(self, outcome: Any, error: Exception | None) -> None:
        self._talk = None
        if error is None:
            self._loop.quit()
            return
        if not isinstance(error, SafelightError):
            raise error
        if error.reason != "CANCELLED":
            self._status.set_text(sentence(error))
            self._bar.hide()
            self._allow()


def _text(text: str) -> Gtk.Label:
    made = label(text, wrap=True)
    made.set_max_width_chars(WIDTH_CHARS)
    made.set_selectable(False)
    return made
