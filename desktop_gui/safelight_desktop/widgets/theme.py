"""Light and dark: palette, style sheet and the colours that widgets paint with themselves.

The surround of a picture is a neutral grey, so that it shifts no colour of it; the accent is the amber of a
darkroom's safelight.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QPainter, QPalette, QPixmap
from PySide6.QtWidgets import QApplication

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
    }  # fmt: skip
    sheet = _SHEET
    for name, colour in names.items():
        sheet = sheet.replace(f"@{name};", f"{colour};")
    return sheet


_SHEET = """
QToolTip { background: @panel; color: @text; border: 1px solid @line; padding: 4px 6px; }
QToolBar { background: @window; border: none; border-bottom: 1px solid @line; spacing: 2px; padding: 4px 8px; }
QToolBar::separator { background: @line; width: 1px; margin: 6px 6px; }
QToolBar[orientation="vertical"] { border-bottom: none; border-right: 1px solid @line; padding: 8px 4px; }
QToolButton { border: 1px solid transparent; border-radius: 5px; padding: 5px; }
QToolButton:hover { background: @hover; }
QToolButton:focus { border-color: @accent; }
QToolButton:checked { background: @hover; border-color: @line; }
QToolButton:pressed { background: @line; }
QToolButton::menu-indicator { image: none; }
QStatusBar { background: @window; border-top: 1px solid @line; }
QStatusBar::item { border: none; }
QScrollArea, QScrollArea > QWidget > QWidget { background: transparent; border: none; }
#sidebar { background: @window; border-left: 1px solid @line; }
QLabel[role="heading"] { font-weight: 600; }
QLabel[role="quiet"] { color: @quiet; }
QLabel[role="warning"] { color: @warning; }
QLabel[role="error"] { color: @error; }
QLabel[role="good"] { color: @good; }
QLabel[role="title"] { font-size: 20px; font-weight: 600; }
QPushButton { background: @panel; border: 1px solid @line; border-radius: 5px; padding: 6px 14px; }
QPushButton:hover { background: @hover; }
QPushButton:focus { border-color: @accent; }
QPushButton:disabled { background: @window; }
QPushButton[role="primary"] { background: @accent; color: @on_accent; border-color: @accent; font-weight: 600; }
QPushButton[role="primary"]:hover { background: @accent_hover; }
QPushButton[role="primary"]:disabled { background: @line; color: @quiet; border-color: @line; }
QPushButton[role="primary"]:focus { border-color: @text; }
QPushButton[role="flat"] { background: transparent; border-color: transparent; padding: 4px 8px; color: @accent; }
QPushButton[role="flat"]:hover { background: @hover; }
QPushButton[role="flat"]:focus { border-color: @accent; }
QFrame[role="card"] { background: @panel; border: 1px solid @line; border-radius: 6px; }
QFrame[role="line"] { background: @line; border: none; max-height: 1px; min-height: 1px; }
QListWidget, QListView, QTreeView, QTableView { background: @field; border: 1px solid @line; border-radius: 5px; }
QListWidget { outline: none; }
QListWidget::item { padding: 5px 6px; border-radius: 4px; }
QListWidget::item:selected { background: @hover; color: @text; border-left: 3px solid @accent; }
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
