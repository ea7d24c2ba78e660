"""Which pipelines and parts sit on the device: pure decisions over what is resident, what is asked and free bytes.

Nothing here loads, frees or measures; the worker does, and asks again with measured numbers afterwards.
Owned by one thread and so without locks.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from safelight.errors import InvalidRequest

RESERVE_BYTES = 256 << 20
"""Left free beside weights and tiles: allocator slack and the driver's context, which free-memory figures miss."""
KEEP_ALIVE_MOST_S = 366 * 86400.0
"""A longer time is meant as for ever, and is said with a negative number."""


@dataclass(frozen=True)
class Sitting:
    """Something that is loaded."""

    name: str
    """A pipeline's id, or a part's name: no two of all that is loaded have the same."""
    weights_bytes: int
    references: int
    """Jobs, or stages of jobs, that use it now; 0: it is idle."""
    last_used_s: float
    """Monotonic."""


@dataclass(frozen=True)
class Resident(Sitting):
    """A loaded pipeline; parts that it shares count for themselves."""

    expires_s: float | None
    """Monotonic; None: stays until evicted."""
    precision: str = "fp32"
    """As it ran last; for people."""


@dataclass(frozen=True)
class ResidentPart(Sitting):
    """A loaded network that pipelines share."""

    title: str
    device: str
    precision: str
    used_by: tuple[str, ...] = ()
    """Loaded pipelines that have it: it goes with the last of them."""
    kept: bool = False
    """True: these pipelines compute with it in every tile, and it is never evicted before them."""


@dataclass(frozen=True)
class Use:
    """It is loaded already."""


@dataclass(frozen=True)
class Load:
    """It fits beside what is resident, once `evict`, by name, are gone (least recently used first)."""

    evict: tuple[str, ...] = ()


@dataclass(frozen=True)
class Wait:
    """It will fit when jobs that use these have ended."""

    busy: tuple[str, ...]


@dataclass(frozen=True)
class Refuse:
    """It does not fit even on an empty device."""

    needed_bytes: int
    available_bytes: int


Decision = Use | Load | Wait | Refuse


def decide(
    residents: Sequence[Resident],
    parts: Sequence[ResidentPart],
    pipeline: str,
    *,
    needed_bytes: int,
    free_bytes: int,
) -> Decision:
    """What to do so that `pipeline` can run; `parts` are those on its device, `free_bytes` is measured now,
    `needed_bytes` weights plus tiles.

    Only what is idle is evicted, and no more of it than needed.
    """
    if any(r.name == pipeline for r in residents):
        return Use()
    missing = needed_bytes + RESERVE_BYTES - free_bytes
    if missing <= 0:
        return Load()
    evict: list[str] = []
    for sitting in idle(residents, parts):
        evict.append(sitting.name)
        if _freed_bytes(evict, residents, parts) >= missing:
            return Load(tuple(evict))
    evictable_bytes = sum(sitting.weights_bytes for sitting in (*residents, *parts))
    if missing <= evictable_bytes:
        return Wait(tuple(r.name for r in residents if r.references))
    return Refuse(needed_bytes, max(0, free_bytes - RESERVE_BYTES + evictable_bytes))


def idle(residents: Iterable[Resident], parts: Iterable[ResidentPart]) -> list[Sitting]:
    """What may be evicted, in the order to do so: least recently used first."""
    free_parts = (part for part in parts if not part.kept)
    return sorted(
        (sitting for sitting in (*residents, *free_parts) if not sitting.references),
        key=lambda sitting: sitting.last_used_s,
    )


def _freed_bytes(gone: Collection[str], residents: Iterable[Resident], parts: Iterable[ResidentPart]) -> int:
    """A part goes with the last pipeline that has it."""
    pipelines = sum(r.weights_bytes for r in residents if r.name in gone)
    return pipelines + sum(p.weights_bytes for p in parts if p.name in gone or set(p.used_by) <= set(gone))


def expired(residents: Iterable[Resident], now_s: float) -> tuple[str, ...]:
    """Pipelines whose keep-alive is over; those in use are never among them."""
    return tuple(
        r.name for r in residents if r.references == 0 and r.expires_s is not None and r.expires_s <= now_s
    )


def expiry(keep_alive_s: float, now_s: float) -> float | None:
    """When a pipeline that was used now is unloaded: negative keep-alive means never, 0 means at once."""
    return None if keep_alive_s < 0 else now_s + keep_alive_s


def checked_keep_alive(seconds: float) -> float:
    """Raises InvalidRequest for what is no time."""
    if not seconds <= KEEP_ALIVE_MOST_S:  # also refuses NaN
        raise InvalidRequest(
            f"a keep-alive of {seconds:g} s is out of range: give seconds up to {KEEP_ALIVE_MOST_S:.0f}, "
            "0 to unload at once, or a negative number for ever",
            "KEEP_ALIVE",
        )
    return seconds
