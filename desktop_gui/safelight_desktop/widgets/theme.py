"""Light and dark: palette, style sheet and the colours that widgets paint with themselves.

The surround of a picture is a neutral grey, so that it shifts no colour of it; the accent is the amber of a
darkroom's safelight.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QPainter, QPalette, QPixmap
from PySide6.QtWidgets import QApplication

ICONS = Path(__file__).parents[1] / "icons"
CHOICES = ("system", "light", "dark")


@dataclass(frozen=True)
class Theme:
    """Colours by what they are for."""

    dark: bool
    canvas: QColor
    window: QColor
    panel: QColor
    field: QColor
    text: QColor
    quiet_text: QColor
    line: QColor
    accent: QColor
    on_accent: QColor
    warning: QColor
    error: QColor
    good: QColor
    checker: tuple[QColor, QColor]


DARK = Theme(
    dark=True,
    canvas=QColor("#1b1b1b"),
    window=QColor("#262626"),
    panel=QColor("#2e2e2e"),
    field=QColor("#1f1f1f"),
    text=QColor("#ececec"),
    quiet_text=QColor("#a3a3a3"),
    line=QColor("#404040"),
    accent=QColor("#f2a33c"),
    on_accent=QColor("#241500"),
    warning=QColor("#f2c14e"),
    error=QColor("#f2705c"),
    good=QColor("#6cc08b"),
    checker=(QColor("#4a4a4a"), QColor("#5a5a5a")),
)
LIGHT = Theme(
    dark=False,
    canvas=QColor("#cfcfcf"),
    window=QColor("#f4f4f3"),
    panel=QColor("#ffffff"),
    field=QColor("#ffffff"),
    text=QColor("#1d1d1d"),
    quiet_text=QColor("#626262"),
    line=QColor("#d3d3d1"),
    accent=QColor("#b85c00"),
    on_accent=QColor("#ffffff"),
    warning=QColor("#8a6100"),
    error=QColor("#b3261e"),
    good=QColor("#1f7a45"),
    checker=(QColor("#c2c2c2"), QColor("#eeeeee")),
)

_current = DARK
_choice = "system"


def current() -> Theme:
    """The one in use."""
    return _current


def choice() -> str:
    """What was asked for last."""
    return _choice


def apply(app: QApplication, choice: str) -> None:
    """One of CHOICES; `system` follows the desktop's setting."""
    global _current, _choice
    _choice = choice
    hints = app.styleHints()
    schemes = {
        "system": Qt.ColorScheme.Unknown, "light": Qt.ColorScheme.Light, "dark": Qt.ColorScheme.Dark,
    }  # fmt: skip
    hints.setColorScheme(schemes[choice])
    dark = choice == "dark" or (choice == "system" and hints.colorScheme() is Qt.ColorScheme.Dark)
    _current = DARK if dark else LIGHT
    checkers.cache_clear()
    app.setStyle("Fusion")
    app.setPalette(_palette(_current))
    app.setStyleSheet(_sheet(_current))
    for window in app.topLevelWidgets():
        redraw = getattr(window, "redraw", None)
        if redraw is not None:
            redraw()


def _palette(theme: Theme) -> QPalette:
    palette = QPalette()
    role = QPalette.ColorRole
    for name, colour in (
        (role.Window, theme.window), (role.WindowText, theme.text), (role.Base, theme.field),
        (role.AlternateBase, theme.panel), (role.Text, theme.text), (role.Button, theme.panel),
        (role.ButtonText, theme.text), (role.ToolTipBase, theme.panel), (role.ToolTipText, theme.text),
        (role.Highlight, theme.accent), (role.HighlightedText, theme.on_accent), (role.Link, theme.accent),
        (role.PlaceholderText, theme.quiet_text), (role.Mid, theme.line), (role.Accent, theme.accent),
        (role.Light, theme.panel.lighter(115)), (role.Midlight, theme.panel), (role.Dark, theme.line),
    ):  # fmt: skip
        palette.setColor(name, colour)
    faded = QColor(theme.text)
    faded.setAlpha(95)
    for name in (role.WindowText, role.Text, role.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, name, faded)
    palette.setColor(QPalette.ColorGroup.Disabled, role.Highlight, theme.line)
    return palette


def _sheet(theme: Theme) -> str:
    hover = theme.panel.lighter(125) if theme.dark else theme.window.darker(106)
    names = {
        "panel": theme.panel.name(), "line": theme.line.name(), "text": theme.text.name(),
        "quiet": theme.quiet_text.name(), "accent": theme.accent.name(), "on_accent": theme.on_accent.name(),
        "window": theme.window.name(), "field": theme.field.name(), "hover": hover.name(),
        "accent_hover": theme.accent.lighter(112).name(), "warning": theme.warning.name(),
        "error": theme.error.name(), "good": theme.good.name(),
        "knob": (theme.text if theme.dark else theme.panel).name(),
    }  # fmt: skip
    sheet = _SHEET.replace("@icons;", ICONS.as_posix()).replace("@kind;", "dark" if theme.dark else "light")
    return re.sub(r"@([a-z_]+)", lambda found: names[found.group(1)], sheet)


_SHEET = """
QToolTip { background: @panel; color: @text; border: 1px solid @line; padding: 4px 6px; }
QMenuBar { background: @window; padding: 2px 6px; }
QMenuBar::item { padding: 4px 9px; border-radius: 4px; background: transparent; }
QMenuBar::item:selected { background: @hover; }
QMenu { background: @panel; border: 1px solid @line; padding: 5px; }
QMenu::item { padding: 5px 26px 5px 26px; border-radius: 4px; }
QMenu::item:selected { background: @hover; }
QMenu::item:disabled { color: @quiet; }
QMenu::separator { height: 1px; background: @line; margin: 5px 8px; }
QMenu::icon { padding-left: 6px; }
QToolBar { background: @window; border: none; border-bottom: 1px solid @line; spacing: 2px; padding: 4px 8px; }
QToolBar::separator { background: @line; width: 1px; margin: 6px 6px; }
#tools { border-bottom: none; border-right: 1px solid @line; padding: 8px 5px; spacing: 4px; }
#tools::separator { height: 1px; width: 22px; margin: 6px 4px; }
QToolButton { border: 1px solid transparent; border-radius: 5px; padding: 5px; }
QToolButton:hover { background: @hover; }
QToolButton:focus { border-color: @accent; }
QToolButton:checked { background: @hover; border-color: @line; }
QToolButton:pressed { background: @line; }
QToolButton::menu-indicator { image: none; }
QPushButton[role="section"] { font-weight: 600; padding: 4px 2px; text-align: left; border-radius: 4px;
    background: transparent; border-color: transparent; }
QPushButton[role="section"]:hover { background: @hover; }
QPushButton[role="section"]:focus { border-color: @accent; }
QDialogButtonBox { dialogbuttonbox-buttons-have-icons: 0; }
QStatusBar { background: @window; border-top: 1px solid @line; }
QStatusBar::item { border: none; }
QScrollArea, QScrollArea > QWidget > QWidget { background: transparent; border: none; }
QScrollBar:vertical { background: transparent; width: 10px; margin: 0; }
QScrollBar:horizontal { background: transparent; height: 10px; margin: 0; }
QScrollBar::handle { background: @line; border-radius: 3px; min-height: 28px; min-width: 28px; margin: 2px; }
QScrollBar::handle:hover { background: @quiet; }
QScrollBar::add-line, QScrollBar::sub-line, QScrollBar::add-page, QScrollBar::sub-page { background: none; border: none;
    width: 0; height: 0; }
#sidebar { background: @window; border-left: 1px solid @line; }
#messages { background: @panel; border-bottom: 1px solid @line; }
QLabel[role="heading"] { font-weight: 600; }
QLabel[role="quiet"] { color: @quiet; }
QLabel[role="warning"] { color: @warning; }
QLabel[role="error"] { color: @error; }
QLabel[role="good"] { color: @good; }
QLabel[role="title"] { font-size: 22px; font-weight: 600; }
QPushButton { background: @panel; border: 1px solid @line; border-radius: 5px; padding: 6px 14px; }
QPushButton:hover { background: @hover; }
QPushButton:pressed { background: @line; }
QPushButton:focus { border-color: @accent; }
QPushButton:disabled { background: @window; }
QPushButton[role="primary"] { background: @accent; color: @on_accent; border-color: @accent; font-weight: 600; }
QPushButton[role="primary"]:hover { background: @accent_hover; }
QPushButton[role="primary"]:pressed { background: @accent; }
QPushButton[role="primary"]:disabled { background: @line; color: @quiet; border-color: @line; }
QPushButton[role="primary"]:focus { border-color: @text; }
QPushButton[role="flat"] { background: transparent; border-color: transparent; padding: 3px 8px; color: @accent; }
QPushButton[role="flat"]:hover { background: @hover; }
QPushButton[role="flat"]:focus { border-color: @accent; }
QPushButton[role="segment"] { border-radius: 0; border-right-width: 0; padding: 5px 8px; }
QPushButton[role="segment"][place="first"] { border-top-left-radius: 5px; border-bottom-left-radius: 5px; }
QPushButton[role="segment"][place="last"] { border-right-width: 1px; border-top-right-radius: 5px;
    border-bottom-right-radius: 5px; }
QPushButton[role="segment"]:checked { background: @accent; color: @on_accent; border-color: @accent; font-weight: 600; }
QPushButton[role="segment"]:disabled { color: @quiet; }
QPushButton[role="segment"]:checked:disabled { background: @line; color: @quiet; border-color: @line; }
QPushButton[role="more"], QPushButton[role="verdict"] { padding: 6px 8px; }
QPushButton[role="more"]::menu-indicator { image: none; width: 0; }
QFrame[role="card"] { background: @panel; border: 1px solid @line; border-radius: 6px; }
QFrame[role="line"] { background: @line; border: none; max-height: 1px; min-height: 1px; }
QListWidget, QListView, QTreeView, QTableView { background: @field; border: 1px solid @line; border-radius: 5px; }
QListView[role="rows"] { background: @window; border: none; border-radius: 0; outline: none; }
QLabel[role="tag"] { background: @panel; color: @text; border-radius: 4px; padding: 3px 8px; }
QListWidget { outline: none; padding: 2px; }
QListWidget::item { padding: 4px 7px; border-radius: 4px; border-left: 3px solid transparent; }
QListWidget::item:hover { background: @hover; }
QListWidget::item:selected { background: @hover; color: @text; border-left: 3px solid @accent; }
QLineEdit, QPlainTextEdit, QSpinBox, QDoubleSpinBox, QComboBox { background: @field; border: 1px solid @line;
    border-radius: 4px; padding: 3px 6px; selection-background-color: @accent; selection-color: @on_accent; }
QLineEdit:focus, QPlainTextEdit:focus, QSpinBox:focus, QDoubleSpinBox:focus, QComboBox:focus { border-color: @accent; }
QLineEdit:disabled, QSpinBox:disabled, QDoubleSpinBox:disabled, QComboBox:disabled { color: @quiet; }
QComboBox { padding: 5px 8px; background: @panel; }
QComboBox:hover { background: @hover; }
QComboBox::drop-down { border: none; width: 22px; }
QComboBox::down-arrow { image: url(@icons;/mark-down-@kind;.svg); width: 12px; height: 12px; }
QComboBox QAbstractItemView { background: @panel; border: 1px solid @line; padding: 4px; outline: none;
    selection-background-color: @hover; selection-color: @text; }
QSpinBox::up-button, QDoubleSpinBox::up-button, QSpinBox::down-button, QDoubleSpinBox::down-button { border: none;
    background: transparent; width: 16px; }
QSpinBox::up-button:hover, QDoubleSpinBox::up-button:hover, QSpinBox::down-button:hover,
    QDoubleSpinBox::down-button:hover { background: @hover; }
QSpinBox::up-arrow, QDoubleSpinBox::up-arrow { image: url(@icons;/mark-up-@kind;.svg); width: 10px; height: 10px; }
QSpinBox::down-arrow, QDoubleSpinBox::down-arrow { image: url(@icons;/mark-down-@kind;.svg); width: 10px;
    height: 10px; }
QSlider::groove:horizontal { background: @line; height: 4px; border-radius: 2px; }
QSlider::sub-page:horizontal { background: @accent; height: 4px; border-radius: 2px; }
QSlider::handle:horizontal { background: @knob; border: 1px solid @line; width: 12px; height: 12px; margin: -5px 0;
    border-radius: 7px; }
QSlider::handle:horizontal:hover, QSlider::handle:horizontal:focus { border: 2px solid @accent; width: 10px;
    height: 10px; }
QSlider::sub-page:horizontal:disabled { background: @quiet; }
QCheckBox { spacing: 8px; }
QCheckBox::indicator { width: 15px; height: 15px; border: 1px solid @quiet; border-radius: 3px; background: @field; }
QCheckBox::indicator:checked { background: @accent; border-color: @accent;
    image: url(@icons;/mark-check-@kind;.svg); }
QCheckBox::indicator:focus { border-color: @text; }
QTabWidget::pane { border: none; border-top: 1px solid @line; }
QTabBar { qproperty-drawBase: 0; }
QTabBar::tab { background: transparent; padding: 9px 16px; border: none; border-bottom: 2px solid transparent;
    color: @quiet; }
QTabBar::tab:hover { color: @text; background: @hover; }
QTabBar::tab:selected { color: @text; border-bottom-color: @accent; font-weight: 600; }
QTabBar::tab:focus { color: @accent; }
QRadioButton { spacing: 8px; }
QRadioButton::indicator { width: 13px; height: 13px; border: 1px solid @quiet; border-radius: 7px; background: @field; }
QRadioButton::indicator:checked { background: @accent; border: 3px solid @field; width: 9px; height: 9px;
    border-radius: 7px; }
QRadioButton::indicator:focus { border-color: @text; }
QProgressBar { background: @line; border: none; border-radius: 3px; max-height: 6px; min-height: 6px; }
QProgressBar::chunk { background: @accent; border-radius: 3px; }
"""


@lru_cache(maxsize=2)
def checkers(side_px: int) -> QPixmap:
    """Two squares by two, shown through transparent parts of a picture."""
    light, shade = _current.checker
    pixmap = QPixmap(side_px * 2, side_px * 2)
    pixmap.fill(light)
    painter = QPainter(pixmap)
    painter.fillRect(0, 0, side_px, side_px, shade)
    painter.fillRect(side_px, side_px, side_px, side_px, shade)
    painter.end()
    return pixmap
