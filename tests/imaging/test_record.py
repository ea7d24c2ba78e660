"""The record of operations: kept in order, through every container."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from safelight.geometry import Size
from safelight.imaging.files import open_picture, write_picture
from safelight.imaging.pixels import PixelFormat
from safelight.imaging.record import (
    SEAL,
    PixelHash,
    append_operation,
    broken_seal,
    digital_source_type,
    now,
    operations_in,
    packed_mask,
    pixels_sha256,
    read_operations,
    unpacked_mask,
)
from safelight.imaging.xmp import XmpDamaged

ENHANCED = "http://cv.iptc.org/newscodes/digitalsourcetype/algorithmicallyEnhanced"
COMPOSITE = "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"
FULLY_GENERATED = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
FIRST = {"pipeline": "compact", "region": [1, 2, 3, 4], "settings": {"strength": 0.8, "text": 'ä <&> "q"'}}
SECOND = {"pipeline": "osediff", "seed": 42, "tiles": None}


def unsealed(operations: list[dict[str, object]]) -> list[dict[str, object]]:
    return [{name: value for name, value in entry.items() if name != SEAL} for entry in operations]


def test_a_new_packet_holds_the_operation() -> None:
    xmp = append_operation(None, FIRST, generative=False)
    assert unsealed(read_operations(xmp)) == [{**FIRST, "generative": False}]
    assert digital_source_type(xmp) == ENHANCED


def test_later_operations_are_appended() -> None:
    xmp = append_operation(append_operation(None, FIRST, generative=False), SECOND, generative=True)
    assert [o["pipeline"] for o in read_operations(xmp)] == ["compact", "osediff"]
    assert digital_source_type(xmp) == COMPOSITE


def test_once_generative_always_generative() -> None:
    xmp = append_operation(append_operation(None, SECOND, generative=True), FIRST, generative=False)
    assert digital_source_type(xmp) == COMPOSITE


@pytest.mark.parametrize("generative", [False, True])
def test_a_fully_generated_picture_stays_one(generative: bool) -> None:
    packet = append_operation(None, FIRST, generative=False).replace(
        ENHANCED.encode(), FULLY_GENERATED.encode()
    )
    assert digital_source_type(append_operation(packet, SECOND, generative=generative)) == FULLY_GENERATED


def test_other_content_and_its_prefixes_stay() -> None:
    packet = (
        b'<?xpacket begin="\xef\xbb\xbf" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
        b'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about=""'
        b' xmlns:lr="http://ns.adobe.com/lightroom/1.0/" lr:weightedFlatSubject="harbour"/>'
        b'</rdf:RDF></x:xmpmeta><?xpacket end="w"?>'
    )
    xmp = append_operation(packet, FIRST, generative=False)
    assert b'lr:weightedFlatSubject="harbour"' in xmp
    assert xmp.startswith(b"<?xpacket begin=")
    assert len(read_operations(xmp)) == 1


@pytest.mark.parametrize("suffix", [".tif", ".jpg", ".png", ".webp", ".avif"])
def test_the_record_travels_in_every_container(tmp_path: Path, suffix: str) -> None:
    pixels = np.random.default_rng(0).integers(0, 255, (20, 30, 3), dtype=np.uint8)
    fmt = PixelFormat.of(pixels)
    write_picture(tmp_path / f"1{suffix}", pixels, fmt, operation=FIRST)
    once = open_picture(tmp_path / f"1{suffix}")
    write_picture(
        tmp_path / f"2{suffix}", once.read(), fmt, metadata=once.metadata, operation=SECOND, generative=True
    )
    twice = open_picture(tmp_path / f"2{suffix}").metadata.xmp
    assert unsealed(read_operations(twice)) == [
        {**FIRST, "generative": False},
        {**SECOND, "generative": True},
    ]
    assert broken_seal(read_operations(twice)) is None
    assert digital_source_type(twice) == COMPOSITE


@pytest.mark.parametrize("suffix", [".tif", ".jpg", ".png", ".webp"])
def test_a_long_record_is_not_lost(tmp_path: Path, suffix: str) -> None:
    pixels = np.zeros((8, 8, 3), dtype=np.uint8)
    operation = {"tiles": ["0123456789" * 4] * 2000}  # beyond the 64 KB of one JPEG segment
    notes = write_picture(tmp_path / f"a{suffix}", pixels, PixelFormat.of(pixels), operation=operation)
    kept = open_picture(tmp_path / f"a{suffix}").metadata.xmp
    assert read_operations(kept)[0]["tiles"] == operation["tiles"]
    assert notes == ()


def test_many_operations_stay_within_one_segment_of_a_jpeg() -> None:
    xmp = None
    for seed in range(100):
        entry = {**SECOND, "seed": seed, "settings": dict.fromkeys((f"setting {n}" for n in range(40)), 0.5)}
        xmp = append_operation(xmp, entry, generative=True)
    assert [o["seed"] for o in read_operations(xmp)] == list(range(100))
    assert len(xmp) < 50_000


def test_a_few_operations_can_be_read_by_people() -> None:
    xmp = append_operation(append_operation(None, FIRST, generative=False), SECOND, generative=True)
    assert b'"pipeline": "compact"' in xmp


@pytest.mark.parametrize("text", ["{}", "[1]", "zlib:", "zlib:not base64", "zlib:aGVsbG8=", "[" * 100_000])
def test_a_record_of_another_form_is_damaged(text: str) -> None:
    with pytest.raises(XmpDamaged):
        operations_in(text)


def test_a_damaged_record_is_an_error() -> None:
    xmp = append_operation(None, FIRST, generative=False).replace(b'"pipeline"', b'"pipeline')
    with pytest.raises(XmpDamaged, match="not JSON"):
        read_operations(xmp)


def test_no_packet_has_no_operations() -> None:
    assert read_operations(b"") == []
    assert digital_source_type(b"") is None


def test_pixel_hashes_do_not_depend_on_bands_or_layout() -> None:
    pixels = np.random.default_rng(0).integers(0, 65535, (20, 30, 3), dtype=np.uint16)
    digest = PixelHash()
    for start in range(0, 20, 7):
        digest.update(pixels[start : start + 7])
    assert digest.hexdigest() == pixels_sha256(pixels)
    assert pixels_sha256(np.asfortranarray(pixels)) == pixels_sha256(pixels)
    assert pixels_sha256(pixels[::-1]) != pixels_sha256(pixels)


def test_the_hash_is_that_of_the_bytes() -> None:
    assert (
        pixels_sha256(np.array([[[1, 2, 3]]], dtype=np.uint8))
        == "039058c6f2c0cb492c533b0a4d14ef77cc0f78abccced5287d84a1a2011cfb81"
    )


def test_times_are_utc_seconds() -> None:
    assert now().endswith("+00:00")
    assert len(now()) == len("2026-01-01T00:00:00+00:00")


def _three() -> list[dict[str, object]]:
    xmp = append_operation(None, {**FIRST, "sizes": {10: 1, 2: 0.1}}, generative=False)
    xmp = append_operation(append_operation(xmp, SECOND, generative=True), FIRST, generative=True)
    return read_operations(xmp)


def test_seals_name_the_first_entry_that_is_not_as_it_was_written() -> None:
    assert broken_seal(_three()) is None
    for number in range(3):
        changed = _three()
        changed[number]["pipeline"] = "other"
        assert broken_seal(changed) == number
        assert broken_seal([e for e in _three() if e[SEAL] != _three()[number][SEAL]]) == (
            number if number < 2 else None
        )
    first, second, third = _three()
    assert broken_seal([second, first, third]) == 0


def test_masks_travel_in_text() -> None:
    rows, columns = np.mgrid[:300, :500]
    mask = np.clip(255 - 8 * (np.hypot(rows - 150, columns - 200) - 100), 0, 255).astype(np.uint8)
    text = packed_mask(mask)
    assert text is not None
    assert len(text) < 8_000
    assert np.array_equal(unpacked_mask(text, Size(500, 300)), mask)
    for size in (Size(300, 500 - 1), Size(500, 301)):
        with pytest.raises(XmpDamaged):
            unpacked_mask(text, size)
    with pytest.raises(XmpDamaged):
        unpacked_mask("AAAA", Size(500, 300))


def test_a_mask_of_noise_is_too_detailed_for_metadata() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (300, 300), dtype=np.uint8)
    assert packed_mask(noise) is None
