"""How numbers are said, and mnemonics."""

import pytest
from words import duration, estimate, progress, size, with_mnemonic

DURATIONS = {
    0.2: "a second", 1.2: "1 second", 7.4: "7 seconds", 43: "45 seconds", 130: "2 minutes", 3500: "58 minutes",
    7300: "2 hours",
}  # fmt: skip


@pytest.mark.parametrize(("seconds", "said"), DURATIONS.items())
def test_durations_are_rounded_as_people_do(seconds, said):
    assert duration(seconds) == said


@pytest.mark.parametrize(
    ("count", "said"), [(10, "1 MB"), (244_000_000, "244 MB"), (2_130_000_000, "2.1 GB")]
)
def test_sizes(count, said):
    assert size(count) == said


def test_an_estimate_says_time_and_memory():
    assert estimate(12, 2.1e9) == "Will take about 10 seconds and 2.1 GB"
    assert "after the first run" in estimate(None, 2.1e9)


PROGRESS = {
    "a stage alone": ({"stage": "start"}, "Starting Safelight"),
    "waiting": ({"stage": "", "jobs_ahead": 2}, "Waiting for 2 other jobs"),
    "tiles": ({"stage": "decode", "tiles": 12, "tiles_done": 3, "eta_s": -1}, "Restoring, tile 3 of 12"),
    "steps": (
        {"stage": "predict", "step": 2, "steps": 20, "tiles": 4, "tiles_done": 1, "eta_s": 44.0},
        "Restoring, step 2 of 20, tile 1 of 4, about 45 seconds left",
    ),
    "one tile is not worth counting": ({"stage": "decode", "tiles": 1, "tiles_done": 0}, "Restoring"),
    "a stage of a later daemon": ({"stage": "polish"}, "polish"),
}


@pytest.mark.parametrize(("fields", "said"), PROGRESS.values(), ids=PROGRESS)
def test_progress(fields, said):
    assert progress(fields) == said


def test_no_two_labels_share_a_letter():
    used = set("rc")
    shown = [with_mnemonic(t, used) for t in ("Strength", "Seed", "Resu_lt", "Source", "Rrr", "Error")]
    assert shown == ["_Strength", "S_eed", "Resu_lt", "S_ource", "Rrr", "Error"]


def test_words_begin_before_other_letters_and_umlauts_are_passed_over():
    used = {"n"}
    assert with_mnemonic("New seed", used) == "New _seed"
    assert with_mnemonic("Überblenden", {"b"}) == "Üb_erblenden"
