"""`safelight verify` and `safelight replay` on real files, through a real daemon."""

import json
import re

import numpy as np
import pytest
from PIL import Image

from safelight.imaging.files import open_picture, write_picture
from safelight.imaging.pixels import PixelFormat
from safelight.imaging.record import append_operation, operations_in
from safelight.imaging.xmp import OPERATIONS, Packet

REGION = "20,10,40,30"
INSIDE = np.s_[10:40, 20:60]


@pytest.fixture(params=["u8", "u16", "f32"])
def original(request, tmp_path, photo):
    pixels = {
        "u8": photo,
        "u16": photo.astype(np.uint16) * 257,
        "f32": photo.astype(np.float32) / 200,  # beyond 1 too
    }[request.param]
    path = tmp_path / "original.tif"
    write_picture(path, pixels, PixelFormat.of(pixels, linear=request.param == "f32"))
    return path


@pytest.fixture
def restored(safelight, photo_png, tmp_path):
    """A region restored in place, as PNG."""
    path = tmp_path / "result.png"
    assert safelight("restore", photo_png, "-o", path, "--region", REGION, "--pipeline", "brighten").code == 0
    return path


def altered(path, pixels=None, xmp=None, suffix=None):
    """The same file with other pixels or another packet."""
    picture = open_picture(path)
    target = path.with_name("altered" + (suffix or path.suffix))
    metadata = picture.metadata if xmp is None else type(picture.metadata)(xmp=xmp)
    write_picture(
        target,
        picture.read() if pixels is None else pixels,
        picture.format,
        icc=picture.icc,
        metadata=metadata,
    )
    return target


def states(run):
    return {c["name"]: c["state"] for c in run.event("verified")["checks"]}


def sentence(run, name):
    return next(c["sentence"] for c in run.event("verified")["checks"] if c["name"] == name)


def verdict(run):
    return run.event("verified")["verdict"]


@pytest.mark.parametrize("pipeline", ["compact", "brighten"])
def test_what_was_restored_is_proven(safelight, original, tmp_path, pipeline):
    result = tmp_path / "result.tif"
    safelight("restore", original, "-o", result, "--region", REGION, "--pipeline", pipeline)
    run = safelight("verify", result, original, "--json")
    assert (run.code, verdict(run)) == (0, "holds")
    assert set(states(run).values()) == {"holds"}
    (region,) = run.event("verified")["regions"]
    assert (region["region"], region["share"]) == ([20, 10, 40, 30], 40 * 30 / (96 * 64))
    assert 0 < region["changed_share"] <= 1
    assert region["mean_change"] > 0


@pytest.mark.parametrize("place", [(0, 0), (9, 20), (10, 19), (40, 59), (63, 95)])
def test_one_sample_outside_fails(safelight, original, tmp_path, place):
    result = tmp_path / "result.tif"
    safelight("restore", original, "-o", result, "--region", REGION, "--pipeline", "brighten")
    pixels = open_picture(result).read()
    sample = pixels[place][1:2]
    raw = sample.view(np.uint8)
    raw[0] ^= 1  # the smallest change there is
    run = safelight("verify", altered(result, pixels), original, "--json", "--no-replay")
    assert run.code == 1
    assert (states(run)["outside"], states(run)["output"], states(run)["record"]) == (
        "fails",
        "fails",
        "holds",
    )
    assert f"column {place[1]}, row {place[0]}" in sentence(run, "outside")


def test_one_sample_inside_fails_by_its_hash_and_by_the_replay(safelight, restored, photo_png):
    pixels = open_picture(restored).read()
    pixels[20, 30, 0] ^= 1
    run = safelight("verify", altered(restored, pixels), photo_png, "--json")
    assert run.code == 1
    assert (states(run)["outside"], states(run)["output"]) == ("holds", "fails")
    assert states(run)["replay"] == "fails"


def test_one_bit_of_the_record_fails(safelight, restored, photo_png):
    """Anywhere in its text: every single-bit change is refused."""
    xmp = open_picture(restored).metadata.xmp
    text = Packet(xmp).value(OPERATIONS)
    for at in np.linspace(0, len(text) - 1, 24).astype(int):
        for bit in (1, 2):
            changed = text[:at] + chr(ord(text[at]) ^ bit) + text[at + 1 :]
            packet = Packet(xmp)
            packet.set_value(OPERATIONS, changed)
            run = safelight(
                "verify", altered(restored, xmp=packet.to_bytes()), photo_png, "--json", "--no-replay"
            )
            assert run.code == 1, changed
            assert states(run)["record"] == "fails", changed


def test_another_original_fails(safelight, restored, photo, tmp_path):
    other = photo.copy()
    other[0, 0, 0] ^= 1
    Image.fromarray(other).save(tmp_path / "other.png")
    run = safelight("verify", restored, tmp_path / "other.png", "--json", "--no-replay")
    assert run.code == 1
    assert (states(run)["input"], states(run)["outside"]) == ("fails", "fails")


def test_a_file_without_a_record_fails(safelight, photo_png):
    run = safelight("verify", photo_png, photo_png, "--json")
    assert run.code == 1
    assert "carries none" in sentence(run, "record")


def test_another_source_type_fails(safelight, restored, photo_png):
    xmp = open_picture(restored).metadata.xmp
    assert b"algorithmicallyEnhanced" in xmp
    changed = xmp.replace(b"algorithmicallyEnhanced", b"digitalCapture")
    run = safelight("verify", altered(restored, xmp=changed), photo_png, "--json", "--no-replay")
    assert states(run)["record"] == "fails"


def test_a_mask_narrows_what_may_have_changed(safelight, photo_png, photo, tmp_path):
    mask = np.zeros(photo.shape[:2], np.uint8)
    rows, columns = np.mgrid[:64, :96]
    mask[np.hypot(rows - 30, columns - 50) < 18] = 255
    Image.fromarray(mask).save(tmp_path / "mask.png")
    result = tmp_path / "result.png"
    safelight("restore", photo_png, "-o", result, "--mask", tmp_path / "mask.png", "--pipeline", "brighten")
    run = safelight("verify", result, photo_png, "--json")
    assert (run.code, states(run)["replay"]) == (0, "holds")
    (region,) = run.event("verified")["regions"]
    assert region["share"] == pytest.approx((mask > 0).mean())
    pixels = open_picture(result).read()
    row, column = 13, 33  # in the box, outside the circle
    assert mask[row, column] == 0
    pixels[row, column, 2] ^= 1
    run = safelight("verify", altered(result, pixels), photo_png, "--json", "--no-replay")
    assert states(run)["outside"] == "fails"


def test_a_mask_too_detailed_for_the_record_is_given(safelight, tmp_path):
    noise = np.random.default_rng(0)
    picture = noise.integers(0, 256, (256, 320, 3), dtype=np.uint8)
    Image.fromarray(picture).save(tmp_path / "in.png")
    Image.fromarray(noise.integers(0, 256, (256, 320), dtype=np.uint8)).save(tmp_path / "mask.png")
    arguments = ["--mask", tmp_path / "mask.png", "--pipeline", "brighten"]
    safelight("restore", tmp_path / "in.png", "-o", tmp_path / "out.png", *arguments)
    run = safelight("verify", tmp_path / "out.png", tmp_path / "in.png", "--json")
    assert (run.code, states(run)["replay"]) == (0, "unproven")
    assert "give it with --mask" in sentence(run, "replay")
    run = safelight(
        "verify", tmp_path / "out.png", tmp_path / "in.png", "--json", "--mask", f"1={tmp_path / 'mask.png'}"
    )
    assert (run.code, states(run)["replay"]) == (0, "holds")


def test_two_operations_are_followed_from_file_to_file(safelight, restored, photo_png, tmp_path):
    twice = tmp_path / "twice.tif"
    safelight("restore", restored, "-o", twice, "--region", "50,30,40,30", "--pipeline", "compact")
    run = safelight("verify", twice, photo_png, "--json")
    assert (run.code, verdict(run)) == (0, "holds")
    assert [r["pipeline"] for r in run.event("verified")["regions"]] == ["brighten", "compact"]
    only_the_last = safelight("verify", twice, restored, "--json")
    assert (only_the_last.code, len(only_the_last.event("verified")["regions"])) == (0, 1)


def test_a_change_between_two_operations_breaks_the_chain(safelight, restored, photo_png, tmp_path):
    pixels = open_picture(restored).read()
    pixels[2, 2] ^= 1
    between = altered(restored, pixels)
    twice = tmp_path / "twice.png"
    safelight("restore", between, "-o", twice, "--region", "50,30,40,30", "--pipeline", "brighten")
    run = safelight("verify", twice, photo_png, "--json", "--no-replay")
    assert (states(run)["chain"], states(run)["outside"]) == ("fails", "fails")


def test_a_missing_operation_breaks_the_record(safelight, restored, photo_png, tmp_path):
    twice = tmp_path / "twice.png"
    safelight("restore", restored, "-o", twice, "--region", "50,30,40,30", "--pipeline", "brighten")
    packet = Packet(open_picture(twice).metadata.xmp)
    packet.set_value(OPERATIONS, json.dumps(json.loads(packet.value(OPERATIONS))[1:], sort_keys=True))
    run = safelight("verify", altered(twice, xmp=packet.to_bytes()), photo_png, "--json", "--no-replay")
    assert states(run)["record"] == "fails"


@pytest.mark.parametrize("scale", [2, 4])
def test_an_enlarged_picture_is_proven(safelight, photo_png, tmp_path, scale):
    out = tmp_path / "out.png"
    safelight("restore", photo_png, "-o", out, "--scale", scale, "--pipeline", "compact")
    run = safelight("verify", out, photo_png, "--json")
    assert (run.code, verdict(run), states(run)["replay"]) == (0, "holds", "holds")
    assert run.event("verified")["regions"][0]["changed_share"] is None


def test_a_jpeg_is_proven_by_coding_the_original_alike(safelight, photo_png, tmp_path):
    out = tmp_path / "out.jpg"
    safelight("restore", photo_png, "-o", out, "--region", REGION, "--pipeline", "compact")
    run = safelight("verify", out, photo_png, "--json")
    assert (run.code, verdict(run)) == (0, "holds")
    assert (states(run)["outside"], states(run)["output"], states(run)["replay"]) == (
        "holds",
        "unproven",
        "holds",
    )
    assert "what coding the original as JPEG gives" in sentence(run, "outside")


def test_a_jpeg_coded_otherwise_stays_open(safelight, photo_png, tmp_path):
    out = tmp_path / "out.jpg"
    safelight("restore", photo_png, "-o", out, "--region", REGION, "--pipeline", "brighten")
    again = tmp_path / "again.jpg"
    with Image.open(out) as picture:
        picture.save(again, quality=93, subsampling=0, xmp=picture.info["xmp"])
    run = safelight("verify", again, photo_png, "--json", "--no-replay")
    assert (run.code, states(run)["outside"]) == (3, "unproven")
    assert "would not be noticed" in sentence(run, "outside")


def test_a_stroke_in_a_jpeg_fails(safelight, photo_png, tmp_path):
    out = tmp_path / "out.jpg"
    safelight("restore", photo_png, "-o", out, "--region", REGION, "--pipeline", "brighten")
    painted = tmp_path / "painted.jpg"
    with Image.open(out) as picture:
        pixels = np.array(picture)
        pixels[50:60, 70:80] = 90
        Image.fromarray(pixels).save(painted, quality=93, subsampling=0, xmp=picture.info["xmp"])
    run = safelight("verify", painted, photo_png, "--json", "--no-replay")
    assert (run.code, states(run)["outside"]) == (1, "fails")


def test_16_bits_kept_in_a_jpeg_are_compared_as_it_holds_them(safelight, photo, tmp_path):
    deep = photo.astype(np.uint16) * 257
    write_picture(tmp_path / "deep.tif", deep, PixelFormat.of(deep))
    out = tmp_path / "out.jpg"
    safelight("restore", tmp_path / "deep.tif", "-o", out, "--region", REGION, "--pipeline", "brighten")
    run = safelight("verify", out, tmp_path / "deep.tif", "--json")
    assert (run.code, states(run)["outside"], states(run)["replay"]) == (0, "holds", "holds")


def test_a_pipeline_that_is_not_there_cannot_be_replayed(safelight, restored, photo_png):
    xmp = open_picture(restored).metadata.xmp
    (entry,) = operations_in(Packet(xmp).value(OPERATIONS))
    entry = {k: v for k, v in entry.items() if k not in ("entry_sha256", "generative")}
    changed = append_operation(None, {**entry, "pipeline": "absent"}, generative=False)
    run = safelight("verify", altered(restored, xmp=changed), photo_png, "--json")
    assert (run.code, states(run)["replay"]) == (0, "unproven")
    assert "It was not replayed" in sentence(run, "replay")


def test_the_page_holds_everything(safelight, restored, photo_png, tmp_path):
    page = tmp_path / "proof.html"
    assert safelight("verify", restored, photo_png, "--report", page).code == 0
    text = page.read_text()
    assert text.count("data:image/jpeg;base64,") == 6  # three of the whole, three of the region
    assert re.search(r"(src|href)=.(?!data:)", text) is None
    assert ">Proven</h1>" in text
    assert "40 x 30 at 20,10" in text


def test_a_replay_is_identical_here(safelight, original, tmp_path):
    result, again = tmp_path / "result.tif", tmp_path / "again.tif"
    safelight(
        "restore", original, "-o", result, "--region", REGION, "--pipeline", "brighten", "--set", "grain=0.5"
    )
    run = safelight("replay", result, "--input", original, "-o", again, "--json")
    done = run.event("replayed")
    assert (run.code, done["identical"], done["differences"]) == (0, True, [])
    assert open_picture(again).read().tobytes() == open_picture(result).read().tobytes()
    assert safelight("verify", again, original).code == 0


def test_a_replay_tells_what_is_not_as_recorded(safelight, restored, photo_png):
    xmp = open_picture(restored).metadata.xmp
    (entry,) = operations_in(Packet(xmp).value(OPERATIONS))
    entry = {k: v for k, v in entry.items() if k not in ("entry_sha256", "generative")}
    entry["versions"] = {**entry["versions"], "torch": "2.0.0"}
    entry["device"] = "cuda:0"
    changed = append_operation(None, entry, generative=False)
    run = safelight("replay", altered(restored, xmp=changed), "--input", photo_png, "--json")
    done = run.event("replayed")
    assert (run.code, done["identical"]) == (0, True)
    assert [d["what"] for d in done["differences"]] == ["versions.torch", "device"]


def test_a_result_that_the_record_does_not_give_is_told_in_db(safelight, restored, photo_png):
    pixels = open_picture(restored).read()
    pixels[INSIDE] ^= 1
    run = safelight("replay", altered(restored, pixels), "--input", photo_png, "--json")
    done = run.event("replayed")
    assert (run.code, done["identical"]) == (1, False)
    assert done["psnr_db"] == pytest.approx(48.13, abs=0.01)  # one level everywhere
    assert done["largest_difference"] == pytest.approx(1)


def test_a_replay_never_overwrites(safelight, restored, photo_png, tmp_path):
    there = tmp_path / "there.png"
    there.write_bytes(b"mine")
    run = safelight("replay", restored, "--input", photo_png, "-o", there)
    assert (run.code, there.read_bytes()) == (2, b"mine")
    assert "--force" in run.last_line
