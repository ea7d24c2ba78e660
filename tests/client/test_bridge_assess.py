"""The bridge's request for overlays, through a real daemon."""

import numpy as np
import pytest
from skimage import data

from safelight import errors
from safelight.client import connection
from safelight.client.bridge import Call
from safelight.client.bridge_commands import Commands
from safelight.client.bridge_estimate import Rates
from tests.fakes.daemon import serving, short_folder

SENT = [40, 30, 96, 80]
REGION = [56, 46, 64, 48]


class Answer:
    """Fields of the result, and rows by plane."""

    def __init__(self, fields, told):
        self.fields = fields
        self.planes = {}
        for event, payload, more in told:
            if event == "rows":
                self.planes.setdefault(more["plane"], []).append(bytes(payload))

    def plane(self, name):
        width, height = self.fields["size"]
        return np.frombuffer(b"".join(self.planes[name]), np.uint8).reshape(height, width, -1)


@pytest.fixture(scope="module")
def commands(tmp_path_factory):
    with short_folder() as folder, serving(folder):
        rates = Rates(tmp_path_factory.mktemp("rates") / "rates.json")
        with connection.connect(folder, start=False) as channel:
            yield Commands(rates, lambda **_: channel)


def ask(commands, name, payload=b"", **fields):
    told = []
    call = Call(
        fields, bytearray(payload), lambda event, payload=b"", **more: told.append((event, payload, more))
    )
    return Answer((commands.inline | commands.aside)[name](call), told)


@pytest.fixture
def document(commands):
    x, y, width, height = SENT
    pixels = np.ascontiguousarray(data.coffee()[100 + y : 100 + y + height, 200 + x : 200 + x + width])
    ask(
        commands, "document", key="a", document=[200, 150], sent=SENT, region=REGION, channels=3, alpha=False,
        sample="u8", masked=False,
    )  # fmt: skip
    ask(commands, "rows", pixels.tobytes(), plane="pixels")
    return "a"


@pytest.mark.parametrize(("result", "place"), [("composited", REGION), ("layer", SENT)])
def test_overlays_lie_over_what_came_back(commands, document, result, place):
    restored = ask(commands, "restore", document=document, pipeline="brighten", result=result)
    found = ask(commands, "assess", document=document)
    assert found.fields["rect"] == restored.fields["rect"] == place
    assert found.fields["maps"] == ["contradiction", "invention"]
    shown = found.plane("contradiction")
    assert shown.shape == (place[3], place[2], 4)
    assert shown[20:28, 20:44, 3].min() > 100  # brighter by 13 levels of 16
    assert found.plane("invention").shape == shown.shape
    assert found.fields["numbers"]["contradiction_most"] > 10


def test_a_new_image_has_overlays_of_its_size(commands, document):
    ask(
        commands, "restore", document=document, pipeline="compact", in_place=False, values={"output_scale": 2}
    )
    found = ask(commands, "assess", document=document)
    assert found.fields["rect"] == [2 * side for side in REGION]
    assert found.plane("invention").shape == (96, 128, 4)


def test_there_must_be_a_result(commands, document):
    with pytest.raises(errors.NotFound, match="no result yet"):
        ask(commands, "assess", document=document)
    ask(commands, "restore", document=document, pipeline="brighten", patch=[60, 50, 16, 16])
    with pytest.raises(errors.NotFound, match="no result yet"):
        ask(commands, "assess", document=document)
    ask(commands, "restore", document=document, pipeline="brighten")
    ask(commands, "forget", key=document)
    with pytest.raises(errors.NotFound, match="was not sent"):
        ask(commands, "assess", document=document)
