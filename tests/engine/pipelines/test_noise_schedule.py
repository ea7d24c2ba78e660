"""The one diffusion step that OSEDiff and S3Diff take."""

import json
import shutil

import pytest
import torch

from safelight.engine.pipelines.noise_schedule import LastStep
from safelight.errors import NotReady
from tests.fakes.golden import DATA

BASE = DATA / "osediff/base"


def test_the_last_alpha_is_that_of_stable_diffusion():
    assert LastStep.of(BASE).alpha.sqrt().item() == pytest.approx(0.0683, abs=5e-5)


@pytest.fixture
def changed(tmp_path):
    """A base whose noise schedule has other values; None: without one."""

    def change(**values):
        shutil.copytree(BASE / "scheduler", tmp_path / "scheduler")
        path = tmp_path / "scheduler/scheduler_config.json"
        config = {**json.loads(path.read_text()), **values}
        path.write_text(json.dumps({name: value for name, value in config.items() if value != "nothing"}))
        return tmp_path

    return change


@pytest.mark.parametrize("predicted", ["epsilon", "v_prediction", "sample"])
def test_the_clean_latent_solves_the_noising_equation(changed, predicted):
    step = LastStep.of(changed(prediction_type=predicted))
    clean, eps = torch.randn(2, 1, 4, 8, 8, generator=torch.Generator().manual_seed(0))
    a, b = step.alpha.sqrt(), (1 - step.alpha).sqrt()
    given = {"epsilon": eps, "v_prediction": a * eps - b * clean, "sample": clean}[predicted]
    assert torch.allclose(step.clean(a * clean + b * eps, given), clean, atol=2e-5)


def test_a_schedule_that_says_nothing_of_clipping_clips_as_the_scheduler_of_the_authors_does(changed):
    step = LastStep.of(changed(clip_sample="nothing"))
    assert step.clean(torch.ones(1), torch.tensor([-5.0, 5.0])).tolist() == [1.0, -1.0]


def test_a_schedule_of_stable_diffusion_clips_nothing():
    assert LastStep.of(BASE).clean(torch.ones(1), torch.tensor([-5.0])).item() > 50


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"beta_start": "nothing"}, "beta_start"),
        ({"num_train_timesteps": 500}, "noise schedule"),
        ({"beta_schedule": "mystery"}, "mystery"),
        ({"prediction_type": "flow"}, "prediction"),
        ({"thresholding": True}, "thresholding"),
    ],
)
def test_another_noise_schedule_is_refused(changed, values, named):
    with pytest.raises(NotReady, match=named) as caught:
        LastStep.of(changed(**values))
    assert caught.value.reason == "CHECKPOINT_DAMAGED"
