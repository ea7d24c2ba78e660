"""What a batch will take: disk, time, spread of a trial."""

from pathlib import Path

import numpy as np
import pytest
from skimage import data

from safelight.engine.pipelines.registry import default_registry
from safelight.geometry import Size
from safelight.imaging.files import write_picture
from safelight.imaging.pixels import PixelFormat, Sample
from safelight.settings import default_settings
from safelight_desktop.state.batch_estimate import (
    BYTES_SHARE,
    FILE_PIXELS_PER_S,
    Candidate,
    Kind,
    estimated_batch,
    spread,
)

SPECS = {entry.spec.id: entry.spec for entry in default_registry().entries}
SCAN = Size(2000, 1500)


def candidate(name, rate):
    spec = SPECS[name]
    return Candidate(spec, default_settings(spec, in_place=False), rate)


def kinds(folder, count=400, suffix=".tif"):
    return {Kind(SCAN, 3, suffix, folder): count}


@pytest.mark.parametrize("suffix", BYTES_SHARE)
def test_results_of_noisy_photographs_take_no_more_than_was_said(tmp_path, suffix):
    photo = data.coffee()[:200, :300].astype(np.float32)
    noisy = photo + np.random.default_rng(1).normal(0, 9, photo.shape)
    pixels = np.clip(noisy, 0, 255).astype(np.uint8)
    path = tmp_path / f"a{suffix}"
    write_picture(path, pixels, PixelFormat(3, False, Sample.U8))
    assert path.stat().st_size <= BYTES_SHARE[suffix] * pixels.nbytes


def test_disk_counts_pictures_at_their_output_size_and_finds_folders_that_are_not_there_yet(tmp_path):
    estimate = estimated_batch(kinds(tmp_path / "a/b"), candidate("compact", 1e6), [], None)
    (disk,) = estimate.disks
    assert disk.folder == tmp_path
    assert disk.needed_bytes == 400 * SCAN.area * 4 * 3
    assert disk.free_bytes > 0


def test_too_little_room_is_said():
    estimate = estimated_batch(kinds(Path("/"), count=10**9), candidate("compact", 1e6), [], None)
    assert estimate.disks[0].full


def test_time_is_the_networks_and_the_files(tmp_path):
    spec = SPECS["compact"]
    network = (
        SCAN.scaled(2 / max(spec.magnifications) * 2).area if max(spec.magnifications) < 2 else SCAN.area
    )
    estimate = estimated_batch(kinds(tmp_path, 10), candidate("compact", network / 3.0), [], None)
    files_s = SCAN.area * 5 / FILE_PIXELS_PER_S
    assert estimate.duration_s == pytest.approx(10 * (3.0 + files_s), rel=0.02)
    assert estimated_batch(kinds(tmp_path, 10), candidate("compact", None), [], None).duration_s is None


def test_the_quickest_of_those_that_were_measured_is_named_and_else_the_lightest(tmp_path):
    slow = candidate("osediff", 1e3)
    others = [candidate("s3diff", 2e3), candidate("compact", 1e6)]
    assert estimated_batch(kinds(tmp_path), slow, others, None).quicker.spec.id == "compact"
    unknown = [candidate("s3diff", None), candidate("compact", None)]
    found = estimated_batch(kinds(tmp_path), slow, unknown, None).quicker
    assert (found.spec.id, found.duration_s) == ("compact", None)
    assert estimated_batch(kinds(tmp_path), slow, [candidate("s3diff", 5e2)], None).quicker is None
    assert estimated_batch(kinds(tmp_path, 1), candidate("compact", 1e6), others, None).quicker is None


@pytest.mark.parametrize(
    ("count", "places"),
    [(0, []), (3, [0, 1, 2]), (5, [0, 1, 2, 3, 4]), (9, [0, 2, 4, 6, 8]), (400, [0, 100, 200, 299, 399])],
)
def test_a_trial_is_spread_evenly_with_both_ends(count, places):
    assert spread(count) == places
