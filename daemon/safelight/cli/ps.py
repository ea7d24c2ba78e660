"""`safelight ps`."""

from __future__ import annotations

import argparse
import time

from rich.table import Table

from safelight.cli.console import Console
from safelight.client.restoration import RestorationClient
from safelight.errors import Unavailable
from safelight.v1 import daemon_pb2 as dpb
from safelight.v1 import restoration_pb2 as rpb

ENDED_SHOWN = 5


def run(given: argparse.Namespace, console: Console) -> int:
    try:
        with RestorationClient.chosen(start=False) as client:
            state, jobs = client.state(), client.jobs()
    except Unavailable as error:
        if error.reason != "NOT_RUNNING":
            raise
        console.say("no daemon is running; the next restore starts one")
        console.event("state", running=False)
        return 0
    console.result(
        f"daemon {state.process_id} on {state.device_title or 'no device yet'}, "
        f"{_gb(state.free_memory_bytes)} of {_gb(state.memory_bytes)} free, "
        f"uses {_gb(state.process_memory_bytes)} of host memory"
    )
    console.table(_residents(state))
    if state.parts:
        console.table(_parts(state))
    console.table(_jobs(jobs))
    console.event("state", running=True, **_as_json(state, jobs))
    return 0


def _residents(state: dpb.GetStateResponse) -> Table:
    table = Table("pipeline", "device", "weights", "precision", "until", title="loaded", title_justify="left")
    for r in state.residents:
        table.add_row(r.pipeline, r.device, _mb(r.weights_bytes), r.precision, _until(r))
    return table


def _parts(state: dpb.GetStateResponse) -> Table:
    """What pipelines share, once each; their own bytes are without it."""
    table = Table(
        "part", "device", "weights", "precision", "used by", title="shared parts", title_justify="left"
    )
    for part in state.parts:
        users = ", ".join(part.used_by)
        users += ", in use" if part.reference_count else ""
        table.add_row(part.title, part.device, _mb(part.weights_bytes), part.precision, users)
    return table


def _until(resident: dpb.Resident) -> str:
    if resident.reference_count:
        return "in use"
    if not resident.HasField("expire_time"):
        return "for ever"
    return f"{max(0, resident.expire_time.seconds - int(time.time()))} s from now"


def _jobs(jobs: list[dpb.JobInfo]) -> Table:
    table = Table("job", "title", "pipeline", "state", "done", title="jobs", title_justify="left")
    ended = 0
    for job in jobs:
        state = _state(job.progress)
        if state in ("succeeded", "failed", "cancelled"):
            ended += 1
            if ended > ENDED_SHOWN:
                continue
        done = f"{job.progress.fraction:.0%}" if state == "running" else job.error
        table.add_row(job.job_id, job.title, job.pipeline, state, done)
    return table


def _state(progress: rpb.Progress) -> str:
    return str(rpb.JobState.Name(progress.state)).removeprefix("JOB_STATE_").lower()


def _as_json(state: dpb.GetStateResponse, jobs: list[dpb.JobInfo]) -> dict[str, object]:
    return {
        "process_id": state.process_id,
        "device": state.device,
        "device_title": state.device_title,
        "free_memory_bytes": state.free_memory_bytes,
        "process_memory_bytes": state.process_memory_bytes,
        "residents": [
            {
                "pipeline": r.pipeline,
                "device": r.device,
                "weights_bytes": r.weights_bytes,
                "precision": r.precision,
                "expires": r.expire_time.seconds if r.HasField("expire_time") else None,
                "in_use": r.reference_count > 0,
            }
            for r in state.residents
        ],
        "parts": [
            {
                "title": part.title,
                "device": part.device,
                "weights_bytes": part.weights_bytes,
                "precision": part.precision,
                "used_by": list(part.used_by),
                "in_use": part.reference_count > 0,
            }
            for part in state.parts
        ],
        "jobs": [
            {
                "job_id": j.job_id,
                "title": j.title,
                "pipeline": j.pipeline,
                "state": _state(j.progress),
                "fraction": j.progress.fraction,
                "error": j.error,
            }
            for j in jobs
        ],
        "log_path": state.log_path,
    }


def _gb(size: int) -> str:
    return f"{size / 1e9:.1f} GB"


def _mb(size: int) -> str:
    return f"{size / 1e6:.1f} MB"
