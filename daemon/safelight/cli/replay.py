"""`safelight replay`: the operations of a record once more."""

from __future__ import annotations

import argparse
import math
from dataclasses import replace
from pathlib import Path

from safelight.cli.console import Console
from safelight.cli.verify import masks_of, run_again
from safelight.client.replay import replay_check
from safelight.errors import InputFileError, InvalidRequest, OutputFileError
from safelight.imaging.files import PictureFile, check_output, open_picture, write_picture
from safelight.imaging.pixels import PixelFormat
from safelight.imaging.record import append_operation
from safelight.imaging.verification import examine

EXIT_SAME, EXIT_OTHER = 0, 1


def run(given: argparse.Namespace, console: Console) -> int:
    result, original = open_picture(given.result), open_picture(given.input)
    target = None if given.output is None else Path(given.output)
    if target is not None:
        _check_target(target, original, result, given.force)
    examination = examine(result, original)
    if not examination.operations:
        raise InputFileError(
            f"{result.path} cannot be replayed: {examination.checks[0].sentence}", "RECORD_DAMAGED"
        )
    failed = [c for c in examination.checks if c.name == "input" and c.state == "fails"]
    for check in failed:
        console.say(f"note: {check.sentence}")
    replayed = run_again(examination, original, masks_of(given.mask, examination.operations), console)
    check, comparison = replay_check(replayed, examination, original, result)
    for difference in replayed.differences:
        console.result(
            f"operation {difference.operation}, {difference.what}: recorded {difference.recorded}, now {difference.now}"
        )
    console.result(check.sentence)
    identical = comparison is not None and comparison.identical
    finite = comparison is not None and math.isfinite(comparison.psnr_db)
    if target is not None and replayed.pixels is None:
        raise InvalidRequest(
            f"{target} cannot be written: an editor blended the result, and it alone knows how",
            "REPLAY_EDITOR",
        )
    if target is not None and replayed.pixels is not None:
        metadata = original.metadata
        for entry, generative in replayed.operations:
            metadata = replace(metadata, xmp=append_operation(metadata.xmp, entry, generative))
        fmt = replace(PixelFormat.of(replayed.pixels), linear=original.format.linear)
        for note in write_picture(target, replayed.pixels, fmt, icc=original.icc, metadata=metadata):
            console.say(f"note: {note}")
        console.say(f"wrote {target}")
    console.event(
        "replayed", result=str(result.path), original=str(original.path), identical=identical,
        psnr_db=comparison.psnr_db if comparison is not None and finite else None,
        largest_difference=comparison.largest if comparison is not None else None,
        differences=[d._asdict() for d in replayed.differences], sentence=check.sentence,
        output=None if target is None else str(target),
    )  # fmt: skip
    return EXIT_SAME if identical else EXIT_OTHER


def _check_target(target: Path, original: PictureFile, result: PictureFile, force: bool) -> None:
    check_output(target, original.format)
    for file in (original.path, result.path):
        if target.exists() and target.samefile(file):
            raise OutputFileError(
                f"{target} is one of the pictures to compare: name another output", "OUTPUT_IS_INPUT"
            )
    if target.exists() and not force:
        raise OutputFileError(f"{target} is there already: name another, or give --force", "OUTPUT_EXISTS")
