"""One tensor of a case against what was computed."""

from dataclasses import dataclass
from typing import Any

import torch

LIKE = {"pos_pred": "model_pred", "neg_pred": "model_pred"}
"""Tensors without a tolerance of their own, and whose they share."""
EXACT_FLOAT64 = 1e-12  # tile weights have no tolerance of their own: they are a formula in float64


@dataclass(frozen=True)
class Outcome:
    tensor: str
    passed: bool
    max_abs: float = 0.0
    relative: float = 0.0
    note: str = ""


def compare(
    name: str, expected: torch.Tensor, found: torch.Tensor | None, tolerances: dict[str, Any]
) -> Outcome:
    if found is None:
        return Outcome(name, False, note="not computed")
    if expected.dtype == torch.uint8:
        return _picture(name, expected, found, tolerances)
    if expected.numel() != found.numel() or expected.squeeze().shape != found.squeeze().shape:
        return Outcome(name, False, note=f"shape {list(found.shape)}, not {list(expected.shape)}")
    tolerance = _tolerance(name, expected, tolerances)
    if not expected.numel():
        return Outcome(name, False, note="holds no number")
    if tolerance is None:
        return Outcome(name, False, note="no tolerance is given for it")
    error = (expected.double().squeeze() - found.double().squeeze()).abs()
    worst = float(error.max())
    relative = float(error.norm() / expected.double().norm().clamp_min(1e-30))
    return Outcome(name, worst <= tolerance, worst, relative, f"at most {tolerance:g}")  # NaN is no pass


def _tolerance(name: str, expected: torch.Tensor, tolerances: dict[str, Any]) -> float | None:
    if name == "tile_weights":
        return EXACT_FLOAT64
    if expected.dtype == torch.float16 and f"{name}_when_stored_fp16" in tolerances:
        name = f"{name}_when_stored_fp16"
    whole = name.removesuffix("_tile0")
    for key in (name, whole, LIKE.get(whole, whole)):
        if key in tolerances:
            given = tolerances[key]
            return 0.0 if given == "identical" else float(given)
    return None


def _picture(name: str, expected: torch.Tensor, found: torch.Tensor, tolerances: dict[str, Any]) -> Outcome:
    if expected.shape != found.shape or found.dtype != torch.uint8:
        return Outcome(name, False, note=f"shape {list(found.shape)}, not {list(expected.shape)}")
    levels = (expected.int() - found.int()).abs()
    worst, mean = int(levels.max()), float(levels.double().mean())
    differing = float((levels > 0).double().mean())
    allowed = tolerances.get(name, tolerances.get("final"))
    if allowed is None:
        return Outcome(name, False, worst, mean, "no tolerance is given for it")
    if allowed in ("identical", 0):
        return Outcome(name, worst == 0, worst, mean, "identical")
    levels, share = allowed.get("max_levels", allowed.get("max_abs")), allowed["max_fraction_differing"]
    passed = worst <= levels and differing <= share
    note = f"levels; {differing:.2%} differ, at most {levels} on {share:.1%}"
    return Outcome(name, passed, worst, mean, note)
