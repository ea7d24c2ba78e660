"""Prompts that are read from the picture: tags and captions, with the networks that are installed.

Every pipeline of a device shares these networks; they are loaded when a job asks, held while they look, and idle or
gone before the stage after.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, cast

import torch

from safelight.engine.checkpoints.store import installed_path
from safelight.engine.parts import Part, Parts
from safelight.engine.pipelines.base import RegionSource
from safelight.engine.pipelines.base_networks import stored
from safelight.engine.pipelines.prompt_settings import (
    AUTO,
    FLORENCE,
    LLAVA,
    NONE,
    READ,
    REPORTED,
    TAGGER,
    TAGS,
    TEXT,
    hashes,
    install_hint,
)
from safelight.errors import NotReady, TooMuch
from safelight.settings import RestoreSettings
from safelight.spec import MAX_TEXT_CHARS, SettingValue

if (
    TYPE_CHECKING
):  # what they are made with takes a second to import, which jobs with a typed prompt need not wait
    from safelight.engine.pipelines.captioner import Caption, Captioner
    from safelight.engine.pipelines.tagger import Tagger

HOST = torch.device("cpu")


class PromptReader:
    """See the module. Owned by the worker's thread; knows its networks once they were asked for."""

    def __init__(self, device: torch.device, parts: Parts) -> None:
        self._device, self._parts = device, parts
        self._known: dict[tuple[str, ...], Tagger | Captioner] = {}

    @property
    def parts(self) -> tuple[Part[Any], ...]:
        return tuple(network.part for network in self._known.values())

    def tags(self, enlarged: RegionSource) -> list[str]:
        """`enlarged` is the picture at the size that the diffusion network sees. Raises NotReady (CHECKPOINT_MISSING,
        CHECKPOINT_DAMAGED)."""
        _require(TAGS)
        return cast("Tagger", self._network(*TAGGER, make=self._tagger)).tags(enlarged)

    def caption(self, picture: RegionSource, *, captioner: str = AUTO, seed: int) -> tuple[str, Caption]:
        """The catalogue id of the captioner and what it said; `picture` at its own size. Raises NotReady
        (CHECKPOINT_MISSING, CHECKPOINT_DAMAGED), TooMuch (DEVICE_MEMORY) where there is no room for it."""
        _require("caption", captioner)
        name = captioner
        if captioner == AUTO:
            there = [name for name in (LLAVA, FLORENCE) if installed_path(name) is not None]
            name = next((n for n in there if self._fits(n, self._device)), there[-1])
        device = next((d for d in (self._device, HOST) if self._fits(name, d)), None)
        if device is None:
            needed = self._captioner(name, HOST).bytes
            raise TooMuch(
                f"the captioner {name} needs {needed / 1e9:.1f} GB of memory, which neither {self._device} nor the "
                f"host has free: close other programs, or choose the captioner {FLORENCE}",
                "DEVICE_MEMORY",
                details={"needed_bytes": str(needed)},
            )
        return name, self._captioner(name, device).caption(picture, seed=seed)

    def found(
        self,
        settings: RestoreSettings,
        *,
        picture: RegionSource,
        enlarged: RegionSource,
        form: Callable[[str], str] = str,
    ) -> dict[str, SettingValue]:
        """Own settings of a job that leaves its prompt to the picture, as if a person had typed what is read: `form`
        makes the prompt of it. Nothing for other jobs. What is not installed is said in a note, and the prompt is
        empty."""
        own = settings.own
        source, captioner = str(own["prompt_source"]), str(own["captioner"])
        if source not in READ:
            return {}
        if str(own["prompt"]).strip():
            return {"prompt_source": TEXT, "prompt_from": TEXT}
        if hint := install_hint(source, captioner):
            return {
                "prompt_source": NONE,
                "prompt_from": NONE,
                "prompt_note": f"{hint}; the prompt was left empty",
            }
        if source == TAGS:
            text, files = ", ".join(self.tags(enlarged)), hashes(*TAGGER)
        else:
            name, caption = self.caption(picture, captioner=captioner, seed=settings.seed)
            text, files = caption.prompt, hashes(name)
        by = " ".join(f"{name}:{sha256}" for name, sha256 in files.items() if "json" not in name)
        return {
            "prompt_source": TEXT,
            "prompt": form(text)[:MAX_TEXT_CHARS],
            "prompt_from": source,
            "prompt_by": by,
        }

    def _fits(self, name: str, device: torch.device) -> bool:
        captioner = self._captioner(name, device)
        return bool(captioner.part.bytes) or self._parts.room(device, captioner.bytes)

    def _captioner(self, name: str, device: torch.device) -> Captioner:
        def make() -> Captioner:
            from safelight.engine.pipelines.captioner import Florence, Llava

            (folder,), _ = stored(name)
            return (Llava if name == LLAVA else Florence)(folder, device, self._parts)

        return cast("Captioner", self._network(name, make=make, device=device))

    def _tagger(self) -> Tagger:
        from safelight.engine.pipelines.tagger import Tagger

        (ram, dape, lists), _ = stored(*TAGGER)
        return Tagger(ram, dape, lists, self._device, self._parts)

    def _network(
        self, *names: str, make: Callable[[], Tagger | Captioner], device: torch.device | None = None
    ) -> Tagger | Captioner:
        """The one of these files as they are installed now; made anew when they were replaced."""
        key = (str(device), *names, *hashes(*names).values())
        if key not in self._known:
            stale = [other for other in self._known if other[: 1 + len(names)] == key[: 1 + len(names)]]
            made = make()
            for other in stale:
                del self._known[other]
            self._known[key] = made
        return self._known[key]


def _require(source: str, captioner: str = AUTO) -> None:
    if hint := install_hint(source, captioner):
        raise NotReady(hint, "CHECKPOINT_MISSING", details={"source": source})


def reported(own: Mapping[str, SettingValue]) -> dict[str, SettingValue]:
    """What a conditioning tells of its prompt's origin."""
    return {"prompt_from": own["prompt_source"], **{name: own[name] for name in REPORTED if name in own}}
