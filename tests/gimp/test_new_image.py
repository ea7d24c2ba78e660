"""Results in a new image: enlarged, with all that the old one had besides pixels."""

import numpy as np
import pytest

from tests.fakes.icc import ADOBE_RGB, gamma, rgb_profile

pytestmark = pytest.mark.gimp

UPSCALE = "plug-in-safelight-upscale"
ADOBE = rgb_profile(ADOBE_RGB, gamma(563 / 256))


def upscaled(gimp, image, layer, **values):
    """The new image and its layer."""
    before = set(gimp("images"))
    answer = gimp("run", procedure=UPSCALE, image=image, drawables=[layer], values=values)
    assert answer["status"] == "SUCCESS", answer["message"]
    (made,) = set(gimp("images")) - before
    return made, answer["values"][0]


@pytest.mark.parametrize("scale", [2, 4])
@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_pixels_are_the_command_lines(gimp, command_line, photo, scale, kind):
    samples = photo.astype(kind) * (257 if kind == np.uint16 else 1)
    image, layer = gimp.image(samples)
    made, enlarged = upscaled(gimp, image, layer, pipeline="compact", scale=scale)
    expected = command_line.restored(samples, pipeline="compact", scale=scale)
    assert gimp("state", image=made)["size"] == [200 * scale, 150 * scale]
    assert np.array_equal(gimp.pixels(enlarged)[..., :3], expected)


def test_profile_resolution_guides_precision_and_comment_are_kept(gimp, photo, tmp_path):
    path = tmp_path / "adobe.icc"
    path.write_bytes(ADOBE)
    image, layer = gimp.image(photo.astype(np.uint16) * 257, profile=str(path))
    gimp("set_resolution", image=image, x=123, y=456)
    gimp("add_guide", image=image, across=True, position=30)
    gimp("add_guide", image=image, across=False, position=120)
    gimp("set_comment", image=image, text="a harbour")
    old = gimp("state", image=image)
    made, _ = upscaled(gimp, image, layer, pipeline="brighten")
    new = gimp("state", image=made)
    assert new["profile"] == old["profile"]
    assert new["precision"] == old["precision"]
    assert new["resolution"] == pytest.approx([123, 456])
    assert sorted(new["guides"]) == [[False, 240], [True, 60]]
    assert gimp("comment", image=made) == "a harbour"


def test_the_old_image_stays_as_it_was(gimp, photo):
    image, layer = gimp.image(photo)
    gimp("select", image=image, shape="ellipse", box=[60, 40, 80, 60])
    before = gimp("state", image=image)
    upscaled(gimp, image, layer, pipeline="brighten")
    assert gimp("state", image=image) == before


def test_all_visible_layers_are_enlarged(gimp, command_line, photo):
    image, layer = gimp.image(np.zeros_like(photo))
    gimp.layer(image, photo)
    _, enlarged = upscaled(gimp, image, layer, pipeline="brighten")
    expected = command_line.restored(photo, pipeline="brighten", scale=2)
    assert np.array_equal(gimp.pixels(enlarged)[..., :3], expected)


def test_a_grey_image_with_alpha_stays_one(gimp, photo):
    grey = np.ascontiguousarray(photo[..., :2])
    image, layer = gimp.image(grey)
    made, enlarged = upscaled(gimp, image, layer, pipeline="brighten")
    assert gimp("state", image=made)["base"] == gimp("state", image=image)["base"]
    assert gimp.pixels(enlarged).shape == (300, 400, 2)


def test_an_indexed_image_gives_a_coloured_one(gimp, photo):
    image, layer = gimp.image(photo)
    gimp("to_indexed", image=image)
    before = gimp("state", image=image)
    _, enlarged = upscaled(gimp, image, layer, pipeline="brighten")
    assert gimp.pixels(enlarged).shape[:2] == (300, 400)
    assert gimp("state", image=image) == before


def test_the_record_goes_with_it(gimp, photo, tmp_path):
    from safelight.imaging.files import open_picture
    from safelight.imaging.record import read_operations

    image, layer = gimp.image(photo)
    made, _ = upscaled(gimp, image, layer, pipeline="brighten")
    gimp("export", image=made, path=str(tmp_path / "out.tif"))
    (operation,) = read_operations(open_picture(tmp_path / "out.tif").metadata.xmp)
    assert operation["output_scale"] == 2


def test_a_selection_becomes_an_image_of_its_own(gimp, command_line, photo):
    image, layer = gimp.image(photo)
    gimp("select", image=image, shape="rectangle", box=[60, 40, 80, 60])
    before = gimp("state", image=image)
    made = gimp.restored(image, layer, pipeline="brighten", output="image", scale=2)
    assert gimp.pixels(made).shape[:2] == (120, 160)
    assert gimp("state", image=image) == before
