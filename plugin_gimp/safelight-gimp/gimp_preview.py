"""A part of the picture at 100 %: left of the line as it is, right of it restored.

Dragging moves the part, dragging the line moves the line; with the keyboard the arrows move the part, with Shift the
line, and Space shows the picture as it is until it is pressed again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from geometry import Rect
from gimp_api import GLib
from gimp_ui import Gdk, GdkPixbuf, Gtk
from texts import _

WIDTH_PX, HEIGHT_PX = 420, 360
MOST_PX = 640  # a larger part takes too long to follow what is changed
RESIZED_PX = 64  # less is a line of text that came or went
GRIP_PX = 8  # as near to the line counts as on it
STEP_PX = 32
_LINE = 0xFFFFFFFF
_CHECKS = (8, 0x00999999, 0x00666666)  # GIMP's mid-tone checks behind transparency


class PreviewArea:
    """`on_move` gets the way in pixels of the document by which the part is to move, `on_rest` is called when it has
    been moved."""

    def __init__(self, on_move: Callable[[int, int], None], on_rest: Callable[[], None]) -> None:
        self._on_move, self._on_rest = on_move, on_rest
        self._split = 0.5
        self._whole_before = False
        self._before: GdkPixbuf.Pixbuf | None = None
        self._after: GdkPixbuf.Pixbuf | None = None
        self._place_of_after = Rect(0, 0, 0, 0)
        self._dragged: tuple[float, float] | None = None
        self._on_line = False
        self._scale = 1
        self._image = Gtk.Image()
        self.widget = Gtk.EventBox(can_focus=True, above_child=True)
        never_wider = Gtk.PolicyType.EXTERNAL  # a window can be made smaller again than the picture in it
        self._around = Gtk.ScrolledWindow(hscrollbar_policy=never_wider, vscrollbar_policy=never_wider)
        self._around.add(self._image)
        self.widget.add(self._around)
        self.widget.set_size_request(WIDTH_PX, HEIGHT_PX)
        accessible = self.widget.get_accessible()
        accessible.set_name(_("Preview"))
        accessible.set_description(
            _("Arrows show another part, Shift and arrows move the line, Space compares")
        )
        events = Gdk.EventMask.BUTTON_PRESS_MASK | Gdk.EventMask.BUTTON_RELEASE_MASK
        self.widget.add_events(events | Gdk.EventMask.POINTER_MOTION_MASK | Gdk.EventMask.KEY_PRESS_MASK)
        self.widget.connect("button-press-event", self._pressed)
        self.widget.connect("motion-notify-event", self._moved)
        self.widget.connect("button-release-event", self._released)
        self.widget.connect("key-press-event", self._key)
        self._size = self.size
        self.widget.connect("size-allocate", self._allocated)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of what it has room for."""
        given = self.widget.get_allocated_width(), self.widget.get_allocated_height()
        return max(WIDTH_PX, min(MOST_PX, given[0])), max(HEIGHT_PX, min(MOST_PX, given[1]))

    def show_before(self, pixels: bytes, box: Rect, scale: int) -> None:
        """RGBA 8 bit, sRGB, of the document; enlarged by `scale` as the result will be. What was restored goes."""
        small = _pixbuf(pixels, box)
        self._scale = scale
        size = box.width * scale, box.height * scale
        self._before = small if scale == 1 else small.scale_simple(*size, GdkPixbuf.InterpType.BILINEAR)
        self._after = None
        self._draw()

    def show_after(self, pixels: bytes, box: Rect) -> None:
        """RGBA 8 bit, sRGB, in output pixels; the box is its place in what is shown."""
        self._after, self._place_of_after = _pixbuf(pixels, box), box
        self._draw()

    def _draw(self) -> None:
        if self._before is None:
            return
        shown = _over_checks(self._before)
        width, height = shown.get_width(), shown.get_height()
        after = self._after
        if after is not None and not self._whole_before:
            line = max(0, min(width, round(self._split * width)))
            place = Rect(0, 0, width, height).intersect(self._place_of_after)
            restored = place.intersect(Rect(line, 0, width - line, height))
            if not restored.empty:
                from_after = restored.shifted(-self._place_of_after.x, -self._place_of_after.y)
                _over_checks(after).copy_area(*from_after, shown, restored.x, restored.y)
            if 0 < line < width:
                shown.new_subpixbuf(line - 1, 0, 1, height).fill(_LINE)
        self._image.set_from_pixbuf(shown)

    def _place(self, x: float) -> float:
        """A place in the widget as a share of the picture's width."""
        if self._before is None:
            return 0.5
        spare = self.widget.get_allocated_width() - self._before.get_width()
        return (x - spare / 2) / self._before.get_width()

    def _allocated(self, *_: object) -> None:
        """More or less room: more or less is shown."""
        if max(abs(now - was) for now, was in zip(self.size, self._size)) >= RESIZED_PX:  # noqa: B905
            self._size = self.size
            GLib.idle_add(self._rested)

    def _rested(self) -> bool:
        self._on_move(0, 0)
        self._on_rest()
        return bool(GLib.SOURCE_REMOVE)

    def _pressed(self, widget: Gtk.Widget, event: Any) -> bool:
        widget.grab_focus()
        if event.button != 1 or self._before is None:
            return False
        near = abs(self._place(event.x) - self._split) * self._before.get_width() <= GRIP_PX
        self._on_line = near and self._after is not None and not self._whole_before
        self._dragged = event.x, event.y
        return True

    def _moved(self, widget: Gtk.Widget, event: Any) -> bool:
        if self._dragged is None:
            return False
        if self._on_line:
            self._move_line(self._place(event.x))
            return True
        dx, dy = (round((was - now) / self._scale) for was, now in zip(self._dragged, (event.x, event.y)))  # noqa: B905
        if dx or dy:
            self._dragged = self._dragged[0] - dx * self._scale, self._dragged[1] - dy * self._scale
            self._on_move(dx, dy)
        return True

    def _released(self, widget: Gtk.Widget, event: Any) -> bool:
        if self._dragged is None:
            return False
        self._dragged = None
        if not self._on_line:
            self._on_rest()
        return True

    def _move_line(self, split: float) -> None:
        self._split = max(0.0, min(1.0, split))
        self._draw()

    def _key(self, widget: Gtk.Widget, event: Any) -> bool:
        ways = {
            Gdk.KEY_Left: (-1, 0),
            Gdk.KEY_Right: (1, 0),
            Gdk.KEY_Up: (0, -1),
            Gdk.KEY_Down: (0, 1),
        }
        if event.keyval == Gdk.KEY_space:
            self._whole_before = not self._whole_before
            self._draw()
            return True
        way = ways.get(event.keyval)
        if way is None:
            return False
        if event.state & Gdk.ModifierType.SHIFT_MASK:
            self._move_line(self._split + 0.05 * way[0])
        else:
            self._on_move(way[0] * STEP_PX, way[1] * STEP_PX)
            self._on_rest()
        return True


def _pixbuf(pixels: bytes, box: Rect) -> GdkPixbuf.Pixbuf:
    data = GLib.Bytes.new(pixels)
    space = GdkPixbuf.Colorspace.RGB
    return GdkPixbuf.Pixbuf.new_from_bytes(data, space, True, 8, box.width, box.height, 4 * box.width)


def _over_checks(pixbuf: GdkPixbuf.Pixbuf) -> GdkPixbuf.Pixbuf:
    """A copy without transparency."""
    size = pixbuf.get_width(), pixbuf.get_height()
    return pixbuf.composite_color_simple(*size, GdkPixbuf.InterpType.NEAREST, 255, *_CHECKS)
