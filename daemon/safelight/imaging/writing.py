"""Writes picture files with libvips: PNG, TIFF, JPEG, WebP and AVIF, by the suffix of the name.

A file appears whole or not at all: it is written beside its final name, flushed to the disk and renamed.
Samples are kept as deep as the container can; what it cannot hold is converted, and the returned notes say
so. Errors are OutputFileError with a stable reason: SUFFIX_UNKNOWN, FORMAT_NOT_SUPPORTED,
FOLDER_NOT_WRITABLE, DISK_FULL, WRITE_FAILED.
"""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyvips

from safelight.errors import OutputFileError
from safelight.geometry import Size
from safelight.imaging.jpeg import MAX_XMP_BYTES, insert_extended
from safelight.imaging.metadata import (
    Metadata,
    MetadataPolicy,
    add_tiff_blocks,
    carried_over,
    photoshop_from_iptc,
)
from safelight.imaging.pixels import DocumentArray, FloatArray, PixelFormat, Sample
from safelight.imaging.profiles import encoding_for
from safelight.imaging.record import append_operation
from safelight.imaging.thumbnail import thumbnail_jpeg
from safelight.imaging.tiff import TiffDamaged

LOSSY_QUALITY = 95  # JPEG and AVIF: no visible loss, and colour at full resolution (4:4:4)
_AVIF_EFFORT = 1  # measured on 1.5 megapixels: the default 4 takes 15 times as long for the same size
_BIGTIFF_FROM_BYTES = 4_000_000_000  # classic offsets end at 2^32; deflate may grow noise slightly
_USUAL_PIXELS_PER_MM = 72 / 25.4  # what software assumes where a file states none
_FREE_BYTES_OF_A_FULL_DISK = 1 << 20


class _Container(NamedTuple):
    name: str
    saver: str
    options: Mapping[str, object]
    samples: tuple[Sample, ...]
    """What it holds, deepest last."""
    alpha: bool
    iptc: bool


_INTEGERS = (Sample.U8, Sample.U16)
_PNG = _Container("PNG", "pngsave", {"compression": 6}, _INTEGERS, alpha=True, iptc=False)
_TIFF = _Container(
    "TIFF", "tiffsave", {"compression": "deflate"}, (*_INTEGERS, Sample.F32), alpha=True, iptc=True
)
_JPEG = _Container(
    "JPEG", "jpegsave", {"Q": LOSSY_QUALITY, "subsample_mode": "off", "optimize_coding": True},
    (Sample.U8,), alpha=False, iptc=True,
)  # fmt: skip
# lossy WebP always halves the resolution of colour
_WEBP = _Container(
    "WebP", "webpsave", {"lossless": True, "exact": True}, (Sample.U8,), alpha=True, iptc=False
)
_AVIF = _Container(
    "AVIF", "heifsave", {"compression": "av1", "Q": LOSSY_QUALITY, "subsample_mode": "off", "effort": _AVIF_EFFORT},
    _INTEGERS, alpha=True, iptc=False,
)  # fmt: skip
_AVIF_BITS = 12
_SUFFIXES = {
    ".png": _PNG, ".tif": _TIFF, ".tiff": _TIFF, ".jpg": _JPEG, ".jpeg": _JPEG, ".webp": _WEBP, ".avif": _AVIF,
}  # fmt: skip
SUFFIXES = tuple(_SUFFIXES)

_INTERPRETATIONS = {
    (1, Sample.U8): "b-w", (1, Sample.U16): "grey16", (1, Sample.F32): "b-w",
    (3, Sample.U8): "srgb", (3, Sample.U16): "rgb16", (3, Sample.F32): "scrgb",
}  # fmt: skip
_VIPS_FORMATS = {Sample.U8: "uchar", Sample.U16: "ushort", Sample.F32: "float"}


def check_output(path: Path | str, fmt: PixelFormat) -> None:
    """Raises what `write_picture` would raise for this name and format, before any work is done."""
    _container_for(Path(path), fmt)
    target = _real(path)
    if target.is_dir():
        raise _is_folder(target)
    folder = target.parent
    if not folder.is_dir():
        raise OutputFileError(f"there is no folder {folder}: create it first", "FOLDER_NOT_WRITABLE")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise OutputFileError(_not_writable(folder), "FOLDER_NOT_WRITABLE")


def write_picture(
    path: Path | str,
    pixels: DocumentArray | Iterable[DocumentArray],
    fmt: PixelFormat,
    *,
    size: Size | None = None,
    icc: bytes = b"",
    metadata: Metadata | None = None,
    policy: MetadataPolicy = "keep",
    operation: Mapping[str, object] | None = None,
    generative: bool = False,
) -> tuple[str, ...]:
    """Writes an upright picture, H W C, or bands of its rows (then `size` is needed) in the given format.

    `metadata` is what the input file said, carried over as `policy` says; `operation` is added to its record
    (None: nothing is added). Returns one sentence for each thing that the container could not keep.
    Raises OutputFileError, and InvalidRequest for a profile that a needed conversion cannot use.
    """
    target = _real(path)
    container = _container_for(Path(path), fmt)
    whole = _assembled(pixels, fmt, size)
    notes: list[str] = []
    whole, fmt, icc = _converted(whole, fmt, icc, container, notes)
    kept, dropped = carried_over(
        metadata or Metadata(),
        policy,
        size=Size(whole.shape[1], whole.shape[0]),
        thumbnail=lambda: thumbnail_jpeg(whole, fmt, icc),
    )
    notes += dropped
    if operation is not None:
        kept = replace(kept, xmp=append_operation(kept.xmp, operation, generative))
    if kept.iptc and not container.iptc:
        notes.append(f"{container.name} has no place for the IPTC block: it was left out")
    image = _image(whole, fmt, icc, kept, container)
    with _fresh_file(target) as temporary:
        _save(image, temporary, container, whole.nbytes)
        _add_blocks(temporary, kept, container, notes)
    return tuple(notes)


def _real(path: Path | str) -> Path:
    return Path(os.path.realpath(path))  # a link stays a link to the new file


def _container_for(path: Path, fmt: PixelFormat) -> _Container:
    suffix = path.suffix.lower()
    if suffix in (".heic", ".heif"):
        raise OutputFileError(
            f"{path} cannot be written: HEIC is read only, use .avif", "FORMAT_NOT_SUPPORTED"
        )
    container = _SUFFIXES.get(suffix)
    if container is None:
        known = ", ".join(SUFFIXES)
        raise OutputFileError(
            f"the name {path} does not say a picture format: end it with one of {known}", "SUFFIX_UNKNOWN"
        )
    if fmt.alpha and not container.alpha:
        raise OutputFileError(
            f"{path} cannot be written: {container.name} has no transparency, use .png, .tif or .webp",
            "FORMAT_NOT_SUPPORTED",
        )
    return container


def _assembled(
    pixels: DocumentArray | Iterable[DocumentArray], fmt: PixelFormat, size: Size | None
) -> DocumentArray:
    if isinstance(pixels, np.ndarray):
        return np.ascontiguousarray(pixels)
    if size is None:
        raise ValueError("bands of rows need the picture's size")
    whole: DocumentArray = np.empty((size.height, size.width, fmt.channels), dtype=fmt.sample.dtype)
    row = 0
    for band in pixels:
        whole[row : row + len(band)] = band
        row += len(band)
    if row != size.height:
        raise ValueError(f"{row} rows came, {size.height} were announced")
    return whole


def _converted(
    pixels: DocumentArray, fmt: PixelFormat, icc: bytes, container: _Container, notes: list[str]
) -> tuple[DocumentArray, PixelFormat, bytes]:
    """The picture as deep as the container holds, and in sRGB where its numbers would be misread there."""
    sample = fmt.sample if fmt.sample in container.samples else container.samples[-1]
    stays_linear = fmt.linear and sample is Sample.F32
    if (fmt.linear and not stays_linear) or (icc and not _keeps_profile(container, fmt, sample, icc)):
        pixels, icc, stays_linear = _to_srgb(pixels, fmt, icc), b"", False
        notes.append(f"{container.name} cannot say how this picture's numbers are meant: converted to sRGB")
    if sample is Sample.F32 and not icc and not stays_linear:  # it is read as linear
        encoded = pixels[..., : fmt.colour_channels].astype(np.float32)
        linear = encoding_for(PixelFormat(fmt.colour_channels, False, Sample.F32), b"").to_linear(encoded)
        pixels, stays_linear = _with_colours(pixels, fmt, linear), True
    if fmt.sample is not sample:
        notes.append(f"{container.name} holds {_DEPTHS[sample]}: rounded from {_DEPTHS[fmt.sample]}")
    if pixels.dtype != sample.dtype:
        pixels = _rounded(pixels, sample)
    if container is _AVIF and sample is Sample.U16:
        notes.append(f"AVIF holds {_AVIF_BITS} bits: rounded to them")
        pixels = _rounded_to_bits(pixels, _AVIF_BITS)
    return pixels, PixelFormat(fmt.colour_channels, fmt.alpha, sample, stays_linear), icc


def _keeps_profile(container: _Container, fmt: PixelFormat, sample: Sample, icc: bytes) -> bool:
    """Tried with one pixel: libvips drops profiles that do not suit the channels or that littleCMS refuses,
    libpng fails with others, and WebP and AVIF hold no grey."""
    pixel = np.zeros((1, 1, fmt.channels), dtype=sample.dtype)
    saver = container.saver
    image = _image(pixel, PixelFormat(fmt.colour_channels, fmt.alpha, sample), icc, Metadata(), container)
    try:
        written = pyvips.Operation.call(saver + "_buffer", image, keep="all", **_options(image, container, 0))
        back = pyvips.Operation.call(saver.replace("save", "load") + "_buffer", written)
    except pyvips.Error:
        return False
    return bool(back.get_typeof("icc-profile-data")) and back.get("icc-profile-data") == icc


_DEPTHS = {Sample.U8: "8 bits", Sample.U16: "16 bits", Sample.F32: "32-bit float"}


def _to_srgb(pixels: DocumentArray, fmt: PixelFormat, icc: bytes) -> FloatArray:
    """sRGB-encoded float, alpha beside it."""
    colours = encoding_for(fmt, icc).encode(pixels[..., : fmt.colour_channels])
    return _with_colours(pixels, fmt, colours)


def _with_colours(pixels: DocumentArray, fmt: PixelFormat, colours: FloatArray) -> FloatArray:
    if not fmt.alpha:
        return colours
    alpha = np.divide(pixels[..., -1:], np.float32(fmt.sample.white), dtype=np.float32)
    return np.concatenate([colours, alpha], axis=-1)


def _rounded(pixels: DocumentArray, sample: Sample) -> DocumentArray:
    """Numbers of the whole range of `sample`; values beyond it are clipped."""
    if pixels.dtype == np.float32 and np.isnan(pixels).any():
        raise OutputFileError(
            "the picture holds samples that are not numbers (NaN): write it as a float TIFF",
            "FORMAT_NOT_SUPPORTED",
        )
    factor = np.float32(sample.white / PixelFormat.of(pixels).sample.white)
    scaled = np.multiply(pixels, factor, dtype=np.float32)
    np.clip(scaled, 0, sample.white, out=scaled)
    np.rint(scaled, out=scaled)
    return scaled.astype(np.uint8) if sample is Sample.U8 else scaled.astype(np.uint16)


def _rounded_to_bits(pixels: DocumentArray, bits: int) -> DocumentArray:
    """16-bit numbers whose high bits are the rounded value: libvips drops the others."""
    levels = (1 << bits) - 1
    value = np.rint(np.multiply(pixels, np.float32(levels / 65535), dtype=np.float32)).astype(np.uint16)
    shifted: DocumentArray = np.left_shift(value, 16 - bits, dtype=np.uint16)
    return shifted


def _image(
    pixels: DocumentArray, fmt: PixelFormat, icc: bytes, metadata: Metadata, container: _Container
) -> pyvips.Image:
    height, width, channels = pixels.shape
    image = pyvips.Image.new_from_memory(pixels.data, width, height, channels, _VIPS_FORMATS[fmt.sample])
    across, down = metadata.pixels_per_mm or (_USUAL_PIXELS_PER_MM, _USUAL_PIXELS_PER_MM)
    interpretation = _INTERPRETATIONS[fmt.colour_channels, fmt.sample]
    image = image.copy(interpretation=interpretation, xres=across, yres=down)
    image.set_type(pyvips.GValue.gstr_type, "resolution-unit", metadata.unit)
    blocks = {"icc-profile-data": icc, "xmp-data": metadata.xmp}
    if container is not _TIFF:
        blocks["exif-data"] = metadata.exif
    if container is _JPEG:
        blocks["iptc-data"] = photoshop_from_iptc(metadata.iptc) if metadata.iptc else b""
        blocks["xmp-data"] = metadata.xmp if len(metadata.xmp) <= MAX_XMP_BYTES else b""
    for name, block in blocks.items():
        if block:
            image.set_type(pyvips.GValue.blob_type, name, block)
    return image


def _save(image: pyvips.Image, path: Path, container: _Container, pixel_bytes: int) -> None:
    options = _options(image, container, pixel_bytes)
    pyvips.Operation.call(container.saver, image, str(path), keep="all", **options)


def _options(image: pyvips.Image, container: _Container, pixel_bytes: int) -> dict[str, object]:
    options = dict(container.options)
    if container is _TIFF:
        options["predictor"] = "float" if image.format == "float" else "horizontal"
        options["bigtiff"] = pixel_bytes > _BIGTIFF_FROM_BYTES
    if container is _AVIF:
        options["bitdepth"] = _AVIF_BITS if image.format == "ushort" else 8
    return options


def _add_blocks(path: Path, metadata: Metadata, container: _Container, notes: list[str]) -> None:
    """What libvips cannot write: EXIF and whole IPTC blocks into TIFF, long XMP packets into JPEG."""
    if container is _TIFF:
        try:
            with path.open("r+b") as file:
                add_tiff_blocks(file, metadata)
        except TiffDamaged as damage:
            notes.append(f"EXIF and IPTC do not fit the TIFF file ({damage}) and were left out")
    if container is _JPEG and len(metadata.xmp) > MAX_XMP_BYTES:
        insert_extended(path, metadata.xmp)


@contextmanager
def _fresh_file(target: Path) -> Iterator[Path]:
    """A new file beside `target` that takes its name when the block ends well, and is gone when not."""
    if target.is_dir():
        raise _is_folder(target)
    temporary = target.with_name(f".{target.stem[:80]}.{secrets.token_hex(6)}.part{target.suffix}")
    try:
        os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
    except OSError as error:
        raise _output_error(target, error) from None
    try:
        yield temporary
        _flush(temporary)
        os.replace(temporary, target)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise _output_error(target, error) from None
    except pyvips.Error as error:
        temporary.unlink(missing_ok=True)
        raise _save_error(target, error) from None
    except BaseException:  # an interruption too must leave no part behind
        temporary.unlink(missing_ok=True)
        raise
    if os.name == "posix":
        _flush(target.parent)


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _output_error(target: Path, error: OSError) -> OutputFileError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return _disk_full(target)
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return OutputFileError(_not_writable(target.parent), "FOLDER_NOT_WRITABLE")
    if error.errno in (errno.ENOENT, errno.ENOTDIR):
        return OutputFileError(f"there is no folder {target.parent}: create it first", "FOLDER_NOT_WRITABLE")
    return OutputFileError(f"{target} cannot be written: {error.strerror or error}", "WRITE_FAILED")


def _save_error(target: Path, error: pyvips.Error) -> OutputFileError:
    """libvips says what failed only in words."""
    words = f"{error.message} {error.detail}"
    if any(os.strerror(code) in words for code in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)) or _full(target):
        return _disk_full(target)
    return OutputFileError(
        f"{target} cannot be written: {error.message}", "WRITE_FAILED", details={"libvips": words[:200]}
    )


def _full(target: Path) -> bool:
    if not hasattr(os, "statvfs"):
        return False
    disk = os.statvfs(target.parent)
    return disk.f_bavail * disk.f_frsize < _FREE_BYTES_OF_A_FULL_DISK


def _is_folder(target: Path) -> OutputFileError:
    return OutputFileError(f"{target} is a folder: give the name of a file", "WRITE_FAILED")


def _not_writable(folder: Path) -> str:
    return f"nothing can be written in the folder {folder}: choose another, or change its permissions"


def _disk_full(target: Path) -> OutputFileError:
    return OutputFileError(
        f"the disk with {target.parent} is full: free some space and try again", "DISK_FULL"
    )
