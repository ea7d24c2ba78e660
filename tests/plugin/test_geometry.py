"""Rectangles and masks without numpy."""

import pytest
from geometry import Rect, covered, cut, placed, plain, product, strips, where_selected

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


PRODUCTS = {
    "one lets all through": ([255, 255, 255], [0, 128, 255], [0, 128, 255]),
    "the other does": ([0, 128, 255], [255, 255, 255], [0, 128, 255]),
    "hard ones": ([0, 255, 255], [255, 0, 255], [0, 0, 255]),
    "hard and soft": ([0, 255, 255], [128, 64, 0], [0, 64, 0]),
    "soft ones": ([128, 200, 1], [128, 100, 1], [64, 78, 0]),
}


@pytest.mark.parametrize(("one", "other", "expected"), PRODUCTS.values(), ids=PRODUCTS)
def test_a_product_lets_through_what_both_do(one, other, expected):
    plain_row, of_both = bytes([255] * 3), bytes(expected)
    assert product(plain_row + bytes(one), bytes(one) + bytes(other), 3) == bytes(one) + of_both


SELECTED = {
    "nothing": ([0, 0, 0, 0], "abcd"),
    "all": ([1, 255, 9, 3], "ABCD"),
    "the ends": ([7, 0, 0, 7], "AbcD"),
    "the middle": ([0, 7, 7, 0], "aBCd"),
}


@pytest.mark.parametrize(("mask", "expected"), SELECTED.values(), ids=SELECTED)
def test_samples_change_only_where_something_is_selected(mask, expected):
    before, after = (b"".join(bytes([c]) * 3 for c in text) for text in (b"abcd", b"ABCD"))
    assert where_selected(bytes(mask), before, after)[::3] == expected.encode()
    assert where_selected(bytes(mask), before, after)[2::3] == expected.encode()


def test_samples_that_do_not_fit_a_mask_are_refused():
    with pytest.raises(ValueError, match="do not fit"):
        where_selected(b"\1\1", b"123", b"123")


def test_a_placed_mask_is_nothing_around_its_box():
    within, box = Rect(10, 20, 4, 4), Rect(11, 22, 2, 1)
    expected = [0] * 8 + [0, 7, 8, 0] + [0] * 4
    assert list(placed(bytes([7, 8]), box, within)) == expected
