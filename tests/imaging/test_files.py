"""Reading and writing picture files: depth, profile and range kept; bad files and full disks refused."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
import pyvips
from PIL import Image, ImageOps

from safelight.errors import InputFileError, OutputFileError
from safelight.geometry import Rect, Size
from safelight.imaging.files import check_output, open_picture, write_picture
from safelight.imaging.pixels import DocumentArray, PixelFormat, Sample
from safelight.imaging.profiles import encoding_for
from tests.fakes import icc

PROPHOTO = icc.rgb_profile(icc.PROPHOTO, icc.gamma(1.8))
GREY22 = icc.grey_profile(icc.gamma(2.2))


SMALL = Size(31, 22)


def noise(sample: Sample, channels: int, size: Size = SMALL) -> DocumentArray:
    rng = np.random.default_rng(3)
    values = rng.random((size.height, size.width, channels), dtype=np.float32)
    if sample is Sample.F32:
        return values * np.float32(3) - np.float32(0.5)
    return (values * (sample.white + 0.99)).astype(sample.dtype)


@pytest.mark.parametrize("sample", list(Sample))
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("with_profile", [False, True])
def test_tiff_keeps_every_sample_and_the_profile(
    tmp_path: Path, sample: Sample, channels: int, with_profile: bool
) -> None:
    pixels = noise(sample, channels)
    profile = b"" if not with_profile else PROPHOTO if channels >= 3 else GREY22
    fmt = PixelFormat.of(pixels, linear=sample is Sample.F32 and not with_profile)
    assert write_picture(tmp_path / "a.tif", pixels, fmt, icc=profile) == ()
    picture = open_picture(tmp_path / "a.tif")
    assert (picture.format, picture.icc, picture.size) == (fmt, profile, Size(31, 22))
    np.testing.assert_array_equal(picture.read(), pixels)


@pytest.mark.parametrize("size", [Size(1, 1), Size(1, 5), Size(5, 1)])
@pytest.mark.parametrize("channels", [1, 3])
def test_tiny_pictures_keep_their_shape(tmp_path: Path, size: Size, channels: int) -> None:
    pixels = noise(Sample.U8, channels, size)
    write_picture(tmp_path / "a.png", pixels, PixelFormat.of(pixels))
    np.testing.assert_array_equal(open_picture(tmp_path / "a.png").read(), pixels)


@pytest.mark.parametrize("sample", [Sample.U8, Sample.U16])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_png_keeps_every_sample(tmp_path: Path, sample: Sample, channels: int) -> None:
    pixels = noise(sample, channels)
    fmt = PixelFormat.of(pixels)
    assert write_picture(tmp_path / "a.png", pixels, fmt) == ()
    picture = open_picture(tmp_path / "a.png")
    assert picture.format == fmt
    np.testing.assert_array_equal(picture.read(), pixels)


@pytest.mark.parametrize("channels", [3, 4])
def test_webp_is_lossless(tmp_path: Path, channels: int) -> None:
    pixels = noise(Sample.U8, channels)
    write_picture(tmp_path / "a.webp", pixels, PixelFormat.of(pixels), icc=PROPHOTO)
    picture = open_picture(tmp_path / "a.webp")
    assert picture.icc == PROPHOTO
    np.testing.assert_array_equal(picture.read(), pixels)


def smooth(sample: Sample, channels: int) -> DocumentArray:
    rows, columns = np.mgrid[0:48, 0:64] / 64
    planes = [0.5 + 0.4 * np.sin(3 * rows + c) * np.cos(2 * columns) for c in range(channels)]
    return (np.stack(planes, axis=-1) * sample.white).astype(sample.dtype)


@pytest.mark.parametrize(("suffix", "bits"), [(".jpg", 8), (".avif", 12)])
def test_deep_pictures_are_rounded_where_the_file_is_shallow_and_that_is_said(
    tmp_path: Path, suffix: str, bits: int
) -> None:
    pixels = smooth(Sample.U16, 3)
    notes = write_picture(tmp_path / f"a{suffix}", pixels, PixelFormat.of(pixels), icc=PROPHOTO)
    assert [n for n in notes if f"{bits} bits" in n]
    picture = open_picture(tmp_path / f"a{suffix}")
    assert picture.icc == PROPHOTO
    back = picture.read() / picture.format.sample.white
    assert np.max(np.abs(back - pixels / 65535)) < 0.02  # lossy at quality 95


def test_avif_white_is_white(tmp_path: Path) -> None:
    white = np.full((16, 16, 3), 65535, dtype=np.uint16)
    write_picture(tmp_path / "a.avif", white, PixelFormat.of(white))
    assert open_picture(tmp_path / "a.avif").read().min() >= 65535 - 16  # one 12-bit step


def test_jpeg_keeps_colour_at_full_resolution(tmp_path: Path) -> None:
    pixels = np.zeros((32, 32, 3), dtype=np.uint8)
    pixels[:, ::2, 0] = 255  # red columns of one pixel: gone at 4:2:0
    write_picture(tmp_path / "a.jpg", pixels, PixelFormat.of(pixels))
    red = open_picture(tmp_path / "a.jpg").read()[..., 0].astype(int)
    assert np.min(red[:, ::2] - red[:, 1::2]) > 150


def test_linear_float_becomes_srgb_in_a_png(tmp_path: Path) -> None:
    pixels = np.array([[[0.0, 0.214041, 1.7]]], dtype=np.float32)
    notes = write_picture(tmp_path / "a.png", pixels, PixelFormat.of(pixels, linear=True))
    assert len(notes) == 2
    np.testing.assert_allclose(open_picture(tmp_path / "a.png").read()[0, 0], [0, 32768, 65535], atol=2)


def test_float_with_a_profile_keeps_it_in_a_png(tmp_path: Path) -> None:
    pixels = np.array([[[0.0, 0.25, 1.0]]], dtype=np.float32)
    write_picture(tmp_path / "a.png", pixels, PixelFormat.of(pixels), icc=PROPHOTO)
    picture = open_picture(tmp_path / "a.png")
    assert picture.icc == PROPHOTO
    assert picture.read()[0, 0].tolist() == [0, 16384, 65535]


def test_srgb_encoded_float_comes_back_as_linear_light(tmp_path: Path) -> None:
    pixels = np.full((2, 2, 3), 0.5, dtype=np.float32)
    write_picture(tmp_path / "a.tif", pixels, PixelFormat.of(pixels))
    picture = open_picture(tmp_path / "a.tif")
    assert picture.format.linear
    np.testing.assert_allclose(picture.read(), 0.214041, atol=1e-5)


def test_grey_with_a_profile_becomes_srgb_where_only_colour_fits(tmp_path: Path) -> None:
    pixels = smooth(Sample.U8, 1)
    notes = write_picture(tmp_path / "a.webp", pixels, PixelFormat.of(pixels), icc=GREY22)
    assert any("sRGB" in n for n in notes)
    expected = encoding_for(PixelFormat.of(pixels), GREY22).encode(pixels) * 255
    back = open_picture(tmp_path / "a.webp").read()
    assert np.max(np.abs(back - expected)) <= 0.51


@pytest.mark.parametrize("suffix", [".png", ".tif", ".jpg"])
def test_a_profile_that_the_file_would_lose_is_applied(tmp_path: Path, suffix: str) -> None:
    pixels = smooth(Sample.U8, 1)  # grey, with a profile for RGB: libvips drops it in silence
    notes = write_picture(tmp_path / f"a{suffix}", pixels, PixelFormat.of(pixels), icc=PROPHOTO)
    assert any("sRGB" in n for n in notes)
    expected = encoding_for(PixelFormat.of(pixels), PROPHOTO).encode(pixels) * 255
    picture = open_picture(tmp_path / f"a{suffix}")
    assert picture.icc == b""
    assert np.max(np.abs(picture.read() - expected)) <= 2.5  # JPEG at quality 95


def test_a_float_picture_that_loses_its_profile_is_linear_srgb(tmp_path: Path) -> None:
    pixels = np.full((4, 4, 1), 0.5, dtype=np.float32)
    write_picture(tmp_path / "a.tif", pixels, PixelFormat.of(pixels), icc=PROPHOTO)
    np.testing.assert_allclose(open_picture(tmp_path / "a.tif").read(), 0.5 ** (461 / 256), atol=1e-5)


def test_srgb_numbers_stay_when_their_profile_cannot(tmp_path: Path) -> None:
    pixels = smooth(Sample.U16, 1)
    profile = icc.rgb_profile(icc.SRGB, icc.parametric(3, *icc.SRGB_PARAMETERS))
    write_picture(tmp_path / "a.png", pixels, PixelFormat.of(pixels), icc=profile)
    np.testing.assert_array_equal(open_picture(tmp_path / "a.png").read(), pixels)


def test_bands_make_the_same_file_as_the_whole(tmp_path: Path) -> None:
    pixels = noise(Sample.U16, 3)
    fmt = PixelFormat.of(pixels)
    write_picture(tmp_path / "whole.png", pixels, fmt)
    write_picture(tmp_path / "bands.png", iter([pixels[:9], pixels[9:]]), fmt, size=Size(31, 22))
    assert (tmp_path / "whole.png").read_bytes() == (tmp_path / "bands.png").read_bytes()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_is_applied_and_reset(tmp_path: Path, orientation: int) -> None:
    pixels = smooth(Sample.U8, 3)
    tags = Image.Exif()
    tags[0x0112] = orientation
    Image.fromarray(pixels).save(tmp_path / "a.png", exif=tags)
    with Image.open(tmp_path / "a.png") as stored:
        upright = np.asarray(ImageOps.exif_transpose(stored))
    picture = open_picture(tmp_path / "a.png")
    assert picture.size == Size(upright.shape[1], upright.shape[0])
    np.testing.assert_array_equal(picture.read(), upright)
    rect = Rect(5, 7, 20, 11)
    np.testing.assert_array_equal(picture.read_rect(rect), upright[rect.slices])
    write_picture(tmp_path / "b.png", picture.read(), picture.format, metadata=picture.metadata)
    with Image.open(tmp_path / "b.png") as written:
        assert written.getexif()[0x0112] == 1


def test_a_rect_outside_is_refused(tmp_path: Path) -> None:
    pixels = smooth(Sample.U8, 1)
    write_picture(tmp_path / "a.png", pixels, PixelFormat.of(pixels))
    with pytest.raises(ValueError, match="not within"):
        open_picture(tmp_path / "a.png").read_rect(Rect(60, 0, 5, 5))


def test_palettes_and_bilevel_pictures_are_expanded(tmp_path: Path) -> None:
    pixels = smooth(Sample.U8, 3)
    palette = Image.fromarray(pixels).quantize(8)
    palette.save(tmp_path / "palette.png")
    np.testing.assert_array_equal(open_picture(tmp_path / "palette.png").read(), palette.convert("RGB"))
    bilevel = Image.fromarray(pixels).convert("1")
    bilevel.save(tmp_path / "bilevel.tif")
    np.testing.assert_array_equal(open_picture(tmp_path / "bilevel.tif").read()[..., 0], bilevel.convert("L"))


def test_premultiplied_colours_are_divided(tmp_path: Path) -> None:
    plain = np.array([[[128, 64, 26, 100], [0, 0, 0, 0], [9, 8, 7, 255]]], dtype=np.uint8)
    image = pyvips.Image.new_from_array(plain, interpretation="srgb")
    image.tiffsave(str(tmp_path / "a.tif"), premultiply=True)
    back = open_picture(tmp_path / "a.tif").read().astype(int)
    assert np.max(np.abs(back - plain)) <= 1  # 8-bit products of 100/255


def test_only_the_first_page_is_read_and_that_is_said(tmp_path: Path) -> None:
    first, second = Image.new("L", (8, 6), 10), Image.new("L", (8, 6), 20)
    first.save(tmp_path / "a.tif", save_all=True, append_images=[second])
    picture = open_picture(tmp_path / "a.tif")
    assert "2 pages" in picture.notes[0]
    assert np.all(picture.read() == 10)


def test_a_file_that_was_written_again_is_read_again(tmp_path: Path) -> None:
    for value in (10, 200):
        pixels = np.full((8, 8, 3), value, dtype=np.uint8)
        write_picture(tmp_path / "a.png", pixels, PixelFormat.of(pixels))
        assert open_picture(tmp_path / "a.png").read()[0, 0, 0] == value


def png_header(width: int, height: int) -> bytes:
    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


def bad_file(folder: Path, case: str) -> Path:
    pixels = smooth(Sample.U8, 3)
    Image.fromarray(pixels).save(folder / "good.jpg")
    contents = {
        "a text": b"not a picture at all\n" * 10,
        "empty": b"",
        "bomb": png_header(30000, 30000),
        "svg": b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>',
        "gif": b"GIF89a" + bytes(50),
        "pdf": b"%PDF-1.7\n",
        "header only": b"\x89PNG\r\n\x1a\n",
        "garbage after the signature": b"II*\0" + b"\xff" * 64,
    }
    path = folder / "photo.jpg"
    if case == "missing":
        return path
    if case == "folder":
        path.mkdir()
        return path
    if case == "cmyk":
        Image.fromarray(pixels).convert("CMYK").save(path)
        return path
    if case == "lab":
        path = folder / "photo.tif"
        Image.fromarray(pixels).convert("LAB").save(path)
        return path
    if case == "32-bit integers":
        path = folder / "photo.tif"
        Image.fromarray(np.arange(12, dtype=np.int32).reshape(3, 4)).save(path)
        return path
    if case == "64-bit float":
        path = folder / "photo.tif"
        pyvips.Image.new_from_array(np.zeros((3, 4))).tiffsave(str(path))
        return path
    path.write_bytes(contents[case])
    return path


@pytest.mark.parametrize(
    ("case", "reason"),
    [
        ("missing", "FILE_MISSING"),
        ("folder", "NOT_A_PICTURE"),
        ("a text", "NOT_A_PICTURE"),
        ("empty", "NOT_A_PICTURE"),
        ("bomb", "PICTURE_TOO_LARGE"),
        ("svg", "FORMAT_NOT_SUPPORTED"),
        ("gif", "FORMAT_NOT_SUPPORTED"),
        ("pdf", "FORMAT_NOT_SUPPORTED"),
        ("cmyk", "FORMAT_NOT_SUPPORTED"),
        ("lab", "FORMAT_NOT_SUPPORTED"),
        ("32-bit integers", "FORMAT_NOT_SUPPORTED"),
        ("64-bit float", "FORMAT_NOT_SUPPORTED"),
        ("header only", "PICTURE_DAMAGED"),
        ("garbage after the signature", "PICTURE_DAMAGED"),
    ],
)
def test_bad_files_are_refused_in_one_sentence(
    tmp_path: Path, case: str, reason: str, capfd: pytest.CaptureFixture[str]
) -> None:
    path = bad_file(tmp_path, case)
    with pytest.raises(InputFileError) as refusal:
        open_picture(path)
    assert refusal.value.reason == reason
    assert str(path) in refusal.value.message
    assert "\n" not in refusal.value.message
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".tif", ".webp", ".avif"])
@pytest.mark.parametrize("kept", [0.3, 0.9, 0.99])
def test_truncated_files_are_never_read_half(
    tmp_path: Path, suffix: str, kept: float, capfd: pytest.CaptureFixture[str]
) -> None:
    pixels = noise(Sample.U8, 3, Size(90, 70))
    path = tmp_path / f"a{suffix}"
    write_picture(path, pixels, PixelFormat.of(pixels))
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * kept)])
    with pytest.raises(InputFileError) as refusal:
        open_picture(path).read()
    assert refusal.value.reason == "PICTURE_DAMAGED"
    assert capfd.readouterr() == ("", "")


def test_a_damaged_middle_is_noticed(tmp_path: Path) -> None:
    pixels = noise(Sample.U8, 3, Size(90, 70))
    write_picture(tmp_path / "a.png", pixels, PixelFormat.of(pixels))
    data = bytearray((tmp_path / "a.png").read_bytes())
    data[len(data) // 2] ^= 0xFF
    (tmp_path / "a.png").write_bytes(data)
    with pytest.raises(InputFileError, match="damaged"):
        open_picture(tmp_path / "a.png").read()


@pytest.mark.parametrize(
    ("name", "channels", "reason"),
    [
        ("a.xyz", 3, "SUFFIX_UNKNOWN"),
        ("a", 3, "SUFFIX_UNKNOWN"),
        ("a.heic", 3, "FORMAT_NOT_SUPPORTED"),
        ("a.jpg", 4, "FORMAT_NOT_SUPPORTED"),
        ("folder.png", 3, "WRITE_FAILED"),
        ("nowhere/a.png", 3, "FOLDER_NOT_WRITABLE"),
        ("file.txt/a.png", 3, "FOLDER_NOT_WRITABLE"),
    ],
)
def test_names_that_cannot_be_written_are_refused_early(
    tmp_path: Path, name: str, channels: int, reason: str
) -> None:
    (tmp_path / "file.txt").write_text("a file, not a folder")
    (tmp_path / "folder.png").mkdir()
    pixels = noise(Sample.U8, channels)
    for attempt in (
        lambda: check_output(tmp_path / name, PixelFormat.of(pixels)),
        lambda: write_picture(tmp_path / name, pixels, PixelFormat.of(pixels)),
    ):
        with pytest.raises(OutputFileError) as refusal:
            attempt()
        assert refusal.value.reason == reason
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file.txt", "folder.png"]


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="permissions do not bind the superuser")
def test_a_read_only_folder_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o555)
    pixels = noise(Sample.U8, 3)
    with pytest.raises(OutputFileError, match="permissions"):
        write_picture(tmp_path / "a.png", pixels, PixelFormat.of(pixels))


def test_an_existing_file_survives_a_failed_write(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"precious")
    pixels = np.full((4, 4, 3), np.nan, dtype=np.float32)
    with pytest.raises(OutputFileError, match="NaN"):
        write_picture(tmp_path / "a.png", pixels, PixelFormat.of(pixels))
    assert [p.name for p in tmp_path.iterdir()] == ["a.png"]
    assert (tmp_path / "a.png").read_bytes() == b"precious"


def test_an_interruption_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupted)
    pixels = noise(Sample.U8, 3)
    with pytest.raises(KeyboardInterrupt):
        write_picture(tmp_path / "a.png", pixels, PixelFormat.of(pixels))
    assert list(tmp_path.iterdir()) == []


_WRITE_WITH_A_SMALL_LIMIT = """
import resource, sys
import numpy as np
from safelight.errors import OutputFileError
from safelight.imaging.files import write_picture
from safelight.imaging.pixels import PixelFormat
pixels = np.random.default_rng(0).integers(0, 255, (300, 400, 3), dtype=np.uint8)
resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))
try:
    write_picture(sys.argv[1], pixels, PixelFormat.of(pixels))
except OutputFileError as error:
    sys.exit(error.reason)
"""


@pytest.mark.parametrize("suffix", [".png", ".tif", ".jpg", ".webp", ".avif"])
def test_a_full_disk_leaves_no_file(tmp_path: Path, suffix: str) -> None:
    # a limit on the file's size fails in the same places as a full disk, and needs no mount
    target = tmp_path / f"a{suffix}"
    run = subprocess.run(
        [sys.executable, "-c", _WRITE_WITH_A_SMALL_LIMIT, str(target)], capture_output=True, text=True
    )
    assert run.returncode != 0
    assert run.stderr == "DISK_FULL\n"
    assert list(tmp_path.iterdir()) == []


def test_new_files_have_the_usual_permissions(tmp_path: Path) -> None:
    (tmp_path / "usual").touch()
    pixels = noise(Sample.U8, 3)
    write_picture(tmp_path / "a.png", pixels, PixelFormat.of(pixels))
    assert (tmp_path / "a.png").stat().st_mode == (tmp_path / "usual").stat().st_mode


def test_brackets_in_a_name_are_part_of_the_name(tmp_path: Path) -> None:
    pixels = noise(Sample.U8, 3)
    write_picture(tmp_path / "scan [strip].png", pixels, PixelFormat.of(pixels))
    np.testing.assert_array_equal(open_picture(tmp_path / "scan [strip].png").read(), pixels)
