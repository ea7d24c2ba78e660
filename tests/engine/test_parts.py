"""Parts by themselves: how long their networks stay."""

import gc

import pytest
import torch

from safelight.engine.parts import Part, PartKey, Parts
from tests.fakes.told import Clock

KEY = PartKey("encoder", "0" * 64, "cpu", "fp32")
BYTES = 4 * (100 * 10 + 10)


class Loader:
    """Makes a small network and counts how often."""

    def __init__(self):
        self.times = 0

    def __call__(self):
        self.times += 1
        return torch.nn.Linear(100, 10)


def part_of(parts, load, key=KEY):
    return parts.shared(key, lambda: Part(parts, key, load, expected_bytes=BYTES))


def test_who_asks_for_the_same_content_gets_the_same_part():
    parts, load = Parts(), Loader()
    one, other = part_of(parts, load), part_of(parts, load)
    assert one is other
    with one.held() as network, other.held() as again:
        assert network is again
    assert load.times == 1


@pytest.mark.parametrize("field", ["content", "device", "precision", "title"])
def test_every_field_of_the_key_makes_another_part(field):
    parts, load = Parts(), Loader()
    one = part_of(parts, load)
    assert part_of(parts, load, KEY._replace(**{field: "meta"})) is not one


def test_a_part_goes_with_the_last_who_has_it():
    parts, load = Parts(), Loader()
    one, other = part_of(parts, load), part_of(parts, load)
    one.keep()
    del one
    gc.collect()
    assert [part.bytes for part in parts.loaded] == [BYTES]
    del other
    gc.collect()
    assert parts.loaded == []


def test_a_held_part_cannot_be_freed_and_an_idle_one_can():
    parts, load = Parts(), Loader()
    part = part_of(parts, load)
    with part.held():
        part.free()
        assert part.bytes == BYTES
        assert not part.idle
    assert part.idle
    part.free()
    assert part.bytes == 0
    with part.held():
        assert load.times == 2


def test_a_kept_part_is_never_idle():
    part = part_of(Parts(), Loader())
    part.keep()
    assert not part.idle
    part.free()
    assert part.bytes == BYTES


def test_a_stage_that_fails_lets_go_of_its_part():
    part = part_of(Parts(), Loader())
    with pytest.raises(ValueError, match="in the stage"), part.held():
        raise ValueError("in the stage")
    assert part.idle


def test_room_is_asked_for_before_loading_and_only_then():
    asked = []

    def room(device, needed_bytes):
        asked.append((str(device), needed_bytes))
        return True

    part = part_of(Parts(room=room), Loader())
    for _ in range(2):
        with part.held():
            assert asked == [("cpu", BYTES)]


def test_the_clock_says_when_a_part_was_used_last():
    clock = Clock()
    released = []
    part = part_of(Parts(clock=clock, released=released.append), Loader())
    with part.held():
        clock.now_s += 5
        assert released == []
    assert part.last_used_s == clock.now_s
    assert released == [part]
