"""Make (low, target) training pairs from sharp pictures, and pools of them.

A pair is: sharp -> softened target -> camera blur -> reduction -> sharpening, noise and JPEG. The softening
of the target is what keeps a network trained on razor-sharp procedural pictures from over-sharpening
photographs, and it is what the sharpness input controls: 0 (faithful) draws 0.5 to 2.5 target px at scale 4,
1 (crisp) draws 0 to 0.3. Each sample depends on (seed, index) only.

    python -m training.degrade --pictures DIR --scale 4 --count 16000 --out pool_x4.npz [--workers 2]
"""

from __future__ import annotations

import argparse
import io
import math
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image

FloatArray = npt.NDArray[np.floating[Any]]
ByteArray = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Damage:
    """How the pairs of one scale are drawn. Lengths are target px, noise is in 8-bit levels."""

    clean_share: float
    """Share of samples that are reduced and nothing else; large where a clean input must stay unchanged."""
    full_crisp_share: float
    """Share of samples of sharpness exactly 1; half are exactly 0, the rest uniform between."""
    faithful_softness: tuple[float, float]
    """Range of the target's softness at sharpness 0."""
    crisp_softness: tuple[float, float]
    """The same at sharpness 1."""
    blur: tuple[float, float]
    """Range of the camera blur's deviation."""
    blur_share: tuple[float, float]
    """Share of samples with camera blur, at sharpness 0 and what sharpness 1 adds."""
    unsharp_share: float
    noise: tuple[float, float]
    """Range of the noise of ordinary samples, 60 % of which have any."""
    jpeg_share: float
    jpeg: tuple[int, int]
    """Range of the JPEG quality of ordinary samples, the end exclusive."""
    texture: float = 0.0
    """Largest noise that half of the sharp pictures carry before they are softened: fine texture to be kept."""


DAMAGE = {
    4: Damage(0.03, 0.1, (0.5, 2.5), (0, 0.3), (0.2, 2.4), (1, 0), 0.15, (0, 3.5), 0.3, (40, 99)),
    2: Damage(0.15, 0.1, (0.25, 1.25), (0, 0.4), (0.1, 1.2), (1, 0), 0.15, (0, 3.5), 0.25, (60, 99), 12.0),
    1: Damage(0.3, 0.1, (0, 2.0), (0, 0.3), (0.3, 1.3), (0.05, 0.5), 0.0, (6, 15), 0.6, (20, 86)),
}
GENTLE = DAMAGE | {
    4: Damage(0.03, 0.0, (0.5, 2.5), (0, 0.8), (0.2, 2.4), (1, 0), 0.15, (0, 3.5), 0.25, (75, 99)),
    2: Damage(0.06, 0.0, (0.25, 1.25), (0, 0.4), (0.1, 1.2), (1, 0), 0.15, (0, 3.5), 0.25, (75, 99)),
}
"""For the first part of a run at the scales 4 and 2: with less JPEG it gets ahead faster."""
HEAVY_SHARE = 0.25
"""Share of samples with strong noise and JPEG; half of these pass the whole chain twice."""
GRAIN_KEPT = 4.0
"""At scale 1, clean samples carry noise of up to so many 8-bit levels in low and target alike: faint grain of
a good photograph is no damage."""
LOW_PATCH_PX = {4: 32, 2: 32, 1: 64}
"""Side of the low patch of a pool, in its own pixels: 32 cells of the network's grid at every scale."""
MARGIN_PX = 8
"""Low pixels cut away on each side on average: wrap-around of the blur, and a random JPEG grid offset."""


class Sample(NamedTuple):
    """One training pair; pictures are float32 H,W,3 in 0..1, sRGB-encoded."""

    low: FloatArray
    """What the network sees, rounded to 8-bit levels."""
    target: FloatArray
    """What it should return, `scale` times as large."""
    sharpness: float
    """0 (faithful) to 1 (crisp)."""


def degrade(sharp: FloatArray, *, scale: int, rng: np.random.Generator, gentle: bool = False) -> Sample:
    """Return the pair made from `sharp`: float32 H,W,3 in 0..1, sides multiples of `scale`.

    The blur wraps around at the border: callers cut a margin away. Both sides of `low` must be at least the
    21 pixels of the blur kernels.
    """
    damage = (GENTLE if gentle else DAMAGE)[scale]
    sharpness = _draw_sharpness(damage, rng)
    faithful, crisp = damage.faithful_softness, damage.crisp_softness
    least, most = (f + (c - f) * sharpness for f, c in zip(faithful, crisp, strict=True))
    softness_px = rng.uniform(least, most)
    kind = rng.random()
    clean, heavy = kind < damage.clean_share, kind > 1 - HEAVY_SHARE
    twice = heavy and rng.random() < 0.5
    height, width = sharp.shape[0] // scale, sharp.shape[1] // scale
    if damage.texture and rng.random() < 0.5:
        sharp = np.clip(_noise(sharp, rng.uniform(0, damage.texture), rng), 0, 1)

    spectrum = np.fft.rfft2(sharp, axes=(0, 1)) * _transfer(
        sharp.shape, _gaussian(softness_px, softness_px, 0.0)
    )
    target = np.fft.irfft2(spectrum, sharp.shape[:2], axes=(0, 1)).astype(np.float32)
    if clean and scale == 1:
        target = _to_levels(_noise(target, rng.uniform(0, GRAIN_KEPT), rng))
        return Sample(target, target, sharpness)
    if clean:
        return Sample(_to_levels(_reduce(target, height, width, rng)), target, sharpness)
    blurred: FloatArray = target
    if scale > 1 or rng.random() < damage.blur_share[0] + damage.blur_share[1] * sharpness:
        kernel = _camera_kernel(rng, *damage.blur)
        blurred = np.fft.irfft2(spectrum * _transfer(sharp.shape, kernel), sharp.shape[:2], axes=(0, 1))
    low: FloatArray = np.asarray(blurred, dtype=np.float32)
    if twice:
        ratio = rng.uniform(max(0.35, 1 / scale), 1)
        low = _reduce(low, round(sharp.shape[0] * ratio), round(sharp.shape[1] * ratio), rng)
        low = _jpeg(_noise(low, rng.uniform(0, 20), rng), int(rng.integers(35, 96)))
        low = _blur(low, _camera_kernel(rng, 0.2, 1.2 if scale > 1 else 0.5))
    low = _reduce(low, height, width, rng)
    if heavy:
        low = _noise(low, rng.uniform(0, 10) if twice else rng.uniform(2, 15), rng)
        low = _jpeg(low, int(rng.integers(40, 96))) if twice or rng.random() < 0.5 else low
        return Sample(_to_levels(low), target, sharpness)
    if rng.random() < damage.unsharp_share:
        low = low + (low - _blur(low, _gaussian(1.0, 1.0, 0.0))) * rng.uniform(0.1, 1)
    return Sample(_to_levels(_light_damage(low, damage, rng)), target, sharpness)


def _draw_sharpness(damage: Damage, rng: np.random.Generator) -> float:
    kind = rng.random()
    if kind < 0.5:
        return 0.0
    return 1.0 if kind > 1 - damage.full_crisp_share else float(rng.random())


def _light_damage(low: FloatArray, damage: Damage, rng: np.random.Generator) -> FloatArray:
    """Noise and JPEG of an ordinary photograph."""
    if rng.random() < 0.6:
        low = _noise(low, rng.uniform(*damage.noise), rng)
    if rng.random() < damage.jpeg_share:
        low = _jpeg(low, int(rng.integers(*damage.jpeg)))
    return low


def _to_levels(picture: FloatArray) -> FloatArray:
    return np.asarray(np.round(np.clip(picture, 0, 1) * 255) / 255, dtype=np.float32)


def _to_bytes(picture: FloatArray) -> ByteArray:
    return np.asarray(np.clip(picture, 0, 1) * 255 + 0.5, dtype=np.uint8)


def _offsets() -> tuple[FloatArray, FloatArray]:
    y, x = np.mgrid[-10:11, -10:11].astype(np.float32)
    return y, x


def _quadratic(sigma_u: float, sigma_v: float, angle: float) -> FloatArray:
    """Squared elliptic distance of every kernel tap from the centre."""
    y, x = _offsets()
    u, v = x * math.cos(angle) + y * math.sin(angle), y * math.cos(angle) - x * math.sin(angle)
    return (u / max(sigma_u, 0.05)) ** 2 + (v / max(sigma_v, 0.05)) ** 2


def _gaussian(sigma_u: float, sigma_v: float, angle: float) -> FloatArray:
    kernel = np.exp(-0.5 * _quadratic(sigma_u, sigma_v, angle))
    return np.asarray(kernel / kernel.sum(), dtype=np.float32)


def _camera_kernel(rng: np.random.Generator, low_px: float, high_px: float) -> FloatArray:
    """21x21 kernel: 60 % Gaussian, 20 % generalised Gaussian, 20 % plateau; half of them anisotropic."""
    sigma_u = sigma_v = rng.uniform(low_px, high_px)
    if rng.random() < 0.5:
        sigma_v = rng.uniform(low_px, high_px)
    angle, kind = rng.uniform(0, math.pi), rng.random()
    if kind < 0.6:
        return _gaussian(sigma_u, sigma_v, angle)
    distance = _quadratic(sigma_u, sigma_v, angle)
    if kind < 0.8:
        kernel = np.exp(-0.5 * distance ** rng.uniform(0.5, 2.5))
    else:
        kernel = 1 / (1 + (distance / 3) ** rng.uniform(1.5, 8))  # a soft disk of radius sqrt(3) sigma
    return np.asarray(kernel / kernel.sum(), dtype=np.float32)


def _transfer(shape: tuple[int, ...], kernel: FloatArray) -> npt.NDArray[np.complex64]:
    """Frequency response (H, W // 2 + 1, 1) of a kernel centred on its middle tap."""
    plane = np.zeros(shape[:2], np.float32)
    plane[: kernel.shape[0], : kernel.shape[1]] = kernel
    plane = np.roll(plane, (-(kernel.shape[0] // 2), -(kernel.shape[1] // 2)), (0, 1))
    return np.asarray(np.fft.rfft2(plane)[..., None], dtype=np.complex64)


def _blur(picture: FloatArray, kernel: FloatArray) -> FloatArray:
    spectrum = np.fft.rfft2(picture, axes=(0, 1)) * _transfer(picture.shape, kernel)
    return np.asarray(np.fft.irfft2(spectrum, picture.shape[:2], axes=(0, 1)), dtype=np.float32)


def _reduce(picture: FloatArray, height: int, width: int, rng: np.random.Generator) -> FloatArray:
    """Reduce by area (60 %) or antialiased bicubic (40 %), without rounding."""
    if picture.shape[:2] == (height, width):
        return picture
    how = Image.Resampling.BOX if rng.random() < 0.6 else Image.Resampling.BICUBIC
    planes = [
        Image.fromarray(np.ascontiguousarray(picture[..., c])).resize((width, height), how) for c in range(3)
    ]
    return np.stack([np.asarray(p, dtype=np.float32) for p in planes], axis=2)


def _noise(picture: FloatArray, level: float, rng: np.random.Generator) -> FloatArray:
    """Gaussian noise of `level` 8-bit levels; half of it shot-like, 40 % of it grey."""
    channels = 1 if rng.random() < 0.4 else 3
    noise = rng.standard_normal((*picture.shape[:2], channels)).astype(np.float32) * np.float32(level / 255)
    if rng.random() < 0.5:
        noise = noise * np.sqrt(np.clip(picture, 0.02, 1) / 0.5)
    return picture + noise


def _jpeg(picture: FloatArray, quality: int) -> FloatArray:
    buffer = io.BytesIO()
    levels = np.asarray(np.clip(picture, 0, 1) * 255 + 0.5, dtype=np.uint8)
    Image.fromarray(levels).save(buffer, "JPEG", quality=quality)
    return np.asarray(Image.open(buffer), dtype=np.float32) / 255


@cache
def _pictures(folder: Path) -> list[ByteArray]:
    return [np.asarray(Image.open(path).convert("RGB")) for path in sorted(folder.glob("*.png"))]


def pool_sample(
    pictures: list[ByteArray], index: int, *, scale: int, seed: int, gentle: bool = False
) -> tuple[ByteArray, ByteArray, float]:
    """Return sample `index` of a pool: low and target patch as uint8 (side, side, 3), and the sharpness."""
    rng = np.random.default_rng((seed, scale, index))
    picture = pictures[int(rng.integers(len(pictures)))]
    side = (LOW_PATCH_PX[scale] + 2 * MARGIN_PX) * scale
    top, left = (int(rng.integers(0, limit - side + 1)) for limit in picture.shape[:2])
    crop = picture[top : top + side, left : left + side]
    if rng.random() < 0.1:
        crop = crop[..., rng.permutation(3)]
    low, target, sharpness = degrade(crop.astype(np.float32) / 255, scale=scale, rng=rng, gentle=gentle)
    y, x = (int(v) for v in rng.integers(MARGIN_PX - 4, MARGIN_PX + 4, 2))
    patch = LOW_PATCH_PX[scale]
    low = low[y : y + patch, x : x + patch]
    target = target[y * scale : (y + patch) * scale, x * scale : (x + patch) * scale]
    return _to_bytes(low), _to_bytes(target), sharpness


def _from_folder(
    index: int, *, folder: Path, scale: int, seed: int, gentle: bool
) -> tuple[ByteArray, ByteArray, float]:
    return pool_sample(_pictures(folder), index, scale=scale, seed=seed, gentle=gentle)


def main() -> None:
    parser = argparse.ArgumentParser(description="Make a pool of training pairs.")
    parser.add_argument("--pictures", type=Path, required=True)
    parser.add_argument("--scale", type=int, choices=(1, 2, 4), required=True)
    parser.add_argument("--count", type=int, default=12000)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--gentle", action="store_true", help="for the first part of a run")
    parser.add_argument("--workers", type=int, default=2)
    arguments = parser.parse_args()
    common = {"scale": arguments.scale, "seed": arguments.seed, "gentle": arguments.gentle}
    make = partial(_from_folder, folder=arguments.pictures, **common)
    with ProcessPoolExecutor(arguments.workers) as workers:
        samples = list(workers.map(make, range(arguments.count), chunksize=64))
    low, target, sharpness = zip(*samples, strict=True)
    np.savez(
        arguments.out,
        low=low,
        target=target,
        sharpness=np.asarray(sharpness, np.float32),
        scale=arguments.scale,
    )


if __name__ == "__main__":
    main()
