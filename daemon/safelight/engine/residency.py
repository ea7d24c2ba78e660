"""Which pipelines sit on the device: pure decisions over what is resident, what is asked and free bytes.

Nothing here loads, frees or measures; the worker does, and asks again with measured numbers afterwards.
Owned by one thread and so without locks.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from safelight.errors import InvalidRequest

RESERVE_BYTES = 256 << 20
"""Left free beside weights and tiles: allocator slack and the driver's context, which free-memory figures miss."""
KEEP_ALIVE_MOST_S = 366 * 86400.0
"""A longer time is meant as for ever, and is said with a negative number."""


@dataclass(frozen=True)
class Resident:
    """A loaded pipeline. Times are monotonic seconds."""

    pipeline: str
    weights_bytes: int
    references: int
    last_used_s: float
    expires_s: float | None
    """None: stays until evicted."""
    precision: str = "fp32"
    """As it ran last; for people."""


@dataclass(frozen=True)
class Use:
    """It is loaded already."""


@dataclass(frozen=True)
class Load:
    """It fits beside what is resident, once `evict` are gone (least recently used first)."""

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


def decide(residents: Iterable[Resident], pipeline: str, *, needed_bytes: int, free_bytes: int) -> Decision:
    """What to do so that `pipeline` can run; `free_bytes` is measured now, `needed_bytes` weights plus tiles.

    Only pipelines without references are evicted, and no more of them than needed.
    """
    residents = list(residents)
    if any(r.pipeline == pipeline for r in residents):
        return Use()
    missing = needed_bytes + RESERVE_BYTES - free_bytes
    if missing <= 0:
        return Load()
    idle = sorted((r for r in residents if r.references == 0), key=lambda r: r.last_used_s)
    evict: list[str] = []
    for resident in idle:
        evict.append(resident.pipeline)
        missing -= resident.weights_bytes
        if missing <= 0:
            return Load(tuple(evict))
    busy = [r for r in residents if r.references > 0]
    if missing - sum(r.weights_bytes for r in busy) <= 0:
        return Wait(tuple(r.pipeline for r in busy))
    available = free_bytes - RESERVE_BYTES + sum(r.weights_bytes for r in residents)
    return Refuse(needed_bytes, max(0, available))


def expired(residents: Iterable[Resident], now_s: float) -> tuple[str, ...]:
    """Pipelines whose keep-alive is over; those in use are never among them."""
    return tuple(
        r.pipeline
        for r in residents
        if r.references == 0 and r.expires_s is not None and r.expires_s <= now_s
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
