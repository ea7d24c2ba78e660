"""Pipelines with the tiny networks of tests/data, from the authors' files there through the converter."""

import atexit
import functools
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

from safelight.engine.pipelines.faithdiff_spec import FAITHDIFF
from safelight.engine.pipelines.osediff_spec import OSEDIFF
from safelight.engine.pipelines.registry import Entry, Registry
from safelight.engine.pipelines.s3diff_spec import S3DIFF
from safelight.spec import SentinelThresholds, StageTiling
from tests.parity import faithdiff
from tests.parity.runner import load

DATA = Path(__file__).parents[1] / "data"
SMALL_TILES = {
    "encode": StageTiling(tile=128, overlap=64, multiple=8, least_tile=64),
    "predict": StageTiling(tile=16, overlap=8, least_tile=8),
    "decode": StageTiling(tile=16, overlap=8, least_tile=8),
}
QUICK = {"tile_size": 128, "overlap": 0.5, "steps": 2}
"""Defaults of FaithDiff's settings that its tiny networks are tried with."""


def quick(spec):
    settings = (replace(s, default=QUICK.get(s.name, s.default)) for s in spec.settings)
    return replace(spec, settings=tuple(settings))


SPECS = {
    spec.id: replace(
        spec,
        stages=SMALL_TILES,
        context_least_px=16,
        auto_short_side_px=None,
        sentinel=SentinelThresholds(10, 10),  # random weights make another picture
    )
    for spec in (OSEDIFF, S3DIFF, quick(faithdiff.for_cases(FAITHDIFF)))
}


@functools.cache
def folder(method):
    """The converted checkpoints; one conversion per process."""
    made = Path(tempfile.mkdtemp(prefix="safelight-golden-"))
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    return made


@functools.cache
def pipeline(method):
    """Loaded once per process; pipelines are immutable."""
    if method == "faithdiff":
        seed = faithdiff.seed_of(DATA / method)
        return faithdiff.load(DATA / method, seed, folder(method), spec=SPECS[method])
    return load(DATA / method, method, folder(method), spec=SPECS[method])


def converted(method):
    """The converted weights."""
    pipeline(method)
    return folder(method) / f"{method}.safetensors"


def load_osediff(device, parts):
    return pipeline("osediff")


def load_s3diff(device, parts):
    return pipeline("s3diff")


def load_faithdiff(device, parts):
    return pipeline("faithdiff")


def registry():
    return Registry(Entry(spec, f"{__name__}:load_{name}", lambda: True) for name, spec in SPECS.items())
