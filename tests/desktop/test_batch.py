"""The batch against a real daemon: many pictures, bad ones, pauses, crashes, names, judgement."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from safelight.client.naming import Naming
from safelight.client.sources import REJECTED
from safelight.imaging.files import open_picture
from safelight.imaging.record import read_operations
from safelight_desktop.state.batch import BatchState
from safelight_desktop.state.batch_plan import Output
from tests.desktop.batches import (
    DONE,
    FAILED,
    SIDE_PX,
    SKIPPED,
    WAITING,
    batch,
    folder_of,
    picture,
    sessions,
)

__all__ = ["batch", "sessions"]


def test_a_folder_is_restored_beside_its_pictures_and_the_originals_stay(batch, tmp_path):
    scans = folder_of(tmp_path / "scans", "a.png", "b.png", "1920/c.png")
    before = {p: p.read_bytes() for p in scans.rglob("*.png")}
    batch.add(scans)
    ended = batch.run()
    assert (ended.done, ended.failed, ended.skipped) == (3, 0, 0)
    results = {str(p.relative_to(scans)) for p in scans.rglob("*-restored.png")}
    assert results == {"a-restored.png", "b-restored.png", "1920/c-restored.png"}
    assert {p: p.read_bytes() for p in before} == before
    old, new = np.asarray(Image.open(scans / "a.png")), np.asarray(Image.open(scans / "a-restored.png"))
    assert new.shape[0] == 2 * old.shape[0]
    assert new.mean() - old.mean() == pytest.approx(0.05 * 255, abs=1.5)
    (operation,) = read_operations(open_picture(scans / "a-restored.png").metadata.xmp)
    assert operation["pipeline"] == "brighten"
    assert batch.errors == []


def test_one_bad_file_never_stops_the_rest(batch, tmp_path):
    scans = folder_of(tmp_path / "scans", "a.png", "b.png", "c.png")
    (scans / "b.png").write_bytes(b"no picture")
    whole = (scans / "c.png").read_bytes()
    (scans / "c.png").write_bytes(whole[: len(whole) // 2])  # its header can be read
    batch.add(scans)
    ended = batch.run()
    assert batch.states == {"a.png": DONE, "b.png": FAILED, "c.png": FAILED}
    assert [row.reason for row in batch.queue.rows] == ["", "NOT_A_PICTURE", "PICTURE_DAMAGED"]
    assert (ended.done, ended.failed) == (1, 1)
    assert not (scans / "c-restored.png").exists()
    assert [p.name for p in scans.iterdir() if p.name.startswith(".")] == []
    (scans / "c.png").write_bytes(whole)
    picture(scans / "b.png")
    batch.queue.retry(batch.queue.rows)
    batch.until(lambda: batch.queue.count(WAITING) == 2 and not batch.queue.busy)
    assert batch.run().done == 2
    assert set(batch.states.values()) == {DONE}


def test_what_is_there_already_is_skipped(batch, tmp_path):
    scans = folder_of(tmp_path / "scans", "a.png", "b.png")
    (scans / "a-restored.png").write_bytes(b"mine")
    batch.add(scans / "a.png", scans / "b.png")
    batch.until(lambda: batch.queue.estimate is not None and batch.queue.estimate.pictures == 1)
    assert batch.run().skipped == 1
    assert batch.states == {"a.png": SKIPPED, "b.png": DONE}
    assert (scans / "a-restored.png").read_bytes() == b"mine"


def test_pausing_puts_the_picture_that_runs_back_and_going_on_finishes_it(batch, tmp_path):
    scans = folder_of(tmp_path / "scans", "a.png", "b.png")
    batch.queue.form.choose_pipeline("tortoise")
    batch.queue.form.choose("pause", 0.3)
    batch.add(scans)
    batch.queue.start()
    batch.until(lambda: batch.queue.current is not None and batch.queue.current.progress is not None)
    batch.queue.pause()
    batch.until(lambda: batch.queue.current is None)
    assert batch.states == {"a.png": WAITING, "b.png": WAITING}
    assert batch.queue.state is BatchState.PAUSED
    assert list(scans.glob("*-restored.png")) == []
    batch.queue.form.choose("pause", 0.0)
    assert batch.run().done == 2


def test_pictures_are_restored_in_the_order_that_a_person_makes(batch, tmp_path):
    scans = folder_of(tmp_path / "scans", "1.png", "2.png", "10.png")
    rows = batch.add(scans)
    assert batch.names == ["1.png", "2.png", "10.png"]
    batch.queue.move([rows[2]], 0)
    assert batch.names == ["10.png", "1.png", "2.png"]
    batch.queue.move_by([batch.queue.rows[1]], 1)
    assert batch.names == ["10.png", "2.png", "1.png"]
    order = []
    batch.queue.row_changed.connect(lambda row: row.state is DONE and order.append(row.source.name))
    batch.run()
    assert order == ["10.png", "2.png", "1.png"]


def test_names_folder_format_and_metadata_are_a_persons_choice(batch, tmp_path):
    scans = folder_of(tmp_path / "scans", "a.png", "1920/b.png")
    exif = Image.Exif()
    exif[0x010E] = "a harbour"
    Image.open(scans / "a.png").save(scans / "a.png", exif=exif)
    out = tmp_path / "out"
    batch.queue.set_output(Output(Naming("{name} {scale}", ".tif", out), policy="none", record=False))
    batch.add(scans)
    batch.run()
    assert sorted(str(p.relative_to(out)) for p in out.rglob("*.tif")) == ["1920/b 2x.tif", "a 2x.tif"]
    written = open_picture(out / "a 2x.tif")
    assert (written.container, written.metadata.exif, written.metadata.xmp) == ("TIFF", b"", b"")


def test_a_template_that_would_overwrite_the_originals_starts_nothing(batch, tmp_path):
    scans = folder_of(tmp_path / "scans", "a.png")
    kept = (scans / "a.png").read_bytes()
    batch.queue.set_output(Output(Naming("{name}"), existing="replace"))
    batch.add(scans)
    batch.queue.start()
    batch.until(lambda: bool(batch.errors))
    assert batch.errors[0].reason == "OUTPUT_IS_INPUT"
    assert not batch.queue.running
    assert (scans / "a.png").read_bytes() == kept


def test_replacing_takes_results_of_safelight_only_and_never_an_original(batch, tmp_path):
    """a's result would be called like b, which is in the batch; c's like a file of somebody else."""
    scans = folder_of(tmp_path / "scans", "a.png", "x/a-new.png", "c.png", "d.png")
    (scans / "c-new.png").write_bytes(b"mine")
    kept = (scans / "x/a-new.png").read_bytes()
    batch.queue.set_output(Output(Naming("{name}-new", folder=scans / "x", mirror=False), existing="replace"))
    (scans / "x/c-new.png").write_bytes(b"mine")
    batch.add(scans / "a.png", scans / "c.png", scans / "d.png")
    batch.add(scans / "x/a-new.png")
    batch.run()
    assert batch.states == {"a.png": FAILED, "a-new.png": DONE, "c.png": FAILED, "d.png": DONE}
    reasons = {row.source.name: row.reason for row in batch.queue.rows}
    assert (reasons["a.png"], reasons["c.png"]) == ("OUTPUT_IS_INPUT", "OUTPUT_NOT_OURS")
    assert (scans / "x/a-new.png").read_bytes() == kept
    assert (scans / "x/c-new.png").read_bytes() == b"mine"
    first = (scans / "x/d-new.png").stat().st_mtime_ns
    batch.queue.remove([row for row in batch.queue.rows if row.source.name == "d.png"])
    batch.add(scans / "d.png")
    batch.run()
    assert (scans / "x/d-new.png").stat().st_mtime_ns > first


def test_a_number_keeps_both(batch, tmp_path):
    scans = folder_of(tmp_path / "scans", "a.png")
    (scans / "a-restored.png").write_bytes(b"mine")
    batch.queue.set_output(Output(existing="number"))
    batch.add(scans / "a.png")
    batch.run()
    assert (scans / "a-restored.png").read_bytes() == b"mine"
    assert batch.queue.rows[0].target == scans / "a-restored-2.png"
    assert (scans / "a-restored-2.png").exists()


def test_results_are_no_pictures_of_the_next_batch(batch, sessions, tmp_path):
    scans = folder_of(tmp_path / "scans", "a.png", "b.png")
    batch.add(scans)
    batch.run()
    batch.queue.remove(batch.queue.rows)
    assert [row.source.name for row in batch.add(scans)] == ["a.png", "b.png"]


def test_a_rejected_result_is_set_aside_and_an_accepted_one_comes_back(batch, tmp_path):
    scans = folder_of(tmp_path / "scans", "a.png")
    original = (scans / "a.png").read_bytes()
    (row,) = batch.add(scans)
    batch.run()
    result = row.result.read_bytes()
    batch.queue.verdicts.reject([row])
    batch.until(lambda: row.set_aside is not None)
    assert not (scans / "a-restored.png").exists()
    assert row.result.read_bytes() == result
    assert row.result.parent.name == REJECTED
    assert (scans / "a.png").read_bytes() == original
    batch.queue.verdicts.accept([row])
    batch.until(lambda: row.set_aside is None)
    assert (scans / "a-restored.png").read_bytes() == result
    assert not (scans / REJECTED).exists()


def test_done_again_with_other_settings_the_new_result_takes_the_place_of_the_old_one(batch, tmp_path):
    scans = folder_of(tmp_path / "scans", "a.png", "b.png")
    rows = batch.add(scans)
    batch.run()
    kept = (scans / "b-restored.png").read_bytes()
    recipe = replace(batch.queue.form.recipe(), values={"amount": 0.09})
    batch.queue.redo([rows[0]], recipe)
    batch.until(lambda: len(batch.ends) == 2)
    new, old = (np.asarray(Image.open(scans / n)).mean() for n in ("a-restored.png", "a.png"))
    assert new - old == pytest.approx(0.09 * 255, abs=2)
    assert (scans / "b-restored.png").read_bytes() == kept
    assert batch.queue.form.value("amount") == 0.05


def test_a_result_that_somebody_changed_is_not_replaced(batch, tmp_path):
    scans = folder_of(tmp_path / "scans", "a.png")
    (row,) = batch.add(scans)
    batch.run()
    (scans / "a-restored.png").write_bytes(b"retouched")
    batch.queue.redo([row], batch.queue.form.recipe())
    batch.until(lambda: len(batch.ends) == 2)
    assert row.state is SKIPPED
    assert (scans / "a-restored.png").read_bytes() == b"retouched"


def test_on_battery_it_pauses_and_goes_on_with_the_plug_in(batch, tmp_path):
    scans = folder_of(tmp_path / "scans", "a.png", "b.png")
    batch.queue.form.choose_pipeline("tortoise")
    batch.queue.form.choose("pause", 0.3)
    batch.add(scans)
    batch.queue.start()
    batch.until(lambda: batch.queue.current is not None and batch.queue.current.progress is not None)
    batch.battery.empty = True
    batch.queue.power.ask()
    batch.until(lambda: batch.queue.state is BatchState.ON_BATTERY and batch.queue.current is None)
    assert batch.states == {"a.png": WAITING, "b.png": WAITING}
    batch.battery.empty = False
    batch.queue.power.ask()
    batch.until(lambda: len(batch.ends) == 1)
    assert batch.ends[0].done == 2


def test_on_battery_it_runs_when_a_person_says_so(batch, tmp_path):
    batch.battery.empty = True
    batch.add(folder_of(tmp_path / "scans", "a.png"))
    batch.queue.start()
    batch.until(lambda: batch.queue.state is BatchState.ON_BATTERY)
    batch.queue.run_on_battery()
    batch.until(lambda: len(batch.ends) == 1)


def test_a_trial_takes_five_pictures_spread_over_the_folder_and_then_the_time_is_known(batch, tmp_path):
    scans = folder_of(tmp_path / "scans", *(f"{n}.png" for n in range(1, 10)))
    batch.add(scans)
    batch.until(lambda: batch.queue.estimate is not None and batch.queue.estimate.pictures == 9)
    assert batch.queue.estimate.duration_s is None
    batch.queue.start_trial()
    batch.until(lambda: len(batch.ends) == 1)
    assert batch.ends[0].trial
    assert [n for n, s in batch.states.items() if s is DONE] == ["1.png", "3.png", "5.png", "7.png", "9.png"]
    batch.until(lambda: batch.queue.estimate.duration_s is not None and batch.queue.estimate.pictures == 4)
    assert batch.run().done == 4


def test_over_twelve_hours_the_quicker_pipeline_is_named_with_its_time(batch, tmp_path):
    scans = folder_of(tmp_path / "scans", "a.png", "b.png")
    pixels = 2 * (2 * SIDE_PX) ** 2
    batch.speeds.learn_files(1_000_000, 1.0)
    batch.speeds._learn("brighten", pixels / (60 * 3600))
    batch.speeds._learn("compact", pixels / 3600)
    batch.add(scans)
    batch.until(lambda: batch.queue.estimate is not None and batch.queue.estimate.pictures == 2)
    estimate = batch.queue.estimate
    assert estimate.long
    assert estimate.quicker.spec.id == "compact"
    assert estimate.quicker.duration_s < estimate.duration_s / 5


def test_what_a_session_left_is_there_in_the_next_one(sessions, tmp_path):
    first = sessions()
    scans = folder_of(tmp_path / "scans", "a.png", "b.png", "bad.png", "ünï.png")
    (scans / "bad.png").write_bytes(b"")
    first.add(scans)
    first.queue.set_output(Output(Naming("{name}-x")))
    first.queue.form.choose("amount", 0.1)
    first.queue.start(only=[first.queue.rows[0].id])
    first.until(lambda: len(first.ends) == 1)
    first.queue.close()
    second = sessions()
    assert second.states == {"a.png": DONE, "b.png": WAITING, "bad.png": FAILED, "ünï.png": WAITING}
    assert second.queue.output.naming.template == "{name}-x"
    assert second.queue.form.value("amount") == 0.1
    assert second.queue.rows[2].reason == "NOT_A_PICTURE"
    assert not second.queue.running
    assert second.run().done == 2


def test_a_batch_that_ran_goes_on_in_the_next_session(sessions, tmp_path):
    first = sessions()
    scans = folder_of(tmp_path / "scans", "a.png", "b.png")
    first.queue.form.choose_pipeline("tortoise")
    first.queue.form.choose("pause", 0.3)
    first.add(scans)
    first.queue.start()
    first.until(lambda: first.queue.current is not None and first.queue.current.progress is not None)
    first.queue.close()
    second = sessions()
    assert second.queue.running
    second.queue.form.choose("pause", 0.0)
    second.until(lambda: len(second.ends) == 1)
    assert [(row.state, row.message) for row in second.queue.rows] == [(DONE, ""), (DONE, "")]


def test_two_windows_do_not_share_a_batch(sessions, tmp_path):
    first = sessions()
    second = sessions()
    assert first.queue.state is BatchState.EMPTY
    assert second.queue.state is BatchState.ELSEWHERE
    second.queue.add([folder_of(tmp_path / "scans", "a.png")])
    assert second.queue.rows == []


def test_a_damaged_file_of_the_batch_is_set_aside_and_said(sessions, tmp_path):
    kept = tmp_path / "kept"
    kept.mkdir()
    (kept / "batch.sqlite").write_bytes(b"no database" * 200)
    session = sessions()
    assert session.queue.state is BatchState.EMPTY
    session.add(folder_of(tmp_path / "scans", "a.png"))
    assert session.run().done == 1
    (aside,) = kept.glob("batch-damaged-*.sqlite")
    assert aside.read_bytes().startswith(b"no database")


def test_a_pipeline_that_is_not_installed_stops_the_batch_and_nothing_has_failed(batch, tmp_path):
    batch.queue.form.choose_pipeline("absent")
    batch.add(folder_of(tmp_path / "scans", "a.png", "b.png"))
    batch.queue.start()
    batch.until(lambda: bool(batch.errors))
    assert set(batch.states.values()) == {WAITING}
    assert not batch.queue.running


def test_compact_restores_a_batch_too(batch, tmp_path):
    scans = folder_of(tmp_path / "scans", "a.png", "b.png")
    batch.queue.form.choose_pipeline("compact")
    batch.add(scans)
    assert batch.run().done == 2
    assert open_picture(scans / "b-restored.png").size == (2 * (SIDE_PX + 1), 2 * SIDE_PX)
