"""Lists that are as high as they need to be."""

from __future__ import annotations

from PySide6.QtWidgets import QListWidget


def fit_height(widget: QListWidget, rows_most: int) -> None:
    """All rows, up to so many; then it scrolls."""
    row = max(widget.sizeHintForRow(0), widget.fontMetrics().lineSpacing() + 10) if widget.count() else 28
    rows = max(1, min(widget.count(), rows_most))
    widget.setFixedHeight(row * rows + 2 * widget.frameWidth() + 2)
