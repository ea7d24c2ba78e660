"""What a layer carries."""

import json

import pytest
from geometry import Rect
from recipe import Recipe, layer_name, read_recipe

RECIPE = Recipe(
    source="layer",
    region=Rect(10, 20, 30, 40),
    box=Rect(0, 5, 60, 70),
    settings={"pipeline": "compact", "strength": 0.8, "seed": 42},
    title="Compact",
    source_item=7,
    operation={"pipeline": "compact"},
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
