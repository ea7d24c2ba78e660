"""Canvases: sums that do not depend on order, their rounding, and where they live."""

from __future__ import annotations

import random

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from safelight.engine import canvas as canvas_module
from safelight.engine.canvas import RESIDUAL_ROUNDING, LatentCanvas, ResidualCanvas, allocate
from safelight.engine.residual import tapered_residual
from safelight.engine.tiling import Tile, TilePlan
from safelight.errors import TooMuch
from safelight.geometry import Rect, Size
from safelight.imaging.pixels import FloatArray
from safelight.spec import StageTiling


def blended(plan: TilePlan, tiles: list[Tile], residuals: dict[Tile, FloatArray]) -> ResidualCanvas:
    """`residuals` h w 3 of every tile, added in the order of `tiles`."""
    canvas = ResidualCanvas(plan.size)
    for tile in tiles:
        y = torch.from_numpy(residuals[tile]).permute(2, 0, 1)
        canvas.add(tile.box, tapered_residual(y, np.zeros_like(residuals[tile]), plan.tapers(tile)))
    return canvas


@given(
    width=st.integers(1, 60), height=st.integers(1, 60), overlap=st.integers(0, 15), seed=st.integers(0, 99)
)
@settings(max_examples=30, deadline=None)
def test_the_order_of_tiles_never_changes_a_bit(width: int, height: int, overlap: int, seed: int) -> None:
    plan = TilePlan.of(Size(width, height), StageTiling(16, overlap))
    numbers = np.random.default_rng(seed)
    residuals = {
        tile: numbers.normal(0, 0.3, (tile.box.height, tile.box.width, 3)).astype(np.float32)
        for tile in plan.tiles
    }
    shuffled = list(plan.tiles)
    random.Random(seed).shuffle(shuffled)
    forward = blended(plan, list(plan.tiles), residuals).read_rows(0, height)
    assert np.array_equal(forward, blended(plan, shuffled, residuals).read_rows(0, height))


@given(
    width=st.integers(1, 60), height=st.integers(1, 60), overlap=st.integers(0, 15), seed=st.integers(0, 99)
)
@settings(max_examples=30, deadline=None)
def test_rounding_stays_within_half_a_step_per_tile(width: int, height: int, overlap: int, seed: int) -> None:
    plan = TilePlan.of(Size(width, height), StageTiling(16, overlap))
    truth = np.random.default_rng(seed).uniform(-1, 1, (height, width, 3)).astype(np.float32)
    residuals = {tile: np.ascontiguousarray(truth[tile.box.slices]) for tile in plan.tiles}
    covering = np.zeros((height, width, 1))
    for tile in plan.tiles:
        covering[tile.box.slices] += 1
    error = np.abs(blended(plan, list(plan.tiles), residuals).read_rows(0, height) - truth)
    assert np.all(error <= covering * RESIDUAL_ROUNDING + 1e-6)


def test_residuals_beyond_the_range_are_clipped_and_never_wrap_around() -> None:
    plan = TilePlan.of(Size(24, 24), StageTiling(16, 8))
    residuals = {tile: np.full((16, 16, 3), 50, np.float32) for tile in plan.tiles}
    rows = blended(plan, list(plan.tiles), residuals).read_rows(0, 24)
    np.testing.assert_allclose(rows, 1.9375, atol=4 * RESIDUAL_ROUNDING)


def test_a_large_canvas_lives_in_a_file_and_holds_the_same() -> None:
    tapered = np.arange(-6, 6, dtype=np.int16).reshape(2, 2, 3)
    in_file, in_memory = ResidualCanvas(Size(4, 3), mapped_above_bytes=0), ResidualCanvas(Size(4, 3))
    for canvas in (in_file, in_memory):
        canvas.add(Rect(1, 1, 2, 2), tapered)
        canvas.add(Rect(1, 1, 2, 2), tapered)
    assert isinstance(allocate((4,), np.int16, mapped_above_bytes=0), np.memmap)
    assert np.array_equal(in_file.read_rows(0, 3), in_memory.read_rows(0, 3))
    assert in_file.read_rows(1, 2)[0, 1, 0] == pytest.approx(2 * -6 / 2**14)


def test_no_room_for_a_canvas_is_a_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*args: object, **kwargs: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(canvas_module.tempfile, "TemporaryFile", full)
    with pytest.raises(TooMuch, match="No space left") as caught:
        ResidualCanvas(Size(10, 10), mapped_above_bytes=0)
    assert caught.value.reason == "OUT_OF_MEMORY"


def test_a_closed_canvas_refuses_to_be_read() -> None:
    canvas = ResidualCanvas(Size(4, 4))
    canvas.close()
    canvas.close()
    with pytest.raises(ValueError, match="closed"):
        canvas.read_rows(0, 1)


def test_latents_under_one_tile_come_back_as_they_were() -> None:
    latent = np.random.default_rng(3).normal(0, 4, (4, 8, 8)).astype(np.float32)
    canvas = LatentCanvas(Size(8, 8))
    canvas.add(Rect(0, 0, 8, 8), latent)
    np.testing.assert_allclose(canvas.blended(), latent, rtol=0, atol=1.2e-10)


def test_the_order_of_latent_tiles_never_changes_a_bit() -> None:
    plan = TilePlan.of(Size(20, 13), StageTiling(8, 3))
    numbers = np.random.default_rng(4)
    tapered = []
    for tile in plan.tiles:
        down, across = plan.tapers(tile)
        latent = numbers.normal(0, 3, (4, tile.box.height, tile.box.width)).astype(np.float32)
        tapered.append((tile.box, latent * down[:, None] * across))
    canvases = LatentCanvas(plan.size), LatentCanvas(plan.size)
    for canvas, order in zip(canvases, (tapered, tapered[::-1]), strict=True):
        for box, latent in order:
            canvas.add(box, latent)
    assert np.array_equal(canvases[0].blended(), canvases[1].blended())


def test_a_large_canvas_of_which_little_is_used_needs_no_file(monkeypatch):
    monkeypatch.setattr("tempfile.TemporaryFile", lambda **kwargs: pytest.fail("a file was made"))
    canvas = ResidualCanvas(Size(3000, 2000), mapped_above_bytes=100_000, used=[Rect(0, 0, 100, 100)])
    canvas.add(Rect(50, 50, 10, 10), np.full((10, 10, 3), 8, np.int16))
    assert canvas.read_rows(55, 56, slice(50, 52)).any()
    with pytest.raises(pytest.fail.Exception):
        ResidualCanvas(Size(3000, 2000), mapped_above_bytes=100_000, used=[Rect(0, 0, 1000, 100)])
