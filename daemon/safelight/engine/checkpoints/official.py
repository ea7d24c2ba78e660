"""What the authors' files hold at their top level, per kind of checkpoint. Free of torch.

Sources: `save_model` of github cswry/OSEDiff (osediff.py) and ArcticHare105/S3Diff (s3diff.py), `DEResNet` of the
latter (de_net.py), training scripts of JyChen9811/FaithDiff, `ram/models` of cswry/OSEDiff. Converted files keep these
names, joined with `/` below the top level.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal["osediff", "s3diff", "de_net", "faithdiff", "ram", "dape"]
MODEL = "model/"
"""Before the names of a converted RAM file."""


@dataclass(frozen=True)
class OfficialFormat:
    """Names at the top level, by what stands behind them."""

    title: str
    """What people call such a file."""
    dictionaries: frozenset[str] = frozenset()
    numbers: frozenset[str] = frozenset()
    """Whole numbers of at least 1."""
    lists: frozenset[str] = frozenset()
    """Module names, or one pattern for them."""
    tensors: frozenset[str] | None = frozenset()
    """None: the file is a plain state dict and every entry is a tensor."""
    bytes_most: int = 4 << 30
    """Of the file, and of what its tensors may claim; S3Diff's has 138 MB at the authors' ranks."""
    only: str = ""
    """The one name at the top level that is read; nobody knows what else the file holds."""
    ignored: str = ""
    """Pattern of names, joined with `/`, that no network of ours has."""

    def check_members(self, content: Mapping[Any, Any], error: Callable[[str, str], Exception]) -> None:
        """Raises `error("foreign", detail)` when a name is missing, unknown or holds the wrong sort of thing."""
        if self.only:
            if not isinstance(content.get(self.only), Mapping) or not content[self.only]:
                raise error("foreign", f"it lacks {self.only}")
            return
        if self.tensors is None:
            bad = next((k for k, v in content.items() if isinstance(v, Mapping | list | int | str)), None)
            if not content or bad is not None:
                raise error("foreign", f"it has the entry {bad!r:.80}" if content else "it is empty")
            return
        wanted = self.dictionaries | self.numbers | self.lists | self.tensors
        if missing := sorted(wanted - set(content)):
            raise error("foreign", f"it lacks {_some(missing)}")
        if unknown := sorted(str(key) for key in set(content) - wanted):
            raise error("foreign", f"it also has {_some(unknown)}")
        for name in self.dictionaries:
            if not isinstance(content[name], Mapping):
                raise error("foreign", f"its {name} is no dictionary")
        for name in self.numbers:
            if not isinstance(content[name], int) or content[name] < 1:
                raise error("foreign", f"its {name} is no whole number above 0")
        for name in self.lists:
            if not isinstance(content[name], list | str):
                raise error("foreign", f"its {name} is no list of names")


def _some(names: list[str]) -> str:
    shown = ", ".join(name[:60] for name in names[:3])
    return shown if len(names) <= 3 else f"{shown} and {len(names) - 3} more"


FORMATS: Mapping[str, OfficialFormat] = {
    "osediff": OfficialFormat(
        "an OSEDiff checkpoint",
        dictionaries=frozenset({"state_dict_unet", "state_dict_vae"}),
        numbers=frozenset({"rank_unet", "rank_vae"}),
        lists=frozenset(
            {
                "vae_lora_encoder_modules",
                "unet_lora_encoder_modules",
                "unet_lora_decoder_modules",
                "unet_lora_others_modules",
            }
        ),
    ),
    "s3diff": OfficialFormat(
        "an S3Diff checkpoint",
        dictionaries=frozenset(
            {
                "state_dict_unet",
                "state_dict_vae",
                "state_dict_vae_de_mlp",
                "state_dict_unet_de_mlp",
                "state_dict_vae_block_mlp",
                "state_dict_unet_block_mlp",
                "state_dict_vae_fuse_mlp",
                "state_dict_unet_fuse_mlp",
                "state_embeddings",
            }
        ),
        numbers=frozenset({"rank_unet", "rank_vae"}),
        lists=frozenset({"unet_lora_target_modules", "vae_lora_target_modules"}),
        tensors=frozenset({"w"}),
    ),
    "de_net": OfficialFormat("a degradation estimator (de_net.pth)", tensors=None),
    "faithdiff": OfficialFormat(
        "a FaithDiff checkpoint (FaithDiff.bin)",
        tensors=None,
        bytes_most=16 << 30,  # 2,612,197,892 numbers, 10.4 GB as float32
    ),
    "ram": OfficialFormat(
        "a RAM checkpoint (ram_swin_large_14m.pth)",
        bytes_most=8 << 30,  # 5.63 GB, of which the networks are 2.0 GB
        only="model",
        ignored=r"model/(tag_encoder|text_decoder)\..*|.*\.(relative_position_index|attn_mask)",
    ),
    "dape": OfficialFormat("a DAPE checkpoint (DAPE.pth)", tensors=None),
}
