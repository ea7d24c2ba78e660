"""Samples of drawables as bytes, in the image's own numbers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from formats import Transport, transport
from geometry import Rect, cut, strips, where_selected
from gimp_api import Babl, Gegl, Gimp

STRIP_BYTES = 8 << 20  # read in 10 ms: windows stay alive between two
_PRECISIONS = {
    int(getattr(Gimp.Precision, name)): name
    for name in (
        f"{depth}_{curve}"
        for depth in ("U8", "U16", "U32", "HALF", "FLOAT", "DOUBLE")
        for curve in ("LINEAR", "NON_LINEAR", "PERCEPTUAL")
    )
}


def transport_of(image: Gimp.Image, *, alpha: bool) -> Transport:
    """How pixels of this image travel. Indexed images as colours."""
    base = image.get_base_type()
    if base == Gimp.ImageBaseType.INDEXED:
        return transport("U8_NON_LINEAR", grey=False, alpha=alpha)
    precision = _PRECISIONS[int(image.get_precision())]
    return transport(precision, grey=base == Gimp.ImageBaseType.GRAY, alpha=alpha)


def profile_of(image: Gimp.Image, travelling: Transport) -> bytes:
    """The ICC profile that says what the travelling numbers mean; empty for an image without."""
    profile = image.get_color_profile()
    if profile is None:
        return b""
    if travelling.srgb_curve:
        profile = Gimp.ColorProfile.new_srgb_trc_from_color_profile(profile) or profile
    return bytes(profile.get_icc_profile())


def read(drawable: Gimp.Drawable, box: Rect, travelling: Transport) -> Iterator[bytes]:
    """The box, in drawable coordinates and inside it, in bands of whole rows."""
    buffer, name = drawable.get_buffer(), _encoding(drawable, travelling.encoding)
    for band in strips(box, box.width * travelling.bytes_per_pixel, STRIP_BYTES):
        yield buffer.get(_rectangle(band), 1.0, name, Gegl.AbyssPolicy.NONE)


def shown(drawable: Gimp.Drawable, box: Rect) -> bytes:
    """As a screen shows it: RGBA, 8 bit, sRGB."""
    return drawable.get_buffer().get(_rectangle(box), 1.0, "R'G'B'A u8", Gegl.AbyssPolicy.NONE)


def shown_bands(drawable: Gimp.Drawable, box: Rect, travelling: Transport, bands: Iterable[bytes]) -> bytes:
    """The same of samples that came back for a drawable."""
    place = Rect(0, 0, box.width, box.height)
    buffer = Gegl.Buffer.new("R'G'B'A u8", *place)
    _write(buffer, place, _encoding(drawable, travelling.encoding), travelling.bytes_per_pixel, bands)
    return buffer.get(_rectangle(place), 1.0, "R'G'B'A u8", Gegl.AbyssPolicy.NONE)


def opaque(drawable: Gimp.Drawable) -> bool:
    """Whether nothing can be seen through it."""
    buffer = drawable.get_buffer()
    whole = Rect(0, 0, drawable.get_width(), drawable.get_height())
    for band in strips(whole, whole.width, STRIP_BYTES):
        alpha = buffer.get(_rectangle(band), 1.0, "A u8", Gegl.AbyssPolicy.NONE)
        if alpha.count(255) != len(alpha):
            return False
    return True


def write(drawable: Gimp.Drawable, box: Rect, travelling: Transport, bands: Iterable[bytes]) -> None:
    """Past undo: for drawables that are not in an image yet, new masks, and what undo knows already."""
    _write(
        drawable.get_buffer(),
        box,
        _encoding(drawable, travelling.encoding),
        travelling.bytes_per_pixel,
        bands,
    )


def copy_of(drawable: Gimp.Drawable) -> Gegl.Buffer:
    """Its samples of now. Tiles are copied when they are written to, so it costs little."""
    return drawable.get_buffer().dup()


def put_back(drawable: Gimp.Drawable, before: Gegl.Buffer, box: Rect, mask: bytes) -> None:
    """Samples of a copy where the mask of the box is 0, in the drawable's own numbers: no bit of them changes. Past
    undo."""
    now, name = drawable.get_buffer(), str(Babl.get_name(drawable.get_format()))
    bytes_per_pixel = Babl.format_get_bytes_per_pixel(drawable.get_format())
    for band in strips(box, box.width * bytes_per_pixel, STRIP_BYTES):
        chosen = cut(mask, box.width, band.shifted(-box.x, -box.y))
        place = _rectangle(band)
        old, new = (b.get(place, 1.0, name, Gegl.AbyssPolicy.NONE) for b in (before, now))
        now.set(place, name, where_selected(chosen, old, new))
    now.flush()


def write_shadow(drawable: Gimp.Drawable, box: Rect, travelling: Transport, bands: Iterable[bytes]) -> None:
    """Into the shadow buffer; `merge_shadow` then makes it one step of undo."""
    name = _encoding(drawable, travelling.encoding)
    _write(drawable.get_shadow_buffer(), box, name, travelling.bytes_per_pixel, bands)


def read_mask(channel: Gimp.Channel, box: Rect) -> bytes:
    """8-bit values of a channel; the box in its own coordinates."""
    bands = strips(box, box.width, STRIP_BYTES)
    buffer = channel.get_buffer()
    return b"".join(buffer.get(_rectangle(b), 1.0, "Y u8", Gegl.AbyssPolicy.NONE) for b in bands)


def write_mask(mask: Gimp.Channel, box: Rect, bands: Iterable[bytes]) -> None:
    """8-bit values; past undo."""
    _write(mask.get_buffer(), box, "Y u8", 1, bands)


def write_mask_shadow(mask: Gimp.Channel, box: Rect, bands: Iterable[bytes]) -> None:
    """As `write_shadow`."""
    _write(mask.get_shadow_buffer(), box, "Y u8", 1, bands)


def _write(buffer: Gegl.Buffer, box: Rect, name: str, pixel_bytes: int, bands: Iterable[bytes]) -> None:
    """A wrong length would be passed over by GEGL in silence, so it is an error here."""
    top, row_bytes = box.y, box.width * pixel_bytes
    for band in bands:
        rows, rest = divmod(len(band), row_bytes)
        if rest or top + rows > box.bottom:
            raise ValueError(f"{len(band)} bytes do not fit rows of {row_bytes} from {top} on in {box}")
        buffer.set(_rectangle(Rect(box.x, top, box.width, rows)), name, bytes(band))
        top += rows
    if top != box.bottom:
        raise ValueError(f"rows from {top} to {box.bottom} are missing")
    buffer.flush()


def _encoding(drawable: Gimp.Drawable, name: str) -> str:
    """In the drawable's own space: a bare name would mean sRGB, and convert."""
    space = Babl.format_get_space(drawable.get_format())
    return str(Babl.get_name(Babl.format_with_space(name, space)))


def _rectangle(box: Rect) -> Gegl.Rectangle:
    return Gegl.Rectangle.new(*box)
