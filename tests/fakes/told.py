"""A device that has the memory it is told to, pipelines that take it, and a clock that is moved by hand."""

import weakref
from contextlib import ExitStack
from dataclasses import replace

import torch
from torch import nn

from safelight.engine.parts import Part, PartKey
from safelight.engine.pipelines.registry import Registry
from safelight.spec import MemoryModel
from tests.fakes.pipelines import ONE_STAGE, FakePipeline

GIB = 1 << 30


class Clock:
    """Seconds that pass only when told."""

    def __init__(self):
        self.now_s = 1000.0

    def __call__(self):
        return self.now_s


class ToldDevice:
    """`total_bytes` less what lives on it. A pipeline gives its bytes back when nobody holds it any more."""

    torch_device = torch.device("cpu")
    title = "a told device"

    def __init__(self, total_gib):
        self._total = int(total_gib * GIB)
        self.taken = {}
        self.others_bytes = 0
        """What other programs use."""

    def free_bytes(self):
        return self._total - self.others_bytes - sum(self.taken.values())

    def total_bytes(self):
        return self._total

    def release_cache(self):
        pass

    def put(self, loaded, size_bytes):
        if size_bytes > self.free_bytes():
            raise torch.OutOfMemoryError("the told device is full")
        self.taken[id(loaded)] = size_bytes
        weakref.finalize(loaded, self.taken.pop, id(loaded))
        return loaded


class SharingPipeline(FakePipeline):
    """Holds its parts while it conditions; remembers in which precision jobs left it."""

    parts = ()

    def condition(self, region, *, settings, magnification):
        with ExitStack() as held:
            for part in self.parts:
                held.enter_context(part.held())
        return super().condition(region, settings=settings, magnification=magnification)

    def rest(self, precision):
        self.rested_in = precision


class ToldEntry:
    """A pipeline of `gib` whose network is `arithmetic`; `really_gib` when its spec is wrong about itself. It shares
    parts of the names and sizes in `parts`; a tile of it takes `tile_gib`."""

    def __init__(self, name, gib, arithmetic, really_gib=None, *, parts=None, tile_gib=0):
        side = ONE_STAGE.stages["decode"].tile
        memory = MemoryModel(int(gib * GIB), int(tile_gib * GIB) // side**2)
        self.spec = replace(ONE_STAGE, id=name, memory=memory)
        self._bytes = int((gib if really_gib is None else really_gib) * GIB)
        self._arithmetic = arithmetic
        self._parts = parts or {}

    def require_installed(self):
        pass

    def load_on(self, device, parts):
        pipeline = SharingPipeline(self.spec, self._arithmetic)
        pipeline.weights_bytes = self._bytes
        pipeline.parts = tuple(told_part(device, parts, *part) for part in self._parts.items())
        return device.put(pipeline, self._bytes)


def told_part(device, parts, name, gib):
    """A network that says it has so many bytes and takes them from the told device."""

    def load():
        network = nn.Module()
        network.weight = nn.Parameter(torch.empty(1).expand(int(gib * GIB) // 4), requires_grad=False)
        return device.put(network, int(gib * GIB))

    key = PartKey(name, name, "cpu", "fp32")
    return parts.shared(key, lambda: Part(parts, key, load, expected_bytes=int(gib * GIB)))


class ToldRegistry(Registry):
    """Loads onto a told device, whatever torch device is asked for; counts what it loads."""

    def __init__(self, device, *entries):
        super().__init__(entries)
        self._device = device
        self.loads = []

    def load(self, pipeline, device, parts):
        self.loads.append(pipeline)
        return self.entry(pipeline).load_on(self._device, parts)
