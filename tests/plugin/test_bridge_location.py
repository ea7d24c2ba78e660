"""Where the bridge is, and what of GIMP's environment it must not see."""

import json
import sys

import pytest
from bridge_location import COMMAND_VARIABLE, bridge_command, bridge_environment
from errors import SafelightError

COMMAND = [sys.executable, "-E", "-m", "safelight.cli.main", "bridge"]


def written(folder, content):
    (folder / "bridge.json").write_text(content if isinstance(content, str) else json.dumps(content))
    return folder


def test_the_installer_writes_it_down(tmp_path):
    folder = written(tmp_path, {"command": COMMAND, "version": "1"})
    assert bridge_command(folder, {}, tmp_path / "no flatpak") == COMMAND


def test_the_variable_goes_before_it(tmp_path):
    folder = written(tmp_path, {"command": COMMAND})
    assert bridge_command(folder, {COMMAND_VARIABLE: '["other"]'}, tmp_path / "no flatpak") == ["other"]


def test_in_a_flatpak_it_runs_outside_the_sandbox(tmp_path):
    mark = tmp_path / "mark"
    mark.touch()
    folder = written(tmp_path, {"command": ["/on/the/host/python", "bridge"]})
    found = bridge_command(folder, {}, mark)
    assert (found[:2], found[-2:]) == (["flatpak-spawn", "--host"], ["/on/the/host/python", "bridge"])


@pytest.mark.parametrize(
    "content", [None, "{", "[]", {}, {"command": []}, {"command": "x"}, {"command": [1]}]
)
def test_without_a_readable_file_it_says_what_to_run(tmp_path, content):
    if content is not None:
        written(tmp_path, content)
    with pytest.raises(SafelightError, match="safelight gimp install") as raised:
        bridge_command(tmp_path, {}, tmp_path / "no flatpak")
    assert raised.value.reason == "BRIDGE_NOT_FOUND"


def test_a_safelight_that_was_moved_away_is_noticed(tmp_path):
    folder = written(tmp_path, {"command": [str(tmp_path / "gone" / "python")]})
    with pytest.raises(SafelightError, match="no longer where it was"):
        bridge_command(folder, {}, tmp_path / "no flatpak")


def test_gimps_python_and_libraries_stay_out():
    environ = {
        "HOME": "/home/x", "SAFELIGHT_REMOTE": "/x", "XDG_RUNTIME_DIR": "/run/x", "PYTHONPATH": "/gimp",
        "PYTHONHOME": "/gimp", "LD_LIBRARY_PATH": "/gimp", "GI_TYPELIB_PATH": "/gimp", "GIO_MODULE_DIR": "/gimp",
    }  # fmt: skip
    assert set(bridge_environment(environ)) == {"HOME", "SAFELIGHT_REMOTE", "XDG_RUNTIME_DIR"}
