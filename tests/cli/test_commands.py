"""The other commands."""

import numpy as np
import pytest
from PIL import Image

from safelight.cli.main import COMMANDS, parser
from safelight.client.restoration import RestorationClient
from safelight.imaging.srgb import read_srgb8
from safelight.v1 import daemon_pb2 as dpb


def test_pipelines_lists_all_and_marks_the_default(safelight):
    listed = {e["id"]: e for e in safelight("pipelines", "--json").events}
    assert {"compact", "identity", "absent"} <= listed.keys()
    assert listed["compact"]["default"]
    assert not listed["absent"]["installed"]


def test_pipelines_of_one_shows_every_setting_and_preset(safelight):
    run = safelight("pipelines", "compact")
    assert run.code == 0
    assert all(word in run.out for word in ("sharpness", "strength", "grain", "faithful", "crisp"))


def test_ps_shows_what_is_loaded(safelight, photo_png, tmp_path):
    safelight("restore", photo_png, "-o", tmp_path / "out.png", "--pipeline", "compact")
    state = safelight("ps", "--json").event("state")
    assert state["running"]
    compact = next(r for r in state["residents"] if r["pipeline"] == "compact")
    assert compact["weights_bytes"] > 1_000_000
    assert state["jobs"][0]["state"] == "succeeded"


def test_unload_frees_what_is_loaded(safelight, photo_png, tmp_path):
    safelight("restore", photo_png, "-o", tmp_path / "out.png", "--pipeline", "compact")
    loaded = safelight("ps", "--json").event("state")["residents"]
    size = next(r["weights_bytes"] for r in loaded if r["pipeline"] == "compact")
    assert safelight("unload", "compact", "--json").event("unloaded")["freed_bytes"] == size
    residents = safelight("ps", "--json").event("state")["residents"]
    assert "compact" not in [r["pipeline"] for r in residents]
    assert "0.0 MB of weights freed" in safelight("unload", "compact").err


def test_unloading_what_does_not_exist_says_so(safelight):
    run = safelight("unload", "compcat")
    assert run.code == 1
    assert "did you mean compact" in run.last_line


def test_kept_shows_and_clears_what_is_kept(safelight, monkeypatch):
    states = [
        dpb.GetStateResponse(kept_result_count=3, kept_bytes=144_000_000, kept_bytes_limit=2 << 30),
        dpb.GetStateResponse(kept_bytes_limit=2 << 30),
    ]
    monkeypatch.setattr(RestorationClient, "state", lambda self: states.pop(0))
    monkeypatch.setattr(RestorationClient, "forget_kept", lambda self: 144_000_000)
    assert "3 kept result(s), 144.0 MB of at most 2147 MB" in safelight("kept").out
    assert safelight("kept", "--clear", "--json").event("kept")["freed_bytes"] == 144_000_000


def test_a_daemon_that_keeps_nothing_says_so(safelight):
    assert "keeps no results" in safelight("kept").out
    assert safelight("kept", "--clear").code == 0


def test_ps_lists_shared_parts_once(safelight, monkeypatch):
    state = dpb.GetStateResponse(
        residents=[dpb.Resident(pipeline=name, weights_bytes=10**9) for name in ("osediff", "osediff-face")],
        parts=[
            dpb.ResidentPart(
                title="text encoder",
                device="cpu",
                weights_bytes=1_361_600_000,
                precision="fp32",
                used_by=["osediff", "osediff-face"],
            )
        ],
    )
    monkeypatch.setattr(RestorationClient, "state", lambda self: state)
    run = safelight("ps")
    assert run.out.count("1361.6 MB") == 1
    assert "osediff, osediff-face" in run.out
    (part,) = safelight("ps", "--json").event("state")["parts"]
    assert (part["title"], part["weights_bytes"]) == ("text encoder", 1_361_600_000)
    assert (part["used_by"], part["in_use"]) == (["osediff", "osediff-face"], False)


def test_ps_unload_and_stop_without_a_daemon_say_so_and_start_none(safelight, tmp_path, monkeypatch):
    monkeypatch.setenv("SAFELIGHT_RUNTIME_DIR", str(tmp_path / "run"))
    assert safelight("ps", "--json").event("state") == {"event": "state", "running": False}
    assert safelight("unload", "--json").event("unloaded")["running"] is False
    assert safelight("stop", "--json").event("stopped") == {"event": "stopped", "was_running": False}
    assert not (tmp_path / "run" / "daemon.sock").exists()


def test_doctor_finds_all_in_order(safelight):
    run = safelight("doctor", "--json")
    areas = {e["area"]: e for e in run.events}
    assert run.code == 0, run.out
    assert {"python", "torch", "pictures", "runtime", "daemon", "compact", "disk"} <= areas.keys()


def test_doctor_gives_a_fix_for_an_unsafe_runtime_folder(safelight, tmp_path, monkeypatch):
    open_folder = tmp_path / "open"
    open_folder.mkdir()
    open_folder.chmod(0o777)
    monkeypatch.setenv("SAFELIGHT_RUNTIME_DIR", str(open_folder))
    run = safelight("doctor", "--json")
    assert run.code == 1
    assert any("0700" in e["text"] for e in run.events if e["event"] == "finding" and not e["ok"])


def test_compare_writes_a_sheet_with_both(safelight, photo_png, tmp_path, photo):
    other = tmp_path / "other.png"
    changed = photo.copy()
    changed[40:56, 70:86] = 255
    Image.fromarray(changed).save(other)
    run = safelight("compare", photo_png, other, "-o", tmp_path / "sheet.png", "--json")
    x, y, width, height = run.event("done")["crop"]
    assert x <= 70 and y <= 40 and x + width >= 86 and y + height >= 56  # noqa: PT018
    sheet = read_srgb8(tmp_path / "sheet.png")
    assert sheet.shape[0] > 640
    assert sheet.shape[1] > 1280


def test_evaluate_measures_a_pipeline_next_to_bicubic_and_lanczos(safelight, tmp_path, photo):
    for name, picture in (
        ("hr", photo),
        ("lr", photo.reshape(32, 2, 48, 2, 3).mean((1, 3)).astype(np.uint8)),
    ):
        (tmp_path / name).mkdir()
        Image.fromarray(picture).save(tmp_path / name / "cup.png")
    run = safelight("evaluate", "--lr", tmp_path / "lr", "--hr", tmp_path / "hr", "--json")
    mean = run.event("mean")
    assert run.code == 0
    assert mean["pictures"] == 1
    for method in ("compact", "bicubic", "lanczos"):
        assert 15 < mean[method]["psnr"] < 50
        assert 0.3 < mean[method]["ssim"] <= 1


@pytest.mark.parametrize("missing", ["reference", "folder", "pictures"])
def test_evaluate_says_what_is_missing(safelight, tmp_path, photo, missing):
    for name in ("lr", "hr"):
        (tmp_path / name).mkdir()
    if missing != "pictures":
        Image.fromarray(photo).save(tmp_path / "lr" / "cup.png")
    hr = tmp_path / ("none" if missing == "folder" else "hr")
    run = safelight("evaluate", "--lr", tmp_path / "lr", "--hr", hr)
    assert run.code == 2
    assert len(run.err.splitlines()) == 1


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(safelight, command):
    run = safelight(command, "--help")
    assert run.code == 0
    assert len(run.out.splitlines()) >= 4


def test_no_command_at_all_is_one_line(safelight):
    run = safelight()
    assert run.code == 2
    assert len(run.err.splitlines()) == 1


def test_every_argument_has_help():
    commands = next(a for a in parser()._actions if a.dest == "command").choices
    silent = [(n, a.dest) for n, c in commands.items() for a in c._actions if not a.help]
    assert silent == []
