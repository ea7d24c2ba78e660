import pytest
from hypothesis import given
from hypothesis import strategies as st

from safelight.geometry import Rect, Size, context_rect

RECTS = st.builds(Rect, *(st.integers(-500, 500),) * 2, *(st.integers(1, 500),) * 2)


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        (Rect(0, 0, 10, 10), Rect(5, 6, 10, 10), Rect(5, 6, 5, 4)),
        (Rect(0, 0, 10, 10), Rect(10, 0, 5, 5), Rect(10, 0, 0, 5)),
        (Rect(0, 0, 10, 10), Rect(20, 20, 5, 5), Rect(20, 20, 0, 0)),
        (Rect(-5, -5, 10, 10), Rect(0, 0, 100, 100), Rect(0, 0, 5, 5)),
    ],
)
def test_intersection(a, b, expected):
    assert a.intersect(b) == expected


@pytest.mark.parametrize(
    ("rect", "multiple", "expected"),
    [
        (Rect(0, 0, 8, 8), 8, Rect(0, 0, 8, 8)),
        (Rect(1, 7, 8, 2), 8, Rect(0, 0, 16, 16)),
        (Rect(-1, -8, 3, 8), 8, Rect(-8, -8, 16, 8)),
    ],
)
def test_snapping_outward(rect, multiple, expected):
    assert rect.snapped_outward(multiple) == expected


@pytest.mark.parametrize(
    ("rect", "factor", "expected"),
    [
        (Rect(3, 5, 7, 9), 2.0, Rect(6, 10, 14, 18)),
        (Rect(3, 5, 7, 9), 0.5, Rect(1, 2, 4, 5)),
        (Rect(-3, 0, 6, 1), 0.5, Rect(-2, 0, 4, 1)),
    ],
)
def test_scaling_outward(rect, factor, expected):
    assert rect.scaled_outward(factor) == expected


@given(RECTS, RECTS)
def test_an_intersection_lies_in_both_or_is_empty(a, b):
    common = a.intersect(b)
    assert common.empty or (a.contains(common) and b.contains(common))
    assert common == b.intersect(a) or common.empty


@given(RECTS, st.integers(1, 64))
def test_snapping_covers_and_adds_less_than_one_cell(rect, multiple):
    snapped = rect.snapped_outward(multiple)
    assert snapped.contains(rect)
    assert all(v % multiple == 0 for v in snapped)
    assert snapped.width - rect.width < 2 * multiple


@pytest.mark.parametrize(
    ("region", "scale", "expected"),
    [
        (Rect(400, 400, 200, 100), 1.0, Rect(336, 336, 328, 228)),  # the least: 64 px
        (Rect(400, 400, 400, 100), 1.0, Rect(300, 300, 600, 300)),  # a quarter of the long side
        (
            Rect(400, 400, 200, 100),
            0.5,
            Rect(272, 272, 456, 356),
        ),  # 64 network pixels are 128 of the document
        (Rect(0, 0, 200, 100), 1.0, Rect(0, 0, 264, 164)),  # clipped at the picture's edge
    ],
)
def test_context(region, scale, expected):
    found = context_rect(region, Size(1000, 1000), fraction=0.25, least_px=64, working_scale=scale)
    assert found == expected


def test_sizes():
    assert Size(3, 5).scaled(0.1) == Size(1, 1)
    assert (Size(3, 5).area, Size(3, 5).short_side, Size(3, 5).long_side) == (15, 3, 5)
