"""One job as a conversation with the bridge, from the plan to the restored rows. Standard library only."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from flow import Ask
from geometry import Rect

KEY = "job"


@dataclass(frozen=True)
class Wish:
    """What a person or a script has chosen."""

    pipeline: str = ""
    """Empty: the daemon's default."""
    preset: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)
    """Settings by name that differ from preset and defaults; output_scale and seed among them."""
    output: str = "layer"
    """layer, replace or image."""
    source: str = "layer"
    """layer or visible."""

    @property
    def in_place(self) -> bool:
        return self.output != "image"

    def asked(self) -> dict[str, Any]:
        """Fields of the bridge's `plan` and `restore`."""
        return {"preset": self.preset, "values": dict(self.values), "in_place": self.in_place}


class Pixels(Protocol):
    """A source, as far as a job needs it."""

    @property
    def document(self) -> tuple[int, int]: ...

    @property
    def region(self) -> Rect: ...

    @property
    def profile(self) -> bytes: ...

    @property
    def mask(self) -> bytes | None: ...

    def announced(self, key: str, sent: Rect) -> dict[str, Any]: ...


@dataclass
class Answer:
    """What came back."""

    pipeline: str
    box: Rect
    """In output pixels of the document."""
    bands: list[bytes]
    mask: list[bytes]
    """Of the region; empty: all of it is restored."""
    fields: dict[str, Any]
    """title, generative, settings, report, operation: as the bridge says."""
    defaults: dict[str, Any]
    """Of the pipeline, for what is worth mentioning in a name."""


def restored(
    wish: Wish,
    pixels: Pixels,
    read: Callable[[Rect], Iterable[bytes]],
    *,
    title: str,
    on_progress: Callable[[Mapping[str, Any]], None],
) -> Generator[Ask, dict[str, Any], Answer]:
    """`read` gives the pixels of a box of the document; `on_progress` gets the bridge's progress fields, and a
    `stage` of its own before there is any: start, send."""
    on_progress({"stage": "start"})
    pipeline, defaults = yield from _pipeline(wish)
    region = pixels.region
    plan = yield Ask(
        "plan",
        {"pipeline": pipeline, "document": list(pixels.document), "region": list(region), **wish.asked()},
    )
    sent = Rect(*plan["sent"])
    on_progress({"stage": "send"})
    yield from sent_document(pixels, KEY, sent, read)
    bands: dict[str, list[bytes]] = {"pixels": [], "mask": []}

    def take(event: str, fields: Mapping[str, Any], payload: bytes) -> None:
        if event == "progress":
            on_progress(fields)
        elif event == "rows":
            bands[fields["plane"]].append(payload)

    kind = "layer" if wish.output == "layer" else "composited"
    fields = yield Ask(
        "restore",
        {"document": KEY, "pipeline": pipeline, "result": kind, "title": title, **wish.asked()},
        on_event=take,
    )
    yield Ask("forget", {"key": KEY})
    return Answer(pipeline, Rect(*fields["rect"]), bands["pixels"], bands["mask"], fields, defaults)


def sent_document(
    pixels: Pixels, key: str, sent: Rect, read: Callable[[Rect], Iterable[bytes]]
) -> Generator[Ask, dict[str, Any], None]:
    """Sends the part of the document that a job needs."""

    def rows() -> Iterable[tuple[str, bytes]]:
        for band in read(sent):
            yield "pixels", band
        if pixels.mask is not None:
            yield "mask", pixels.mask

    yield Ask("document", pixels.announced(key, sent), pixels.profile, rows=rows())


def _pipeline(wish: Wish) -> Generator[Ask, dict[str, Any], tuple[str, dict[str, Any]]]:
    """The one to use and its defaults; an unknown one is the bridge's to refuse."""
    listing = yield Ask("pipelines")
    pipeline = wish.pipeline or listing["default"]
    known = {p["id"]: p for p in listing["pipelines"]}
    if pipeline not in known:
        return pipeline, {}
    return pipeline, known[pipeline]["defaults"]["in_place" if wish.in_place else "enlarged"]
