"""What a person reads of an error."""

import pytest
from errors import SafelightError
from sentences import details, sentence


def test_what_is_done_about_it_in_gimp_goes_before_the_daemons_words():
    error = SafelightError("CHECKPOINT_MISSING", "safelight models pull x", {"pipeline": "osediff"})
    assert sentence(error).startswith("Osediff is not installed")
    assert "Install" in sentence(error)


def test_without_what_a_sentence_needs_the_daemons_words_are_used():
    assert sentence(SafelightError("CHECKPOINT_MISSING", "pull it")) == "Pull it"


def test_errors_that_are_not_known_here_are_told_as_they_are():
    assert sentence(SafelightError("NEW", "the moon is {full}: wait")) == "The moon is {full}: wait"


def test_details_have_everything():
    text = details(SafelightError("LOST", "It is lost.", {"where": "in the woods", "why": ""}))
    assert text.splitlines() == ["It is lost. [LOST]", "where: in the woods"]


@pytest.mark.parametrize("reason", ["OUT_OF_MEMORY", "DAEMON_GONE", "START_FAILED", "LAYER_LOCKED"])
def test_braces_in_a_details_value_do_no_harm(reason):
    assert sentence(SafelightError(reason, "x", {"log": "{oops}"}))
