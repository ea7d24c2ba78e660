"""Errors and notes above the picture: what happened, why, and a button that helps."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QToolButton, QVBoxLayout, QWidget

from safelight.errors import SafelightError
from safelight_desktop.texts import translate
from safelight_desktop.widgets import theme
from safelight_desktop.widgets.error_texts import headline
from safelight_desktop.widgets.icons import icon, pixmap

ICON_PX = 20
CONNECTION = frozenset(
    {
        "NOT_RUNNING",
        "NOT_ANSWERING",
        "REMOTE_NOT_ANSWERING",
        "DAEMON_GONE",
        "START_FAILED",
        "START_TIMEOUT",
        "NOT_CONNECTED",
    }
)


class MessageBar(QFrame):
    """One message at a time; hidden while there is none."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("messages")
        self.reason = ""
        self._icon = QLabel()
        self.title = QLabel()
        self.title.setProperty("role", "heading")
        self.text = QLabel()
        self.text.setWordWrap(True)
        self.help = QPushButton()
        self.help.hide()
        self._helps: Callable[[], None] | None = None
        self.help.clicked.connect(self._do_help)
        self.close_button = QToolButton()
        self.close_button.setIcon(icon("cancel"))
        self.close_button.setAccessibleName(translate("Messages", "Close this message"))
        self.close_button.clicked.connect(self.forget)
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addWidget(self.title)
        words.addWidget(self.text)
        row = QHBoxLayout(self)
        row.setContentsMargins(14, 10, 10, 10)
        row.setSpacing(12)
        row.addWidget(self._icon)
        row.addLayout(words, 1)
        row.addWidget(self.help)
        row.addWidget(self.close_button)
        self.forget()

    def tell(
        self, error: SafelightError, help_text: str = "", helps: Callable[[], None] | None = None
    ) -> None:
        """`helps` is done by a button that says `help_text`."""
        self._show("error", theme.current().error.name(), headline(error), sentence(error.message))
        self.reason = error.reason
        self._helps = helps
        self.help.setText(help_text)
        self.help.setVisible(helps is not None)

    def note(self, *texts: str) -> None:
        """What a person might not expect; gives way to errors."""
        if not self.reason:
            self._show("info", theme.current().accent.name(), "", "\n".join(map(sentence, texts)))

    def offer(self, text: str, help_text: str, helps: Callable[[], None]) -> None:
        """A note with a button; gives way to errors."""
        if not self.reason:
            self.note(text)
            self._helps = helps
            self.help.setText(help_text)
            self.help.show()

    def forget(self) -> None:
        self.reason = ""
        self._helps = None
        self.hide()

    def forget_connection(self) -> None:
        """The daemon is there again."""
        if self.reason in CONNECTION:
            self.forget()

    def _show(self, drawing: str, colour: str, title: str, text: str) -> None:
        self._icon.setPixmap(pixmap(drawing, ICON_PX, self.devicePixelRatioF(), colour))
        self.title.setText(title)
        self.title.setVisible(bool(title))
        self.text.setText(text)
        self.help.hide()
        self.setAccessibleName(f"{title} {text}".strip())
        self.show()

    def _do_help(self) -> None:
        helps = self._helps
        self.forget()
        if helps is not None:
            helps()


def sentence(text: str) -> str:
    """With a capital and a full stop."""
    text = text[:1].upper() + text[1:]
    return text if text.endswith((".", "!", "?")) else text + "."
