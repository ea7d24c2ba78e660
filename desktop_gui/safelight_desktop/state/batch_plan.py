"""How a batch is restored and where its results go."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from safelight.client.naming import Naming
from safelight.imaging.files import METADATA_POLICIES, SUFFIXES, MetadataPolicy
from safelight_desktop.state.settings_form import Recipe

Existing = Literal["skip", "replace", "number"]
EXISTING: tuple[Existing, ...] = ("skip", "replace", "number")


@dataclass(frozen=True)
class Output:
    """What is written, and where."""

    naming: Naming = field(default_factory=Naming)
    policy: MetadataPolicy = "keep"
    record: bool = True
    existing: Existing = "skip"
    """What becomes of a result that is there already: it stays and the picture is skipped, it is replaced where
    Safelight made it, or the new one gets a number."""


def output_as_text(output: Output) -> str:
    """JSON."""
    values = asdict(output)
    folder = output.naming.folder
    values["naming"]["folder"] = str(folder) if folder is not None else None
    return json.dumps(values)


def output_of_text(text: str) -> Output:
    """What cannot be read is the default."""
    try:
        found: Any = json.loads(text)
        naming = found["naming"]
        folder = naming["folder"]
        read = Output(
            Naming(
                str(naming["template"]),
                naming["suffix"] if naming["suffix"] in SUFFIXES else "",
                Path(folder) if folder else None,
                bool(naming["mirror"]),
            ),
            found["policy"] if found["policy"] in METADATA_POLICIES else "keep",
            bool(found["record"]),
            found["existing"] if found["existing"] in EXISTING else "skip",
        )
    except (ValueError, KeyError, TypeError):
        return Output()
    return read


def recipe_as_text(recipe: Recipe | None) -> str:
    """JSON; empty for none."""
    return "" if recipe is None else json.dumps({**asdict(recipe), "values": dict(recipe.values)})


def recipe_of_text(text: str) -> Recipe | None:
    """None for what cannot be read."""
    try:
        found: Any = json.loads(text)
        values = {str(n): v for n, v in found["values"].items() if isinstance(v, bool | int | float | str)}
        return Recipe(
            str(found["pipeline"]),
            int(found["output_scale"]),
            int(found["seed"]),
            str(found["preset"]),
            values,
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
