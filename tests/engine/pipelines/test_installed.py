"""From the authors' files through the store to a loaded pipeline of the registry, with the tiny networks."""

import pytest
import torch

from safelight.engine.checkpoints import catalogue, install, store
from safelight.engine.parts import Parts
from safelight.engine.pipelines.registry import default_registry
from safelight.errors import NotReady
from tests.fakes.golden import DATA

CPU = torch.device("cpu")
FILES = {
    "osediff": {"sd21-base": "osediff/base", "osediff": "osediff/osediff.pkl"},
    "osediff-face": {"sd21-base": "osediff/base", "osediff-face": "osediff/osediff.pkl"},
    "s3diff": {"sd-turbo": "s3diff/base", "s3diff": "s3diff/s3diff.pkl", "de-net": "s3diff/de_net.pth"},
}


@pytest.mark.parametrize("pipeline", FILES)
def test_imported_files_make_a_pipeline_ready(pipeline, tmp_path, monkeypatch):
    monkeypatch.setenv(store.CHECKPOINT_DIR_VARIABLE, str(tmp_path))
    entry = default_registry().entry(pipeline)
    for name, file in FILES[pipeline].items():
        assert not entry.installed()
        with pytest.raises(NotReady) as caught:
            entry.load(CPU, Parts())
        assert caught.value.reason == "CHECKPOINT_MISSING"
        install.import_path(catalogue.entry(name), DATA / file)
    loaded = entry.load(CPU, Parts())
    assert loaded.spec == entry.spec
    assert {hashed.split("/")[0] for hashed in loaded.checkpoint_hashes} == set(FILES[pipeline])
    assert loaded.weights_bytes > 0
