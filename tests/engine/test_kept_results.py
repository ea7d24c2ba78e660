"""Blending anew what was kept: without the network, and with the bits of a run that had nothing kept."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from safelight.engine.finish import result_bands
from safelight.engine.job_plan import plan_job
from safelight.engine.jobs import Job, Listener
from safelight.engine.keeping import keeping_for
from safelight.engine.kept_store import KeptStore
from safelight.engine.out_of_memory import MemoryLadder
from safelight.engine.parts import Parts
from safelight.engine.pipelines import compact
from safelight.engine.pipelines.base import Conditioning
from safelight.engine.pipelines.compact_spec import COMPACT
from safelight.engine.restore import restore
from safelight.errors import Unrestorable
from safelight.geometry import Rect
from tests.engine.jobs_at_hand import finished, input_sha256, photo, request_for
from tests.fakes import golden, pipelines
from tests.fakes.pipelines import ONE_STAGE

PIXELS = photo(300, 260)
REGION = Rect(20, 12, 260, 230)
MAGNIFYING = replace(ONE_STAGE, magnifications=(1, 2, 4))


def uneven(tiles, precision):
    """Depends on the whole tile, so that a tile of another plan would show."""
    return tiles + 0.1 * (tiles.flip(-1) - 0.5) * tiles.mean((1, 2, 3), keepdim=True)


def lasso(width=120, height=90):
    mask = np.zeros((REGION.height, REGION.width), np.uint8)
    mask[40 : 40 + height, 30 : 30 + width] = 255
    return mask


class Desk:
    """Runs jobs as the worker does, with a store that a new daemon opens for each."""

    def __init__(self, folder, pipeline):
        self._folder, self.pipeline = folder, pipeline

    def request(self, pixels=PIXELS, region=REGION, patch=None, mask=None, layer=False, **values):
        request = request_for(pixels, self.pipeline.spec, region=region, **values)
        return replace(request, patch=patch, mask=mask, layer=layer)

    def started(self, request, *, store=None, kept=True, **changes):
        plan = plan_job(request, self.pipeline.spec)
        job = Job(request, Listener(), self.pipeline.spec.id, input_sha256=input_sha256(request))
        keeping = keeping_for(job, plan, store, checkpoints={}, place="here")
        return restore(
            request,
            self.pipeline,
            memory=MemoryLadder(),
            plan=plan,
            kept=keeping.find() if keeping and kept else None,
            keep=keeping.keep if keeping else None,
            **changes,
        )

    def restored(self, **request):
        """The result's pixels and its report."""
        store = KeptStore(self._folder)
        try:
            restoration = finished(self.started(self.request(**request), store=store))
            return delivered(restoration), restoration.report
        finally:
            store.close()

    def fresh(self, **request):
        """With nothing kept."""
        return delivered(finished(self.started(self.request(**request))))


def delivered(restoration):
    try:
        return np.concatenate([band.pixels for band in result_bands(restoration, rows_per_band=70)])
    finally:
        restoration.close()


@pytest.fixture
def desk(tmp_path):
    return Desk(tmp_path / "kept", pipelines.fake(uneven, spec=MAGNIFYING))


AFTERWARDS = {
    "less strength": {"strength": 0.4},
    "other bands": {"detail": 0.3, "colour": 0.7},
    "grain": {"grain": 1.0},
    "lightness only": {"monochrome": "on"},
    "a mask": {"mask": lasso()},
    "a soft mask": {"mask": lasso(), "feather": 9.0},
    "a layer": {"layer": True},
    "a patch": {"patch": Rect(100, 90, 80, 60), "detail": 0.5},
    "a patch with grain": {"patch": Rect(100, 90, 80, 60), "grain": 0.8},
    "enlarged from the same working scale": {"output_scale": 2, "working_scale": 1.0},
}


@pytest.mark.parametrize("change", AFTERWARDS.values(), ids=AFTERWARDS)
def test_what_acts_after_the_network_needs_none_and_gives_the_same_bits(desk, change):
    desk.restored(working_scale=1.0)
    computed = len(desk.pipeline.calls)
    again, report = desk.restored(**{"working_scale": 1.0, **change})
    assert len(desk.pipeline.calls) == computed
    assert report["network"] == "kept"
    if "patch" in change and "grain" in change:  # measured on the whole region, which is there
        patch = change["patch"].shifted(-REGION.x, -REGION.y)
        assert np.array_equal(again, desk.fresh(grain=0.8, working_scale=1.0)[patch.slices])
    else:
        assert np.array_equal(again, desk.fresh(**{"working_scale": 1.0, **change}))


def test_the_report_tells_of_the_networks_own_run(desk):
    _, first = desk.restored()
    _, again = desk.restored(strength=0.5)
    told = ("tiles", "batch", "precision", "device", "threads", "conditioning", "checkpoints", "plan")
    assert first["network"] == "computed"
    assert {key: again[key] for key in told} == {key: first[key] for key in told}
    assert again["network_time"] == first["network_time"]
    assert again["tiles_computed"] == {}
    assert "decode" not in again["stages_s"]


def test_other_input_is_not_taken_for_it(desk):
    desk.restored()
    other = PIXELS.copy()
    other[0, 0, 0] ^= 1
    _, report = desk.restored(pixels=other)
    assert report["network"] == "computed"


@pytest.mark.parametrize("sample", [np.uint16, np.float32])
def test_other_formats_have_the_same_bits_too(tmp_path, sample):
    desk = Desk(tmp_path / "kept", pipelines.fake(uneven))
    pixels = PIXELS.astype(sample) * (257 if sample == np.uint16 else np.float32(1 / 255))
    desk.restored(pixels=pixels)
    again, report = desk.restored(pixels=pixels, detail=0.5)
    assert report["network"] == "kept"
    assert again.tobytes() == desk.fresh(pixels=pixels, detail=0.5).tobytes()


def test_a_toned_picture_keeps_its_toning(desk):
    toned = (PIXELS.mean(axis=2, keepdims=True) * np.array([1.0, 0.9, 0.7])).astype(np.uint8)
    desk.restored(pixels=toned)
    again, report = desk.restored(pixels=toned, strength=0.8)
    assert report["network"] == "kept"
    assert report["monochrome"] is True
    assert np.array_equal(again, desk.fresh(pixels=toned, strength=0.8))


# -- tiles that are there and tiles that are missing ---------------------------------------------------


def test_only_missing_tiles_are_computed_and_the_whole_has_the_same_bits(desk):
    _, first = desk.restored(mask=lasso())
    before = len(desk.pipeline.calls)
    whole, report = desk.restored()
    fresh_desk = desk.fresh()
    assert report["network"] == "completed"
    assert report["tiles_computed"]["decode"] + first["tiles"]["decode"] == report["tiles"]["decode"]
    assert len(desk.pipeline.calls) - before > 0
    assert np.array_equal(whole, fresh_desk)
    _, again = desk.restored(strength=0.5)
    assert again["network"] == "kept"


@pytest.mark.parametrize("scale", [1, 2])
@pytest.mark.parametrize("looks", [True, False], ids=["sees the whole region", "sees what it needs"])
def test_patches_that_are_dragged_about_add_up(desk, monkeypatch, looks, scale):
    if not looks:
        desk.pipeline.looks_at_region = False
        monkeypatch.setattr(desk.pipeline, "condition", otherwise)
    patches = [Rect(20, 12, 40, 40), Rect(100, 90, 30, 30), Rect(150, 100, 30, 30), Rect(20, 12, 40, 40)]
    told = []
    for patch in patches:
        shown, report = desk.restored(patch=patch, colour=0.5, output_scale=scale)
        told.append(report["network"])
        assert np.array_equal(shown, desk.fresh(patch=patch, colour=0.5, output_scale=scale))
    assert told == ["computed", "completed", "completed", "kept"]
    whole, report = desk.restored(output_scale=scale)
    assert report["network"] == "completed"
    assert np.array_equal(whole, desk.fresh(output_scale=scale))


def test_what_is_kept_decides_the_precision_of_what_is_missing(desk):
    _, first = desk.restored(patch=Rect(20, 12, 60, 60), precision="auto")
    desk.pipeline.calls.clear()
    _, report = desk.restored(precision="auto")
    assert report["network"] == "completed"
    assert report["precision_seconds"] == first["precision_seconds"]
    assert {precision for _, precision in desk.pipeline.calls} == {first["precision"]}


def test_tiles_of_jobs_that_found_out_other_things_are_never_mixed(desk, monkeypatch):
    patch = Rect(20, 12, 40, 40)
    desk.restored(patch=patch)
    monkeypatch.setattr(desk.pipeline, "condition", otherwise)
    desk.pipeline.calls.clear()
    _, report = desk.restored()
    assert report["network"] == "computed"
    assert report["tiles_computed"] == {"decode": int(np.prod(report["plan"]["stages"]["decode"]["grid"]))}
    assert report["conditioning"] == {"weights": "others"}
    _, again = desk.restored(patch=patch)
    assert again["network"] == "kept"
    assert again["conditioning"] == {"weights": "others"}


def otherwise(region, *, settings, magnification):
    return Conditioning(magnification, {"weights": "others"})


def test_a_cancelled_job_leaves_the_tiles_it_finished(tmp_path):
    desk = Desk(tmp_path / "kept", pipelines.fake(uneven))
    store = KeptStore(tmp_path / "kept")
    run = desk.started(desk.request(), store=store)
    while len(desk.pipeline.calls) < 5:
        next(run)
    run.close()
    store.close()
    whole, report = desk.restored()
    assert report["network"] == "completed"
    assert report["tiles_computed"]["decode"] <= report["tiles"]["decode"] - 4
    assert np.array_equal(whole, desk.fresh())


def test_a_job_cancelled_before_its_first_tile_leaves_nothing(tmp_path):
    desk = Desk(tmp_path / "kept", pipelines.StagedPipeline())
    store = KeptStore(tmp_path / "kept")
    run = desk.started(desk.request(), store=store)
    while not desk.pipeline.origins["predict"]:
        next(run)
    run.close()
    store.close()
    assert store.usage() == (0, 0)


def test_a_job_that_fails_leaves_the_tiles_that_passed(tmp_path):
    def fails_later(tiles, precision):
        return uneven(tiles, precision) if len(desk.pipeline.calls) < 6 else tiles * float("nan")

    desk = Desk(tmp_path / "kept", pipelines.fake(fails_later))
    with pytest.raises(Unrestorable):
        desk.restored()
    desk.pipeline.arithmetic = uneven
    whole, report = desk.restored()
    assert report["network"] == "completed"
    assert np.array_equal(whole, desk.fresh())


def test_two_jobs_with_the_same_key_at_once_give_the_same(tmp_path):
    desk = Desk(tmp_path / "kept", pipelines.fake(uneven))
    store = KeptStore(tmp_path / "kept")
    runs = {
        "whole": desk.started(desk.request(), store=store),
        "patch": desk.started(desk.request(patch=Rect(100, 90, 60, 60)), store=store),
    }
    ended = {}
    while runs:
        for name, run in list(runs.items()):
            try:
                next(run)
            except StopIteration as end:
                ended[name] = delivered(end.value)
                del runs[name]
    store.close()
    assert np.array_equal(ended["whole"], desk.fresh())
    _, report = desk.restored(strength=0.5)
    assert report["network"] == "kept"


def test_a_result_that_is_read_while_it_is_evicted_stays_whole(desk, tmp_path):
    desk.restored()
    store = KeptStore(tmp_path / "kept")
    restoration = finished(desk.started(desk.request(strength=0.5), store=store))
    store.forget()
    assert np.array_equal(delivered(restoration), desk.fresh(strength=0.5))


def test_the_authors_own_path_is_never_kept(tmp_path):
    desk = Desk(tmp_path / "kept", golden.pipeline("osediff"))
    _, report = desk.restored(pixels=photo(24, 24), region=None, process_size=32, authors_exact=True)
    assert report["network"] == "computed"
    assert KeptStore(tmp_path / "kept").usage() == (0, 0)


# -- the pipelines -------------------------------------------------------------------------------------

SMALL_TILES = {"encode_tile": 64, "encode_overlap": 16, "predict_tile": 8, "decode_tile": 8}
WAVELET = {"colour_fix": "wavelet", **SMALL_TILES}
REAL = {"compact": {}, "osediff": WAVELET, "s3diff": WAVELET}


@pytest.fixture(scope="module")
def loaded():
    small = compact.load(torch.device("cpu"), Parts())
    tiling = replace(COMPACT.stages["decode"], tile=96)
    small.spec = replace(COMPACT, stages={"decode": tiling})
    return {
        "compact": small,
        "osediff": golden.pipeline("osediff"),
        "s3diff": golden.pipeline("s3diff"),
    }


@pytest.mark.parametrize("name", REAL)
def test_pipelines_complete_what_is_kept_to_the_same_bits(tmp_path, loaded, name):
    desk = Desk(tmp_path / "kept", loaded[name])
    job = {"pixels": photo(368, 80), "region": Rect(8, 8, 352, 64), "working_scale": 1.0, **REAL[name]}
    patch = Rect(8, 16, 40, 40)
    shown, first = desk.restored(**job, patch=patch)
    whole, report = desk.restored(**job)
    assert report["network"] == "completed"
    assert all(first["tiles"][stage] < count for stage, count in plan_counts(report).items())
    fresh = desk.fresh(**job)
    assert np.array_equal(whole, fresh)
    assert np.array_equal(shown, fresh[patch.shifted(-8, -8).slices])
    again, report = desk.restored(**job, strength=0.6, detail=0.5)
    assert report["network"] == "kept"
    assert not np.array_equal(again, fresh)


def plan_counts(report):
    return {name: int(np.prod(stage["grid"])) for name, stage in report["plan"]["stages"].items()}


def test_colour_statistics_are_those_of_the_tiles_that_the_job_needs(tmp_path, loaded):
    desk = Desk(tmp_path / "kept", loaded["osediff"])
    job = {"pixels": photo(240, 88), "region": Rect(8, 8, 224, 72), "colour_fix": "adain", **SMALL_TILES}
    job |= {"working_scale": 1.0, "colour": 1.0}
    mask = np.zeros((72, 224), np.uint8)
    mask[10:60, 20:50] = 255
    masked, _ = desk.restored(**job, mask=mask)
    whole, report = desk.restored(**job)
    assert report["network"] == "completed"
    assert np.array_equal(whole, desk.fresh(**job))
    again, report = desk.restored(**job, mask=mask)
    assert report["network"] == "kept"
    assert np.array_equal(again, masked)
    other, report = desk.restored(**{**job, "colour_fix": "none"})
    assert report["network"] == "kept"
    assert np.array_equal(other, desk.fresh(**{**job, "colour_fix": "none"}))


def test_a_patch_takes_the_statistics_there_are_and_says_so(tmp_path, loaded, monkeypatch):
    monkeypatch.setattr(loaded["osediff"], "looks_at_region", False)
    desk = Desk(tmp_path / "kept", loaded["osediff"])
    job = {"pixels": photo(240, 88), "region": Rect(8, 8, 224, 72), "colour_fix": "adain", **SMALL_TILES}
    job |= {"working_scale": 1.0, "colour": 1.0}
    patch = Rect(20, 20, 30, 50)
    early, report = desk.restored(**job, patch=patch)
    assert report["provisional"] == ["colour_fix"]
    whole, _ = desk.restored(**job)
    late, report = desk.restored(**job, patch=patch)
    assert "provisional" not in report
    assert np.array_equal(late, whole[patch.shifted(-8, -8).slices])
    assert not np.array_equal(early, late)


def test_what_the_estimator_found_is_not_asked_again(tmp_path, loaded, monkeypatch):
    desk = Desk(tmp_path / "kept", loaded["s3diff"])
    job = {"pixels": photo(240, 88), "region": Rect(8, 8, 224, 72), "working_scale": 1.0, **SMALL_TILES}
    _, first = desk.restored(**job, patch=Rect(20, 20, 30, 50))
    monkeypatch.setattr(desk.pipeline, "estimated", lambda *args, **kwargs: pytest.fail("asked again"))
    _, report = desk.restored(**job)
    assert report["network"] == "completed"
    assert report["conditioning"] == first["conditioning"]
