"""Rectangles and masks without numpy."""

import pytest
from geometry import Rect, covered, cut, plain, strips

MASKS = {
    "one sample": (["....", "..x.", "...."], Rect(2, 1, 1, 1)),
    "all": (["xxx", "xxx"], Rect(0, 0, 3, 2)),
    "two islands": (["x....", ".....", "...x."], Rect(0, 0, 4, 3)),
    "last column": (["...x", "...x"], Rect(3, 0, 1, 2)),
    "nothing": (["...", "..."], Rect(0, 0, 0, 0)),
}


def mask_of(rows):
    return b"".join(bytes(1 if c == "x" else 0 for c in row) for row in rows)


@pytest.mark.parametrize(("rows", "box"), MASKS.values(), ids=MASKS)
def test_the_covered_box(rows, box):
    assert covered(mask_of(rows), len(rows[0])) == box


def test_nothing_covers_nothing():
    assert covered(b"", 0).empty


@pytest.mark.parametrize("box", [Rect(1, 0, 2, 2), Rect(0, 1, 4, 2), Rect(3, 2, 1, 1)])
def test_a_cut_mask_has_the_rows_of_its_box(box):
    mask = bytes(range(12))
    expected = [4 * y + x for y in range(box.y, box.bottom) for x in range(box.x, box.right)]
    assert list(cut(mask, 4, box)) == expected


@pytest.mark.parametrize(("mask", "expected"), [(b"\xff" * 4, True), (b"\xff\xfe", False), (b"", True)])
def test_a_plain_mask_restores_everything(mask, expected):
    assert plain(mask) is expected


def test_strips_cover_a_box_once_in_whole_rows():
    box = Rect(3, 5, 10, 7)
    found = strips(box, 40, 100)
    assert [(s.x, s.width, s.height) for s in found] == [(3, 10, 2)] * 3 + [(3, 10, 1)]
    assert [s.y for s in found] == [5, 7, 9, 11]


def test_a_row_wider_than_a_strip_is_a_strip():
    assert len(strips(Rect(0, 0, 1000, 3), 4000, 100)) == 3


PATCHES = {
    "in the middle": ((50, 40), Rect(30, 30, 40, 20)),
    "at the corner": ((0, 0), Rect(0, 0, 40, 20)),
    "past the end": ((500, 500), Rect(60, 60, 40, 20)),
}


@pytest.mark.parametrize(("center", "expected"), PATCHES.values(), ids=PATCHES)
def test_a_patch_stays_inside(center, expected):
    assert Rect(0, 0, 100, 80).around(40, 20, center) == expected


def test_a_patch_is_no_larger_than_what_it_lies_in():
    assert Rect(7, 9, 30, 200).around(40, 20, (10, 10)) == Rect(7, 9, 30, 20)


def test_rectangles_that_do_not_meet_have_an_empty_common_part():
    assert Rect(0, 0, 5, 5).intersect(Rect(9, 0, 5, 5)).empty
    assert Rect(0, 0, 5, 5).intersect(Rect(3, 4, 5, 5)) == Rect(3, 4, 2, 1)
