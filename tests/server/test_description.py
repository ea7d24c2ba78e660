"""Tags and captions, asked of a real daemon with the tiny networks."""

import json

import numpy as np
import pytest
from PIL import Image

from safelight import errors
from safelight.client.description import DescriptionClient, seen_rect
from safelight.client.restoration import RestorationClient
from safelight.client.status import our_errors
from safelight.engine.checkpoints import store
from safelight.engine.pipelines.captioner import Llava
from safelight.engine.pipelines.prompt_settings import LLAVA
from safelight.geometry import Rect, Size
from safelight.v1 import description_pb2 as spb
from tests.fakes import readers
from tests.fakes import tagger as tiny
from tests.server.works import document

CASE = json.loads((tiny.TINY / "cases.json").read_text())[0]


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    root, made = tmp_path_factory.mktemp("store"), tmp_path_factory.mktemp("made")
    readers.install_tagger(root, made / "tagger")
    readers.install_captioner(root, made / "llava", LLAVA)
    return root


@pytest.fixture
def there(installed, monkeypatch):
    monkeypatch.setenv(store.CHECKPOINT_DIR_VARIABLE, str(installed))
    monkeypatch.setitem(Llava.sampling, "max_new_tokens", 24)


@pytest.fixture
def describe(client: RestorationClient):
    return DescriptionClient.of(client).describe


def test_tags_are_those_of_the_authors(there, describe):
    picture = np.asarray(Image.open(tiny.REFERENCE / "images" / f"{CASE['image']}.png").convert("RGB"))
    found = describe(picture, "tags")
    assert found.prompt == ", ".join(found.tags) == CASE["tags"]
    assert found.read_with == ("ram", "dape", "ram-tags")
    deep = describe(picture.astype(np.uint16) * 257, "tags")
    assert deep.tags == found.tags


def test_captions_follow_the_seed(there, describe):
    said = [describe(document(90, 70), "caption", captioner=LLAVA, seed=seed) for seed in (1, 1, 2, 3)]
    assert said[0] == said[1]
    assert len({one.caption for one in said}) > 1
    assert said[0].read_with == (LLAVA,)


def test_networks_that_looked_are_listed_and_can_be_unloaded(there, describe, client):
    describe(document(64, 48), "tags")
    (part,) = [part for part in client.state().parts if part.title == "tagger"]
    assert part.weights_bytes > 1_000_000
    assert list(part.used_by) == []
    assert part.reference_count == 0
    client.unload()
    assert not [part for part in client.state().parts if part.title == "tagger"]
    assert describe(document(64, 48), "tags").read_with


@pytest.mark.parametrize("source", ["tags", "caption"])
def test_what_is_not_installed_is_said(source, tmp_path, monkeypatch, describe):
    monkeypatch.setenv(store.CHECKPOINT_DIR_VARIABLE, str(tmp_path))
    with pytest.raises(errors.NotReady, match="safelight models pull") as raised:
        describe(document(64, 48), source)
    assert raised.value.reason == "CHECKPOINT_MISSING"


@pytest.mark.parametrize(
    ("asked", "reason"), [({"source": "poem"}, "UNKNOWN_SOURCE"), ({"captioner": "bard"}, "UNKNOWN_SOURCE")]
)
def test_bad_questions_are_refused(asked, reason, there, describe):
    with pytest.raises(errors.InvalidRequest) as raised:
        describe(document(64, 48), **{"source": "caption", **asked})
    assert raised.value.reason == reason


def test_samples_that_are_no_numbers_are_refused(there, describe):
    picture = document(64, 48, dtype=np.float32).copy()
    picture[10, 10] = np.nan
    with pytest.raises(errors.InvalidRequest) as raised:
        describe(picture, "tags")
    assert raised.value.reason == "SAMPLES_NOT_FINITE"


@pytest.mark.parametrize(
    ("frames", "reason"),
    [
        ([{"pixels": {"start_row": 0, "end_row": 1, "data": b"..."}}], "HEADER_MISSING"),
        ([{"header": {}}, {"header": {}}], "FRAME_MISPLACED"),
        ([{"header": {}}], "BANDS_MISSING"),
    ],
)
def test_frames_out_of_place_are_refused(frames, reason, there, client):
    header = {
        "picture": {"width_px": 4, "height_px": 4},
        "format": {"colour_channel_count": 3, "sample_type": 1},
        "source": "tags",
    }
    sent = [{"header": header} if "header" in frame else frame for frame in frames]
    call = DescriptionClient.of(client)._description.Describe
    with pytest.raises(errors.InvalidRequest) as raised, our_errors():
        call(iter([spb.DescribeRequest(**frame) for frame in sent]))
    assert raised.value.reason == reason


def test_a_region_is_seen_with_its_surroundings():
    assert seen_rect(Rect(100, 100, 80, 40), Size(400, 150)) == Rect(36, 36, 208, 114)
