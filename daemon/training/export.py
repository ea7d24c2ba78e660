"""Write the averaged weights of trained checkpoints as the fp16 weights file of the wheel, with its SHA-256.

python -m training.export --out safelight/engine/weights/compact.safetensors x4.ckpt x2.ckpt x1.ckpt
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

from safelight.engine.networks.compact import CompactNetwork, save_compact
from training.train import Trainer


def averaged_network(checkpoint: Path) -> CompactNetwork:
    """Return the averaged network of a checkpoint, float32 on the CPU."""
    return Trainer.resume(checkpoint, torch.device("cpu")).average.eval()


def main() -> None:
    parser = argparse.ArgumentParser(description="Export checkpoints to one weights file.")
    parser.add_argument("checkpoints", type=Path, nargs="+")
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    networks = {network.scale: network for network in map(averaged_network, arguments.checkpoints)}
    digest = save_compact(arguments.out, networks)
    print(f"{digest}  {arguments.out.name}, {arguments.out.stat().st_size} bytes, scales {sorted(networks)}")


if __name__ == "__main__":
    main()
