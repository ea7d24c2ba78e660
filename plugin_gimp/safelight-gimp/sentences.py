"""One sentence that a person can act on, for every error. Standard library only.

Errors of the daemon come with a sentence for people of the command line; where somebody in GIMP does something else
about it, or where it is frequent, there is one here. The daemon's own goes into the details.
"""

from __future__ import annotations

from errors import SafelightError
from texts import N_, _

_SENTENCES = {
    "CHECKPOINT_MISSING": N_(
        "{pipeline} is not installed: choose it in the dialog (Filters > Enhance > Restore Region) and press Install."
    ),
    "CHECKPOINT_DAMAGED": N_(
        "The files of {pipeline} are damaged: install them again with safelight models pull in a terminal."
    ),
    "LICENCE_NOT_ACCEPTED": N_(
        "The licence of {checkpoint} was not accepted: press Install and accept it there."
    ),
    "OUT_OF_MEMORY": N_(
        "There is not enough memory, even in small pieces: select less, or close other programs."
    ),
    "HOST_MEMORY": N_(
        "There is not enough memory for a selection of that size: select less, or close other programs."
    ),
    "QUEUE_FULL": N_("Safelight has too many jobs waiting: try again when some are done."),
    "OUTPUT_REFUSED": N_(
        "The network gave no usable picture here: choose another pipeline or another working scale."
    ),
    "START_FAILED": N_("Safelight's daemon could not start: run safelight doctor in a terminal to see why."),
    "START_TIMEOUT": N_("Safelight's daemon did not come up: run safelight doctor in a terminal to see why."),
    "DAEMON_GONE": N_(
        "Safelight's daemon ended in the middle of the work: run the filter again, it starts a new one."
    ),
    "NOT_ANSWERING": N_(
        "Safelight's daemon does not answer: run safelight stop --force in a terminal, then try again."
    ),
    "REMOTE_NOT_ANSWERING": N_(
        "Nobody answers at {target}: start Safelight's daemon there, or remove Safelight's remote.json."
    ),
    "DAEMON_NOT_INSTALLED": N_(
        "Safelight's daemon is not installed: run pip install 'safelight[daemon]' in a terminal."
    ),
    "STOPPING": N_("Safelight's daemon is just ending: try again in a moment."),
    "DEVICE_FAULT": N_(
        "The graphics device failed and Safelight's daemon starts anew: run the filter again."
    ),
    "NO_ANSWER": N_("Safelight's daemon did not answer in time: try again."),
    "TOO_MANY_STREAMS": N_("Safelight is sent too many pictures at once: try again when some are done."),
    "TOO_MANY_PIXELS": N_(
        "The selection is larger than Safelight takes: select less, or a smaller enlargement."
    ),
    "RESULT_INCOMPLETE": N_("The result did not come back whole: run the filter again."),
    "PROFILE_NOT_SUPPORTED": N_(
        "The image's colour profile cannot be used: convert it to sRGB first (Image > Color Management)."
    ),
    "PROFILE_TOO_LARGE": N_(
        "The image's colour profile is too large: convert it to sRGB first (Image > Color Management)."
    ),
    "RUNTIME_DIR_UNSAFE": N_(
        "Safelight's runtime folder is open to other users: run safelight doctor in a terminal, it says what to do."
    ),
    "PROTOCOL_MISMATCH": N_(
        "This plug-in, Safelight and its daemon are of different versions: run safelight stop and safelight gimp "
        "install in a terminal, then restart GIMP."
    ),
    "UNAUTHENTICATED": N_("Safelight's daemon refused us: run safelight stop in a terminal, then try again."),
    "REMOTE_SETTINGS": N_(
        "The file that names a daemon on another machine cannot be used: correct or remove Safelight's remote.json."
    ),
    "DISK_FULL": N_("There is no room left on the disk: free some, then try again."),
    "INTERNAL": N_(
        "Something went wrong in Safelight's daemon that should not: please report what GIMP's error console says."
    ),
    "SAMPLES_NOT_FINITE": N_("The layer holds samples that are no numbers or infinite: repair them first."),
}


def sentence(error: SafelightError) -> str:
    """In the person's language, as far as it is known here."""
    known = _SENTENCES.get(error.reason)
    try:
        text = _(known).format_map(error.details) if known else _(error.message)
    except KeyError:
        text = error.message
    return text[:1].upper() + text[1:]


def details(error: SafelightError) -> str:
    """Everything that is known, in English, for the error console and for reports."""
    lines = [f"{error.message} [{error.reason}]"]
    lines += [f"{name}: {value}" for name, value in error.details.items() if value]
    return "\n".join(lines)
