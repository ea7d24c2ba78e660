"""Kinds of documents: samples, profiles, alpha, grey, layers that lie elsewhere, groups, all that is visible."""

import hashlib

import numpy as np
import pytest

from safelight.geometry import Rect
from tests.fakes.icc import ADOBE_RGB, gamma, grey_profile, rgb_profile

pytestmark = pytest.mark.gimp

REGION = Rect(60, 40, 80, 60)
ADOBE = rgb_profile(ADOBE_RGB, gamma(563 / 256))
GREY = grey_profile(gamma(2.2))


def noisy(shape):
    return np.random.default_rng(5).random(shape, np.float32)


def u8(photo, channels):
    picture = photo if channels > 2 else photo[..., :1]
    if channels in (2, 4):
        alpha = np.tile(np.linspace(0, 255, 200).astype(np.uint8)[None, :, None], (150, 1, 1))
        picture = np.concatenate([picture, alpha], axis=2)
    return np.ascontiguousarray(picture)


def u16(photo, channels):
    return (
        u8(photo, channels).astype(np.uint16) * 257
        + np.rint(noisy((150, 200, channels)) * 100).astype(np.uint16) % 257
    )


def f32(photo, channels):
    return (u8(photo, channels).astype(np.float32) + noisy((150, 200, channels))) / 256


DOCUMENTS = {
    "u8": (u8, 3, "U8_NON_LINEAR", b""),
    "u8 with a profile": (u8, 3, "U8_NON_LINEAR", ADOBE),
    "u8 with alpha": (u8, 4, "U8_NON_LINEAR", b""),
    "u8 grey": (u8, 1, "U8_NON_LINEAR", b""),
    "u8 grey with alpha and profile": (u8, 2, "U8_NON_LINEAR", GREY),
    "u16": (u16, 3, "U16_NON_LINEAR", b""),
    "u16 with profile and alpha": (u16, 4, "U16_NON_LINEAR", ADOBE),
    "float with a profile": (f32, 3, "FLOAT_NON_LINEAR", ADOBE),
    "linear float": (f32, 3, "FLOAT_LINEAR", b""),
    "linear float with alpha": (f32, 4, "FLOAT_LINEAR", b""),
    "linear grey float": (f32, 1, "FLOAT_LINEAR", b""),
}


@pytest.fixture
def profile(tmp_path):
    """The file of a profile."""

    def write(icc):
        if not icc:
            return None
        path = tmp_path / f"{hashlib.sha256(icc).hexdigest()[:8]}.icc"
        path.write_bytes(icc)
        return str(path)

    return write


def selected(gimp, image, region=REGION):
    gimp("select", image=image, shape="rectangle", box=list(region))
    return gimp.selection(image)


@pytest.mark.parametrize("output", ["layer", "replace"])
@pytest.mark.parametrize("name", DOCUMENTS)
def test_samples_are_the_command_lines(gimp, command_line, photo, profile, name, output):
    make, channels, precision, icc = DOCUMENTS[name]
    samples = make(photo, channels)
    image, layer = gimp.image(samples, precision=precision, profile=profile(icc))
    mask = selected(gimp, image)
    before = gimp("state", image=image)
    made = gimp.restored(image, layer, pipeline="brighten", output=output)
    linear = precision.endswith("_LINEAR") and "NON" not in precision
    settings = {"feather": 0} if output == "layer" else {}
    expected = command_line.restored(
        samples, pipeline="brighten", mask=mask, icc=icc, linear=linear, **settings
    )
    box = Rect(*gimp("layer", item=made)["box"])
    found = samples.copy()
    found[box.slices] = gimp.pixels(made)[..., :channels]
    inside = (mask == 255) if output == "layer" else (mask >= 0)
    assert np.array_equal(found[inside], expected[inside])
    assert not np.array_equal(expected, samples)
    after = gimp("state", image=image)
    assert (after["profile"], after["precision"]) == (before["profile"], before["precision"])


CURVES = ("U8_LINEAR", "U8_PERCEPTUAL", "U16_LINEAR", "HALF_LINEAR")


@pytest.mark.parametrize("precision", CURVES)
def test_other_precisions_keep_what_is_not_selected(gimp, photo, precision):
    image = gimp("create", width=200, height=150, precision=precision)
    layer = gimp.layer_from(image, photo, "R'G'B' u8")
    mask = selected(gimp, image)
    before, seen = gimp("raw", item=layer), gimp.seen(image)
    made = gimp.restored(image, layer, pipeline="brighten", output="replace")
    after = gimp("raw", item=made)
    assert after["format"] == before["format"]
    rows = np.frombuffer(bytes.fromhex(before["samples"]), np.uint8).reshape(150, 200, -1)
    later = np.frombuffer(bytes.fromhex(after["samples"]), np.uint8).reshape(150, 200, -1)
    assert np.array_equal(rows[mask == 0], later[mask == 0])
    assert (gimp.seen(image)[70, 100] > seen[70, 100]).all()


@pytest.mark.parametrize("shape", ["rectangle", "ellipse"])
@pytest.mark.parametrize("precision", ["U32_NON_LINEAR", "DOUBLE_NON_LINEAR", "DOUBLE_LINEAR"])
def test_what_is_not_selected_keeps_bits_that_a_float_does_not_hold(gimp, precision, shape):
    """Samples travel as 32-bit floats there: the others are put back in their own numbers."""
    kind = {"U32": np.uint32, "DOUBLE": np.float64}[precision.partition("_")[0]]
    full = np.random.default_rng(7).random((150, 200, 3)) * 0.5 + 0.2
    samples = full if kind is np.float64 else (full * (2**32 - 1)).astype(np.uint32)
    assert not np.array_equal(samples, samples.astype(np.float32).astype(kind))
    image = gimp("create", width=200, height=150, precision=precision)
    layer = gimp.layer(image, samples)
    gimp("select", image=image, shape=shape, box=list(REGION), feather=6 if shape == "ellipse" else 0)
    mask = gimp.selection(image)
    made = gimp.restored(image, layer, pipeline="brighten", output="replace")
    after = np.frombuffer(bytes.fromhex(gimp("raw", item=made)["samples"]), kind).reshape(150, 200, 3)
    assert np.array_equal(after[mask == 0], samples[mask == 0])
    left, top, width, height = REGION
    middle = top + height // 2, left + width // 2
    assert (after[middle] > samples[middle]).all()
    gimp.restored(image, layer, pipeline="brighten")


def test_pixels_that_are_not_there_stay_transparent(gimp, photo):
    samples = u8(photo, 4)
    samples[60:80, 80:100, 3] = 0
    image, layer = gimp.image(samples)
    selected(gimp, image)
    gimp.restored(image, layer, pipeline="brighten", output="replace")
    found = gimp.pixels(layer)
    assert np.array_equal(found[..., 3], samples[..., 3])


OFFSETS = {"inside": (30, 20), "over the left edge": (-50, -30), "beyond the right edge": (120, 90)}


@pytest.mark.parametrize("output", ["layer", "replace"])
@pytest.mark.parametrize("place", OFFSETS)
def test_a_layer_that_lies_elsewhere(gimp, command_line, photo, place, output):
    x, y = OFFSETS[place]
    image = gimp("create", width=260, height=200)
    layer = gimp.layer(image, photo, x=x, y=y)
    region = Rect(x, y, 200, 150).intersect(Rect(70, 60, 90, 60))
    gimp("select", image=image, shape="rectangle", box=[70, 60, 90, 60])
    made = gimp.restored(image, layer, pipeline="brighten", output=output)
    mask = np.zeros((150, 200), np.uint8)
    inside = Rect(region.x - x, region.y - y, region.width, region.height)
    mask[inside.slices] = 255
    settings = {"feather": 0} if output == "layer" else {}
    expected = command_line.restored(photo, pipeline="brighten", mask=mask, **settings)
    found = photo.copy()
    left, top, width, height = gimp("layer", item=made)["box"]
    found[Rect(left - x, top - y, width, height).slices] = gimp.pixels(made)[..., :3]
    assert np.array_equal(found[mask == 255], expected[mask == 255])


def test_the_new_layer_lies_above_its_source_in_the_same_group(gimp, photo):
    image = gimp("create", width=200, height=150)
    group = gimp("add_group", image=image)
    inner = gimp("add_group", image=image, group=group)
    low = gimp.layer(image, photo, group=inner, name="low")
    gimp.layer(image, photo, group=inner, name="high")
    selected(gimp, image)
    made = gimp.restored(image, low, pipeline="brighten")
    told = gimp("layer", item=made)
    assert told["parent"] == inner
    assert told["position"] == gimp("layer", item=low)["position"] - 1 == 1


def test_a_group_is_restored_as_it_is_seen(gimp, command_line, photo):
    image = gimp("create", width=200, height=150)
    group = gimp("add_group", image=image)
    gimp.layer(image, photo, group=group)
    mask = selected(gimp, image)
    made = gimp.restored(image, group, pipeline="brighten")
    expected = command_line.restored(photo, pipeline="brighten", mask=mask, feather=0)
    left, top, width, height = gimp("layer", item=made)["box"]
    found = photo.copy()
    found[top : top + height, left : left + width] = gimp.pixels(made)[..., :3]
    assert np.array_equal(found[mask == 255], expected[mask == 255])


def test_all_that_is_visible_is_the_source(gimp, command_line, photo):
    image, _ = gimp.image(np.zeros_like(photo))
    gimp.layer(image, photo, name="above")
    hidden = gimp.layer(image, 255 - photo, name="hidden")
    gimp("set_visible", item=hidden, on=False)
    mask = selected(gimp, image)
    made = gimp.restored(image, hidden, pipeline="brighten", source="visible")
    expected = command_line.restored(photo, pipeline="brighten", mask=mask, feather=0)
    left, top, width, height = gimp("layer", item=made)["box"]
    found = photo.copy()
    found[top : top + height, left : left + width] = gimp.pixels(made)[..., :3]
    assert np.array_equal(found[mask == 255], expected[mask == 255])
    assert gimp("layer", item=made)["position"] == 0


def test_a_layer_mask_that_is_being_edited_stands_for_its_layer(gimp, photo):
    image, layer = gimp.image(photo)
    selected(gimp, image)
    made = gimp.restored(image, layer, pipeline="brighten")
    gimp("set_edit_mask", item=made, on=True)
    again = gimp.restored(image, gimp("mask_of", item=made), pipeline="brighten")
    assert gimp("layer", item=again)["position"] == gimp("layer", item=made)["position"] - 1


def test_a_run_leaves_the_source_layer_chosen_and_no_mask_being_edited(gimp, photo):
    image, layer = gimp.image(photo)
    gimp("set_selected", image=image, items=[layer])
    selected(gimp, image)
    made = gimp.restored(image, layer, pipeline="brighten")
    assert gimp("state", image=image)["selected"] == [layer]
    assert not gimp("layer", item=made)["editing_mask"]


def test_the_layer_is_named_after_pipeline_and_settings(gimp, photo):
    image, layer = gimp.image(photo)
    made = gimp.restored(image, layer, pipeline="brighten", strength=0.8, seed=7)
    name = gimp("layer", item=made)["name"]
    assert name.startswith("Brighten")
    assert "0.8" in name
    assert "7" in name


def test_what_the_source_layers_mask_hides_stays_hidden(gimp, photo):
    image, layer = gimp.image(photo)
    gimp("select", image=image, shape="rectangle", box=[0, 0, 100, 150])
    gimp("mask_from_selection", item=layer)
    gimp("select", image=image, shape="ellipse", box=[60, 40, 80, 60], feather=8)
    selection = gimp.selection(image)
    made = gimp.restored(image, layer, pipeline="brighten", settings='{"feather": 0}')
    mask = placed_mask(gimp, made, selection.shape)
    assert np.array_equal(mask[:, :100], selection[:, :100])
    assert not mask[:, 100:].any()


def test_the_source_layers_mask_alone_where_nothing_is_selected(gimp, photo):
    image, layer = gimp.image(photo)
    gimp("select", image=image, shape="ellipse", box=[30, 20, 120, 90], feather=20)
    gimp("mask_from_selection", item=layer)
    shown = gimp.selection(image)
    gimp("select_nothing", image=image)
    made = gimp.restored(image, layer, pipeline="brighten")
    assert np.array_equal(placed_mask(gimp, made, shown.shape), shown)


def test_a_mask_that_is_not_applied_hides_nothing(gimp, photo):
    image, layer = gimp.image(photo)
    gimp("select", image=image, shape="rectangle", box=[0, 0, 100, 150])
    gimp("mask_from_selection", item=layer)
    gimp("set_apply_mask", item=layer, on=False)
    gimp("select_nothing", image=image)
    made = gimp.restored(image, layer, pipeline="brighten")
    assert gimp("mask_of", item=made) is None


def test_opacity_and_mode_are_those_of_the_source_layer(gimp, photo):
    image, layer = gimp.image(photo)
    above = gimp.layer(image, photo)
    gimp("set_opacity", item=above, opacity=40)
    gimp("set_mode", item=above, mode="MULTIPLY")
    of_layer, of_all = (
        gimp("layer", item=gimp.restored(image, above, pipeline="brighten", source=source))
        for source in ("layer", "visible")
    )
    expected = gimp("layer", item=above)
    below = gimp("layer", item=layer)
    assert (of_layer["opacity"], of_layer["mode"]) == (expected["opacity"], expected["mode"])
    assert (of_all["opacity"], of_all["mode"]) == (below["opacity"], below["mode"])


@pytest.mark.parametrize("mode", ["NORMAL", "MULTIPLY"])
def test_replacing_keeps_mask_opacity_and_mode(gimp, photo, mode):
    image, _ = gimp.image(photo)
    layer = gimp.layer(image, photo)
    gimp("set_opacity", item=layer, opacity=40)
    gimp("set_mode", item=layer, mode=mode)
    gimp("select", image=image, shape="rectangle", box=[0, 0, 100, 150])
    gimp("mask_from_selection", item=layer)
    before = gimp("layer", item=layer)
    gimp.restored(image, layer, pipeline="brighten", output="replace")
    after = gimp("layer", item=layer)
    assert after["samples"] != before["samples"]
    assert {**after, "samples": None} == {**before, "samples": None}


def placed_mask(gimp, layer, shape):
    """The mask of a layer in a picture of the image's size; 0 where it is not."""
    box = Rect(*gimp("layer", item=layer)["box"])
    found = np.zeros(shape, np.uint8)
    found[box.slices] = gimp.pixels(gimp("mask_of", item=layer), "Y u8")[..., 0]
    return found
