"""FaithDiff with tiny networks through whole jobs; its numbers are in the reference cases."""

import numpy as np
import pytest
import torch

from safelight.engine.features import FeaturePlane
from safelight.engine.finish import result_bands
from safelight.engine.networks import faithdiff as networks
from safelight.engine.out_of_memory import MemoryLadder
from safelight.engine.parts import Parts
from safelight.engine.pipelines.faithdiff import FaithDiffPipeline
from safelight.engine.request import Progress
from safelight.engine.restore import restore
from safelight.errors import NotReady
from safelight.geometry import Rect
from safelight.settings import RestoreSettings
from tests.engine.jobs_at_hand import followed, photo, request_for, residual_of, restored
from tests.fakes import golden


@pytest.fixture(scope="module")
def pipeline():
    return golden.pipeline("faithdiff")


def settings(pipeline, **values):
    return RestoreSettings("faithdiff").with_values(pipeline.spec, values)


def conditioning(pipeline, box=None, **values):
    """Of a job on `box`, absolute latent cells, whose features are noise."""
    box = box or Rect(0, 0, 24, 20)
    plane = FeaturePlane(box)
    features = np.random.default_rng(5).normal(0, 2, (512, box.height, box.width))
    plane.add(Rect(0, 0, box.width, box.height), features)
    region = torch.zeros(1, 3, 8 * box.height, 8 * box.width)
    made = pipeline.condition(region, settings=settings(pipeline, **values), magnification=1)
    return pipeline.with_features(made, plane)


def unet_calls(pipeline):
    """A list that gets the arguments of the UNet's calls, and what ends the listening."""
    calls = []
    unet = pipeline._unets.at("fp32", "auto")
    hook = unet.register_forward_pre_hook(
        lambda module, args, kwargs: calls.append((args, kwargs)), with_kwargs=True
    )
    return calls, hook


def predicted(pipeline, latent, origins, given, step=0):
    with torch.inference_mode():
        return pipeline.predict(latent, step=step, origins=origins, conditioning=given, precision="fp32")


@pytest.mark.parametrize("scale", [1, 2])
def test_sizes_that_are_no_multiples_come_back_exact(pipeline, scale):
    job = restored(photo(43, 31), pipeline, output_scale=scale, colour=1.0)
    result = np.concatenate([band.pixels for band in result_bands(job, rows_per_band=64)])
    assert result.shape == (31 * scale, 43 * scale, 3)


def test_progress_tells_every_tile_of_every_step(pipeline):
    pixels = photo(160, 96)
    events = followed(restore(request_for(pixels, pipeline.spec, steps=3), pipeline, memory=MemoryLadder()))[
        1
    ]
    told = [e for e in events if isinstance(e, Progress) and e.stage == "predict"]
    assert [(e.step, e.steps, e.tiles_done, e.tiles) for e in told] == [
        (1, 3, 1, 6), (1, 3, 2, 6), (2, 3, 3, 6), (2, 3, 4, 6), (3, 3, 5, 6), (3, 3, 6, 6),
    ]  # fmt: skip
    fractions = [e.fraction for e in events if isinstance(e, Progress) and e.fraction]
    assert fractions == sorted(fractions)
    assert fractions[-1] == pytest.approx(1)


def test_a_job_can_be_left_after_any_step(pipeline):
    run = restore(request_for(photo(128, 96), pipeline.spec), pipeline, memory=MemoryLadder())
    for event in run:
        if isinstance(event, Progress) and event.step == 1:
            break
    run.close()
    assert networks._current.get() is None


@pytest.mark.parametrize(("guidance", "elements"), [(1.0, 1), (5.0, 2)])
def test_both_branches_run_in_one_batch_and_guidance_1_skips_one(pipeline, guidance, elements):
    given = conditioning(pipeline, guidance_scale=guidance, negative_prompt="blurry")
    calls, hook = unet_calls(pipeline)
    predicted(pipeline, torch.rand(1, 4, 16, 16), ((0, 0),), given)
    hook.remove()
    assert [len(args[0]) for args, _ in calls] == [elements]


def test_tiles_of_a_batch_keep_their_own_features_prompts_and_places(pipeline):
    given = conditioning(pipeline, prompt_source="text", prompt="a cat", negative_prompt="blurry")
    latent = torch.randn(2, 4, 12, 12, generator=torch.Generator().manual_seed(0))
    origins = ((0, 0), (10, 6))
    together = predicted(pipeline, latent, origins, given)
    for i in range(2):
        alone = predicted(pipeline, latent[i : i + 1], origins[i : i + 1], given)
        assert torch.allclose(alone, together[i : i + 1], atol=1e-3)
    swapped = predicted(pipeline, latent, origins[::-1], given)
    assert not torch.allclose(swapped, together, atol=1e-2)


def test_the_place_of_a_tile_counts_from_the_regions_corner_in_latent_cells(pipeline):
    given = conditioning(pipeline, Rect(-7, 50, 24, 20), tile_size=128)
    calls, hook = unet_calls(pipeline)
    predicted(pipeline, torch.rand(1, 4, 8, 8), ((-3, 56),), given)
    hook.remove()
    ids = calls[0][1]["added_cond_kwargs"]["time_ids"]
    assert ids.tolist() == [[160, 192, 6, 4, 128, 128]] * 2


def test_a_tiles_embedding_is_computed_once_for_all_steps(pipeline):
    given = conditioning(pipeline, steps=4)
    embed = pipeline._unets.at("fp32", "auto").conv_in.alignment.condition_embedding
    calls = []
    hook = embed.register_forward_hook(lambda *_: calls.append(1))
    for step in range(4):
        for origin in ((0, 0), (8, 4)):
            predicted(pipeline, torch.rand(1, 4, 12, 12), (origin,), given, step)
    hook.remove()
    assert len(calls) == 2


def test_the_prompt_changes_the_result_and_is_reported(pipeline):
    pixels = photo(64, 56)
    plain = restored(pixels, pipeline)
    told = restored(pixels, pipeline, prompt_source="text", prompt="an old stone house with a red roof")
    assert plain.report["conditioning"]["prompt"] == ""
    assert told.report["conditioning"]["prompt"].startswith("an old stone house")
    assert np.abs(residual_of(plain) - residual_of(told)).max() > 1e-3


@pytest.mark.parametrize("name", ["start", "scheduler", "hdr", "seed"])
def test_settings_change_the_picture(pipeline, name):
    other = {"start": "noise", "scheduler": "unipc", "hdr": 1.0, "seed": 7}[name]
    pixels = photo(64, 56)
    one, two = restored(pixels, pipeline), restored(pixels, pipeline, **{name: other})
    assert np.abs(residual_of(one) - residual_of(two)).max() > 1e-3


def test_noise_belongs_to_the_place_and_not_to_the_crop(pipeline):
    """The first latents of a cell are the same bits whatever the tile, but for what the picture adds."""
    given = conditioning(pipeline, start="noise")
    with torch.inference_mode():
        whole, part = (
            pipeline.encode(
                torch.rand(1, 3, 8 * n, 8 * n), origins=(at,), conditioning=given, precision="fp32"
            )
            for n, at in ((12, (0, 0)), (6, (4, 3)))
        )
    assert torch.equal(whole[:, :4, 3:9, 4:10], part[:, :4])


def test_a_scheduler_with_state_gives_the_same_picture_again(pipeline):
    pixels = photo(160, 64)
    first, again = (residual_of(restored(pixels, pipeline, scheduler="unipc", steps=3)) for _ in range(2))
    assert np.array_equal(first, again)


def test_nothing_of_a_job_is_left_behind(pipeline):
    unet = pipeline._unets.at("fp32", "auto")
    before = {name: tensor.clone() for name, tensor in unet.state_dict().items()}
    pixels = photo(64, 56)
    first = residual_of(restored(pixels, pipeline))
    restored(pixels, pipeline, prompt_source="text", prompt="another", scheduler="unipc", seed=9, steps=3)
    assert np.array_equal(first, residual_of(restored(pixels, pipeline)))
    assert networks._current.get() is None
    assert all(torch.equal(before[name], tensor) for name, tensor in unet.state_dict().items())


def test_8_bit_weights_stay_near_the_full_ones_and_take_less(pipeline):
    pixels = photo(64, 56)
    try:
        full, eighth = (
            restored(pixels, pipeline, precision="bf16", weights=weights) for weights in ("full", "fp8")
        )
        error = np.mean((residual_of(full) - residual_of(eighth)) ** 2)
        assert -10 * np.log10(error) > 35  # dB; measured 44 at 128x128, 4 steps
        assert eighth.report["conditioning"]["weights"] == "fp8"
        storages = pipeline._unets._loaded
        assert storages["bf16", "fp8"].network.conv_out.weight.dtype == torch.bfloat16
        assert storages["bf16", "fp8"].bytes < 0.75 * storages["fp32", "full"].bytes / 2
    finally:
        pipeline.rest("fp32")
    assert list(pipeline._unets._loaded) == [("fp32", "full")]


def loaded_with(room):
    """A pipeline of its own on a device where `room` says what fits."""
    made = golden.folder("faithdiff")
    return FaithDiffPipeline(
        made / "official" / "sdxl",
        made / "official" / "vae_fp16",
        made / "faithdiff.safetensors",
        torch.device("cpu"),
        Parts(room=lambda device, needed: room),
        first="bf16",
        checkpoint_hashes={},
        spec=golden.SPECS["faithdiff"],
    )


@pytest.mark.parametrize(("room", "kept"), [(True, "bf16"), (False, "bf16, UNet in fp8")])
def test_free_memory_decides_how_weights_are_kept(pipeline, room, kept):
    assert loaded_with(room).kept_as("bf16") == kept


def test_another_precision_takes_8_bits_where_all_of_it_does_not_fit(pipeline):
    small = loaded_with(False)
    small._unets.at("fp32", "auto")
    assert list(small._unets._loaded) == [("fp32", "fp8")]
    small._unets.at("bf16", "full")
    assert list(small._unets._loaded) == [("bf16", "full")]


def test_networks_that_wait_for_their_stage_are_not_loaded_yet(pipeline):
    fresh = loaded_with(True)
    assert [part.bytes for part in fresh.parts] == [0, 0]  # the text encoders
    assert fresh.weights_bytes > 0
    restored(photo(48, 40), fresh, precision="bf16")
    assert {part.key.title for part in fresh.parts} == {"text encoder", "text encoder 2", "LQ encoder", "VAE"}
    assert all(part.idle for part in fresh.parts)


def test_a_file_of_another_base_is_refused(pipeline, tmp_path):
    made = golden.folder("faithdiff")
    config = (made / "official/sdxl/unet/config.json").read_text("utf-8")
    for part in ("text_encoder", "text_encoder_2", "tokenizer", "tokenizer_2", "scheduler"):
        (tmp_path / part).symlink_to(made / "official" / "sdxl" / part)
    (tmp_path / "unet").mkdir()
    (tmp_path / "unet" / "config.json").write_text(
        config.replace('"cross_attention_dim": 80', '"cross_attention_dim": 96')
    )
    with pytest.raises(NotReady) as caught:
        FaithDiffPipeline(
            tmp_path,
            made / "official" / "vae_fp16",
            made / "faithdiff.safetensors",
            torch.device("cpu"),
            Parts(),
            first="fp32",
            checkpoint_hashes={},
        )
    assert caught.value.reason == "CHECKPOINT_DAMAGED"


def test_the_start_from_the_picture_carries_little_of_it(pipeline):
    """0.068 of the latent and almost all of the noise, which has the scheduler's scale already."""
    given = conditioning(pipeline, steps=20)
    noise = torch.ones(1, 4, 2, 2)
    found = pipeline.noisy(torch.zeros(1, 4, 2, 2), noise, given)
    assert torch.allclose(found, torch.full_like(found, 0.99767), atol=1e-4)
    found = pipeline.noisy(noise, torch.zeros(1, 4, 2, 2), given)
    assert torch.allclose(found, torch.full_like(found, 0.0682649), atol=1e-6)


def test_out_of_memory_in_a_step_goes_on_in_pieces(pipeline):
    failed = []

    def refuse(module, args, kwargs):
        if args[0].shape[-1] > 8:
            failed.append(1)
            raise torch.OutOfMemoryError("not so large")

    hook = pipeline._unets.at("fp32", "auto").register_forward_pre_hook(refuse, with_kwargs=True)
    try:
        job = restored(photo(128, 120), pipeline)
    finally:
        hook.remove()
    assert failed
    assert {entry["stage"] for entry in job.report["ladder"]} == {"predict"}


def test_authors_exact_reports_its_prompt(pipeline):
    job = restored(photo(31, 28), pipeline, authors_exact=True, output_scale=2, tile_height=64, tile_size=64)
    result = np.concatenate([band.pixels for band in result_bands(job, rows_per_band=64)])
    assert result.shape == (56, 62, 3)
