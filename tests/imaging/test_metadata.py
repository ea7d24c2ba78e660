"""What an output carries of its input's EXIF, XMP, IPTC and resolution, on real files."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import numpy as np
import pytest
import pyvips
from PIL import Image
from PIL.ExifTags import IFD

from safelight.geometry import Size
from safelight.imaging.exif import Exif, to_block
from safelight.imaging.files import Metadata, MetadataPolicy, open_picture, write_picture
from safelight.imaging.metadata import carried_over, photoshop_from_iptc
from safelight.imaging.pixels import PixelFormat, Sample
from safelight.imaging.record import append_operation, read_operations
from safelight.imaging.thumbnail import thumbnail_jpeg
from safelight.imaging.tiff import Entry
from tests.fakes import icc

PROFILE = icc.rgb_profile(icc.DISPLAY_P3, icc.parametric(3, *icc.SRGB_PARAMETERS))
XMP = b"""<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/"
 xmlns:exif="http://ns.adobe.com/exif/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/"
 xmlns:tiff="http://ns.adobe.com/tiff/1.0/"
 photoshop:City="Lisbon" exif:GPSLatitude="38,42.5N" tiff:Orientation="6" photoshop:Credit="An archive">
<dc:title><rdf:Alt><rdf:li xml:lang="x-default">The harbour</rdf:li></rdf:Alt></dc:title>
<Iptc4xmpExt:LocationShown xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/">
<rdf:Bag><rdf:li>somewhere</rdf:li></rdf:Bag></Iptc4xmpExt:LocationShown>
</rdf:Description></rdf:RDF></x:xmpmeta>"""


def dataset(number: int, text: bytes) -> bytes:
    return struct.pack(">BBBH", 0x1C, 2, number, len(text)) + text


CAPTION, CITY, COUNTRY = dataset(120, b"A harbour"), dataset(90, b"Lisbon"), dataset(101, b"Portugal")
IPTC = CAPTION + CITY + COUNTRY
MAKER_NOTE = b"\x00\x01binary\xff\xfe" * 9


def exif_block() -> bytes:
    tags = Image.Exif()
    tags[0x010E], tags[0x010F], tags[0x0112], tags[0x8298] = "A harbour", "Maker", 6, "(c) somebody"
    more = tags.get_ifd(IFD.Exif)
    more[0x9003], more[0x927C], more[0x829A] = "1999:12:31 23:59:58", MAKER_NOTE, (1, 125)
    more[0xA002], more[0xA003] = 80, 64
    gps = tags.get_ifd(IFD.GPSInfo)
    gps[1], gps[2] = "N", (38.0, 42.5, 0.0)
    return tags.tobytes()


def photograph(folder: Path, suffix: str) -> Path:
    """An 80 x 64 picture with every block that its container can hold, written by libvips; it writes no EXIF
    and half an IPTC block into TIFF, so that one goes through a JPEG and our own writer."""
    if suffix == ".tif":
        return rewritten(photograph(folder, ".jpg"), ".tif", "keep").rename(folder / "in.tif")
    pixels = np.random.default_rng(1).integers(0, 255, (64, 80, 3), dtype=np.uint8)
    image = pyvips.Image.new_from_array(pixels, interpretation="srgb").copy(xres=300 / 25.4, yres=300 / 25.4)
    image.set_type(pyvips.GValue.gstr_type, "resolution-unit", "in")
    iptc = photoshop_from_iptc(IPTC) if suffix == ".jpg" else IPTC
    blocks = {"exif-data": exif_block(), "xmp-data": XMP, "iptc-data": iptc, "icc-profile-data": PROFILE}
    for name, block in blocks.items():
        image.set_type(pyvips.GValue.blob_type, name, block)
    path = folder / f"in{suffix}"
    image.write_to_file(str(path))
    return path


def rewritten(source: Path, suffix: str, policy: MetadataPolicy) -> Path:
    picture = open_picture(source)
    target = source.with_name(f"out{suffix}")
    write_picture(
        target, picture.read(), picture.format, icc=picture.icc, metadata=picture.metadata, policy=policy
    )
    return target


def exif_of(path: Path) -> dict[str, object]:
    """Some values as Pillow reads them from any container."""
    with Image.open(path) as image:
        tags = image.getexif()
        more, gps = tags.get_ifd(IFD.Exif), tags.get_ifd(IFD.GPSInfo)
    return {
        "description": tags.get(0x010E), "make": tags.get(0x010F), "orientation": tags.get(0x0112, 1),
        "taken": more.get(0x9003), "maker note": more.get(0x927C), "latitude": gps.get(2),
    }  # fmt: skip


JPEG_LIKE = [".jpg", ".png", ".webp", ".avif"]


@pytest.mark.parametrize("target", [*JPEG_LIKE, ".tif"])
@pytest.mark.parametrize("source", [".jpg", ".png", ".webp"])
def test_keep_carries_exif_between_containers(tmp_path: Path, source: str, target: str) -> None:
    path = rewritten(photograph(tmp_path, source), target, "keep")
    assert exif_of(path) == {
        "description": "A harbour", "make": "Maker", "orientation": 1, "taken": "1999:12:31 23:59:58",
        "maker note": MAKER_NOTE, "latitude": (38.0, 42.5, 0.0),
    }  # fmt: skip


def test_exif_of_a_tiff_is_kept(tmp_path: Path) -> None:
    first = rewritten(photograph(tmp_path, ".jpg"), ".tif", "keep")
    source = first.rename(tmp_path / "scan.tif")
    expected = exif_of(source)
    assert expected["latitude"] == (38.0, 42.5, 0.0)
    assert exif_of(rewritten(source, ".tif", "keep")) == expected
    assert exif_of(rewritten(source, ".jpg", "keep")) == expected


def big_endian_scan() -> bytes:
    """A 1 x 1 grey TIFF, Motorola order, with a maker, an exposure time and IPTC called 32-bit numbers."""
    ifd, exif_ifd, after = 8, 8 + 2 + 12 * 10 + 4, 8 + 2 + 12 * 10 + 4 + 2 + 12 + 4
    iptc = IPTC + bytes(-len(IPTC) % 4)
    entries = [
        (256, 3, 1, 1 << 16), (257, 3, 1, 1 << 16), (258, 3, 1, 8 << 16), (259, 3, 1, 1 << 16),
        (262, 3, 1, 1 << 16), (271, 2, 14, after + 8), (273, 4, 1, after + 24), (279, 4, 1, 1),
        (33723, 4, len(iptc) // 4, after + 26), (34665, 4, 1, exif_ifd),
    ]  # fmt: skip
    body = struct.pack(">H", 10) + b"".join(struct.pack(">HHII", *e) for e in entries) + bytes(4)
    body += struct.pack(">HHHIII", 1, 0x829A, 5, 1, after, 0)
    body += struct.pack(">II", 1, 125) + b"Scanner maker\0\0\0" + b"\x80\0" + iptc
    return struct.pack(">2sHI", b"MM", 42, ifd) + body


def test_exif_and_iptc_of_a_big_endian_tiff_are_kept(tmp_path: Path) -> None:
    (tmp_path / "scan.tif").write_bytes(big_endian_scan())
    assert open_picture(tmp_path / "scan.tif").metadata.iptc.rstrip(b"\0") == IPTC
    path = rewritten(tmp_path / "scan.tif", ".tif", "keep")
    assert open_picture(path).metadata.iptc.rstrip(b"\0") == IPTC
    with Image.open(path) as image:
        assert image.getexif()[0x010F] == "Scanner maker"
        assert float(image.getexif().get_ifd(IFD.Exif)[0x829A]) == 1 / 125


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".tif"])
def test_keep_carries_xmp_profile_and_resolution(tmp_path: Path, suffix: str) -> None:
    picture = open_picture(rewritten(photograph(tmp_path, suffix), suffix, "keep"))
    for text in (b"The harbour", b"Lisbon", b"38,42.5N", b"An archive", b"somewhere"):
        assert text in picture.metadata.xmp
    assert picture.icc == PROFILE
    if suffix != ".webp":  # has no place for it but EXIF
        assert picture.metadata.pixels_per_mm == pytest.approx((300 / 25.4, 300 / 25.4), rel=0.01)


@pytest.mark.parametrize(
    ("source", "target"), [(".jpg", ".jpg"), (".jpg", ".tif"), (".tif", ".jpg"), (".tif", ".tif")]
)
def test_keep_carries_iptc(tmp_path: Path, source: str, target: str) -> None:
    kept = open_picture(rewritten(photograph(tmp_path, source), target, "keep")).metadata.iptc
    assert kept.rstrip(b"\0") == IPTC


def test_iptc_that_has_no_place_is_mentioned(tmp_path: Path) -> None:
    picture = open_picture(photograph(tmp_path, ".jpg"))
    notes = write_picture(tmp_path / "a.png", picture.read(), picture.format, metadata=picture.metadata)
    assert any("IPTC" in note for note in notes)


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".tif"])
def test_no_location_removes_places_and_nothing_else(tmp_path: Path, suffix: str) -> None:
    source = rewritten(photograph(tmp_path, ".jpg"), suffix, "keep").rename(tmp_path / f"full{suffix}")
    path = rewritten(source, suffix, "no-location")
    exif, metadata = exif_of(path), open_picture(path).metadata
    assert exif["latitude"] is None
    assert (exif["description"], exif["taken"]) == ("A harbour", "1999:12:31 23:59:58")
    for text in (b"Lisbon", b"38,42.5N", b"somewhere"):
        assert text not in path.read_bytes()
    assert b"The harbour" in metadata.xmp
    assert b"An archive" in metadata.xmp
    if suffix in (".jpg", ".tif"):
        assert metadata.iptc.rstrip(b"\0") == CAPTION
    assert open_picture(path).icc == PROFILE


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".tif"])
def test_none_keeps_the_profile_and_the_record_only(tmp_path: Path, suffix: str) -> None:
    picture = open_picture(photograph(tmp_path, suffix))
    write_picture(
        tmp_path / f"out{suffix}", picture.read(), picture.format, icc=picture.icc,
        metadata=picture.metadata, policy="none", operation={"pipeline": "compact"},
    )  # fmt: skip
    bare = open_picture(tmp_path / f"out{suffix}")
    assert bare.icc == PROFILE
    assert [o["pipeline"] for o in read_operations(bare.metadata.xmp)] == ["compact"]
    assert bare.metadata.iptc == b""
    data = (tmp_path / f"out{suffix}").read_bytes()
    for text in (b"harbour", b"Lisbon", b"Maker", b"1999:12:31"):
        assert text not in data


def test_none_keeps_an_earlier_record() -> None:
    recorded = append_operation(XMP, {"pipeline": "compact"}, generative=False)
    kept, notes = carried_over(Metadata(xmp=recorded), "none", size=Size(8, 8))
    assert [o["pipeline"] for o in read_operations(kept.xmp)] == ["compact"]
    assert b"harbour" not in kept.xmp
    assert notes == ()


def test_the_thumbnail_goes_and_dimensions_follow(tmp_path: Path) -> None:
    picture = open_picture(photograph(tmp_path, ".jpg"))
    kept, _ = carried_over(picture.metadata, "keep", size=Size(160, 128))
    tags = Image.Exif()
    tags.load(kept.exif)
    assert tags.get_ifd(IFD.IFD1) == {}
    more = tags.get_ifd(IFD.Exif)
    assert (more[0xA002], more[0xA003]) == (160, 128)


def test_the_stated_orientation_goes_from_xmp_too() -> None:
    kept, _ = carried_over(Metadata(xmp=XMP), "keep", size=Size(8, 8))
    assert b"Orientation" not in kept.xmp


BOMB = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>' + XMP.replace(
    b"An archive", b"&b;"
)
GOOD_EXIF = exif_block()


@pytest.mark.parametrize(
    ("metadata", "says"),
    [
        (Metadata(xmp=b"<x:xmpmeta"), "not well-formed"),
        (Metadata(xmp=b"<a/>"), "no RDF"),
        (Metadata(xmp=BOMB), "entities"),
        (Metadata(xmp=b"<?a <!-- ?>" + BOMB + b"<!-- -->"), "entities"),
        (Metadata(xmp=b"\xff\xfe" + BOMB.decode().encode("utf-16-le")), "entities"),
        (Metadata(xmp=b"<a>" * 5000 + b"</a>" * 5000), "nested"),
        (Metadata(xmp=b"\xff" * 100), "not well-formed"),
        (Metadata(xmp=b" " * (9 << 20)), "bytes"),
        (Metadata(exif=b"Exif\0\0nothing at all"), "no TIFF header"),
        (Metadata(exif=GOOD_EXIF[:60]), "beyond the end"),
        (Metadata(exif=b"II*\0\x08\0\0\0\xff\xff"), "65535 entries"),
        (Metadata(iptc=CAPTION[:-3]), "IPTC"),
    ],
)
def test_damaged_blocks_are_left_out_and_mentioned(metadata: Metadata, says: str) -> None:
    kept, notes = carried_over(metadata, "no-location", size=Size(8, 8))
    assert says in notes[0]
    assert kept.exif == kept.xmp == kept.iptc == b""


def test_a_thumbnail_is_made_anew_from_the_result(tmp_path: Path) -> None:
    source, target = tmp_path / "in.jpg", tmp_path / "out.jpg"
    old = thumbnail_jpeg(np.full((8, 8, 3), 255, np.uint8), PixelFormat(3, False, Sample.U8), b"")
    block = to_block(Exif(main={0x0112: Entry.short(6)}, thumbnail=old))
    Image.new("RGB", (640, 400), "white").save(source, exif=block)
    picture = open_picture(source)
    after = np.zeros((640, 400, 3), np.uint8)
    after[:320] = (200, 30, 30)
    write_picture(target, after, PixelFormat.of(after), metadata=picture.metadata)
    small = thumbnail_of(target)
    assert small.size == (100, 160)
    assert np.abs(np.asarray(small)[40, 50].astype(int) - (200, 30, 30)).max() < 6
    assert np.asarray(small)[120, 50].max() < 6


def thumbnail_of(path: Path) -> Image.Image:
    with Image.open(path) as picture:
        place = picture.getexif().get_ifd(IFD.IFD1)
        block = picture.info["exif"].removeprefix(b"Exif\0\0")
    return Image.open(io.BytesIO(block[place[0x0201] : place[0x0201] + place[0x0202]]))
