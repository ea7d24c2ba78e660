"""Each dataclass survives the way over the wire."""

import pytest

from safelight import settings, wire
from safelight.engine.pipelines.compact_spec import COMPACT
from safelight.errors import InvalidRequest
from safelight.geometry import Rect, Size
from safelight.imaging.pixels import PixelFormat, Sample
from safelight.settings import default_settings
from safelight.v1 import settings_pb2 as spb


def test_spec():
    sent = wire.spec_to_proto(COMPACT)
    back = wire.spec_from_proto(spb.PipelineSpec.FromString(sent.SerializeToString()))
    assert back.settings == COMPACT.settings
    assert back.stages == dict(COMPACT.stages)
    assert back.presets.keys() == {*settings.COMMON_PRESETS, *COMPACT.presets}
    assert wire.spec_to_proto(back) == sent


@pytest.mark.parametrize("in_place", [True, False])
def test_settings(in_place):
    sent = default_settings(COMPACT, in_place=in_place).with_values(
        COMPACT, {"grain": 0.25, "sharpness": 1.0}
    )
    assert wire.settings_from_proto(wire.settings_to_proto(sent), COMPACT) == sent


@pytest.mark.parametrize("colours", [1, 3])
@pytest.mark.parametrize("alpha", [False, True])
@pytest.mark.parametrize("sample", Sample)
def test_pixel_format(colours, alpha, sample):
    fmt = PixelFormat(colours, alpha, sample, linear=sample is Sample.F32)
    assert wire.format_from_proto(wire.format_to_proto(fmt)) == fmt


def test_rect_and_size():
    assert wire.rect_from_proto(wire.rect_to_proto(Rect(-1, 2, 3, 4))) == Rect(-1, 2, 3, 4)
    assert wire.size_from_proto(wire.size_to_proto(Size(5, 6)), "document") == Size(5, 6)


@pytest.mark.parametrize("text", ["", "UPPER", "a/b", "..\\x", "a" * 65, "a b", "ä", "a\0", "con\n"])
def test_what_is_no_pipeline_id(text):
    with pytest.raises(InvalidRequest):
        wire.pipeline_id(text)


@pytest.mark.parametrize("value", [True, -3, 0.5, "text"])
def test_setting_value(value):
    back = wire.value_from_proto(wire.value_to_proto(value), "s")
    assert (back, type(back)) == (value, type(value))


def test_a_band_is_at_most_a_mebibyte_of_whole_rows():
    assert wire.rows_per_band(1000) == 1048
    assert wire.rows_per_band(3 << 20) == 1
