"""One network in the precisions that jobs ask for."""

import pytest
import torch

from safelight.engine.parts import Parts
from safelight.engine.pipelines.versions import Loaded, Versions

HERE = torch.device("cpu")


class Loads:
    """A small network; remembers in which precision it was asked for."""

    def __init__(self):
        self.precisions = []

    def __call__(self, place):
        self.precisions.append(place.precision)
        return Loaded(torch.nn.Conv2d(1, 1, 3).to(place.dtype))


def versions(loads, *, room=True):
    return Versions(loads, HERE, Parts(room=lambda device, needed: room), first="bf16")


def test_the_first_precision_stays_and_one_other_beside_it():
    loads = Loads()
    network = versions(loads)
    first = network.at("bf16")
    first_bytes = network.bytes
    assert network.at("fp32").weight.dtype == torch.float32
    assert network.bytes == 3 * first_bytes
    network.at("fp16")
    assert network.bytes == 2 * first_bytes
    assert network.at("bf16") is first
    assert loads.precisions == ["bf16", "fp32", "fp16"]


def test_where_there_is_no_room_for_two_there_is_one():
    loads = Loads()
    network = versions(loads, room=False)
    first_bytes = network.bytes
    network.at("fp32")
    assert network.bytes == 2 * first_bytes
    network.at("bf16")
    assert loads.precisions == ["bf16", "fp32", "bf16"]


KEPT = {
    "the one it ran in": ("fp32", "fp32"),
    "one that was never used": ("fp16", "bf16"),
    "not known": (None, "bf16"),
}


@pytest.mark.parametrize(("asked", "expected"), KEPT.values(), ids=KEPT)
def test_one_precision_is_left_after_a_job(asked, expected):
    loads = Loads()
    network = versions(loads)
    network.at("fp32")
    network.keep(asked)
    network.at(expected)
    assert loads.precisions == ["bf16", "fp32"]
    assert network.bytes == sum(p.nbytes for p in network.at(expected).parameters())


def test_a_precision_that_cannot_be_loaded_leaves_others_to_load():
    loads = Loads()
    network = versions(loads, room=False)

    def fails(place):
        raise MemoryError

    network._load = fails
    with pytest.raises(MemoryError):
        network.at("fp32")
    network._load = loads
    assert network.at("bf16").weight.dtype == torch.bfloat16
