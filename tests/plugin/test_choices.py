"""What the dialog offers, and what it remembers."""

import json

import pytest
from choices import SEED_MOST, Choices, read_remembered, write_remembered

from tests.plugin.listings import of_two


@pytest.fixture
def choices():
    return Choices(of_two())


def test_it_begins_with_the_defaults(choices):
    wish = choices.wish()
    assert (wish.pipeline, dict(wish.values), wish.output, wish.source) == ("compact", {}, "layer", "layer")
    assert choices.value("strength") == 1.0
    assert choices.value("seed") == 42


def test_controls_come_live_ones_first_and_advanced_ones_last(choices):
    names = [s.name for s in choices.settings]
    assert names[:5] == ["strength", "detail", "colour", "working_scale", "sharpness"]
    advanced = [s.advanced for s in choices.settings]
    assert advanced == sorted(advanced)


def test_only_what_differs_from_the_defaults_is_asked_for(choices):
    choices.set_value("strength", 0.5)
    choices.set_value("sharpness", 1.0)
    choices.set_value("strength", 1.0)
    assert choices.wish().values == {"sharpness": 1.0}


def test_a_new_image_has_defaults_of_its_own(choices):
    assert choices.value("output_scale") == 1
    choices.output = "image"
    assert choices.value("output_scale") == 2
    assert choices.wish().in_place is False
    assert choices.scales == [2, 4, 1]


def test_an_enlargement_is_for_new_images_only(choices):
    choices.choose_output("image")
    choices.set_value("output_scale", 4)
    assert choices.wish().values == {"output_scale": 4}
    choices.choose_output("layer")
    assert choices.wish().values == {}


def test_what_a_dialog_did_not_ask_for_stays_remembered(choices):
    choices.choose_output("replace")
    again = Choices(of_two(), remembered=choices.remember())
    again.output, again.source = "image", "visible"
    assert again.wish().output == "image"
    assert Choices(of_two(), remembered=again.remember()).output == "replace"


def test_a_preset_sets_what_it_says_and_is_recognised(choices):
    choices.set_value("grain", 0.3)
    choices.set_value("seed", 7)
    choices.apply_preset("faithful")
    assert choices.value("strength") == 0.8
    assert choices.value("grain") == 0.0
    assert choices.value("seed") == 7
    assert choices.preset == "faithful"
    choices.set_value("strength", 0.7)
    assert choices.preset == ""


def test_every_preset_is_recognised_after_it_was_applied(choices):
    for name in choices.presets:
        choices.apply_preset(name)
        same = choices.presets[choices.preset]
        assert {**choices.defaults, **same} == {**choices.defaults, **choices.presets[name]}


def test_values_are_remembered_by_pipeline(choices):
    choices.set_value("sharpness", 0.5)
    choices.choose_pipeline("osediff")
    choices.set_value("strength", 0.3)
    again = Choices(of_two(), remembered=json.loads(json.dumps(choices.remember())))
    assert (again.pipeline, again.wish().values) == ("osediff", {"strength": 0.3})
    again.choose_pipeline("compact")
    assert again.wish().values == {"sharpness": 0.5}


FORGOTTEN = {
    "unknown settings": {"values": {"compact": {"gone": 1, "strength": 0.5}}},
    "values out of range": {"values": {"compact": {"sharpness": 7, "strength": 0.5}}},
    "words that are no choice": {"values": {"compact": {"monochrome": "maybe", "strength": 0.5}}},
    "another type": {"values": {"compact": {"grain": True, "sharpness": "1", "strength": 0.5}}},
    "seeds out of range": {"values": {"compact": {"seed": SEED_MOST + 1, "strength": 0.5}}},
    "a pipeline that is gone": {"pipeline": "gone", "values": {"compact": {"strength": 0.5}}},
    "other words": {"output": "poster", "source": 3, "values": {"compact": {"strength": 0.5}}},
}


@pytest.mark.parametrize("remembered", FORGOTTEN.values(), ids=FORGOTTEN)
def test_what_does_not_fit_any_more_is_forgotten(remembered):
    choices = Choices(of_two(), remembered=remembered)
    assert choices.wish().values == {"strength": 0.5}
    assert (choices.pipeline, choices.output, choices.source) == ("compact", "layer", "layer")


def test_nothing_sensible_remembered_is_nothing():
    assert Choices(of_two(), remembered={"values": [1]}).wish().values == {}


def test_a_recipe_fills_the_dialog(choices):
    choices.take(
        {"pipeline": "osediff", "strength": 0.25, "seed": 9, "output_scale": 1, "monochrome": "auto"}
    )
    assert choices.pipeline == "osediff"
    assert choices.wish().values == {"strength": 0.25, "seed": 9}


def test_reset_leads_back_to_the_defaults(choices):
    choices.apply_preset("film-still")
    choices.reset()
    assert choices.wish().values == {}


def test_what_is_remembered_lies_in_a_file(tmp_path, choices):
    path = tmp_path / "safelight.json"
    assert read_remembered(path) == {}
    write_remembered(path, choices.remember())
    assert read_remembered(path)["pipeline"] == "compact"
    assert [p.name for p in tmp_path.iterdir()] == ["safelight.json"]


@pytest.mark.parametrize("text", ["{", "[1]", ""])
def test_a_damaged_file_is_as_none(tmp_path, text):
    (tmp_path / "safelight.json").write_text(text)
    assert read_remembered(tmp_path / "safelight.json") == {}


def test_a_folder_that_cannot_be_written_to_is_no_error(tmp_path, choices):
    write_remembered(tmp_path / "not there" / "safelight.json", choices.remember())


def test_what_a_newer_safelight_says_besides_is_passed_over():
    told = of_two()
    own = told["pipelines"][1]["settings"]
    first = {**own[0], "type": "choice", "choices": ["none", "moon"], "default": "moon", "shown_when": "x"}
    told["pipelines"][1]["settings"] = [first, *own[1:]]
    choices = Choices(told)
    choices.choose_pipeline("osediff")
    setting = next(s for s in choices.settings if s.name == first["name"])
    assert setting.choices == ("none", "moon")
    choices.set_value(setting.name, "moon")
    assert choices.wish().values == {setting.name: "moon"}
