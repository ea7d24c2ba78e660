"""The runtime folder's small files."""

import json
import os
import stat
import threading
from pathlib import Path

import pytest

from safelight import errors, runtime

INFO = runtime.DaemonInfo("unix:/x", 7, "1.0", "/here", 1, "/log")


@pytest.fixture
def environment(monkeypatch):
    for name in (runtime.RUNTIME_DIR_VARIABLE, "XDG_RUNTIME_DIR"):
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


def test_the_chosen_folder_wins_and_keeps_its_log(environment, tmp_path):
    environment.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    environment.setenv(runtime.RUNTIME_DIR_VARIABLE, "chosen")
    assert runtime.runtime_dir() == Path.cwd() / "chosen"
    assert runtime.log_path() == Path.cwd() / "chosen" / "daemon.log"


def test_without_a_choice_it_lies_below_the_systems_runtime_folder(environment, tmp_path):
    environment.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    assert runtime.runtime_dir() == tmp_path / "safelight"
    assert runtime.log_path().parent != tmp_path / "safelight"


@pytest.mark.parametrize("xdg", [None, "/not/there"])
def test_without_a_runtime_folder_it_is_in_the_cache(environment, xdg):
    if xdg:
        environment.setenv("XDG_RUNTIME_DIR", xdg)
    assert runtime.runtime_dir().parts[-2:] == ("safelight", "run")


def test_kept_results_lie_in_the_cache_or_beside_a_socket_chosen_by_hand(environment, tmp_path):
    environment.setenv("XDG_RUNTIME_DIR", str(tmp_path))  # a file system in memory: not for pictures
    assert runtime.kept_dir().parts[-2:] == ("safelight", "kept")
    assert tmp_path not in runtime.kept_dir().parents
    environment.setenv(runtime.RUNTIME_DIR_VARIABLE, str(tmp_path / "chosen"))
    assert runtime.kept_dir() == tmp_path / "chosen" / "kept"


@pytest.mark.parametrize(("text", "megabytes"), [("", None), ("0", 0), ("500", 500)])
def test_how_much_is_kept_can_be_set(environment, text, megabytes):
    environment.setenv(runtime.KEPT_VARIABLE, text)
    assert runtime.kept_megabytes() == megabytes


@pytest.mark.parametrize("text", ["-1", "much", "1.5", "9" * 10, "²"])
def test_what_is_no_size_is_refused(environment, text):
    environment.setenv(runtime.KEPT_VARIABLE, text)
    with pytest.raises(errors.InvalidRequest, match="whole megabytes"):
        runtime.kept_megabytes()


def test_a_new_folder_is_private_whatever_the_umask(tmp_path):
    old = os.umask(0)
    try:
        runtime.prepare_runtime_dir(tmp_path / "a" / "b")
    finally:
        os.umask(old)
    assert stat.S_IMODE((tmp_path / "a" / "b").stat().st_mode) == 0o700


def test_info_comes_back_and_can_be_forgotten(tmp_path):
    runtime.write_info(tmp_path, INFO)
    assert runtime.read_info(tmp_path) == INFO
    runtime.forget_info(tmp_path)
    runtime.forget_info(tmp_path)
    assert runtime.read_info(tmp_path) is None


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '"x"', json.dumps({"target": "unix:/x"})])
def test_a_file_that_is_not_ours_is_no_info(tmp_path, text):
    (tmp_path / "daemon.json").write_text(text)
    assert runtime.read_info(tmp_path) is None


def test_a_private_file_is_replaced_whole(tmp_path):
    path = tmp_path / "token"
    for text in ("one", "two"):
        runtime.write_private(path, text)
        assert (path.read_text(), stat.S_IMODE(path.stat().st_mode)) == (text, 0o600)
    assert list(tmp_path.iterdir()) == [path]


def test_tokens_are_new_each_time_and_256_bits(tmp_path):
    tokens = {runtime.new_token(tmp_path) for _ in range(3)}
    assert {len(bytes.fromhex(token)) for token in tokens} == {32}
    assert len(tokens) == 3
    assert runtime.read_token(tmp_path) in tokens


def test_without_a_token_it_says_so(tmp_path):
    with pytest.raises(errors.Unavailable) as raised:
        runtime.read_token(tmp_path)
    assert raised.value.reason == "NO_TOKEN"


def test_one_holds_the_lock_and_says_who(tmp_path):
    assert not runtime.daemon_alive(tmp_path)
    with runtime.daemon_lock(tmp_path):
        assert runtime.daemon_alive(tmp_path)
        assert runtime.lock_holder(tmp_path) == os.getpid()
        with pytest.raises(errors.Unavailable) as raised, runtime.daemon_lock(tmp_path):
            pass
        assert raised.value.reason == "ALREADY_RUNNING"
        assert str(os.getpid()) in raised.value.message
    assert not runtime.daemon_alive(tmp_path)


def test_clients_that_ask_do_not_keep_a_daemon_from_starting(tmp_path):
    ending = threading.Event()

    def ask():
        while not ending.is_set():
            runtime.daemon_alive(tmp_path)

    threads = [threading.Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(20):
            with runtime.daemon_lock(tmp_path):
                pass
    finally:
        ending.set()
        for thread in threads:
            thread.join()


def test_targets_are_quoted():
    assert runtime.socket_target(Path("/a b/#1/50%/d.sock")) == "unix:/a%20b/%231/50%25/d.sock"
