"""Full-reference measures of fidelity on luma: PSNR, SSIM, GMSD.

All take pictures as uint8 or float arrays H,W,3 (floats: 0..1, sRGB-encoded) and compute in float64. They
judge how close a result is to the original, not how good it looks: sharp invented detail scores below a plain
enlargement.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Picture = npt.NDArray[Any]
Plane = npt.NDArray[np.float64]

_STUDIO_LUMA = (65.481, 128.553, 24.966)
"""BT.601 luma of MATLAB's rgb2ycbcr, 16..235 on the 8-bit scale, from RGB in 0..1; 16 is added."""
_FULL_LUMA = (0.2989, 0.5870, 0.1140)
"""BT.601 luma of MATLAB's rgb2gray, same range as the input."""
_PSNR_FLOOR = 1e-8
"""Added to the mean squared error, as in the authors' scripts: equal pictures get 80 dB."""
_SSIM_WINDOW_PX = 11
_SSIM_SIGMA_PX = 1.5
_SSIM_C1, _SSIM_C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
_GMSD_T = 170.0
"""Constant of the GMSD paper (arXiv 1308.3052) for 8-bit levels."""


def luma(picture: Picture) -> Plane:
    """Return Y = (65.481 R + 128.553 G + 24.966 B + 16) / 255, float64 H,W, unrounded."""
    return np.asarray((_unit(picture) @ np.array(_STUDIO_LUMA) + 16) / 255, dtype=np.float64)


def psnr_y(picture: Picture, reference: Picture) -> float:
    """Return the peak signal-to-noise ratio on unrounded Y in dB, borders included; 80 for equal pictures."""
    _check_sizes(picture, reference)
    error = float(np.mean((luma(picture) - luma(reference)) ** 2))
    return float(-10 * np.log10(error + _PSNR_FLOOR))


def ssim_y(picture: Picture, reference: Picture) -> float:
    """Return the mean structural similarity on Y rounded to 8 bit; 1 for equal pictures.

    11x11 Gaussian of sigma 1.5, valid area only, no downsampling, negative contrast-structure terms counted
    as 0. Raises ValueError when a side is below 11 pixels.
    """
    _check_sizes(picture, reference)
    if min(picture.shape[:2]) < _SSIM_WINDOW_PX:
        raise ValueError(f"SSIM needs sides of at least {_SSIM_WINDOW_PX} pixels, got {picture.shape[:2]}.")
    a, b = (np.round(luma(p) * 255) for p in (picture, reference))
    mean_a, mean_b = _window_mean(a), _window_mean(b)
    variance_a = _window_mean(a * a) - mean_a**2
    variance_b = _window_mean(b * b) - mean_b**2
    covariance = _window_mean(a * b) - mean_a * mean_b
    contrast_structure = (2 * covariance + _SSIM_C2) / (variance_a + variance_b + _SSIM_C2)
    brightness = (2 * mean_a * mean_b + _SSIM_C1) / (mean_a**2 + mean_b**2 + _SSIM_C1)
    return float(np.mean(brightness * np.maximum(contrast_structure, 0)))


def gmsd(picture: Picture, reference: Picture) -> float:
    """Return the gradient magnitude similarity deviation; 0 for equal pictures, lower is better.

    On rounded full-range BT.601 luma, averaged over 2x2 pixels, with Prewitt gradients and T = 170 (arXiv
    1308.3052). Raises ValueError when a side is below 4 pixels.
    """
    _check_sizes(picture, reference)
    if min(picture.shape[:2]) < 4:
        raise ValueError(f"GMSD needs sides of at least 4 pixels, got {picture.shape[:2]}.")
    a, b = (
        _gradient_magnitude(_halved(np.round(_unit(p) @ np.array(_FULL_LUMA) * 255)))
        for p in (picture, reference)
    )
    return float(np.std((2 * a * b + _GMSD_T) / (a**2 + b**2 + _GMSD_T)))


def edge_energy(picture: Picture) -> float:
    """Return the mean Prewitt gradient magnitude of luma, in 8-bit levels.

    The quotient of a result's and its original's tells how crisp the result is.
    """
    return float(np.mean(_gradient_magnitude(luma(picture) * 255)))


def _unit(picture: Picture) -> Plane:
    scale = 255.0 if picture.dtype == np.uint8 else 1.0
    return np.asarray(picture, dtype=np.float64) / scale


def _check_sizes(picture: Picture, reference: Picture) -> None:
    if picture.shape != reference.shape or picture.ndim != 3 or picture.shape[2] != 3:
        raise ValueError(
            f"Two H,W,3 pictures of one size are needed, got {picture.shape} and {reference.shape}."
        )


def _window_mean(plane: Plane) -> Plane:
    """Gaussian mean over the valid area, one axis after the other."""
    offsets = np.arange(_SSIM_WINDOW_PX) - _SSIM_WINDOW_PX // 2
    taps = np.exp(-(offsets**2) / (2 * _SSIM_SIGMA_PX**2))
    taps /= taps.sum()
    rows = sum(tap * plane[i : plane.shape[0] - _SSIM_WINDOW_PX + 1 + i] for i, tap in enumerate(taps))
    rows = np.asarray(rows)
    return np.asarray(
        sum(tap * rows[:, i : rows.shape[1] - _SSIM_WINDOW_PX + 1 + i] for i, tap in enumerate(taps))
    )


def _halved(plane: Plane) -> Plane:
    height, width = plane.shape[0] // 2 * 2, plane.shape[1] // 2 * 2
    return np.asarray(plane[:height, :width].reshape(height // 2, 2, width // 2, 2).mean((1, 3)))


def _gradient_magnitude(plane: Plane) -> Plane:
    """Prewitt magnitude, borders zero-padded as in the paper's code; same size as `plane`."""
    p = np.pad(plane, 1)
    columns = p[:-2] + p[1:-1] + p[2:]
    rows = p[:, :-2] + p[:, 1:-1] + p[:, 2:]
    return np.asarray(np.hypot(columns[:, 2:] - columns[:, :-2], rows[2:] - rows[:-2]) / 3)
