"""The key of kept results covers what the network's output depends on, and nothing that acts after it."""

from dataclasses import fields, replace

import numpy as np
import pytest

from safelight.engine.job_plan import plan_job
from safelight.engine.kept_key import before_network, content_key
from safelight.engine.pipelines.registry import default_registry
from safelight.geometry import Rect, Size
from safelight.settings import COMMON, RestoreSettings
from tests.engine.jobs_at_hand import input_sha256, photo, request_for

SPECS = {entry.spec.id: entry.spec for entry in default_registry().entries}
PIXELS = photo(96, 80)

AFTER = False  # acts on what was kept
BEFORE = True  # changes what the network does
CHANGES_KEY = {
    "pipeline": BEFORE,
    "seed": BEFORE,
    "precision": BEFORE,
    "output_scale": AFTER,  # but for what it does to the plan
    "working_scale": BEFORE,  # by what it does to the plan
    "strength": AFTER,
    "detail": AFTER,
    "colour": AFTER,
    "grain": AFTER,
    "monochrome": AFTER,
    "feather": AFTER,
    "colour_fix": AFTER,
    "sharpness": BEFORE,
    "prompt_source": BEFORE,
    "captioner": BEFORE,
    "prompt": BEFORE,
    "posterior": BEFORE,
    "encode_tile": BEFORE,
    "encode_overlap": BEFORE,
    "predict_tile": BEFORE,
    "predict_overlap": BEFORE,
    "decode_tile": BEFORE,
    "decode_overlap": BEFORE,
    "authors_exact": BEFORE,
    "process_size": BEFORE,
    "degradation_blur": BEFORE,
    "degradation_noise": BEFORE,
    "positive_prompt": BEFORE,
    "negative_prompt": BEFORE,
    "guidance_scale": BEFORE,
    "steps": BEFORE,
    "start": BEFORE,
    "tile_size": BEFORE,
    "tile_height": BEFORE,
    "overlap": BEFORE,
    "tiled_encoders": BEFORE,
    "scheduler": BEFORE,
    "hdr": BEFORE,
    "weights": BEFORE,
}


def key_of(request, spec, *, checkpoints=None, place="cpu"):
    return content_key(
        request,
        plan_job(request, spec),
        input_sha256=input_sha256(request),
        checkpoints=checkpoints or {},
        place=place,
    )


def test_every_setting_there_is_is_classified():
    common = {f.name for f in fields(RestoreSettings)} - {"own"} | {s.name for s in COMMON}
    own = {setting.name for spec in SPECS.values() for setting in spec.settings}
    assert common | own <= CHANGES_KEY.keys()


SETTINGS = [
    (spec.id, name)
    for spec in SPECS.values()
    for name in (*(s.name for s in (*COMMON, *spec.settings)), "seed")
]


@pytest.mark.parametrize(("pipeline", "name"), SETTINGS)
def test_a_setting_changes_the_key_where_it_changes_the_networks_work(pipeline, name):
    spec = SPECS[pipeline]
    plain = request_for(PIXELS, spec)
    changed = request_for(PIXELS, spec, **{name: another(spec, name)})
    assert changed.settings != plain.settings
    assert (key_of(changed, spec) != key_of(plain, spec)) is CHANGES_KEY[name]


def another(spec, name):
    """A value that is not the default and can be planned with."""
    if name == "seed":
        return 2
    setting = next(s for s in (*COMMON, *spec.settings) if s.name == name)
    if name == "tile_size":
        return 1152
    if name.endswith(("_tile", "_overlap")):
        return 64 if name.endswith("_tile") else 16
    if name == "precision":
        return "bf16"
    match setting.type:
        case "bool":
            return not setting.default
        case "choice":
            return next(c for c in setting.choices if c != setting.default)
        case "text":
            return "something else"
        case "int":
            return int(setting.maximum)
    return setting.maximum if setting.default != setting.maximum else 0.5


def test_no_own_setting_after_the_network_reaches_it():
    settings = request_for(PIXELS, SPECS["osediff"], strength=0.5, grain=1.0, colour_fix="none").settings
    given = before_network(settings)
    assert given == before_network(request_for(PIXELS, SPECS["osediff"]).settings)
    assert "colour_fix" not in given.own


def test_another_output_scale_shares_the_key_where_the_plan_is_the_same():
    spec = SPECS["compact"]
    enlarged = request_for(PIXELS, spec, output_scale=2)
    in_place = request_for(PIXELS, spec, output_scale=1)
    seen_larger = request_for(PIXELS, spec, output_scale=1, working_scale=2.0)
    assert key_of(enlarged, spec) == key_of(seen_larger, spec) != key_of(in_place, spec)


def mask():
    selected = np.zeros((80, 96), np.uint8)
    selected[:40] = 255
    return selected


OTHERWISE = {
    "another pixel": (lambda r: replace(r, pixels=r.pixels ^ (np.indices(r.pixels.shape).sum(0) == 0)), True),
    "another profile": (lambda r: replace(r, icc=b"profile"), True),
    "linear": (lambda r: replace(r, format=replace(r.format, linear=True)), True),
    "another document": (lambda r: replace(r, document=Size(96, 81)), True),
    "another region": (lambda r: replace(r, region=Rect(0, 0, 96, 79)), True),
    "sent from elsewhere": (
        lambda r: replace(r, sent=Rect(8, 0, 96, 80), region=Rect(8, 0, 96, 80), document=Size(104, 80)),
        True,
    ),
    "a mask": (lambda r: replace(r, mask=mask()), False),
    "a layer": (lambda r: replace(r, layer=True), False),
    "a patch": (lambda r: replace(r, patch=Rect(8, 8, 16, 16)), False),
    "a focus": (lambda r: replace(r, focus=(3, 4)), False),
}


@pytest.mark.parametrize(("change", "differs"), OTHERWISE.values(), ids=OTHERWISE)
def test_what_else_changes_the_key(change, differs):
    spec = SPECS["compact"]
    request = request_for(PIXELS, spec)
    assert (key_of(change(request), spec) != key_of(request, spec)) is differs


def test_a_mask_that_changes_the_working_scale_changes_the_key():
    spec = SPECS["osediff"]
    pixels = photo(512, 512)
    selected = np.zeros((512, 512), np.uint8)
    selected[:300, :300] = 255
    request = replace(request_for(pixels, spec), document=Size(600, 600))
    assert key_of(replace(request, mask=selected), spec) != key_of(request, spec)


def test_files_place_and_tiles_are_in_the_key():
    spec = SPECS["compact"]
    request = request_for(PIXELS, spec)
    keys = {
        key_of(request, spec),
        key_of(request, spec, checkpoints={"weights": "1" * 64}),
        key_of(request, spec, place="cuda a GPU"),
        key_of(request, replace(spec, stages={"decode": replace(spec.stages["decode"], overlap=48)})),
    }
    assert len(keys) == 4
