"""What tiles keep between steps."""

import pytest
import torch

from safelight.engine.pipelines import tile_embeddings
from safelight.engine.pipelines.tile_embeddings import TileEmbeddings
from safelight.geometry import Rect

BOX = Rect(0, 0, 3, 2)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("budget", [0, 1 << 20], ids=["on the host", "on the device"])
def test_a_tile_is_computed_once_and_comes_back_equal(dtype, budget, monkeypatch):
    monkeypatch.setattr(tile_embeddings, "DEVICE_BYTES", budget)
    kept, made = TileEmbeddings(), []

    def make():
        made.append(torch.rand(4, 2, 3).to(dtype))
        return made[-1]

    for _ in range(3):
        assert torch.equal(kept.of(BOX, dtype, make), made[0])
    assert len(made) == 1


def test_tiles_of_other_places_sizes_and_precisions_are_others():
    kept, made = TileEmbeddings(), []
    for box, dtype in (
        (BOX, torch.float32),
        (BOX.shifted(1, 0), torch.float32),
        (Rect(0, 0, 3, 3), torch.float32),
        (BOX, torch.bfloat16),
    ):
        kept.of(box, dtype, lambda dtype=dtype: made.append(1) or torch.zeros(1, 1, 1, dtype=dtype))
    assert len(made) == 4


def test_the_device_holds_no_more_than_its_share(monkeypatch):
    monkeypatch.setattr(tile_embeddings, "DEVICE_BYTES", 3 * 24)
    kept = TileEmbeddings()
    for i in range(10):
        kept.of(BOX.shifted(i, 0), torch.float32, lambda: torch.zeros(1, 2, 3))
    assert kept._device_bytes == 3 * 24
