"""What a layer carries."""

import json

import numpy as np
import pytest
from geometry import Rect
from recipe import Recipe, layer_name, read_recipe, unpacked_mask

from safelight.imaging.record import packed_mask

RECIPE = Recipe(
    source="layer",
    region=Rect(10, 20, 30, 40),
    box=Rect(0, 5, 60, 70),
    settings={"pipeline": "compact", "strength": 0.8, "seed": 42},
    title="Compact",
    source_item=7,
    operation={"pipeline": "compact"},
    mask_sha256="5e1ec7ed",
)


def test_it_comes_back_as_it_was():
    assert read_recipe(RECIPE.to_bytes()) == RECIPE


OTHER = {
    "no JSON": b"{",
    "another object": b"{}",
    "a later version": json.dumps({**json.loads(RECIPE.to_bytes()), "version": 2}).encode(),
    "a source of another kind": json.dumps({**json.loads(RECIPE.to_bytes()), "source": "moon"}).encode(),
    "a region of three numbers": json.dumps({**json.loads(RECIPE.to_bytes()), "region": [1, 2, 3]}).encode(),
    "not even text": b"\xff\xfe",
}


@pytest.mark.parametrize("data", OTHER.values(), ids=OTHER)
def test_what_is_no_recipe_of_ours_is_none(data):
    assert read_recipe(data) is None


NAMES = {
    "nothing changed": ({"strength": 1.0}, {"strength": 1.0}, "Compact"),
    "numbers": (
        {"strength": 0.8, "seed": 7},
        {"strength": 1.0, "seed": 42},
        "Compact (strength 0.8, seed 7)",
    ),
    "spaces in words": ({"working_scale": 2.0}, {"working_scale": 0.0}, "Compact (working scale 2)"),
    "switches": ({"authors_exact": True}, {"authors_exact": False}, "Compact (authors exact on)"),
    "texts are too long for a name": ({"prompt": "a cat"}, {"prompt": ""}, "Compact"),
    "no default known": ({"pipeline": "compact"}, {}, "Compact"),
}


@pytest.mark.parametrize(("settings", "defaults", "expected"), NAMES.values(), ids=NAMES)
def test_a_layer_is_named_after_what_was_changed(settings, defaults, expected):
    assert layer_name("Compact", settings, defaults) == expected


def test_a_recipe_of_before_masks_were_kept_in_mind_is_read():
    told = json.loads(RECIPE.to_bytes())
    del told["mask_sha256"]
    assert read_recipe(json.dumps(told).encode()).mask_sha256 == ""


def test_the_selection_is_that_of_the_record():
    rows, columns = np.mgrid[0:40, 0:30]
    mask = np.where(columns < 10, 0, rows * 5 % 256).astype(np.uint8)
    recipe = Recipe(**{**RECIPE.__dict__, "operation": {"mask": packed_mask(mask)}})
    assert recipe.selection == mask.tobytes()


@pytest.mark.parametrize("packed", ["", "no base64!", "AAAA", packed_mask(np.zeros((3, 3), np.uint8))])
def test_what_is_no_mask_of_the_region_is_none(packed):
    assert unpacked_mask(packed, Rect(5, 5, 4, 4)) is None


KNOWN = {
    "all of the region": ({"mask": None, "mask_sha256": None}, True),
    "no record": ({}, True),
    "a shape": ({"mask": packed_mask(np.ones((40, 30), np.uint8)), "mask_sha256": "12"}, True),
    "a shape too detailed to keep": ({"mask": None, "mask_sha256": "12"}, False),
    "a damaged record": ({"mask": "AAAA", "mask_sha256": "12"}, False),
}


@pytest.mark.parametrize(("operation", "known"), KNOWN.values(), ids=KNOWN)
def test_whether_it_is_known_what_was_selected(operation, known):
    assert Recipe(**{**RECIPE.__dict__, "operation": operation}).selection_known is known
