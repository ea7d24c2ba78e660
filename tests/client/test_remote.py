"""The file that names a daemon elsewhere."""

import json

import pytest

from safelight import errors, runtime
from safelight.client import remote
from safelight.client.restoration import RestorationClient
from tests.fakes.daemon import serving, short_folder


@pytest.fixture
def written(tmp_path, monkeypatch):
    """Writes the file and makes it the one in use."""
    path = tmp_path / "remote.json"
    monkeypatch.setenv(remote.REMOTE_VARIABLE, str(path))

    def write(**content):
        path.write_text(json.dumps(content))
        return path

    return write


def reason():
    with pytest.raises(errors.InvalidRequest) as raised:
        remote.configured_remote()
    return raised.value.reason


def test_without_a_file_the_daemon_is_this_machines_own(tmp_path, monkeypatch):
    monkeypatch.delenv(remote.REMOTE_VARIABLE, raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert remote.configured_remote() is None


def test_paths_count_from_the_files_folder(written, tmp_path):
    for name in ("token", "ca", "key", "certificate"):
        (tmp_path / name).write_text(name)
    written(
        target="studio.example:7443", token_file="token", root_certificate="ca", client_key="key",
        client_certificate="certificate",
    )  # fmt: skip
    found = remote.configured_remote()
    assert (found.target, found.token) == ("studio.example:7443", "token")
    assert (found.root_certificate, found.client_key, found.client_certificate) == (
        b"ca",
        b"key",
        b"certificate",
    )


WRONG = {
    "no target": {"token_file": "token"},
    "no token there": {"target": "127.0.0.1:1", "token_file": "token"},
    "open to the network": {"target": "studio.example:7443", "token_file": "remote.json"},
    "half of the certificates": {
        "target": "127.0.0.1:1",
        "token_file": "remote.json",
        "root_certificate": "remote.json",
    },
}


@pytest.mark.parametrize("content", WRONG.values(), ids=WRONG)
def test_a_file_that_cannot_be_used_is_refused(written, content):
    written(**content)
    assert reason() == "REMOTE_SETTINGS"


def test_a_file_that_was_named_must_be_there(monkeypatch, tmp_path):
    monkeypatch.setenv(remote.REMOTE_VARIABLE, str(tmp_path / "nothing"))
    assert reason() == "REMOTE_SETTINGS"


def test_clients_use_the_named_daemon(written, monkeypatch, tmp_path):
    monkeypatch.setenv(runtime.RUNTIME_DIR_VARIABLE, str(tmp_path / "no daemon here"))
    with short_folder() as folder, serving(folder):
        info = runtime.read_info(folder)
        written(target=info.target, token_file=str(folder / "token"))
        with RestorationClient.chosen(start=False) as client:
            assert client.state().process_id == info.process_id
