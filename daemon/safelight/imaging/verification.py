"""Is a result what its record says, and did nothing else change? Files and arrays only: no network runs here.

`examine` compares a result with its original and the result's record, sample by sample. Whether the recorded
operations really give the result is for `client.replay` to find out; `verdict` takes both together.

Lossy files: JPEG as Safelight writes it (quality 95, colour at full resolution) codes each block of 8 x 8 pixels for
itself, so outside the blocks that a region touches the result must hold exactly what the original gives when it is
coded the same way. A JPEG written otherwise, or an AVIF, is compared within what coding changes by itself: then the
check can fail, but never holds (`unproven`), and its sentence says how small a change it would miss.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from safelight.errors import OutputFileError
from safelight.geometry import Rect, Size
from safelight.imaging.files import PictureFile, open_picture, write_picture
from safelight.imaging.pixels import DocumentArray, MaskArray, PixelFormat
from safelight.imaging.record import (
    broken_seal,
    digital_source_type,
    operations_in,
    pixels_sha256,
    source_type_after,
    unpacked_mask,
)
from safelight.imaging.xmp import OPERATIONS, Packet, XmpDamaged

State = Literal["holds", "fails", "unproven"]
Operation = Mapping[str, Any]
Chosen = npt.NDArray[np.bool_]

BLOCK_PX = 8  # of a JPEG's transform
LOSSY_LEAST_LEVELS = 1.0  # 8-bit levels, mean of a block: below it coding alone may differ between programs
LOSSY_FACTOR = 2.0  # ... and so often the largest that coding the original changes a block by
_SUFFIX_OF = {"PNG": ".png", "JPEG": ".jpg", "TIFF": ".tif", "WebP": ".webp", "HEIF": ".avif"}
LOSSY = frozenset({"JPEG", "HEIF"})
_PROOFS = ("record", "input", "chain", "outside", "output")


@dataclass(frozen=True)
class Check:
    """One question and its answer."""

    name: str
    """record, input, chain, outside, output or replay."""
    state: State
    """`unproven`: nothing speaks against it, but it could not be shown either."""
    sentence: str


@dataclass(frozen=True)
class RegionFacts:
    """One recorded operation and what it changed."""

    number: int
    """From 1."""
    region: Rect
    """The box, in pixels of the picture that the operation worked on."""
    share: float
    """Of that picture's pixels that are selected: the box, or what its mask selects of it; 0..1."""
    masked: bool
    pipeline: str
    generative: bool
    time: str
    changed_share: float | None
    """Of the selected pixels that differ between original and result; None where the picture was enlarged."""
    mean_change: float | None
    """Mean absolute difference of their samples, 8-bit levels, document numbers."""
    largest_change: float | None


@dataclass(frozen=True)
class Examination:
    """What is known without running a network."""

    checks: tuple[Check, ...]
    regions: tuple[RegionFacts, ...]
    operations: tuple[Operation, ...]
    """Those after the original's own."""
    original: DocumentArray
    result: DocumentArray
    touched: Chosen | None
    """H W: inside a recorded region, or its mask; None where the picture was enlarged."""


def verdict(checks: Sequence[Check]) -> State:
    """Of all checks together. A replay that gives every sample of the result proves what the others leave open."""
    states = {check.name: check.state for check in checks}
    if "fails" in states.values():
        return "fails"
    if states.get("replay") == "holds" and states["record"] == "holds":
        return "holds"
    return "holds" if all(states[name] == "holds" for name in _PROOFS) else "unproven"


def examine(result: PictureFile, original: PictureFile) -> Examination:
    """Raises InputFileError for files that cannot be read; a bad or missing record is a check that fails."""
    before, after = original.read(), result.read()
    try:
        operations = _operations(result, original)
        masks = [recorded_mask(operation) for operation in operations]
        steps = _Steps(original.size, operations, masks)
    except (XmpDamaged, _RecordWrong, KeyError, TypeError, ValueError) as error:
        sentence = (
            str(error) if isinstance(error, XmpDamaged | _RecordWrong) else "an operation is incomplete"
        )
        bad = Check("record", "fails", f"The record does not hold: {sentence}.")
        return Examination((bad,), (), (), before, after, None)
    count = f"{len(operations)} operation{'s' if len(operations) > 1 else ''}"
    checks = [
        Check("record", "holds", f"The record is whole: {count}, each sealed with the one before it."),
        _input_check(operations[0], original, before),
        _chain_check(operations),
        _outside_check(steps, result, original, before, after),
        _output_check(operations[-1], result, after),
    ]
    touched = steps.touched if steps.in_place and after.shape == before.shape else None
    regions = tuple(
        _region_facts(number, operation, mask, before, after, in_place=touched is not None)
        for number, (operation, mask) in enumerate(zip(operations, masks, strict=True), 1)
    )
    return Examination(tuple(checks), regions, tuple(operations), before, after, touched)


def recorded_mask(operation: Operation) -> MaskArray | None:
    """The mask of an operation, region.height x region.width; None where all of the region was restored, or the mask
    was too detailed for the record (then `mask_sha256` is there). Raises XmpDamaged."""
    text = operation.get("mask")
    return None if text is None else unpacked_mask(str(text), Rect(*operation["region"]).size)


class Held(NamedTuple):
    """What a file gives back."""

    icc: bytes
    pixels: DocumentArray


def held(pixels: DocumentArray, picture: PictureFile, container: str) -> Held | None:
    """`pixels`, in the format and profile of `picture`, as a file of this container written by Safelight gives them
    back; None where none can be written."""
    with tempfile.TemporaryDirectory(prefix="safelight-") as folder:
        path = Path(folder) / f"held{_SUFFIX_OF[container]}"
        try:
            write_picture(path, pixels, picture.format, icc=picture.icc)
        except OutputFileError:
            return None
        back = open_picture(path)
        return Held(back.icc, back.read())


def same_samples(a: DocumentArray, b: DocumentArray) -> Chosen:
    """H W: True where all samples have the same bits, NaN included. Shapes and types must be equal."""
    if a.dtype == np.float32:
        a, b = (np.ascontiguousarray(x).view(np.uint32) for x in (a, b))  # type: ignore[assignment]
    same: Chosen = np.all(a == b, axis=2)
    return same


def levels(a: DocumentArray, b: DocumentArray) -> npt.NDArray[np.float32]:
    """|a - b| in 8-bit levels, H W C; what is no number counts as infinite unless it is the same on both sides."""
    white = np.float32(255 / PixelFormat.of(a).sample.white)
    with np.errstate(invalid="ignore", over="ignore"):
        apart = np.abs(a.astype(np.float32) - b.astype(np.float32)) * white
    return np.where(np.isnan(apart), np.where(same_samples(a, b)[..., None], 0, np.inf), apart).astype(
        np.float32
    )


class _RecordWrong(Exception):
    """Says what, for the sentence."""


def _operations(result: PictureFile, original: PictureFile) -> list[Operation]:
    if not result.metadata.xmp:
        raise _RecordWrong("the file carries none")
    packet = Packet(result.metadata.xmp)
    text = packet.value(OPERATIONS)
    operations = operations_in(text)
    if not text or not operations:
        raise _RecordWrong("the file carries none")
    if (broken := broken_seal(operations)) is not None:
        raise _RecordWrong(f"operation {broken + 1} is not as it was written, or one before it is missing")
    if digital_source_type(result.metadata.xmp) != source_type_after(
        digital_source_type(result.metadata.xmp), text
    ):
        raise _RecordWrong("the file's digital source type is not what the operations imply")
    earlier = operations_in(Packet(original.metadata.xmp).value(OPERATIONS)) if original.metadata.xmp else []
    if operations[: len(earlier)] != earlier:
        raise _RecordWrong("the original carries operations that the result does not")
    if len(operations) == len(earlier):
        raise _RecordWrong("it has no operation that the original does not have: is it the original itself?")
    return list(operations[len(earlier) :])


class _Steps:
    """The geometry of operations in order. Raises _RecordWrong for what does not fit together."""

    def __init__(
        self, size: Size, operations: Sequence[Operation], masks: Sequence[MaskArray | None]
    ) -> None:
        self.in_place, self.masked = True, False
        self.touched = np.zeros((size.height, size.width), bool)
        for number, (operation, mask) in enumerate(zip(operations, masks, strict=True), 1):
            document, region = Size(*operation["document"]), Rect(*operation["region"])
            if document != size:
                raise _RecordWrong(
                    f"operation {number} speaks of {document.width} x {document.height} pixels, and the picture "
                    f"had {size.width} x {size.height}"
                )
            if region.empty or not Rect.of_size(size).contains(region):
                raise _RecordWrong(f"the region of operation {number} is not within the picture")
            scale = int(operation["output_scale"])
            self.masked |= operation.get("mask_sha256") is not None
            if scale == 1:
                if self.in_place:
                    self.touched[region.slices] |= True if mask is None else mask > 0
            else:
                self.in_place = False
                size = region.times(scale).size
        self.size = size


def _input_check(operation: Operation, original: PictureFile, before: DocumentArray) -> Check:
    hashed = before
    if operation.get("hashed"):  # an editor keeps the rest of its document to itself
        hashed = before[Rect(*operation["sent"]).slices]
    if pixels_sha256(hashed) == operation["input_sha256"]:
        return Check("input", "holds", "The original has the samples that the record names (SHA-256).")
    if operation.get("hashed") and not _same_format(operation, original.format):
        return Check(
            "input", "unproven",
            "The editor hashed the samples in a format of its own, so the original's cannot be compared with them.",
        )  # fmt: skip
    return Check("input", "fails", "The original does not have the samples that the record names (SHA-256).")


def _same_format(operation: Operation, fmt: PixelFormat) -> bool:
    recorded = operation.get("format")
    if not isinstance(recorded, Mapping):
        return True
    return (recorded.get("channels"), recorded.get("sample")) == (fmt.channels, fmt.sample.value)


def _chain_check(operations: Sequence[Operation]) -> Check:
    """Each operation worked on what one before it gave, or on the original."""
    if len(operations) == 1:
        return Check("chain", "holds", "There is one operation only.")
    if any(o.get("hashed") for o in operations):
        return Check(
            "chain", "unproven",
            "An editor hashed only what it sent and got, so the operations' hashes cannot be followed.",
        )  # fmt: skip
    known = {operations[0]["input_sha256"]}
    for number, operation in enumerate(operations, 1):
        if operation["input_sha256"] not in known:
            return Check(
                "chain", "fails",
                f"Operation {number} did not work on what the operations before it left: the picture was changed in "
                "between, or kept in a lossy file.",
            )  # fmt: skip
        known.add(operation["output_sha256"])
    return Check("chain", "holds", "Each operation worked on what those before it left.")


def _output_check(operation: Operation, result: PictureFile, after: DocumentArray) -> Check:
    if operation.get("hashed"):
        return Check(
            "output", "unproven", "An editor blended the result: its samples were not hashed as a whole."
        )
    if pixels_sha256(after) == operation["output_sha256"]:
        return Check("output", "holds", "The result has the samples that the record names (SHA-256).")
    if result.container in LOSSY:
        return Check(
            "output", "unproven",
            f"{result.container} changes samples when they are written: the recorded hash is of those before, and "
            "only a replay can tell.",
        )  # fmt: skip
    if not _same_format(operation, result.format):
        return Check(
            "output", "unproven",
            "The file holds other samples than the document had (another depth): only a replay can tell.",
        )  # fmt: skip
    return Check("output", "fails", "The result does not have the samples that the record names (SHA-256).")


def _outside_check(
    steps: _Steps, result: PictureFile, original: PictureFile, before: DocumentArray, after: DocumentArray
) -> Check:
    if result.size != steps.size:
        return Check(
            "outside", "fails",
            f"The result has {result.size.width} x {result.size.height} pixels, and the recorded operations give "
            f"{steps.size.width} x {steps.size.height}.",
        )  # fmt: skip
    if not steps.in_place:
        if steps.masked:
            return Check(
                "outside", "unproven",
                "The picture was enlarged under a mask: every sample is new, and only a replay can tell.",
            )  # fmt: skip
        return Check("outside", "holds", "The picture was enlarged: the region is all of the result.")
    icc, reference = original.icc, before
    if result.container in LOSSY or result.format != original.format:
        back = held(before, original, result.container)
        if back is None or back.pixels.dtype != after.dtype or back.pixels.shape != after.shape:
            return Check(
                "outside", "unproven",
                f"The result is a {result.container} of another kind than Safelight writes from this original.",
            )  # fmt: skip
        icc, reference = back
    if result.icc != icc:
        return Check(
            "outside", "fails", "The result has another colour profile, so its numbers mean other colours."
        )
    touched = _whole_blocks(steps.touched) if result.container in LOSSY else steps.touched
    differs = ~same_samples(after, reference) & ~touched
    if not differs.any():
        return Check("outside", "holds", _unchanged_sentence(result.container, touched))
    if result.container in LOSSY:
        return _lossy_check(result.container, before, reference, after, touched)
    rows, columns = np.nonzero(differs)
    largest = float(levels(after, reference)[differs].max())
    return Check(
        "outside", "fails",
        f"{len(rows)} pixel{'s' if len(rows) > 1 else ''} outside the recorded regions "
        f"differ{'' if len(rows) > 1 else 's'} from the original, the first at column {columns[0]}, row {rows[0]}, by "
        f"up to {largest:.3g} of 255.",
    )  # fmt: skip


def _unchanged_sentence(container: str, touched: Chosen) -> str:
    share = 100 * (1 - float(touched.mean()))
    if container in LOSSY:
        return (
            f"Outside the recorded regions ({share:.2f} % of the picture, in whole blocks of {BLOCK_PX} pixels) "
            f"every sample is what coding the original as {container} gives."
        )
    return f"Outside the recorded regions ({share:.2f} % of the picture) every sample is the original's, bit for bit."


def _whole_blocks(touched: Chosen) -> Chosen:
    """Grown to the blocks that a JPEG codes together."""
    height, width = touched.shape
    padded = np.pad(touched, ((0, -height % BLOCK_PX), (0, -width % BLOCK_PX)))
    blocks = padded.reshape(padded.shape[0] // BLOCK_PX, BLOCK_PX, -1, BLOCK_PX).any(axis=(1, 3))
    return blocks.repeat(BLOCK_PX, 0).repeat(BLOCK_PX, 1)[:height, :width]


def _lossy_check(
    container: str, before: DocumentArray, coded: DocumentArray, after: DocumentArray, touched: Chosen
) -> Check:
    """Against what coding changes by itself, in means of blocks: a stroke of a brush is more than that."""
    reference = coded
    if before.dtype == after.dtype and before.shape == after.shape:
        reference = before
    by_coding = _block_means(levels(coded, reference), touched)
    found = _block_means(levels(after, reference), touched)
    limit = max(LOSSY_LEAST_LEVELS, LOSSY_FACTOR * float(by_coding.max(initial=0)))
    most = float(found.max(initial=0))
    if most > limit:
        return Check(
            "outside", "fails",
            f"Outside the recorded regions a block of {BLOCK_PX} x {BLOCK_PX} pixels differs from the original by "
            f"{most:.1f} of 255 in the mean; coding it as {container} explains at most {limit:.1f}.",
        )  # fmt: skip
    return Check(
        "outside", "unproven",
        f"This {container} was not coded as Safelight does it. Outside the recorded regions no block of {BLOCK_PX} x "
        f"{BLOCK_PX} pixels differs from the original by more than {most:.1f} of 255 in the mean; a change below "
        f"{limit:.1f} would not be noticed.",
    )  # fmt: skip


def _block_means(apart: npt.NDArray[np.float32], touched: Chosen) -> npt.NDArray[np.float32]:
    """Means over the whole blocks that nothing touches."""
    height, width = (side // BLOCK_PX * BLOCK_PX for side in touched.shape)
    shape = (height // BLOCK_PX, BLOCK_PX, width // BLOCK_PX, BLOCK_PX)
    means = apart[:height, :width].mean(axis=2).reshape(shape).mean(axis=(1, 3))
    free = ~touched[:height, :width].reshape(shape).any(axis=(1, 3))
    chosen: npt.NDArray[np.float32] = means[free]
    return chosen


def _region_facts(
    number: int,
    operation: Operation,
    mask: MaskArray | None,
    before: DocumentArray,
    after: DocumentArray,
    *,
    in_place: bool,
) -> RegionFacts:
    region, document = Rect(*operation["region"]), Size(*operation["document"])
    chosen = np.ones((region.height, region.width), bool) if mask is None else mask > 0
    changed = mean = largest = None
    if in_place and before.dtype == after.dtype and chosen.any():
        old, new = before[region.slices], after[region.slices]
        apart = levels(new, old)[chosen]
        changed = float((~same_samples(new, old))[chosen].mean())
        mean, largest = float(apart.mean()), float(apart.max())
    return RegionFacts(
        number=number,
        region=region,
        share=float(chosen.sum()) / document.area,
        masked=operation.get("mask_sha256") is not None,
        pipeline=str(operation["pipeline"]),
        generative=bool(operation.get("generative")),
        time=str(operation.get("time", "")),
        changed_share=changed,
        mean_change=mean,
        largest_change=largest,
    )
