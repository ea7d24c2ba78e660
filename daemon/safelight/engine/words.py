"""What is asked of a picture beside restoring it: words for what it shows. Free of torch."""

from __future__ import annotations

from dataclasses import dataclass

from safelight.engine.pipelines.prompt_settings import AUTO
from safelight.engine.request import RestoreRequest


@dataclass(frozen=True)
class WordsRequest:
    """A picture and the question."""

    picture: RestoreRequest
    """All of it is looked at; its settings are not."""
    source: str
    """tags or caption."""
    captioner: str = AUTO
    seed: int = 0


@dataclass(frozen=True)
class Words:
    """What a picture shows."""

    tags: tuple[str, ...] = ()
    caption: str = ""
    """In the captioner's own words."""
    prompt: str = ""
    """What pipelines are given of it."""
    read_with: tuple[str, ...] = ()
    """Catalogue ids."""
