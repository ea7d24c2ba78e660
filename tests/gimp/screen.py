"""A virtual screen with a window manager, a GIMP with windows on it, and hands: keys, mouse, screenshots."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.fakes.waiting import until
from tests.gimp.found import FoundGimp, environment
from tests.gimp.session import GimpSession, answering

SIZE = (1280, 900)
START_S = 180.0  # of a busy machine; only a failing test waits so long
COMMAND_S = 20.0  # xdotool waits for ever for a window that is not to come
GIMPRC = """\
(check-updates no)
(show-welcome-dialog no)
(config-version "{version}")
(save-session-info no)
(default-image (width 64) (height 64))
"""
RESTORE, REDO, UPSCALE = (("alt+r", "h", letter) for letter in "gol")
"""Keys from the menu bar to our entries in Filters > Enhance."""


@dataclass
class Screen:
    """One virtual screen."""

    gimp: FoundGimp
    display: str
    home: Path

    def environment(self, **more: str) -> dict[str, str]:
        run = self.home / "run"
        run.mkdir(mode=0o700, exist_ok=True)
        return environment(HOME=str(self.home), DISPLAY=self.display, XDG_RUNTIME_DIR=str(run), **more)

    def run(self, *command: str) -> str:
        """A program on this screen; gives what it said, empty when it failed or waits for what does not come."""
        environ = self.environment()
        with subprocess.Popen(
            [*self.gimp.prefix, *command],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=environ,
        ) as process:
            try:
                told, _ = process.communicate(timeout=COMMAND_S)
            except subprocess.TimeoutExpired:
                process.kill()
                return ""
        return told if process.returncode == 0 else ""

    def windows(self, title: str) -> list[str]:
        """Visible windows whose title matches."""
        return self.run("xdotool", "search", "--onlyvisible", "--name", title).split()

    def titles(self) -> list[str]:
        found = self.run("xdotool", "search", "--onlyvisible", "--name", "").split()
        return [name for name in (self.run("xdotool", "getwindowname", w).strip() for w in found) if name]

    def wait(self, title: str, *, within_s: float = START_S) -> str:
        """The window of that title, as soon as it is there."""
        return until(lambda: self.windows(title), within_s=within_s)[-1]

    def wait_gone(self, title: str, *, within_s: float = START_S) -> None:
        until(lambda: not self.windows(title), within_s=within_s)

    def activate(self, window: str) -> None:
        self.run("xdotool", "windowactivate", "--sync", window)

    def keys(self, *keys: str) -> None:
        """Into the active window, one after the other."""
        self.run("xdotool", "key", "--delay", "60", *keys)

    def write(self, text: str) -> None:
        self.run("xdotool", "type", "--delay", "30", text)

    def click(self, x: int, y: int, *, button: int = 1) -> None:
        self.run("xdotool", "mousemove", str(x), str(y), "click", str(button))

    def drag(self, start: tuple[int, int], end: tuple[int, int]) -> None:
        steps = [str(s) for s in ("mousemove", *start, "mousedown", 1)]
        for part in (1, 2, 3, 4):
            x, y = (start[i] + (end[i] - start[i]) * part // 4 for i in (0, 1))
            steps += ["mousemove", str(x), str(y), "sleep", "0.05"]
        self.run("xdotool", *steps, "mouseup", "1")

    def place(self, window: str) -> tuple[int, int, int, int]:
        """Left, top, width, height of a window on the screen."""
        told = self.run("xdotool", "getwindowgeometry", "--shell", window)
        found = dict(line.split("=") for line in told.split())
        return tuple(int(found[name]) for name in ("X", "Y", "WIDTH", "HEIGHT"))  # type: ignore[return-value]

    def shot(self, path: Path, window: str = "root") -> Path:
        self.run("import", "-window", window, str(path))
        return path


@contextmanager
def screen(gimp: FoundGimp, home: Path) -> Iterator[Screen]:
    """Ended on leaving, with all that is on it."""
    reading, writing = os.pipe()
    started = []
    try:
        size = f"{SIZE[0]}x{SIZE[1]}x24"
        command = ["Xvfb", "-displayfd", str(writing), "-screen", "0", size, "-nolisten", "tcp"]
        started.append(_start(gimp, command, environment(HOME=str(home)), pass_fds=(writing,)))
        os.close(writing)
        with os.fdopen(reading) as told:
            number = told.readline().strip()
        assert number, "Xvfb did not start"
        made = Screen(gimp, f":{number}", home)
        started.append(_start(gimp, ["openbox"], made.environment()))
        yield made
    finally:
        for process in reversed(started):
            process.kill()
            process.wait()


@contextmanager
def open_gimp(where: Screen, picture: Path, **variables: str) -> Iterator[tuple[GimpSession, str]]:
    """GIMP with that picture, and its window; killed on leaving."""
    folder = where.home / ".config" / "GIMP" / where.gimp.series
    (folder / "gimprc").write_text(GIMPRC.format(version=where.gimp.version))
    command = [*where.gimp.prefix, where.gimp.program, "--no-splash", "--new-instance", str(picture)]
    with answering(command, where.environment(**variables)) as gimp:
        window = where.wait(picture.stem)
        where.activate(window)
        where.run("xdotool", "windowsize", "--sync", window, *map(str, SIZE))
        yield gimp, window


def copied(home: Path, folder: Path) -> Path:
    """A home of its own for one GIMP."""
    return Path(shutil.copytree(home, folder, symlinks=True))


def _start(
    gimp: FoundGimp, command: list[str], environ: dict[str, str], pass_fds: tuple[int, ...] = ()
) -> subprocess.Popen[bytes]:
    with tempfile.TemporaryFile() as out:
        return subprocess.Popen(
            [*gimp.prefix, *command], env=environ, stdout=out, stderr=out, pass_fds=pass_fds, cwd="/tmp"
        )
