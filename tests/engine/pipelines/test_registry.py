"""Which pipelines there are, and how they are asked for."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch

from safelight.engine.parts import Parts
from safelight.engine.pipelines.registry import Entry, Registry, default_registry
from safelight.errors import NotFound, NotReady
from tests.fakes.pipelines import ONE_STAGE, fake_registry

HERE = torch.device("cpu")


def test_entries_are_listed_in_order() -> None:
    ids = [entry.spec.id for entry in fake_registry().entries]
    assert ids == ["identity", "brighten", "staged", "broken", "absent"]


def test_loading_gives_the_pipeline_of_that_id() -> None:
    registry = fake_registry()
    for name in ("identity", "brighten", "staged", "broken"):
        assert registry.load(name, HERE, Parts()).spec.id == name


def test_an_unknown_id_is_answered_with_the_nearest_one() -> None:
    with pytest.raises(NotFound, match="did you mean brighten") as caught:
        fake_registry().entry("brigthen")
    assert caught.value.reason == "UNKNOWN_PIPELINE"


def test_missing_files_are_said_before_anything_is_imported() -> None:
    with pytest.raises(NotReady, match="absent are not installed") as caught:
        fake_registry().load("absent", HERE, Parts())
    assert caught.value.reason == "CHECKPOINT_MISSING"


def test_two_pipelines_with_one_id_are_refused() -> None:
    entry = Entry(ONE_STAGE, "nowhere:load", lambda: True)
    with pytest.raises(ValueError, match="same id"):
        Registry([entry, entry])


def test_every_pipeline_of_this_version_can_be_found_and_compact_is_installed() -> None:
    entries = {entry.spec.id: entry for entry in default_registry().entries}
    assert entries["compact"].installed()


def test_listing_needs_no_torch() -> None:
    program = (
        "import sys; sys.modules['torch'] = None\n"
        "from safelight.engine.pipelines.registry import default_registry\n"
        "print(*[e.spec.id for e in default_registry().entries])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "compact" in done.stdout.split()
