"""Where the prompt of a diffusion pipeline comes from: its settings, and the files that each source needs. Free of
torch."""

from __future__ import annotations

from collections.abc import Mapping

from safelight.engine.checkpoints.store import installed_path, read_record
from safelight.spec import SettingSpec, SettingValue

NONE, TAGS, CAPTION, TEXT = "none", "tags", "caption", "text"
READ = (TAGS, CAPTION)
"""Sources that look at the picture."""
TAGGER = ("ram", "dape", "ram-tags")
"""Catalogue ids that tags need."""
LLAVA, FLORENCE = "llava-v1.5-13b", "florence-2-base"
CAPTIONERS = (LLAVA, FLORENCE)
AUTO = "auto"
REPORTED = ("prompt_from", "prompt_by", "prompt_note")
"""Found out beside the prompt: its source, the SHA-256 of the files that it was read with, and what a person should
know of it."""


def prompt_settings(none: str) -> tuple[SettingSpec, ...]:
    """`none` says what is used without a prompt."""
    return (
        SettingSpec(
            "prompt_source", "Prompt from", "choice", NONE,
            f"{none} tags and caption are read from the picture with its surroundings, unless a prompt is typed below, "
            "which always wins; text uses the prompt below word for word.",
            choices=(NONE, TAGS, CAPTION, TEXT),
        ),
        SettingSpec("prompt", "Prompt", "text", "", "What the picture shows, in English."),
        SettingSpec(
            "captioner", "Captioner", "choice", AUTO,
            "Which network writes the caption: LLaVA, FaithDiff's own, needs 27 GB; Florence-2 1 GB. auto takes LLaVA "
            "where it is installed and fits, else Florence-2.",
            choices=(AUTO, *CAPTIONERS), advanced=True,
        ),
    )  # fmt: skip


def wanted_files(source: str, captioner: str = AUTO) -> tuple[str, ...]:
    """Catalogue ids that a source may use; of captioners in the order of preference."""
    if source == TAGS:
        return TAGGER
    if source == CAPTION:
        return CAPTIONERS if captioner == AUTO else (captioner,)
    return ()


def install_hint(source: str, captioner: str = AUTO) -> str:
    """One sentence on what to install; empty where there is nothing to do."""
    missing = [name for name in wanted_files(source, captioner) if installed_path(name) is None]
    if source == TAGS and missing:
        return f"the tagger is not installed: safelight models pull {' '.join(missing)}"
    if source == CAPTION and len(missing) == len(wanted_files(source, captioner)):
        return (
            f"no captioner is installed: safelight models pull {FLORENCE if captioner == AUTO else captioner}"
        )
    return ""


def read_with(own: Mapping[str, SettingValue]) -> dict[str, str]:
    """SHA-256 of the files that a job with these own settings may read its prompt with, by `id/name`."""
    source = str(own.get("prompt_source", NONE))
    if source not in READ or str(own.get("prompt", "")).strip():
        return {}
    return hashes(*wanted_files(source, str(own.get("captioner", AUTO))))


def hashes(*catalogue_ids: str) -> dict[str, str]:
    """Of what is installed of these."""
    records = ((name, read_record(name)) for name in catalogue_ids)
    return {f"{name}/{file.name}": file.sha256 for name, record in records if record for file in record.files}
