"""OSEDiff with tiny networks through whole jobs; its numbers are in the reference cases."""

import shutil
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch

from safelight.engine.device import CpuDevice
from safelight.engine.finish import result_bands
from safelight.engine.out_of_memory import MemoryLadder
from safelight.engine.parts import Parts
from safelight.engine.pipelines.base_networks import load_unet
from safelight.engine.pipelines.osediff import (
    LORA_ALPHA,
    Adapters,
    OSEDiffPipeline,
    network_picture,
)
from safelight.engine.pipelines.osediff_spec import OSEDIFF, OSEDIFF_FACE
from safelight.engine.pipelines.versions import Place
from safelight.engine.region_plan import plan_region
from safelight.engine.restore import restore
from safelight.engine.working_scale import choose_working_scale
from safelight.errors import InvalidRequest, NotReady
from safelight.geometry import Rect
from safelight.settings import RestoreSettings
from safelight.spec import StageTiling
from tests.engine.jobs_at_hand import followed, photo, request_for, residual_of, restored
from tests.engine.seams import seam_measure
from tests.engine.test_memory import forget_peak, peak_bytes, rss_bytes
from tests.fakes import golden
from tests.fakes.golden import DATA, converted
from tests.parity.runner import load

HERE = Place(torch.device("cpu"), "fp32")


@pytest.fixture(scope="module")
def pipeline():
    return golden.pipeline("osediff")


def delivered(restoration):
    return np.concatenate([band.pixels for band in result_bands(restoration, rows_per_band=64)])


def differing(a, b):
    return int(np.abs(a.astype(int) - b.astype(int)).max())


@pytest.mark.parametrize("scale", [1, 2, 4])
@pytest.mark.parametrize("size", [(37, 29), (50, 21)])
def test_sizes_that_are_no_multiples_come_back_exact(pipeline, scale, size):
    width, height = size
    job = restored(photo(width, height), pipeline, output_scale=scale, colour=1.0)
    result = delivered(job)
    assert result.shape == (height * scale, width * scale, 3)
    assert job.working_scale == scale
    assert differing(result[-1], result[-2]) > 0  # the last row is a restored one like the others


def test_a_network_that_fits_into_one_tile_is_computed_once_per_stage(pipeline):
    job = restored(photo(128, 128), pipeline, region=Rect(33, 41, 50, 40))
    assert job.report["tiles"] == {"encode": 1, "predict": 1, "decode": 1}


def test_the_order_of_tiles_changes_no_bit(pipeline):
    pixels = photo(200, 150)
    by_rows = restored(pixels, pipeline)
    run = restore(request_for(pixels, pipeline.spec), pipeline, memory=MemoryLadder(), previews=True)
    from_center, _ = followed(run)
    assert np.array_equal(residual_of(by_rows), residual_of(from_center))


def test_tiles_leave_no_seams(pipeline):
    pixels = photo(300, 200)
    job = restored(pixels, pipeline, colour=1.0)
    whole = Rect(0, 0, 300, 200)
    plans = {
        stage.name: stage
        for stage in plan_region(pipeline.spec, region=whole, sent=whole, working_scale=1).stages
    }
    picture = job.network_input + residual_of(job)
    assert len(plans["decode"].tiles.tiles) > 4
    assert seam_measure(picture, plans["decode"].tiles, 8) <= 1.25


def test_own_tile_settings_are_used_and_checked(pipeline):
    pixels = photo(96, 64)
    job = restored(pixels, pipeline, encode_tile=64, encode_overlap=16, predict_tile=8, decode_tile=12)
    assert job.report["plan"]["stages"]["encode"]["tile"] == [64, 64]
    assert job.report["plan"]["stages"]["predict"]["tile"] == [8, 8]
    assert job.report["plan"]["stages"]["decode"]["tile"] == [12, 8]
    with pytest.raises(InvalidRequest, match="encode_tile is 60: give a multiple of 8"):
        restored(pixels, pipeline, encode_tile=60)
    with pytest.raises(InvalidRequest, match="predict_overlap is 8"):
        restored(pixels, pipeline, predict_tile=8, predict_overlap=8)


def test_adain_gives_the_result_the_mean_and_spread_of_the_input(pipeline):
    pixels = photo(96, 80)
    plain = restored(pixels, pipeline, colour_fix="none")
    fixed = restored(pixels, pipeline, colour_fix="adain")
    x = fixed.network_input
    for statistic in (np.mean, np.std):
        own = statistic(x + residual_of(fixed), axis=(0, 1))
        assert np.allclose(own, statistic(x, axis=(0, 1)), atol=2e-3)
        assert not np.allclose(statistic(x + residual_of(plain), axis=(0, 1)), own, atol=2e-2)


def test_the_wavelet_fix_is_weight_zero_of_the_low_band(pipeline):
    pixels = photo(64, 64)
    wavelet = restored(pixels, pipeline, colour_fix="wavelet", colour=1.0)
    low_band_kept = restored(pixels, pipeline, colour_fix="none", colour=0.0)
    assert np.array_equal(delivered(wavelet), delivered(low_band_kept))


def test_a_sampled_posterior_is_the_seeds_and_stays_with_its_place(pipeline):
    conditioning = _conditioning(pipeline, posterior="sampled", seed=7)
    x = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))

    def encode(origin, given=conditioning):
        return pipeline.encode(x, origins=(origin,), conditioning=given, precision="fp32")

    mean = encode((0, 0), _conditioning(pipeline))
    sample = encode((5, 3))
    assert torch.equal(sample, encode((5, 3)))
    assert not torch.equal(sample, encode((6, 3)))
    assert not torch.equal(sample, mean)


def _conditioning(pipeline, **values):
    settings = RestoreSettings("osediff").with_values(pipeline.spec, values)
    return pipeline.condition(torch.zeros(1, 3, 8, 8), settings=settings, magnification=1)


def test_the_prompt_used_is_reported(pipeline):
    assert _conditioning(pipeline).report["prompt"] == ", ,"
    said = _conditioning(pipeline, prompt_source="text", prompt="a cat")
    assert said.report["prompt"] == "a cat"
    assert not torch.equal(said.embeddings, _conditioning(pipeline).embeddings)


def test_networks_are_plain_ones_after_the_merge(pipeline):
    plain = load_unet(DATA / "osediff/base", HERE).network.state_dict()
    merged = pipeline._unets.at("fp32").state_dict()
    assert merged.keys() == plain.keys()
    assert any(not torch.equal(merged[name], plain[name]) for name in plain)


LAYERS = {"convolution": (torch.nn.Conv2d(3, 5, 3), (2, 3, 3, 3)), "linear": (torch.nn.Linear(3, 5), (2, 3))}


@pytest.mark.parametrize(("layer", "down_shape"), LAYERS.values(), ids=LAYERS)
def test_a_merged_layer_is_the_layer_and_its_low_rank_pair_side_by_side(layer, down_shape):
    randoms = torch.Generator().manual_seed(0)
    down = torch.randn(down_shape, generator=randoms)
    up = torch.randn(5, 2, *[1] * (down.ndim - 2), generator=randoms)
    pair = {"at.lora_A.one.weight": down, "at.lora_B.one.weight": up}
    x = torch.randn(4, 3, *[6] * (down.ndim - 2), generator=randoms)
    apply = torch.nn.functional.conv2d if down.ndim == 4 else torch.nn.functional.linear
    with torch.inference_mode():
        beside = layer(x) + LORA_ALPHA / 2 * apply(apply(x, down), up)
        merged = apply(x, Adapters(pair)("at.weight", layer.weight), layer.bias)
    assert torch.allclose(merged, beside, atol=1e-4)


def test_another_base_is_refused(tmp_path):
    with pytest.raises(NotReady) as caught:
        OSEDiffPipeline(
            DATA / "s3diff/base",
            converted("osediff"),
            torch.device("cpu"),
            Parts(),
            first="fp32",
            checkpoint_hashes={},
        )
    assert caught.value.reason == "CHECKPOINT_DAMAGED"
    assert "does not fit its base" in caught.value.message


@pytest.mark.parametrize("precision", ["bf16", "fp32"])
def test_reduced_precision_stays_near_fp32(pipeline, precision):
    pixels = photo(64, 64)
    exact = restored(pixels, pipeline)
    reduced = restored(pixels, pipeline, precision=precision)
    error = np.sqrt(np.mean((residual_of(exact) - residual_of(reduced)) ** 2))
    assert error <= {"fp32": 0.0, "bf16": 0.06}[precision]


# name: size of the input, process size, scale, size for the network
SIZES = {
    "scale 4, multiples of 8": ((26, 24), 64, 4, (104, 96)),
    "shrunk to multiples of 8": ((33, 21), 64, 4, (128, 80)),
    "enlarged to the process size first": ((19, 13), 64, 4, (88, 64)),
    "a side cut off one short": ((35, 26), 120, 4, (160, 112)),
    "scale 1": ((150, 133), 64, 1, (144, 128)),
}


@pytest.mark.parametrize(("size", "process_size", "scale", "expected"), SIZES.values(), ids=SIZES)
def test_the_authors_resizes(size, process_size, scale, expected):
    picture = network_picture(photo(*size), process_size, scale)
    assert picture.shape == (expected[1], expected[0], 3)


def authors_picture(pipeline, pixels, settings):
    running = pipeline.authors(pixels, settings=settings, precision="fp32")
    with torch.inference_mode():
        while True:
            try:
                next(running)
            except StopIteration as end:
                return end.value


@pytest.mark.parametrize("fix", ["adain", "wavelet", "none"])
def test_authors_exact_delivers_the_authors_picture_of_the_region(pipeline, fix):
    pixels, region = photo(80, 60), Rect(11, 7, 40, 32)
    values = {"authors_exact": True, "process_size": 64, "colour_fix": fix, "output_scale": 2}
    job = restored(pixels, pipeline, region=region, strength=0.5, grain=1.0, **values)
    settings = request_for(pixels, pipeline.spec, **values).settings
    alone = np.ascontiguousarray(pixels[region.slices])
    assert np.array_equal(delivered(job), authors_picture(pipeline, alone, settings))


def test_authors_exact_brings_a_shrunken_result_to_the_size_that_was_asked_for(pipeline):
    job = restored(photo(33, 21), pipeline, authors_exact=True, process_size=64, output_scale=4)
    assert job.report["authors_size"] == [128, 80]
    assert delivered(job).shape == (84, 132, 3)


def test_authors_exact_keeps_a_sixteen_bit_documents_format(pipeline):
    eight = photo(40, 32)
    values = {"authors_exact": True, "process_size": 32, "output_scale": 1}
    sixteen = delivered(restored(eight.astype(np.uint16) * 257, pipeline, **values))
    assert sixteen.dtype == np.uint16
    assert differing(np.rint(sixteen / 257), delivered(restored(eight, pipeline, **values))) == 0


def test_an_overlap_without_a_step_is_refused(pipeline):
    with pytest.raises(InvalidRequest, match="leave no step"):
        restored(
            photo(200, 24), pipeline, authors_exact=True, process_size=8, predict_tile=6, predict_overlap=6
        )


@pytest.mark.parametrize("output_scale", [1, 2])
@pytest.mark.parametrize(("width", "height"), [(200, 200), (333, 333), (91, 91), (300, 240), (700, 900)])
def test_a_face_with_its_surroundings_is_one_tile(width, height, output_scale):
    region = Rect(301, 211, width, height)
    whole = Rect(0, 0, 2000, 1500)
    scale = choose_working_scale(
        0.0,
        OSEDIFF_FACE,
        selection=region.size,
        whole_picture=False,
        output_scale=output_scale,
        sample=None,
    )
    plan = plan_region(OSEDIFF_FACE, region=region, sent=whole, working_scale=scale)
    assert [len(stage.tiles.tiles) for stage in plan.stages] == [1, 1, 1]
    assert plan.input_box.size == (512, 512)


def test_own_settings_have_defaults_that_pass_their_own_check():
    for spec in (OSEDIFF, OSEDIFF_FACE):
        assert RestoreSettings(spec.id).checked(spec).own["authors_exact"] is False


# -- on a pipeline that is loaded ----------------------------------------------------------------------


def test_a_second_request_loads_and_converts_nothing(tmp_path):
    files = tmp_path / "files"
    shutil.copytree(DATA / "osediff", files)
    pipeline = load(files, "osediff", tmp_path, spec=golden.SPECS["osediff"])
    pixels = photo(48, 40)
    first = delivered(restored(pixels, pipeline))
    weights = {id(p): (p.data_ptr(), p.dtype) for p in parameters(pipeline)}
    shutil.rmtree(files)
    (tmp_path / "osediff.safetensors").unlink()
    assert np.array_equal(first, delivered(restored(pixels, pipeline)))
    delivered(restored(photo(130, 61), pipeline, output_scale=2))
    assert {id(p): (p.data_ptr(), p.dtype) for p in parameters(pipeline)} == weights


def parameters(pipeline):
    return [p for networks in (pipeline._unets, pipeline._vaes) for p in networks.at("fp32").parameters()]


MEMORY_GROWTH_MOST = 1.3
BYTES_PER_RESULT_PX = 3 * 4 + 3 * 2
"""The network's input in float32 and the 16-bit canvas."""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="peaks are read from Linux' /proc")
def test_memory_depends_on_the_tile_and_not_on_the_picture(pipeline, monkeypatch):
    cells = StageTiling(tile=32, overlap=4, least_tile=8)
    pixels = StageTiling(tile=256, overlap=32, multiple=8, least_tile=64)
    tiles = {"encode": pixels, "predict": cells, "decode": cells}
    monkeypatch.setattr(pipeline, "spec", replace(pipeline.spec, stages=tiles))
    rest = {side: peak_beyond_buffers(pipeline, side) for side in (256, 480, 928)}  # the first is not counted
    assert rest[928] <= MEMORY_GROWTH_MOST * rest[480]


def peak_beyond_buffers(pipeline, side):
    """Bytes while a square result of `side` is computed, beyond before and what the memory law names."""
    pixels = np.tile(photo(side // 8, side // 8), (2, 2, 1))
    CpuDevice().release_cache()
    before = rss_bytes()
    forget_peak()
    job = restored(pixels, pipeline, output_scale=4)
    for _ in result_bands(job, rows_per_band=64):
        pass
    return peak_bytes() - before - BYTES_PER_RESULT_PX * side**2
