"""The short-lived process that reads one official checkpoint and writes it as safetensors.

    python -m safelight.engine.checkpoints.unpickle KIND SOURCE TARGET BYTES_MOST

Nothing in the file is executed: torch's restricted unpickler takes tensors, plain containers and numbers and
refuses the rest. This process exists so that a file which crashes, floods or stalls even that reader takes
nothing along: its memory, its time and the size of what it writes are bounded, and it holds nothing of the daemon.
The last line on stdout is a JSON object: `{"kind": ...}` on success, else `{"problem": ..., "detail": ...}` with a
problem of `PROBLEMS`; the sentence for people is made by the parent (`convert`).
"""

from __future__ import annotations

import contextlib
import json
import pickle
import re
import sys
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from safelight.engine.checkpoints.official import FORMATS, OfficialFormat

PROBLEMS = ("damaged", "unsafe", "foreign", "not-finite", "too-large", "disk")
DEFLATED_BYTES_MOST = 512 << 20  # compressed entries are unpacked in memory; a real de_net.pth has 9 MB
MEMORY_MARGIN_BYTES = 1 << 30  # above torch itself and two copies of the tensors
WRITTEN_MARGIN_BYTES = 64 << 20  # the safetensors header and metadata
DEPTH_MOST = 4  # dictionaries in dictionaries; S3Diff has 2


class Problem(Exception):
    """What is wrong with the file: one of PROBLEMS and a detail in our words."""

    def __init__(self, problem: str, detail: str = "") -> None:
        super().__init__(detail)
        self.problem, self.detail = problem, detail


def main(arguments: list[str]) -> int:
    kind, source, target, bytes_most = arguments
    try:
        convert(FORMATS[kind], Path(source), Path(target), int(bytes_most), bound=_bound_process)
        answer = {"kind": kind}
    except Problem as found:
        answer = {"problem": found.problem, "detail": found.detail}
    except MemoryError:
        answer = {"problem": "too-large", "detail": ""}
    except OSError as error:
        answer = {"problem": "disk", "detail": error.strerror or ""}
    sys.stdout.write(json.dumps(answer) + "\n")
    return 0


def convert(
    form: OfficialFormat,
    source: Path,
    target: Path,
    bytes_most: int,
    *,
    bound: Callable[[int], None] = lambda extra_bytes: None,
) -> None:
    """Writes `target`; raises Problem. `bound` limits the process once torch is in and before the file is read."""
    deflated, stored_bytes = _check_archive(source, bytes_most)
    import torch  # noqa: F401 - before the bound: its own libraries do not count

    bound(2 * source.stat().st_size + (2 * DEFLATED_BYTES_MOST if deflated else 0))
    content = _load(source, mapped=not deflated)
    if not isinstance(content, dict):
        raise Problem("foreign", "it holds no dictionary")
    form.check_members(content, Problem)
    if form.only:
        content = {form.only: content[form.only]}
    tensors, values = _flattened(content, form.ignored)
    _check_tensors(tensors, bytes_most)
    if _storage_bytes(tensors) > stored_bytes:
        raise Problem("damaged")  # a mapped tensor would silently go on in its neighbour's bytes
    _check_finite(tensors)
    _write(tensors, values, target)


def _check_archive(source: Path, bytes_most: int) -> tuple[bool, int]:
    """Looks at the zip's directory and check sums alone. Gives whether an entry is compressed, and the bytes of all
    tensor storages."""
    try:
        with zipfile.ZipFile(source) as archive:
            entries = archive.infolist()
            deflated = any(entry.compress_type != zipfile.ZIP_STORED for entry in entries)
            most = min(bytes_most, DEFLATED_BYTES_MOST) if deflated else bytes_most
            claimed = sum(entry.file_size for entry in entries)
            if claimed > most:
                raise Problem("too-large", f"it unpacks to {claimed} bytes, more than {most}")
            if archive.testzip() is not None:
                raise Problem("damaged")
    except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, NotImplementedError, RuntimeError):
        raise Problem("damaged") from None
    return deflated, sum(e.file_size for e in entries if re.search(r"(^|/)data/\d+$", e.filename))


def _load(source: Path, *, mapped: bool) -> Any:
    import torch

    try:
        return torch.load(source, map_location="cpu", weights_only=True, mmap=mapped)
    except pickle.UnpicklingError:
        raise Problem("unsafe") from None
    except MemoryError:
        raise
    except Exception as error:  # damaged files raise whatever their bytes happen to mean
        if "alloc" in str(error):
            raise Problem("too-large") from None
        raise Problem("damaged") from None


def _flattened(content: Mapping[Any, Any], ignored: str) -> tuple[dict[str, Any], dict[str, str]]:
    """Tensors by their keys joined with `/`; everything else as JSON text. Names that match `ignored` are left out."""
    import torch

    tensors: dict[str, Any] = {}
    values: dict[str, str] = {}
    for path, value in _leaves(content, ()):
        name = "/".join(path)
        if ignored and re.fullmatch(ignored, name):
            continue
        if isinstance(value, torch.Tensor):
            tensors[name] = value.detach()
        elif _plain(value):
            values[name] = json.dumps(value)
        else:
            raise Problem("foreign", f"its entry {name[:80]} is a {type(value).__name__}")
    return tensors, values


def _leaves(content: Mapping[Any, Any], path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    if len(path) >= DEPTH_MOST:
        raise Problem("foreign", f"its entry {'/'.join(path)[:80]} is nested too deeply")
    for key, value in content.items():
        if not isinstance(key, str) or "/" in key or not key.isprintable():
            raise Problem("foreign", f"it has the key {key!r:.80}")
        if isinstance(value, Mapping):
            yield from _leaves(value, (*path, key))
        else:
            yield (*path, key), value


def _plain(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return all(isinstance(item, str | int | float | bool) for item in value)
    return isinstance(value, str | int | float | bool)


def _check_tensors(tensors: Mapping[str, Any], bytes_most: int) -> None:
    """Dense floats, finite, and not more of them than the file can hold: a stride of 0 claims any size."""
    import torch

    total = 0
    for name, tensor in tensors.items():
        if tensor.layout != torch.strided or tensor.dtype not in (
            torch.float32, torch.float16, torch.bfloat16,
        ):  # fmt: skip
            raise Problem("foreign", f"its tensor {name[:80]} has the type {tensor.dtype} ({tensor.layout})")
        if tensor.device.type != "cpu" or tensor.is_quantized:
            raise Problem("foreign", f"its tensor {name[:80]} is on the device {tensor.device}")
        needed = tensor.numel() * tensor.element_size()
        total += needed
        if needed > tensor.untyped_storage().nbytes() or total > bytes_most:
            raise Problem("too-large", f"its tensor {name[:80]} claims {needed} bytes")


def _storage_bytes(tensors: Mapping[str, Any]) -> int:
    """Of all tensors, each shared storage once."""
    storages = [tensor.untyped_storage() for tensor in tensors.values()]
    return sum({storage.data_ptr(): storage.nbytes() for storage in storages}.values())


def _check_finite(tensors: Mapping[str, Any]) -> None:
    import torch

    for name, tensor in tensors.items():
        if not bool(torch.isfinite(tensor).all()):
            raise Problem("not-finite", name[:80])


def _write(tensors: Mapping[str, Any], values: Mapping[str, str], target: Path) -> None:
    from safetensors import SafetensorError
    from safetensors.torch import save_file

    separate: dict[str, Any] = {}
    seen: set[int] = set()
    for name, tensor in tensors.items():
        storage = tensor.untyped_storage()
        alone = storage.data_ptr() not in seen and storage.nbytes() == tensor.numel() * tensor.element_size()
        seen.add(storage.data_ptr())
        separate[name] = tensor.contiguous() if alone else tensor.clone().contiguous()
    try:
        save_file(separate, target, metadata=dict(values))
    except SafetensorError as error:
        raise Problem("disk", "no space left" if "28" in str(error) else "") from None
    _order_header(target)


def _order_header(path: Path) -> None:
    """The library writes header strings in a random order; sorted, equal files have equal hashes."""
    with path.open("r+b") as file:
        size = int.from_bytes(file.read(8), "little")
        header = json.loads(file.read(size))
        if "__metadata__" in header:
            header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
        text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
        if len(text) <= size:
            file.seek(8)
            file.write(text.ljust(size))


def _bound_process(extra_bytes: int) -> None:
    """One thread, and bounded memory and written bytes where the system can (not on Windows). For the whole life
    of the process, so only for one of its own."""
    import torch

    torch.set_num_threads(1)  # this process mostly waits for the disk
    if sys.platform == "win32":
        return
    import resource

    with contextlib.suppress(OSError, ValueError):
        page = resource.getpagesize()
        used = int(Path("/proc/self/statm").read_text().split()[0]) * page
        most = used + extra_bytes + MEMORY_MARGIN_BYTES
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
    with contextlib.suppress(OSError, ValueError):
        most = extra_bytes + WRITTEN_MARGIN_BYTES
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
