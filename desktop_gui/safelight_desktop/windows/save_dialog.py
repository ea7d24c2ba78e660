"""Where and how the picture is saved."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from safelight.errors import SafelightError
from safelight.geometry import Size
from safelight.imaging.files import METADATA_POLICIES, SUFFIXES, MetadataPolicy, check_output
from safelight.imaging.pixels import Sample
from safelight_desktop.state.document import Document
from safelight_desktop.state.preferences import Preferences
from safelight_desktop.texts import translate
from safelight_desktop.units import pixel_size
from safelight_desktop.widgets.message_bar import sentence

FORMATS = {"PNG": ".png", "TIFF": ".tif", "JPEG": ".jpg", "WebP": ".webp", "AVIF": ".avif"}


class SaveDialog(QDialog):
    """The original file is never overwritten; any other one only after a word about it."""

    def __init__(
        self,
        document: Document,
        size: Size,
        folder: Path,
        preferences: Preferences,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(translate("Save", "Save the picture"))
        self._document = document
        self.name = QLineEdit(str(folder / suggested_name(document, preferences.format)))
        self.name.setMinimumWidth(420)
        choose = QPushButton(translate("Save", "Choose…"))
        choose.clicked.connect(self._choose)
        self.format = QComboBox()
        for title, suffix in FORMATS.items():
            self.format.addItem(title, suffix)
        self.metadata = QComboBox()
        for policy, text in zip(METADATA_POLICIES, policy_texts(), strict=True):
            self.metadata.addItem(text, policy)
        self.metadata.setCurrentIndex(self.metadata.findData(preferences.metadata))
        self.record = QCheckBox(translate("Save", "Say in the file what was restored, and how"))
        self.record.setChecked(preferences.record)
        self.about = QLabel(f"{pixel_size(size)} · {depth_text(document)}")
        self.about.setProperty("role", "quiet")
        self.said = QLabel()
        self.said.setWordWrap(True)
        row = QHBoxLayout()
        row.addWidget(self.name, 1)
        row.addWidget(choose)
        form = QFormLayout()
        form.setVerticalSpacing(10)
        form.setHorizontalSpacing(14)
        form.addRow(translate("Save", "File"), row)
        form.addRow(translate("Save", "Format"), self.format)
        form.addRow(translate("Save", "Metadata"), self.metadata)
        form.addRow("", self.record)
        form.addRow(translate("Save", "Picture"), self.about)
        for field, title in (
            (self.name, translate("Save", "File")),
            (self.format, translate("Save", "Format")),
            (self.metadata, translate("Save", "Metadata")),
        ):
            field.setAccessibleName(title)
        self.buttons = QDialogButtonBox(
            QDialogButtonBox.StandardButton.Save | QDialogButtonBox.StandardButton.Cancel
        )
        self.buttons.button(QDialogButtonBox.StandardButton.Save).setProperty("role", "primary")
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.setContentsMargins(18, 18, 18, 14)
        column.setSpacing(14)
        column.addLayout(form)
        column.addWidget(self.said)
        column.addWidget(self.buttons)
        self.format.activated.connect(self._format_chosen)
        self.name.textChanged.connect(self._check)
        self._check()

    @property
    def path(self) -> Path:
        return Path(self.name.text()).expanduser()

    @property
    def policy(self) -> MetadataPolicy:
        return METADATA_POLICIES[self.metadata.currentIndex()]

    def _choose(self) -> None:
        patterns = ";;".join(f"{title} (*{suffix})" for title, suffix in FORMATS.items())
        options = QFileDialog.Option.DontConfirmOverwrite
        name, _ = QFileDialog.getSaveFileName(
            self, self.windowTitle(), self.name.text(), patterns, options=options
        )
        if name:
            self.name.setText(name)

    def _format_chosen(self, index: int) -> None:
        self.name.setText(str(self.path.with_suffix(self.format.itemData(index))))

    def _check(self) -> None:
        """Says at once what would be refused later."""
        suffix = self.path.suffix.lower()
        known = {".tiff": ".tif", ".jpeg": ".jpg"}.get(suffix, suffix)
        self.format.setCurrentIndex(self.format.findData(known))
        problem, warning = self._problem(), ""
        if not problem and self.path.exists():
            warning = translate("Save", "This file exists and will be replaced.")
        self.said.setText(problem or warning)
        self.said.setVisible(bool(problem or warning))
        self.said.setProperty("role", "error" if problem else "warning")
        self.said.style().polish(self.said)
        self.buttons.button(QDialogButtonBox.StandardButton.Save).setEnabled(not problem)

    def _problem(self) -> str:
        original = self._document.path
        if original is not None and self.path.exists() and self.path.samefile(original):
            return translate("Save", "This is the original, which is never overwritten: choose another name.")
        try:
            check_output(self.path, self._document.format)
        except SafelightError as error:
            return sentence(error.message)
        return ""


def suggested_name(document: Document, preferred: str = "") -> str:
    """In the preferred format, else the original's where that can be written."""
    path = Path(document.name)
    suffix = preferred or (path.suffix.lower() if path.suffix.lower() in SUFFIXES else ".png")
    stem = path.stem if document.path is not None else translate("Save", "picture")
    return translate("Save", "{stem}-restored").format(stem=stem) + suffix


def depth_text(document: Document) -> str:
    """Bits and profile, for people."""
    depth = {
        Sample.U8: translate("Save", "8 bit"),
        Sample.U16: translate("Save", "16 bit"),
        Sample.F32: translate("Save", "32-bit float"),
    }[document.format.sample]
    profile = translate("Save", "with its colour profile") if document.icc else "sRGB"
    return f"{depth} · {profile}"


def policy_texts() -> tuple[str, str, str]:
    return (
        translate("Save", "Keep everything"),
        translate("Save", "Without the place"),
        translate("Save", "None"),
    )
