"""Prompts that pipelines read from the picture, with the tiny tagger and captioners."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from safelight.engine.checkpoints import store
from safelight.engine.parts import Parts
from safelight.engine.pipelines.base import PictureSource
from safelight.engine.pipelines.captioner import Florence, Llava
from safelight.engine.pipelines.prompt_settings import FLORENCE, LLAVA, install_hint, read_with
from safelight.engine.pipelines.prompt_source import PromptReader
from safelight.engine.pipelines.s3diff import positive_prompt
from safelight.engine.report import report_of
from safelight.errors import NotReady, TooMuch
from safelight.settings import RestoreSettings
from tests.engine.jobs_at_hand import restored
from tests.fakes import readers
from tests.fakes import tagger as tiny
from tests.fakes.golden import pipeline

CPU = torch.device("cpu")
CASE = json.loads((tiny.TINY / "cases.json").read_text())[0]
IMAGE = np.asarray(Image.open(tiny.REFERENCE / "images" / "square.png").convert("RGB"))
PICTURE = PictureSource(IMAGE)


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """A store with all of them."""
    root, made = tmp_path_factory.mktemp("store"), tmp_path_factory.mktemp("made")
    readers.install_tagger(root, made / "tagger")
    for name in (FLORENCE, LLAVA):
        readers.install_captioner(root, made / name, name)
    return root


@pytest.fixture
def there(installed, monkeypatch):
    monkeypatch.setenv(store.CHECKPOINT_DIR_VARIABLE, str(installed))


@pytest.fixture
def nothing(tmp_path, monkeypatch):
    monkeypatch.setenv(store.CHECKPOINT_DIR_VARIABLE, str(tmp_path))


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(Florence, "side", 64)
    monkeypatch.setitem(Florence.search, "max_new_tokens", 8)
    monkeypatch.setitem(Llava.sampling, "max_new_tokens", 24)


def settings(name="osediff", **own):
    return RestoreSettings(name, own=own).checked(pipeline(name).spec)


def estimated(name="osediff", **own):
    """By a pipeline of its own: the shared one remembers what is installed no longer than a test."""
    method = pipeline(name)
    method.reader = PromptReader(CPU, Parts())
    return method.estimated(PICTURE, settings=settings(name, **own))


def test_tags_of_osediff_are_in_the_authors_form(there):
    found = estimated(prompt_source="tags", authors_exact=True, process_size=512)
    assert found["prompt_source"] == "text"
    assert found["prompt_from"] == "tags"
    exact = replace(settings(prompt_source="tags", process_size=512, authors_exact=True), output_scale=4)
    assert pipeline("osediff").estimated(PICTURE, settings=exact)["prompt"] == CASE["prompt"]


def test_tags_see_the_picture_at_the_size_of_the_network(there):
    reader = PromptReader(CPU, Parts())
    large = np.asarray(Image.fromarray(IMAGE).resize((512, 512)))
    asked = settings(prompt_source="tags")
    assert reader.found(asked, picture=PICTURE, enlarged=PictureSource(large))["prompt"] == CASE["tags"]


@pytest.mark.parametrize("name", ["osediff", "s3diff", "faithdiff"])
def test_captions_are_the_captioners_own_words(name, there):
    found = estimated(name, prompt_source="caption", captioner=FLORENCE)
    _, caption = PromptReader(CPU, Parts()).caption(PICTURE, captioner=FLORENCE, seed=42)
    form = f"{caption.prompt}, ," if name == "osediff" else caption.prompt
    assert found["prompt"] == form
    assert FLORENCE in found["prompt_by"]


@pytest.mark.parametrize("name", ["osediff", "s3diff", "faithdiff"])
def test_typed_text_always_wins(name, there):
    for source in ("tags", "caption"):
        found = estimated(name, prompt_source=source, prompt="a cat")
        assert found["prompt_source"] == found["prompt_from"] == "text"
        assert "prompt" not in found
        assert pipeline(name).reader.parts == ()


def test_what_is_not_installed_is_said_in_one_sentence(nothing):
    assert install_hint("tags") == "the tagger is not installed: safelight models pull ram dape ram-tags"
    assert install_hint("caption") == f"no captioner is installed: safelight models pull {FLORENCE}"
    assert install_hint("caption", LLAVA) == f"no captioner is installed: safelight models pull {LLAVA}"
    assert install_hint("none") == install_hint("text") == ""
    reader = PromptReader(CPU, Parts())
    for ask in (lambda: reader.tags(PICTURE), lambda: reader.caption(PICTURE, seed=1)):
        with pytest.raises(NotReady, match="safelight models pull") as raised:
            ask()
        assert raised.value.reason == "CHECKPOINT_MISSING"


@pytest.mark.parametrize(("name", "empty"), [("osediff", ", ,"), ("faithdiff", "")])
def test_a_job_without_the_tagger_runs_with_the_empty_prompt_and_says_so(name, empty, nothing):
    report = report_of(restored(IMAGE[:64, :64], pipeline(name), prompt_source="tags"))
    assert report["conditioning"]["prompt"] == empty
    assert report["conditioning"]["prompt_from"] == "none"
    assert any("safelight models pull ram dape ram-tags" in note for note in report["notes"])


@pytest.mark.parametrize("name", ["osediff", "s3diff"])
def test_the_prompt_of_a_report_can_be_typed_and_gives_the_same_picture(name, there):
    pixels = IMAGE[:64, :64]
    read = restored(pixels, pipeline(name), prompt_source="tags")
    told = read.report["conditioning"]
    assert told["prompt_from"] == "tags"
    assert all(f"{file}:" in told["prompt_by"] for file in ("ram/ram.safetensors", "dape/dape.safetensors"))
    typed = restored(pixels, pipeline(name), prompt_source="text", prompt=told["prompt"])
    plain = restored(pixels, pipeline(name))
    pictures = [job.residual.read_rows(0, 64) for job in (read, typed, plain)]
    assert (pictures[0] == pictures[1]).all()
    assert (pictures[0] != pictures[2]).any()


def test_the_quality_prompt_of_s3diff_comes_first():
    own = settings("s3diff", prompt_source="text", prompt="a cat", positive_prompt="sharp.").own
    assert positive_prompt(own) == "sharp. a cat"
    assert positive_prompt({**own, "prompt_source": "none"}) == "sharp."


def test_auto_takes_llava_where_it_fits(there):
    free = {"bytes": 1 << 40}
    reader = PromptReader(CPU, Parts(room=lambda device, needed: needed <= free["bytes"]))
    assert reader.caption(PICTURE, seed=1)[0] == LLAVA
    for part in reader.parts:
        part.free()
    free["bytes"] = 0
    with pytest.raises(TooMuch, match="close other programs"):
        reader.caption(PICTURE, seed=1)


def test_networks_are_shared_by_content(there):
    parts = Parts()
    first, second = PromptReader(CPU, parts), PromptReader(CPU, parts)
    for reader in (first, second):
        reader.tags(PICTURE)
    assert first.parts == second.parts
    assert len(parts.loaded) == 1


def test_a_kept_result_is_of_the_networks_that_read_its_prompt(there, tmp_path, monkeypatch):
    own = dict(settings(prompt_source="tags").own)
    assert set(read_with(own)) == {
        "ram/ram.safetensors", "dape/dape.safetensors", *(f"ram-tags/{name}" for name in tiny.LISTS),
    }  # fmt: skip
    assert read_with({**own, "prompt": "a cat"}) == read_with({**own, "prompt_source": "text"}) == {}
    monkeypatch.setenv(store.CHECKPOINT_DIR_VARIABLE, str(tmp_path))
    assert read_with(own) == {}
