"""The measures of the papers, with a library that stands in for pyiqa: nothing is fetched, what is missing is said."""

import os
import socket
import sys
import types
from importlib.machinery import ModuleSpec

import numpy as np
import pytest
import torch

from safelight.engine.paper_metrics import (
    METRICS,
    Measure,
    available,
    missing_files,
    offline,
    require_installed,
)
from safelight.errors import NotReady

PICTURE = np.full((8, 8, 3), 100, np.uint8)


class Fake:
    """What a metric of pyiqa is: called with batches in 0..1, or with two folders."""

    def __init__(self, name, device):
        self.name, self.device = name, device

    def __call__(self, first, second=None, **more):
        if isinstance(first, str):
            return float(len(os.listdir(first)) + len(os.listdir(second)))
        distance = 0 if second is None else (first - second).abs().mean()
        return first.mean() + distance


@pytest.fixture
def pyiqa(monkeypatch, tmp_path):
    """A folder of weights, and the library."""
    library = types.ModuleType("pyiqa")
    library.__spec__ = ModuleSpec("pyiqa", None)
    library.create_metric = Fake
    monkeypatch.setitem(sys.modules, "pyiqa", library)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr(torch.hub, "_hub_dir", None)
    return library


def put(tmp_path, *metrics):
    for metric in metrics:
        for name in metric.files:
            path = tmp_path / "hub" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"weights")


def test_without_the_extra_it_says_how_to_get_it(monkeypatch):
    monkeypatch.delitem(sys.modules, "pyiqa", raising=False)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(NotReady, match=r"safelight\[evaluate\]") as raised:
        require_installed()
    assert raised.value.reason == "EVALUATE_EXTRA"


def test_each_measure_without_its_weights_is_named_with_the_file(pyiqa, tmp_path):
    measures, sentences = available()
    assert measures == []
    assert [s.split(" ")[0] for s in sentences] == [m.name for m in METRICS]
    assert str(tmp_path / "hub" / "pyiqa" / "niqe_modelparameters.mat") in sentences[2]


def test_a_measure_with_its_weights_is_used(pyiqa, tmp_path):
    lpips, dists, niqe, *_, fid = METRICS
    put(tmp_path, lpips, niqe, fid)
    measures, sentences = available()
    assert [m.metric for m in measures] == [lpips, niqe, fid]
    assert len(sentences) == len(METRICS) - 3
    assert missing_files(dists, tmp_path / "hub")
    assert measures[0].value(PICTURE, PICTURE + 51) == pytest.approx(100 / 255 + 0.2)
    assert measures[1].value(PICTURE) == pytest.approx(100 / 255)
    for name in ("ours", "theirs"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.png").touch()
    assert measures[2].of_folders(tmp_path / "ours", tmp_path / "theirs") == 2


def test_a_library_that_wants_to_fetch_is_stopped(pyiqa, tmp_path):
    def fetching(name, device):
        socket.create_connection(("example.org", 443))

    pyiqa.create_metric = fetching
    niqe = METRICS[2]
    put(tmp_path, niqe)
    with pytest.raises(NotReady, match=r"nothing is fetched from example\.org"):
        Measure(niqe)


def test_pickles_are_not_executed_and_words_leave_stdout_alone(capsys, tmp_path):
    class Harm:
        def __reduce__(self):
            return (open, (str(tmp_path / "harm"), "w"))

    torch.save({"a": Harm()}, tmp_path / "bad.pth")
    with offline():
        print("loading")  # noqa: T201
        with pytest.raises(Exception, match=r"weights_only|Unsupported"):
            torch.load(tmp_path / "bad.pth", weights_only=False)
    assert not (tmp_path / "harm").exists()
    said = capsys.readouterr()
    assert (said.out, said.err) == ("", "loading\n")


def test_everything_is_as_it_was_afterwards():
    before = (socket.getaddrinfo, os.environ.get("HF_HUB_OFFLINE"))
    with offline():
        assert socket.getaddrinfo is not before[0]
    assert (socket.getaddrinfo, os.environ.get("HF_HUB_OFFLINE")) == before
