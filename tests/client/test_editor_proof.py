"""What can be proven of a picture that an editor blended: the plug-in's requests, then verification and replay."""

import numpy as np
import pytest
from skimage import data

from safelight.client import connection
from safelight.client.bridge import Call
from safelight.client.bridge_commands import Commands
from safelight.client.bridge_estimate import Rates
from safelight.client.replay import replay, replay_check
from safelight.client.restoration import RestorationClient
from safelight.imaging.files import open_picture, write_picture
from safelight.imaging.metadata import Metadata
from safelight.imaging.pixels import PixelFormat
from safelight.imaging.record import append_operation
from safelight.imaging.verification import examine, verdict
from tests.fakes.daemon import serving, short_folder

SENT, REGION = (40, 30, 96, 80), (56, 46, 64, 48)
PICTURE = np.ascontiguousarray(data.coffee()[100:250, 200:400])


@pytest.fixture(scope="module")
def daemon(tmp_path_factory):
    """The bridge's commands, and a client of the same daemon."""
    with short_folder() as folder, serving(folder), connection.connect(folder, start=False) as channel:
        rates = Rates(tmp_path_factory.mktemp("rates") / "rates.json")
        yield Commands(rates, lambda **_: channel), RestorationClient(channel)


def ask(commands, name, payload=b"", **fields):
    call = Call(fields, bytearray(payload), lambda event, payload=b"", **more: None)
    return (commands.inline | commands.aside)[name](call)


@pytest.fixture(params=["composited", "layer"])
def edited(request, daemon, tmp_path):
    """An original, a result whose region an editor changed by its own blending, and the operation."""
    commands, _ = daemon
    x, y, width, height = SENT
    ask(
        commands, "document", key="a", document=[200, 150], sent=list(SENT), region=list(REGION), channels=3,
        alpha=False, sample="u8", masked=False,
    )  # fmt: skip
    part = np.ascontiguousarray(PICTURE[y : y + height, x : x + width])
    ask(commands, "rows", part.tobytes(), plane="pixels")
    operation = ask(commands, "restore", document="a", pipeline="brighten", result=request.param)["operation"]
    result = PICTURE.copy()
    x, y, width, height = REGION
    result[y : y + height, x : x + width] //= 2  # whatever the editor did there
    write_picture(tmp_path / "original.png", PICTURE, PixelFormat.of(PICTURE))
    return tmp_path, result, operation


def written(folder, pixels, operation):
    xmp = append_operation(None, operation, generative=False)
    path = folder / "result.png"
    write_picture(path, pixels, PixelFormat.of(pixels), metadata=Metadata(xmp=xmp))
    return open_picture(path), open_picture(folder / "original.png")


def checks_of(daemon, result, original):
    examination = examine(result, original)
    replayed = replay(daemon[1], examination.operations, original, examination.original)
    return [*examination.checks, replay_check(replayed, examination, original, result)[0]]


def test_what_the_editor_was_given_comes_again_and_the_rest_stays_open(daemon, edited):
    checks = checks_of(daemon, *written(*edited))
    states = {c.name: c.state for c in checks}
    assert {n: states[n] for n in ("record", "input", "chain", "outside")} == dict.fromkeys(
        ("record", "input", "chain", "outside"), "holds"
    )
    assert (states["output"], states["replay"]) == ("unproven", "unproven")
    assert "comes again bit for bit" in checks[-1].sentence
    assert verdict(checks) == "unproven"


def test_another_layer_than_the_pipeline_gives_fails(daemon, edited):
    folder, pixels, operation = edited
    checks = checks_of(daemon, *written(folder, pixels, {**operation, "output_sha256": "0" * 64}))
    assert checks[-1].state == "fails"
    assert verdict(checks) == "fails"


def test_a_stroke_of_the_editor_elsewhere_fails(daemon, edited):
    folder, pixels, operation = edited
    pixels[5, 5, 0] ^= 1
    result, original = written(folder, pixels, operation)
    outside = next(c for c in examine(result, original).checks if c.name == "outside")
    assert outside.state == "fails"
