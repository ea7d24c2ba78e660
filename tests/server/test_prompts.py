"""Jobs whose prompt is read from the picture, through a daemon with tiny networks."""

import numpy as np
import pytest

from safelight.client.restoration import Work
from safelight.engine.checkpoints import store
from safelight.engine.pipelines.osediff import OSEDiffPipeline
from safelight.engine.pipelines.registry import Entry, Registry
from safelight.geometry import Rect, Size
from safelight.server.restoration import _report
from safelight.settings import RestoreSettings
from tests.engine.jobs_at_hand import photo
from tests.fakes import daemon, golden, readers

SPEC = golden.SPECS["osediff"]


def load(device, parts):
    base = golden.DATA / "osediff" / "base"
    weights = golden.converted("osediff")
    return OSEDiffPipeline(base, weights, device, parts, first="fp32", checkpoint_hashes={}, spec=SPEC)


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    root, made = tmp_path_factory.mktemp("store"), tmp_path_factory.mktemp("made")
    readers.install_tagger(root, made)
    with pytest.MonkeyPatch.context() as patch, daemon.short_folder() as folder:
        patch.setattr(daemon, "registry", lambda: Registry([Entry(SPEC, f"{__name__}:load", lambda: True)]))
        patch.setenv(store.CHECKPOINT_DIR_VARIABLE, str(root))
        with daemon.serving(folder, kept_folder=folder / "kept") as found:
            yield found


def restored(client, **own):
    pixels = photo(64, 48)
    whole = Rect.of_size(Size(64, 48))
    settings = RestoreSettings("osediff").with_values(SPEC, {"precision": "fp32", **own})
    return client.restore(Work(document=whole.size, sent=whole, region=whole, pixels=pixels), settings)


def test_the_prompt_that_was_read_can_be_typed_and_the_tagger_is_a_resident(client):
    read = restored(client, prompt_source="tags")
    told = read.report["conditioning"]
    assert told["prompt_from"] == "tags"
    assert told["prompt"].endswith(", ,")
    (part,) = [part for part in client.state().parts if part.title == "tagger"]
    assert list(part.used_by) == ["osediff"]
    assert part.reference_count == 0
    typed = restored(client, prompt_source="text", prompt=told["prompt"])
    assert np.array_equal(typed.pixels, read.pixels)
    assert not np.array_equal(restored(client).pixels, read.pixels)
    client.unload()
    again = restored(client, prompt_source="tags")
    assert again.report["network"] == "kept"
    assert again.report["conditioning"] == told
    assert np.array_equal(again.pixels, read.pixels)
    assert not client.state().parts


def test_the_report_names_the_prompt_beside_its_json():
    found = _report({"conditioning": {"prompt": "a cat", "prompt_from": "caption"}})
    assert (found.prompt, found.prompt_source) == ("a cat", "caption")
    bare = _report({"conditioning": {"mean": 0.5}})
    assert (bare.prompt, bare.prompt_source) == ("", "")
