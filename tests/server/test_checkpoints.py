"""Checkpoints over the contract: a real daemon, a hub on loopback."""

import io
import os
import threading
from dataclasses import replace

import grpc
import pytest
import torch

from safelight import runtime
from safelight.client import connection
from safelight.client.checkpoints import CheckpointsClient
from safelight.client.restoration import RestorationClient
from safelight.engine.checkpoints import catalogue, install, store
from safelight.engine.checkpoints.catalogue import CatalogueFile, Source
from safelight.errors import InvalidRequest, NotFound, NotReady, TooMuch
from safelight.v1 import checkpoints_pb2 as cpb
from safelight.v1 import checkpoints_pb2_grpc as cpb_grpc
from tests.engine.checkpoints.conftest import DE_NET_PTH
from tests.fakes.daemon import serving, short_folder
from tests.fakes.hub import hub
from tests.fakes.waiting import until

PLAIN = catalogue.CatalogueEntry(
    "plain",
    "Plain",
    catalogue.Licence("plain", "Plain Licence", "https://example.org/plain"),
    (CatalogueFile("a.bin"),),
    (Source("hub", "one/repo"),),
    1 << 20,
)
BYTES = bytes(range(256)) * 16384  # 4 MiB
ACCEPTED = PLAIN.licence.sha256


@pytest.fixture(scope="module")
def folder():
    with short_folder() as made, serving(made):
        yield made


@pytest.fixture
def root(tmp_path, monkeypatch):
    """An empty store of the daemon in this process."""
    monkeypatch.setenv(store.CHECKPOINT_DIR_VARIABLE, str(tmp_path / "checkpoints"))
    return tmp_path / "checkpoints"


@pytest.fixture
def served(monkeypatch):
    with hub({"one/repo/a.bin": BYTES, "zhangap/S3Diff/de_net.pth": DE_NET_PTH.read_bytes()}) as found:
        for name, value in found.environment.items():
            monkeypatch.setenv(name, value)
        yield found


@pytest.fixture
def client(folder, root, served, monkeypatch):
    """A client of a daemon whose catalogue has an entry `plain`."""
    monkeypatch.setattr(catalogue, "ENTRIES", (*catalogue.ENTRIES, PLAIN))
    monkeypatch.setitem(catalogue._BY_ID, "plain", PLAIN)
    with CheckpointsClient.local(folder, start=False) as found:
        yield found


def listed(client, name):
    return next(found for found in client.checkpoints() if found.id == name)


def test_catalogue_is_listed_with_licences(client, root):
    ids = [found.id for found in client.checkpoints()]
    assert ids[:6] == ["sd21-base", "sd-turbo", "osediff", "osediff-face", "s3diff", "de-net"]
    osediff = listed(client, "osediff")
    assert (osediff.base, osediff.pipelines, osediff.pullable, osediff.installed) == (
        "sd21-base",
        ("osediff",),
        True,
        None,
    )
    assert osediff.licence.title.startswith("Apache-2.0")
    assert not osediff.licence.accepted
    assert client.folder()[0] == str(root)


def test_pull_installs_with_progress(client):
    told = []
    found = client.pull("plain", ACCEPTED, on_progress=told.append)
    assert found.installed.size_bytes == len(BYTES)
    assert found.licence.accepted
    assert listed(client, "plain") == found
    assert told
    assert {progress.stage for progress in told} <= {"ask", "download", "check"}


def test_pull_without_the_licence_downloads_nothing(client, served):
    with pytest.raises(NotReady) as caught:
        client.pull("plain")
    assert caught.value.reason == "LICENCE_NOT_ACCEPTED"
    assert caught.value.details["licence_url"] == "https://example.org/plain"
    assert served.headers == []


def test_licence_is_accepted_once(client):
    client.pull("plain", ACCEPTED)
    client.remove("plain")
    assert client.pull("plain").installed is not None


def test_client_that_goes_away_cancels_its_pull(client, served, monkeypatch):
    flags = []
    real = install.pull

    def noted(*arguments, cancelled, **values):
        flags.append(cancelled)
        return real(*arguments, cancelled=cancelled, **values)

    def leave(progress):
        if progress.done_bytes > 0:
            raise KeyboardInterrupt

    monkeypatch.setattr(install, "pull", noted)
    served.gate = threading.Event()
    with pytest.raises(KeyboardInterrupt):
        client.pull("plain", ACCEPTED, on_progress=leave)
    until(flags[0].is_set)
    served.gate.set()
    until(lambda: not [t for t in threading.enumerate() if t.name == "safelight-pull-plain"])
    assert listed(client, "plain").installed is None
    assert client.pull("plain").installed is not None


def test_second_pull_of_the_same_is_refused_and_others_are_served(client, served):
    served.gate = threading.Event()
    done = []
    first = threading.Thread(target=lambda: done.append(client.pull("plain", ACCEPTED)))
    first.start()
    until(lambda: served.ranges)
    with pytest.raises(TooMuch) as caught:
        client.pull("plain", ACCEPTED)
    assert caught.value.reason == "CHECKPOINT_BUSY"
    assert listed(client, "plain").installed is None
    served.gate.set()
    first.join()
    assert done[0].installed is not None


def test_wrong_hash_crosses_as_itself(client, served):
    served.files["cswry/OSEDiff/preset/models/osediff.pkl"] = b"another file"
    osediff = listed(client, "osediff")
    with pytest.raises(NotReady) as caught:
        client.pull("osediff", osediff.licence.sha256)
    assert caught.value.reason == "CHECKPOINT_HASH"


class Attack:
    """Makes a file when it is unpickled."""

    def __init__(self, marker):
        self.command = f"touch {marker}"

    def __reduce__(self):
        return os.system, (self.command,)


def malicious(marker):
    """A checkpoint in torch's own format that runs a command."""
    file = io.BytesIO()
    torch.save({"conv_first.0.weight": torch.zeros(1), "x": Attack(marker)}, file)
    return file.getvalue()


def test_malicious_file_leaves_the_daemon_serving(client, served, tmp_path, monkeypatch):
    marker = tmp_path / "marker"
    evil = replace(catalogue.entry("de-net"), files=(CatalogueFile("de_net.pth"),))
    monkeypatch.setitem(catalogue._BY_ID, "de-net", evil)
    served.files["zhangap/S3Diff/de_net.pth"] = malicious(marker)
    with pytest.raises(NotReady) as caught:
        client.pull("de-net", evil.licence.sha256)
    assert caught.value.reason == "CHECKPOINT_DAMAGED"
    assert not marker.exists()
    assert client.checkpoints()


@pytest.mark.parametrize("name", ["..", "../../etc", "a/b", "", "x" * 5000])
@pytest.mark.parametrize("call", ["pull", "remove"])
def test_ids_that_are_no_names_are_refused(client, call, name):
    with pytest.raises(InvalidRequest) as caught:
        getattr(client, call)(name)
    assert caught.value.reason == "CHECKPOINT_ID"


@pytest.mark.parametrize("call", ["pull", "remove"])
def test_unknown_entry_is_not_found(client, call):
    with pytest.raises(NotFound) as caught:
        getattr(client, call)("osedif")
    assert caught.value.reason == "UNKNOWN_CHECKPOINT"


def test_entry_for_later_is_refused(client, monkeypatch):
    entry = catalogue.entry("llava-v1.5-13b")
    monkeypatch.setitem(catalogue._BY_ID, entry.id, replace(entry, ready=False))
    with pytest.raises(NotReady) as caught:
        client.pull("llava-v1.5-13b")
    assert caught.value.reason == "CHECKPOINT_NOT_USED"


def test_remove_of_what_is_not_installed(client):
    with pytest.raises(NotFound) as caught:
        client.remove("plain")
    assert caught.value.reason == "CHECKPOINT_NOT_INSTALLED"


@pytest.fixture
def loaded(folder, monkeypatch):
    """A client of the same daemon that has loaded the pipeline `identity`, which needs `plain`."""
    monkeypatch.setattr(catalogue, "ENTRIES", (replace(PLAIN, pipelines=("identity",)),))
    with RestorationClient.local(folder, start=False) as found:
        found.load("identity")
        yield found


def residents(loaded):
    return [resident.pipeline for resident in loaded.state().residents]


def test_pipeline_whose_checkpoint_changed_is_unloaded(client, loaded):
    assert residents(loaded) == ["identity"]
    client.pull("plain", ACCEPTED)
    until(lambda: residents(loaded) == [])
    loaded.load("identity")
    client.remove("plain")
    until(lambda: residents(loaded) == [])


def test_rescan_without_a_change_unloads_nothing(client, loaded):
    client.pull("plain", ACCEPTED)
    loaded.load("identity")
    assert client.rescan() == ["plain"]
    assert residents(loaded) == ["identity"]


def test_rescan_sees_what_a_command_installed(client, root):
    with store.changing("plain", root) as staging:
        store.put(staging, store.Record("plain", "", "import"), root)
    assert client.rescan() == ["plain"]


def test_calls_need_the_token(folder, root):
    info = runtime.read_info(folder)
    with connection.open_channel(info.target, "wrong") as channel:
        stub = cpb_grpc.CheckpointsStub(channel)
        with pytest.raises(grpc.RpcError) as caught:
            stub.ListCheckpoints(cpb.ListCheckpointsRequest(), timeout=10)
    assert caught.value.code() is grpc.StatusCode.UNAUTHENTICATED
