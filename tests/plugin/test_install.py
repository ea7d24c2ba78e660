"""Installing a pipeline's files through the bridge, from a hub on loopback."""

import threading
from dataclasses import replace

import pytest

from safelight.engine.checkpoints import catalogue, store
from tests.engine.checkpoints.conftest import DE_NET_PTH
from tests.fakes.daemon import process_environment, serving, short_folder
from tests.fakes.hub import hub
from tests.fakes.waiting import until
from tests.plugin.test_bridge_process import BRIDGE, Plugin

SERVED = "ArcticHare105/S3Diff/assets/mm-realsr/de_net.pth"


@pytest.fixture
def served(monkeypatch):
    with hub({SERVED: DE_NET_PTH.read_bytes()}) as found:
        for name, value in found.environment.items():
            monkeypatch.setenv(name, value)
        yield found


@pytest.fixture
def plugin(tmp_path, monkeypatch, served):
    """Against a daemon whose catalogue has the hash of the file served here."""
    monkeypatch.setenv(store.CHECKPOINT_DIR_VARIABLE, str(tmp_path / "checkpoints"))
    entry = catalogue.entry("de-net")
    (file,) = entry.files
    ours = catalogue.CatalogueFile(file.name, git_blob=store.file_git_blob(DE_NET_PTH))
    monkeypatch.setitem(catalogue._BY_ID, "de-net", replace(entry, files=(ours,)))
    monkeypatch.setattr(catalogue, "ENTRIES", tuple(catalogue._BY_ID.get(e.id, e) for e in catalogue.ENTRIES))
    with short_folder() as folder, serving(folder):
        made = Plugin(BRIDGE, process_environment(folder) | {"XDG_CACHE_HOME": str(tmp_path / "cache")})
        yield made
        made.bridge.close()


def needed(plugin):
    asked = plugin.ask("checkpoints", {"pipeline": "s3diff"})
    return {c["id"]: c for c in asked.result["checkpoints"]}


def test_what_a_pipeline_needs_comes_with_licence_and_size(plugin):
    found = needed(plugin)
    assert {"sd-turbo", "s3diff", "de-net"} <= set(found)
    estimator = found["de-net"]
    assert (estimator["installed"], estimator["pullable"]) == (False, True)
    assert estimator["download_bytes"] > 0
    assert set(estimator["licence"]) == {"title", "url", "note", "sha256", "accepted"}


def test_pulling_installs_and_tells_how_far_it_is(plugin):
    licence = needed(plugin)["de-net"]["licence"]["sha256"]
    asked = plugin.ask("pull", {"checkpoint": "de-net", "licence_sha256": licence})
    assert asked.error is None
    stages = [fields["stage"] for event, fields, _ in asked.events if event == "progress"]
    assert stages
    assert set(stages) <= {"ask", "download", "check", "convert"}
    assert needed(plugin)["de-net"]["installed"]


def test_without_the_licence_nothing_is_downloaded(plugin, served):
    error = plugin.ask("pull", {"checkpoint": "de-net", "licence_sha256": ""}).error
    assert error.reason == "LICENCE_NOT_ACCEPTED"
    assert served.headers == []


def test_a_cancelled_download_ends(plugin, served):
    served.gate = threading.Event()
    licence = needed(plugin)["de-net"]["licence"]["sha256"]
    asked = plugin.begin("pull", {"checkpoint": "de-net", "licence_sha256": licence})
    plugin.pump.until(lambda: asked.events)
    plugin.bridge.cancel(asked.request)
    plugin.pump.until(lambda: asked.over)
    assert asked.error.reason == "CANCELLED"
    served.gate.set()
    until(lambda: not needed(plugin)["de-net"]["installed"])
