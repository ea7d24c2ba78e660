"""Documents that the plug-in has sent: pixels stay in the bridge, so that previews need not send them again."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from safelight.client.bridge import Call
from safelight.client.restoration import Work
from safelight.errors import InvalidRequest, NotFound
from safelight.geometry import Rect, Size
from safelight.imaging.pixels import DocumentArray, MaskArray, PixelFormat, Sample
from safelight.settings import MAX_PIXELS


@dataclass(frozen=True)
class Document:
    """What `restore` needs besides settings."""

    size: Size
    sent: Rect
    region: Rect
    format: PixelFormat
    icc: bytes
    pixels: DocumentArray
    mask: MaskArray | None

    def work(self, *, layer: bool, title: str) -> Work:
        """For a layer the mask stays here: the editor blends, and shows more when its mask is painted."""
        return Work(
            document=self.size,
            sent=self.sent,
            region=self.region,
            pixels=self.pixels,
            icc=self.icc,
            linear=self.format.linear,
            mask=None if layer else self.mask,
            layer=layer,
            title=title,
        )


@dataclass(frozen=True)
class Result:
    """What the last restoration of a document gave."""

    part: Rect
    """In document pixels."""
    pixels: DocumentArray
    """`part` at output size."""


class Documents:
    """All documents of one session by key. Rows are taken on the session's reading thread."""

    def __init__(self) -> None:
        self._ready: dict[str, Document] = {}
        self._results: dict[str, Result] = {}
        self._coming: _Upload | None = None
        self._lock = threading.Lock()

    def begin(self, call: Call) -> None:
        """The command `document`; the rows that follow are answered."""
        key = call.text("key")
        document = _announced(call.fields, bytes(call.payload))
        self._coming = _Upload(key, document, _planes(document))

    def take(self, call: Call) -> Mapping[str, Any] | None:
        """The command `rows`; gives the document's answer with the last of them."""
        coming = self._coming
        if coming is None:
            raise InvalidRequest("rows came without a document: send it first", "ROWS_MISPLACED")
        plane = coming.planes.get(str(call.fields.get("plane")))
        if plane is None or len(call.payload) > len(plane.left):
            self._coming = None
            raise InvalidRequest("rows came that do not fit the document: send it again", "ROWS_MISPLACED")
        plane.take(call.payload)
        if any(len(p.left) for p in coming.planes.values()):
            return None
        self._coming = None
        with self._lock:
            self._ready[coming.key] = coming.document
            self._results.pop(coming.key, None)
        return {"key": coming.key}

    def forget(self, call: Call) -> Mapping[str, Any]:
        with self._lock:
            self._results.pop(call.text("key"), None)
            return {"was_there": self._ready.pop(call.text("key"), None) is not None}

    def __getitem__(self, key: str) -> Document:
        with self._lock:
            document = self._ready.get(key)
        if document is None:
            raise NotFound(f"the document {key!r} was not sent, or is forgotten: send it", "NO_DOCUMENT")
        return document

    def remember(self, key: str, result: Result) -> None:
        """In place of the one before; nothing where the document has been forgotten."""
        with self._lock:
            if key in self._ready:
                self._results[key] = result

    def result(self, key: str) -> Result:
        """Raises NotFound (NO_RESULT)."""
        with self._lock:
            result = self._results.get(key)
        if result is None:
            raise NotFound(
                f"the document {key!r} has no result yet: restore it, and not only a preview", "NO_RESULT"
            )
        return result


class _Plane:
    """Bytes that are still to come."""

    def __init__(self, array: np.ndarray[Any, Any]) -> None:
        self.left = array.reshape(-1).view(np.uint8).data

    def take(self, payload: bytearray) -> None:
        self.left[: len(payload)] = payload
        self.left = self.left[len(payload) :]


@dataclass
class _Upload:
    key: str
    document: Document
    planes: dict[str, _Plane]


def _planes(document: Document) -> dict[str, _Plane]:
    planes = {"pixels": _Plane(document.pixels)}
    if document.mask is not None:
        planes["mask"] = _Plane(document.mask)
    return planes


def _announced(fields: Mapping[str, Any], icc: bytes) -> Document:
    """With room for its rows; sizes are checked before it is taken."""
    size, sent, region = Size(*_whole(fields, "document", 2)), rect(fields, "sent"), rect(fields, "region")
    if not (Rect.of_size(size).contains(sent) and sent.contains(region)) or region.empty:
        raise InvalidRequest(
            "the region must lie in the part that is sent, and that in the document: select something inside the layer",
            "REGION_OUTSIDE",
        )
    if sent.size.area > MAX_PIXELS:
        raise InvalidRequest(
            f"the selection with its surroundings has {sent.size.area / 1e6:.0f} megapixels: at most "
            f"{MAX_PIXELS / 1e6:.0f} are taken, so select less",
            "TOO_MANY_PIXELS",
        )
    try:
        sample = Sample(fields.get("sample"))
    except ValueError:
        raise InvalidRequest(f"there are no samples {fields.get('sample')!r}", "PIXEL_FORMAT") from None
    channels = 1 if fields.get("channels") == 1 else 3
    fmt = PixelFormat(channels, bool(fields.get("alpha")), sample, bool(fields.get("linear")))
    return Document(
        size,
        sent,
        region,
        fmt,
        icc,
        np.empty((sent.height, sent.width, fmt.channels), sample.dtype),
        np.empty((region.height, region.width), np.uint8) if fields.get("masked") else None,
    )


def rect(fields: Mapping[str, Any], name: str) -> Rect:
    return Rect(*_whole(fields, name, 4))


def size(fields: Mapping[str, Any], name: str) -> Size:
    return Size(*_whole(fields, name, 2))


def _whole(fields: Mapping[str, Any], name: str, count: int) -> list[int]:
    numbers = fields.get(name)
    whole = isinstance(numbers, list) and all(type(n) is int and abs(n) < 2**31 for n in numbers)
    if not isinstance(numbers, list) or not whole or len(numbers) != count:
        raise InvalidRequest(f"the request's {name} is not {count} whole numbers", "REQUEST_INCOMPLETE")
    return numbers
