"""How numbers, times and sizes are said to people. Standard library only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from texts import N_, _, several

GB, MB = 10**9, 10**6

STAGES = {
    "start": N_("Starting Safelight"),
    "send": N_("Sending pixels"),
    "upload": N_("Sending pixels"),
    "queued": N_("Waiting for other jobs"),
    "load": N_("Loading the pipeline"),
    "prepare": N_("Preparing"),
    "condition": N_("Looking at the picture"),
    "encode": N_("Encoding"),
    "predict": N_("Restoring"),
    "decode": N_("Restoring"),
    "finish": N_("Blending"),
    "ask": N_("Asking for the files"),
    "download": N_("Downloading"),
    "check": N_("Checking"),
    "convert": N_("Converting"),
}


def size(count: float) -> str:
    if count >= GB:
        return _("{n} GB").format(n=f"{count / GB:.1f}")
    return _("{n} MB").format(n=max(1, round(count / MB)))


def duration(seconds: float) -> str:
    """Rounded as a person would say it."""
    if seconds < 1:
        return _("a second")
    if seconds < 90:
        return several(
            "{n} second", "{n} seconds", round(seconds) if seconds < 10 else round(seconds / 5) * 5
        )
    if seconds < 5400:
        return several("{n} minute", "{n} minutes", round(seconds / 60))
    return several("{n} hour", "{n} hours", round(seconds / 3600))


def estimate(seconds: float | None, memory_bytes: float) -> str:
    """`Will take about 12 seconds and 2.1 GB`."""
    if seconds is None:
        return _("Needs about {memory}; how long it takes is known after the first run").format(
            memory=size(memory_bytes)
        )
    return _("Will take about {time} and {memory}").format(time=duration(seconds), memory=size(memory_bytes))


def progress(fields: Mapping[str, Any]) -> str:
    """`Restoring, step 2 of 20, tile 3 of 12, about 40 seconds left`."""
    if fields.get("jobs_ahead"):
        return several("Waiting for {n} other job", "Waiting for {n} other jobs", fields["jobs_ahead"])
    stage = str(fields.get("stage", ""))
    parts = [_(STAGES.get(stage, stage))]
    if fields.get("steps", 0) > 1 and fields.get("step"):
        parts.append(_("step {n} of {all}").format(n=fields["step"], all=fields["steps"]))
    if fields.get("tiles", 0) > 1:
        parts.append(_("tile {n} of {all}").format(n=fields.get("tiles_done", 0), all=fields["tiles"]))
    if fields.get("eta_s", -1) >= 1:
        parts.append(_("about {time} left").format(time=duration(fields["eta_s"])))
    return ", ".join(parts)


def with_mnemonic(text: str, used: set[str]) -> str:
    """The text with an underscore before a letter that nobody uses yet, which is added to `used`.

    The letter after an underscore in the text goes first, then the first letters of words, then the others; a text
    without a free letter has no mnemonic.
    """
    wanted = text.find("_")
    text = text.replace("_", "")
    starts = [i for i, c in enumerate(text) if c.isalpha() and (i == 0 or not text[i - 1].isalnum())]
    for place in [*([wanted] if 0 <= wanted < len(text) else []), *starts, *range(len(text))]:
        letter = text[place].lower()
        if letter.isascii() and letter.isalpha() and letter not in used:
            used.add(letter)
            return f"{text[:place]}_{text[place:]}"
    return text
