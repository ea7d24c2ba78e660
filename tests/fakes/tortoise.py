"""A pipeline that returns its input after a while, for tests of cancelling, killing and waiting."""

import threading
from dataclasses import dataclass
from types import MappingProxyType

import torch

from safelight.engine.parts import Parts
from safelight.engine.pipelines.base import Conditioning, Pipeline
from safelight.engine.pipelines.registry import Entry
from safelight.spec import MemoryModel, PipelineSpec, SettingSpec, StageTiling

TORTOISE = PipelineSpec(
    id="tortoise",
    title="Tortoise",
    summary="Returns its input slowly.",
    licence="Apache-2.0",
    licence_url="https://www.apache.org/licenses/LICENSE-2.0",
    generative=False,
    stages={"decode": StageTiling(tile=64, overlap=8, batch=1, least_tile=64)},
    memory=MemoryModel(weights_bytes=1, bytes_per_tile_px=1),
    settings=(SettingSpec("pause", "Pause", "float", 0.05, "Seconds per tile.", 0.0, 10.0, unit="s"),),
    auto_short_side_px=None,
    context_fraction=0.0,
)


@dataclass(frozen=True)
class Pause(Conditioning):
    seconds: float = 0.0


class Tortoise(Pipeline):
    spec = TORTOISE
    weights_bytes = 1
    checkpoint_hashes = MappingProxyType({})

    def __init__(self, device):
        self.device = device

    def condition(self, region, *, settings, magnification):
        return Pause(magnification, seconds=float(settings.own["pause"]))

    def decode(self, tiles, *, conditioning, precision):
        threading.Event().wait(conditioning.seconds)  # computing, as far as everybody else can tell
        return tiles


def load(device: torch.device, parts: Parts) -> Tortoise:
    return Tortoise(device)


ENTRY = Entry(TORTOISE, "tests.fakes.tortoise:load", lambda: True)
