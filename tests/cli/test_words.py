"""`safelight tags` and `safelight caption` on real files."""

import pytest

from safelight.engine.checkpoints import store
from safelight.engine.pipelines.captioner import Llava
from safelight.engine.pipelines.prompt_settings import LLAVA
from tests.fakes import readers


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


def test_tags_as_text_and_as_json(safelight, photo_png, there):
    said = safelight("tags", photo_png)
    told = safelight("tags", photo_png, "--json").event("tags")
    assert said.code == 0
    assert said.out.strip() == told["prompt"] == ", ".join(told["tags"])
    assert len(told["tags"]) > 1
    assert told["region"] == [0, 0, 96, 64]
    part = safelight("tags", photo_png, "--region", "0,0,10,10", "--json").event("tags")
    assert part["region"] == [0, 0, 10, 10]


def test_a_caption_and_its_prompt(safelight, photo_png, there):
    said = safelight("caption", photo_png, "--seed", "1")
    told = safelight("caption", photo_png, "--seed", "1", "--json").event("caption")
    assert said.out.strip() == told["caption"] != ""
    assert told["prompt"] in said.err or told["prompt"] == told["caption"]
    assert told["read_with"] == [LLAVA]


@pytest.mark.parametrize("command", ["tags", "caption"])
def test_without_its_network_the_last_line_says_what_to_install(
    command, safelight, photo_png, tmp_path, monkeypatch
):
    monkeypatch.setenv(store.CHECKPOINT_DIR_VARIABLE, str(tmp_path))
    run = safelight(command, photo_png)
    assert run.code == 1
    assert "safelight models pull" in run.last_line
    assert run.out == ""


def test_bad_input_is_told(safelight, photo_png, tmp_path, there):
    assert safelight("tags", tmp_path / "none.png").code == 2
    assert safelight("caption", photo_png, "--region", "90,60,20,20").code == 2
