"""`make demo`: degrades a photo visibly, restores it through a daemon of its own, and shows what happened.

The photo is the coffee cup of scikit-image's wheel (Rachel Michetti, CC0). Everything goes through the
command line and the gRPC path, as a user's first command does. Writes into demo/: original.png, before.png
(degraded, a quarter of the size), after.png (restored whole, scale 4), damaged.jpg (full size, noise and
JPEG), region.png (a box of it restored in place), sheet.png and region_sheet.png.
"""

from __future__ import annotations

import io
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter
from skimage import data

from safelight.cli.compare import sheet
from safelight.geometry import Rect
from safelight.imaging.metrics import psnr_y, ssim_y
from safelight.imaging.srgb import Srgb8, read_srgb8, write_srgb8

OUT = Path("demo")
SCALE = 4
BLUR_PX, NOISE, QUALITY = 2.2, 2.0, 85  # of the small picture: a soft lens, a little noise, a good JPEG
DAMAGE_NOISE, DAMAGE_QUALITY = 8.0, 45  # of the full-size one: a hard-pressed JPEG
REGION = Rect(160, 40, 256, 256)
CROP = Rect(300, 250, 120, 120)
SEED = 7


def main() -> int:
    OUT.mkdir(exist_ok=True)
    original = np.ascontiguousarray(data.coffee()[:400, :600])
    write_srgb8(OUT / "original.png", original)
    write_srgb8(OUT / "before.png", small(original))
    (OUT / "damaged.jpg").write_bytes(jpeg(noisy(original, DAMAGE_NOISE), DAMAGE_QUALITY))
    with tempfile.TemporaryDirectory(prefix="sl-demo-") as folder:
        kept = {"SAFELIGHT_KEPT_MB": "0"}  # the second run is to show the network's speed
        environment = {**os.environ, "SAFELIGHT_RUNTIME_DIR": folder, **kept}
        try:
            cold = restore("before.png", "after.png", environment, "--scale", str(SCALE))
            warm = restore("before.png", "after.png", environment, "--scale", str(SCALE))
            box = ",".join(map(str, REGION))
            region = restore("damaged.jpg", "region.png", environment, "--region", box)
        finally:
            safelight(environment, "stop", "--force")
    print(
        f"whole picture, scale {SCALE}:  {cold:.1f} s with the daemon's start, {warm:.1f} s when it is running"
    )
    print(f"region {box} in place:  {region:.1f} s\n")
    show_whole(original)
    show_region(original)
    print(
        "\nLook at demo/sheet.png and demo/region_sheet.png. Then try\n"
        "  .venv/bin/safelight restore YOUR.jpg -o better.png\n"
        "  .venv/bin/safelight restore YOUR.jpg -o fixed.png --region 100,80,512,512 --preset faithful\n"
        "  .venv/bin/safelight restore FOLDER -o RESTORED --preset crisp\n"
        "  .venv/bin/safelight pipelines compact"
    )
    return 0


def restore(source: str, target: str, environment: dict[str, str], *arguments: str) -> float:
    started = time.monotonic()
    safelight(environment, "restore", str(OUT / source), "-o", str(OUT / target), *arguments)
    return time.monotonic() - started


def safelight(environment: dict[str, str], *arguments: str) -> None:
    command = [sys.executable, "-m", "safelight.cli.main", *arguments]
    subprocess.run(command, env=environment, check=True)


def small(original: Srgb8) -> Srgb8:
    """A quarter of the size: blurred, sampled, a little noise, JPEG."""
    height, width = original.shape[:2]
    soft = Image.fromarray(original).filter(ImageFilter.GaussianBlur(BLUR_PX))
    sampled = soft.resize((width // SCALE, height // SCALE), Image.Resampling.BOX)
    return np.asarray(Image.open(io.BytesIO(jpeg(noisy(np.asarray(sampled), NOISE), QUALITY))))


def noisy(picture: Srgb8, levels: float) -> Srgb8:
    noise = np.random.default_rng(SEED).normal(0.0, levels, picture.shape)
    return np.clip(np.rint(picture + noise), 0, 255).astype(np.uint8)


def jpeg(picture: Srgb8, quality: int) -> bytes:
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "JPEG", quality=quality)
    return file.getvalue()


def show_whole(original: Srgb8) -> None:
    before, after = read_srgb8(OUT / "before.png"), read_srgb8(OUT / "after.png")
    size = (original.shape[1], original.shape[0])
    bicubic = np.asarray(Image.fromarray(before).resize(size, Image.Resampling.BICUBIC))
    print("whole picture against the original       PSNR      SSIM")
    for name, picture in (("bicubic", bicubic), ("Safelight", after)):
        print(f"  {name:34} {psnr_y(picture, original):8.2f} dB {ssim_y(picture, original):.4f}")
    panels = [("before, enlarged by bicubic", bicubic), ("Safelight, compact", after), ("original", original)]
    write_srgb8(OUT / "sheet.png", sheet(panels, CROP))


def show_region(original: Srgb8) -> None:
    damaged, restored = read_srgb8(OUT / "damaged.jpg"), read_srgb8(OUT / "region.png")
    outside = np.ones(original.shape[:2], bool)
    outside[REGION.slices] = False
    changed = int((damaged[outside] != restored[outside]).any(axis=-1).sum())
    print("region against the original               PSNR      SSIM")
    for name, picture in (("noise and JPEG", damaged), ("Safelight", restored)):
        inside, truth = picture[REGION.slices], original[REGION.slices]
        print(f"  {name:34} {psnr_y(inside, truth):8.2f} dB {ssim_y(inside, truth):.4f}")
    print(f"  pixels changed outside the region: {changed}")
    crop = Rect(REGION.x + 70, REGION.y + 90, 96, 96)
    panels = [("damaged", damaged), ("the box restored in place", restored), ("original", original)]
    write_srgb8(OUT / "region_sheet.png", sheet(panels, crop))


if __name__ == "__main__":
    sys.exit(main())
