"""`safelight evaluate` against authors' results and with the papers' measures; the rest is in test_commands."""

import sys
import types
from importlib.machinery import ModuleSpec

import numpy as np
import pytest
import torch
from PIL import Image

from safelight.engine.paper_metrics import METRICS


@pytest.fixture
def folders(tmp_path, photo):
    """lr and hr with two pictures."""
    for name in ("lr", "hr", "authors"):
        (tmp_path / name).mkdir()
    for name, picture in (("cup", photo), ("turned", photo[::-1])):
        Image.fromarray(picture).save(tmp_path / "hr" / f"{name}.png")
        small = Image.fromarray(picture).resize((48, 32), Image.Resampling.BOX)
        small.save(tmp_path / "lr" / f"{name}.png")
    return tmp_path


@pytest.fixture
def authors(safelight, folders):
    """Their results are ours, but for one sample of one."""
    safelight("restore", folders / "lr", "-o", folders / "authors", "--scale", "2", "--pipeline", "compact")
    path = folders / "authors" / "turned.png"
    pixels = np.array(Image.open(path))
    pixels[3, 4, 1] ^= 8
    Image.fromarray(pixels).save(path)
    return folders


def test_ours_against_the_authors(safelight, authors):
    run = safelight("evaluate", "--lr", authors / "lr", "--against", authors / "authors", "--json")
    assert run.code == 0
    cup, turned = (e["against"] for e in run.events if e["event"] == "picture")
    assert cup == {"psnr": 100, "ssim": 1, "largest": 0, "differing": 0, "beyond_2": 0}
    assert turned["largest"] == 8
    assert turned["differing"] == turned["beyond_2"] == pytest.approx(1 / (64 * 96 * 3))
    assert turned["psnr"] == pytest.approx(10 * np.log10(255**2 * 64 * 96 * 3 / 64))
    mean = run.event("mean")["against"]
    assert mean["largest"] == 8
    assert mean["psnr"] == pytest.approx((100 + turned["psnr"]) / 2)


def test_the_table_has_a_line_for_each_and_one_for_all(safelight, authors):
    run = safelight(
        "evaluate", "--lr", authors / "lr", "--against", authors / "authors", "--hr", authors / "hr"
    )
    assert run.code == 0
    table = run.out[run.out.index("ours against") :]
    names = [line.split()[1] for line in table.splitlines() if line.startswith("│")]
    assert names == ["cup", "turned", "all"]


def test_results_of_another_size_are_one_failure(safelight, authors):
    Image.new("RGB", (90, 64)).save(authors / "authors" / "cup.png")
    run = safelight("evaluate", "--lr", authors / "lr", "--against", authors / "authors", "--json")
    assert run.code == 3
    assert run.event("mean")["failed"] == 1
    assert "authors_exact" in run.err


def test_something_to_compare_with_is_wanted(safelight, folders):
    run = safelight("evaluate", "--lr", folders / "lr")
    assert (run.code, "--hr, --against" in run.last_line) == (2, True)
    run = safelight("evaluate", "--lr", folders / "lr", "--against", folders / "authors")
    assert (run.code, "no picture of the same name" in run.last_line) == (2, True)


def test_without_pyiqa_the_extra_is_named(safelight, folders, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    run = safelight("evaluate", "--lr", folders / "lr", "--hr", folders / "hr", "--metrics", "paper")
    assert run.code == 1
    assert "safelight[evaluate]" in run.last_line


def test_papers_measures_stand_beside_ours_and_missing_ones_are_said(
    safelight, folders, monkeypatch, tmp_path
):
    lpips, niqe, fid = METRICS[0], METRICS[2], METRICS[-1]
    for name in (*lpips.files, *niqe.files, *fid.files):
        path = tmp_path / "torch" / "hub" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"weights")

    def create_metric(name, device):
        def measure(first, second=None, **more):
            if isinstance(first, str):
                return 7.0
            return 0.25 if second is not None else first.mean()

        return measure

    library = types.ModuleType("pyiqa")
    library.__spec__ = ModuleSpec("pyiqa", None)
    library.create_metric = create_metric
    monkeypatch.setitem(sys.modules, "pyiqa", library)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setattr(torch.hub, "_hub_dir", None)
    arguments = ["evaluate", "--lr", folders / "lr", "--hr", folders / "hr", "--metrics", "paper"]
    run = safelight(*arguments, "--json")
    mean = run.event("mean")["compact"]
    assert (mean["lpips"], mean["fid"], 0 < mean["niqe"] < 1) == (0.25, 7.0, True)
    assert {"psnr", "ssim", "gmsd"} <= mean.keys()
    left_out = [e["sentence"] for e in run.events if e["event"] == "left_out"]
    assert [s.split(" ")[0] for s in left_out] == ["DISTS", "MUSIQ", "MANIQA", "CLIPIQA"]
    run = safelight(*arguments)
    assert "NIQE" in run.out
    assert "note: DISTS is left out" in run.err
