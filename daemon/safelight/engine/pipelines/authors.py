"""The authors' path of OSEDiff and S3Diff: their tiles, weights, rounding and colour alignment, for `authors_exact`.

Official: github.com/cswry/OSEDiff (`osediff.py`, `my_utils/wavelet_color_fix.py`) and
github.com/ArcticHare105/S3Diff (`src/s3diff_tile.py`), both Apache-2.0, which share this code; parts of it come from
StableSR (arXiv 2305.07015). What is kept although it is a slip, since it changes pixels: latent tiles weigh
by a Gaussian whose centre is half a cell too low; a long thin latent is not tiled while its area is that of a
tile; 8-bit values are rounded down. Differences: the posterior's mean stands for a random sample, and an
overlap that leaves no step is refused where the official loop does not end.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F

from safelight.engine.bands import LEVELS
from safelight.engine.color_fix import VARIANCE_FLOOR, truncated
from safelight.engine.pipelines.base import Conditioning, Picture, Precision, Tap, TileProgress
from safelight.engine.pipelines.stable_diffusion import OneStepPipeline
from safelight.errors import InvalidRequest
from safelight.geometry import Rect
from safelight.imaging.pixels import FloatArray
from safelight.spec import SettingValue

GAUSSIAN_VARIANCE = 0.01  # official: of positions in units of the tile
ENCODER_TILE_PX, DECODER_TILE_LAT = 1024, 224  # official defaults
LATENT_TILE, LATENT_OVERLAP = 96, 32


@dataclass(frozen=True)
class AuthorsTiling:
    """Sizes as the authors' command line names them."""

    latent: int = LATENT_TILE
    overlap: int = LATENT_OVERLAP
    encoder_px: int = ENCODER_TILE_PX
    decoder_lat: int = DECODER_TILE_LAT

    @classmethod
    def of(cls, own: Mapping[str, SettingValue]) -> AuthorsTiling:
        """From a job's own settings; 0 is the authors' default."""
        return cls(
            int(own["predict_tile"]) or LATENT_TILE,
            int(own["predict_overlap"]) if int(own["predict_overlap"]) >= 0 else LATENT_OVERLAP,
            int(own["encode_tile"]) or ENCODER_TILE_PX,
            int(own["decode_tile"]) or DECODER_TILE_LAT,
        )


def restored(
    pipeline: OneStepPipeline,
    x: torch.Tensor,
    *,
    conditioning: Conditioning,
    precision: Precision,
    tiling: AuthorsTiling,
    predict: Callable[[torch.Tensor, int], torch.Tensor],
    tap: Tap,
) -> Generator[TileProgress, None, torch.Tensor]:
    """x 1 3 H W in -1..1, sides multiples of 8, to the decoder's output in -1..1.

    `predict` gives the noise of a latent tile, whose number it is told. Taps: lq_latent, model_pred, tile_weights
    (where tiled), denoised, decoded.
    """
    yield "encode", 0, 1
    latent = pipeline.scaled_mean(
        x, conditioning=conditioning, precision=precision, tile_px=tiling.encoder_px
    )
    tap("lq_latent", latent)
    yield "encode", 1, 1
    prediction = yield from _predicted(latent, tiling, predict, tap)
    tap("model_pred", prediction)
    clean = pipeline.step(latent, prediction, step=0, conditioning=conditioning)
    tap("denoised", clean)
    yield "decode", 0, 1
    y = pipeline.decoded(clean, precision=precision, tile_lat=tiling.decoder_lat)
    tap("decoded", y)
    return y


def _predicted(
    latent: torch.Tensor,
    tiling: AuthorsTiling,
    predict: Callable[[torch.Tensor, int], torch.Tensor],
    tap: Tap,
) -> Generator[TileProgress, None, torch.Tensor]:
    boxes = latent_tiles(latent.shape[-2], latent.shape[-1], tiling)
    if len(boxes) == 1 and boxes[0].size == (latent.shape[-1], latent.shape[-2]):
        prediction = predict(latent, 0)
        yield "predict", 1, 1
        return prediction
    weights = gaussian_weights(boxes[0].height, boxes[0].width)
    tap("tile_weights", weights)
    weights = weights.to(latent.device)
    total, weight = torch.zeros_like(latent), torch.zeros_like(latent)
    for i, box in enumerate(boxes):
        rows, columns = box.slices
        total[..., rows, columns] += predict(latent[..., rows, columns], i) * weights
        weight[..., rows, columns] += weights
        yield "predict", i + 1, len(boxes)
    return total / weight


def latent_tiles(height: int, width: int, tiling: AuthorsTiling) -> list[Rect]:
    """Square tiles, column by column; the whole latent where its area is at most a tile's."""
    if height * width <= tiling.latent**2:
        return [Rect(0, 0, width, height)]
    side = min(tiling.latent, height, width)
    if side <= tiling.overlap:
        raise InvalidRequest(
            f"tiles of {side} latent cells leave no step at an overlap of {tiling.overlap}: the region is too long "
            "and thin for the authors' tiling; lower predict_overlap or switch authors_exact off",
            "TILE_OVERLAP",
        )
    return [
        Rect(x, y, side, side)
        for x in _offsets(width, side, tiling.overlap)
        for y in _offsets(height, side, tiling.overlap)
    ]


def _offsets(length: int, side: int, overlap: int) -> Iterator[int]:
    start = 0
    while start + side < length:
        yield start
        start += side - overlap
    yield length - side


def gaussian_weights(height: int, width: int) -> torch.Tensor:
    """height x width float64; centred at (width - 1) / 2 along a row but at height / 2 down."""

    def profile(side: int, centre: float) -> npt.NDArray[np.float64]:
        distance = (np.arange(side) - centre) / side
        bell = np.exp(-(distance**2) / (2 * GAUSSIAN_VARIANCE)) / np.sqrt(2 * np.pi * GAUSSIAN_VARIANCE)
        return np.asarray(bell)

    return torch.from_numpy(np.outer(profile(height, height / 2), profile(width, (width - 1) / 2)))


def to_picture(y: torch.Tensor) -> Picture:
    """1 3 H W in -1..1 to H W 3, rounded down."""
    return truncated(as_rows(y * 0.5 + 0.5))


def aligned(picture: Picture, source: Picture, how: str) -> Picture:
    """Colours of `source` (same size) by `how`: adain, wavelet or none.

    Arithmetic and its order are the scripts': sums of 8-bit values lie on the edges that rounding down falls
    from, so another order of the same additions changes a percent of the samples by a level.
    """
    if how == "none":
        return picture
    fix = _wavelet if how == "wavelet" else _adain
    fixed = fix(*(as_input(p, torch.device("cpu")) for p in (picture, source)))
    return truncated(as_rows(fixed))


def _wavelet(target: torch.Tensor, source: torch.Tensor) -> torch.Tensor:
    return _split(target)[0] + _split(source)[1]


def _split(picture: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Sum of the five detail bands, and the low band."""
    line = torch.tensor([1.0, 2.0, 1.0])
    kernel = (torch.outer(line, line) / 16).expand(3, 1, 3, 3)
    high = torch.zeros_like(picture)
    for level in range(LEVELS):
        reach = 2**level
        padded = F.pad(picture, (reach,) * 4, mode="replicate")
        low = F.conv2d(padded, kernel, groups=3, dilation=reach)
        high += picture - low
        picture = low
    return high, picture


def _adain(target: torch.Tensor, source: torch.Tensor) -> torch.Tensor:
    (mean, deviation), (to_mean, to_deviation) = _statistics(target), _statistics(source)
    return (target - mean) / deviation * to_deviation + to_mean


def _statistics(picture: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    values = picture.flatten(2)
    deviation = (values.var(dim=2) + VARIANCE_FLOOR).sqrt()
    return values.mean(dim=2)[..., None, None], deviation[..., None, None]


def as_input(picture: Picture, device: torch.device) -> torch.Tensor:
    """H W 3 to 1 3 H W, 0..1."""
    return torch.from_numpy(np.array(picture)).to(device).permute(2, 0, 1)[None].float() / 255


def as_rows(picture: torch.Tensor) -> FloatArray:
    """1 3 H W to H W 3 on the host, float32."""
    rows: FloatArray = picture[0].permute(1, 2, 0).float().cpu().numpy()
    return rows
