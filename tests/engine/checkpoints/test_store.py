"""The folder of installed checkpoints."""

import json
import os
import sys

import pytest

from safelight.engine.checkpoints import store
from safelight.errors import InvalidRequest, NotFound, NotReady, TooMuch


def put(root, name="osediff", *, main="a.safetensors", content=b"weights"):
    with store.changing(name, root) as staging:
        file = staging / store.CONTENT_NAME / "a.safetensors"
        file.write_bytes(content)
        files = store.stored_files(staging / store.CONTENT_NAME)
        store.put(staging, store.Record(name, main, "import", files, installed_at=store.now()), root)
    return root / name / store.CONTENT_NAME / "a.safetensors"


def hidden(root):
    return [path.name for path in root.iterdir() if path.name.endswith(".staging")]


def test_installed_entry_has_a_path_and_a_record(root):
    path = put(root)
    assert store.installed_path("osediff") == path
    assert store.read_record("osediff").size_bytes == 7
    assert store.installed_ids() == ["osediff"]


def test_folder_entry_gives_its_folder(root):
    path = put(root, "sd21-base", main="")
    assert store.installed_path("sd21-base") == path.parent


def test_nothing_is_installed_at_first(root):
    assert store.installed_path("osediff") is None
    assert store.installed_ids() == []
    assert not root.exists()


TRAVERSALS = [
    "..", ".", "", "../x", "a/b", "a\\b", "/etc", "C:", "a\x00b", "\\\\host\\share", "con", "nul.txt", "com1",
    "UPPER", ".hidden", "x" * 65, "a\n", "ﬁ",
]  # fmt: skip


@pytest.mark.parametrize("name", TRAVERSALS)
def test_id_that_is_no_plain_name_touches_nothing(name, root, tmp_path):
    before = sorted(tmp_path.rglob("*"))
    for act in (store.installed_path, store.read_record, store.remove, store.verify):
        with pytest.raises(InvalidRequest) as caught:
            act(name)
        assert caught.value.reason == "CHECKPOINT_ID"
    assert sorted(tmp_path.rglob("*")) == before


def test_ids_open_nothing_outside_the_store(root, tmp_path):
    opened = []
    sys.addaudithook(lambda event, arguments: event == "open" and opened.append(str(arguments[0])))
    (tmp_path / "checkpoint.json").write_text("{}")
    for name in TRAVERSALS:
        with pytest.raises(InvalidRequest):
            store.installed_path(name)
    assert [path for path in opened if "checkpoint.json" in path] == [str(tmp_path / "checkpoint.json")]


def test_link_out_of_the_store_is_refused(root, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    root.mkdir()
    (root / "osediff").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(InvalidRequest, match="leads out of the store"):
        store.installed_path("osediff")


@pytest.mark.parametrize("main", ["../../../x", "/etc/passwd", "absent", "../checkpoint.json"])
def test_record_that_points_outside_its_content_is_not_installed(root, main):
    put(root)
    path = root / "osediff" / store.RECORD_NAME
    path.write_text(json.dumps({**json.loads(path.read_text()), "main": main}))
    assert store.installed_path("osediff") is None


@pytest.mark.parametrize("text", ["", "[]", "{}", "{", '{"files": 3}', "null"])
def test_damaged_record_is_not_installed(root, text):
    put(root)
    (root / "osediff" / store.RECORD_NAME).write_text(text)
    assert store.installed_path("osediff") is None


def test_second_put_replaces_the_first(root):
    put(root, content=b"old")
    path = put(root, content=b"newer")
    assert path.read_bytes() == b"newer"
    assert hidden(root) == []


def test_failed_change_leaves_the_old_one(root):
    path = put(root, content=b"old")
    with pytest.raises(TypeError), store.changing("osediff", root) as staging:
        (staging / store.CONTENT_NAME / "a.safetensors").write_bytes("half")
    assert path.read_bytes() == b"old"
    assert hidden(root) == []


def test_killed_change_is_cleared_away_by_the_next(root):
    (root / f".osediff.{'0' * 16}.staging").mkdir(parents=True)
    put(root)
    assert hidden(root) == []


def test_two_changes_at_once_are_refused(root):
    with store.changing("osediff", root), pytest.raises(TooMuch) as caught, store.changing("osediff", root):
        pass
    assert caught.value.reason == "CHECKPOINT_BUSY"


def test_remove_frees_everything(root):
    put(root)
    (root / store.PARTIAL_NAME / "osediff").mkdir(parents=True)
    assert store.remove("osediff") > 7
    assert store.installed_path("osediff") is None
    assert not (root / "osediff").exists()
    assert not (root / store.PARTIAL_NAME / "osediff").exists()


def test_remove_of_what_is_not_there_says_so(root):
    with pytest.raises(NotFound, match="osediff is not installed"):
        store.remove("osediff")


def changed(path):
    path.write_bytes(b"WEIGHTS")


def cut(path):
    path.write_bytes(b"w")


@pytest.mark.parametrize(
    ("spoil", "said"), [(changed, "has changed"), (cut, "has 1 bytes"), (os.unlink, "is missing")]
)
def test_verify_finds_what_changed(root, spoil, said):
    path = put(root)
    store.verify("osediff")
    spoil(path)
    with pytest.raises(NotReady, match=said):
        store.verify("osediff")


def test_licence_is_remembered(root):
    assert store.accepted_licences() == set()
    store.accept_licence("1" * 64, "Some Licence")
    store.accept_licence("2" * 64, "Another")
    assert store.accepted_licences() == {"1" * 64, "2" * 64}


def test_first_hash_stays(root):
    store.remember_first("hub:a/b@main/c", "1" * 64)
    store.remember_first("hub:a/b@main/c", "2" * 64)
    assert store.first_seen("hub:a/b@main/c") == "1" * 64


def test_space_is_looked_at_first(tmp_path):
    with pytest.raises(TooMuch) as caught:
        store.require_space(tmp_path, 1 << 62)
    assert caught.value.reason == "DISK_FULL"
    assert str(tmp_path) in caught.value.message


def test_git_blob_id_is_gits(tmp_path):
    (tmp_path / "a").write_bytes(b"hello\n")
    assert store.file_git_blob(tmp_path / "a") == "ce013625030ba8dba906f756967f9e9ca394464a"
