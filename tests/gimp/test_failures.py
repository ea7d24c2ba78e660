"""Whatever goes wrong is an error status with one sentence that a person can act on, and the image stays as it was."""

import re

import numpy as np
import pytest

pytestmark = pytest.mark.gimp

REDO, UPSCALE = "plug-in-safelight-redo", "plug-in-safelight-upscale"
RESTORE = "plug-in-safelight-restore"


def refused(gimp, image, layers, *, procedure=RESTORE, **values):
    """The sentence with which a run ends; the image is the same afterwards, and the log says more."""
    before, open_before, log = gimp("state", image=image), gimp("images"), gimp("log")
    named = {name.replace("_", "-"): value for name, value in values.items()}
    answer = gimp("run", procedure=procedure, image=image, drawables=layers, values=named)
    assert answer["status"] in ("EXECUTION_ERROR", "CALLING_ERROR")
    assert gimp("state", image=image) == before
    assert gimp("images") == open_before
    message = answer["message"]
    assert message, "no reason is given"
    assert "Traceback" not in message
    assert "should not" not in message
    assert message.count("\n") == 0
    assert len(message) < 250
    details = gimp("log").removeprefix(log)
    assert re.search(r"\[[A-Z_]+\]", details), "nothing went to the error console"
    return message


DAEMON_REFUSES = {
    "not installed": ({"pipeline": "absent"}, "not installed.*Install"),
    "no usable picture": ({"pipeline": "broken"}, "no usable picture.*choose another pipeline"),
    "out of memory": ({"pipeline": "greedy"}, "not enough memory.*select less"),
    "unknown pipeline": ({"pipeline": "compat"}, "no pipeline 'compat': did you mean compact"),
    "unknown preset": ({"pipeline": "compact", "preset": "fathful"}, "did you mean faithful"),
    "unknown setting": ({"settings": '{"strenght": 1}'}, "did you mean strength"),
    "value out of range": ({"pipeline": "brighten", "settings": '{"amount": 3}'}, "0.5"),
    "settings that are no JSON": ({"settings": "strength=1"}, "no JSON object: give one such as"),
    "scale": ({"pipeline": "compact", "output": "image", "scale": 3}, "cannot enlarge by 3: use one of"),
}


@pytest.mark.parametrize("case", DAEMON_REFUSES)
def test_what_the_daemon_refuses(gimp, photo, case):
    values, words = DAEMON_REFUSES[case]
    image, layer = gimp.image(photo)
    assert re.search(words, refused(gimp, image, [layer], **values))


def test_a_selection_outside_the_layer(gimp, photo):
    image = gimp("create", width=400, height=300)
    layer = gimp.layer(image, photo)
    gimp("select", image=image, shape="rectangle", box=[250, 200, 50, 50])
    assert "does not touch the layer" in refused(gimp, image, [layer], pipeline="brighten")


def test_a_selection_with_nothing_in_it(gimp, photo):
    image, layer = gimp.image(photo)
    gimp("select", image=image, shape="rectangle", box=[-50, -50, 20, 20])
    answer = gimp.restore(image, layer, pipeline="brighten")
    assert answer["status"] == "SUCCESS"  # GIMP itself takes it for no selection: everything
    assert gimp("layer", item=answer["values"][0])["box"] == [0, 0, 200, 150]


def test_pixels_that_are_locked_are_not_replaced(gimp, photo):
    image, layer = gimp.image(photo)
    gimp("lock_pixels", item=layer)
    assert "locked: unlock" in refused(gimp, image, [layer], pipeline="brighten", output="replace")


def test_locked_pixels_can_have_a_layer_above(gimp, photo):
    image, layer = gimp.image(photo)
    gimp("lock_pixels", item=layer)
    gimp.restored(image, layer, pipeline="brighten")


def test_a_group_has_no_pixels_to_replace(gimp, photo):
    image = gimp("create", width=200, height=150)
    group = gimp("add_group", image=image)
    gimp.layer(image, photo, group=group)
    message = refused(gimp, image, [group], pipeline="brighten", output="replace")
    assert "choose a new layer as the result" in message


def test_two_layers_at_once(gimp, photo):
    image, layer = gimp.image(photo)
    other = gimp.layer(image, photo)
    assert "one" in refused(gimp, image, [layer, other], pipeline="brighten")


def test_a_channel(gimp, photo):
    image, _ = gimp.image(photo)
    gimp("select", image=image, shape="rectangle", box=[10, 10, 20, 20])
    channel = gimp("save_selection", image=image)
    assert "Choose a layer" in refused(gimp, image, [channel], pipeline="brighten")


def test_a_floating_selection(gimp, photo):
    image, layer = gimp.image(photo)
    gimp("select", image=image, shape="rectangle", box=[10, 10, 20, 20])
    gimp("float_selection", item=layer)
    assert "Anchor" in refused(gimp, image, [layer], pipeline="brighten")


def test_an_indexed_image_offers_what_to_do(gimp, photo):
    image, layer = gimp.image(photo)
    gimp("to_indexed", image=image)
    assert "Image > Mode > RGB" in refused(gimp, image, [layer], pipeline="brighten")


def test_what_all_layers_show_cannot_replace_one(gimp, photo):
    image, layer = gimp.image(photo)
    message = refused(gimp, image, [layer], pipeline="brighten", output="replace", source="visible")
    assert "choose a new layer" in message


def test_samples_that_are_no_numbers(gimp, photo):
    samples = photo.astype(np.float32) / 255
    samples[50, 50] = np.nan
    image, layer = gimp.image(samples)
    assert "infinite" in refused(gimp, image, [layer], pipeline="brighten")


def test_redo_of_a_layer_without_a_recipe(gimp, photo):
    image, layer = gimp.image(photo)
    assert "not made by Safelight" in refused(gimp, image, [layer], procedure=REDO)


def test_redo_when_the_source_is_gone(gimp, photo):
    image, layer = gimp.image(photo)
    made = gimp.restored(image, layer, pipeline="brighten")
    gimp("remove_layer", item=layer)
    assert "gone" in refused(gimp, image, [made], procedure=REDO)


def test_redo_of_locked_pixels(gimp, photo):
    image, layer = gimp.image(photo)
    made = gimp.restored(image, layer, pipeline="brighten")
    gimp("lock_pixels", item=made)
    assert "locked" in refused(gimp, image, [made], procedure=REDO, strength=0.5)


def test_upscale_with_a_pipeline_that_is_not_installed(gimp, photo):
    image, layer = gimp.image(photo)
    message = refused(gimp, image, [layer], procedure=UPSCALE, pipeline="absent")
    assert "not installed" in message


def test_a_plugin_that_does_not_know_where_safelight_is(gimp, plugin_folder, photo):
    image, layer = gimp.image(photo)
    file = plugin_folder / "bridge.json"
    told = file.read_text()
    try:
        file.write_text('{"command": ["/nowhere/python", "bridge"], "version": "0"}')
        assert "run safelight gimp install" in refused(gimp, image, [layer], pipeline="brighten")
        file.unlink()
        assert "run safelight gimp install" in refused(gimp, image, [layer], pipeline="brighten")
    finally:
        file.write_text(told)
