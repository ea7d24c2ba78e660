"""Redo: a layer that carries a recipe is made again with other settings."""

import json

import numpy as np
import pytest

pytestmark = pytest.mark.gimp

REDO = "plug-in-safelight-redo"
RECIPE = "safelight-recipe"


def redone(gimp, image, layer, **values):
    answer = gimp("run", procedure=REDO, image=image, drawables=[layer], values=values)
    assert answer["status"] == "SUCCESS", answer["message"]
    return answer["values"][0]


def recipe_of(gimp, layer):
    return json.loads(gimp("layer", item=layer)["parasites"][RECIPE])


@pytest.fixture
def made(gimp, photo):
    """Image, source and a restored layer of an ellipse."""
    image, source = gimp.image(photo)
    gimp("select", image=image, shape="ellipse", box=[60, 40, 80, 60], feather=6)
    layer = gimp.restored(image, source, pipeline="compact")
    gimp("select_nothing", image=image)
    return image, source, layer


@pytest.mark.parametrize("values", [{"strength": 0.5}, {"detail": 0.25}, {"colour": 0.5}], ids=str)
def test_strength_detail_and_colour_never_run_the_network(gimp, made, values):
    image, _, layer = made
    before = gimp("layer", item=layer)
    assert redone(gimp, image, layer, **values) == layer
    after = gimp("layer", item=layer)
    assert recipe_of(gimp, layer)["operation"]["network"] == "kept"
    assert after["samples"] != before["samples"]
    assert (after["mask"], after["box"], after["position"]) == (
        before["mask"],
        before["box"],
        before["position"],
    )


def test_a_redo_is_what_a_fresh_run_gives(gimp, photo, made):
    image, source, layer = made
    redone(gimp, image, layer, strength=0.5)
    gimp("select", image=image, shape="ellipse", box=[60, 40, 80, 60], feather=6)
    fresh = gimp.restored(image, source, pipeline="compact", strength=0.5)
    assert np.array_equal(gimp.pixels(layer), gimp.pixels(fresh))
    assert gimp("layer", item=fresh)["name"].startswith(gimp("layer", item=layer)["name"])


def test_the_same_settings_give_the_same_samples(gimp, made):
    image, _, layer = made
    before = gimp("layer", item=layer)["samples"]
    redone(gimp, image, layer)
    assert gimp("layer", item=layer)["samples"] == before


def test_another_pipeline(gimp, made):
    image, source, layer = made
    redone(gimp, image, layer, pipeline="brighten")
    assert recipe_of(gimp, layer)["settings"]["pipeline"] == "brighten"
    left, top, width, height = gimp("layer", item=layer)["box"]
    below = gimp.pixels(source)[top : top + height, left : left + width]
    middle = (slice(height // 2 - 5, height // 2 + 5), slice(width // 2 - 5, width // 2 + 5))
    assert (gimp.pixels(layer)[middle][..., :3] > below[middle]).all()


def test_nothing_else_changes(gimp, made):
    image, source, layer = made
    before = gimp("state", image=image)
    redone(gimp, image, layer, strength=0.5)
    after = gimp("state", image=image)
    assert after["layers"][str(source)] == before["layers"][str(source)]
    assert after["selection"] == before["selection"]
    assert after["selected"] == before["selected"]


def test_a_layer_that_was_moved_stays_where_it_is(gimp, made):
    image, _, layer = made
    x, y, width, height = gimp("layer", item=layer)["box"]
    gimp("offset", item=layer, x=x + 9, y=y - 7)
    redone(gimp, image, layer, strength=0.5)
    assert gimp("layer", item=layer)["box"] == [x + 9, y - 7, width, height]


def test_a_source_that_was_moved_is_found(gimp, photo):
    image = gimp("create", width=260, height=200)
    source = gimp.layer(image, photo, x=20, y=10)
    gimp("select", image=image, shape="rectangle", box=[80, 50, 80, 60])
    layer = gimp.restored(image, source, pipeline="brighten")
    before = gimp("layer", item=layer)["samples"]
    gimp("offset", item=source, x=40, y=30)
    redone(gimp, image, layer)
    assert gimp("layer", item=layer)["samples"] == before


def test_of_all_that_was_visible_below(gimp, photo):
    image, source = gimp.image(photo)
    gimp("select", image=image, shape="rectangle", box=[60, 40, 80, 60])
    layer = gimp.restored(image, source, pipeline="brighten", source="visible")
    before = gimp("layer", item=layer)["samples"]
    redone(gimp, image, layer)
    assert gimp("layer", item=layer)["samples"] == before


def test_after_the_file_was_closed_and_opened(gimp, made, tmp_path):
    image, _, _ = made
    path = str(tmp_path / "kept.xcf")
    gimp("save", image=image, path=path)
    gimp("delete_all")
    image = gimp("load", path=path)
    top, _ = gimp("layers", image=image)
    redone(gimp, image, top, strength=0.5)
    assert recipe_of(gimp, top)["settings"]["strength"] == 0.5
    assert recipe_of(gimp, top)["operation"]["network"] == "kept"


def test_the_record_tells_of_the_redo_too(gimp, made, tmp_path):
    from safelight.imaging.files import open_picture
    from safelight.imaging.record import read_operations

    image, _, layer = made
    redone(gimp, image, layer, strength=0.5)
    gimp("export", image=image, path=str(tmp_path / "out.tif"))
    operations = read_operations(open_picture(tmp_path / "out.tif").metadata.xmp)
    assert [o["settings"]["strength"] for o in operations] == [1.0, 0.5]


def test_another_soft_edge(gimp, photo):
    image, source = gimp.image(photo)
    gimp("select", image=image, shape="ellipse", box=[60, 40, 80, 60])
    layer, fresh = (
        gimp.restored(image, source, pipeline="brighten", settings=settings)
        for settings in ('{"feather": 3}', '{"feather": 9}')
    )
    gimp("select_nothing", image=image)
    before = gimp("layer", item=layer)
    redone(gimp, image, layer, settings='{"feather": 9}')
    after, expected = gimp("layer", item=layer), gimp("layer", item=fresh)
    assert after["mask"] == expected["mask"] != before["mask"]
    assert after["samples"] == expected["samples"]
    assert not after["editing_mask"]
    redone(gimp, image, layer, settings='{"feather": 3}')
    assert gimp("layer", item=layer)["mask"] == before["mask"]


def test_a_painted_mask_stays(gimp, made):
    image, _, layer = made
    mask = gimp("mask_of", item=layer)
    painted = 255 - gimp.pixels(mask, "Y u8")
    path = gimp.file()
    painted.tofile(path)
    gimp("write", item=mask, samples=str(path), form="Y u8")
    for feather in (2, 9):
        redone(gimp, image, layer, settings=f'{{"feather": {feather}}}')
        assert np.array_equal(gimp.pixels(mask, "Y u8"), painted)


def test_a_mask_that_was_removed_does_not_come_back(gimp, made):
    image, _, layer = made
    gimp("remove_mask", item=layer)
    redone(gimp, image, layer, settings='{"feather": 2}')
    assert gimp("mask_of", item=layer) is None


def test_the_record_of_a_redo_knows_what_was_selected(gimp, made):
    image, _, layer = made
    before = recipe_of(gimp, layer)["operation"]
    redone(gimp, image, layer, strength=0.5)
    after = recipe_of(gimp, layer)["operation"]
    assert after["mask"] == before["mask"] is not None
    assert after["mask_sha256"] == before["mask_sha256"]
