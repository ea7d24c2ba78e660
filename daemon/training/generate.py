"""Procedural training pictures: dead leaves, and text with lines.

No photograph takes part, so every real photo stays held out. A picture is drawn at twice its size and reduced
by area, which gives its edges anti-aliasing of a known, very small width. Each picture depends on (seed,
index) only: not on the number of workers, nor on the pictures made before it.

    python -m training.generate --count 800 --out DIR [--seed 1] [--size 384] [--workers 2]
"""

from __future__ import annotations

import argparse
import math
from concurrent.futures import ProcessPoolExecutor
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

FloatArray = npt.NDArray[np.floating[Any]]
ByteArray = npt.NDArray[np.uint8]

OVERSAMPLING = 2
TEXT_SHARE = 0.28
"""Share of pictures with text and lines, the rest are dead leaves (25-30 %: enough for letters to be
learned)."""
TEXTURE_COUNT = 12
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.,:;!?&%-+()/"


def generate_picture(seed: int, index: int, *, size: int = 384) -> ByteArray:
    """Return picture `index`, uint8 (size, size, 3), sRGB-encoded; it depends on the arguments only."""
    rng = np.random.default_rng((seed, index))
    canvas_px = size * OVERSAMPLING
    draw = _text_and_lines if rng.random() < TEXT_SHARE else _dead_leaves
    canvas = draw(rng, canvas_px, seed)
    canvas = canvas.reshape(size, OVERSAMPLING, size, OVERSAMPLING, 3).mean((1, 3))
    return np.asarray(np.clip(canvas, 0, 1) * 255 + 0.5, dtype=np.uint8)


@cache
def _textures(seed: int, size: int) -> FloatArray:
    """Textures of mean 0 and deviation 1, (TEXTURE_COUNT, size, size): 1/f noise, waves and tiles."""
    rng = np.random.default_rng((seed, size, 0x7E47))
    fy, fx = np.fft.fftfreq(size)[:, None], np.fft.rfftfreq(size)[None]
    radius = np.maximum(np.hypot(fy, fx), 1 / size)
    y, x = np.mgrid[:size, :size].astype(np.float32)
    bank = np.empty((TEXTURE_COUNT, size, size), np.float32)
    for i in range(TEXTURE_COUNT):
        if i % 3 < 2:
            spectrum = np.fft.rfft2(rng.standard_normal((size, size))) / radius ** rng.uniform(0.4, 1.8)
            plane = np.fft.irfft2(spectrum, (size, size))
        else:
            angle, period = rng.uniform(0, math.pi), rng.uniform(5, 40)
            u = (x * math.cos(angle) + y * math.sin(angle)) * (2 * math.pi / period)
            v = (y * math.cos(angle) - x * math.sin(angle)) * (2 * math.pi / period / rng.uniform(0.5, 2))
            plane = np.sin(u + np.sin(v)) if i % 2 else np.sign(np.sin(u)) * np.sign(np.sin(v))
        bank[i] = (plane - plane.mean()) / (plane.std() + 1e-6)
    return bank


def _palette(rng: np.random.Generator, count: int) -> FloatArray:
    """Colours (count, 3) in 0..1; half of the palettes are narrow, as in most photographs."""
    if rng.random() < 0.5:
        base = rng.uniform(0.15, 0.85) + rng.normal(0, 0.12, 3)
        grey = rng.normal(0, rng.uniform(0.08, 0.3), (count, 1))
        colours = base + grey + rng.normal(0, rng.uniform(0.01, 0.1), (count, 3))
    else:
        lightness = rng.beta(1.2, 1.4, (count, 1))
        colours = lightness + rng.normal(0, 1, (count, 3)) * rng.exponential(0.12, (count, 1))
    return np.clip(colours, 0, 1).astype(np.float32)


def _outline(
    rng: np.random.Generator, centre: npt.NDArray[np.float64], radius: float
) -> list[tuple[float, float]]:
    """Polygon of one leaf: disk, wobbly ellipse, polygon, bar or broken line."""
    kind = rng.random()
    angle = rng.uniform(0, 2 * math.pi)
    if kind < 0.5:
        corners = int(min(40, 10 + radius))
        t = np.linspace(0, 2 * math.pi, corners, endpoint=False)
        wobble = (
            1 + rng.uniform(0, 0.35) * np.sin(t * rng.integers(2, 6) + angle)
            if kind > 0.2
            else np.ones(corners)
        )
        points = np.stack([np.cos(t) * wobble, np.sin(t) * wobble * rng.uniform(0.3, 1)], 1)
    elif kind < 0.72:
        t = np.sort(rng.uniform(0, 2 * math.pi, rng.integers(3, 8)))
        points = np.stack([np.cos(t), np.sin(t)], 1)
    elif kind < 0.9:
        half = rng.uniform(0.02, 0.25)
        points = np.array([[-1, -half], [1, -half], [1, half], [-1, half]]) * rng.uniform(1, 2.5)
    else:
        path = np.cumsum(rng.normal(0, 0.6, (rng.integers(3, 7), 2)), 0)
        width = max(0.04, 1.5 / radius)
        points = np.concatenate([path - width, path[::-1] + width])
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    return [(float(px), float(py)) for px, py in points @ turn * radius + centre]


def _dead_leaves(rng: np.random.Generator, size: int, seed: int) -> FloatArray:
    """Occluding leaves with power-law radii, each with colour, gradient and texture; float32 (size, size,
    3)."""
    count = int(rng.uniform(300, 3500) * (size / 768) ** 2) + 8
    exponent, smallest, largest = rng.uniform(1.8, 2.8), 4.0, size * rng.uniform(0.15, 0.45)
    low, high = smallest ** (1 - exponent), largest ** (1 - exponent)
    radii = np.sort((low + rng.random(count) * (high - low)) ** (1 / (1 - exponent)))
    # Large leaves tend to lie below small ones, else the small ones would all be hidden.
    radii = radii[::-1][np.argsort(np.arange(count) + rng.normal(0, count * 0.4, count))]
    centres = rng.uniform(0, size, (count, 2))
    labels = Image.new("I", (size, size), 0)
    draw = ImageDraw.Draw(labels)
    for i in range(count):
        draw.polygon(_outline(rng, centres[i], float(radii[i])), fill=i + 1)
    label = np.asarray(labels, dtype=np.int64)

    bank = np.roll(_textures(seed, size), tuple(rng.integers(0, size, 2)), (1, 2))
    kind = rng.integers(0, TEXTURE_COUNT, count + 1)
    contrast = (rng.exponential(0.05, count + 1) * (rng.random(count + 1) < 0.8)).astype(np.float32)
    slope = rng.normal(0, 0.15 / size, (count + 1, 2)).astype(np.float32)
    y, x = np.mgrid[:size, :size]
    texture = bank[kind[label], y, x] * contrast[label]
    shade = (x - size / 2) * slope[label, 0] * 4 + (y - size / 2) * slope[label, 1] * 4
    picture = _palette(rng, count + 1)[label] + (texture + shade)[..., None]
    return np.asarray(picture * _illumination(rng, size)[..., None], dtype=np.float32)


def _illumination(rng: np.random.Generator, size: int) -> FloatArray:
    """Soft multiplicative light, (size, size), about 0.6 to 1.3."""
    coarse = Image.fromarray(rng.uniform(0.6, 1.3, (4, 4)).astype(np.float32))
    return np.asarray(coarse.resize((size, size), Image.Resampling.BICUBIC), dtype=np.float32)


def _text_and_lines(rng: np.random.Generator, size: int, seed: int) -> FloatArray:
    """Letters, strokes, grids and frames on flat or leafy ground; float32 (size, size, 3)."""
    if rng.random() < 0.5:
        ground = _dead_leaves(rng, size, seed) * rng.uniform(0.3, 1) + rng.uniform(0, 0.4)
    else:
        ground = np.ones((size, size, 3), np.float32) * _palette(rng, 1) * _illumination(rng, size)[..., None]
    picture = Image.fromarray(np.asarray(np.clip(ground, 0, 1) * 255, dtype=np.uint8))
    draw = ImageDraw.Draw(picture)
    colours = [tuple(int(v * 255) for v in row) for row in _palette(rng, 12)]
    for _ in range(int(rng.integers(2, 14))):
        _draw_strokes(rng, draw, size, colours)
    y = rng.uniform(0, 30)
    while y < size:
        font_px = float(rng.choice([14, 18, 24, 32, 44, 64, 100]) * rng.uniform(0.8, 1.25))
        words = (
            "".join(rng.choice(list(LETTERS), rng.integers(1, 10))) for _ in range(int(size / font_px / 2))
        )
        fill = (
            colours[int(rng.integers(12))]
            if rng.random() < 0.6
            else ((0,) * 3 if ground.mean() > 0.4 else (255,) * 3)
        )
        draw.text(
            (rng.uniform(-20, size / 2), y), " ".join(words), fill=fill, font=ImageFont.load_default(font_px)
        )
        y += font_px * rng.uniform(1, 2.2)
    return np.asarray(picture, dtype=np.float32) / 255


def _draw_strokes(
    rng: np.random.Generator, draw: ImageDraw.ImageDraw, size: int, colours: list[tuple[int, ...]]
) -> None:
    """Draw one broken line, fan of lines, frame or ellipse outline."""
    fill, width = colours[int(rng.integers(12))], int(rng.integers(1, 9))
    points = [tuple(map(float, p)) for p in rng.uniform(-0.1, 1.1, (int(rng.integers(2, 6)), 2)) * size]
    kind = rng.random()
    if kind < 0.4:
        draw.line(points, fill=fill, width=width)
    elif kind < 0.7:
        step, angle = rng.uniform(6, 40), rng.uniform(0, math.pi)
        dx, dy = math.cos(angle) * size / 3, math.sin(angle) * size / 3
        for i in range(int(rng.integers(4, 24))):
            x, y = points[0][0] - math.sin(angle) * step * i, points[0][1] + math.cos(angle) * step * i
            draw.line([(x - dx, y - dy), (x + dx, y + dy)], fill=fill, width=max(1, width // 2))
    else:
        (x0, x1), (y0, y1) = sorted((points[0][0], points[1][0])), sorted((points[0][1], points[1][1]))
        outline = draw.rectangle if kind < 0.85 else draw.ellipse
        outline([x0, y0, x1, y1], outline=fill, width=width)


def _write(index: int, *, seed: int, size: int, out: Path) -> None:
    Image.fromarray(generate_picture(seed, index, size=size)).save(out / f"{index:05d}.png", compress_level=1)


def main() -> None:
    parser = argparse.ArgumentParser(description="Draw procedural training pictures.")
    parser.add_argument("--count", type=int, default=800)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--size", type=int, default=384)
    parser.add_argument("--workers", type=int, default=2)
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    write = partial(_write, seed=arguments.seed, size=arguments.size, out=arguments.out)
    with ProcessPoolExecutor(arguments.workers) as workers:
        list(workers.map(write, range(arguments.count), chunksize=8))


if __name__ == "__main__":
    main()
