"""Lists that are as high as they need to be."""

from __future__ import annotations

from PySide6.QtWidgets import QListWidget

PADDING_PX = 6  # of the style sheet


def fit_height(widget: QListWidget, rows_most: int) -> None:
    """All rows, up to so many; then it scrolls."""
    heights = [widget.sizeHintForRow(row) for row in range(min(widget.count(), rows_most))]
    widget.setFixedHeight(sum(heights) + 2 * widget.frameWidth() + PADDING_PX)
