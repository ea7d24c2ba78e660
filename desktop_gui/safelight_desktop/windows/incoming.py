"""Pictures that come in: by dialog, drop, paste, from the list of recent files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QMimeData, QObject
from PySide6.QtGui import QGuiApplication, QImage
from PySide6.QtWidgets import QFileDialog

from safelight.errors import InputFileError
from safelight_desktop.state import project_file
from safelight_desktop.texts import translate

if TYPE_CHECKING:
    from safelight_desktop.windows.main_window import MainWindow

RECENT_MOST = 12
PATTERNS = "*.png *.jpg *.jpeg *.tif *.tiff *.webp *.heic *.heif *.avif"


class Incoming(QObject):
    """Nothing is needed before: no output folder, no selection."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window

    def ask(self) -> None:
        """The system's dialog."""
        path = self._asked(translate("Window", "Open a picture"))
        if path is not None:
            self._window.editor.open(path)

    def ask_other(self) -> None:
        """For a picture that the open one is compared with."""
        path = self._asked(translate("Window", "Compare with a file"))
        if path is not None:
            self._window.editor.compare_with(path)

    def _asked(self, title: str) -> Path | None:
        pictures, everything = translate("Window", "Pictures"), translate("Window", "All files")
        projects = f"*{project_file.SUFFIX}"
        patterns = f"{pictures} ({PATTERNS} {PATTERNS.upper()} {projects});;{everything} (*)"
        name, _ = QFileDialog.getOpenFileName(self._window, title, str(self.folder()), patterns)
        return Path(name) if name else None

    def paste(self) -> None:
        self.take(QGuiApplication.clipboard().mimeData(), translate("Window", "Pasted picture"))

    def takes(self, data: QMimeData) -> bool:
        return data.hasUrls() or data.hasImage() or data.hasText()

    def take(self, data: QMimeData, name: str) -> None:
        """Files first, then pixels (what browsers give), then a path as text."""
        files = [Path(url.toLocalFile()) for url in data.urls() if url.isLocalFile()]
        text = data.text().strip()
        if files:
            self._window.open_files(files)
        elif data.hasImage():
            self._window.editor.open_image(QImage(data.imageData()), name)
        elif text and "\n" not in text and Path(text).is_file():
            self._window.open_files([Path(text)])
        else:
            self._window.tell(
                InputFileError(
                    translate("Window", "there is no picture in it: copy or drop a file or an image"),
                    "NOTHING_TO_OPEN",
                )
            )

    def recent(self) -> list[Path]:
        """Newest first, those that are still there."""
        found: Any = self._window.settings.value("open/recent", [])
        names = [found] if isinstance(found, str) else list(found or [])
        return [Path(name) for name in names if Path(name).is_file()]

    def folder(self) -> Path:
        """Where pictures were opened from last."""
        return Path(str(self._window.settings.value("open/folder", "") or Path.home()))

    def remember(self, path: Path) -> None:
        path = path.absolute()
        names = [str(path), *(str(p) for p in self.recent() if p != path)]
        self._window.settings.setValue("open/recent", names[:RECENT_MOST])
        self._window.settings.setValue("open/folder", str(path.parent))
        self._window.empty.show_recent(self.recent())

    def forget_all(self) -> None:
        self._window.settings.remove("open/recent")
        self._window.empty.show_recent([])
