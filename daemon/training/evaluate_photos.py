"""Measure the weights on degraded photographs that no training picture was made from, and draw a sheet of
them.

The photographs are scikit-image's astronaut, coffee, chelsea and rocket (public domain or CC0). The
degradations are those of camera pairs (Gaussian blur of about 2.35 target pixels at scale 4, noise of 0.7
levels), and the same with strong noise or JPEG. Each degraded picture depends on its photograph and case
only.

    python -m training.evaluate_photos [--weights FILE] [--sheet sheet.png] [--speed]
"""

from __future__ import annotations

import argparse
import io
import math
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from skimage import data

from safelight.engine.networks.compact import CompactNetwork, load_compact
from safelight.imaging.metrics import edge_energy, gmsd, psnr_y, ssim_y

ByteArray = npt.NDArray[np.uint8]

SHIPPED = Path(__file__).parents[1] / "safelight" / "engine" / "weights" / "compact.safetensors"
PHOTOS = ("astronaut", "coffee", "chelsea", "rocket")


@dataclass(frozen=True)
class Case:
    """One kind of damage at one scale."""

    scale: int
    name: str
    blur_px: float = 0.0
    """Sigma in target pixels of the whole blur, that of averaging over a cell included."""
    noise: float = 0.0
    """Gaussian, in 8-bit levels."""
    jpeg: int | None = None
    original_blur_px: float = 0.0
    """Sigma of a softness that the original, too, has: that of a camera, not of a picture made smaller."""


CASES = (
    Case(4, "camera, blur 2.1", blur_px=2.1, noise=0.7),
    Case(4, "camera, blur 2.6", blur_px=2.6, noise=0.7),
    Case(4, "soft original, camera", blur_px=2.35, noise=0.7, original_blur_px=0.8),
    Case(4, "camera + noise 8", blur_px=2.35, noise=8),
    Case(4, "camera + JPEG 50", blur_px=2.35, noise=0.7, jpeg=50),
    Case(2, "camera, blur 1.2", blur_px=1.2, noise=0.7),
    Case(2, "reduced by area only", blur_px=0.5),
    Case(2, "camera + noise 8", blur_px=1.2, noise=8),
    Case(2, "camera + JPEG 50", blur_px=1.2, noise=0.7, jpeg=50),
    Case(1, "noise 12", noise=12),
    Case(1, "noise 8 + JPEG 60", noise=8, jpeg=60),
    Case(1, "JPEG 30", jpeg=30),
    Case(1, "blur 1.2", blur_px=1.2),
    Case(1, "clean"),
    Case(1, "clean, soft original", original_blur_px=0.7),
)


def photo(name: str, *, soften_px: float = 0.0) -> ByteArray:
    """Return a photograph, uint8 H,W,3, cut to sides divisible by 4."""
    picture: ByteArray = getattr(data, name)()
    picture = picture[: picture.shape[0] // 4 * 4, : picture.shape[1] // 4 * 4]
    return _to_levels(_gaussian_blur(picture.astype(np.float64), soften_px)) if soften_px else picture


def damage(picture: ByteArray, case: Case) -> ByteArray:
    """Return the degraded picture, uint8, `case.scale` times smaller; noise is seeded."""
    scale = case.scale
    planes = np.asarray(picture, dtype=np.float64)
    cell_variance = (scale**2 - 1) / 12
    if case.blur_px**2 > cell_variance:
        planes = _gaussian_blur(planes, math.sqrt(case.blur_px**2 - cell_variance))
    height, width = picture.shape[0] // scale, picture.shape[1] // scale
    low = planes.reshape(height, scale, width, scale, 3).mean((1, 3))
    low = low + np.random.default_rng(7).normal(0, case.noise, low.shape) if case.noise else low
    levels = _to_levels(low)
    if case.jpeg is None:
        return levels
    buffer = io.BytesIO()
    Image.fromarray(levels).save(buffer, "JPEG", quality=case.jpeg)
    return np.asarray(Image.open(buffer))


def _to_levels(planes: npt.NDArray[np.float64]) -> ByteArray:
    return np.asarray(np.round(np.clip(planes, 0, 255)), dtype=np.uint8)


def _gaussian_blur(planes: npt.NDArray[np.float64], sigma_px: float) -> npt.NDArray[np.float64]:
    radius = math.ceil(4 * sigma_px)
    taps = np.exp(-0.5 * (np.arange(-radius, radius + 1) / sigma_px) ** 2)
    taps /= taps.sum()
    padded = np.pad(planes, ((radius, radius), (radius, radius), (0, 0)), mode="reflect")
    rows = sum(tap * padded[i : i + planes.shape[0]] for i, tap in enumerate(taps))
    return np.asarray(sum(tap * np.asarray(rows)[:, i : i + planes.shape[1]] for i, tap in enumerate(taps)))


def restore(network: CompactNetwork, low: ByteArray, sharpness: float = 0.0) -> ByteArray:
    """Return the network's result for a whole picture, uint8 H*scale,W*scale,3."""
    x = torch.from_numpy(low.astype(np.float32) / 255).permute(2, 0, 1)[None]
    with torch.inference_mode():
        y = network(x.contiguous(memory_format=torch.channels_last), sharpness)[0].permute(1, 2, 0)
    return np.asarray(y.clamp(0, 1).mul(255).round().to(torch.uint8).numpy())


def enlarge(low: ByteArray, scale: int, how: Image.Resampling) -> ByteArray:
    """Return Pillow's enlargement, the baseline; at scale 1 the picture itself."""
    return np.asarray(Image.fromarray(low).resize((low.shape[1] * scale, low.shape[0] * scale), how))


def results(network: CompactNetwork, low: ByteArray) -> dict[str, ByteArray]:
    """Return every method's result by name."""
    baselines = {"Pillow bicubic": Image.Resampling.BICUBIC, "Pillow Lanczos": Image.Resampling.LANCZOS}
    if network.scale == 1:
        pictures = {"input": low}
    else:
        pictures = {name: enlarge(low, network.scale, how) for name, how in baselines.items()}
    return pictures | {
        f"compact {name}": restore(network, low, s) for name, s in (("faithful", 0), ("crisp", 1))
    }


def scores(picture: ByteArray, reference: ByteArray) -> npt.NDArray[np.float64]:
    """Return PSNR, SSIM, GMSD and the edge energy relative to the reference."""
    edge = edge_energy(picture) / edge_energy(reference)
    return np.array([psnr_y(picture, reference), ssim_y(picture, reference), gmsd(picture, reference), edge])


def table(networks: dict[int, CompactNetwork]) -> str:
    """Return a Markdown table of means over the photographs, one line per case and method."""
    lines = ["| scale | case | method | PSNR-Y | SSIM-Y | GMSD | edge |", "|---|---|---|---|---|---|---|"]
    for case in CASES:
        sums: dict[str, npt.NDArray[np.float64]] = {}
        for name in PHOTOS:
            reference = photo(name, soften_px=case.original_blur_px)
            for method, picture in results(networks[case.scale], damage(reference, case)).items():
                sums[method] = sums.get(method, np.zeros(4)) + scores(picture, reference) / len(PHOTOS)
        for method, (psnr, ssim, deviation, edge) in sums.items():
            figures = f"{psnr:.2f} | {ssim:.4f} | {deviation:.4f} | {edge:.3f}"
            lines.append(f"| x{case.scale} | {case.name} | {method} | {figures} |")
    return "\n".join(lines)


def sheet(networks: dict[int, CompactNetwork], side: int = 240) -> Image.Image:
    """Return crops, one line per case and photograph: baseline, faithful, crisp, original."""
    crops = {"astronaut": (60, 160), "coffee": (120, 200), "chelsea": (50, 110), "rocket": (160, 280)}
    chosen = [(CASES[0], n) for n in PHOTOS] + [(CASES[i], "astronaut") for i in (3, 4, 5, 9, 11)]
    picture = Image.new("RGB", (4 * (side + 4), len(chosen) * (side + 4)))
    for line, (case, name) in enumerate(chosen):
        reference = photo(name)
        named = results(networks[case.scale], damage(reference, case))
        shown = [next(iter(named.values())), named["compact faithful"], named["compact crisp"], reference]
        top, left = crops[name]
        for column, array in enumerate(shown):
            crop = np.ascontiguousarray(array[top : top + side, left : left + side])
            picture.paste(Image.fromarray(crop), (column * (side + 4), line * (side + 4)))
    return picture


def seconds_per_megapixel(network: CompactNetwork, *, repeats: int = 9) -> float:
    """Return the best time per output megapixel, measured on one tile of 1024x1024 output pixels."""
    side = 1024 // network.scale
    x = torch.rand(1, 3, side, side).contiguous(memory_format=torch.channels_last)
    times = []
    with torch.inference_mode():
        for _ in range(repeats):
            started = time.perf_counter()
            network(x)
            times.append(time.perf_counter() - started)
    return min(times) / 1024**2 * 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure the weights on held-out photographs.")
    parser.add_argument("--weights", type=Path, default=SHIPPED)
    parser.add_argument("--sheet", type=Path)
    parser.add_argument("--speed", action="store_true")
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    networks = {scale: load_compact(arguments.weights, scale) for scale in (1, 2, 4)}
    if arguments.speed:
        for scale, network in networks.items():
            print(f"x{scale}: {seconds_per_megapixel(network):.3f} s per output megapixel")
        return
    print(table(networks))
    if arguments.sheet:
        sheet(networks).save(arguments.sheet)


if __name__ == "__main__":
    main()
