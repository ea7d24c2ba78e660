"""Whatever is wrong: a few lines on stderr, the last one clear, a non-zero exit code, no output file."""

import os
import struct
import subprocess
import sys
import zlib

import numpy as np
import pytest
from PIL import Image

from tests.fakes.daemon import process_environment


def bomb(side):
    """A PNG header that promises side x side pixels."""

    def chunk(kind, content):
        return (
            struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        )

    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    rows = zlib.compress(b"\0" * 1000)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


@pytest.fixture
def folder(tmp_path, photo, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Image.fromarray(photo).save("photo.png")
    Image.fromarray(photo).save("photo.jpg")
    whole = (tmp_path / "photo.jpg").read_bytes()
    (tmp_path / "cut.jpg").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "text.jpg").write_text("hello")
    (tmp_path / "empty.png").write_bytes(b"")
    (tmp_path / "bomb.png").write_bytes(bomb(30_000))
    Image.fromarray(np.full((5, 5), 255, np.uint8)).save("small-mask.png")
    Image.fromarray(np.zeros(photo.shape[:2], np.uint8)).save("black-mask.png")
    Image.fromarray(photo).save("colour-mask.png")
    (tmp_path / "file").write_text("")
    return tmp_path


CASES = {
    "missing": (["nothing.png"], "there is no file nothing.png"),
    "not an image": (["text.jpg"], "not a picture"),
    "empty file": (["empty.png"], "is empty"),
    "truncated": (["cut.jpg"], "damaged or incomplete"),
    "bomb": (["bomb.png"], "30000 x 30000"),
    "region outside": (["photo.png", "--region", "90,0,20,20"], "outside the picture of 96 x 64"),
    "region negative": (["photo.png", "--region=-1,0,20,20"], "outside the picture"),
    "region empty": (["photo.png", "--region", "5,5,0,10"], "is empty"),
    "region malformed": (["photo.png", "--region", "5,5,10"], "four numbers"),
    "region of words": (["photo.png", "--region", "a,b,c,d"], "not a whole number"),
    "mask of another size": (
        ["photo.png", "--mask", "small-mask.png"],
        "5 x 5 pixels and the picture 96 x 64",
    ),
    "mask of nothing": (["photo.png", "--mask", "black-mask.png"], "restores nothing"),
    "mask in colour": (["photo.png", "--mask", "colour-mask.png"], "8-bit grey"),
    "mask missing": (["photo.png", "--mask", "none.png"], "there is no file none.png"),
    "unknown pipeline": (["photo.png", "--pipeline", "osedif"], "no pipeline 'osedif'"),
    "pipeline not installed": (["photo.png", "--pipeline", "absent"], "not installed"),
    "unknown preset": (["photo.png", "--preset", "fatihful"], "did you mean faithful?"),
    "unknown setting": (["photo.png", "--set", "strenght=1"], "did you mean strength?"),
    "setting without value": (["photo.png", "--set", "grain"], "write NAME=VALUE"),
    "setting out of range": (["photo.png", "--set", "grain=2"], "from 0 to 1"),
    "setting of another type": (["photo.png", "--set", "grain=much"], "give a number"),
    "strength above 1": (["photo.png", "--strength", "1.01"], "from 0 to 1"),
    "strength below 0": (["photo.png", "--strength=-0.1"], "from 0 to 1"),
    "strength NaN": (["photo.png", "--strength", "nan"], "from 0 to 1"),
    "scale 3": (["photo.png", "--scale", "3"], "use one of 1, 2, 4"),
    "scale of words": (["photo.png", "--scale", "big"], "invalid int value"),
    "seed of words": (["photo.png", "--seed", "lucky"], "not a whole number"),
    "seed negative": (["photo.png", "--seed=-1"], "0 to 2^63-1"),
    "region of many": (["photo.png", "photo.jpg", "--region", "0,0,9,9"], "one picture"),
    "a network gone mad": (["photo.png", "--pipeline", "broken"], "no usable picture"),
}
OUTPUTS = {
    "unknown suffix": ("out.xyz", "picture format"),
    "no suffix": ("out", "picture format"),
    "no such folder": ("none/out.png", "there is no folder"),
    "the original": ("photo.png", "originals are never overwritten"),
    "below a file": ("file/out.png", "file"),
}


def files(folder):
    return {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def assert_refused(run, before, folder, sentence):
    assert run.code not in (0, 3)
    assert sentence in run.last_line
    assert len(run.err.strip().splitlines()) <= 6
    assert "Traceback" not in run.err
    assert files(folder) == before


@pytest.mark.parametrize(("arguments", "sentence"), CASES.values(), ids=CASES)
def test_bad_input(safelight, folder, arguments, sentence):
    before = files(folder)
    assert_refused(safelight("restore", *arguments, "-o", "out.png"), before, folder, sentence)


@pytest.mark.parametrize(("output", "sentence"), OUTPUTS.values(), ids=OUTPUTS)
def test_bad_output(safelight, folder, output, sentence):
    before = files(folder)
    assert_refused(safelight("restore", "photo.png", "-o", output), before, folder, sentence)


def test_bad_input_with_json_tells_the_reason(safelight, folder):
    run = safelight("restore", "photo.png", "-o", "out.png", "--strength", "nan", "--json")
    assert run.event("error")["reason"] == "SETTING_OUT_OF_RANGE"


def run_process(arguments, daemon_folder, cwd, limit=""):
    """The command as a process of its own, without a terminal, with a shell's `ulimit` in force."""
    command = f"{limit} exec '{sys.executable}' -m safelight.cli.main {arguments}"
    return subprocess.run(
        ["sh", "-c", command], cwd=cwd, env=process_environment(daemon_folder), stdin=subprocess.DEVNULL,
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip


def test_a_full_disk_leaves_no_file(daemon_folder, folder):
    before = set(os.listdir(folder))
    limit = "ulimit -f 8; trap '' XFSZ;"  # 4 KiB: writing more fails as a full disk does
    run = run_process("restore photo.png -o out.png --scale 4", daemon_folder, folder, limit)
    assert run.returncode == 2, run.stderr
    assert "is full" in run.stderr.strip().splitlines()[-1]
    assert "Traceback" not in run.stderr
    assert set(os.listdir(folder)) == before


def test_client_commands_work_without_torch(daemon_folder, folder):
    blocked = folder / "blocked" / "torch"
    blocked.mkdir(parents=True)
    (blocked / "__init__.py").write_text("raise ImportError('blocked')")
    environment = process_environment(daemon_folder)
    environment["PYTHONPATH"] = f"{folder / 'blocked'}{os.pathsep}{environment['PYTHONPATH']}"
    command = [sys.executable, "-m", "safelight.cli.main", "restore", "photo.png", "-o", "out.png"]
    run = subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, timeout=60)
    assert run.returncode == 0, run.stderr
    assert (folder / "out.png").is_file()


def test_a_daemon_that_cannot_start_is_one_clear_sentence(folder, safelight, monkeypatch):
    monkeypatch.setenv("SAFELIGHT_RUNTIME_DIR", str(folder / "file" / "run"))
    run = safelight("restore", "photo.png", "-o", "out.png")
    assert run.code != 0
    assert "Traceback" not in run.err
    assert not (folder / "out.png").exists()
