"""Selections of any shape: in a real GIMP, through the real plug-in, bridge and daemon, beside the command line."""

import numpy as np
import pytest

from safelight.geometry import Rect
from safelight.imaging.curves import SRGB

pytestmark = pytest.mark.gimp

BOX = (60, 40, 80, 60)
SHAPES = {
    "rectangle": [("rectangle", BOX, 0)],
    "ellipse": [("ellipse", BOX, 0)],
    "feathered rectangle": [("rectangle", BOX, 12)],
    "feathered ellipse": [("ellipse", BOX, 12)],
    "two apart": [("rectangle", (20, 20, 40, 30), 0), ("ellipse", (110, 70, 60, 50), 5)],
    "over the corner": [("rectangle", (-10, -10, 50, 40), 0)],
}
ONE_LEVEL = 1.01 / 255


def select(gimp, image, shape):
    """Gives the selection, H W."""
    for number, (kind, box, feather) in enumerate(SHAPES[shape]):
        operation = "add" if number else "replace"
        gimp("select", image=image, shape=kind, box=box, feather=feather, operation=operation)
    return gimp.selection(image)


def covered(mask):
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return Rect.from_edges(int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)


def blended(below, above, weight):
    """In linear light; 0..1."""
    below, above = (SRGB.to_linear(samples.astype(np.float32) / 255) for samples in (below, above))
    return SRGB.from_linear(below + (above - below) * weight[..., None].astype(np.float32))


def placed(gimp, layer, image_shape):
    """Samples and mask of a layer in a picture of the image's size; zeros where it is not."""
    samples = np.zeros(image_shape, np.uint8)
    mask = np.zeros(image_shape[:2], np.uint8)
    box = Rect(*gimp("layer", item=layer)["box"])
    samples[box.slices] = gimp.pixels(layer)[..., : image_shape[2]]
    mask_item = gimp("mask_of", item=layer)
    mask[box.slices] = 255 if mask_item is None else gimp.pixels(mask_item, "Y u8")[..., 0]
    return samples, mask


@pytest.mark.parametrize("shape", SHAPES)
def test_a_layer_holds_what_the_command_line_gives(gimp, command_line, photo, shape):
    image, layer = gimp.image(photo)
    selection = select(gimp, image, shape)
    made = gimp.restored(image, layer, pipeline="brighten")
    expected = command_line.restored(photo, pipeline="brighten", mask=selection, feather=0)
    samples, _ = placed(gimp, made, photo.shape)
    assert np.array_equal(samples[selection == 255], expected[selection == 255])
    assert not np.array_equal(expected, photo)


@pytest.mark.parametrize("shape", SHAPES)
def test_the_mask_is_the_selection_where_no_soft_edge_is_wanted(gimp, photo, shape):
    image, layer = gimp.image(photo)
    selection = select(gimp, image, shape)
    made = gimp.restored(image, layer, pipeline="brighten", settings='{"feather": 0}')
    _, mask = placed(gimp, made, photo.shape)
    assert np.array_equal(mask, selection)


@pytest.mark.parametrize("shape", ["rectangle", "ellipse"])
def test_a_hard_selection_gets_a_soft_edge_inward(gimp, photo, shape):
    image, layer = gimp.image(photo)
    selection = select(gimp, image, shape)
    made = gimp.restored(image, layer, pipeline="brighten")
    _, mask = placed(gimp, made, photo.shape)
    assert (mask <= selection).all()
    assert ((mask > 0) & (mask < 255)).sum() > ((selection > 0) & (selection < 255)).sum()
    assert mask[BOX[1] + BOX[3] // 2, BOX[0] + BOX[2] // 2] == 255


@pytest.mark.parametrize("shape", SHAPES)
def test_what_is_seen_changes_only_where_something_is_selected(gimp, photo, shape):
    image, layer = gimp.image(photo)
    selection = select(gimp, image, shape)
    before = gimp.seen(image)
    made = gimp.restored(image, layer, pipeline="brighten")
    samples, mask = placed(gimp, made, photo.shape)
    after = gimp.seen(image)
    assert np.array_equal(after[selection == 0], before[selection == 0])
    assert np.abs(after - blended(photo, samples, mask / 255)).max() < ONE_LEVEL
    assert np.array_equal(gimp.pixels(layer), photo)


@pytest.mark.parametrize("shape", SHAPES)
def test_replaced_pixels_are_the_command_lines(gimp, command_line, photo, shape):
    image, layer = gimp.image(photo)
    selection = select(gimp, image, shape)
    made = gimp.restored(image, layer, pipeline="brighten", output="replace")
    expected = command_line.restored(photo, pipeline="brighten", mask=selection)
    assert made == layer
    assert np.array_equal(gimp.pixels(layer), expected)
    assert np.array_equal(expected[selection == 0], photo[selection == 0])


@pytest.mark.parametrize("output", ["layer", "replace"])
def test_the_embedded_network(gimp, command_line, photo, output):
    image, layer = gimp.image(photo)
    selection = select(gimp, image, "feathered ellipse")
    made = gimp.restored(image, layer, pipeline="compact", output=output)
    expected = command_line.restored(photo, pipeline="compact", mask=selection)
    samples, _ = placed(gimp, made, photo.shape)
    inside = selection == 255 if output == "layer" else selection >= 0
    assert np.array_equal(samples[inside], expected[inside])
    assert not np.array_equal(expected, photo)


def test_nothing_selected_is_the_whole_layer(gimp, command_line, photo):
    image, layer = gimp.image(photo)
    made = gimp.restored(image, layer, pipeline="brighten")
    told = gimp("layer", item=made)
    assert told["box"] == [0, 0, 200, 150]
    assert told["mask"] is None
    assert np.array_equal(gimp.pixels(made)[..., :3], command_line.restored(photo, pipeline="brighten"))


def test_the_layer_holds_its_surroundings_too(gimp, photo):
    image, layer = gimp.image(photo)
    select(gimp, image, "rectangle")
    made = gimp.restored(image, layer, pipeline="brighten")
    box = Rect(*gimp("layer", item=made)["box"])
    assert box.contains(Rect(*BOX))
    assert box != Rect(*BOX)
    assert (gimp.pixels(made)[..., :3] > photo[box.slices]).mean() > 0.9


@pytest.mark.parametrize("output", ["layer", "replace"])
def test_selection_and_what_is_chosen_stay(gimp, photo, output):
    image, layer = gimp.image(photo)
    other = gimp.layer(image, photo[:20, :30], x=3, y=4, name="other")
    gimp("set_selected", image=image, items=[other])
    select(gimp, image, "feathered ellipse")
    before = gimp("state", image=image)
    gimp.restored(image, layer, pipeline="brighten", output=output)
    after = gimp("state", image=image)
    assert after["selection"] == before["selection"]
    assert after["selected"] == [other]
    assert after["layers"][str(other)]["samples"] == before["layers"][str(other)]["samples"]
    assert gimp("channels", image=image) == []
