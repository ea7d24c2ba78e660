"""Facts about the pipeline `compact`, readable without torch."""

from __future__ import annotations

from pathlib import Path

from safelight.spec import MemoryModel, PipelineSpec, SettingSpec, StageTiling

WEIGHTS_FILE = Path(__file__).parents[1] / "weights" / "compact.safetensors"

COMPACT = PipelineSpec(
    id="compact",
    title="Compact",
    summary="Cleans and enlarges with Safelight's own small network: runs on any CPU, invents nothing.",
    licence="Apache-2.0",
    licence_url="https://www.apache.org/licenses/LICENSE-2.0",
    generative=False,
    stages={
        # At scale 1 the network works on 2x2 cells, which must be the same ones in every tile: multiple 2.
        # Its receptive field is 21 px there; measured, 32 px of overlap keep tiled within 1/255 of untiled.
        # A tile of 384 px enlarged by 4 is 2.4 megapixels: what a cancelled job still computes.
        "decode": StageTiling(tile=384, overlap=32, multiple=2, batch=8, least_tile=64, even=True)
    },
    memory=MemoryModel(weights_bytes=8_000_000, bytes_per_tile_px=1500),
    settings=(
        SettingSpec(
            "sharpness", "Sharpness", "float", 0.0,
            "0 is faithful: closest to what the camera saw; 1 is crisp: sharper edges, a little less true.",
            0.0, 1.0,
        ),
    ),
    magnifications=(1, 2, 4),
    auto_short_side_px=None,
    context_fraction=0.0,  # it looks 21 px far; the ring also serves the grain's statistics
    context_least_px=64,
    low_band_from_document=False,
    presets={"crisp": {"sharpness": 1.0, "strength": 1.0, "detail": 1.0}},
)  # fmt: skip


def compact_installed() -> bool:
    """The weights come in the wheel; False only in a broken installation."""
    return WEIGHTS_FILE.is_file()
