"""S3Diff with tiny networks through whole jobs; its numbers are in the reference cases."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from safelight.engine.finish import result_bands
from safelight.engine.networks import degradation, s3diff_lora
from safelight.engine.parts import Parts
from safelight.engine.pipelines.base import PictureSource
from safelight.engine.pipelines.s3diff import S3DiffPipeline, padded
from safelight.errors import InvalidRequest, NotReady
from safelight.geometry import Rect
from safelight.settings import RestoreSettings
from tests.engine.jobs_at_hand import photo, residual_of, restored
from tests.fakes import golden
from tests.fakes.golden import DATA

NAMES = ("degradation_blur", "degradation_noise")


@pytest.fixture(scope="module")
def pipeline():
    return golden.pipeline("s3diff")


def scores_of(job):
    return tuple(job.report["conditioning"][name] for name in NAMES)


def conditioning(pipeline, blur, noise, **values):
    given = {"degradation_blur": blur, "degradation_noise": noise, **values}
    settings = RestoreSettings("s3diff").with_values(pipeline.spec, given)
    return pipeline.condition(torch.zeros(1, 3, 8, 8), settings=settings, magnification=1)


@pytest.mark.parametrize("scale", [1, 2, 4])
def test_sizes_that_are_no_multiples_come_back_exact(pipeline, scale):
    job = restored(photo(43, 31), pipeline, output_scale=scale, colour=1.0)
    result = np.concatenate([band.pixels for band in result_bands(job, rows_per_band=64)])
    assert result.shape == (31 * scale, 43 * scale, 3)


def test_scores_are_estimated_before_enlarging_and_reported(pipeline):
    pixels = photo(48, 40)
    direct = pipeline.estimator(torch.from_numpy(pixels).permute(2, 0, 1)[None].float() / 255)[0]
    for scale in (1, 4):
        found = scores_of(restored(pixels, pipeline, output_scale=scale))
        assert np.allclose(found, direct.numpy(), atol=1e-5)


def test_a_region_is_judged_with_its_context(pipeline):
    pixels = photo(128, 96)
    region = Rect(48, 40, 24, 16)
    found = scores_of(restored(pixels, pipeline, region=region))
    box = restored(pixels, pipeline, region=region).covered
    around = pipeline.estimated(PictureSource(pixels[box.slices]), settings=_settings(pipeline))
    alone = pipeline.estimated(PictureSource(pixels[region.slices]), settings=_settings(pipeline))
    assert np.allclose(found, tuple(around.values()), atol=1e-5)
    assert not np.allclose(found, tuple(alone.values()), atol=1e-3)


def _settings(pipeline, **values):
    return RestoreSettings("s3diff").with_values(pipeline.spec, values)


def test_given_scores_win_each_for_itself(pipeline):
    pixels = photo(48, 40)
    estimated = scores_of(restored(pixels, pipeline))
    assert scores_of(restored(pixels, pipeline, degradation_blur=0.7)) == (0.7, estimated[1])
    assert scores_of(restored(pixels, pipeline, degradation_blur=0.7, degradation_noise=0.1)) == (0.7, 0.1)


def test_scores_change_the_picture(pipeline):
    mild, heavy = (
        residual_of(restored(photo(48, 40), pipeline, degradation_blur=b, degradation_noise=b))
        for b in (0.0, 1.0)
    )
    assert np.abs(mild - heavy).max() > 0.01


def test_a_score_between_given_and_estimated_is_refused(pipeline):
    with pytest.raises(InvalidRequest, match=r"degradation_blur is -0\.5"):
        restored(photo(48, 40), pipeline, degradation_blur=-0.5)


def test_a_large_region_is_estimated_in_strips(pipeline, monkeypatch):
    pixels = photo(60, 200)
    at_once = scores_of(restored(pixels, pipeline))
    monkeypatch.setattr(degradation, "STRIP_PX", 0)
    assert np.allclose(scores_of(restored(pixels, pipeline)), at_once, atol=1e-6)


def test_tiles_with_different_scores_share_a_batch(pipeline):
    x = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    ones = [conditioning(pipeline, 0.1, 0.9), conditioning(pipeline, 0.8, 0.2)]
    both = replace(
        ones[0],
        vae_matrices=torch.cat([c.vae_matrices for c in ones]),
        unet_matrices=torch.cat([c.unet_matrices for c in ones]),
    )

    def stages(x, given):
        origins = ((0, 0),) * len(x)
        latent = pipeline.encode(x, origins=origins, conditioning=given, precision="fp32")
        prediction = pipeline.predict(latent, step=0, origins=origins, conditioning=given, precision="fp32")
        return latent, prediction

    for i, given in enumerate(ones):
        for alone, together in zip(stages(x[i : i + 1], given), stages(x, both), strict=True):
            assert torch.allclose(alone, together[i : i + 1], atol=1e-4)
    assert not torch.allclose(stages(x[:1], ones[0])[0], stages(x[:1], ones[1])[0], atol=1e-2)


@pytest.mark.parametrize(("guidance", "elements"), [(1.0, 1), (1.07, 2)])
def test_both_branches_run_in_one_batch_and_guidance_1_skips_one(pipeline, guidance, elements):
    latent = torch.rand(1, 4, 8, 8)
    given = conditioning(pipeline, 0.5, 0.5, guidance_scale=guidance)
    seen = []
    unet = pipeline._unets.at("fp32")
    handle = unet.register_forward_pre_hook(lambda module, args: seen.append(len(args[0])))
    try:
        pipeline.predict(latent, step=0, origins=((0, 0),), conditioning=given, precision="fp32")
    finally:
        handle.remove()
    assert seen == [elements]


def test_guidance_moves_away_from_the_negative_prompt(pipeline):
    latent = torch.rand(1, 4, 8, 8)
    given = conditioning(pipeline, 0.5, 0.5, guidance_scale=2.0)
    positive, negative = pipeline.branches(latent, given, "fp32")
    found = pipeline.prediction(latent, conditioning=given, precision="fp32")
    assert torch.allclose(found, 2 * positive - negative, atol=1e-6)
    assert not torch.allclose(positive, negative, atol=1e-3)


def test_nothing_of_a_job_is_left_behind(pipeline):
    networks = pipeline._unets.at("fp32"), pipeline._vaes.at("fp32")
    before = {k: v.clone() for m in networks for k, v in m.state_dict().items()}
    first = residual_of(restored(photo(48, 40), pipeline, degradation_blur=0.2, degradation_noise=0.2))
    restored(photo(48, 40), pipeline, degradation_blur=0.9, degradation_noise=0.9)
    again = residual_of(restored(photo(48, 40), pipeline, degradation_blur=0.2, degradation_noise=0.2))
    assert np.array_equal(first, again)
    assert s3diff_lora._current.get() is None
    after = {k: v for m in networks for k, v in m.state_dict().items()}
    assert all(torch.equal(before[name], after[name]) for name in before)


@pytest.mark.parametrize(("width", "height"), [(65, 40), (20, 31), (64, 64), (2, 1), (130, 127)])
def test_padding_reaches_the_next_multiple_however_small_the_picture(width, height):
    x = torch.rand(1, 3, height, width)
    found = padded(x)
    assert found.shape[-1] % 64 == found.shape[-2] % 64 == 0
    assert found.shape[-1] < width + 64
    assert torch.equal(found[..., :height, :width], x)


def test_authors_exact_reports_its_scores(pipeline):
    job = restored(photo(31, 28), pipeline, authors_exact=True, output_scale=2)
    assert set(job.report["conditioning"]) == set(NAMES)
    result = np.concatenate([band.pixels for band in result_bands(job, rows_per_band=64)])
    assert result.shape == (56, 62, 3)


def test_another_base_is_refused():
    with pytest.raises(NotReady) as caught:
        S3DiffPipeline(
            DATA / "osediff/base",
            golden.converted("s3diff"),
            golden.folder("s3diff") / "de_net.safetensors",
            torch.device("cpu"),
            Parts(),
            first="fp32",
            checkpoint_hashes={},
        )
    assert caught.value.reason == "CHECKPOINT_DAMAGED"
