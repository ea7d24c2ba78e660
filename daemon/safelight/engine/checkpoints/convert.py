"""Official checkpoint files to safetensors, and reading those back.

`convert_official` reads the authors' `.pkl`, `.pth` or `.bin` in a process of its own (`unpickle`) and lands the result
atomically. A converted file keeps the official names joined with `/` (`state_dict_unet/conv_in.weight`); what is no
tensor (ranks, module lists) is JSON text in the safetensors header, under its own name.
"""

from __future__ import annotations

import errno
import json
import os
import secrets
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from safelight.engine.checkpoints.official import FORMATS, Kind
from safelight.engine.checkpoints.store import disk_full, sync_folder
from safelight.errors import InvalidRequest, NotReady, TooMuch

if TYPE_CHECKING:
    from torch import Tensor

TIME_LIMIT_S = 120.0  # importing torch on a loaded laptop takes up to 20 s
BYTES_PER_S_LEAST = 10 << 20  # a slow external disk
NO_DEVICE = {"CUDA_VISIBLE_DEVICES": ""}  # reading a file needs no device


def convert_official(
    source: Path, target: Path, kind: Kind, *, called: str = "", time_limit_s: float = TIME_LIMIT_S
) -> None:
    """Reads the authors' file `source` and writes `target` (safetensors), in one step or not at all.
    `called` is the file's name in messages (default: its own).

    Raises InvalidRequest (CHECKPOINT_FOREIGN, CHECKPOINT_UNREADABLE) when the file is another thing,
    NotReady (CHECKPOINT_DAMAGED) when it is damaged or holds what may not be read, TooMuch (DISK_FULL,
    CHECKPOINT_DIR) when the target cannot be written.
    Keys and shapes are checked against a base by `layout.check_layout`.
    """
    size = _readable_size(source, FORMATS[kind].bytes_most)
    if not os.access(target.parent, os.W_OK):
        raise disk_full(target.parent, PermissionError(errno.EACCES, "no folder that can be written"))
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(8)}.part")
    try:
        answer = _run(source, temporary, kind, time_limit_s + size / BYTES_PER_S_LEAST)
        if "problem" in answer:
            raise _error(called or source.name, kind, answer["problem"], answer.get("detail", ""))
        land(temporary, target)
    finally:
        temporary.unlink(missing_ok=True)


def read_converted(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Tensors (CPU, as stored, memory-mapped until touched) and header strings of a converted file.

    Raises NotReady (CHECKPOINT_MISSING, CHECKPOINT_DAMAGED).
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt", device="cpu") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no mapping
            return tensors, dict(file.metadata() or {})
    except FileNotFoundError:
        raise NotReady(
            f"the checkpoint {path.name} is not there: install it with safelight models", "CHECKPOINT_MISSING"
        ) from None
    except (SafetensorError, OSError):
        raise damaged(path) from None


def land(temporary: Path, target: Path) -> None:
    """Gives a finished file its name; after this it survives a power cut. Raises TooMuch."""
    try:
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        temporary.replace(target)
        sync_folder(target.parent)
    except OSError as error:
        raise disk_full(target.parent, error) from None


def damaged(path: Path) -> NotReady:
    return NotReady(
        f"the checkpoint file {path.name} is damaged or cut short: download it again",
        "CHECKPOINT_DAMAGED",
        details={"file": path.name},
    )


def _readable_size(source: Path, bytes_most: int) -> int:
    try:
        with source.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
    except OSError as error:
        raise InvalidRequest(
            f"the checkpoint file {source} cannot be read ({error.strerror}): name a file that is there",
            "CHECKPOINT_UNREADABLE",
        ) from None
    if size > bytes_most:
        raise _error(source.name, None, "too-large", f"it has {size} bytes, more than {bytes_most}")
    return size


def _run(source: Path, temporary: Path, kind: Kind, time_limit_s: float) -> dict[str, str]:
    """The child's answer; a child that dies or stalls counts as a damaged file."""
    command = [sys.executable, "-P", "-m", "safelight.engine.checkpoints.unpickle"]
    command += [kind, str(source.absolute()), str(temporary.absolute()), str(FORMATS[kind].bytes_most)]
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=time_limit_s,
            env={**os.environ, **NO_DEVICE},
        )
        answer = json.loads(done.stdout.splitlines()[-1])
    except (subprocess.TimeoutExpired, IndexError, ValueError):
        return {"problem": "damaged"}
    return answer if isinstance(answer, dict) else {"problem": "damaged"}


def _error(name: str, kind: Kind | None, problem: str, detail: str) -> Exception:
    details = {"file": name, "problem": problem}
    because = f" ({detail})" if detail else ""
    if problem == "foreign":
        title = FORMATS[kind].title if kind else "a checkpoint"
        return InvalidRequest(
            f"{name} is not {title}{because}: give the authors' own file",
            "CHECKPOINT_FOREIGN",
            details=details,
        )
    if problem == "disk":
        return TooMuch(
            f"{name} could not be converted{because}: make room on the disk of the checkpoint folder",
            "DISK_FULL",
        )
    what = {
        "unsafe": "holds program code, which is never run",
        "not-finite": f"holds values that are not numbers{because}",
        "too-large": f"claims more than a checkpoint can hold{because}",
    }.get(problem, "is damaged or cut short")
    return NotReady(
        f"the checkpoint file {name} {what}: download it again from the authors",
        "CHECKPOINT_DAMAGED",
        details=details,
    )
