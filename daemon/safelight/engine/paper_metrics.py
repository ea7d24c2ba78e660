"""The measures that the three papers print, by pyiqa (arXiv 2208.14818, github.com/chaofengc/IQA-PyTorch), with weights
that the user has.

pyiqa is the extra `evaluate`, under licences of its own (PolyForm Noncommercial, S-Lab). It would fetch every weight
that it does not find; here nothing is fetched: files are looked for where torch keeps downloads, and while a measure is
made or used this process resolves no host name. Pickles are read with `weights_only`; CLIP's file is TorchScript.

Names are those that the authors' test scripts give to pyiqa. PSNR and SSIM are `imaging.metrics`', on Y as the scripts
of OSEDiff and S3Diff ask for.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import socket
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import torch
from huggingface_hub import try_to_load_from_cache

from safelight.errors import NotReady
from safelight.imaging.srgb import Srgb8

INSTALL = "pip install 'safelight[evaluate]'"
SOURCE = "the repository chaofengc/IQA-PyTorch-Weights on Hugging Face"
FORCE_SAFE_LOADING = {"TORCH_FORCE_WEIGHTS_ONLY_LOAD": "1", "HF_HUB_OFFLINE": "1"}


@dataclass(frozen=True)
class PaperMetric:
    """One measure."""

    name: str
    pyiqa_name: str
    files: tuple[str, ...]
    """Below torch's folder of downloads, `hub`."""
    reference: bool = False
    """True: against a reference picture."""
    lower_is_better: bool = False
    folders: bool = False
    """True: of all pictures together, against all references."""
    cached: tuple[str, str] | None = None
    """Repository and file that are in Hugging Face's cache besides."""


_ALEXNET, _VGG16 = "checkpoints/alexnet-owt-7be5be79.pth", "checkpoints/vgg16-397923af.pth"
_VIT = "timm/vit_base_patch8_224.augreg2_in21k_ft_in1k", "model.safetensors"
METRICS = (
    PaperMetric("LPIPS", "lpips", ("pyiqa/LPIPS_v0.1_alex-df73285e.pth", _ALEXNET), True, True),
    PaperMetric("DISTS", "dists", ("pyiqa/DISTS_weights-f5e65c96.pth", _VGG16), True, True),
    PaperMetric("NIQE", "niqe", ("pyiqa/niqe_modelparameters.mat",), lower_is_better=True),
    PaperMetric("MUSIQ", "musiq", ("pyiqa/musiq_koniq_ckpt-e95806b9.pth",)),
    PaperMetric("MANIQA", "maniqa-pipal", ("pyiqa/MANIQA_PIPAL-ae6d356b.pth",), cached=_VIT),
    PaperMetric("CLIPIQA", "clipiqa", ("clip/RN50.pt",)),
    PaperMetric(
        "FID", "fid", ("pyiqa/pt_inception-2015-12-05-6726825d.pth",),
        reference=True, lower_is_better=True, folders=True,
    ),
)  # fmt: skip


def require_installed() -> None:
    """Raises NotReady (EVALUATE_EXTRA)."""
    if importlib.util.find_spec("pyiqa") is None:
        raise NotReady(
            f"the measures of the papers need pyiqa, which is not installed: {INSTALL}", "EVALUATE_EXTRA"
        )


def weights_folder() -> Path:
    """Where torch keeps downloads: $TORCH_HOME/hub, or ~/.cache/torch/hub."""
    return Path(torch.hub.get_dir())


def missing_files(metric: PaperMetric, folder: Path) -> list[str]:
    """Paths below `folder`, and what Hugging Face's cache lacks."""
    missing = [str(folder / name) for name in metric.files if not (folder / name).is_file()]
    if metric.cached is not None and not isinstance(try_to_load_from_cache(*metric.cached), str):
        missing.append(f"{metric.cached[1]} of {metric.cached[0]} in Hugging Face's cache")
    return missing


class Measure:
    """One measure, loaded. Runs on the CPU, or on the first CUDA device where there is one."""

    def __init__(self, metric: PaperMetric) -> None:
        """Raises NotReady (METRIC_WEIGHTS) where something it needs is not there."""
        self.metric = metric
        if missing := missing_files(metric, weights_folder()):
            raise NotReady(
                f"{metric.name} is left out: there is no {' and no '.join(missing)} (from {SOURCE}, or as "
                "torchvision and CLIP publish them)",
                "METRIC_WEIGHTS",
            )
        self._device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        try:
            with offline():
                import pyiqa

                self._network: Any = pyiqa.create_metric(metric.pyiqa_name, device=self._device)
        except (
            Exception
        ) as error:  # whatever a foreign library raises where a file is missing or of another kind
            raise NotReady(
                f"{metric.name} is left out: pyiqa cannot make it from what is there "
                f"({type(error).__name__}: {str(error)[:160]})",
                "METRIC_WEIGHTS",
            ) from None

    def value(self, picture: Srgb8, reference: Srgb8 | None = None) -> float:
        """Of one picture H W 3; not for measures of folders."""
        given = [_tensor(picture)] + ([_tensor(reference)] if reference is not None else [])
        with offline(), torch.inference_mode():
            return float(self._network(*given if self.metric.reference else given[:1]))

    def of_folders(self, pictures: Path, references: Path) -> float:
        with offline():
            return float(
                self._network(
                    str(pictures), str(references), device=self._device, num_workers=0, verbose=False
                )
            )


def _tensor(picture: Srgb8) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(picture)).permute(2, 0, 1)[None].float() / 255


def available(metrics: Sequence[PaperMetric] = METRICS) -> tuple[list[Measure], list[str]]:
    """Those that can be used, and a sentence for each of the others. Raises NotReady (EVALUATE_EXTRA)."""
    require_installed()
    measures, sentences = [], []
    for metric in metrics:
        try:
            measures.append(Measure(metric))
        except NotReady as error:
            sentences.append(error.message)
    return measures, sentences


@contextlib.contextmanager
def offline() -> Iterator[None]:
    """No host name is resolved, foreign words go to stderr, and pickles are read without executing them."""

    def refuse(host: object, *_: object, **__: object) -> NoReturn:
        raise OSError(f"nothing is fetched from {host}: put the file where it is looked for")

    before = {name: os.environ.get(name) for name in FORCE_SAFE_LOADING}
    resolve = socket.getaddrinfo
    os.environ.update(FORCE_SAFE_LOADING)
    socket.getaddrinfo = refuse
    try:
        with contextlib.redirect_stdout(sys.stderr):
            yield
    finally:
        socket.getaddrinfo = resolve
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
