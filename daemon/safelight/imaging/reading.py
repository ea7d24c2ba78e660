"""Reads picture files with libvips: PNG, JPEG, TIFF, WebP, HEIF and AVIF, 8 and 16 bit and float.

The loader is chosen by the file's first bytes and called by name, so that no other loader of libvips ever
sees a file. Everything that can be wrong with a file is an InputFileError with one sentence and a stable
reason: FILE_MISSING, NOT_A_PICTURE, FORMAT_NOT_SUPPORTED, PICTURE_DAMAGED, PICTURE_TOO_LARGE.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

import numpy as np
import pyvips

from safelight.errors import InputFileError
from safelight.geometry import Rect, Size
from safelight.imaging.jpeg import read_extended
from safelight.imaging.metadata import Metadata, iptc_from_photoshop, tiff_blocks
from safelight.imaging.pixels import DocumentArray, PixelFormat, Sample
from safelight.imaging.tiff import TiffDamaged, TiffReader
from safelight.imaging.xmp import XmpDamaged
from safelight.settings import MAX_PIXELS

_SUPPORTED = "save it as PNG, JPEG, TIFF, WebP, HEIF or AVIF"
_HEIF_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"mif1", b"msf1", b"avif", b"avis", b"miaf"})
_OTHER_KINDS = {
    b"GIF8": "a GIF", b"%PDF": "a PDF", b"8BPS": "a Photoshop document", b"gimp": "a GIMP document",
    b"BM": "a BMP", b"\0\0\1\0": "an icon", b"v/1\1": "an OpenEXR picture", b"SIMP": "a FITS picture",
    b"\xff\x0a": "a JPEG XL picture", b"\0\0\0\x0cJXL ": "a JPEG XL picture",
    b"\0\0\0\x0cjP  ": "a JPEG 2000 picture", b"<svg": "an SVG drawing", b"<?xm": "an XML file",
    b"#?RA": "a Radiance picture",
}  # fmt: skip


class _Container(NamedTuple):
    name: str
    loader: str


_PNG, _JPEG = _Container("PNG", "pngload"), _Container("JPEG", "jpegload")
_TIFF, _WEBP = _Container("TIFF", "tiffload"), _Container("WebP", "webpload")
_HEIF = _Container("HEIF", "heifload")

_SAMPLES = {"uchar": Sample.U8, "ushort": Sample.U16, "float": Sample.F32}
_COLOURLESS = {"b-w", "grey16", "srgb", "rgb", "rgb16", "scrgb", "multiband"}
_TIFF_BITS, _TIFF_PHOTOMETRIC = 258, 262
_LAB_PHOTOMETRICS = (8, 9, 10)


@dataclass(frozen=True)
class PictureFile:
    """A picture whose header was read; samples are read when asked for. Coordinates count in the upright
    picture, after its EXIF orientation."""

    path: Path
    container: str
    """PNG, JPEG, TIFF, WebP or HEIF (which includes AVIF)."""
    size: Size
    format: PixelFormat
    """`linear` is True for float files without a profile (as EXR-like TIFF has them); with a profile its own
    curve says."""
    icc: bytes
    metadata: Metadata
    notes: tuple[str, ...]
    """One sentence for each thing a person might not expect: further pages, a damaged block."""
    _orientation: int
    _bits: int
    """Bits of a sample as stored; 16-bit arrays of 10 and 12-bit files are widened to the full range."""

    def read(self) -> DocumentArray:
        """All samples, H W C. Raises InputFileError, PICTURE_DAMAGED, when any of them is missing."""
        return self._upright(self._decoded(None))

    def read_rect(self, rect: Rect) -> DocumentArray:
        """The samples of `rect`, which must lie within the picture. Decodes no further than needed, so
        damage below the rectangle goes unnoticed."""
        if rect.empty or not Rect.of_size(self.size).contains(rect):
            raise ValueError(f"{rect} is not within {self.size}")
        return self._upright(self._decoded(_stored_rect(rect, self.size, self._orientation)))

    def read_small(self, long_side_px: int) -> DocumentArray:
        """The whole picture with whole blocks of samples averaged, its long side between that and twice that where
        the picture is larger; in the document's numbers. Needs little memory however large it is. Raises
        InputFileError, PICTURE_DAMAGED."""
        factor = max(1, self.size.long_side // long_side_px)
        container = _container_of(self.path)
        early = next((f for f in (8, 4, 2) if f <= factor), 1) if container is _JPEG else 1
        try:
            image = _load(container, self.path, **({"shrink": early} if early > 1 else {}))
            image = image.shrink(factor / early, factor / early) if factor > early else image
            pixels: DocumentArray = image.numpy().reshape(image.height, image.width, image.bands)
        except pyvips.Error as error:
            _refuse_damage(self.path, f"{error.message}: {error.detail}")
        return self._upright(pixels)

    def _decoded(self, rect: Rect | None) -> DocumentArray:
        try:
            image = _load(_container_of(self.path), self.path)
            if rect is not None:
                image = image.crop(*rect)
            pixels: DocumentArray = image.numpy().reshape(image.height, image.width, image.bands)
        except pyvips.Error as error:
            _refuse_damage(self.path, f"{error.message}: {error.detail}")
        return pixels

    def _upright(self, stored: DocumentArray) -> DocumentArray:
        if stored.dtype == np.uint16 and 8 < self._bits < 16:
            stored |= np.right_shift(stored, self._bits)  # the low bits repeat the high ones
        return np.ascontiguousarray(_TURNS[self._orientation](stored))


def open_picture(path: Path | str) -> PictureFile:
    """Reads the header and the metadata. Several pages: the first one, and a note says so. Raises
    InputFileError."""
    path = Path(path)
    container = _container_of(path)
    if container is _TIFF:
        _refuse_tiff_kinds(path)
    try:
        image = _load(container, path)
    except pyvips.Error as error:
        _refuse_damage(path, f"{error.message}: {error.detail}")
    stored = Size(image.width, image.height)
    if stored.area > MAX_PIXELS:
        raise InputFileError(
            f"{path} has {stored.width} x {stored.height} pixels, more than {MAX_PIXELS // 10**6} million: "
            "cut it into parts first",
            "PICTURE_TOO_LARGE",
        )
    icc = _block(image, "icc-profile-data")
    fmt = _format(path, image, has_profile=bool(icc))
    orientation = _orientation(image)
    notes: list[str] = []
    pages = _field(image, "n-pages", 1)
    if pages > 1:
        notes.append(f"{path.name} has {pages} pages or pictures: only the first one is read")
    return PictureFile(
        path, container.name, Size(stored.height, stored.width) if orientation > 4 else stored, fmt, icc,
        _metadata(path, container, image, notes), tuple(notes), orientation,
        int(_field(image, "bits-per-sample", 0)),
    )  # fmt: skip


def _load(container: _Container, path: Path, **options: object) -> pyvips.Image:
    # revalidate: a file of the same name may have been written since libvips last saw it
    return pyvips.Operation.call(
        container.loader, str(path), access="sequential", fail_on="error", revalidate=True, **options
    )


def _container_of(path: Path) -> _Container:
    try:
        with path.open("rb") as file:
            head = file.read(4096)
    except IsADirectoryError:
        raise InputFileError(f"{path} is a folder, not a picture", "NOT_A_PICTURE") from None
    except (FileNotFoundError, NotADirectoryError):
        raise InputFileError(f"there is no file {path}: check its name", "FILE_MISSING") from None
    except (OSError, ValueError) as error:
        raise InputFileError(f"{path} cannot be read: {error}", "FILE_MISSING") from None
    return _recognised(path, head)


def _recognised(path: Path, head: bytes) -> _Container:
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return _PNG
    if head.startswith(b"\xff\xd8\xff"):
        return _JPEG
    if head[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"):
        return _TIFF
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return _WEBP
    if head[4:8] == b"ftyp" and head[8:12] in _HEIF_BRANDS:
        return _HEIF
    for start, kind in _OTHER_KINDS.items():
        if head.startswith(start):
            raise InputFileError(f"{path} is {kind}: {_SUPPORTED}", "FORMAT_NOT_SUPPORTED")
    what = "is empty" if not head else "is not a picture"
    raise InputFileError(f"{path} {what}: give a PNG, JPEG, TIFF, WebP, HEIF or AVIF file", "NOT_A_PICTURE")


def _refuse_damage(path: Path, found: str) -> NoReturn:
    raise InputFileError(
        f"{path} is damaged or incomplete: get a whole copy of it",
        "PICTURE_DAMAGED",
        details={"found": found.strip()[:200]},
    ) from None


def _format(path: Path, image: pyvips.Image, *, has_profile: bool) -> PixelFormat:
    if image.interpretation == "cmyk":
        _refuse_kind(path, "CMYK", "convert it to RGB in an editor first")
    if image.interpretation not in _COLOURLESS:
        _refuse_kind(
            path, f"stored as {image.interpretation}", "convert it to RGB or grey in an editor first"
        )
    if image.format not in _SAMPLES:
        _refuse_kind(path, f"stored as {image.format} samples", "save it with 8 or 16 bit or 32-bit float")
    if not 1 <= image.bands <= 4:
        _refuse_kind(path, f"made of {image.bands} channels", "save it as grey or RGB with at most one alpha")
    sample = _SAMPLES[image.format]
    linear = sample is Sample.F32 and not has_profile
    return PixelFormat(3 if image.bands >= 3 else 1, image.bands in (2, 4), sample, linear)


def _refuse_kind(path: Path, what: str, do: str) -> NoReturn:
    raise InputFileError(f"{path} is {what}: {do}", "FORMAT_NOT_SUPPORTED")


def _field(image: pyvips.Image, name: str, default: Any) -> Any:
    return image.get(name) if image.get_typeof(name) else default


def _block(image: pyvips.Image, name: str) -> bytes:
    return bytes(_field(image, name, b""))


def _orientation(image: pyvips.Image) -> int:
    value = int(_field(image, "orientation", 1))
    return value if value in _TURNS else 1


# How each EXIF orientation's stored rows become upright (CIPA DC-008: where row 0 and column 0 belong).
_TURNS: dict[int, Callable[[Any], Any]] = {
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.transpose(1, 0, 2),
    6: lambda a: a.transpose(1, 0, 2)[:, ::-1],
    7: lambda a: a.transpose(1, 0, 2)[::-1, ::-1],
    8: lambda a: a.transpose(1, 0, 2)[::-1],
}


def _stored_rect(rect: Rect, upright: Size, orientation: int) -> Rect:
    """Where `rect` of the upright picture lies in the stored one."""
    from_right = orientation in (2, 3, 6, 7)
    from_below = orientation in (3, 4, 7, 8)
    x = upright.width - rect.right if from_right else rect.x
    y = upright.height - rect.bottom if from_below else rect.y
    if orientation > 4:
        return Rect(y, x, rect.height, rect.width)
    return Rect(x, y, rect.width, rect.height)


def _refuse_tiff_kinds(path: Path) -> None:
    """Says what libvips would only call an error."""
    try:
        with path.open("rb") as file:
            reader = TiffReader(file)
            tags = reader.directory(reader.first, {_TIFF_BITS, _TIFF_PHOTOMETRIC})
            numbers = {tag: entry.number for tag, entry in tags.items()}
    except (OSError, TiffDamaged) as damage:
        _refuse_damage(path, str(damage))
    if numbers.get(_TIFF_BITS, 8) > 32:
        _refuse_kind(
            path, f"stored with {numbers[_TIFF_BITS]} bits", "save it with 8 or 16 bit or 32-bit float"
        )
    if numbers.get(_TIFF_PHOTOMETRIC) in _LAB_PHOTOMETRICS:
        _refuse_kind(path, "stored as Lab", "convert it to RGB or grey in an editor first")


def _metadata(path: Path, container: _Container, image: pyvips.Image, notes: list[str]) -> Metadata:
    exif, iptc = _block(image, "exif-data"), _block(image, "iptc-data")
    xmp = _block(image, "xmp-data")
    if container is _TIFF:
        exif, iptc = _tiff_blocks(path, notes)
    if container is _JPEG:
        iptc, xmp = iptc_from_photoshop(iptc), _whole_xmp(path, xmp, notes)
    unit = str(_field(image, "resolution-unit", ""))
    return Metadata(exif, xmp, iptc, (image.xres, image.yres) if unit else None, unit or "in")


def _tiff_blocks(path: Path, notes: list[str]) -> tuple[bytes, bytes]:
    try:
        with path.open("rb") as file:
            return tiff_blocks(file)
    except (OSError, TiffDamaged) as damage:
        notes.append(f"the EXIF and IPTC blocks of {path.name} are damaged ({damage}) and were left out")
        return b"", b""


def _whole_xmp(path: Path, first: bytes, notes: list[str]) -> bytes:
    try:
        return read_extended(path, first)
    except (OSError, XmpDamaged) as damage:
        notes.append(f"the XMP packet of {path.name} is damaged ({damage}): only its first part was kept")
        return first
