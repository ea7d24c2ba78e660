"""Every word in both languages, and room for it."""

import re
from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication, Qt, QTranslator
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QLabel,
    QLineEdit,
    QListWidget,
    QPlainTextEdit,
    QScrollBar,
    QSlider,
    QTabBar,
    QWidget,
)

from safelight.geometry import Rect
from safelight_desktop import texts
from safelight_desktop.rpc.background import Background
from safelight_desktop.rpc.link import DaemonLink
from safelight_desktop.state.device import Device, Part, Resident
from safelight_desktop.state.doctor import Finding
from safelight_desktop.state.document import load_document
from safelight_desktop.state.selection import Selection
from safelight_desktop.widgets import theme
from safelight_desktop.widgets.run_box import SHOW_PAUSE_MS
from safelight_desktop.windows.daemon_window import DaemonWindow
from safelight_desktop.windows.install_dialog import InstallDialog
from safelight_desktop.windows.main_window import MainWindow
from safelight_desktop.windows.preferences_dialog import PreferencesDialog
from safelight_desktop.windows.save_dialog import SaveDialog
from safelight_desktop.windows.shortcuts_dialog import ShortcutsDialog
from tests.desktop import translations

DEVICE = Device(
    "A graphics card with a long name", 10**10, 10**11,
    (Resident("compact", 10**6, "bf16", "cpu", None, False), Resident("osediff", 10**9, "fp16", "cuda:0", None, True)),
    (Part("text encoder", "cuda:0", 7 * 10**8, "fp16", ("osediff", "s3diff")),),
    12, 10**9, 2 * 10**9, 10**9,
)  # fmt: skip
INTERACTIVE = (
    QAbstractSpinBox, QSlider, QComboBox, QAbstractButton, QLineEdit, QPlainTextEdit, QListWidget,
)  # fmt: skip
HOW = "run: python -m tests.desktop.translations, and translate what it names in translations/de.ts"


@pytest.fixture
def language(qapp):
    """Switches the app's language, and back to English afterwards."""
    yield lambda code: texts.install(qapp, code)
    texts.install(qapp, "en")


def test_what_the_daemon_says_of_its_pipelines_is_known_to_the_translators():
    assert translations.SCHEMA.read_text(encoding="utf-8") == translations.schema_module(), HOW


@pytest.mark.parametrize("code", translations.LANGUAGES)
def test_every_string_is_translated_and_none_is_left_over(tmp_path, code):
    kept = translations.FOLDER / f"{code}.ts"
    fresh = tmp_path / f"{code}.ts"
    fresh.write_bytes(kept.read_bytes())
    translations.update(fresh)
    found = translations.messages(fresh)
    assert [key for key, text in found.items() if text is None] == [], HOW
    assert found.keys() == translations.messages(kept).keys(), HOW


@pytest.mark.parametrize("code", translations.LANGUAGES)
def test_the_compiled_file_is_of_this_source(qapp, code):
    translator = QTranslator()
    assert translator.load(code, str(translations.FOLDER))
    for (context, source), text in translations.messages(translations.FOLDER / f"{code}.ts").items():
        assert translator.translate(context, source) == text, HOW


@pytest.mark.parametrize("code", translations.LANGUAGES)
def test_translations_keep_the_places_for_values(code):
    for (_, source), text in translations.messages(translations.FOLDER / f"{code}.ts").items():
        assert sorted(re.findall(r"{\w+}", source)) == sorted(re.findall(r"{\w+}", text)), source


def test_qts_own_words_are_translated_too(language):
    language("de")
    assert QCoreApplication.translate("QPlatformTheme", "Cancel") == "Abbrechen"


def cut_off(root):
    """Texts that need more room than they have."""
    found = []
    for widget in _texts(root):
        text = widget.currentText() if isinstance(widget, QComboBox) else widget.text()
        if not text or not widget.isVisible():
            continue
        if isinstance(widget, QLabel) and widget.wordWrap():
            if widget.heightForWidth(widget.width()) > widget.height() + 1:
                found.append(text)
        elif widget.sizeHint().width() > widget.width() + 1:
            found.append(text)
    return found


def _texts(root):
    for kind in (QLabel, QAbstractButton, QComboBox):
        yield from root.findChildren(kind)


def pages(window, link):
    """Each page of the preferences and of the daemon's window, and the question about licences."""
    client = link.client.checkpoints()
    window.checkpoints.entries = client.checkpoints()
    window.checkpoints.folder, window.checkpoints.free_bytes = client.folder()
    window.device.device = DEVICE
    window.doctor.findings = [
        Finding("daemon", "process 7 answers", ""),
        Finding("disk", "2 GB free", "free some"),
    ]
    for number in range(3):
        dialog = PreferencesDialog(window.preferences, window.device, window.link, window)
        dialog.tabs.setCurrentIndex(number)
        yield dialog
        dialog = DaemonWindow(window)
        dialog.tabs.setCurrentIndex(number)
        yield dialog
    yield InstallDialog(window.checkpoints.missing("s3diff"), 1000, parent=window)


@pytest.mark.parametrize("appearance", ["light", "dark"])
@pytest.mark.parametrize("code", ["en", "de"])
def test_no_text_is_cut_off(qtbot, language, preferences, photo_png, code, appearance, link):
    app = QApplication.instance()
    style, sheet = app.style().objectName(), app.styleSheet()
    language(code)
    theme.apply(app, appearance)
    background = Background()
    window = MainWindow(DaemonLink(background), background, preferences)
    qtbot.addWidget(window)
    window.editor.form.take_pipelines(link.client.pipelines(), "compact")
    window.resize(1200, 1000)
    window.show()
    qtbot.waitUntil(lambda: cut_off(window) == [])
    window.editor.show_document(load_document(photo_png))
    window.editor.add_region(Selection("rectangle", Rect(40, 30, 50, 40)))
    for pipeline in ("compact", "osediff", "s3diff"):
        window.editor.form.choose_pipeline(pipeline)
        window.sidebar.settings.advanced.fold(False)
        qtbot.wait(2 * SHOW_PAUSE_MS)
        qtbot.waitUntil(lambda: cut_off(window) == [])
    for dialog in (
        *(pages(window, link)),
        ShortcutsDialog(window.actions_, window),
        SaveDialog(
            window.editor.document,
            window.editor.document.size,
            photo_png.parent,
            window.preferences,
            window,
        ),
    ):
        dialog.show()
        qtbot.waitUntil(lambda d=dialog: cut_off(d) == [])
        dialog.close()
    window.close()
    app.setStyle(style)
    app.setStyleSheet(sheet)


def test_the_list_on_f1_names_every_command_with_its_keys(qtbot, window):
    dialog = ShortcutsDialog(window.actions_, window)
    qtbot.addWidget(dialog)
    for _, commands in window.actions_.commands:
        for command in commands:
            assert command.text.rstrip("…") in dialog.keys
            assert dialog.keys[command.text.rstrip("…")] or command.name == "about"


def test_no_key_does_two_things(window):
    keys = [
        shortcut.toString()
        for _, commands in window.actions_.commands
        for command in commands
        for shortcut in window.actions_[command.name].shortcuts()
    ]
    assert len(keys) == len(set(keys))


def unnamed(root):
    """Interactive widgets that a screen reader has no word for."""
    return [
        f"{type(widget).__name__} in {type(widget.parent()).__name__}"
        for widget in root.findChildren(QWidget)
        if widget.focusPolicy() != Qt.FocusPolicy.NoFocus
        and not widget.isHidden()
        and isinstance(widget, INTERACTIVE)
        and not isinstance(widget.parent(), QAbstractSpinBox | QComboBox | QTabBar | QScrollBar)
        and not (widget.accessibleName() or getattr(widget, "text", lambda: "")() or widget.toolTip())
    ]


def test_everything_interactive_in_every_window_has_a_name(qtbot, opened, link):
    assert unnamed(opened) == []
    for dialog in (
        *pages(opened, link),
        ShortcutsDialog(opened.actions_, opened),
        SaveDialog(
            opened.editor.document, opened.editor.document.size, Path.cwd(), opened.preferences, opened
        ),
    ):
        dialog.show()
        assert unnamed(dialog) == [], type(dialog)
        dialog.close()
