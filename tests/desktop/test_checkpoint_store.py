"""Install, cancel, import, verify and remove checkpoints, against a hub on loopback."""

import threading
from dataclasses import replace

import pytest
from PySide6.QtWidgets import QDialog, QLabel

from safelight import runtime
from safelight.engine.checkpoints import catalogue, store
from safelight_desktop.windows.install_dialog import InstallDialog
from tests.engine.checkpoints.conftest import DE_NET_PTH
from tests.fakes.hub import hub

WAIT_MS = 120_000  # importing starts processes that load torch; 6 s of computing
DE_NET = "ArcticHare105/S3Diff/assets/mm-realsr/de_net.pth"


@pytest.fixture(autouse=True)
def root(tmp_path, monkeypatch, daemon_folder):
    """An empty store of this machine's daemon."""
    monkeypatch.setenv(store.CHECKPOINT_DIR_VARIABLE, str(tmp_path / "checkpoints"))
    monkeypatch.setenv(runtime.RUNTIME_DIR_VARIABLE, str(daemon_folder))
    return tmp_path / "checkpoints"


@pytest.fixture(autouse=True)
def served(monkeypatch):
    """Has the degradation estimator, whose hash is the catalogue's."""
    with hub({DE_NET: DE_NET_PTH.read_bytes()}) as found:
        for name, value in found.environment.items():
            monkeypatch.setenv(name, value)
        entry = catalogue.entry("de-net")
        ours = catalogue.CatalogueFile(entry.files[0].name, git_blob=store.file_git_blob(DE_NET_PTH))
        monkeypatch.setitem(catalogue._BY_ID, "de-net", replace(entry, files=(ours,)))
        yield found


@pytest.fixture
def page(qtbot, window, monkeypatch):
    """The store, listed; a dialog about licences is accepted once its button can be pressed."""
    window.show_daemon("checkpoints")
    made = window.daemon_window.checkpoints
    qtbot.waitUntil(lambda: "de-net" in made.cards, timeout=WAIT_MS)

    def exec_(dialog):
        assert dialog.ok.isEnabled() == (not dialog.accepts)
        for box in dialog.accepts:
            box.setChecked(True)
        assert dialog.ok.isEnabled()
        return QDialog.DialogCode.Accepted

    monkeypatch.setattr(InstallDialog, "exec", exec_)
    return made


def installed(window):
    entry = window.checkpoints.entry("de-net")
    return entry.installed


def install(qtbot, window, page):
    """Again where the daemon has not finished cancelling the last one."""

    def done():
        if not window.checkpoints.doing and installed(window) is None:
            page.cards["de-net"].buttons["install"].click()
        return installed(window) is not None

    qtbot.waitUntil(done, timeout=WAIT_MS)


def settled(qtbot, window):
    qtbot.waitUntil(lambda: not window.checkpoints.doing, timeout=WAIT_MS)


def test_every_entry_has_a_card_with_size_licence_and_state(window, page):
    assert list(page.cards) == [entry.id for entry in catalogue.ENTRIES]
    card = page.cards["osediff"]
    assert "MB" in card.about.text()
    assert "OSEDiff" in card.about.text()
    assert "Apache-2.0" in card.licence.text()
    assert card.state.text() == "Not installed"
    assert "free" in page.said.text()


def test_installing_shows_progress_and_makes_it_removable(qtbot, window, page):
    seen = []
    window.checkpoints.changed.connect(lambda: seen.append(window.checkpoints.doing.get("de-net")))
    install(qtbot, window, page)
    settled(qtbot, window)
    assert any(doing is not None and doing.what == "pull" for doing in seen)
    card = page.cards["de-net"]
    qtbot.waitUntil(lambda: card.state.text() == "Installed", timeout=WAIT_MS)
    assert card.buttons["remove"].isVisible()
    assert not card.buttons["install"].isVisible()
    with qtbot.waitSignal(window.checkpoints.installed_changed, timeout=WAIT_MS):
        window.checkpoints.remove(window.checkpoints.entry("de-net"))
    qtbot.waitUntil(lambda: installed(window) is None, timeout=WAIT_MS)


def test_without_the_licence_nothing_is_downloaded(qtbot, window, page, monkeypatch, served):
    monkeypatch.setattr(InstallDialog, "exec", lambda dialog: QDialog.DialogCode.Rejected)
    page.cards["de-net"].buttons["install"].click()
    assert window.checkpoints.doing == {}
    assert served.ranges == []


def test_the_dialog_shows_each_licence_once_and_warns_of_a_full_disk(qtbot, window, page):
    entries = [window.checkpoints.entry(name) for name in ("sd-turbo", "s3diff", "de-net")]
    dialog = InstallDialog(entries, free_bytes=1000)
    qtbot.addWidget(dialog)
    assert len(dialog.accepts) == 2
    assert dialog.space.property("role") == "error"
    assert any("Community Licence" in label.text() for label in dialog.findChildren(QLabel))


def test_a_download_can_be_cancelled_and_goes_on_later(qtbot, window, page, served):
    served.gate = threading.Event()
    page.cards["de-net"].buttons["install"].click()
    card = page.cards["de-net"]
    qtbot.waitUntil(lambda: card.buttons["cancel"].isVisible() and bool(served.ranges), timeout=WAIT_MS)
    card.buttons["cancel"].click()
    served.gate.set()
    settled(qtbot, window)
    assert installed(window) is None
    install(qtbot, window, page)


def test_a_file_of_this_machine_is_imported_and_verified(qtbot, window, page, root):
    entry = window.checkpoints.entry("de-net")
    page.import_path(entry, DE_NET_PTH)
    qtbot.waitUntil(lambda: installed(window) is not None, timeout=WAIT_MS)
    settled(qtbot, window)
    with qtbot.waitSignal(window.checkpoints.verified, timeout=WAIT_MS):
        page.cards["de-net"].buttons["verify"].click()
    settled(qtbot, window)
    stored = next(path for path in (root / "de-net").rglob("*.safetensors"))
    stored.chmod(0o600)
    stored.write_bytes(stored.read_bytes()[:-1] + b"!")
    with qtbot.waitSignal(window.checkpoints.failed, timeout=WAIT_MS) as told:
        page.cards["de-net"].buttons["verify"].click()
    assert told.args[0].reason == "CHECKPOINT_DAMAGED"
    assert window.daemon_window.messages.isVisible()


def test_a_file_that_does_not_fit_is_told(qtbot, window, page, tmp_path):
    wrong = tmp_path / "de_net.pth"
    wrong.write_bytes(b"no weights")
    with qtbot.waitSignal(window.checkpoints.failed, timeout=WAIT_MS):
        page.import_path(window.checkpoints.entry("de-net"), wrong)
    assert installed(window) is None


def test_a_pipeline_that_lacks_files_leads_to_the_store(qtbot, window, page, monkeypatch):
    asked = []
    monkeypatch.setattr(
        InstallDialog, "__init__",
        lambda dialog, entries, *_, **__: (QDialog.__init__(dialog), asked.extend(e.id for e in entries))[0],
    )  # fmt: skip
    monkeypatch.setattr(InstallDialog, "exec", lambda dialog: QDialog.DialogCode.Rejected)
    window.editor.form.choose_pipeline("s3diff")
    box = window.sidebar.pipeline
    assert box.missing.text().startswith("The files of the pipeline s3diff are not installed")
    assert not window.sidebar.run_box.run.isEnabled()
    box.install.click()
    assert asked == ["sd-turbo", "s3diff", "de-net"]
