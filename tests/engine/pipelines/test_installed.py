"""From the authors' files through the store to a loaded pipeline of the registry, with the tiny networks."""

import pytest
import torch

from safelight.engine.checkpoints import catalogue, install, store
from safelight.engine.parts import Parts
from safelight.engine.pipelines.registry import default_registry
from safelight.errors import NotReady
from tests.fakes import golden
from tests.fakes.golden import DATA

CPU = torch.device("cpu")
FILES = {
    "osediff": {"sd21-base": "osediff/base", "osediff": "osediff/osediff.pkl"},
    "osediff-face": {"sd21-base": "osediff/base", "osediff-face": "osediff/osediff.pkl"},
    "s3diff": {"sd-turbo": "s3diff/base", "s3diff": "s3diff/s3diff.pkl", "de-net": "s3diff/de_net.pth"},
}


@pytest.fixture
def store_folder(tmp_path, monkeypatch):
    """An empty store."""
    monkeypatch.setenv(store.CHECKPOINT_DIR_VARIABLE, str(tmp_path))


def installed(pipeline, files):
    """The loaded pipeline, once each file is imported; before the last one it cannot be loaded."""
    entry = default_registry().entry(pipeline)
    for name, path in files.items():
        assert not entry.installed()
        with pytest.raises(NotReady) as caught:
            entry.load(CPU, Parts())
        assert caught.value.reason == "CHECKPOINT_MISSING"
        install.import_path(catalogue.entry(name), path)
    loaded = entry.load(CPU, Parts())
    assert loaded.spec == entry.spec
    assert {hashed.split("/")[0] for hashed in loaded.checkpoint_hashes} == set(files)
    assert loaded.weights_bytes > 0
    return loaded


@pytest.mark.parametrize("pipeline", FILES)
def test_imported_files_make_a_pipeline_ready(pipeline, store_folder):
    installed(pipeline, {name: DATA / file for name, file in FILES[pipeline].items()})


def test_imported_files_make_faithdiff_ready(store_folder):
    golden.pipeline("faithdiff")
    official = golden.folder("faithdiff") / "official"
    loaded = installed(
        "faithdiff",
        {
            "realvisxl-v4": official / "sdxl",
            "sdxl-vae-fp16-fix": official / "vae_fp16",
            "faithdiff": official / "FaithDiff.bin",
        },
    )
    assert {part.key.title for part in loaded.parts} == {"text encoder", "text encoder 2"}
