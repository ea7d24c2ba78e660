"""Pipelines and parts on a device that reports the memory it is told to."""

from dataclasses import replace

import pytest
import torch

from safelight.engine.loaded import LoadedPipelines, expected_bytes, tile_bytes
from safelight.engine.residency import RESERVE_BYTES
from safelight.errors import TooMuch
from safelight.spec import MemoryModel, StageTiling
from tests.fakes.pipelines import ONE_STAGE, STAGED
from tests.fakes.told import GIB, Clock, ToldDevice, ToldEntry, ToldRegistry, told_part

SPARE = RESERVE_BYTES / GIB


class Loaded(LoadedPipelines):
    """On a told device of `total_gib`; every job takes a second."""

    def __init__(self, total_gib, *entries):
        self.device, self.clock = ToldDevice(total_gib), Clock()
        registry = ToldRegistry(self.device, *entries)
        super().__init__(registry, self.device, keep_alive_s=600, clock=self.clock)

    def begin(self, name):
        """A job up to the end of its conditioning."""
        pipeline = self.acquire(name)
        self.hold(name)
        for part in pipeline.parts:
            with part.held():
                pass
        self.clock.now_s += 1
        return pipeline

    def end(self, name, precision=None):
        self.give_back(name, keep_alive_s=None, precision=precision)
        self.clock.now_s += 1

    def run(self, name):
        self.begin(name)
        self.end(name)

    @property
    def names(self):
        return {facts.name for facts in self.facts}

    @property
    def titles(self):
        return {facts.title for facts in self.part_facts}


def entry(name, gib, **changes):
    return ToldEntry(name, gib, lambda tiles, precision: tiles, **changes)


def test_a_part_of_two_pipelines_is_loaded_and_counted_once():
    both = [entry(name, 1, parts={"encoder": 2}) for name in "ab"]
    loaded = Loaded(9, *both, entry("c", 1))
    for name in "abc":
        loaded.run(name)
    (part,) = loaded.part_facts
    assert (part.title, part.weights_bytes, part.used_by) == ("encoder", 2 * GIB, ("a", "b"))
    assert [facts.weights_bytes for facts in loaded.facts] == [GIB, GIB, GIB]
    assert loaded.device.free_bytes() == 4 * GIB


def test_a_part_stays_idle_where_there_is_room():
    loaded = Loaded(8, entry("a", 1, parts={"encoder": 2}, tile_gib=1))
    loaded.begin("a")
    assert loaded.titles == {"encoder"}
    assert loaded.part_facts[0].references == 0


def test_a_part_is_freed_before_the_first_tile_where_its_tiles_need_the_room():
    loaded = Loaded(4, entry("a", 1, parts={"encoder": 1.5}, tile_gib=2))
    loaded.begin("a")
    assert loaded.titles == set()
    assert loaded.device.free_bytes() == 3 * GIB


def test_what_was_used_least_recently_makes_room_for_tiles():
    loaded = Loaded(4 + SPARE, entry("old", 1), entry("a", 1, parts={"encoder": 1}, tile_gib=2))
    loaded.run("old")
    loaded.begin("a")
    assert (loaded.names, loaded.titles) == ({"a"}, {"encoder"})


def test_an_idle_part_makes_room_for_another_pipeline():
    loaded = Loaded(4, entry("a", 1, parts={"encoder": 1.5}), entry("b", 2))
    loaded.run("a")
    loaded.run("b")
    assert (loaded.names, loaded.titles) == ({"a", "b"}, set())


def test_a_part_makes_room_for_itself():
    loaded = Loaded(4, entry("old", 2), entry("a", 1, parts={"encoder": 2}))
    loaded.run("old")
    loaded.begin("a")
    assert (loaded.names, loaded.titles) == ({"a"}, {"encoder"})


def test_a_held_part_is_not_evicted():
    loaded = Loaded(4, entry("a", 1, parts={"encoder": 1.5}), entry("b", 2))
    part = loaded.begin("a").parts[0]
    with part.held():
        assert loaded.acquire("b") is None
        assert loaded.titles == {"encoder"}
    assert loaded.acquire("b") is not None
    assert loaded.titles == set()


def test_unloading_the_last_pipeline_frees_its_parts():
    loaded = Loaded(8, entry("a", 1, parts={"encoder": 2}), entry("b", 1, parts={"encoder": 2}))
    loaded.run("a")
    loaded.run("b")
    assert loaded.unload("a") == GIB
    assert loaded.titles == {"encoder"}
    assert loaded.unload("b") == 3 * GIB
    assert loaded.titles == set()
    assert loaded.device.taken == {}


def test_a_part_that_was_evicted_is_loaded_again_for_the_next_job():
    loaded = Loaded(4, entry("a", 1, parts={"encoder": 1.5}, tile_gib=2))
    loaded.run("a")
    assert loaded.titles == set()
    part = loaded.acquire("a").parts[0]
    with part.held():
        assert loaded.titles == {"encoder"}


def test_what_only_jobs_need_is_freed_after_the_last_of_them():
    loaded = Loaded(8, entry("a", 1))
    pipeline = loaded.begin("a")
    loaded.begin("a")
    loaded.end("a", "fp32")
    assert not hasattr(pipeline, "rested_in")
    loaded.end("a", "bf16")
    assert pipeline.rested_in == "bf16"
    assert loaded.facts[0].precision == "bf16"


def test_a_pipeline_that_its_parts_keep_from_loading_is_not_waited_for_when_nothing_runs():
    loaded = Loaded(4, entry("a", 1, parts={"encoder": 1}), entry("huge", 5))
    loaded.run("a")
    with pytest.raises(TooMuch) as caught:
        loaded.acquire("huge")
    assert caught.value.reason == "DEVICE_MEMORY"
    assert (loaded.names, loaded.titles) == ({"a"}, {"encoder"})


@pytest.mark.parametrize(("per_fp32_px", "expected"), [(0, 2 * 100 + 2 * 3), (7, 2 * 100 + 7)])
def test_two_byte_estimates_grow_where_fp32_is_used(monkeypatch, per_fp32_px, expected):
    memory = MemoryModel(100, 3, reduced=True, fp32_bytes_per_tile_px=per_fp32_px)
    spec = replace(ONE_STAGE, memory=memory, stages={"decode": StageTiling(tile=1, overlap=0)})
    known = {}
    for native in (True, False):
        monkeypatch.setattr("safelight.engine.precision.native_bf16_cpu", lambda native=native: native)
        known[native] = expected_bytes(spec, torch.device("cpu"))
    assert known == {True: 103, False: expected}
    assert expected_bytes(spec, torch.device("cuda:0")) == 103


def test_a_tile_of_latents_is_counted_in_network_pixels():
    memory = MemoryModel(0, 1)
    stages = {"encode": StageTiling(tile=64, overlap=0), "decode": StageTiling(tile=12, overlap=0)}
    assert tile_bytes(replace(STAGED, memory=memory, stages=stages), torch.device("cpu")) == (12 * 8) ** 2


def test_a_part_without_a_pipeline_goes_with_keep_alive_or_when_all_is_unloaded():
    loaded = Loaded(8, entry("a", 1, parts={"encoder": 1}))
    alone = told_part(loaded.device, loaded.parts, "tagger", 2)
    loaded.run("a")
    with alone.held():
        loaded.clock.now_s += 700
        loaded.tidy()
        assert "tagger" in loaded.titles
    loaded.tidy()
    loaded.run("a")
    assert loaded.titles == {"encoder", "tagger"}
    loaded.clock.now_s += 590
    loaded.tidy()
    assert loaded.titles == {"encoder", "tagger"}
    loaded.clock.now_s += 20
    loaded.tidy()
    assert loaded.titles == set()
    with alone.held():
        pass
    loaded.unload("")
    assert loaded.titles == set()


def test_a_part_without_a_pipeline_is_evicted_for_one_that_needs_the_room():
    loaded = Loaded(4, entry("a", 2, tile_gib=1))
    alone = told_part(loaded.device, loaded.parts, "tagger", 2)
    with alone.held():
        assert loaded.acquire("a") is None
    loaded.run("a")
    assert "tagger" not in loaded.titles
