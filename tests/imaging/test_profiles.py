"""E and D of the residual law: against littleCMS, round trips, extended range, hostile bytes."""

from __future__ import annotations

import struct

import numpy as np
import pytest
import pyvips
from hypothesis import given
from hypothesis import strategies as st

from safelight.errors import InvalidRequest
from safelight.imaging.pixels import DocumentArray, PixelFormat, Sample
from safelight.imaging.profiles import encoding_for
from tests.fakes import icc

RGB16 = PixelFormat(3, False, Sample.U16)
PROFILES = {
    "ProPhoto, gamma 1.8": icc.rgb_profile(icc.PROPHOTO, icc.gamma(1.8)),
    "Adobe RGB, gamma 2.2, version 2": icc.rgb_profile(icc.ADOBE_RGB, icc.gamma(2.2), version=2),
    "Display P3, parametric": icc.rgb_profile(icc.DISPLAY_P3, icc.parametric(3, *icc.SRGB_PARAMETERS)),
    "Adobe RGB, table": icc.rgb_profile(icc.ADOBE_RGB, icc.table(np.linspace(0, 1, 1024) ** 2)),
    "Rec. 2020, linear": icc.rgb_profile(icc.REC2020, icc.linear()),
    "three different curves": icc.rgb_profile(icc.SRGB, icc.gamma(1.8), icc.gamma(2.0), icc.gamma(2.2)),
}
each_profile = pytest.mark.parametrize("profile", PROFILES.values(), ids=PROFILES.keys())


def picture(sample: Sample, *, saturation: float = 0.08, shape: tuple[int, int] = (24, 31)) -> DocumentArray:
    """Colours around grey, inside every profile's gamut, from 15 to 90 % of white."""
    rng = np.random.default_rng(5)
    grey = rng.uniform(0.15, 0.9, (*shape, 1))
    values = (1 - saturation) * grey + saturation * rng.uniform(0, 1, (*shape, 3))
    return (values * sample.white).astype(sample.dtype)


def with_lcms(document: DocumentArray, profile: bytes) -> np.ndarray:
    """sRGB encoding from littleCMS' Lab in float: its own 16-bit sRGB goes through a coarse table."""
    image = pyvips.Image.new_from_array(document, interpretation="rgb16")
    image.set_type(pyvips.GValue.blob_type, "icc-profile-data", profile)
    lab = image.icc_import(embedded=True, pcs="lab", intent="relative").numpy().astype(np.float64)
    fy = (lab[..., 0] + 16) / 116
    f = np.stack([fy + lab[..., 1] / 500, fy, fy - lab[..., 2] / 200], axis=-1)
    xyz = np.where(f > 6 / 29, f**3, (116 * f - 16) * 27 / 24389) * icc.D50
    linear = xyz @ np.linalg.inv(np.array(icc.SRGB).T).T
    return np.where(linear > 0.0031308, 1.055 * np.abs(linear) ** (1 / 2.4) - 0.055, linear * 12.92)


@each_profile
def test_encoding_agrees_with_lcms(profile: bytes) -> None:
    document = picture(Sample.U16)
    ours = encoding_for(RGB16, profile).encode(document)
    # primaries in five digits, and ours that keep white exact: a quarter of an 8-bit step
    assert np.max(np.abs(ours - with_lcms(document, profile))) * 255 < 0.25


def test_table_profile_agrees_with_lcms_and_comes_back() -> None:
    profile = icc.lut_profile(icc.ADOBE_RGB, 2.2)
    document = picture(Sample.U16)
    encoding = encoding_for(RGB16, profile)
    encoded = encoding.encode(document)
    assert np.max(np.abs(encoded - with_lcms(document, profile))) * 255 < 0.1
    # the profile's own inverse tables have 33 points per axis: within one 8-bit step
    assert np.max(np.abs(encoding.decode(encoded) - document)) < 257


@each_profile
@pytest.mark.parametrize("sample", list(Sample))
def test_decoding_undoes_encoding(profile: bytes, sample: Sample) -> None:
    document = picture(sample)
    encoding = encoding_for(PixelFormat(3, False, sample), profile)
    back = encoding.decode(encoding.encode(document))
    assert np.max(np.abs(back - document)) < 0.1 * sample.white / 65535


def test_saturated_colours_outside_srgb_come_back() -> None:
    document = np.array([[[60000, 300, 300], [300, 60000, 300], [300, 300, 60000]]], dtype=np.uint16)
    encoding = encoding_for(RGB16, PROFILES["ProPhoto, gamma 1.8"])
    encoded = encoding.encode(document)
    assert encoded.min() < -0.05
    assert encoded.max() > 1.0
    # float32 carries the dark channel beside a bright one: under half a 16-bit step
    assert np.max(np.abs(encoding.decode(encoded) - document)) < 0.5


@pytest.mark.parametrize("profile", [b"", *PROFILES.values()], ids=["none", *PROFILES.keys()])
def test_values_beyond_black_and_white_survive(profile: bytes) -> None:
    document = np.array([[[-0.2, -0.2, -0.2], [1.5, 1.5, 1.5], [4.0, 4.0, 4.0]]], dtype=np.float32)
    encoding = encoding_for(PixelFormat(3, False, Sample.F32), profile)
    encoded = encoding.encode(document)
    assert np.all(encoded[0, 0] < 0)
    assert np.all(encoded[0, 1:] > 1)
    flat_foot = 3e-3 if profile is PROFILES["Adobe RGB, table"] else 0  # 16-bit entries: the first two are 0
    np.testing.assert_allclose(encoding.decode(encoded), document, rtol=2e-6, atol=flat_foot)


@pytest.mark.parametrize("name", sorted(PROFILES.keys() - {"three different curves"}))
def test_neutral_stays_neutral(name: str) -> None:
    grey = np.repeat(np.linspace(0, 65535, 64).astype(np.uint16)[None, :, None], 3, axis=2)
    encoded = encoding_for(RGB16, PROFILES[name]).encode(grey)
    assert np.max(np.ptp(encoded, axis=2)) < 1e-6
    np.testing.assert_allclose(encoded[0, -1], 1.0, atol=1e-6)


def srgb_to_linear(x: np.ndarray) -> np.ndarray:
    return np.where(x < 0.04045, x / 12.92, ((x + 0.055) / 1.055) ** 2.4)


@pytest.mark.parametrize(
    "profile",
    [
        b"",
        icc.rgb_profile(icc.SRGB, icc.parametric(3, *icc.SRGB_PARAMETERS)),
        icc.rgb_profile(icc.SRGB, icc.table(srgb_to_linear(np.linspace(0, 1, 1024))), version=2),
    ],
    ids=["no profile", "parametric sRGB", "sRGB as a table"],
)
def test_srgb_documents_need_no_conversion(profile: bytes) -> None:
    encoding = encoding_for(PixelFormat(3, False, Sample.U8), profile)
    document = picture(Sample.U8)
    assert encoding.identity
    np.testing.assert_array_equal(encoding.encode(document), document / np.float32(255))


def test_wide_gamut_documents_do() -> None:
    assert not encoding_for(RGB16, PROFILES["Adobe RGB, gamma 2.2, version 2"]).identity
    assert not encoding_for(RGB16, icc.rgb_profile(icc.SRGB, icc.gamma(2.2))).identity


def test_linear_documents_use_the_profiles_primaries_only() -> None:
    fmt = PixelFormat(3, False, Sample.F32, linear=True)
    document = picture(Sample.F32)
    with_curve = encoding_for(fmt, icc.rgb_profile(icc.REC2020, icc.gamma(2.4))).encode(document)
    with_none = encoding_for(fmt, PROFILES["Rec. 2020, linear"]).encode(document)
    np.testing.assert_array_equal(with_curve, with_none)


def test_linear_without_a_profile_has_srgb_primaries() -> None:
    encoding = encoding_for(PixelFormat(3, False, Sample.F32, linear=True), b"")
    encoded = encoding.encode(np.array([[[0.0, 0.214041, 1.0]]], dtype=np.float32))
    np.testing.assert_allclose(encoded[0, 0], [0.0, 0.5, 1.0], atol=1e-5)


@pytest.mark.parametrize(
    ("profile", "expected"),
    [
        (b"", 0.5),
        (icc.grey_profile(icc.gamma(2.2)), 0.50399),  # 0.5 ** (563/256): gamma is kept in 1/256
        (icc.grey_profile(icc.linear()), 0.73536),
        (icc.rgb_profile(icc.PROPHOTO, icc.gamma(1.8)), 0.57217),
    ],
    ids=["none", "grey gamma 2.2", "grey linear", "the neutral axis of an RGB profile"],
)
def test_grey_stays_one_channel(profile: bytes, expected: float) -> None:
    encoding = encoding_for(PixelFormat(1, False, Sample.F32), profile)
    document = np.full((2, 3, 1), 0.5, dtype=np.float32)
    encoded = encoding.encode(document)
    assert encoded.shape == (2, 3, 1)
    np.testing.assert_allclose(encoded, expected, atol=1e-4)
    np.testing.assert_allclose(encoding.decode(encoded), document, atol=1e-6)


@pytest.mark.parametrize("sample", list(Sample))
def test_linear_light_is_in_the_documents_own_primaries(sample: Sample) -> None:
    encoding = encoding_for(PixelFormat(3, False, sample), PROFILES["Adobe RGB, gamma 2.2, version 2"])
    numbers = np.array([[[0.25, 0.5, 1.0]]], dtype=np.float32) * np.float32(sample.white)
    linear = encoding.to_linear(numbers)
    np.testing.assert_allclose(linear[0, 0], [0.25**2.2, 0.5**2.2, 1.0], rtol=2e-3)  # gamma is kept in 1/256
    np.testing.assert_allclose(encoding.from_linear(linear), numbers, rtol=1e-6)


PARAMETRIC = {
    "type 0": (0, 1.8),
    "type 1": (1, 2.2, 0.9, 0.1),
    "type 2": (2, 2.2, 0.9, 0.05, 0.02),
    "type 3": (3, *icc.SRGB_PARAMETERS),
    "type 4": (4, 2.4, 0.92, 0.06, 0.08, 0.04, 0.01, 0.002),
}


@pytest.mark.parametrize("parameters", PARAMETRIC.values(), ids=PARAMETRIC.keys())
def test_every_parametric_curve_has_its_inverse(parameters: tuple[int, float]) -> None:
    encoding = encoding_for(PixelFormat(1, False, Sample.F32), icc.grey_profile(icc.parametric(*parameters)))
    numbers = np.linspace(-0.5, 1.5, 401, dtype=np.float32).reshape(1, -1, 1)
    linear = encoding.to_linear(numbers)
    assert np.all(np.diff(linear.ravel()) > 0)
    np.testing.assert_allclose(encoding.from_linear(linear), numbers, atol=2e-6)


@pytest.mark.parametrize("profile", [b"", *PROFILES.values(), icc.lut_profile(icc.ADOBE_RGB, 2.2, grid=9)])
@pytest.mark.parametrize("sample", list(Sample))
def test_bands_of_rows_give_the_same_bits(profile: bytes, sample: Sample) -> None:
    document = picture(sample, saturation=0.9, shape=(13, 37))
    encoding = encoding_for(PixelFormat(3, False, sample), profile)
    encoded = encoding.encode(document)
    decoded = encoding.decode(encoded)
    for cut in range(1, 13):
        parts = [document[:cut], document[cut:]]
        banded = [encoding.encode(part) for part in parts]
        np.testing.assert_array_equal(np.concatenate(banded), encoded)
        np.testing.assert_array_equal(np.concatenate([encoding.decode(b) for b in banded]), decoded)


def cmyk() -> bytes:
    return icc.profile({}, space=b"CMYK", connection=b"Lab ")


GOOD = PROFILES["Display P3, parametric"]


@pytest.mark.parametrize(
    ("profile", "says"),
    [
        (b"not a profile", "no ICC header"),
        (GOOD[:400], "outside"),
        (cmyk(), "CMYK"),
        (icc.profile({}, space=b"Lab "), "Lab"),
        (icc.profile({}), "only be read"),
        (GOOD + bytes(5 << 20), "bytes"),
        (GOOD[:128] + struct.pack(">I", 2**31) + GOOD[132:], "2147483648 tags"),
        (icc.grey_profile(struct.pack(">4sII", b"curv", 0, 2**32 - 1)), "4294967295 entries"),
        (icc.grey_profile(icc.table(np.linspace(1, 0, 100))), "never rises"),
        (icc.grey_profile(icc.gamma(0.0)), "gamma 0"),
        (icc.grey_profile(icc.parametric(1, 2.2, 0.0, 0.0)), "out of range"),
        (icc.grey_profile(icc.parametric(7, 2.2)), "function type 7"),
        (icc.rgb_profile((icc.D50, icc.D50, icc.D50), icc.gamma(2.2)), "primaries"),
    ],
)
def test_profiles_that_cannot_be_used_are_refused(profile: bytes, says: str) -> None:
    channels = 1 if profile[16:20] == b"GRAY" else 3
    with pytest.raises(InvalidRequest, match=says) as refusal:
        encoding_for(PixelFormat(channels, False, Sample.U16), profile)
    assert refusal.value.reason == "PROFILE_NOT_SUPPORTED"


def test_a_grey_profile_on_a_colour_picture_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="grey"):
        encoding_for(RGB16, icc.grey_profile(icc.gamma(2.2)))


@given(at=st.integers(0, len(GOOD) - 1), junk=st.binary(min_size=1, max_size=40))
def test_overwritten_bytes_never_crash(at: int, junk: bytes) -> None:
    hostile = (GOOD[:at] + junk + GOOD[at + len(junk) :])[: len(GOOD)]
    document = picture(Sample.U8)
    try:
        encoding = encoding_for(PixelFormat(3, False, Sample.U8), hostile)
    except InvalidRequest:
        return
    assert np.all(np.isfinite(encoding.decode(encoding.encode(document))))
