"""A whole job as the plug-in runs it, by conversations, with bytes for pixels and without GIMP."""

from dataclasses import dataclass

import numpy as np
import pytest
from errors import SafelightError
from flow import Talk
from geometry import Rect
from image_xmp import record_in
from job import Sending, Wish, previewed, restored

from safelight.imaging.record import operations_in
from tests.fakes.daemon import process_environment, serving, short_folder
from tests.plugin.test_bridge_process import BRIDGE, Plugin, picture

EMPTY = "<?xml version='1.0' encoding='UTF-8'?>\n<metadata>\n</metadata>\n"


@dataclass
class Source:
    """An array that plays a drawable."""

    array: np.ndarray
    region: Rect
    mask: bytes | None = None
    profile: bytes = b""
    reads = 0

    @property
    def document(self):
        return self.array.shape[1], self.array.shape[0]

    def announced(self, key, sent):
        return {
            "key": key, "document": list(self.document), "sent": list(sent), "region": list(self.region),
            "channels": 3, "alpha": False, "sample": "u8", "linear": False, "masked": self.mask is not None,
        }  # fmt: skip

    def read(self, box):
        self.reads += 1
        for row in self.array[box.y : box.bottom, box.x : box.right]:
            yield row.tobytes()


@pytest.fixture(scope="module")
def environment():
    with short_folder() as folder, serving(folder):
        yield process_environment(folder) | {"XDG_CACHE_HOME": str(folder / "cache")}


@pytest.fixture
def plugin(environment):
    made = Plugin(BRIDGE, environment)
    yield made
    made.bridge.close()


def outcome(plugin, conversation):
    """Runs a conversation to its end."""
    ends = []
    Talk(plugin.bridge, conversation, lambda *end: ends.append(end), plugin.pump.deliver)
    plugin.pump.until(lambda: ends)
    result, error = ends[0]
    if error is not None:
        raise error
    return result


def job(source, wish, metadata=EMPTY, shown=None):
    told = [] if shown is None else shown
    return restored(
        wish, source, source.read, metadata=lambda: metadata, title="test", on_progress=told.append
    )


BRIGHTEN = Wish("brighten", values={"colour": 1.0})


def test_a_layer_holds_the_surroundings_and_has_the_selection_as_mask(plugin):
    mask = np.zeros((30, 40), np.uint8)
    mask[8:22, 8:32] = 255
    source = Source(picture(), Rect(20, 10, 40, 30), mask.tobytes())
    answer = outcome(plugin, job(source, BRIGHTEN))
    assert answer.box.width > 40
    assert answer.box.height > 30
    got = np.frombuffer(b"".join(answer.bands), np.uint8).reshape(answer.box.height, answer.box.width, 3)
    own = source.array[answer.box.y : answer.box.bottom, answer.box.x : answer.box.right]
    assert (got > own).all()
    shown = np.frombuffer(b"".join(answer.mask), np.uint8).reshape(mask.shape)
    assert not shown[mask == 0].any()
    assert shown.max() == 255


def test_replaced_pixels_are_the_region_blended(plugin):
    mask = np.zeros((30, 40), np.uint8)
    mask[8:22, 8:32] = 255
    source = Source(picture(), Rect(20, 10, 40, 30), mask.tobytes())
    answer = outcome(plugin, job(source, Wish("brighten", values={"colour": 1.0}, output="replace")))
    assert answer.box == source.region
    got = np.frombuffer(b"".join(answer.bands), np.uint8).reshape(30, 40, 3)
    own = source.array[10:40, 20:60]
    assert np.array_equal(got[mask == 0], own[mask == 0])
    assert answer.mask == []


def test_a_new_image_is_enlarged(plugin):
    source = Source(picture(), Rect(20, 10, 40, 30))
    wish = Wish("brighten", values={"output_scale": 2, "colour": 1.0}, output="image")
    answer = outcome(plugin, job(source, wish))
    assert answer.box == Rect(40, 20, 80, 60)
    assert sum(map(len, answer.bands)) == 80 * 60 * 3


def test_without_a_pipeline_the_daemons_default_is_used(plugin):
    answer = outcome(plugin, job(Source(picture(), Rect(0, 0, 90, 70)), Wish()))
    assert answer.pipeline == "compact"


def test_the_images_record_gets_one_operation_more(plugin):
    source = Source(picture(), Rect(0, 0, 90, 70))
    first = outcome(plugin, job(source, BRIGHTEN)).metadata
    second = outcome(plugin, job(source, Wish("identity"), first)).metadata
    record, source_type = record_in(second)
    assert [o["pipeline"] for o in operations_in(record)] == ["brighten", "identity"]
    assert source_type.endswith("algorithmicallyEnhanced")


def test_a_damaged_record_is_left_alone_and_no_work_is_lost(plugin):
    damaged = EMPTY.replace("</metadata>", '  <tag name="Xmp.safelight.operations">{</tag>\n</metadata>')
    answer = outcome(plugin, job(Source(picture(), Rect(0, 0, 90, 70)), BRIGHTEN, damaged))
    assert answer.metadata == ""
    assert answer.bands


def test_progress_begins_before_the_daemon_has_begun(plugin):
    shown = []
    outcome(plugin, job(Source(picture(), Rect(0, 0, 90, 70)), BRIGHTEN, shown=shown))
    assert [fields["stage"] for fields in shown[:2]] == ["start", "send"]
    assert any("fraction" in fields for fields in shown)


def test_errors_come_out_of_a_job(plugin):
    with pytest.raises(SafelightError) as raised:
        outcome(plugin, job(Source(picture(), Rect(0, 0, 90, 70)), Wish("absent")))
    assert raised.value.reason == "CHECKPOINT_MISSING"


def test_previews_send_the_pixels_once_and_show_the_result(plugin):
    source = Source(picture(200, 300), Rect(100, 50, 120, 90))
    sending = Sending("preview")

    def preview(strength):
        wish = Wish("brighten", values={"colour": 1.0, "strength": strength})
        return previewed(
            wish, source, source.read, sending=sending, patch=lambda sent: Rect(110, 60, 32, 24),
            on_progress=lambda fields: None,
        )  # fmt: skip

    full, none = (outcome(plugin, preview(strength)) for strength in (1.0, 0.0))
    assert source.reads == 1
    own = source.array[60:84, 110:142]
    assert np.array_equal(np.frombuffer(b"".join(none.bands), np.uint8).reshape(own.shape), own)
    assert (np.frombuffer(b"".join(full.bands), np.uint8).reshape(own.shape) > own).all()
    whole = outcome(plugin, job(source, BRIGHTEN))
    shape = (whole.box.height, whole.box.width, 3)
    layer = np.frombuffer(b"".join(whole.bands), np.uint8).reshape(shape)
    part = layer[60 - whole.box.y : 84 - whole.box.y, 110 - whole.box.x : 142 - whole.box.x]
    assert np.array_equal(np.frombuffer(b"".join(full.bands), np.uint8).reshape(own.shape), part)
