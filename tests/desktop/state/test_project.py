"""Projects come back exactly, and what is no project is refused."""

import json
import shutil
import zipfile
from dataclasses import replace

import numpy as np
import pytest

from safelight.errors import InputFileError, OutputFileError
from safelight.geometry import Rect
from safelight.imaging.files import Metadata, write_picture
from safelight.imaging.pixels import PixelFormat, Sample
from safelight.imaging.record import pixels_sha256
from safelight_desktop.state.compare import CompareMode
from safelight_desktop.state.document import load_document
from safelight_desktop.state.painting import lasso_selection
from safelight_desktop.state.project import to_json
from safelight_desktop.state.project_file import read_project, write_project
from safelight_desktop.state.selection import Selection
from safelight_desktop.state.view import Point
from tests.desktop.fixtures import WAIT_MS
from tests.fakes import icc


class Names:
    """In place of arrays on disk: hashes alone, so that two projects can be compared as text."""

    def put(self, array):
        return {"sha256": pixels_sha256(np.atleast_3d(array)), "shape": list(array.shape)}


def told(project):
    return to_json(project, Names())


@pytest.fixture
def worked(qtbot, editor, tmp_path, photo):
    """16 bit with profile and EXIF; a lasso with two renditions, a box with a strength map, one enlarged."""
    path = tmp_path / "photo.tif"
    write_picture(
        path, photo.astype(np.uint16) * 257 + 3, PixelFormat(3, False, Sample.U16),
        icc=icc.rgb_profile(icc.ADOBE_RGB, icc.gamma(2.2)), metadata=Metadata(exif=b"", xmp=b""),
    )  # fmt: skip
    editor.show_document(load_document(path))
    editor.form.choose_pipeline("brighten")
    triangle = [Point(60.5, 40.0), Point(150.0, 45.25), Point(90.0, 120.0)]
    editor.add_region(lasso_selection(triangle, editor.document.size))
    run(qtbot, editor)
    editor.form.choose("amount", 0.08)
    run(qtbot, editor)
    editor.choose_against(editor.active.renditions[0])
    box = Rect(170, 100, 60, 50)
    strength = np.full((50, 60), 255, np.uint8)
    strength[:, 30:] = 99
    editor.add_region(Selection("rectangle", box, None, (), strength))
    editor.rename(editor.active, "Ecke")
    editor.form.choose_scale(2)
    run(qtbot, editor)
    editor.activate(editor.regions[1])
    editor.form.choose("grain", 0.25)
    qtbot.waitUntil(lambda: not editor.refresh.busy, timeout=WAIT_MS)
    editor.view.zoom_to(2.5, Point(20, 30))
    editor.compare.set_mode(CompareMode.SIDE_BY_SIDE)
    editor.compare.set_divider(0.3)
    return editor


def run(qtbot, editor):
    with qtbot.waitSignal(editor.jobs.finished, timeout=WAIT_MS):
        editor.run()


def test_a_project_opens_again_exactly_without_the_picture(qtbot, worked, tmp_path):
    project, path = worked.project(), tmp_path / "work.safelight"
    write_project(project, path)
    worked.document.path.unlink()
    assert told(read_project(path)) == told(project)
    result = worked.save_plan()
    result.write(tmp_path / "before.tif")
    worked.close_document()
    with qtbot.waitSignal(worked.document_changed, timeout=WAIT_MS):
        worked.open(path)
    assert told(worked.project()) == told(project)
    assert worked.project_path == path
    assert [len(region.renditions) for region in worked.regions] == [0, 2, 1]
    worked.save_plan().write(tmp_path / "after.tif")
    before, after = (load_document(tmp_path / f"{name}.tif") for name in ("before", "after"))
    assert np.array_equal(before.pixels, after.pixels)
    assert before.icc == after.icc


def test_an_opened_project_goes_on_where_it_was(qtbot, worked, tmp_path):
    path = tmp_path / "work.safelight"
    write_project(worked.project(), path)
    with qtbot.waitSignal(worked.document_changed, timeout=WAIT_MS):
        worked.open(path)
    rendition = worked.active.shown
    assert rendition is worked.active.renditions[1]
    with qtbot.waitSignal(worked.refresh.refreshed, timeout=WAIT_MS):
        worked.form.choose("strength", 0.5)
    assert rendition.report["settings"]["strength"] == 0.5
    assert rendition.settings.own["amount"] == 0.08
    worked.run()
    qtbot.waitUntil(lambda: len(worked.active.renditions) == 3, timeout=WAIT_MS)


def test_a_project_that_comes_before_the_daemon_keeps_its_recipe(qtbot, worked, tmp_path, background):
    from safelight_desktop.rpc.link import DaemonLink
    from safelight_desktop.state.editor import Editor

    project = worked.project()
    later = Editor(DaemonLink(background), background)
    later.show_project(project)
    assert later.form.recipe() == project.recipe
    later.form.take_pipelines(worked.form.pipelines, "compact")
    assert later.form.spec.id == "brighten"
    assert later.form.settings() == worked.form.settings()
    later.close()


def test_a_project_is_replaced_in_one_step_or_not_at_all(worked, tmp_path, monkeypatch):
    path = tmp_path / "work.safelight"
    write_project(worked.project(), path)
    before = path.read_bytes()

    def full(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("safelight_desktop.state.project_file.os.fsync", full)
    with pytest.raises(OutputFileError) as told:
        write_project(worked.project(), path)
    assert told.value.reason == "PROJECT_NOT_WRITTEN"
    assert path.read_bytes() == before
    assert sorted(p.name for p in tmp_path.glob(".*")) == []


def edited(change):
    """A broken twin: `change` is given the JSON."""

    def broken(path):
        with zipfile.ZipFile(path) as archive:
            parts = {name: archive.read(name) for name in archive.namelist()}
        json_form = json.loads(parts["project.json"])
        change(json_form, parts)
        parts["project.json"] = json.dumps(json_form).encode()
        with zipfile.ZipFile(path, "w") as archive:
            for name, part in parts.items():
                archive.writestr(name, part)

    return broken


def other_pixels(told, parts):
    name = "arrays/" + told["picture"]["samples"]["blob"]
    parts[name] = bytes(len(parts[name]))


BROKEN = {
    "no archive": (lambda path: path.write_bytes(b"just words"), "PROJECT_DAMAGED"),
    "cut off": (lambda path: path.write_bytes(path.read_bytes()[:-200]), "PROJECT_DAMAGED"),
    "of a later Safelight": (edited(lambda told, _: told.update(version=2)), "PROJECT_VERSION"),
    "an array that changed": (edited(other_pixels), "PROJECT_DAMAGED"),
    "an array that is missing": (edited(lambda told, parts: parts.pop(next(iter(parts)))), "PROJECT_DAMAGED"),
    "a huge array": (
        edited(lambda told, _: told["picture"]["samples"].update(shape=[10**6, 10**6, 3])), "PROJECT_DAMAGED",
    ),
    "a region outside": (
        edited(lambda told, _: told["regions"][1]["selection"].update(rect=[230, 0, 60, 50])), "PROJECT_DAMAGED",
    ),
    "a setting that is none": (
        edited(lambda told, _: told["recipe"]["values"].update(grain=[1])), "PROJECT_DAMAGED",
    ),
    "no regions": (edited(lambda told, _: told.update(regions=[])), "PROJECT_DAMAGED"),
    "gone": (lambda path: path.unlink(), "FILE_MISSING"),
}  # fmt: skip


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """Made by the first test that needs it."""
    return tmp_path_factory.mktemp("project") / "work.safelight"


@pytest.mark.parametrize("case", BROKEN)
def test_what_is_no_project_is_refused_with_a_reason(case, written, tmp_path, photo_png):
    if not written.exists():
        plain = small_project(photo_png)
        write_project(plain, written)
    path = tmp_path / "work.safelight"
    shutil.copy(written, path)
    damage, reason = BROKEN[case]
    damage(path)
    with pytest.raises(InputFileError) as told:
        read_project(path)
    assert told.value.reason == reason


def small_project(photo_png):
    from safelight_desktop.state.project import Look, Project
    from safelight_desktop.state.region import Region
    from safelight_desktop.state.selection import whole
    from safelight_desktop.state.settings_form import Recipe

    document = load_document(photo_png)
    box = Region("", Selection("rectangle", Rect(10, 20, 60, 50), np.full((50, 60), 7, np.uint8)))
    return Project(
        document, (Region("", whole(document.size)), box), 1, Recipe("compact", 1, 42, "", {"grain": 0.5}),
        Look(1.0, Point(3, 4), True, "split", False, 0.5),
    )  # fmt: skip


def test_values_are_copies_of_their_moment(worked):
    project = worked.project()
    before = told(project)
    worked.active.chosen.settings = replace(worked.active.chosen.settings, strength=0.1)
    worked.remove_region(worked.active)
    assert told(project) == before
