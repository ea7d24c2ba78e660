"""Saved files: depth, profile, metadata, record, names."""

import threading

import numpy as np
import pytest
from PIL import Image

from safelight.geometry import Rect
from safelight.imaging.files import Metadata, open_picture, write_picture
from safelight.imaging.pixels import PixelFormat, Sample
from safelight.imaging.record import pixels_sha256, read_operations
from safelight_desktop.state.document import load_document
from safelight_desktop.state.preferences import Preferences
from safelight_desktop.state.saving import SavePlan
from safelight_desktop.state.selection import Selection
from safelight_desktop.windows.save_dialog import SaveDialog, suggested_name
from tests.desktop.fixtures import WAIT_MS
from tests.fakes import icc

ADOBE = icc.rgb_profile(icc.ADOBE_RGB, icc.gamma(2.2))


def restored_of(qtbot, editor, path, *boxes, pipeline="brighten"):
    """The picture with these boxes restored in place."""
    editor.show_document(load_document(path))
    editor.form.choose_pipeline(pipeline)
    for box in boxes:
        editor.add_region(Selection("rectangle", box))
        with qtbot.waitSignal(editor.jobs.finished, timeout=WAIT_MS):
            editor.run()
    return editor


def photo_as(tmp_path, photo, name, sample):
    path = tmp_path / name
    pixels = {
        Sample.U8: photo,
        Sample.U16: photo.astype(np.uint16) * 257 + 3,
        Sample.F32: (photo / 255).astype(np.float32),
    }[sample]
    profile = ADOBE if sample is not Sample.F32 else b""
    exif = Image.Exif()
    exif[0x010E] = "a harbour"
    write_picture(
        path, pixels, PixelFormat(3, False, sample, sample is Sample.F32), icc=profile,
        metadata=Metadata(exif=exif.tobytes()),
    )  # fmt: skip
    return path


@pytest.mark.parametrize("sample", [Sample.U8, Sample.U16, Sample.F32])
def test_depth_profile_and_metadata_are_the_originals(qtbot, editor, tmp_path, photo, sample):
    path = photo_as(tmp_path, photo, "in.tif", sample)
    restored_of(qtbot, editor, path, Rect(40, 30, 60, 50))
    editor.save_plan().write(tmp_path / "out.tif")
    before, after = open_picture(path), open_picture(tmp_path / "out.tif")
    assert after.format == before.format
    assert after.icc == before.icc
    assert b"a harbour" in after.metadata.exif
    old, new = before.read(), after.read()
    outside = np.ones(old.shape[:2], bool)
    outside[30:80, 40:100] = False
    assert np.array_equal(old[outside], new[outside])
    assert not np.array_equal(old, new)


@pytest.mark.parametrize("suffix", [".png", ".tif", ".jpg", ".webp"])
def test_every_format_can_be_written(qtbot, editor, tmp_path, photo_png, photo, suffix):
    restored_of(qtbot, editor, photo_png, Rect(40, 30, 60, 50))
    out = tmp_path / f"out{suffix}"
    editor.save_plan().write(out)
    assert open_picture(out).size == (240, 160)
    assert len(read_operations(open_picture(out).metadata.xmp)) == 1


def test_each_regions_operation_is_recorded_in_order(qtbot, editor, tmp_path, photo_png, photo):
    restored_of(qtbot, editor, photo_png, Rect(10, 10, 60, 50), Rect(150, 90, 60, 50))
    out = tmp_path / "out.png"
    editor.save_plan().write(out)
    picture = open_picture(out)
    first, second = read_operations(picture.metadata.xmp)
    assert (first["region"], second["region"]) == ([10, 10, 60, 50], [150, 90, 60, 50])
    assert first["input_sha256"] == pixels_sha256(photo)
    assert second["input_sha256"] == first["output_sha256"]
    assert second["output_sha256"] == pixels_sha256(picture.read())


def test_a_region_that_saw_the_original_of_another_one_says_so(qtbot, editor, tmp_path, photo_png, photo):
    restored_of(qtbot, editor, photo_png, Rect(10, 10, 60, 50), Rect(50, 40, 60, 50))
    out = tmp_path / "out.png"
    editor.save_plan().write(out)
    _, second = read_operations(open_picture(out).metadata.xmp)
    assert second["input_sha256"] == pixels_sha256(photo)


def test_no_record_and_no_metadata_leave_the_file_bare(qtbot, editor, tmp_path, photo):
    path = photo_as(tmp_path, photo, "in.tif", Sample.U8)
    restored_of(qtbot, editor, path, Rect(40, 30, 60, 50))
    editor.save_plan("none", record=False).write(tmp_path / "out.tif")
    after = open_picture(tmp_path / "out.tif")
    assert b"a harbour" not in after.metadata.exif
    assert not after.metadata.xmp


def test_an_enlarged_picture_is_saved_at_its_size(qtbot, editor, tmp_path, photo_png):
    editor.show_document(load_document(photo_png))
    editor.form.choose_pipeline("brighten")
    with qtbot.waitSignal(editor.jobs.finished, timeout=WAIT_MS):
        editor.run()
    plan = editor.save_plan()
    plan.write(tmp_path / "out.png")
    assert plan.size == open_picture(tmp_path / "out.png").size == (480, 320)


def test_the_original_is_never_overwritten(qtbot, editor, photo_png, preferences):
    editor.show_document(load_document(photo_png))
    dialog = SaveDialog(editor.document, editor.document.size, photo_png.parent, Preferences(preferences))
    qtbot.addWidget(dialog)
    save = dialog.buttons.button(dialog.buttons.StandardButton.Save)
    assert dialog.path == photo_png.parent / "photo-restored.png"
    assert save.isEnabled()
    dialog.name.setText(str(photo_png))
    assert not save.isEnabled()
    assert "original" in dialog.said.text()


def test_another_file_is_replaced_only_after_a_word_about_it(qtbot, editor, photo_png, tmp_path, preferences):
    editor.show_document(load_document(photo_png))
    (tmp_path / "other.png").write_bytes(b"mine")
    dialog = SaveDialog(editor.document, editor.document.size, tmp_path, Preferences(preferences))
    qtbot.addWidget(dialog)
    dialog.name.setText(str(tmp_path / "other.png"))
    assert "will be replaced" in dialog.said.text()
    assert dialog.buttons.button(dialog.buttons.StandardButton.Save).isEnabled()


def test_a_name_that_cannot_be_written_is_refused_at_once(qtbot, editor, photo_png, tmp_path, preferences):
    editor.show_document(load_document(photo_png))
    dialog = SaveDialog(editor.document, editor.document.size, tmp_path, Preferences(preferences))
    qtbot.addWidget(dialog)
    for name in ("out.gif", "missing folder/out.png"):
        dialog.name.setText(str(tmp_path / name))
        assert not dialog.buttons.button(dialog.buttons.StandardButton.Save).isEnabled()
        assert dialog.said.text()


def test_the_format_follows_the_name_and_the_name_the_format(qtbot, editor, photo_png, tmp_path, preferences):
    editor.show_document(load_document(photo_png))
    dialog = SaveDialog(editor.document, editor.document.size, tmp_path, Preferences(preferences))
    qtbot.addWidget(dialog)
    dialog.name.setText(str(tmp_path / "out.jpeg"))
    assert dialog.format.currentText() == "JPEG"
    dialog.format.setCurrentIndex(dialog.format.findText("TIFF"))
    dialog.format.activated.emit(dialog.format.currentIndex())
    assert dialog.path == tmp_path / "out.tif"


def test_pasted_pictures_get_a_name_and_png(qtbot, editor, photo_png):
    document = load_document(photo_png)
    assert suggested_name(document) == "photo-restored.png"


def test_an_error_while_saving_is_told(qtbot, opened, tmp_path):
    opened.save_to(tmp_path / "missing" / "out.png")
    qtbot.waitUntil(lambda: opened.messages.reason == "FOLDER_NOT_WRITABLE", timeout=WAIT_MS)
    assert opened.messages.title.text() == "The picture could not be saved"


def test_the_window_closes_only_when_the_picture_is_saved(qtbot, opened, tmp_path, monkeypatch):
    gate = threading.Event()
    write = SavePlan.write
    monkeypatch.setattr(SavePlan, "write", lambda plan, path: gate.wait(10) and write(plan, path))
    opened.save_to(tmp_path / "out.png")
    assert not opened.close()
    assert opened.isVisible()
    gate.set()
    qtbot.waitUntil(lambda: not opened.isVisible(), timeout=WAIT_MS)
    assert (tmp_path / "out.png").exists()
