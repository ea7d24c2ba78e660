"""The side bar is drawn from what the daemon says, and steers the form."""

from dataclasses import replace

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QApplication, QCheckBox, QComboBox

from safelight.client.description import Described, DescriptionClient
from safelight.client.restoration import Installed
from safelight.engine.pipelines.compact_spec import COMPACT
from safelight.engine.pipelines.registry import default_registry
from safelight.geometry import Rect
from safelight.settings import COMMON
from safelight.spec import SettingSpec
from safelight_desktop.state.selection import Selection
from safelight_desktop.widgets.number_row import NumberRow
from safelight_desktop.widgets.setting_rows import automatic_value
from tests.desktop.fixtures import WAIT_MS

SPECS = {entry.spec.id: entry.spec for entry in default_registry().entries}


def offered(window, *ids):
    """The window as if the daemon had these pipelines installed."""
    window.editor.form.take_pipelines([Installed(SPECS[i], True, "", False) for i in ids], ids[0])


@pytest.mark.parametrize("pipeline", SPECS)
def test_every_setting_of_every_pipeline_has_a_row_of_its_kind(window, pipeline):
    offered(window, pipeline)
    spec, rows = SPECS[pipeline], window.sidebar.settings.rows
    assert list(rows) == [s.name for s in (*COMMON, *spec.settings)]
    for setting in (*COMMON, *spec.settings):
        row = rows[setting.name]
        assert row.toolTip()
        match setting.type:
            case "bool":
                assert row.findChild(QCheckBox) is not None
            case "choice":
                assert row.findChild(QComboBox).count() == len(setting.choices)
            case "int" | "float":
                assert row.row.slider.accessibleName() == row.title


def test_advanced_settings_are_folded_away(window):
    offered(window, "s3diff")
    rows = window.sidebar.settings.rows
    assert window.sidebar.settings.advanced.folded
    assert rows["guidance_scale"].isHidden() or not rows["guidance_scale"].isVisible()
    window.sidebar.settings.advanced.fold(False)
    assert not window.sidebar.settings.advanced.folded


def test_dragging_typing_and_resetting_reach_the_form(qtbot, opened):
    offered(opened, "compact")
    form, row = opened.editor.form, opened.sidebar.settings.rows["strength"].row
    row.slider.setValue(500)
    assert form.value("strength") == 0.5
    row.number.setValue(0.25)
    assert form.value("strength") == 0.25
    qtbot.mouseDClick(row.slider, Qt.MouseButton.LeftButton)
    assert form.value("strength") == 1.0
    assert not form.chosen("strength")


def test_sliders_go_by_1_percent_with_shift_by_10_and_to_their_ends(qtbot):
    row = NumberRow("Strength", 0.0, 1.0)
    qtbot.addWidget(row)
    row.set_value(0.5)
    for key, modifiers, expected in (
        (Qt.Key.Key_Right, Qt.KeyboardModifier.NoModifier, 0.51),
        (Qt.Key.Key_Left, Qt.KeyboardModifier.ShiftModifier, 0.41),
        (Qt.Key.Key_End, Qt.KeyboardModifier.NoModifier, 1.0),
        (Qt.Key.Key_Home, Qt.KeyboardModifier.NoModifier, 0.0),
    ):
        qtbot.keyClick(row.slider, key, modifiers)
        assert row.value == pytest.approx(expected)


def test_automatic_values_are_a_word_and_back(qtbot):
    row = NumberRow("Blur", 0.0, 1.0, automatic=-1.0, automatic_text="auto")
    qtbot.addWidget(row)
    changes = []
    row.changed.connect(changes.append)
    row.set_value(-1.0)
    assert (row.value, row.number.text()) == (-1.0, "auto")
    row.number.setValue(0.3)
    row.number.setValue(row.number.minimum())
    assert changes == [0.3, -1.0]


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        (next(s for s in COMMON if s.name == "feather"), -1.0),
        (next(s for s in COMMON if s.name == "working_scale"), 0.0),
        (next(s for s in COMMON if s.name == "grain"), None),
        (next(s for s in COMMON if s.name == "strength"), None),
        (SPECS["s3diff"].setting("degradation_blur"), -1.0),
        (SPECS["s3diff"].setting("encode_tile"), 0.0),
        (COMPACT.setting("sharpness"), None),
        (SettingSpec("n", "N", "int", 5, "", 1, 9), None),
    ],
    ids=lambda value: getattr(value, "name", None),
)
def test_which_value_means_chosen_for_you(spec, expected):
    assert automatic_value(spec) == expected


def finished_run(qtbot, window, report):
    """A region with a finished rendition, whose report says this beside the rest."""
    editor = window.editor
    editor.form.choose_pipeline("brighten")
    editor.add_region(Selection("rectangle", Rect(40, 30, 120, 80)))
    with qtbot.waitSignal(editor.jobs.finished, timeout=WAIT_MS):
        editor.run()
    rendition = editor.active.chosen
    rendition.restored.report.update(report)
    return rendition


def test_s3diffs_sliders_stand_where_the_estimator_saw_them(qtbot, opened):
    rendition = finished_run(
        qtbot, opened, {"conditioning": {"degradation_blur": 0.42, "degradation_noise": 0.13}}
    )
    offered(opened, "s3diff")
    rendition.settings = replace(rendition.settings, pipeline="s3diff")
    opened.editor.regions_changed.emit()
    row = opened.sidebar.settings.rows["degradation_blur"].row
    assert row.number.text() == "auto: 0.42"
    assert row.slider.value() == 420
    assert opened.editor.form.value("degradation_blur") == -1.0
    row.slider.setValue(600)
    assert opened.editor.form.value("degradation_blur") == pytest.approx(0.6)


def test_found_words_are_shown_and_can_be_edited(qtbot, opened):
    rendition = finished_run(qtbot, opened, {"conditioning": {"prompt": "a harbour, boats"}})
    offered(opened, "osediff")
    rendition.settings = replace(rendition.settings, pipeline="osediff")
    opened.editor.regions_changed.emit()
    row = opened.sidebar.settings.rows["prompt"]
    assert "a harbour, boats" in row.found.text()
    row.take.click()
    form = opened.editor.form
    assert (form.value("prompt"), form.value("prompt_source")) == ("a harbour, boats", "text")
    assert row.box.toPlainText() == "a harbour, boats"


def test_a_caption_is_told_as_such_edited_and_used_by_the_next_run(qtbot, opened):
    told = {
        "prompt": "two boats",
        "prompt_from": "caption",
        "prompt_note": "the captioner saw it at half size",
    }
    rendition = finished_run(qtbot, opened, {"conditioning": told})
    offered(opened, "osediff")
    rendition.settings = replace(rendition.settings, pipeline="osediff")
    opened.editor.regions_changed.emit()
    row = opened.sidebar.settings.rows["prompt"]
    assert row.found.text() == "Read from the picture (caption): two boats"
    assert row.note.text() == "The captioner saw it at half size."
    row.take.click()
    row.box.setPlainText("two boats, fog")
    settings = opened.editor.form.settings()
    assert (settings.own["prompt_source"], settings.own["prompt"]) == ("text", "two boats, fog")


def test_words_can_be_read_before_a_run(qtbot, opened, monkeypatch):
    asked = []

    def describe(client, pixels, source, **more):
        asked.append((pixels.shape, source, more["captioner"]))
        return Described(("boat", "fog"), "", "boat, fog", ("ram",))

    monkeypatch.setattr(DescriptionClient, "describe", describe)
    offered(opened, "osediff")
    row = opened.sidebar.settings.rows["prompt"]
    assert not row.read.isVisible()
    opened.editor.form.choose("prompt_source", "tags")
    qtbot.waitUntil(row.read.isVisible)
    with qtbot.waitSignal(opened.editor.words.found, timeout=WAIT_MS):
        row.read.click()
    assert asked == [((160, 240, 3), "tags", "")]
    assert row.found.text() == "Read from the picture (tags): boat, fog"
    row.take.click()
    assert opened.editor.form.value("prompt") == "boat, fog"
    assert not row.read.isVisible()


def test_a_tagger_that_is_not_installed_is_told(qtbot, opened, tmp_path, monkeypatch):
    monkeypatch.setenv("SAFELIGHT_CHECKPOINT_DIR", str(tmp_path / "none"))
    with qtbot.waitSignal(opened.editor.failed, timeout=WAIT_MS) as told:
        opened.editor.words.read("tags")
    assert told.args[0].reason == "CHECKPOINT_MISSING"
    assert "safelight models pull" in told.args[0].message


def test_presets_are_those_of_the_pipeline_and_own_ones(qtbot, opened):
    offered(opened, "compact")
    form, box = opened.editor.form, opened.sidebar.pipeline.presets
    names = [box.list.itemData(i) for i in range(box.list.count())]
    assert names == ["", "faithful", "as-the-authors", "old-photograph", "film-still", "crisp"]
    form.choose("strength", 0.33)
    box.keep_as("My scans")
    assert box.list.currentText() == "My scans"
    form.apply_preset("faithful")
    box.list.setCurrentIndex(box.list.findText("My scans"))
    box.list.activated.emit(box.list.currentIndex())
    assert form.value("strength") == 0.33
    assert form.value("detail") == 1.0
    box.remove.trigger()
    assert box.list.findText("My scans") < 0


def test_the_wheel_over_a_control_scrolls_past_it(qtbot, opened):
    offered(opened, "compact")
    slider = opened.sidebar.settings.rows["strength"].row.slider
    slider.setValue(500)
    at = QPointF(5, 5)
    event = QWheelEvent(
        at, slider.mapToGlobal(at), QPoint(0, 0), QPoint(0, 120), Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(slider, event)
    assert slider.value() == 500


def test_a_click_on_the_button_leaves_the_keys_with_the_picture(qtbot, opened):
    opened.canvas.setFocus()
    run = opened.sidebar.run_box.run
    assert run.focusPolicy() is Qt.FocusPolicy.TabFocus
    with qtbot.waitSignal(opened.editor.jobs.finished, timeout=WAIT_MS):
        qtbot.mouseClick(run, Qt.MouseButton.LeftButton)
    assert not run.hasFocus()


def test_before_it_starts_size_memory_and_time_are_told(qtbot, opened):
    box = opened.sidebar.run_box
    assert "480 × 320" in box.said.text()
    assert "time not known yet" in box.said.text()
    with qtbot.waitSignal(opened.editor.jobs.finished, timeout=WAIT_MS):
        opened.editor.run()
    qtbot.waitUntil(lambda: "time not known yet" not in box.said.text(), timeout=WAIT_MS)
    assert opened.speeds.duration_s("compact", 240 * 160) > 0


def test_a_small_region_gets_a_warning_and_numbers_move_it(qtbot, opened):
    editor, box = opened.editor, opened.sidebar.regions
    region = editor.add_region(Selection("rectangle", Rect(40, 30, 50, 40)))
    assert box.warning.isVisible()
    box.numbers["width"].setValue(100)
    box.numbers["height"].setValue(90)
    box.numbers["height"].editingFinished.emit()
    assert region.selection.rect == Rect(40, 30, 100, 90)
    assert not box.warning.isVisible()


def test_regions_can_be_named_and_chosen(qtbot, opened):
    editor, box = opened.editor, opened.sidebar.regions
    editor.add_region(Selection("rectangle", Rect(40, 30, 50, 40)))
    assert [box.list.item(i).text() for i in range(2)] == ["Whole picture", "Region 1"]
    box.list.item(1).setText("Face")
    assert editor.regions[1].name == "Face"
    box.list.setCurrentRow(0)
    assert editor.active is editor.regions[0]


def test_the_status_bar_says_what_is_loaded_and_frees_it(qtbot, opened):
    with qtbot.waitSignal(opened.editor.jobs.finished, timeout=WAIT_MS):
        opened.editor.run()
    status = opened.status
    qtbot.waitUntil(lambda: "loaded until" in status.resident.text(), timeout=WAIT_MS)
    assert "free" in status.memory.text()
    qtbot.mouseClick(status.keep, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: "kept loaded" in status.resident.text(), timeout=WAIT_MS)
    assert not status.keep.isVisible()
    opened.device.unload("")
    qtbot.waitUntil(lambda: status.resident.text() == "", timeout=WAIT_MS)


def test_the_preset_for_social_media_brings_its_pipeline(qtbot, opened):
    offered(opened, "compact", "s3diff")
    form, box = opened.editor.form, opened.sidebar.pipeline.presets
    form.choose("strength", 0.5)
    box.list.setCurrentIndex(box.list.findText("Social media, JPEG"))
    box.list.activated.emit(box.list.currentIndex())
    assert form.spec.id == "s3diff"
    assert (form.value("degradation_blur"), form.value("strength")) == (-1.0, 1.0)
    assert box.list.currentText() == "Social media, JPEG"
