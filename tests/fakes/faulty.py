"""A pipeline whose device fails for good in its first tile."""

from dataclasses import replace

import torch

from safelight.engine.pipelines.registry import Entry
from tests.fakes.pipelines import ONE_STAGE, FakePipeline

FAULTY = replace(ONE_STAGE, id="faulty", title="Faulty")


def fail(tiles, precision):
    raise torch.AcceleratorError("an illegal memory access was encountered")


def load(device, parts):
    return FakePipeline(FAULTY, fail, device=device)


ENTRY = Entry(FAULTY, "tests.fakes.faulty:load", lambda: True)
