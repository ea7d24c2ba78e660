"""The pipelines there are, each with what is needed to list it without loading it. Free of torch.

A new pipeline is one more `Entry` in `default_registry`.
"""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from safelight.engine.checkpoints import store
from safelight.engine.checkpoints.catalogue import needed_by
from safelight.engine.pipelines.compact_spec import COMPACT, compact_installed
from safelight.engine.pipelines.faithdiff_spec import FAITHDIFF, faithdiff_installed
from safelight.engine.pipelines.osediff_spec import (
    OSEDIFF,
    OSEDIFF_FACE,
    osediff_face_installed,
    osediff_installed,
)
from safelight.engine.pipelines.s3diff_spec import S3DIFF, s3diff_installed
from safelight.errors import NotFound, NotReady
from safelight.spec import PipelineSpec

if TYPE_CHECKING:
    import torch

    from safelight.engine.parts import Parts
    from safelight.engine.pipelines.base import Pipeline


@dataclass(frozen=True)
class Entry:
    """One pipeline."""

    spec: PipelineSpec
    loader: str
    """`module:function`; the function takes a torch.device and the Parts that pipelines share, and returns the loaded
    Pipeline."""
    installed: Callable[[], bool]
    """Whether its checkpoint files are there; cheap, asked for every listing."""

    def install_hint(self) -> str:
        """What to do when its files are not there; empty when they are."""
        if self.installed():
            return ""
        missing = [e.id for e in needed_by(self.spec.id) if store.read_record(e.id) is None]
        what_to_do = (
            f"safelight models pull {' '.join(missing)}" if missing else "safelight doctor says which"
        )
        return f"the files of the pipeline {self.spec.id} are not installed: {what_to_do}"

    def checkpoint_hashes(self) -> dict[str, str]:
        """SHA-256 of its files by `id/name`, as they are installed now: what the loaded pipeline says of itself.
        Empty where they come with the package."""
        records = ((e.id, store.read_record(e.id)) for e in needed_by(self.spec.id))
        return {f"{name}/{f.name}": f.sha256 for name, record in records if record for f in record.files}

    def require_installed(self) -> None:
        """Raises NotReady (CHECKPOINT_MISSING)."""
        if hint := self.install_hint():
            raise NotReady(hint, "CHECKPOINT_MISSING", details={"pipeline": self.spec.id})

    def load(self, device: torch.device, parts: Parts) -> Pipeline:
        """Imports torch and what else it needs; takes seconds. Raises NotReady when not installed, or damaged."""
        self.require_installed()
        module, function = self.loader.split(":")
        pipeline: Pipeline = getattr(importlib.import_module(module), function)(device, parts)
        return pipeline


class Registry:
    """Entries by id, in the order people see them."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self.entries = tuple(entries)
        self._by_id = {entry.spec.id: entry for entry in self.entries}
        if len(self._by_id) != len(self.entries):
            raise ValueError("two pipelines have the same id")

    def entry(self, pipeline: str) -> Entry:
        """Raises NotFound (UNKNOWN_PIPELINE), offering the nearest id."""
        if pipeline in self._by_id:
            return self._by_id[pipeline]
        near = difflib.get_close_matches(pipeline, self._by_id, n=1)
        hint = f"did you mean {near[0]}?" if near else "there are " + ", ".join(self._by_id)
        raise NotFound(
            f"there is no pipeline {pipeline[:64]!r}: {hint}",
            "UNKNOWN_PIPELINE",
            details={"pipeline": pipeline[:80]},
        )

    def load(self, pipeline: str, device: torch.device, parts: Parts) -> Pipeline:
        return self.entry(pipeline).load(device, parts)


def default_registry() -> Registry:
    """What this version of Safelight brings along."""
    pipelines = "safelight.engine.pipelines"
    return Registry(
        [
            Entry(COMPACT, f"{pipelines}.compact:load", compact_installed),
            Entry(OSEDIFF, f"{pipelines}.osediff:load", osediff_installed),
            Entry(OSEDIFF_FACE, f"{pipelines}.osediff:load_face", osediff_face_installed),
            Entry(S3DIFF, f"{pipelines}.s3diff:load", s3diff_installed),
            Entry(FAITHDIFF, f"{pipelines}.faithdiff:load", faithdiff_installed),
        ]
    )
