"""`safelight models` against a daemon in this process and a hub on loopback."""

import io
import shutil
import sys
from dataclasses import replace

import pytest
import torch
from safetensors.torch import save_file

from safelight.engine.checkpoints import catalogue, store
from tests.engine.checkpoints.conftest import DE_NET_PTH, OSEDIFF_PKL
from tests.fakes.hub import hub


@pytest.fixture(autouse=True)
def root(tmp_path, monkeypatch):
    """An empty store."""
    monkeypatch.setenv(store.CHECKPOINT_DIR_VARIABLE, str(tmp_path / "checkpoints"))
    return tmp_path / "checkpoints"


@pytest.fixture(autouse=True)
def served(monkeypatch):
    with hub({"ArcticHare105/S3Diff/assets/mm-realsr/de_net.pth": DE_NET_PTH.read_bytes()}) as found:
        for name, value in found.environment.items():
            monkeypatch.setenv(name, value)
        yield found


@pytest.fixture
def estimator(monkeypatch):
    """The catalogue's hash of de_net.pth is that of the file served here."""
    entry = catalogue.entry("de-net")
    (file,) = entry.files
    ours = catalogue.CatalogueFile(file.name, git_blob=store.file_git_blob(DE_NET_PTH))
    monkeypatch.setitem(catalogue._BY_ID, "de-net", replace(entry, files=(ours,)))


@pytest.fixture
def tags(monkeypatch, served):
    """The entry of the tag lists, with short ones of ours."""
    entry = catalogue.entry("ram-tags")
    files = tuple(catalogue.CatalogueFile(file.name) for file in entry.files)
    for file in files:
        served.files[f"cswry/OSEDiff/ram/data/{file.name}"] = b"cat\n"
    monkeypatch.setitem(catalogue._BY_ID, "ram-tags", replace(entry, files=files))


@pytest.fixture
def base(tmp_path):
    """A folder with the files of SD 2.1-base; its weights are one number each."""
    folder = tmp_path / "sd21"
    for file in catalogue.entry("sd21-base").files:
        path = folder / file.name
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".safetensors":
            save_file({"x": torch.zeros(1)}, path)
        else:
            path.write_text("{}" if path.suffix == ".json" else "")
    for part in ("unet", "vae"):
        shutil.copy(OSEDIFF_PKL.parent / "base" / part / "config.json", folder / part)
    return folder


@pytest.fixture
def unused(monkeypatch):
    """An entry that no pipeline uses yet."""
    entry = catalogue.entry("llava-v1.5-13b")
    entries = (replace(entry, ready=False) if e is entry else e for e in catalogue.ENTRIES)
    monkeypatch.setattr(catalogue, "ENTRIES", tuple(entries))


def test_list_shows_everything_with_licences_and_what_to_do(safelight, root, unused):
    run = safelight("models", "list")
    assert run.code == 0
    for words in ("sd21-base", "osediff-face", "de-net", "Open", "RAIL++-M", "not installed", "not used yet"):
        assert words in run.out
    assert "0 bytes used" in run.err


def test_list_as_json(safelight, unused):
    run = safelight("models", "list", "--json")
    by_id = {event["id"]: event for event in run.events if event["event"] == "checkpoint"}
    assert by_id["osediff"]["base"] == "sd21-base"
    assert not by_id["osediff"]["installed"]
    assert not by_id["llava-v1.5-13b"]["ready"]
    assert run.event("folder")["used_bytes"] == 0


def test_pull_then_verify_then_remove(safelight, estimator, root):
    run = safelight("models", "pull", "de-net", "--accept-licence")
    assert run.code == 0, run.err
    assert "the pipeline s3diff also needs: safelight models pull sd-turbo s3diff" in run.err
    assert safelight("models", "verify").code == 0
    run = safelight("models", "remove", "de-net")
    assert run.code == 0
    assert not (root / "de-net").exists()


def test_what_was_downloaded_is_not_downloaded_again(safelight, estimator, served):
    assert safelight("models", "pull", "de-net", "--accept-licence").code == 0
    asked = len(served.headers)
    again = safelight("models", "pull", "de-net")
    assert again.code == 0
    assert "installed already" in again.err
    assert len(served.headers) == asked


def test_pull_as_json(safelight, tags):
    run = safelight("models", "pull", "ram-tags", "--accept-licence", "--json")
    assert run.event("installed")["size_bytes"] == 8
    assert {event["event"] for event in run.events} == {"progress", "installed"}


def test_pull_without_a_terminal_never_asks(safelight, tags, served, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO("y\n"))
    run = safelight("models", "pull", "ram-tags")
    assert run.code == 1
    assert "--accept-licence" in run.last_line
    assert "https://www.apache.org/licenses/LICENSE-2.0" in run.last_line
    assert served.headers == []


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize(("answer", "code"), [("y\n", 0), ("\n", 1), ("no\n", 1), ("", 1)])
def test_terminal_is_asked(answer, code, safelight, tags, monkeypatch):
    monkeypatch.setattr(sys, "stdin", Terminal(answer))
    monkeypatch.setattr(type(sys.stderr), "isatty", lambda self: True, raising=False)
    run = safelight("models", "pull", "ram-tags")
    assert "Apache-2.0 (Recognize Anything, xinyu1205)" in run.err
    assert run.code == code


def test_unknown_id_offers_the_nearest(safelight):
    run = safelight("models", "pull", "osedif")
    assert run.code == 2
    assert "did you mean osediff?" in run.last_line


def test_source_that_has_nothing_is_one_sentence(safelight):
    run = safelight("models", "pull", "s3diff", "--accept-licence")
    assert run.code == 1
    assert "s3diff.pkl could not be downloaded from zhangap/S3Diff: the server answers 404" in run.last_line
    assert "safelight models import s3diff FILE" in run.last_line


def test_import_of_base_and_checkpoint(safelight, base, root):
    assert safelight("models", "import", "sd21-base", base, "--accept-licence").code == 0
    run = safelight("models", "import", "osediff", OSEDIFF_PKL, "--accept-licence", "--json")
    assert run.code == 0, run.err
    assert run.event("imported")["official"] == "no"
    assert run.event("imported")["daemon_told"]
    events = safelight("models", "list", "--json").events
    assert {e["id"] for e in events if e.get("installed")} == {"sd21-base", "osediff"}


def test_import_works_without_a_daemon(safelight, base, root, monkeypatch, tmp_path):
    monkeypatch.setenv("SAFELIGHT_RUNTIME_DIR", str(tmp_path / "nobody"))
    run = safelight("models", "import", "sd21-base", base, "--accept-licence", "--json")
    assert run.code == 0
    assert not run.event("imported")["daemon_told"]
    assert store.installed_path("sd21-base") is not None


def truncated(path):
    path.write_bytes(OSEDIFF_PKL.read_bytes()[:5000])


def renamed(path):
    path.write_bytes(DE_NET_PTH.read_bytes())


@pytest.mark.parametrize(
    ("write", "said"), [(truncated, "damaged or cut short"), (renamed, "not an OSEDiff")]
)
def test_bad_file_is_one_sentence(write, said, safelight, tmp_path):
    path = tmp_path / "osediff.pkl"
    write(path)
    run = safelight("models", "import", "osediff", path, "--accept-licence")
    assert run.code in (1, 2)
    assert said in run.last_line
    assert "Traceback" not in run.err
    assert store.installed_ids() == []


def test_import_names_the_file_that_was_given(safelight):
    run = safelight("models", "import", "de-net", OSEDIFF_PKL, "--accept-licence")
    assert run.code == 2
    assert run.last_line.startswith("safelight: osediff.pkl is not")


def test_verify_of_an_unknown_id_offers_the_nearest(safelight):
    run = safelight("models", "verify", "osedif")
    assert run.code == 1
    assert "did you mean osediff?" in run.last_line


def test_verify_names_the_changed_file(safelight, base, root):
    safelight("models", "import", "sd21-base", base, "--accept-licence")
    (root / "sd21-base" / "content" / "model_index.json").write_text("[]")
    run = safelight("models", "verify")
    assert run.code == 1
    assert "the file model_index.json of the checkpoint sd21-base has changed" in run.last_line


@pytest.mark.parametrize(
    "arguments", [["verify", "osediff"], ["remove", "osediff"], ["remove", "../x"], ["pull"], []]
)
def test_nothing_to_do_is_an_error(arguments, safelight):
    run = safelight("models", *arguments)
    assert run.code in (1, 2)
    assert len(run.err.strip().splitlines()) <= 6
