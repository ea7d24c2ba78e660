"""The tiny tagger of tests/data: its official files, converted, and the labels beside them."""

from pathlib import Path

from safelight.engine.checkpoints.official import FORMATS
from safelight.engine.checkpoints.unpickle import convert
from tests.fakes import tagger_rule

REFERENCE = Path(__file__).parents[1] / "data" / "dape"
TINY = REFERENCE / "tiny"
SEED = 101
RAM, DAPE, LISTS = "ram_swin_large_14m.pth", "DAPE.pth", ("ram_tag_list.txt", "ram_tag_list_threshold.txt")


def write_official(folder: Path) -> None:
    """Both of the authors' files and the labels."""
    manifest = TINY / "manifest.json"
    tagger_rule.write_official(folder, *(tagger_rule.tensors(manifest, n, SEED) for n in ("ram", "dape")))
    for name, own in zip(LISTS, ("tags.txt", "thresholds.txt"), strict=True):
        (folder / name).write_bytes((TINY / own).read_bytes())


def write_converted(folder: Path) -> tuple[Path, Path, Path]:
    """Converted RAM, converted DAPE and the folder of the labels; in this process, which is quicker."""
    write_official(folder)
    targets = folder / "ram.safetensors", folder / "dape.safetensors"
    for target, name in zip(targets, (RAM, DAPE), strict=True):
        convert(FORMATS[target.stem], folder / name, target, 1 << 30)
    return *targets, folder
