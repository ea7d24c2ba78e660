"""The degradation estimator that S3Diff asks: how blurred and how noisy is this picture, 0..1 each.

Paper: "MM-RealSR: Metric Learning based Interactive Modulation for Real-World Super-Resolution", arXiv 2205.05065,
whose estimator S3Diff (arXiv 2409.17058) takes over. Official: github.com/ArcticHare105/S3Diff, `src/de_net.py`
(Apache-2.0); weights `de_net.pth` of the same repository.

Differences from the official code: large pictures run in strips of rows with an exact halo, so that memory
does not grow with the picture's height; the mean over the picture is the mean over all strips.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import torch
from torch import nn

from safelight.geometry import Size

BRANCHES = 2  # blur and noise, in this order
FEATURES = (64, 64, 64, 128)
BLOCKS = (2, 2, 2, 2)
DOWNSCALES = (1, 1, 2, 1)
"""Stride between a group of blocks and the next."""
HEAD = 512
HALO_PX = 24
"""Rows that a strip reads beyond its own: 1 + 6 * 2 at full size, 1 for the stride and 2 * 2 * 2 at half size
make 22; even, so that strides fall on the same rows."""
STRIP_PX = 1 << 19
"""Pixels of a strip with its halo: 134 MB per map of 64 channels."""
LEAST_STRIP_ROWS = 32

Rows = Callable[[int, int], torch.Tensor]
"""Rows start..end of a picture as 1 3 h W, float 0..1, on the estimator's device."""


class ResidualBlock(nn.Module):
    """x + conv2(relu(conv1(x))), without normalisation."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        deeper: torch.Tensor = self.conv2(torch.relu(self.conv1(x)))
        return x + deeper


class DegradationEstimator(nn.Module):
    """Two branches that share nothing. Module names are those of the official state dict."""

    def __init__(self) -> None:
        super().__init__()
        self.conv_first = nn.ModuleList(nn.Conv2d(3, FEATURES[0], 3, padding=1) for _ in range(BRANCHES))
        self.body = nn.ModuleList(nn.Sequential(*_body()) for _ in range(BRANCHES))
        self.fc_degree = nn.ModuleList(
            nn.Sequential(nn.Linear(FEATURES[-1], HEAD), nn.ReLU(), nn.Linear(HEAD, 1), nn.Sigmoid())
            for _ in range(BRANCHES)
        )

    def forward(self, picture: torch.Tensor) -> torch.Tensor:
        """B 3 H W, 0..1, any size, to B 2: blur and noise, 0..1."""
        return self._scores([self._features(branch, picture).mean((2, 3)) for branch in range(BRANCHES)])

    def in_strips(self, rows: Rows, size: Size) -> torch.Tensor:
        """The same for one picture that is read in rows: 1 2. Equal to `forward` but for the order of sums."""
        totals = [torch.zeros(1, FEATURES[-1], dtype=torch.float64) for _ in range(BRANCHES)]
        for start, end in strips(size):
            first, last = max(0, start - HALO_PX), min(size.height, end + HALO_PX)
            strip = rows(first, last)
            own = slice((start - first) // 2, (start - first) // 2 + -(-(end - start) // 2))
            for branch in range(BRANCHES):
                features = self._features(branch, strip)[:, :, own]
                totals[branch] += features.sum((2, 3)).double().cpu()
        count = -(-size.height // 2) * -(-size.width // 2)
        device = next(self.parameters()).device
        return self._scores([(total / count).float().to(device) for total in totals])

    def _features(self, branch: int, picture: torch.Tensor) -> torch.Tensor:
        """B 128 ceil(H/2) ceil(W/2)."""
        features: torch.Tensor = self.body[branch](self.conv_first[branch](picture))
        return features

    def _scores(self, means: list[torch.Tensor]) -> torch.Tensor:
        return torch.cat([head(mean) for head, mean in zip(self.fc_degree, means, strict=True)], dim=1)


def strips(size: Size) -> Iterator[tuple[int, int]]:
    """First and last row of each strip; they begin at even rows."""
    rows = max(LEAST_STRIP_ROWS, STRIP_PX // size.width - 2 * HALO_PX) // 2 * 2
    for start in range(0, size.height, rows):
        yield start, min(size.height, start + rows)


def load_estimator(tensors: Mapping[str, torch.Tensor]) -> DegradationEstimator:
    """From the official state dict. Raises RuntimeError when a key or shape differs."""
    with torch.device("meta"):
        estimator = DegradationEstimator()
    estimator.load_state_dict(dict(tensors), assign=True)
    return estimator.float().requires_grad_(False).eval()


def _body() -> Iterator[nn.Module]:
    for i, (features, blocks) in enumerate(zip(FEATURES, BLOCKS, strict=True)):
        for _ in range(blocks):
            yield ResidualBlock(features)
        following = FEATURES[i + 1] if i + 1 < len(FEATURES) else features
        if DOWNSCALES[i] > 1 or following != features:
            yield nn.Conv2d(features, following, 3, stride=DOWNSCALES[i], padding=1)
