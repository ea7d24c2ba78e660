"""A GIMP without windows that stays open and does what tests ask for (see inside.py)."""

from __future__ import annotations

import json
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from tests.gimp.found import FoundGimp, environment

INSIDE = str(Path(__file__).with_name("inside.py"))
SERVE = [
    "--batch-interpreter", "python-fu-eval",
    "-b", f"exec(compile(open({INSIDE!r}).read(), {INSIDE!r}, 'exec'), globals())",
]  # fmt: skip
RESTORE = "plug-in-safelight-restore"
START_S = 180.0  # the first start asks every plug-in what it can do
ANSWER_S = 400.0
NUMBERS = {"u8": np.uint8, "u16": np.uint16, "half": np.float16, "float": np.float32}


class RefusedByGimp(AssertionError):
    """What was asked for raised in GIMP's Python."""


@dataclass
class GimpSession:
    """One GIMP; `folder` is seen by both sides."""

    line: socket.socket
    process: subprocess.Popen[bytes]
    folder: Path
    log: Path
    count: int = field(default=0)

    def __call__(self, name: str, /, **values: Any) -> Any:
        """Does what `inside` has under that name and gives what it gave."""
        self.ask(name, **values)
        return self.answer()

    def ask(self, name: str, /, **values: Any) -> None:
        """The first half of a call, for tests that do something meanwhile."""
        self.line.sendall(json.dumps({"name": name, "values": values}).encode() + b"\n")

    def answer(self) -> Any:
        """The second half."""
        received = b""
        while not received.endswith(b"\n"):
            part = self.line.recv(1 << 20)
            assert part, f"GIMP ended: {self.log.read_text(errors='replace')[-2000:]}"
            received += part
        answer = json.loads(received)
        if "error" in answer:
            raise RefusedByGimp(answer["error"])
        return answer["value"]

    def file(self, suffix: str = ".raw") -> Path:
        """A new name in the folder."""
        self.count += 1
        return self.folder / f"{self.count}{suffix}"

    def layer(self, image: int, samples: np.ndarray, **values: Any) -> int:
        """A layer of these samples, H W C; two and four channels have alpha."""
        path = self.file()
        samples.tofile(path)
        height, width, channels = samples.shape
        alpha = channels in (2, 4)
        return int(
            self(
                "add_layer", image=image, width=width, height=height, samples=str(path), alpha=alpha, **values
            )
        )

    def layer_from(self, image: int, samples: np.ndarray, form: str) -> int:
        """A layer of samples in another form than the image's own."""
        path = self.file()
        samples.tofile(path)
        height, width, channels = samples.shape
        place = {"width": width, "height": height, "alpha": channels in (2, 4)}
        return int(self("add_layer", image=image, samples=str(path), form=form, **place))

    def image(
        self, samples: np.ndarray, *, precision: str = "", profile: str | None = None
    ) -> tuple[int, int]:
        """An image with one layer of these samples; gives both numbers. `precision` is guessed from the samples."""
        height, width, channels = samples.shape
        precision = precision or {1: "U8", 2: "U16", 4: "FLOAT"}[samples.itemsize] + "_NON_LINEAR"
        base = "GRAY" if channels < 3 else "RGB"
        image = self("create", width=width, height=height, base=base, precision=precision, profile=profile)
        return image, self.layer(image, samples)

    def restore(self, image: int, layer: int, **values: Any) -> dict[str, Any]:
        """Runs Restore Region; gives status, message and values."""
        named = {name.replace("_", "-"): value for name, value in values.items()}
        answer = self("run", procedure=RESTORE, image=image, drawables=[layer], values=named)
        return dict(answer)

    def restored(self, image: int, layer: int, **values: Any) -> int:
        """The layer that Restore Region made; fails with its message."""
        answer = self.restore(image, layer, **values)
        assert answer["status"] == "SUCCESS", answer["message"]
        return int(answer["values"][0])

    def seen(self, image: int) -> np.ndarray:
        """What a person sees: H W 3, 0..1 with sRGB's curve."""
        path = self.file()
        self("projection", image=image, path=str(path))
        width, height = self("state", image=image)["size"]
        return np.fromfile(path, np.float32).reshape(height, width, 4)[..., :3]

    def pixels(self, item: int, form: str | None = None) -> np.ndarray:
        """All samples of a drawable, H W C, in its own format."""
        path = self.file()
        told = self("pixels", item=item, path=str(path), form=form)
        kind = NUMBERS[(form or told["format"]).split()[1].split("-")[0]]
        return np.fromfile(path, kind).reshape(told["height"], told["width"], -1)

    def selection(self, image: int) -> np.ndarray:
        """The whole image's, H W uint8."""
        path = self.file()
        self("selection", image=image, path=str(path))
        width, height = self("state", image=image)["size"]
        return np.fromfile(path, np.uint8).reshape(height, width)


@contextmanager
def session(gimp: FoundGimp, home: Path, **variables: str) -> Iterator[GimpSession]:
    """A GIMP of that home folder, without windows; ended on leaving, whatever happened."""
    with answering(
        [*gimp.prefix, gimp.console, "-i", "-d", "-f", "--quit"], environment(HOME=str(home), **variables)
    ) as opened:
        yield opened


@contextmanager
def answering(command: list[str], environ: dict[str, str]) -> Iterator[GimpSession]:
    """Any GIMP, told to do what comes over a line of its own."""
    with tempfile.TemporaryDirectory(prefix="sl-gimp-") as made:
        folder = Path(made)
        log = folder / "gimp.log"
        with socket.socket(socket.AF_UNIX) as door, log.open("wb") as out:
            door.bind(str(folder / "line"))
            door.listen(1)
            door.settimeout(START_S)
            environ = {**environ, "SAFELIGHT_TEST_SOCKET": str(folder / "line")}
            process = subprocess.Popen([*command, *SERVE], env=environ, stdout=out, stderr=out, cwd=folder)
            try:
                line, _ = door.accept()
                with line:
                    line.settimeout(ANSWER_S)
                    yield GimpSession(line, process, folder, log)
                if "--quit" in command:
                    process.wait(30)
            except TimeoutError:
                raise AssertionError(
                    f"GIMP did not answer: {log.read_text(errors='replace')[-2000:]}"
                ) from None
            finally:
                process.kill()
                process.wait()
