import pytest

from safelight.client.restoration import Installed
from safelight.engine.pipelines.compact_spec import COMPACT
from safelight.engine.pipelines.s3diff_spec import S3DIFF
from safelight.errors import InvalidRequest
from safelight_desktop.state.settings_form import SettingsForm


@pytest.fixture
def form(qapp):
    made = SettingsForm()
    made.take_pipelines([Installed(s, True, "", False) for s in (COMPACT, S3DIFF)], "compact")
    return made


def test_the_daemons_default_is_chosen_first_and_a_choice_survives_a_new_list(form):
    assert form.spec.id == "compact"
    form.choose_pipeline("s3diff")
    form.take_pipelines(form.pipelines, "compact")
    assert form.spec.id == "s3diff"


def test_defaults_follow_the_output_scale_until_a_person_chooses(form):
    form.choose_pipeline("s3diff")
    form.choose_scale(1)
    assert form.value("colour") == 0.0
    form.choose_scale(2)
    assert form.value("colour") == 1.0
    form.choose("colour", 0.4)
    form.choose_scale(1)
    assert form.value("colour") == 0.4
    form.reset("colour")
    assert form.value("colour") == 0.0


def test_chosen_values_go_to_the_other_pipeline_where_it_knows_them(form):
    form.choose("strength", 0.5)
    form.choose("sharpness", 0.7)
    form.choose_pipeline("s3diff")
    settings = form.settings()
    assert (settings.pipeline, settings.strength) == ("s3diff", 0.5)
    assert "sharpness" not in settings.own


def test_a_preset_sets_its_values_and_the_others_go_back(form):
    form.choose("grain", 0.3)
    form.apply_preset("faithful")
    assert (form.value("strength"), form.value("detail"), form.value("grain")) == (0.8, 0.625, 0.0)
    assert form.preset == "faithful"
    form.choose("strength", 0.7)
    assert form.preset == ""


def test_a_preset_of_another_pipeline_is_refused(form):
    with pytest.raises(InvalidRequest):
        form.apply_preset("no such preset")


def test_settings_of_a_rendition_come_back_whole(form):
    form.choose("strength", 0.5)
    form.choose("sharpness", 0.7)
    form.choose_seed(7)
    kept = form.settings()
    form.apply_preset("faithful")
    form.choose_pipeline("s3diff")
    form.take_settings(kept)
    assert form.settings() == kept


def test_a_new_seed_is_another_one(form):
    seeds = set()
    for _ in range(5):
        form.new_seed()
        seeds.add(form.settings().seed)
    assert len(seeds) > 1
