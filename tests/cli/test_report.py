"""`safelight report` on real files."""

import numpy as np
import pytest
from PIL import Image
from skimage import data

from safelight.imaging.overlay import COLOURS


@pytest.fixture
def picture(tmp_path):
    """160 x 120."""
    path = tmp_path / "in.png"
    Image.fromarray(data.coffee()[100:220, 200:360]).save(path)
    return path


def numbers(run):
    return run.event("reported")["numbers"]


def pixels(path):
    return np.asarray(Image.open(path))


def test_a_whole_picture_gets_both_maps_and_a_sheet(safelight, picture, tmp_path):
    out, maps = tmp_path / "out.png", tmp_path / "maps"
    safelight("restore", picture, "-o", out, "--pipeline", "compact")
    run = safelight("report", out, picture, "-o", maps, "--json")
    done = run.event("reported")
    assert (run.code, done["scale"], done["region"]) == (0, 2, [0, 0, 160, 120])
    assert sorted(p.name for p in maps.iterdir()) == [
        "out-contradiction.png", "out-invention.png", "out-report.png",
    ]  # fmt: skip
    for name in ("contradiction", "invention"):
        shown = pixels(maps / f"out-{name}.png")
        assert shown.shape == (240, 320, 4)
        assert tuple(shown[0, 0, :3]) == COLOURS[name]
    assert 0 < numbers(run)["contradiction_mean"] < 4
    assert 0 < numbers(run)["invention_mean"] < 0.5
    assert "spread_mean" not in numbers(run)


def test_in_place_the_recorded_region_is_looked_at(safelight, picture, tmp_path):
    out = tmp_path / "out.png"
    safelight("restore", picture, "-o", out, "--region", "30,20,100,90", "--pipeline", "brighten")
    run = safelight("report", out, picture, "-o", tmp_path / "maps", "--json")
    assert run.event("reported")["region"] == [30, 20, 100, 90]
    shown = pixels(tmp_path / "maps" / "out-contradiction.png")
    assert shown.shape == (120, 160, 4)
    assert not shown[:20].any()
    assert shown[40:80, 60:100, 3].min() > 100  # brighter by 0.05, 13 levels
    assert numbers(run)["contradiction_p95"] == pytest.approx(13, abs=1.5)


def test_an_enlarged_region_finds_its_part_of_the_original(safelight, picture, tmp_path):
    out = tmp_path / "out.png"
    safelight(
        "restore", picture, "-o", out, "--region", "30,20,100,90", "--scale", "2", "--pipeline", "identity"
    )
    run = safelight("report", out, picture, "-o", tmp_path / "maps", "--json")
    assert run.event("reported")["region"] == [30, 20, 100, 90]
    assert numbers(run)["contradiction_mean"] < 1
    stripped = tmp_path / "stripped.png"
    Image.open(out).save(stripped)
    assert safelight("report", stripped, picture, "-o", tmp_path / "more").code == 2
    run = safelight(
        "report", stripped, picture, "-o", tmp_path / "more", "--region", "30,20,100,90", "--json"
    )
    assert numbers(run)["contradiction_mean"] < 1


def test_spread_of_seeds_shows_the_grain(safelight, picture, tmp_path):
    """Grain is the only noise of this pipeline."""
    noisy = tmp_path / "noisy.png"
    clean = data.coffee()[100:220, 200:360] + np.random.default_rng(0).normal(0, 8, (120, 160, 3))
    Image.fromarray(np.clip(clean, 0, 255).astype(np.uint8)).save(noisy)
    for name, grain in (("plain", 0), ("grainy", 1)):
        out = tmp_path / f"{name}.png"
        safelight(
            "restore", noisy, "-o", out, "--region", "20,20,100,80", "--pipeline", "compact",
            "--set", f"grain={grain}",
        )  # fmt: skip
        run = safelight("report", out, noisy, "-o", tmp_path / name, "--seeds", "3", "--json")
        assert numbers(run)["spread_results"] == 3
        assert (numbers(run)["spread_mean"] > 1) == bool(grain)
        assert (tmp_path / name / f"{name}-spread.png").exists()


def test_spread_over_pipelines_and_over_files(safelight, picture, tmp_path):
    out, other = tmp_path / "out.png", tmp_path / "other.png"
    safelight("restore", picture, "-o", out, "--scale", "1", "--pipeline", "identity")
    safelight("restore", picture, "-o", other, "--scale", "1", "--pipeline", "brighten")
    by_pipeline = safelight("report", out, picture, "-o", tmp_path / "a", "--pipelines", "brighten", "--json")
    by_file = safelight("report", out, picture, "-o", tmp_path / "b", "--with", other, "--json")
    assert numbers(by_pipeline) == numbers(by_file)
    assert numbers(by_file)["spread_mean"] == pytest.approx(0.05 * 255 / np.sqrt(2), rel=0.2)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--seeds", "1"], "2 to 16"),
        (["--pipelines", "absense"], "absense"),
        (["--seeds", "2", "--region", "0,0,80,80"], "record"),
    ],
)
def test_what_cannot_be_is_told(safelight, picture, tmp_path, arguments, said):
    out = tmp_path / "out.png"
    safelight("restore", picture, "-o", out, "--scale", "1", "--pipeline", "identity")
    run = safelight("report", out, picture, "-o", tmp_path / "maps", *arguments)
    assert run.code == 2
    assert said in run.last_line


def test_nothing_is_overwritten(safelight, picture, tmp_path):
    out = tmp_path / "out.png"
    safelight("restore", picture, "-o", out, "--scale", "1", "--pipeline", "identity")
    (tmp_path / "out-invention.png").write_bytes(b"mine")
    run = safelight("report", out, picture, "-o", tmp_path)
    assert (run.code, (tmp_path / "out-invention.png").read_bytes()) == (2, b"mine")
    assert not (tmp_path / "out-contradiction.png").exists()
    assert safelight("report", out, picture, "-o", tmp_path, "--force").code == 0
