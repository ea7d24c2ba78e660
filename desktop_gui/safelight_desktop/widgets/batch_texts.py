"""What is said of the batch."""

from __future__ import annotations

from datetime import datetime, timedelta

from PySide6.QtCore import QDateTime, QLocale
from PySide6.QtGui import QColor

from safelight_desktop.state.batch import BatchQueue, BatchState, Summary
from safelight_desktop.state.batch_estimate import BatchEstimate
from safelight_desktop.state.batch_rows import BatchRow, RowState
from safelight_desktop.texts import translate
from safelight_desktop.units import byte_count, duration, pixel_size
from safelight_desktop.widgets import theme
from safelight_desktop.widgets.message_bar import sentence
from safelight_desktop.widgets.run_box import step_text


def row_title(row: BatchRow) -> str:
    return row.source.name


def row_detail(row: BatchRow) -> str:
    """Folder and size, and what the result is called; of a failed one, why."""
    if row.state is RowState.FAILED:
        return sentence(row.message.removeprefix(str(row.source)).strip(" :"))
    parts = []
    if row.relative.parent.name:
        parts.append(str(row.relative.parent))
    if row.size is not None:
        parts.append(pixel_size(row.size))
    if row.target is not None:
        parts.append("→ " + row.target.name)
    return "   ".join(parts)


def row_state(row: BatchRow) -> tuple[str, str, QColor]:
    """Drawing, words and colour."""
    used = theme.current()
    match row.state:
        case RowState.WAITING if row.size is None:
            return "waiting", translate("Batch", "Looking…"), used.quiet_text
        case RowState.WAITING if row.result_bytes:
            return "redo", translate("Batch", "Waiting to be done again"), used.quiet_text
        case RowState.WAITING if row.exists:
            return "waiting", translate("Batch", "Waiting · a result is there"), used.quiet_text
        case RowState.WAITING:
            return "waiting", translate("Batch", "Waiting"), used.quiet_text
        case RowState.RUNNING:
            progress = row.progress
            if progress is None:
                return "run", translate("Batch", "Reading"), used.accent
            text = step_text(progress.stage, progress.tiles_done, progress.tiles, progress.eta_s)
            return "run", text, used.accent
        case RowState.DONE:
            if row.duration_s <= 0:
                return "good", translate("Batch", "Restored"), used.good
            text = translate("Batch", "Restored in {time}").format(time=duration(row.duration_s))
            return "good", text, used.good
        case RowState.SKIPPED:
            return "skip", translate("Batch", "Skipped: the result was there"), used.quiet_text
    return "error", translate("Batch", "Failed"), used.error


def summary_line(queue: BatchQueue) -> str:
    """Where the batch stands, in one line."""
    parts = []
    for state, text in (
        (RowState.DONE, translate("Batch", "{n} restored")),
        (RowState.WAITING, translate("Batch", "{n} waiting")),
        (RowState.SKIPPED, translate("Batch", "{n} skipped")),
        (RowState.FAILED, translate("Batch", "{n} failed")),
    ):
        count = queue.count(state)
        if count:
            parts.append(text.format(n=count))
    return " · ".join(parts)


def state_title(queue: BatchQueue) -> str:
    """What the batch does."""
    texts = {
        BatchState.EMPTY: "",
        BatchState.READY: translate("Batch", "Ready"),
        BatchState.RUNNING: translate("Batch", "Restoring"),
        BatchState.PAUSED: translate("Batch", "Paused"),
        BatchState.ON_BATTERY: translate("Batch", "Paused: the machine runs on its battery"),
        BatchState.NO_DAEMON: translate("Batch", "Waiting for the daemon"),
        BatchState.OVER: translate("Batch", "Finished"),
        BatchState.ELSEWHERE: translate("Batch", "Another window of Safelight has the batch"),
    }
    if queue.state is BatchState.RUNNING and queue.trial:
        return translate("Batch", "Trying a few pictures")
    return texts[queue.state]


def long_duration(seconds: float) -> str:
    """With days, where there are some."""
    hours = seconds / 3600
    if hours < 48:
        return duration(seconds)
    return translate("Batch", "{d} days {h} h").format(d=int(hours // 24), h=round(hours % 24))


def finish_time(seconds: float, now: datetime | None = None) -> str:
    """Clock time when it is over, with the day where that is not today."""
    now = now or datetime.now()
    then, locale = now + timedelta(seconds=seconds), QLocale()
    time = QDateTime(then.date(), then.time())  # type: ignore[call-overload]
    clock = locale.toString(time.time(), QLocale.FormatType.ShortFormat)
    days = (then.date() - now.date()).days
    if days == 0:
        return translate("Batch", "today at {time}").format(time=clock)
    if days == 1:
        return translate("Batch", "tomorrow at {time}").format(time=clock)
    day = locale.toString(time.date(), "dddd, d MMMM")
    return translate("Batch", "{day} at {time}").format(day=day, time=clock)


def time_lines(estimate: BatchEstimate) -> tuple[str, str]:
    """How long, and until when."""
    if estimate.duration_s is None:
        return translate("Batch", "Time not known yet"), translate("Batch", "Try a few pictures to learn it.")
    long = translate("Batch", "About {time}").format(time=long_duration(estimate.duration_s))
    until = translate("Batch", "Done {when}").format(when=finish_time(estimate.duration_s))
    return long, until


def disk_line(estimate: BatchEstimate) -> tuple[str, bool]:
    """Room on the disk, and whether there is too little."""
    if not estimate.disks:
        return "", False
    disk = estimate.disks[0]
    text = translate("Batch", "Up to {needed} on the disk, {free} free")
    line = text.format(needed=byte_count(disk.needed_bytes), free=byte_count(disk.free_bytes))
    return line, disk.full


def advice(estimate: BatchEstimate, title: str) -> str:
    """Over twelve hours: which pipeline is quicker. `title`: of the chosen one."""
    if not estimate.long or estimate.duration_s is None:
        return ""
    text = translate("Batch", "{title} needs {time} for this batch.")
    lines = [text.format(title=title, time=long_duration(estimate.duration_s))]
    quicker = estimate.quicker
    if quicker is not None and quicker.duration_s is not None:
        text = translate("Batch", "{title} would need about {time}.")
        lines.append(text.format(title=quicker.spec.title, time=long_duration(quicker.duration_s)))
    elif quicker is not None:
        text = translate("Batch", "{title} is lighter; how long it takes here is not known yet.")
        lines.append(text.format(title=quicker.spec.title))
    return " ".join(lines)


def ended_text(summary: Summary) -> str:
    """For a notification."""
    text = translate("Batch", "{n} restored").format(n=summary.done)
    if summary.failed:
        text += ", " + translate("Batch", "{n} failed").format(n=summary.failed)
    if summary.skipped:
        text += ", " + translate("Batch", "{n} skipped").format(n=summary.skipped)
    return text
