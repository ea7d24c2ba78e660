"""Numbers for people: durations, bytes, sizes, in the language in use."""

from __future__ import annotations

from PySide6.QtCore import QLocale

from safelight.geometry import Size
from safelight_desktop.texts import translate


def duration(seconds: float) -> str:
    """Rounded to what is worth saying."""
    if seconds < 1:
        return translate("Units", "under 1 s")
    if seconds < 90:
        return translate("Units", "{n} s").format(n=round(seconds))
    minutes = round(seconds / 60)
    if minutes < 90:
        return translate("Units", "{n} min").format(n=minutes)
    return translate("Units", "{h} h {m} min").format(h=minutes // 60, m=minutes % 60)


def byte_count(count: int) -> str:
    return QLocale().formattedDataSize(count, 1, QLocale.DataSizeFormat.DataSizeSIFormat)


def pixel_size(size: Size) -> str:
    """Width by height, and megapixels where there are some."""
    text = f"{size.width} × {size.height}"
    if size.area >= 1_000_000:
        text += f" · {QLocale().toString(size.area / 1e6, 'f', 1)} MP"
    return text
