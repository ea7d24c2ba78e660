"""Networks that pipelines share: loaded once, whoever asks first, and freed when nobody has them any more.

A part is known by the content of its files, so two pipelines whose files are equal have one part. It is used in one of
two ways. *Kept*: pipelines compute with it in every tile (a VAE's decoder); it is loaded until the last of them goes.
*Held*: it is needed in one stage of a job (text encoders, taggers, captioners); between two stages that hold it, it is
idle, may be evicted like an idle pipeline, and is loaded again when it is held next.

Nothing counts the pipelines of a part: they refer to it, `Parts` does not. Owned by the worker's thread.
"""

from __future__ import annotations

import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Generic, NamedTuple, TypeVar

import torch
from torch import nn

from safelight.engine.checkpoints.weights import loaded_bytes
from safelight.engine.pipelines.base import Precision

Network = TypeVar("Network", bound=nn.Module)
SomePart = TypeVar("SomePart", bound="Part[Any]")

Room = Callable[[torch.device, int], bool]
"""Frees what is idle on a device until so many bytes are free there; False: there is less."""


class PartKey(NamedTuple):
    """What makes two parts the same."""

    title: str
    """For people: `text encoder`."""
    content: str
    """Hash of the files that it is made from, or rather of what in them matters."""
    device: str
    precision: Precision

    @property
    def name(self) -> str:
        """No pipeline is called so."""
        return f"{self.title} {self.content[:16]} {self.device} {self.precision}"


class Part(Generic[Network]):
    """See the module."""

    def __init__(
        self,
        parts: Parts,
        key: PartKey,
        load: Callable[[], Network],
        *,
        expected_bytes: int,
        idles: bool = True,
    ) -> None:
        """`load` gives the network on the key's device in its precision; `expected_bytes` it will take. With `idles`
        false it is freed as soon as no stage holds it, for parts that are quickly loaded beside what a job takes."""
        self.key = key
        self.references = 0
        """Stages that hold it now."""
        self.kept = False
        """True: it is needed as long as it has a pipeline."""
        self.last_used_s = 0.0
        self._parts, self._load, self._expected_bytes = parts, load, expected_bytes
        self._idles = idles
        self._network: Network | None = None
        self._bytes = 0

    @property
    def bytes(self) -> int:
        """0 while it is not loaded."""
        return 0 if self._network is None else self._bytes

    @property
    def idle(self) -> bool:
        return not self.kept and not self.references

    def keep(self) -> Network:
        """The network, for as long as the pipeline that asks has this part."""
        self.kept = True
        return self._loaded()

    @contextmanager
    def held(self) -> Iterator[Network]:
        """The network, for a stage of a job; the caller has forgotten it afterwards."""
        self.references += 1
        try:
            yield self._loaded()
        finally:
            self.references -= 1
            self.last_used_s = self._parts.clock()
        if not self._idles:
            self.free()
        self._parts.released(self)

    def free(self) -> None:
        """Drops the network of an idle part."""
        if self.idle:
            self._network = None

    def _loaded(self) -> Network:
        if self._network is None:
            self._parts.room(torch.device(self.key.device), self._expected_bytes)
            self._network = self._load()
            self._bytes = loaded_bytes(self._network)
            self.last_used_s = self._parts.clock()
        return self._network


class Parts:
    """The parts that somebody has. One per worker."""

    def __init__(
        self,
        *,
        room: Room = lambda device, needed_bytes: True,
        released: Callable[[Part[Any]], None] = lambda part: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`room` is asked before something is loaded; `released` is told of a part that a stage does not need any
        more."""
        self.room, self.released, self.clock = room, released, clock
        self._parts: weakref.WeakValueDictionary[PartKey, Part[Any]] = weakref.WeakValueDictionary()

    def shared(self, key: PartKey, make: Callable[[], SomePart]) -> SomePart:
        """The part with this key: the one that somebody has, or else what `make` gives."""
        found = self._parts.get(key)
        if found is None:
            found = self._parts[key] = make()
        return found  # type: ignore[return-value] # a key stands for one sort of part

    @property
    def loaded(self) -> list[Part[Any]]:
        return [part for part in self._parts.values() if part.bytes]
