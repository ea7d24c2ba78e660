"""Every precision of GIMP 3 travels in its own numbers."""

import pytest
from formats import transport

COLOURS = {
    "U8_LINEAR": ("RGB u8", "u8", 3, True, False, True),
    "U8_NON_LINEAR": ("R'G'B' u8", "u8", 3, False, False, True),
    "U8_PERCEPTUAL": ("R~G~B~ u8", "u8", 3, False, True, True),
    "U16_LINEAR": ("RGB u16", "u16", 6, True, False, True),
    "U16_NON_LINEAR": ("R'G'B' u16", "u16", 6, False, False, True),
    "U16_PERCEPTUAL": ("R~G~B~ u16", "u16", 6, False, True, True),
    "U32_LINEAR": ("RGB float", "f32", 12, True, False, False),
    "U32_NON_LINEAR": ("R'G'B' float", "f32", 12, False, False, False),
    "U32_PERCEPTUAL": ("R~G~B~ float", "f32", 12, False, True, False),
    "HALF_LINEAR": ("RGB float", "f32", 12, True, False, True),
    "HALF_NON_LINEAR": ("R'G'B' float", "f32", 12, False, False, True),
    "HALF_PERCEPTUAL": ("R~G~B~ float", "f32", 12, False, True, True),
    "FLOAT_LINEAR": ("RGB float", "f32", 12, True, False, True),
    "FLOAT_NON_LINEAR": ("R'G'B' float", "f32", 12, False, False, True),
    "FLOAT_PERCEPTUAL": ("R~G~B~ float", "f32", 12, False, True, True),
    "DOUBLE_LINEAR": ("RGB float", "f32", 12, True, False, False),
    "DOUBLE_NON_LINEAR": ("R'G'B' float", "f32", 12, False, False, False),
    "DOUBLE_PERCEPTUAL": ("R~G~B~ float", "f32", 12, False, True, False),
}


@pytest.mark.parametrize("precision", COLOURS)
def test_colours(precision):
    found = transport(precision, grey=False, alpha=False)
    assert (
        found.encoding, found.sample, found.bytes_per_pixel, found.linear, found.srgb_curve, found.exact
    ) == COLOURS[precision]  # fmt: skip
    assert (found.channels, found.alpha) == (3, False)


@pytest.mark.parametrize(
    ("grey", "alpha", "encoding", "size"),
    [
        (True, False, "Y' u16", 2),
        (True, True, "Y'A u16", 4),
        (False, True, "R'G'B'A u16", 8),
    ],
)
def test_grey_and_alpha(grey, alpha, encoding, size):
    found = transport("U16_NON_LINEAR", grey=grey, alpha=alpha)
    assert (found.encoding, found.bytes_per_pixel, found.alpha) == (encoding, size, alpha)


def test_what_is_announced_is_what_the_bridge_takes():
    announced = transport("HALF_LINEAR", grey=True, alpha=True).announced()
    assert announced == {"channels": 1, "alpha": True, "sample": "f32", "linear": True}


def test_a_precision_of_a_later_gimp_is_no_guess():
    with pytest.raises(KeyError):
        transport("U64_LINEAR", grey=False, alpha=False)
