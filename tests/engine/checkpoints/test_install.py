"""Pulls from a hub on loopback, and imports from this machine."""

import hashlib
import json
import shutil
import threading
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from safelight.engine.checkpoints import catalogue, download, install, store
from safelight.engine.checkpoints.catalogue import CatalogueFile, Source
from safelight.engine.checkpoints.convert import read_converted
from safelight.engine.checkpoints.download import Places
from safelight.errors import Cancelled, InvalidRequest, NotFound, NotReady, TooMuch
from tests.engine.checkpoints.conftest import DATA, DE_NET_PTH, OSEDIFF_PKL
from tests.fakes import tagger

BYTES = bytes(range(256)) * 4096  # 1 MiB
SHA256 = hashlib.sha256(BYTES).hexdigest()
FILE = CatalogueFile("a.bin")
LICENCE = catalogue.Licence("test", "Test Licence", "https://example.org/licence")


def entry(*sources, files=(FILE,), **values):
    """An entry of plain files."""
    found = sources or (Source("hub", "one/repo"),)
    return catalogue.CatalogueEntry("plain", "Plain", LICENCE, tuple(files), found, 1 << 20, **values)


def pull(what, served, **values):
    return install.pull(what, places=served.places, **values)


def installed(root):
    return root / "plain" / store.CONTENT_NAME / "a.bin"


def first_bytes(served):
    return [first for _, first in served.ranges]


def test_pull_installs_what_the_hub_has(root, served):
    served.files["one/repo/a.bin"] = BYTES
    record = pull(entry(), served)
    assert store.installed_path("plain") == installed(root)
    assert installed(root).read_bytes() == BYTES
    assert (record.source, record.files[0].sha256) == ("hub:one/repo@main", SHA256)
    assert not (root / store.PARTIAL_NAME / "plain").exists()


def test_pull_from_github(root, served):
    served.files["two/code/preset/a.bin"] = BYTES
    pull(entry(Source("github", "two/code", "abc", {"a.bin": "preset/a.bin"})), served)
    assert installed(root).read_bytes() == BYTES


ADDRESSES = {
    "hub": (Source("hub", "a/b"), "https://huggingface.co/a/b/resolve/main/c/d.bin"),
    "space": (Source("hub", "spaces/a/b", "v1"), "https://huggingface.co/spaces/a/b/resolve/v1/c/d.bin"),
    "github": (Source("github", "a/b", "123"), "https://raw.githubusercontent.com/a/b/123/c/d.bin"),
}


@pytest.mark.parametrize(("source", "wanted"), ADDRESSES.values(), ids=ADDRESSES)
def test_addresses(source, wanted):
    assert download.address(source, "c/d.bin", Places(download.HUB, download.GITHUB)) == wanted


def test_no_credentials_are_sent(root, served, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    served.files["one/repo/a.bin"] = BYTES
    pull(entry(), served)
    assert served.headers
    assert not [headers for headers in served.headers if "hf_secret" in str(headers)]


def test_broken_connection_goes_on_where_it_broke(root, served):
    served.files["one/repo/a.bin"] = BYTES
    served.breaks["one/repo/a.bin"] = [300_000]
    pull(entry(), served)
    assert installed(root).read_bytes() == BYTES
    assert len(served.ranges) == 2
    assert 0 < served.ranges[1][1] <= 300_000


def broken_off(served, monkeypatch):
    """A pull whose connection breaks more often than the client tries; gives the bytes that came."""
    monkeypatch.setattr("huggingface_hub.file_download.time.sleep", lambda seconds: None)
    served.files["one/repo/a.bin"] = BYTES
    served.breaks["one/repo/a.bin"] = [400_000, *[0] * 20]
    with pytest.raises(NotReady) as caught:
        pull(entry(), served)
    assert caught.value.reason == "CHECKPOINT_NOT_DOWNLOADED"
    served.breaks.clear()
    served.ranges.clear()
    part = next(store.checkpoint_dir().rglob("*.part"))
    return part.stat().st_size


def test_pull_that_gave_up_is_resumed_by_the_next(root, served, monkeypatch):
    came = broken_off(served, monkeypatch)
    assert came > 0
    assert store.installed_path("plain") is None
    pull(entry(), served)
    assert first_bytes(served) == [came]
    assert installed(root).read_bytes() == BYTES


def test_part_of_another_version_is_not_resumed(root, served, monkeypatch):
    broken_off(served, monkeypatch)
    served.files["one/repo/a.bin"] = BYTES[::-1]
    pull(entry(), served)
    assert first_bytes(served) == [0]
    assert installed(root).read_bytes() == BYTES[::-1]


def test_cancelled_pull_installs_nothing_and_is_resumed(root, served):
    served.files["one/repo/a.bin"] = BYTES * 32
    cancelled = threading.Event()

    def on_progress(progress):
        if progress.stage == "download" and progress.done_bytes > 0:
            cancelled.set()

    with pytest.raises(Cancelled):
        pull(entry(), served, on_progress=on_progress, cancelled=cancelled)
    assert store.installed_path("plain") is None
    served.ranges.clear()
    pull(entry(), served)
    assert first_bytes(served)[0] > 0
    assert installed(root).read_bytes() == BYTES * 32


def test_second_source_is_tried_when_the_first_has_not_all(root, served):
    files = (CatalogueFile("a.bin"), CatalogueFile("b.bin"))
    served.files |= {"one/repo/a.bin": b"1", "two/repo/a.bin": BYTES, "two/repo/b.bin": b"b"}
    record = pull(entry(Source("hub", "one/repo"), Source("hub", "two/repo"), files=files), served)
    assert record.source == "hub:two/repo@main"
    assert not [path for path, _ in served.ranges if path.startswith("one/")]


def test_no_source_left_names_each_and_what_to_do(root, served):
    what = entry(
        Source("hub", "one/repo"), Source("hub", "two/repo"), Source("by-hand", "https://example.org/x")
    )
    with pytest.raises(NotReady) as caught:
        pull(what, served)
    for words in ("one/repo", "two/repo", "404", "https://example.org/x", "safelight models import plain"):
        assert words in caught.value.message


def test_hub_that_does_not_answer_is_one_sentence(root, served):
    served.files["one/repo/a.bin"] = BYTES
    places = replace(served.places, hub="http://127.0.0.1:9")  # discard: nobody listens
    with pytest.raises(NotReady) as caught:
        install.pull(entry(), places=places)
    assert caught.value.reason == "CHECKPOINT_NOT_DOWNLOADED"
    assert "Traceback" not in caught.value.message


WRONG = {
    "sha256": CatalogueFile("a.bin", sha256="0" * 64),
    "git object": CatalogueFile("a.bin", git_blob="0" * 40),
}


@pytest.mark.parametrize("file", WRONG.values(), ids=WRONG)
def test_wrong_hash_installs_nothing(file, root, served):
    served.files["one/repo/a.bin"] = BYTES
    with pytest.raises(NotReady) as caught:
        pull(entry(files=(file,)), served)
    assert caught.value.reason == "CHECKPOINT_HASH"
    assert store.installed_path("plain") is None
    assert not list(root.rglob("*.part"))


def test_wrong_size_downloads_nothing(root, served):
    served.files["one/repo/a.bin"] = BYTES
    with pytest.raises(NotReady, match="has 1048576 bytes, not 5"):
        pull(entry(files=(CatalogueFile("a.bin", size_bytes=5),)), served)
    assert served.ranges == []


def test_second_source_helps_against_a_wrong_file(root, served):
    served.files |= {"one/repo/a.bin": b"other", "two/repo/a.bin": BYTES}
    what = entry(
        Source("hub", "one/repo"), Source("hub", "two/repo"), files=(CatalogueFile("a.bin", sha256=SHA256),)
    )
    assert pull(what, served).source == "hub:two/repo@main"


def test_hash_without_a_stated_one_is_checked_from_the_first_time_on(root, served):
    plain = entry(Source("github", "two/code", "abc"))  # which states none
    served.files["two/code/a.bin"] = BYTES
    pull(plain, served)
    store.remove("plain")
    served.files["two/code/a.bin"] = BYTES[::-1]
    with pytest.raises(NotReady) as caught:
        pull(plain, served)
    assert caught.value.reason == "CHECKPOINT_HASH"


def test_small_disk_is_noticed_before_a_byte_comes(root, served, monkeypatch):
    served.files["one/repo/a.bin"] = BYTES
    usage = shutil.disk_usage("/")._replace(free=100 << 10)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    with pytest.raises(TooMuch) as caught:
        pull(entry(), served)
    assert caught.value.reason == "DISK_FULL"
    assert served.ranges == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_disk_that_fills_up_installs_nothing(root, served):
    served.files["one/repo/a.bin"] = BYTES
    part = root / store.PARTIAL_NAME / "plain" / "hub_one_repo_main" / "a.bin.part"
    part.parent.mkdir(parents=True)
    part.symlink_to("/dev/full")
    with pytest.raises(TooMuch) as caught:
        pull(entry(), served)
    assert caught.value.reason == "DISK_FULL"
    assert store.installed_path("plain") is None


def test_progress_counts_up_to_all_bytes(root, served):
    served.files["one/repo/a.bin"] = BYTES
    told = []
    pull(entry(), served, on_progress=told.append)
    downloads = [p for p in told if p.stage == "download"]
    assert [told[0].stage, told[-1].stage] == ["ask", "check"]
    assert downloads[-1].done_bytes == downloads[-1].total_bytes == len(BYTES)


def test_pickle_is_converted_and_not_kept(root, served):
    served.files["zhangap/S3Diff/de_net.pth"] = DE_NET_PTH.read_bytes()
    what = replace(catalogue.entry("de-net"), files=(CatalogueFile("de_net.pth"),))
    record = pull(what, served)
    path = store.installed_path("de-net")
    assert path.name == "de-net.safetensors"
    assert len(read_converted(path)[0]) == 80
    assert record.original_sha256 == hashlib.sha256(DE_NET_PTH.read_bytes()).hexdigest()
    assert not [p for p in root.rglob("*") if p.suffix in (".pth", ".pkl", ".part")]


def test_another_file_behind_the_catalogues_name_is_refused(root, served):
    served.files["cswry/OSEDiff/preset/models/osediff.pkl"] = OSEDIFF_PKL.read_bytes()
    with pytest.raises(NotReady) as caught:
        pull(catalogue.entry("osediff"), served)
    assert caught.value.reason == "CHECKPOINT_HASH"


def tiny_base(folder):
    """A folder with every file of a base; its weights are one number each."""
    for file in catalogue.entry("sd21-base").files:
        path = folder / file.name
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".safetensors":
            save_file({"x": torch.zeros(1)}, path)
        else:
            path.write_text("{}" if path.suffix == ".json" else "")
    for part in ("unet", "vae"):
        shutil.copy(DATA / "osediff" / "base" / part / "config.json", folder / part)
    return folder


def test_base_folder_is_imported(root, tmp_path):
    source = tiny_base(tmp_path / "source")
    (source / "notes.txt").write_text("mine")
    record = install.import_path(catalogue.entry("sd21-base"), source)
    found = store.installed_path("sd21-base")
    assert json.loads((found / "unet" / "config.json").read_text())["block_out_channels"] == [32, 32, 32, 64]
    assert not (found / "notes.txt").exists()
    assert (record.source, len(record.files)) == ("import", 12)
    store.verify("sd21-base")


def test_what_a_pipeline_lacks_is_listed(root, tmp_path):
    assert install.missing("osediff") == ["sd21-base", "osediff"]
    install.import_path(catalogue.entry("sd21-base"), tiny_base(tmp_path / "source"))
    assert install.missing("osediff") == ["osediff"]
    assert install.missing("compact") == []


def test_half_precision_names_are_taken(root, tmp_path):
    source = tiny_base(tmp_path / "source")
    weights = source / "unet" / "diffusion_pytorch_model.safetensors"
    weights.rename(weights.with_name("diffusion_pytorch_model.fp16.safetensors"))
    install.import_path(catalogue.entry("sd21-base"), source)
    assert (store.installed_path("sd21-base") / "unet" / weights.name).is_file()


def test_a_base_of_pickles_is_refused_with_what_to_do(root, tmp_path):
    source = tiny_base(tmp_path / "source")
    weights = source / "unet" / "diffusion_pytorch_model.safetensors"
    weights.rename(weights.with_suffix(".bin"))
    with pytest.raises(InvalidRequest, match=r"\.bin files are pickles") as caught:
        install.import_path(catalogue.entry("sd21-base"), source)
    assert "safelight models pull sd21-base" in caught.value.message
    assert "save_pretrained" in caught.value.message


def less_a_file(folder):
    (folder / "vae" / "config.json").unlink()


def damaged_weights(folder):
    (folder / "unet" / "diffusion_pytorch_model.safetensors").write_bytes(b"\xff" * 100)


@pytest.mark.parametrize("spoil", [less_a_file, damaged_weights])
def test_incomplete_or_damaged_base_is_refused(spoil, root, tmp_path):
    source = tiny_base(tmp_path / "source")
    spoil(source)
    with pytest.raises((InvalidRequest, NotReady)):
        install.import_path(catalogue.entry("sd21-base"), source)
    assert store.installed_ids() == []


def test_import_is_checked_against_the_installed_base(root, tmp_path):
    install.import_path(catalogue.entry("sd21-base"), tiny_base(tmp_path / "source"))
    record = install.import_path(catalogue.entry("osediff"), OSEDIFF_PKL)
    assert record.details == {"official": "no"}
    content = torch.load(OSEDIFF_PKL, weights_only=True)
    content["rank_unet"] = 5
    torch.save(content, tmp_path / "tuned.pkl")
    with pytest.raises(InvalidRequest, match="is not an OSEDiff checkpoint for sd21-base"):
        install.import_path(catalogue.entry("osediff"), tmp_path / "tuned.pkl")
    assert store.read_record("osediff") == record


def test_the_taggers_files_are_imported_and_told_apart(root, tmp_path):
    tagger.write_official(tmp_path)
    assert install.import_path(catalogue.entry("ram"), tmp_path / tagger.RAM).main == "ram.safetensors"
    assert install.import_path(catalogue.entry("ram-tags"), tmp_path).main == ""
    with pytest.raises(InvalidRequest, match="DAPE"):
        install.import_path(catalogue.entry("dape"), tmp_path / tagger.RAM)


@pytest.mark.parametrize("where", ["absent.pkl", "."])
def test_import_of_nothing_says_what_is_wanted(where, root, tmp_path):
    with pytest.raises(InvalidRequest, match=r"osediff\.pkl"):
        install.import_path(catalogue.entry("osediff"), tmp_path / where)


def test_entry_for_later_is_not_installed(root, tmp_path):
    with pytest.raises(NotReady) as caught:
        install.import_path(replace(catalogue.entry("osediff"), ready=False), tmp_path)
    assert caught.value.reason == "CHECKPOINT_NOT_USED"


def test_licence_is_asked_for_once(root):
    what = entry()
    with pytest.raises(NotReady) as caught:
        install.require_licence(what, "", root)
    assert caught.value.reason == "LICENCE_NOT_ACCEPTED"
    assert caught.value.details["licence_url"] == LICENCE.url
    with pytest.raises(NotReady):
        install.require_licence(what, "0" * 64, root)
    install.require_licence(what, LICENCE.sha256, root)
    install.require_licence(what, "", root)


def test_changed_licence_is_asked_for_again(root):
    install.require_licence(entry(), LICENCE.sha256, root)
    with pytest.raises(NotReady):
        install.require_licence(replace(entry(), licence=replace(LICENCE, note="New terms.")), "", root)


def test_unknown_entry_offers_the_nearest():
    with pytest.raises(NotFound, match="did you mean osediff"):
        catalogue.entry("osedif")


def test_catalogue_is_consistent():
    ids = [found.id for found in catalogue.ENTRIES]
    assert len(ids) == len(set(ids))
    for found in catalogue.ENTRIES:
        assert found.sources
        assert not found.base or found.base in ids
        assert found.kind is None or len(found.files) == 1
        for file in found.files:
            assert file.sha256 == "" or len(file.sha256) == 64
            assert file.git_blob == "" or len(file.git_blob) == 40
    assert [e.id for e in catalogue.needed_by("s3diff")] == ["sd-turbo", "s3diff", "de-net"]
