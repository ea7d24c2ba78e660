"""A pipeline that no device has the memory for."""

from dataclasses import replace

import torch

from safelight.engine.pipelines.registry import Entry
from tests.fakes.pipelines import ONE_STAGE, FakePipeline

GREEDY = replace(ONE_STAGE, id="greedy", title="Greedy")


def refuse(tiles, precision):
    raise torch.OutOfMemoryError("a device without memory")


def load(device, parts):
    return FakePipeline(GREEDY, refuse, device=device)


ENTRY = Entry(GREEDY, "tests.fakes.greedy:load", lambda: True)
