"""Jobs against a real daemon: progress, live values, cancelling, errors, a daemon that goes and comes back."""

import os
import signal

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import Qt

from safelight.client.restoration import Installed, RestorationClient
from safelight.engine.pipelines.s3diff_spec import S3DIFF
from safelight.errors import InvalidRequest, Unavailable
from safelight.geometry import Rect, Size
from safelight_desktop.rpc.background import Background
from safelight_desktop.rpc.link import DaemonLink, LinkState
from safelight_desktop.state.document import load_document
from safelight_desktop.state.editor import STARTS_MOST, Editor
from safelight_desktop.state.selection import Selection
from tests.desktop.fixtures import WAIT_MS
from tests.fakes.daemon import COMMAND, daemon_process, launched, short_folder
from tests.fakes.waiting import until

BOX = Rect(40, 30, 120, 80)


@pytest.fixture
def ready(editor, photo_png):
    """The photo with a box, and the fake that brightens."""
    editor.show_document(load_document(photo_png))
    editor.form.choose_pipeline("brighten")
    editor.add_region(Selection("rectangle", BOX))
    return editor


def run(qtbot, editor):
    with qtbot.waitSignal(editor.jobs.finished, timeout=WAIT_MS):
        editor.run()
    return editor.active.chosen


def refreshed(qtbot, editor, change):
    with qtbot.waitSignal(editor.refresh.refreshed, timeout=WAIT_MS):
        change()
    qtbot.waitUntil(lambda: not editor.refresh.busy, timeout=WAIT_MS)
    return editor.active.chosen


def brightening(rendition, photo):
    """Mean over the middle of the box, as a share of white."""
    inner = rendition.pixels[30:50, 40:80].astype(float) - photo[60:80, 80:120]
    return float(inner.mean()) / 255


def test_a_run_gives_a_rendition_that_the_picture_shows(qtbot, ready, photo):
    rendition = run(qtbot, ready)
    assert ready.active.renditions == [rendition]
    assert brightening(rendition, photo) == pytest.approx(0.05, abs=0.005)


def test_progress_and_finished_tiles_come_while_it_runs(qtbot, ready):
    with qtbot.waitSignal(ready.jobs.finished, timeout=WAIT_MS):
        job = ready.run()
        seen = []
        job.progressed.connect(lambda: seen.append((job.progress, len(job.tiles))))
    assert any(progress is not None and progress.tiles > 1 for progress, _ in seen)
    covered = sum(tile.rect.size.area for tile in job.tiles)
    assert covered >= BOX.size.area
    assert all(Rect.of_size(BOX.size).contains(tile.rect) for tile in job.tiles)


def test_strength_acts_on_the_finished_rendition_without_another_one(qtbot, ready, photo):
    rendition = run(qtbot, ready)
    refreshed(qtbot, ready, lambda: ready.form.choose("strength", 0.5))
    assert ready.active.renditions == [rendition]
    assert brightening(rendition, photo) == pytest.approx(0.025, abs=0.005)
    assert rendition.report["settings"]["strength"] == 0.5


def test_the_last_of_many_values_wins(qtbot, ready, photo):
    rendition = run(qtbot, ready)
    for strength in np.linspace(0.9, 0.2, 15):
        ready.form.choose("strength", float(strength))
    qtbot.waitUntil(lambda: not ready.refresh.busy, timeout=WAIT_MS)
    assert rendition.report["settings"]["strength"] == pytest.approx(0.2)


def test_the_strength_brush_acts_on_the_finished_rendition(qtbot, ready, photo):
    rendition = run(qtbot, ready)
    strength = np.full((80, 120), 255, np.uint8)
    strength[:, 60:] = 128
    weak = Selection("rectangle", BOX, None, (), strength)
    refreshed(qtbot, ready, lambda: ready.reshape(ready.active, weak))
    change = rendition.pixels.astype(float) - photo[BOX.slices]
    left, right = change[30:50, 20:50].mean(), change[30:50, 70:100].mean()
    assert right / left == pytest.approx(128 / 255, abs=0.08)
    assert rendition.selection is weak


def test_a_setting_of_the_network_waits_for_the_next_run(qtbot, ready, photo):
    first = run(qtbot, ready)
    ready.form.choose("amount", 0.08)
    assert not ready.refresh.busy
    second = run(qtbot, ready)
    assert ready.active.renditions == [first, second]
    assert brightening(second, photo) == pytest.approx(0.08, abs=0.005)


def test_choosing_an_older_rendition_brings_its_settings_back(qtbot, ready):
    first = run(qtbot, ready)
    ready.form.choose("amount", 0.08)
    run(qtbot, ready)
    ready.choose(first)
    assert ready.form.value("amount") == 0.05
    assert ready.active.shown is first


def test_a_moved_region_shows_the_original_until_it_is_restored_again(qtbot, ready):
    rendition = run(qtbot, ready)
    ready.reshape(ready.active, Selection("rectangle", BOX.shifted(5, 0)))
    assert ready.active.shown is None
    ready.reshape(ready.active, Selection("rectangle", BOX))
    assert ready.active.shown is rendition


def test_regions_keep_their_own_renditions_and_the_picture_shows_both(qtbot, ready, photo):
    run(qtbot, ready)
    ready.add_region(Selection("rectangle", Rect(170, 100, 60, 50)))
    run(qtbot, ready)
    assert [len(region.renditions) for region in ready.regions] == [0, 1, 1]
    _, after = ready.layers()
    whole = after.pyramid.area(0, ready.document.rect).astype(int)
    assert (whole[60:80, 80:120] - photo[60:80, 80:120]).mean() > 10
    assert (whole[115:135, 185:215] - photo[115:135, 185:215]).mean() > 10
    assert np.array_equal(whole[:25], photo[:25])


def test_the_whole_picture_is_enlarged_and_compared_in_output_coordinates(qtbot, ready, photo):
    ready.activate(ready.regions[0])
    assert ready.form.output_scale == 2
    run(qtbot, ready)
    before, after = ready.layers()
    assert after.size == before.size == (480, 320)
    ready.set_resampling("nearest")
    before, _ = ready.layers()
    assert np.array_equal(before.pyramid.area(0, Rect(0, 0, 480, 320))[::2, ::2], photo)


def test_every_installed_pipeline_can_run_in_one_go(qtbot, ready):
    ready.form.take_pipelines(
        [p for p in ready.form.pipelines if p.spec.id in ("identity", "brighten")], "brighten"
    )
    ready.run_all_pipelines()
    qtbot.waitUntil(lambda: not ready.jobs.running, timeout=WAIT_MS)
    assert {r.settings.pipeline for r in ready.active.renditions} == {"identity", "brighten"}


def test_half_automatic_and_double_working_scale_are_three_renditions(qtbot, ready):
    ready.run_working_scales()
    qtbot.waitUntil(lambda: not ready.jobs.running, timeout=WAIT_MS)
    scales = sorted(r.report["working_scale"] for r in ready.active.renditions)
    assert scales == [0.5, 1.0, 2.0]


def test_cancelling_leaves_no_rendition_and_no_error(qtbot, ready):
    errors = []
    ready.failed.connect(errors.append)
    ready.form.choose_pipeline("tortoise")
    with qtbot.waitSignal(ready.jobs.failed, timeout=WAIT_MS):
        job = ready.run()
        qtbot.waitUntil(lambda: job.progress is not None, timeout=WAIT_MS)
        job.cancel()
    assert ready.active.renditions == []
    assert errors == []


def test_a_pipeline_that_is_not_installed_says_what_to_do(qtbot, ready):
    ready.form.choose_pipeline("absent")
    with qtbot.waitSignal(ready.failed, timeout=WAIT_MS) as told:
        ready.run()
    assert told.args[0].reason == "PIPELINE_NOT_INSTALLED" or "install" in told.args[0].message


def test_a_result_that_fails_its_checks_is_an_error_not_a_picture(qtbot, ready):
    ready.form.choose_pipeline("broken")
    with qtbot.waitSignal(ready.failed, timeout=WAIT_MS):
        ready.run()
    assert ready.active.renditions == []


def test_a_value_out_of_range_is_told_before_anything_runs(qtbot, ready):
    ready.form.choose("amount", 5.0)
    with qtbot.waitSignal(ready.failed) as told:
        assert ready.run() is None
    assert isinstance(told.args[0], InvalidRequest)


def test_a_job_whose_daemon_is_killed_is_run_again_by_the_one_that_comes_back(qtbot, photo_png):
    with short_folder() as folder, daemon_process(folder) as daemon:
        background = Background()
        link = DaemonLink(background, open_client=lambda: RestorationClient.local(folder, start=False))
        editor = Editor(link, background)
        with qtbot.waitSignal(link.greeted, timeout=WAIT_MS):
            link.connect_now()
        editor.show_document(load_document(photo_png))
        editor.form.choose_pipeline("tortoise")
        errors = []
        editor.failed.connect(errors.append)
        with qtbot.waitSignal(editor.jobs.failed, timeout=WAIT_MS):
            job = editor.run()
            qtbot.waitUntil(lambda: job.progress is not None, timeout=WAIT_MS)
            os.kill(daemon.process.pid, signal.SIGKILL)
        assert [e.reason for e in errors] == ["DAEMON_GONE"]
        assert link.state is not LinkState.CONNECTED
        daemon.process.wait()
        again = launched(folder, COMMAND)
        try:
            with qtbot.waitSignals([editor.resumed, editor.jobs.finished], timeout=60_000):
                pass
            assert link.state is LinkState.CONNECTED
            assert editor.active.shown.settings.pipeline == "tortoise"
            editor.form.choose_pipeline("brighten")
            run(qtbot, editor)
            assert editor.active.shown.settings.pipeline == "brighten"
        finally:
            editor.close()
            link.close()
            background.close()
            again.kill()
            again.wait()
            until(lambda: again.poll() is not None)


def test_a_job_that_loses_every_daemon_is_given_up(qtbot, ready):
    runs = []
    ready.jobs.changed.connect(lambda: runs.append(len(ready.jobs.running)))
    ready.form.choose_pipeline("tortoise")
    job = ready.run()
    told = ready.link
    for count in range(2, STARTS_MOST + 1):
        ready._job_failed(job, Unavailable("it is gone", "DAEMON_GONE"))
        with qtbot.waitSignal(ready.resumed, timeout=WAIT_MS):
            told.connect_now()
        job = ready.jobs.running[-1]
        assert job.plan.starts == count
    ready._job_failed(job, Unavailable("it is gone", "DAEMON_GONE"))
    assert ready._interrupted == []
    ready.cancel()
    qtbot.waitUntil(lambda: not ready.jobs.running, timeout=WAIT_MS)


def test_without_a_daemon_the_button_is_grey_and_the_status_says_so(qtbot, preferences, photo_png):
    from safelight_desktop.windows.main_window import MainWindow

    with short_folder() as folder:
        background = Background()
        link = DaemonLink(background, open_client=lambda: RestorationClient.local(folder, start=False))
        window = MainWindow(link, background, preferences)
        qtbot.addWidget(window)
        with qtbot.waitSignal(link.failed, timeout=WAIT_MS):
            link.connect_now()
        with qtbot.waitSignal(window.editor.document_changed, timeout=WAIT_MS):
            window.open_files([photo_png])
        assert not window.sidebar.run_box.run.isEnabled()
        assert window.status.connection.text() == "No daemon"
        window.show()
        with qtbot.waitSignal(link.failed, timeout=WAIT_MS):
            link.connect_now()
        assert window.messages.reason == "NOT_RUNNING"
        assert window.messages.help.isVisible()
        qtbot.mouseClick(window.messages.close_button, Qt.MouseButton.LeftButton)
        assert not window.messages.isVisible()
        window.close()


def test_of_a_large_region_the_part_in_sight_is_refreshed_first(qtbot, ready, tmp_path, photo):
    path = tmp_path / "large.png"
    Image.fromarray(np.tile(photo, (8, 6, 1))).save(path)
    ready.show_document(load_document(path))
    ready.form.choose_scale(1)
    ready.view.set_viewport(Size(300, 200))
    run(qtbot, ready)
    ready.view.show_rect(Rect(600, 500, 300, 200))
    parts = []
    ready.refresh.refreshed.connect(lambda rendition: parts.append(rendition.provisional))
    ready.form.choose("strength", 0.5)
    qtbot.waitUntil(lambda: not ready.refresh.busy, timeout=WAIT_MS)
    first, last = parts
    assert Rect.of_size(ready.document.size).contains(first.rect)
    assert first.rect.contains(Rect(600, 500, 300, 200))
    assert last is None
    rendition = ready.active.chosen
    assert np.array_equal(rendition.pixels[first.rect.slices], first.pixels)
    assert rendition.report["settings"]["strength"] == 0.5


def test_another_file_of_another_size_can_be_the_before(qtbot, ready, tmp_path, photo):
    run(qtbot, ready)
    other = tmp_path / "other.png"
    Image.fromarray(photo).resize((120, 80), Image.Resampling.BOX).save(other)
    with qtbot.waitSignal(ready.picture_changed, timeout=WAIT_MS):
        ready.compare_with(other)
    before, after = ready.layers()
    assert before.size == after.size
    shown = before.pyramid.area(0, ready.document.rect).astype(int)
    assert np.abs(shown - photo).mean() < 12
    ready.choose_against(None)
    assert np.array_equal(ready.layers()[0].pyramid.area(0, ready.document.rect), photo)


def test_smaller_tiles_are_half_as_large_and_never_below_what_the_stage_bears(editor):
    editor.form.take_pipelines([Installed(S3DIFF, True, "", False)], "s3diff")
    assert editor.form.tiles == {"encode_tile": 768, "predict_tile": 96, "decode_tile": 96}
    editor.form.halve_tiles()
    assert editor.form.tiles == {"encode_tile": 384, "predict_tile": 48, "decode_tile": 48}
    for _ in range(5):
        editor.form.halve_tiles()
    assert editor.form.tiles == {"encode_tile": 256, "predict_tile": 32, "decode_tile": 24}
    editor.form.settings()
