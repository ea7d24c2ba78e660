"""`safelight verify`: what was done to a picture, and that nothing else was."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from rich.table import Table

from safelight.cli.console import Console, ProgressBar
from safelight.cli.verify_page import write_page
from safelight.client.replay import Replayed, replay, replay_check
from safelight.client.restoration import RestorationClient
from safelight.errors import InvalidRequest, SafelightError
from safelight.geometry import Rect, Size
from safelight.imaging.files import PictureFile, open_picture
from safelight.imaging.pixels import MaskArray
from safelight.imaging.srgb import read_mask
from safelight.imaging.verification import Check, Examination, Operation, State, examine, verdict

EXIT_CODES: Mapping[State, int] = {"holds": 0, "fails": 1, "unproven": 3}
VERDICTS: Mapping[State, str] = {
    "holds": "proven: the recorded operations were done, and nothing else",
    "fails": "not proven: something does not hold",
    "unproven": "nothing speaks against it, but not everything could be proven",
}
_MARKS: Mapping[State, str] = {"holds": "yes", "fails": "NO", "unproven": "open"}


def run(given: argparse.Namespace, console: Console) -> int:
    result, original = open_picture(given.result), open_picture(given.original)
    examination = examine(result, original)
    checks = list(examination.checks)
    if examination.operations and not given.no_replay:
        masks = masks_of(given.mask, examination.operations)
        checks.append(_replayed(examination, original, result, masks, console))
    elif given.no_replay:
        checks.append(Check("replay", "unproven", "It was not replayed, because --no-replay was given."))
    answer = verdict(checks)
    table = Table("check", "holds", "")
    for check in checks:
        table.add_row(check.name, _MARKS[check.state], check.sentence)
    console.table(table)
    for facts in examination.regions:
        console.result(region_sentence(facts.number, examination))
    console.result(f"{result.path}: {VERDICTS[answer]}")
    console.event(
        "verified", result=str(result.path), original=str(original.path), verdict=answer,
        checks=[{"name": c.name, "state": c.state, "sentence": c.sentence} for c in checks],
        regions=[{**vars(facts), "region": list(facts.region)} for facts in examination.regions],
        operations=[dict(o) for o in examination.operations],
    )  # fmt: skip
    if given.report:
        write_page(Path(given.report), result, original, replace(examination, checks=tuple(checks)), answer)
        console.say(f"wrote {given.report}")
    return EXIT_CODES[answer]


def region_sentence(number: int, examination: Examination) -> str:
    """What operation `number`, from 1, did to which share of the pixels."""
    facts = examination.regions[number - 1]
    x, y, width, height = facts.region
    invents = "invents detail" if facts.generative else "invents nothing"
    sentence = (
        f"{number}. {facts.pipeline} ({invents}): {width} x {height} at {x},{y}"
        f"{' under a mask' if facts.masked else ''}, {100 * facts.share:.2f} % of the picture"
    )
    if facts.changed_share is not None:
        sentence += (
            f"; {100 * facts.changed_share:.1f} % of it changed, by {facts.mean_change:.2f} of 255 in the mean "
            f"and {facts.largest_change:.0f} at most"
        )
    return sentence


def masks_of(given: list[str], operations: tuple[Operation, ...]) -> dict[int, MaskArray]:
    """`N=FILE`: pictures of the size that operation N worked on, cut to its region."""
    masks = {}
    for text in given:
        number, equals, path = text.partition("=")
        if not equals or not number.isdecimal() or not 1 <= int(number) <= len(operations):
            raise InvalidRequest(
                f"--mask {text!r}: write N=FILE, N from 1 to {len(operations)}", "SETTING_FORM"
            )
        operation = operations[int(number) - 1]
        whole = read_mask(Path(path), Size(*operation["document"]))
        masks[int(number)] = whole[Rect(*operation["region"]).slices].copy()
    return masks


def _replayed(
    examination: Examination,
    original: PictureFile,
    result: PictureFile,
    masks: Mapping[int, MaskArray],
    console: Console,
) -> Check:
    try:
        return replay_check(run_again(examination, original, masks, console), examination, original, result)[
            0
        ]
    except SafelightError as error:
        return Check("replay", "unproven", f"It was not replayed: {error.message}.")


def run_again(
    examination: Examination, original: PictureFile, masks: Mapping[int, MaskArray], console: Console
) -> Replayed:
    """Raises what a job may raise, and InvalidRequest for an operation that cannot be run again."""
    with (
        RestorationClient.chosen(on_start=lambda: console.say("starting the daemon")) as client,
        console.progress("replay") as bar,
    ):
        return replay(
            client, examination.operations, original, examination.original, masks=masks,
            on_progress=lambda p: _show(bar, p.stage, p.fraction, p.tile_count_done, p.tile_count, p.eta_s),
        )  # fmt: skip


def _show(bar: ProgressBar, stage: str, fraction: float, done: int, tiles: int, eta_s: float) -> None:
    bar.show(stage=stage, fraction=fraction, tiles_done=done, tiles=tiles, eta_s=eta_s)
