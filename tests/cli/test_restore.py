"""`safelight restore` on real files, through a real daemon."""

import numpy as np
import pytest
from PIL import Image

from safelight.imaging.files import open_picture
from safelight.imaging.record import digital_source_type, pixels_sha256, read_operations


def pixels(path):
    return np.asarray(Image.open(path))


def test_a_whole_picture_is_enlarged_by_two_by_default(safelight, photo_png, tmp_path):
    out = tmp_path / "out.png"
    run = safelight("restore", photo_png, "-o", out)
    assert (run.code, run.out) == (0, "")
    assert pixels(out).shape == (128, 192, 3)


@pytest.mark.parametrize("scale", [1, 2, 4])
def test_compact_restores_at_every_scale(safelight, photo_png, tmp_path, scale, photo):
    out = tmp_path / "out.png"
    assert safelight("restore", photo_png, "-o", out, "--scale", scale, "--pipeline", "compact").code == 0
    result = pixels(out)
    assert result.shape == (64 * scale, 96 * scale, 3)
    enlarged = np.asarray(Image.fromarray(photo).resize((96 * scale, 64 * scale), Image.Resampling.BICUBIC))
    difference = np.abs(result.astype(int) - enlarged)
    assert 0 < difference.mean() < 6


def test_a_region_in_place_leaves_the_rest_untouched(safelight, photo_png, tmp_path, photo):
    out = tmp_path / "out.png"
    run = safelight("restore", photo_png, "-o", out, "--region", "20,10,40,30", "--pipeline", "compact")
    result = pixels(out)
    assert run.code == 0
    assert result.shape == photo.shape
    outside = np.ones(photo.shape[:2], bool)
    outside[10:40, 20:60] = False
    assert np.array_equal(result[outside], photo[outside])
    assert not np.array_equal(result[10:40, 20:60], photo[10:40, 20:60])


def test_a_region_enlarged_gives_only_that_box(safelight, photo_png, tmp_path):
    out = tmp_path / "out.png"
    safelight("restore", photo_png, "-o", out, "--region", "20,10,40,30", "--scale", "2")
    assert pixels(out).shape == (60, 80, 3)


def test_a_mask_is_obeyed_in_place(safelight, photo_png, tmp_path, photo):
    mask = np.zeros(photo.shape[:2], np.uint8)
    mask[30:50, 10:90] = 255
    Image.fromarray(mask).save(tmp_path / "mask.png")
    out = tmp_path / "out.png"
    run = safelight("restore", photo_png, "-o", out, "--mask", tmp_path / "mask.png", "--pipeline", "compact")
    result = pixels(out)
    assert run.code == 0
    assert np.array_equal(result[mask == 0], photo[mask == 0])
    assert (result[mask == 255] != photo[mask == 255]).any()


def test_outside_an_enlarged_mask_is_the_resampled_document(safelight, photo_png, tmp_path, photo):
    mask = np.zeros(photo.shape[:2], np.uint8)
    mask[10:20, 10:20] = 255
    Image.fromarray(mask).save(tmp_path / "mask.png")
    out = tmp_path / "out.png"
    run = safelight(
        "restore",
        photo_png,
        "-o",
        out,
        "--mask",
        tmp_path / "mask.png",
        "--scale",
        "2",
        "--pipeline",
        "compact",
    )
    assert run.code == 0
    lanczos = np.asarray(Image.fromarray(photo).resize((192, 128), Image.Resampling.LANCZOS)).astype(int)
    far = np.s_[60:, 60:]
    assert np.abs(pixels(out)[far] - lanczos[far]).max() <= 1


def test_strength_zero_changes_nothing(safelight, photo_png, tmp_path, photo):
    out = tmp_path / "out.png"
    safelight("restore", photo_png, "-o", out, "--scale", "1", "--strength", "0", "--pipeline", "compact")
    assert np.array_equal(pixels(out), photo)


def test_presets_and_settings_reach_the_job(safelight, photo_png, tmp_path):
    run = safelight(
        "restore", photo_png, "-o", tmp_path / "out.png", "--preset", "faithful",
        "--set", "sharpness=0.5", "--seed", "7", "--json",
    )  # fmt: skip
    used = run.event("done")["report"]["settings"]
    assert (used["strength"], used["detail"], used["sharpness"], used["seed"]) == (0.8, 0.625, 0.5, 7)


def test_json_lines_tell_progress_and_the_end(safelight, photo_png, tmp_path):
    run = safelight("restore", photo_png, "-o", tmp_path / "out.png", "--json")
    assert {e["event"] for e in run.events} == {"progress", "done"}
    done = run.event("done")
    assert (done["width"], done["height"]) == (192, 128)
    assert {"read", "write", "all", "accepted", "last_band"} <= done["seconds"].keys()


def test_the_output_says_what_was_done(safelight, photo_png, tmp_path, photo):
    out = tmp_path / "out.png"
    safelight("restore", photo_png, "-o", out, "--scale", "1", "--pipeline", "compact", "--seed", "9")
    xmp = open_picture(out).metadata.xmp
    (operation,) = read_operations(xmp)
    assert operation["input_sha256"] == pixels_sha256(photo)
    assert operation["output_sha256"] == pixels_sha256(open_picture(out).read())
    assert (operation["pipeline"], operation["seed"], operation["generative"]) == ("compact", 9, False)
    assert list(operation["checkpoints"]) == ["compact.safetensors"]
    assert digital_source_type(xmp).endswith("algorithmicallyEnhanced")


def test_a_second_run_adds_to_the_record(safelight, photo_png, tmp_path):
    first, second = tmp_path / "first.tif", tmp_path / "second.jpg"
    safelight("restore", photo_png, "-o", first, "--scale", "1")
    safelight("restore", first, "-o", second, "--region", "0,0,32,32")
    regions = [o["region"] for o in read_operations(open_picture(second).metadata.xmp)]
    assert regions == [[0, 0, 96, 64], [0, 0, 32, 32]]


def test_no_record_and_no_metadata_leave_the_file_bare(safelight, photo_png, tmp_path):
    out = tmp_path / "out.png"
    safelight("restore", photo_png, "-o", out, "--no-record", "--metadata", "none")
    assert not open_picture(out).metadata.xmp


def test_metadata_none_keeps_the_record(safelight, photo_png, tmp_path):
    out = tmp_path / "out.png"
    safelight("restore", photo_png, "-o", out, "--metadata", "none")
    assert len(read_operations(open_picture(out).metadata.xmp)) == 1


def folder_of_pictures(root, photo):
    (root / "in" / "sub").mkdir(parents=True)
    for name in ("one.png", "sub/two.jpg", "sub/drei ümlaut.png"):
        Image.fromarray(photo).save(root / "in" / name)
    (root / "in" / "bad.png").write_bytes(b"\x89PNG\r\n\x1a\n nothing")
    (root / "in" / "notes.txt").write_text("not a picture")
    return root / "in"


def test_a_folder_is_mirrored_and_a_bad_picture_stops_nothing(safelight, tmp_path, photo):
    source = folder_of_pictures(tmp_path, photo)
    run = safelight("restore", source, "-o", tmp_path / "out", "--json")
    written = sorted(p.relative_to(tmp_path / "out").as_posix() for p in (tmp_path / "out").rglob("*.*"))
    assert run.code == 3
    assert written == ["one.png", "sub/drei ümlaut.png", "sub/two.jpg"]
    assert run.event("summary") == {"event": "summary", "restored": 3, "skipped": 0, "failed": 1}
    assert "bad.png" in run.event("error")["file"]


def test_existing_outputs_are_skipped_unless_forced(safelight, tmp_path, photo):
    source = folder_of_pictures(tmp_path, photo)
    (source / "bad.png").unlink()
    out = tmp_path / "out"
    assert safelight("restore", source, "-o", out).code == 0
    (out / "one.png").write_bytes(b"mine")
    again = safelight("restore", source, "-o", out, "--json")
    assert again.event("summary")["skipped"] == 3
    assert (out / "one.png").read_bytes() == b"mine"
    forced = safelight("restore", source, "-o", out, "--force", "--json")
    assert forced.event("summary")["restored"] == 3


def test_results_inside_the_input_folder_are_not_inputs(safelight, tmp_path, photo):
    source = folder_of_pictures(tmp_path, photo)
    (source / "bad.png").unlink()
    out = source / "restored"
    for _ in range(2):
        run = safelight("restore", source, "-o", out, "--json")
        assert sum(run.event("summary")[k] for k in ("restored", "skipped")) == 3


@pytest.mark.parametrize("mode", ["L", "LA", "RGBA", "P", "I;16"])
def test_grey_alpha_palette_and_16_bit_go_through(safelight, tmp_path, photo, mode):
    source, out = tmp_path / "in.png", tmp_path / "out.png"
    if mode == "I;16":
        Image.fromarray(photo[:, :, 0].astype(np.uint16) * 257).save(source)
    else:
        Image.fromarray(photo).convert(mode).save(source)
    assert safelight("restore", source, "-o", out, "--pipeline", "compact").code == 0
    before, after = open_picture(source), open_picture(out)
    assert after.size == before.size.scaled(2)
    assert after.format == before.format


def test_orientation_is_applied_and_the_region_counts_in_the_upright_picture(safelight, tmp_path, photo):
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by 90 degrees to the right
    source, out = tmp_path / "in.jpg", tmp_path / "out.png"
    Image.fromarray(photo).save(source, exif=exif, quality=95, subsampling=0)
    run = safelight("restore", source, "-o", out, "--region", "0,60,64,36", "--pipeline", "identity")
    assert run.code == 0
    result = Image.open(out)
    assert result.size == (64, 96)
    assert result.getexif().get(0x0112, 1) == 1
    assert np.array_equal(np.asarray(result), np.rot90(pixels(source), -1))
