import pytest

from safelight.engine.residency import (
    RESERVE_BYTES,
    Load,
    Refuse,
    Resident,
    Use,
    Wait,
    decide,
    expired,
    expiry,
)

GIB = 1 << 30


def resident(name, gib, *, references=0, used=0.0, expires=None):
    return Resident(name, int(gib * GIB), references, used, expires)


IDLE_OLD = resident("old", 2, used=1.0)
IDLE_NEW = resident("new", 4, used=9.0)
BUSY = resident("busy", 6, references=1, used=5.0)

CASES = {
    "already resident": ([IDLE_OLD], "old", 8, 0, Use()),
    "resident and busy is still use": ([BUSY], "busy", 8, 0, Use()),
    "fits beside others": ([IDLE_OLD, BUSY], "x", 2, 4, Load()),
    "exactly fits": ([], "x", 2, 2 + RESERVE_BYTES / GIB, Load()),
    "one byte short evicts": ([IDLE_OLD], "x", 2, 2 + (RESERVE_BYTES - 1) / GIB, Load(("old",))),
    "least recently used goes first": ([IDLE_NEW, IDLE_OLD], "x", 2, 1, Load(("old",))),
    "as many as needed": ([IDLE_NEW, IDLE_OLD], "x", 6, 1, Load(("old", "new"))),
    "busy ones are waited for": ([BUSY], "x", 4, 1, Wait(("busy",))),
    "idle and busy together": ([BUSY, IDLE_OLD], "x", 8, 1, Wait(("busy",))),
    "never fits": ([IDLE_OLD], "x", 16, 4, Refuse(16 * GIB, 6 * GIB - RESERVE_BYTES)),
    "never fits an empty device": ([], "x", 1, 0, Refuse(GIB, 0)),
}


@pytest.mark.parametrize(("residents", "wanted", "needed", "free", "expected"), CASES.values(), ids=CASES)
def test_decision(residents, wanted, needed, free, expected):
    assert decide(residents, wanted, needed_bytes=int(needed * GIB), free_bytes=int(free * GIB)) == expected


def test_only_idle_pipelines_past_their_time_expire():
    residents = [
        resident("due", 1, expires=10.0),
        resident("later", 1, expires=10.1),
        resident("forever", 1, expires=None),
        resident("in use", 1, references=1, expires=1.0),
    ]
    assert expired(residents, 10.0) == ("due",)


@pytest.mark.parametrize(("keep_alive", "expected"), [(600.0, 700.0), (0.0, 100.0), (-1.0, None)])
def test_keep_alive(keep_alive, expected):
    assert expiry(keep_alive, 100.0) == expected
