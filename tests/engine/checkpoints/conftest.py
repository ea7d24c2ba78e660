from pathlib import Path

import pytest

from safelight.engine.checkpoints import store
from tests.fakes.hub import hub

DATA = Path(__file__).parents[2] / "data"
OSEDIFF_PKL = DATA / "osediff" / "osediff.pkl"
S3DIFF_PKL = DATA / "s3diff" / "s3diff.pkl"
DE_NET_PTH = DATA / "s3diff" / "de_net.pth"


@pytest.fixture
def root(tmp_path, monkeypatch):
    """An empty store."""
    folder = tmp_path / "checkpoints"
    monkeypatch.setenv(store.CHECKPOINT_DIR_VARIABLE, str(folder))
    return folder


@pytest.fixture
def served():
    """An empty hub."""
    with hub({}) as found:
        yield found
