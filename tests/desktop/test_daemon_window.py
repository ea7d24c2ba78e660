"""What is loaded, the doctor's findings, the log and the report; the preferences about the daemon."""

import getpass
import json
import os

import pytest
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QLabel, QPushButton

from safelight import runtime
from safelight.client import remote
from safelight.errors import OutputFileError
from safelight_desktop import report
from safelight_desktop.rpc.command import CommandCall
from safelight_desktop.state.device import Part
from safelight_desktop.state.doctor import Finding
from safelight_desktop.state.preferences import Preferences
from safelight_desktop.windows.preferences_dialog import PreferencesDialog
from tests.desktop.fixtures import WAIT_MS


@pytest.fixture
def here(monkeypatch, daemon_folder):
    """Commands of this machine meet the daemon of the tests."""
    monkeypatch.setenv(runtime.RUNTIME_DIR_VARIABLE, str(daemon_folder))


def labels(widget):
    return [label.text() for label in widget.findChildren(QLabel)]


def test_what_is_loaded_is_shown_and_can_be_kept_or_unloaded(qtbot, opened):
    with qtbot.waitSignal(opened.editor.jobs.finished, timeout=WAIT_MS):
        opened.editor.run()
    opened.show_daemon("loaded")
    page = opened.daemon_window.loaded

    def button(name):
        return next((b for b in page.findChildren(QPushButton) if b.accessibleName() == name), None)

    title = next(p.spec.title for p in opened.editor.form.pipelines if p.spec.id == "compact")
    qtbot.waitUntil(lambda: button(f"Keep {title} loaded") is not None, timeout=WAIT_MS)
    assert "of host memory" in page.memory.text()
    button(f"Keep {title} loaded").click()
    qtbot.waitUntil(lambda: any("until you unload it" in text for text in labels(page)), timeout=WAIT_MS)
    button(f"Unload {title} now").click()
    qtbot.waitUntil(lambda: any("Nothing is loaded" in text for text in labels(page)), timeout=WAIT_MS)


def test_shared_parts_are_shown_with_who_uses_them(qtbot, opened):
    from dataclasses import replace

    qtbot.waitUntil(lambda: opened.device.device is not None, timeout=WAIT_MS)
    opened.device.watch(False)
    part = Part("text encoder", "cuda:0", 680_000_000, "fp16", ("osediff", "s3diff"))
    opened.device.device = replace(opened.device.device, parts=(part,))
    opened.show_daemon("loaded")
    opened.device.changed.emit()
    titles = {p.spec.id: p.spec.title for p in opened.editor.form.pipelines}
    told = [text for text in labels(opened.daemon_window.loaded) if "fp16" in text]
    assert told
    assert f"shared by {titles['osediff']}, {titles['s3diff']}" in told[0]


def test_the_doctor_finds_the_daemon_and_what_is_not_installed(qtbot, window, here):
    window.show_daemon("checkpoints")
    qtbot.waitUntil(lambda: bool(window.checkpoints.entries), timeout=WAIT_MS)
    window.show_daemon("doctor")
    doctor, page = window.doctor, window.daemon_window.doctor
    qtbot.waitUntil(lambda: bool(doctor.findings) and not doctor.checking, timeout=WAIT_MS)
    found = {finding.area: finding for finding in doctor.findings}
    assert "answers" in found["daemon"].text
    assert page.summary.text() == "All is well"
    names = [b.accessibleName() for b in page.findChildren(QPushButton)]
    assert "Install: s3diff" in names


def test_a_fault_comes_with_its_fix(qtbot, window, monkeypatch):
    monkeypatch.setattr(CommandCall, "start", lambda call: None)
    window.show_daemon("doctor")
    window.doctor.findings = [Finding("daemon", "no answer", "start one with safelight serve")]
    window.doctor._over()
    page = window.daemon_window.doctor
    assert page.summary.text() == "To be fixed: 1"
    assert "No answer.\nStart one with safelight serve." in labels(page)
    assert "Try again: daemon" in [b.accessibleName() for b in page.findChildren(QPushButton)]


def test_log_and_report_go_to_the_clipboard_the_report_without_names(window, here, monkeypatch):
    monkeypatch.setattr(CommandCall, "start", lambda call: None)
    name = getpass.getuser()
    log = runtime.log_path()
    monkeypatch.setattr(runtime, "log_path", lambda: log.with_name("a.log"))
    runtime.log_path().write_text(f"ERROR /home/{name}/holiday/aunt mary.jpg for {name}: IMG_4711.tif\n")
    window.show_daemon("doctor")
    window.doctor.findings = [Finding("runtime", f"/home/{name}/.cache/safelight is private", "")]
    page = window.daemon_window.doctor
    page.copy_log.click()
    assert "IMG_4711" in QGuiApplication.clipboard().text()
    page.copy_report.click()
    told = QGuiApplication.clipboard().text()
    assert "Safelight" in told
    assert "runtime: <path>" in told
    for secret in (f"/{name}", "mary", "holiday", "IMG_4711"):
        assert secret not in told, told
    runtime.log_path().unlink()


def test_reports_of_errors_name_no_files():
    error = OutputFileError("the file /home/eve/x.tif and scan_07.png cannot be written", "NOT_WRITTEN")
    told = report.report_of(error)
    assert "NOT_WRITTEN" in told
    assert "eve" not in told
    assert "scan_07" not in told


@pytest.fixture
def preferences_dialog(qtbot, window, tmp_path, monkeypatch):
    monkeypatch.setenv(remote.REMOTE_VARIABLE, str(tmp_path / "remote.json"))
    dialog = PreferencesDialog(window.preferences, window.device, window.link, window)
    qtbot.addWidget(dialog)
    return dialog


def test_a_daemon_elsewhere_is_named_only_when_it_can_be_used(qtbot, preferences_dialog, window, tmp_path):
    page = preferences_dialog.daemon
    page.there.setChecked(True)
    page.fields["target"].setText("studio.example:7443")
    page.fields["token_file"].setText("token")
    page.use.click()
    assert "without certificates" in page.said.text()
    assert not (tmp_path / "remote.json").exists()
    (tmp_path / "token").write_text("secret")
    page.fields["target"].setText("127.0.0.1:7443")
    page.use.click()
    assert json.loads((tmp_path / "remote.json").read_text()) == {
        "target": "127.0.0.1:7443", "token_file": "token",
    }  # fmt: skip
    assert remote.configured_remote().target == "127.0.0.1:7443"
    page.here.setChecked(True)
    page.use.click()
    assert not (tmp_path / "remote.json").exists()


def test_how_much_is_kept_is_told_to_the_next_daemon(preferences_dialog, window, monkeypatch):
    monkeypatch.delenv(runtime.KEPT_VARIABLE, raising=False)
    page = preferences_dialog.daemon
    page.limited.setChecked(True)
    page.kept.setValue(300)
    assert os.environ[runtime.KEPT_VARIABLE] == "300"
    assert Preferences(window.settings).kept_megabytes == 300
    page.limited.setChecked(False)
    assert runtime.KEPT_VARIABLE not in os.environ


def test_the_dialog_for_saving_begins_with_what_is_preferred(qtbot, opened, preferences_dialog, tmp_path):
    from safelight_desktop.windows.save_dialog import SaveDialog

    page = preferences_dialog.saving
    for box, value in ((page.format, ".tif"), (page.metadata, "no-location")):
        box.setCurrentIndex(box.findData(value))
        box.activated.emit(box.currentIndex())
    page.record.click()
    document = opened.editor.document
    dialog = SaveDialog(document, document.size, tmp_path, opened.preferences)
    qtbot.addWidget(dialog)
    assert dialog.path.name == "photo-restored.tif"
    assert dialog.policy == "no-location"
    assert not dialog.record.isChecked()
