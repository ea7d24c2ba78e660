import pytest

from safelight.engine.residency import (
    RESERVE_BYTES,
    Load,
    Refuse,
    Resident,
    ResidentPart,
    Use,
    Wait,
    decide,
    expired,
    expiry,
    idle,
)

GIB = 1 << 30


def resident(name, gib, *, references=0, used=0.0, expires=None):
    return Resident(name, int(gib * GIB), references, used, expires)


def part(name, gib, *used_by, references=0, used=0.0, kept=False):
    return ResidentPart(name, int(gib * GIB), references, used, name, "cpu", "fp32", used_by, kept)


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
    found = decide(residents, [], wanted, needed_bytes=int(needed * GIB), free_bytes=int(free * GIB))
    assert found == expected


ENCODER = part("encoder", 2, "old", "busy", used=0.5)
DECODER = part("decoder", 1, "old", kept=True)

PART_CASES = {
    "an idle part goes before pipelines used later": ([IDLE_OLD], [ENCODER], 2, 1, Load(("encoder",))),
    "and after those used earlier": ([IDLE_OLD], [part("late", 2, "old", used=3.0)], 2, 1, Load(("old",))),
    "a held part stays": ([BUSY], [part("held", 2, "busy", references=1)], 2, 1, Wait(("busy",))),
    "a kept part is never evicted alone": ([BUSY], [part("kept", 2, "busy", kept=True)], 2, 1, Wait(("busy",))),
    "but goes with its last pipeline": ([IDLE_OLD], [DECODER], 4, 1.5, Load(("old",))),
    "and stays while another has it": (
        [IDLE_OLD, IDLE_NEW],
        [part("decoder", 1, "old", "new", kept=True)],
        4, 1.5,
        Load(("old", "new")),
    ),
    "all together do not do": ([IDLE_OLD], [DECODER], 16, 1, Refuse(16 * GIB, 4 * GIB - RESERVE_BYTES)),
}  # fmt: skip


@pytest.mark.parametrize(
    ("residents", "parts", "needed", "free", "expected"), PART_CASES.values(), ids=PART_CASES
)
def test_decision_with_parts(residents, parts, needed, free, expected):
    found = decide(residents, parts, "x", needed_bytes=int(needed * GIB), free_bytes=int(free * GIB))
    assert found == expected


def test_what_is_idle_is_sorted_by_its_last_use():
    found = idle([IDLE_NEW, BUSY, IDLE_OLD], [ENCODER, DECODER])
    assert [sitting.name for sitting in found] == ["encoder", "old", "new"]


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
