"""One job as a conversation with the bridge, from the plan to the restored rows. Standard library only."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from errors import SafelightError
from flow import Ask
from geometry import Rect
from image_xmp import record_in, with_record

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
    metadata: str
    """Of the image, with this operation in its record; empty where its record was damaged and is left as it is."""


def restored(
    wish: Wish,
    pixels: Pixels,
    read: Callable[[Rect], Iterable[bytes]],
    *,
    metadata: Callable[[], str],
    title: str,
    on_progress: Callable[[Mapping[str, Any]], None],
) -> Generator[Ask, dict[str, Any], Answer]:
    """`read` gives the pixels of a box of the document, `metadata` those of the image as GIMP serialises them;
    `on_progress` gets the bridge's progress fields, and a `stage` of its own before there is any: start, send."""
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
    recorded = yield from _recorded(metadata(), fields)
    box = Rect(*fields["rect"])
    return Answer(pipeline, box, bands["pixels"], bands["mask"], fields, defaults, recorded)


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


def _recorded(metadata: str, fields: Mapping[str, Any]) -> Generator[Ask, dict[str, Any], str]:
    """A record that cannot be read is no reason to lose finished work."""
    record, source_type = record_in(metadata)
    asked = {"record": record, "source_type": source_type}
    try:
        told = yield Ask(
            "record", {**asked, "operation": fields["operation"], "generative": fields["generative"]}
        )
    except SafelightError as error:
        if error.reason != "RECORD_DAMAGED":
            raise
        return ""
    return with_record(metadata, told["record"], told["source_type"])


def _pipeline(wish: Wish) -> Generator[Ask, dict[str, Any], tuple[str, dict[str, Any]]]:
    """The one to use and its defaults; an unknown one is the bridge's to refuse."""
    listing = yield Ask("pipelines")
    pipeline = wish.pipeline or listing["default"]
    known = {p["id"]: p for p in listing["pipelines"]}
    if pipeline not in known:
        return pipeline, {}
    return pipeline, known[pipeline]["defaults"]["in_place" if wish.in_place else "enlarged"]


@dataclass
class Shown:
    """A preview: `bands` of `box`, in output pixels of the document."""

    patch: Rect
    box: Rect
    bands: list[bytes]


@dataclass
class Sending:
    """What of a document the bridge has under a key."""

    key: str
    sent: Rect | None = None


def previewed(
    wish: Wish,
    pixels: Pixels,
    read: Callable[[Rect], Iterable[bytes]],
    *,
    sending: Sending,
    patch: Callable[[Rect], Rect],
    on_progress: Callable[[Mapping[str, Any]], None],
) -> Generator[Ask, dict[str, Any], Shown]:
    """A part of the result, with the tiles that the whole one will have. `patch` gives it for the part of the
    document that is sent; pixels are sent once for many previews."""
    asked = {"pipeline": wish.pipeline, **wish.asked()}
    region, document = list(pixels.region), list(pixels.document)
    plan = yield Ask("plan", {"document": document, "region": region, **asked})
    sent = Rect(*plan["sent"])
    if sending.sent != sent:
        sending.sent = None
        yield from sent_document(pixels, sending.key, sent, read)
        sending.sent = sent
    box, bands = patch(sent), []

    def take(event: str, fields: Mapping[str, Any], payload: bytes) -> None:
        if event == "progress":
            on_progress(fields)
        elif event == "rows":
            bands.append(payload)

    told = {"document": sending.key, "result": "layer", "patch": list(box), **asked}
    fields = yield Ask("restore", told, on_event=take)
    return Shown(box, Rect(*fields["rect"]), bands)
