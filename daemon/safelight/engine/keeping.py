"""What one job takes from the kept results and leaves there. Free of torch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from safelight.engine.job_plan import JobPlan
from safelight.engine.jobs import Job
from safelight.engine.kept_canvas import KeptCanvas
from safelight.engine.kept_key import content_key
from safelight.engine.kept_store import KeptStore
from safelight.engine.pipelines.prompt_settings import read_with
from safelight.engine.request import nothing


@dataclass(frozen=True)
class Keeping:
    """One job's place in the store."""

    store: KeptStore
    key: str
    checkpoints: Mapping[str, str]
    """SHA-256 of the pipeline's files as they are installed."""

    def find(self) -> KeptCanvas | None:
        return self.store.find(self.key)

    def keep(self, finished: KeptCanvas) -> Callable[[], None]:
        """Unless other files than those in the key were computed with: they were replaced while loaded. Gives what
        begins the writing."""
        computed_with = finished.facts["report"]["checkpoints"]
        if self.checkpoints and computed_with != self.checkpoints:
            return nothing
        return self.store.keep(replace(finished, key=self.key))


def keeping_for(
    job: Job, plan: JobPlan, store: KeptStore | None, *, checkpoints: Mapping[str, str], place: str
) -> Keeping | None:
    """None for a job that wants nothing to do with kept results, and for one that runs the authors' own path."""
    request = job.request
    if store is None or request is None or not store.limit_bytes or not job.input_sha256:
        return None
    if request.settings.own.get("authors_exact"):
        return None
    key = content_key(
        request,
        plan,
        input_sha256=job.input_sha256,
        checkpoints={**checkpoints, **read_with(request.settings.own)},
        place=place,
    )
    return Keeping(store, key, checkpoints)
