"""Layers are made once: what did not change keeps its tiles."""

import numpy as np
import pytest

from safelight.client.restoration import Restored, Work
from safelight.geometry import Rect
from safelight.settings import RestoreSettings
from safelight_desktop.planes.plane import Patch
from safelight_desktop.state.composition import Composer
from safelight_desktop.state.document import load_document
from safelight_desktop.state.region import Region, Rendition
from safelight_desktop.state.selection import Selection, whole


@pytest.fixture
def document(photo_png, qapp):
    return load_document(photo_png)


def restored(document, region, value, scale=1):
    """The region shows a rendition that is all of one grey."""
    rect = region.selection.rect
    pixels = np.full((rect.height * scale, rect.width * scale, 3), value, np.uint8)
    settings = RestoreSettings("fake", output_scale=scale)
    work = Work(document.size, rect, rect, document.pixels[rect.slices])
    region.chosen = Rendition("Fake", settings, settings, region.selection, work, Restored(pixels, {}, ""))
    return region.chosen


def at(layer, x, y):
    return layer.pyramid.area(0, Rect(x, y, 1, 1))[0, 0].tolist()


def test_without_renditions_before_and_after_are_one_layer(document):
    region = Region("", whole(document.size))
    before, after = Composer(document, b"").pair([region], region, "bicubic")
    assert before is after


def test_a_new_result_leaves_before_and_what_it_does_not_touch_as_they_are(document):
    composer, region = Composer(document, b""), Region("", Selection("rectangle", Rect(10, 10, 40, 40)))
    restored(document, region, 100)
    before, first = composer.pair([region], region, "bicubic")
    restored(document, region, 200)
    again, second = composer.pair([region], region, "bicubic")
    assert again is before
    assert (at(first, 20, 20), at(second, 20, 20)) == ([100] * 3, [200] * 3)
    assert second.owner(0, 0, 0) is second


def test_tiles_that_no_patch_touches_are_those_of_the_original(document):
    region = Region("", Selection("rectangle", Rect(10, 10, 40, 40)))
    restored(document, region, 100)
    before, after = Composer(document, b"").pair([region], region, "bicubic")
    after.tile_rect = lambda level, column, row: Rect(120 * column, 0, 120, 160)
    assert after.owner(0, 0, 0) is after
    assert after.owner(0, 1, 0) is before


def test_a_part_that_is_newer_lies_over_its_rendition(document):
    region = Region("", Selection("rectangle", Rect(10, 10, 40, 40)))
    rendition = restored(document, region, 100)
    rendition.provisional = Patch(Rect(20, 20, 5, 5), np.full((5, 5, 3), 222, np.uint8))
    _, after = Composer(document, b"").pair([region], region, "bicubic")
    assert (at(after, 22, 22), at(after, 30, 30)) == ([222] * 3, [100] * 3)


def test_two_renditions_are_compared_at_the_larger_ones_scale(document):
    region = Region("", whole(document.size))
    small = restored(document, region, 50)
    restored(document, region, 90, scale=2)
    region.against = small
    before, after = Composer(document, b"").pair([region], region, "nearest")
    assert before.size == after.size == (480, 320)
    assert (at(before, 100, 100), at(after, 100, 100)) == ([50] * 3, [90] * 3)
