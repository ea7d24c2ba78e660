"""What loading and unloading take of the process's memory, measured in a process of its own."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from safelight.engine.checkpoints.weights import fill, loaded_bytes
from tests.fakes.pipelines import ONE_STAGE, FakePipeline

ROOT = Path(__file__).parents[2]
WIDTHS = {"light": [8], "heavy": [256, 512, 1024] * 38}
"""Tensors of 0.25, 1 and 4 MB, as those of real networks: most of what is freed lies between what is not."""
HEAVY_BYTES = sum(4 * width**2 for width in WIDTHS["heavy"])  # 209 MB
LARGEST_BYTES = 4 * 1024**2
MARGIN_BYTES = 8 << 20
"""Of Python and of the allocator; without trimming 25 MB stay."""

PROGRAM = """
import json, sys, time
from pathlib import Path
from safelight.engine.device import CpuDevice
from safelight.engine.loaded import LoadedPipelines
from tests.engine.test_memory import Heavies, rss_bytes, peak_bytes, forget_peak

loaded = LoadedPipelines(Heavies(Path(sys.argv[1])), CpuDevice(), keep_alive_s=600, clock=time.monotonic)
loaded.preload("light", None)
before = rss_bytes()
forget_peak()
loaded.preload("heavy", None)
facts = {"loaded": rss_bytes() - before, "peak": peak_bytes() - before}
facts["freed"] = loaded.unload("heavy")
facts["left"] = rss_bytes() - before
print(json.dumps(facts))
"""


class Heavies:
    """A registry of pipelines whose networks are read from files."""

    def __init__(self, folder):
        self._folder = folder

    def entry(self, name):
        return self

    spec = ONE_STAGE

    def load(self, name, device, parts):
        pipeline = FakePipeline(replace(ONE_STAGE, id=name), lambda tiles, precision: tiles)
        pipeline.network = network(name)
        fill(pipeline.network, self._folder / f"{name}.safetensors", device=device, dtype=torch.bfloat16)
        pipeline.weights_bytes = loaded_bytes(pipeline.network)
        return pipeline


def network(name):
    with torch.device("meta"):
        return nn.Sequential(*[nn.Linear(width, width, bias=False) for width in WIDTHS[name]])


def rss_bytes():
    return _status("VmRSS")


def peak_bytes():
    return _status("VmHWM")


def forget_peak():
    Path("/proc/self/clear_refs").write_text("5")


def _status(name):
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) << 10 for line in lines if line.startswith(name))


@pytest.fixture(scope="module")
def facts(tmp_path_factory):
    if not sys.platform.startswith("linux"):
        pytest.skip("peaks are read from Linux' /proc")
    folder = tmp_path_factory.mktemp("heavy")
    for name in WIDTHS:
        tensors = {key: torch.ones(t.shape) for key, t in network(name).state_dict().items()}
        save_file(tensors, folder / f"{name}.safetensors")
    command = [sys.executable, "-c", PROGRAM, str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def test_loading_takes_the_final_size_and_one_tensor(facts):
    assert HEAVY_BYTES / 2 <= facts["loaded"] <= HEAVY_BYTES / 2 + MARGIN_BYTES
    assert facts["peak"] <= HEAVY_BYTES / 2 + LARGEST_BYTES + MARGIN_BYTES


def test_unloading_gives_the_memory_back_to_the_system(facts):
    assert facts["freed"] == HEAVY_BYTES / 2
    assert facts["left"] <= MARGIN_BYTES
