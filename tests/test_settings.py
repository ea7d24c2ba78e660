from dataclasses import replace

import pytest

from safelight import settings
from safelight.engine.pipelines.compact_spec import COMPACT
from safelight.errors import InvalidRequest
from safelight.settings import COMMON, RestoreSettings, default_settings, preset_values
from safelight.spec import SettingSpec

NUMBER = SettingSpec("n", "N", "float", 0.5, "Help.", 0.0, 1.0)
COUNT = SettingSpec("c", "C", "int", 2, "Help.", 1, 50)
FLAG = SettingSpec("f", "F", "bool", False, "Help.")
WORD = SettingSpec("w", "W", "choice", "a", "Help.", choices=("a", "b"))
TEXT = SettingSpec("t", "T", "text", "", "Help.")


@pytest.mark.parametrize(
    ("spec", "typed", "value"),
    [
        (NUMBER, "0.25", 0.25),
        (NUMBER, "1", 1.0),
        (COUNT, "50", 50),
        (FLAG, "Yes", True),
        (FLAG, "off", False),
        (WORD, "b", "b"),
        (TEXT, "a = b", "a = b"),
    ],
)
def test_what_a_person_types(spec, typed, value):
    parsed = spec.parse(typed)
    assert parsed == value
    assert type(parsed) is type(value)


@pytest.mark.parametrize(
    ("spec", "typed"),
    [
        (NUMBER, "1.5"), (NUMBER, "nan"), (NUMBER, "inf"), (NUMBER, "x"), (COUNT, "2.0"), (COUNT, "0"),
        (FLAG, "maybe"), (WORD, "c"), (TEXT, "x" * 5000),
    ],
)  # fmt: skip
def test_what_is_refused(spec, typed):
    with pytest.raises(InvalidRequest) as raised:
        spec.parse(typed)
    assert spec.name in raised.value.message


@pytest.mark.parametrize(
    ("spec", "value"), [(NUMBER, True), (NUMBER, "0.5"), (COUNT, 2.0), (COUNT, True), (FLAG, 1), (TEXT, 1)]
)
def test_a_value_of_another_type_is_refused(spec, value):
    with pytest.raises(InvalidRequest):
        spec.check(value)


def test_every_default_and_preset_passes_its_own_check():
    for spec in (*COMMON, *COMPACT.settings):
        assert spec.check(spec.default) == spec.default
    for name in {**settings.COMMON_PRESETS, **COMPACT.presets}:
        default_settings(COMPACT, in_place=True).with_values(COMPACT, preset_values(COMPACT, name))


@pytest.mark.parametrize("name", ["film-still", "Film still", "FILM_STILL"])
def test_a_preset_may_be_written_as_people_write_it(name):
    assert preset_values(COMPACT, name)["grain"] == 1.0


def test_common_settings_are_fields_with_the_same_defaults():
    plain = RestoreSettings("compact")
    assert {s.name: s.default for s in COMMON} == {s.name: getattr(plain, s.name) for s in COMMON}


def test_band_weights_of_the_faithful_preset_are_those_of_the_design():
    faithful = default_settings(COMPACT, in_place=True).with_values(
        COMPACT, preset_values(COMPACT, "faithful")
    )
    assert faithful.band_weights == pytest.approx((0.5, 0.5, 0.8, 0.8, 0.8, 0.0))


def test_defaults_in_place_and_enlarged():
    keeping = replace(COMPACT, low_band_from_document=True)
    in_place, enlarged = (default_settings(keeping, in_place=flag) for flag in (True, False))
    assert (in_place.output_scale, in_place.colour, in_place.seed) == (1, 0.0, 42)
    assert (enlarged.output_scale, enlarged.colour) == (2, 1.0)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"output_scale": 3}, "SCALE_NOT_OFFERED"),
        ({"seed": -1}, "SEED_OUT_OF_RANGE"),
        ({"seed": 2**63}, "SEED_OUT_OF_RANGE"),
        ({"strength": float("nan")}, "SETTING_OUT_OF_RANGE"),
        ({"working_scale": 0.1}, "SETTING_OUT_OF_RANGE"),
        ({"working_scale": float("nan")}, "SETTING_OUT_OF_RANGE"),
        ({"own": {"sharpnes": 1.0}}, "UNKNOWN_SETTING"),
        ({"own": {"sharpness": 2.0}}, "SETTING_OUT_OF_RANGE"),
    ],
)
def test_bad_settings_are_refused_with_their_reason(changes, reason):
    with pytest.raises(InvalidRequest) as raised:
        RestoreSettings("compact", **changes).checked(COMPACT)
    assert raised.value.reason == reason


def test_a_slip_is_answered_with_the_nearest_name():
    with pytest.raises(InvalidRequest, match="did you mean sharpness"):
        RestoreSettings("compact", own={"sharpnes": 1.0}).checked(COMPACT)
