"""Where the results of a batch go and what they are called."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from PySide6.QtWidgets import (
    QButtonGroup,
    QCheckBox,
    QComboBox,
    QFileDialog,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from safelight.client.naming import Naming
from safelight.errors import InvalidRequest
from safelight.imaging.files import METADATA_POLICIES
from safelight_desktop.state.batch import BatchQueue
from safelight_desktop.state.batch_plan import EXISTING, Output
from safelight_desktop.texts import translate
from safelight_desktop.widgets.batch_list import shown_path
from safelight_desktop.widgets.message_bar import sentence

SUFFIX_OF = {"PNG": ".png", "TIFF": ".tif", "JPEG": ".jpg", "WebP": ".webp", "AVIF": ".avif"}


class OutputBox(QWidget):
    """Follows the batch's output; a name that cannot be used is said at once and not taken."""

    def __init__(self, queue: BatchQueue, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._queue = queue
        self.beside = _segment(translate("Batch", "Beside the originals"), "first")
        self.elsewhere = _segment(translate("Batch", "In a folder"), "last")
        group = QButtonGroup(self)
        group.addButton(self.beside)
        group.addButton(self.elsewhere)
        self.folder = QPushButton()
        self.folder.clicked.connect(self.choose_folder)
        self.mirror = QCheckBox(translate("Batch", "Make the folders of the originals there"))
        self.name = QLineEdit()
        self.name.setAccessibleName(translate("Batch", "Name of a result"))
        self.name.setToolTip(
            translate(
                "Batch",
                "{name}: the picture's own name. {folder}, {pipeline} and {scale} can be used as well.",
            )
        )
        self.said = QLabel()
        self.said.setWordWrap(True)
        self.format = QComboBox()
        self.format.addItem(translate("Batch", "As the original"), "")
        for title, suffix in SUFFIX_OF.items():
            self.format.addItem(title, suffix)
        self.metadata = QComboBox()
        for policy, text in zip(METADATA_POLICIES, _policies(), strict=True):
            self.metadata.addItem(text, policy)
        self.existing = QComboBox()
        for existing, text in zip(EXISTING, _existing(), strict=True):
            self.existing.addItem(text, existing)
        self.record = QCheckBox(translate("Batch", "Say in the files what was restored"))
        self._lay_out()
        self.beside.clicked.connect(lambda: self._renamed(folder=None))
        self.elsewhere.clicked.connect(self._choose_unless_chosen)
        self.mirror.clicked.connect(lambda on: self._renamed(mirror=bool(on)))
        self.name.textEdited.connect(self._named)
        self.format.activated.connect(lambda i: self._renamed(suffix=str(self.format.itemData(i))))
        self.metadata.activated.connect(lambda i: self._changed(policy=METADATA_POLICIES[i]))
        self.existing.activated.connect(lambda i: self._changed(existing=EXISTING[i]))
        self.record.clicked.connect(lambda on: self._changed(record=bool(on)))
        queue.output_changed.connect(self._show)
        queue.planned.connect(self._say)
        self._last_folder: Path | None = None
        self._show()

    def _lay_out(self) -> None:
        where = QHBoxLayout()
        where.setSpacing(0)
        where.addWidget(self.beside, 3)
        where.addWidget(self.elsewhere, 2)
        grid = QGridLayout()
        grid.setHorizontalSpacing(10)
        grid.setVerticalSpacing(8)
        for line, (text, box) in enumerate(
            (
                (translate("Batch", "Name"), self.name),
                (translate("Batch", "Format"), self.format),
                (translate("Batch", "Metadata"), self.metadata),
                (translate("Batch", "If there"), self.existing),
            )
        ):
            label = QLabel(text)
            label.setBuddy(box)
            box.setAccessibleName(box.accessibleName() or text)
            grid.addWidget(label, line, 0)
            grid.addWidget(box, line, 1)
        grid.setColumnStretch(1, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addLayout(where)
        column.addWidget(self.folder)
        column.addWidget(self.mirror)
        column.addLayout(grid)
        column.addWidget(self.said)
        column.addWidget(self.record)

    def use_folder(self, folder: Path) -> None:
        """Results go into it."""
        self._last_folder = folder
        self._renamed(folder=folder)

    def choose_folder(self) -> None:
        """By the system's dialog."""
        start = self._queue.output.naming.folder or self._last_folder or Path.home()
        name = QFileDialog.getExistingDirectory(self, translate("Batch", "Folder of the results"), str(start))
        if name:
            self.use_folder(Path(name))
        else:
            self._show()

    def _choose_unless_chosen(self) -> None:
        if self._last_folder is not None:
            self._renamed(folder=self._last_folder)
        else:
            self.choose_folder()

    def _named(self, text: str) -> None:
        try:
            Naming(text).checked()
        except InvalidRequest as error:
            self._complain(sentence(error.message))
            return
        self._renamed(template=text)

    def _renamed(self, **changes: object) -> None:
        naming = replace(self._queue.output.naming, **changes)  # type: ignore[arg-type]
        self._queue.set_output(replace(self._queue.output, naming=naming))
        self._show()

    def _changed(self, **changes: object) -> None:
        self._queue.set_output(replace(self._queue.output, **changes))  # type: ignore[arg-type]

    def _show(self) -> None:
        output: Output = self._queue.output
        folder = output.naming.folder
        self._last_folder = folder or self._last_folder
        self.beside.setChecked(folder is None)
        self.elsewhere.setChecked(folder is not None)
        self.folder.setVisible(folder is not None)
        self.mirror.setVisible(folder is not None)
        if folder is not None:
            self.folder.setText(_short(shown_path(folder)))
            self.folder.setToolTip(str(folder))
        self.mirror.setChecked(output.naming.mirror)
        if self.name.text() != output.naming.template and not self.name.hasFocus():
            self.name.setText(output.naming.template)
        self.format.setCurrentIndex(max(0, self.format.findData(output.naming.suffix)))
        self.metadata.setCurrentIndex(METADATA_POLICIES.index(output.policy))
        self.existing.setCurrentIndex(EXISTING.index(output.existing))
        self.record.setChecked(output.record)
        self._say()

    def _say(self) -> None:
        """What is wrong, else what a result will be called."""
        problem = self._queue.problem
        if problem is not None:
            self._complain(sentence(problem.message))
            return
        target = next((row.target for row in self._queue.rows if row.target is not None), None)
        folder = self._queue.output.naming.folder
        if target is not None:
            inside = folder is not None and folder in target.parents
            example = str(target.relative_to(folder)) if folder is not None and inside else target.name
            self._tell(translate("Batch", "For example {file}").format(file=example), "quiet")
        else:
            self.said.hide()

    def _complain(self, text: str) -> None:
        self._tell(text, "error")

    def _tell(self, text: str, role: str) -> None:
        self.said.setText(text)
        self.said.setProperty("role", role)
        self.said.style().polish(self.said)
        self.said.show()


def _short(text: str, most: int = 34) -> str:
    return text if len(text) <= most else "…" + text[-most + 1 :]


def _segment(text: str, place: str) -> QPushButton:
    button = QPushButton(text)
    button.setCheckable(True)
    button.setProperty("role", "segment")
    button.setProperty("place", place)
    return button


def _policies() -> tuple[str, str, str]:
    return (
        translate("Save", "Keep everything"),
        translate("Save", "Without the place"),
        translate("Save", "None"),
    )


def _existing() -> tuple[str, str, str]:
    return (
        translate("Batch", "Skip the picture"),
        translate("Batch", "Replace Safelight's result"),
        translate("Batch", "Give a number"),
    )
