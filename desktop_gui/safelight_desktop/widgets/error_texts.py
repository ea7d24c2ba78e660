"""Errors for people: a headline by kind; the sentence that comes with the error says the rest."""

from __future__ import annotations

from safelight.errors import (
    InputFileError,
    InvalidRequest,
    NotFound,
    NotReady,
    OutputFileError,
    SafelightError,
    TooMuch,
    Unauthenticated,
    Unavailable,
    Unrestorable,
)
from safelight_desktop.texts import translate


def headline(error: SafelightError) -> str:
    """What kind of thing went wrong, in the person's language."""
    titles = {
        InputFileError: translate("Errors", "The picture could not be opened"),
        OutputFileError: translate("Errors", "The picture could not be saved"),
        InvalidRequest: translate("Errors", "This cannot be restored as it is set"),
        NotFound: translate("Errors", "It is not there any more"),
        NotReady: translate("Errors", "The pipeline is not ready"),
        Unauthenticated: translate("Errors", "The daemon did not let us in"),
        TooMuch: translate("Errors", "It is too much for this machine now"),
        Unavailable: translate("Errors", "The daemon cannot be reached"),
        Unrestorable: translate("Errors", "The result failed its checks"),
    }
    for kind, title in titles.items():
        if isinstance(error, kind):
            return title
    return translate("Errors", "Something went wrong")
