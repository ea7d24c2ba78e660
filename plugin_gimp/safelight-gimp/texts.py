"""Texts in the person's language, from locale/LANGUAGE/LC_MESSAGES/safelight.mo. Standard library only."""

from __future__ import annotations

import gettext
from pathlib import Path

DOMAIN = "safelight"
FOLDER = Path(__file__).parent / "locale"

_catalogue = gettext.translation(DOMAIN, FOLDER, fallback=True)


def _(text: str) -> str:
    return _catalogue.gettext(text) if text else ""


def several(one: str, many: str, count: int) -> str:
    """The form that fits the number; write {n} for it."""
    return _catalogue.ngettext(one, many, count).format(n=count)


def N_(text: str) -> str:
    """Marks a text that is translated later, when it is shown."""
    return text
