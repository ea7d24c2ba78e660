"""A device that has the memory it is told to, pipelines that take it, and a clock that is moved by hand."""

import weakref
from dataclasses import replace

import torch

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

    def put(self, pipeline):
        if pipeline.weights_bytes > self.free_bytes():
            raise torch.OutOfMemoryError("the told device is full")
        self.taken[id(pipeline)] = pipeline.weights_bytes
        weakref.finalize(pipeline, self.taken.pop, id(pipeline))
        return pipeline


class ToldEntry:
    """A pipeline of `gib` whose network is `arithmetic`; `really_gib` when its spec is wrong about itself."""

    def __init__(self, name, gib, arithmetic, really_gib=None):
        self.spec = replace(ONE_STAGE, id=name, memory=MemoryModel(int(gib * GIB), 0))
        self._bytes = int((gib if really_gib is None else really_gib) * GIB)
        self._arithmetic = arithmetic

    def require_installed(self):
        pass

    def load_on(self, device):
        pipeline = FakePipeline(self.spec, self._arithmetic)
        pipeline.weights_bytes = self._bytes
        return device.put(pipeline)


class ToldRegistry(Registry):
    """Loads onto a told device, whatever torch device is asked for; counts what it loads."""

    def __init__(self, device, *entries):
        super().__init__(entries)
        self._device = device
        self.loads = []

    def load(self, pipeline, device, parts):
        self.loads.append(pipeline)
        return self.entry(pipeline).load_on(self._device)
