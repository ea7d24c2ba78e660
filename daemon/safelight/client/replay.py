"""Runs the operations of a record again and tells what was not as it was when they were recorded.

On the same machine, with the same files and versions, the result has the same bits. Elsewhere the arithmetic differs a
little: `Replayed.differences` says in what, and `compared` by how many dB.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from safelight.client.record import operation_of
from safelight.client.restoration import RestorationClient, Restored, Work
from safelight.errors import InvalidRequest
from safelight.geometry import Rect, Size
from safelight.imaging.files import PictureFile
from safelight.imaging.pixels import DocumentArray, MaskArray
from safelight.imaging.record import SEAL, pixels_sha256
from safelight.imaging.verification import (
    LOSSY,
    Check,
    Examination,
    Operation,
    held,
    levels,
    recorded_mask,
    same_samples,
)
from safelight.settings import RestoreSettings, unknown_name
from safelight.spec import PipelineSpec
from safelight.v1 import restoration_pb2 as rpb

ENVIRONMENT = ("versions", "checkpoints", "device", "threads", "precision", "batch", "plan", "working_scale")
"""Of a job's report: with all of these as recorded, the bits are."""
AGREES_DB = 40.0
"""Where the environment is another one: PSNR over all samples from which on a replay is called the same restoration.
An error of 2.6 8-bit levels; reduced precision is refused above 0.8."""


class Difference(NamedTuple):
    """One fact that is not as recorded."""

    operation: int
    """From 1."""
    what: str
    """A name of ENVIRONMENT; below it, behind a dot, the part of it."""
    recorded: object
    now: object


@dataclass(frozen=True)
class Replayed:
    """What running the operations again gave."""

    pixels: DocumentArray | None
    """None where an editor blended: it alone knows how."""
    differences: tuple[Difference, ...]
    operations: tuple[tuple[dict[str, object], bool], ...]
    """Entries for a record of the replay, and whether each was generative."""
    editors: tuple[tuple[int, bool], ...] = ()
    """Operations whose result an editor blended, from 1, and whether what it was given came again, bit for bit."""


class Comparison(NamedTuple):
    """Of a replay with the result."""

    identical: bool
    psnr_db: float
    """Over all samples, peak white; infinite where they are identical."""
    largest: float
    """Largest difference, 8-bit levels."""


def replay(
    client: RestorationClient,
    operations: Sequence[Operation],
    original: PictureFile,
    document: DocumentArray,
    *,
    masks: Mapping[int, MaskArray] | None = None,
    on_progress: Callable[[rpb.Progress], None] = lambda progress: None,
) -> Replayed:
    """Runs `operations`, those of an Examination, on `document`, the original's samples.

    `masks`, by number of the operation, from 1, stand in for those that were too detailed for the record. Raises
    InvalidRequest (REPLAY_...) for an operation that cannot be run again, and what a job may raise.
    """
    specs = {p.spec.id: p.spec for p in client.pipelines()}
    states = {pixels_sha256(document): document}
    picture, differences, entries = document, list[Difference](), []
    editors: list[tuple[int, bool]] = []
    for number, operation in enumerate(operations, 1):
        spec = specs.get(str(operation["pipeline"]))
        if spec is None:
            raise unknown_name("pipeline", str(operation["pipeline"]), list(specs))
        mask = (masks or {}).get(number, recorded_mask(operation))
        settings = settings_again(operation, spec)
        if operation.get("hashed"):
            work = work_again(number, operation, original, document, mask)
            again = _for_an_editor(client, work, operation, settings, on_progress)
            differences += _differences(number, operation, again.report)
            editors.append((number, pixels_sha256(again.pixels) == operation["output_sha256"]))
            continue
        if editors:
            raise InvalidRequest(
                f"operation {number} worked on what an editor blended before, which cannot be made again",
                "REPLAY_EDITOR",
            )
        seen = states.get(str(operation["input_sha256"]), picture)
        work = work_again(number, operation, original, seen, mask)
        restored = client.restore(work, settings, on_progress=on_progress, keep=False)
        differences += _differences(number, operation, restored.report)
        picture = _laid(picture, restored.pixels, work.region, settings)
        states[pixels_sha256(picture)] = picture
        entry = operation_of(seen, picture, work, settings, restored)
        entries.append(({**entry, "replay_of": operation.get(SEAL)}, spec.generative))
    pixels = None if editors else picture
    return Replayed(pixels, tuple(differences), tuple(entries), tuple(editors))


def _for_an_editor(
    client: RestorationClient,
    work: Work,
    operation: Operation,
    settings: RestoreSettings,
    on_progress: Callable[[rpb.Progress], None],
) -> Restored:
    """What the editor was given. Raises InvalidRequest (REPLAY_EDITOR) where it had sent something else."""
    if pixels_sha256(work.pixels) != operation["input_sha256"]:
        raise InvalidRequest(
            "an editor sent other samples than the original has there: after an earlier operation or in another format",
            "REPLAY_EDITOR",
        )
    layer = operation.get("result") == "layer"
    work = replace(work, layer=layer, mask=None if layer else work.mask)
    patch = work.sent if layer else None
    return client.restore(work, settings, on_progress=on_progress, keep=False, patch=patch)


def replay_check(
    replayed: Replayed, examination: Examination, original: PictureFile, result: PictureFile
) -> tuple[Check, Comparison | None]:
    """Whether the replay is the result. It holds where every sample is the same; it fails where it is not although
    nothing differs from the recorded environment, or by more than another environment explains (AGREES_DB)."""
    elsewhere = _places(replayed.differences)
    if replayed.pixels is None:
        return _editors_check(replayed, elsewhere), None
    comparison = compared(replayed.pixels, examination, original, result)
    if comparison is None:
        sentence = f"The result is a {result.container} that Safelight cannot write again to compare."
        return Check("replay", "unproven", sentence), None
    if comparison.identical:
        sentence = "The recorded operations, run again, give every sample of the result"
        return Check("replay", "holds", f"{sentence}{elsewhere and f', although {elsewhere}'}."), comparison
    apart = f"{comparison.psnr_db:.1f} dB, at most {comparison.largest:.1f} of 255"
    if not replayed.differences:
        sentence = (
            f"The recorded operations, run again in the same environment, give another result ({apart})."
        )
        return Check("replay", "fails", sentence), comparison
    agrees = comparison.psnr_db >= AGREES_DB
    sentence = f"The replay {'is close to' if agrees else 'is not'} the result ({apart}); {elsewhere}."
    return Check("replay", "unproven" if agrees else "fails", sentence), comparison


def _editors_check(replayed: Replayed, elsewhere: str) -> Check:
    """Of results that an editor blended: only what it was given can come again."""
    wrong = [number for number, same in replayed.editors if not same]
    if not wrong:
        sentence = "What the editor was given comes again bit for bit; how it blended that is not recorded."
        return Check("replay", "unproven", sentence)
    which = ", ".join(map(str, wrong))
    sentence = f"What the editor was given in operation {which} does not come again"
    return Check(
        "replay", "unproven" if elsewhere else "fails", f"{sentence}{elsewhere and f'; {elsewhere}'}."
    )


def _places(differences: Sequence[Difference]) -> str:
    """For a sentence: what is not as recorded."""
    if not differences:
        return ""
    names = dict.fromkeys(d.what for d in differences)
    return ", ".join(names) + (" is" if len(names) == 1 else " are") + " not as recorded"


def compared(
    pixels: DocumentArray, examination: Examination, original: PictureFile, result: PictureFile
) -> Comparison | None:
    """The replay's samples and the result's, over what the operations touched, as far as the result's file holds it;
    None where they cannot be compared."""
    after = examination.result
    if result.container in LOSSY or result.format != original.format:
        back = held(pixels, original, result.container)
        if back is None:
            return None
        pixels = back.pixels
    if pixels.shape != after.shape or pixels.dtype != after.dtype:
        return None
    if same_samples(pixels, after).all():
        return Comparison(True, math.inf, 0.0)
    apart = levels(pixels, after)
    touched = examination.touched
    error = float(np.mean(np.square(apart if touched is None else apart[touched], dtype=np.float64)))
    psnr = 20 * math.log10(255) - 10 * math.log10(error) if error else math.inf
    return Comparison(False, psnr, float(apart.max()))


def settings_again(operation: Operation, spec: PipelineSpec) -> RestoreSettings:
    """As recorded, in the precision that was used."""
    recorded = {name: value for name, value in operation["settings"].items() if name != "pipeline"}
    used = operation.get("precision")
    if used in ("fp32", "bf16", "fp16"):
        recorded["precision"] = used
    return RestoreSettings(spec.id).with_values(spec, recorded)


def work_again(
    number: int, operation: Operation, original: PictureFile, seen: DocumentArray, mask: MaskArray | None
) -> Work:
    """What operation `number` was given. Raises InvalidRequest (REPLAY_SIZE, REPLAY_MASK)."""
    region, sent, document = (
        Rect(*operation["region"]),
        Rect(*operation["sent"]),
        Size(*operation["document"]),
    )
    if document != Size(seen.shape[1], seen.shape[0]):
        raise InvalidRequest(
            f"operation {number} worked on {document.width} x {document.height} pixels, and there are "
            f"{seen.shape[1]} x {seen.shape[0]}: is this the original?",
            "REPLAY_SIZE",
        )
    wanted = operation.get("mask_sha256")
    if wanted is not None and mask is None:
        raise InvalidRequest(
            f"the mask of operation {number} was too detailed for the record: give it with --mask",
            "REPLAY_MASK",
        )
    if mask is not None and hashlib.sha256(mask.tobytes()).hexdigest() != wanted:
        raise InvalidRequest(
            f"the mask of operation {number} is not the one that the record names", "REPLAY_MASK"
        )
    return Work(
        document=document,
        sent=sent,
        region=region,
        pixels=seen[sent.slices],
        icc=original.icc,
        linear=bool(dict(operation.get("format") or {}).get("linear", original.format.linear)),
        mask=mask,
        title=f"replay of operation {number}",
    )


def _laid(
    picture: DocumentArray, restored: DocumentArray, region: Rect, settings: RestoreSettings
) -> DocumentArray:
    """At scale 1 the picture with the region restored, else what came back."""
    if settings.output_scale != 1:
        return restored
    whole = picture.copy()
    whole[region.slices] = restored
    return whole


def _differences(number: int, operation: Operation, report: Mapping[str, Any]) -> list[Difference]:
    found = []
    for name in ENVIRONMENT:
        if name not in operation:
            continue
        recorded, now = operation[name], report.get(name)
        if isinstance(recorded, Mapping) and isinstance(now, Mapping):
            parts = sorted({*recorded, *now})
            found += [
                Difference(number, f"{name}.{part}", recorded.get(part), now.get(part))
                for part in parts
                if recorded.get(part) != now.get(part)
            ]
        elif recorded != now:
            found.append(Difference(number, name, recorded, now))
    return found
