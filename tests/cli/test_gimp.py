"""`safelight gimp install` in made-up homes; the GIMPs are scripts that say a version and make a folder."""

import json
import os
import plistlib
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

import safelight as package
from safelight.cli import gimp_places, gimp_plugin
from safelight.cli.gimp_places import Machine, Place, Program
from safelight.cli.main import main
from tests.fakes.daemon import ROOT

NAME = "safelight-gimp"
GIMP = """#!/bin/sh
if [ "$1" = --version ]; then echo "GNU Image Manipulation Program version {version}"; exit; fi
mkdir -p "$HOME/.config/GIMP/{series}/plug-ins"
"""


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """A Linux machine with nothing on it."""
    made = Machine(
        "linux", tmp_path / "home", {"HOME": str(tmp_path / "home"), "PATH": f"{tmp_path}/bin:/bin"}, tmp_path
    )
    made.home.mkdir()
    (tmp_path / "bin").mkdir()
    monkeypatch.setattr(Machine, "this", lambda: made)
    monkeypatch.setenv("HOME", str(made.home))
    return made


@pytest.fixture
def run(machine, capsys):
    """Runs `safelight gimp install`; gives exit code, stdout and stderr."""

    def run(*arguments):
        capsys.readouterr()
        code = main(["gimp", "install", *arguments])
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


def settings_folder(machine, series="3.0", root=".config/GIMP"):
    folder = machine.home / root / series
    folder.mkdir(parents=True)
    return folder


def program(machine, version, name="gimp-console"):
    path = machine.root / "bin" / name
    path.write_text(GIMP.format(version=version, series=".".join(version.split(".")[:2])))
    path.chmod(0o755)
    return path


def plugin_in(folder):
    return folder / "plug-ins" / NAME


def files_of(folder):
    return {
        p.relative_to(folder): (p.read_bytes(), p.stat().st_mtime_ns)
        for p in folder.rglob("*")
        if p.is_file()
    }


def test_installs_into_every_series_that_is_there(machine, run):
    folders = [settings_folder(machine, series) for series in ("3.0", "3.2")]
    code, out, _ = run()
    assert code == 0
    for folder in folders:
        main_file = plugin_in(folder) / f"{NAME}.py"
        assert os.access(main_file, os.X_OK)
        assert main_file.read_bytes().startswith(b"#!/usr/bin/env python3\n")
        assert str(plugin_in(folder)) in out


def test_passes_over_gimp_2_when_there_is_gimp_3(machine, run):
    old, new = settings_folder(machine, "2.10"), settings_folder(machine, "3.0")
    assert run()[0] == 0
    assert plugin_in(new).is_dir()
    assert list(old.iterdir()) == []


@pytest.mark.parametrize("found", ["folder", "program"])
def test_gimp_2_alone_is_refused(machine, run, found):
    if found == "folder":
        settings_folder(machine, "2.10")
    else:
        program(machine, "2.10.34")
    code, _, err = run()
    assert code == 1
    assert "only GIMP 2.10 is here" in err
    assert "3.0 or newer" in err


def test_no_gimp_at_all_is_told(machine, run):
    code, _, err = run()
    assert code == 1
    assert "no GIMP 3 was found" in err


def test_a_gimp_that_was_never_started_makes_its_folder_itself(machine, run):
    program(machine, "3.0.4")
    assert run()[0] == 0
    assert plugin_in(machine.home / ".config/GIMP/3.0").is_dir()


def test_a_new_series_beside_an_old_one_is_started_too(machine, run):
    settings_folder(machine, "3.0")
    program(machine, "3.2.6", "gimp-console-3.2")
    assert run()[0] == 0
    assert plugin_in(machine.home / ".config/GIMP/3.2").is_dir()


def test_a_gimp_that_cannot_be_started_is_named(machine, run):
    (machine.root / "snap/gimp/current/meta").mkdir(parents=True)
    (machine.root / "snap/gimp/current/meta/snap.yaml").write_text("name: gimp\nversion: 3.0.4\n")
    code, _, err = run()
    assert code == 1
    assert "start it once" in err


def test_bridge_is_found_from_the_file_beside_the_plugin(machine, run):
    folder = settings_folder(machine)
    run()
    told = json.loads((plugin_in(folder) / "bridge.json").read_text())
    assert told["version"] == package.__version__
    assert Path(told["command"][0]).is_absolute()
    asked = subprocess.run(
        [*told["command"][:-1], "--version"], capture_output=True, text=True, cwd="/", env={}
    )
    assert asked.stdout == f"safelight {package.__version__}\n"


def test_twice_is_once(machine, run):
    folder = settings_folder(machine)
    run()
    before = files_of(plugin_in(folder))
    code, out, _ = run()
    assert code == 0
    assert "was there already" in out
    assert files_of(plugin_in(folder)) == before


def test_another_version_is_renewed_and_nothing_of_it_stays(machine, run):
    folder = settings_folder(machine)
    run()
    (plugin_in(folder) / "left_from_before.py").write_text("")
    (plugin_in(folder) / f"{NAME}.py").write_text("#!/usr/bin/env python3\n")
    assert run()[0] == 0
    assert not (plugin_in(folder) / "left_from_before.py").exists()
    assert [p.name for p in (folder / "plug-ins").iterdir()] == [NAME]
    assert run("--check")[0] == 0


def test_a_link_to_a_checkout_is_replaced_and_its_target_stays(machine, run, tmp_path):
    folder = settings_folder(machine)
    target = tmp_path / "checkout"
    target.mkdir()
    (target / f"{NAME}.py").write_text("mine")
    plugin_in(folder).parent.mkdir()
    plugin_in(folder).symlink_to(target)
    assert run()[0] == 0
    assert not plugin_in(folder).is_symlink()
    assert (target / f"{NAME}.py").read_text() == "mine"


def test_a_copy_that_fails_leaves_the_old_plugin(machine, run, monkeypatch):
    folder = settings_folder(machine)
    run()
    (plugin_in(folder) / "bridge.json").write_text("{}")
    before = files_of(plugin_in(folder))

    def full(*unused):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(gimp_plugin.shutil, "copyfile", full)
    code, _, err = run()
    assert code == 2
    assert "No space left on device" in err
    assert files_of(plugin_in(folder)) == before
    assert [p.name for p in (folder / "plug-ins").iterdir()] == [NAME]


def test_dry_run_changes_nothing(machine, run):
    folder = settings_folder(machine)
    code, out, _ = run("--dry-run")
    assert code == 0
    assert "would be installed" in out
    assert list(folder.iterdir()) == []


def test_uninstall_takes_only_ours_away(machine, run):
    folder = settings_folder(machine)
    other = folder / "plug-ins" / "other" / "other.py"
    other.parent.mkdir(parents=True)
    other.write_text("")
    run()
    assert run("--uninstall")[0] == 0
    assert [p.name for p in (folder / "plug-ins").iterdir()] == ["other"]
    code, out, _ = run("--uninstall")
    assert code == 0
    assert "was not there" in out


def test_check_is_content_after_an_installation(machine, run):
    settings_folder(machine)
    run()
    code, out, _ = run("--check", "--json")
    assert code == 0
    checked = next(e for e in map(json.loads, out.splitlines()) if e["event"] == "checked")
    assert checked["bridge_version"] == checked["version"] == package.__version__
    assert checked["executable"]
    assert checked["current"]
    assert not checked["registered"]


def break_executable(plugin):
    (plugin / f"{NAME}.py").chmod(0o644)


def break_bridge(plugin):
    (plugin / "bridge.json").write_text(
        json.dumps({"command": ["/nowhere/python", "bridge"], "version": "0"})
    )


def break_main(plugin):
    (plugin / f"{NAME}.py").write_text("#!/usr/bin/env python3\n")


BREAKS = {
    "not executable": break_executable,
    "its bridge does not start": break_bridge,
    "it is not the one of this Safelight": break_main,
}


@pytest.mark.parametrize("words", BREAKS)
def test_check_finds_and_install_repairs(machine, run, words):
    folder = settings_folder(machine)
    run()
    BREAKS[words](plugin_in(folder))
    code, out, _ = run("--check")
    assert code == 1
    assert words in out
    run()
    assert run("--check")[0] == 0


def test_check_of_a_gimp_without_the_plugin(machine, run):
    settings_folder(machine)
    code, out, _ = run("--check")
    assert code == 1
    assert "not installed" in out


def test_check_knows_whether_gimp_has_met_the_plugin(machine, run):
    folder = settings_folder(machine)
    run()
    (folder / "pluginrc").write_text(f'(plug-in-def "${{gimp_dir}}/plug-ins/{NAME}/{NAME}.py" 0)')
    _, _, err = run("--check")
    assert "has not been started" not in err


def test_a_folder_named_by_hand(machine, run, tmp_path):
    assert run("--folder", str(tmp_path / "portable"))[0] == 0
    assert plugin_in(tmp_path / "portable").is_dir()


def test_a_folder_that_cannot_be_written_is_named(machine, run):
    folder = settings_folder(machine)
    (folder / "plug-ins").write_text("a file where the folder should be")
    code, _, err = run()
    assert code == 2
    assert str(folder / "plug-ins") in err
    assert "writable" in err


def flatpak(machine, allowed):
    (machine.home / ".local/share/flatpak/app/org.gimp.GIMP").mkdir(parents=True)
    overrides = machine.home / ".local/share/flatpak/overrides"
    overrides.mkdir()
    if allowed:
        (overrides / "org.gimp.GIMP").write_text("[Session Bus Policy]\norg.freedesktop.Flatpak=talk\n")


@pytest.mark.parametrize("allowed", [False, True])
def test_flatpak_is_told_what_to_allow_unless_it_is(machine, run, allowed):
    settings_folder(machine)
    flatpak(machine, allowed)
    code, _, err = run()
    assert code == 0
    assert ("flatpak override --user --talk-name=org.freedesktop.Flatpak org.gimp.GIMP" in err) is not allowed


def test_folders_of_flatpak_and_snap_are_found(machine):
    settings_folder(machine, root=".var/app/org.gimp.GIMP/config/GIMP")
    settings_folder(machine, root="snap/gimp/current/.config/GIMP")
    assert [place.package for place in gimp_places.places(machine)] == ["flatpak", "snap"]


def test_windows(tmp_path):
    roaming, programs = tmp_path / "Roaming", tmp_path / "Programs"
    (roaming / "GIMP" / "3.0").mkdir(parents=True)
    console = programs / "GIMP 3" / "bin" / "gimp-console-3.0.exe"
    console.parent.mkdir(parents=True)
    console.write_text("")
    machine = Machine("win32", tmp_path, {"APPDATA": str(roaming), "ProgramFiles": str(programs)})
    assert gimp_places.places(machine) == [Place(roaming / "GIMP" / "3.0", "3.0")]
    assert gimp_places.programs(machine) == [Program("3.0", str(console), (str(console),))]


def test_macos(tmp_path):
    settings = tmp_path / "Library/Application Support/GIMP/3.2"
    settings.mkdir(parents=True)
    bundle = tmp_path / "Applications/GIMP.app"
    (bundle / "Contents/MacOS").mkdir(parents=True)
    (bundle / "Contents/Info.plist").write_bytes(plistlib.dumps({"CFBundleShortVersionString": "3.2.1"}))
    (bundle / "Contents/MacOS/gimp-console").write_text("")
    machine = Machine("darwin", tmp_path, {}, tmp_path / "nowhere")
    assert gimp_places.places(machine) == [Place(settings, "3.2")]
    console = str(bundle / "Contents/MacOS/gimp-console")
    assert gimp_places.programs(machine) == [Program("3.2", str(bundle), (console,))]


def test_a_folder_chosen_by_gimps_own_variable(tmp_path):
    machine = Machine("linux", tmp_path, {"GIMP3_DIRECTORY": str(tmp_path / "mine")})
    assert gimp_places.places(machine) == [Place(tmp_path / "mine", "3.x")]


def test_an_installed_wheel_brings_the_plugin(tmp_path):
    """In an environment of its own, which borrows this one's packages but not its checkout."""
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    build = [*pip, "wheel", "--no-deps", "--no-build-isolation", "-w", str(tmp_path), str(ROOT)]
    subprocess.run(build, check=True)
    (wheel,) = tmp_path.glob("safelight-*.whl")
    venv.create(tmp_path / "env", symlinks=True)
    python = tmp_path / "env/bin/python"
    subprocess.run(
        [*pip, "--python", str(python), "install", "--no-deps", "--no-index", str(wheel)], check=True
    )
    (packages,) = (tmp_path / "env").glob("lib/python*/site-packages")
    (packages / "borrowed.pth").write_text(sysconfig.get_path("purelib"))
    folder = tmp_path / "home/.config/GIMP/3.0"
    folder.mkdir(parents=True)
    command = [str(tmp_path / "env/bin/safelight"), "gimp", "install"]
    environ = {"HOME": str(tmp_path / "home"), "PATH": "/bin"}
    for arguments in ([], ["--check"]):
        told = subprocess.run([*command, *arguments], capture_output=True, text=True, env=environ)
        assert told.returncode == 0, told.stdout + told.stderr
    assert json.loads((plugin_in(folder) / "bridge.json").read_text())["command"][0] == str(python)
    shipped = {p.name for p in (ROOT / "plugin_gimp" / NAME).glob("*.py")}
    assert {p.name for p in plugin_in(folder).glob("*.py")} == shipped
