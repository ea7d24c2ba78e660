"""Kept canvases on a disk: whole or not there, bounded, and never the reason why a job fails."""

import errno
import os
import stat
import threading
from dataclasses import replace

import numpy as np
import pytest

from safelight.engine import kept_store
from safelight.engine.kept_canvas import KeptCanvas, disjoint
from safelight.engine.kept_store import PART_LIFE_S, KeptStore
from safelight.geometry import Rect

FACTS = {"report": {"precision": "fp32"}, "toning": None, "found": {"blur": 0.1 + 0.2}}


def canvas(name, *boxes, size=(200, 300), seed=0):
    """Noise in `boxes`, all of it without any."""
    boxes = boxes or (Rect(0, 0, size[1], size[0]),)
    noise = np.random.default_rng(seed).integers(-9999, 9999, (*size, 3)).astype(np.int16)
    sums = np.zeros((*size, 3), np.int16)
    for box in boxes:
        sums[box.slices] = noise[box.slices]
    tiles = {number: (0.1 * number, -1.5, 1 / 3) for number in range(len(boxes))}
    return KeptCanvas(f"{name:0>64}", sums, tiles, disjoint(boxes), FACTS)


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "kept"


def kept_in(folder, *canvases, **changes):
    """A store that has written them."""
    store = KeptStore(folder, **changes)
    for each in canvases:
        store.keep(each)()
    store.close()
    return store


def names(folder):
    return sorted(path.name.lstrip("0").removesuffix(".kept") for path in folder.iterdir())


@pytest.mark.parametrize(
    "boxes",
    [(), (Rect(10, 20, 30, 40),), (Rect(0, 5, 80, 30), Rect(60, 20, 240, 180), Rect(0, 190, 300, 10))],
    ids=["all", "one tile", "overlapping tiles"],
)
def test_what_is_kept_is_found_by_the_next_daemon(folder, boxes):
    given = canvas("a", *boxes)
    kept_in(folder, given)
    found = KeptStore(folder).find(given.key)
    assert np.array_equal(found.sums, given.sums)
    assert (found.tiles, found.boxes, found.facts) == (given.tiles, given.boxes, given.facts)
    with pytest.raises(ValueError, match="read-only"):
        found.sums[0] = 0


def test_a_canvas_larger_than_what_is_written_at_a_time(folder, monkeypatch):
    monkeypatch.setattr("safelight.engine.kept_canvas.CHUNK_BYTES", 5000)
    given = canvas("a", Rect(0, 0, 300, 100), Rect(20, 90, 50, 80))
    kept_in(folder, given)
    assert np.array_equal(KeptStore(folder).find(given.key).sums, given.sums)


def test_it_is_found_before_it_is_written(folder, monkeypatch):
    go = threading.Event()
    monkeypatch.setattr(KeptStore, "_room", lambda store, kept: go.wait(20))
    store, given = KeptStore(folder), canvas("a")
    store.keep(given)()
    assert store.find(given.key) is given
    assert names(folder) == []
    go.set()
    store.close()
    assert names(folder) == ["a"]


def test_nothing_is_written_before_the_word_for_it(folder):
    store, given = KeptStore(folder), canvas("a")
    write = store.keep(given)
    assert store.find(given.key) is given
    write()
    store.close()
    assert names(folder) == ["a"]


def test_another_key_is_not_found(folder):
    assert kept_in(folder, canvas("a")).find("f" * 64) is None


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX")
def test_nobody_else_can_read_it(folder):
    folder.mkdir(mode=0o755)
    kept_in(folder, canvas("a"))
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert [stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()] == [0o600]


def test_holes_take_no_room(folder):
    small = canvas("a", Rect(0, 1000, 100, 100), size=(4000, 3000))
    store = kept_in(folder, small)
    count, taken = store.usage()
    assert count == 1
    assert small.bytes < taken < 30 * small.bytes < small.sums.nbytes


def test_the_least_recently_used_goes_first(folder):
    each = canvas("a").sums.nbytes + 8192
    store = KeptStore(folder, limit_bytes=3 * each)
    for age, name in enumerate("abc"):
        kept_in(folder, canvas(name), limit_bytes=3 * each)
        os.utime(folder / f"{canvas(name).key}.kept", (1000 + age, 1000 + age))
    assert store.find(canvas("a").key) is not None  # used now
    kept_in(folder, canvas("d"), limit_bytes=3 * each)
    assert names(folder) == ["a", "c", "d"]


def test_a_result_that_grows_evicts_nobody_for_its_former_self(folder):
    each = canvas("a").sums.nbytes + 8192
    for given in (
        canvas("b"),
        canvas("a", Rect(0, 0, 300, 180)),
        canvas("a", Rect(0, 0, 300, 180), Rect(0, 170, 300, 30)),
    ):
        kept_in(folder, given, limit_bytes=2 * each)
    assert names(folder) == ["a", "b"]


def test_what_is_larger_than_all_room_there_is_is_not_kept(folder):
    kept_in(folder, canvas("a"), canvas("b", size=(400, 400)), limit_bytes=500_000)
    assert names(folder) == ["a"]


def test_a_lower_limit_takes_effect_at_the_start(folder):
    kept_in(folder, canvas("a"), canvas("b"))
    KeptStore(folder, limit_bytes=canvas("a").sums.nbytes + 8192)
    assert len(names(folder)) == 1
    KeptStore(folder, limit_bytes=0)
    assert names(folder) == []


def test_with_a_limit_of_0_nothing_is_kept(folder):
    assert kept_in(folder, canvas("a"), limit_bytes=0).usage() == (0, 0)


def test_the_disk_is_not_filled(folder, monkeypatch):
    free = kept_store.shutil.disk_usage(folder.parent)._replace(free=kept_store.FREE_LEAST_BYTES)
    monkeypatch.setattr(kept_store.shutil, "disk_usage", lambda path: free)
    kept_in(folder, canvas("a"))
    assert names(folder) == []


def test_a_disk_that_fills_up_while_writing_leaves_nothing(folder, monkeypatch, caplog):
    def fails(file, kept):
        file.write(b"begun")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(kept_store, "write_kept", fails)
    store = kept_in(folder, canvas("a"))
    assert names(folder) == []
    assert store.find(canvas("a").key) is None
    assert "No space left" in caplog.text


def test_a_folder_that_cannot_be_made_keeps_nothing(tmp_path, caplog):
    (tmp_path / "kept").write_text("a file")
    store = kept_in(tmp_path / "kept", canvas("a"))
    assert store.limit_bytes == 0
    assert "nothing is kept" in caplog.text


def cut(data):
    return data[: len(data) // 2]


DAMAGE = {
    "cut": cut,
    "empty": lambda data: b"",
    "foreign": lambda data: b"not ours " * 1000,
    "another version": lambda data: data.replace(b"safelight kept 1\n", b"safelight kept 9\n"),
    "a sample": lambda data: data[:1000] + bytes([data[1000] ^ 1]) + data[1001:],
    "the description": lambda data: data[:-60] + bytes([data[-60] ^ 1]) + data[-59:],
    "longer": lambda data: data + b"more",
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_file_is_as_if_it_were_not_there_and_goes(folder, damage):
    kept_in(folder, canvas("a"))
    (path,) = folder.iterdir()
    path.write_bytes(damage(path.read_bytes()))
    assert KeptStore(folder).find(canvas("a").key) is None
    assert names(folder) == []


def test_a_file_under_another_ones_name_is_not_taken(folder):
    kept_in(folder, canvas("a"))
    (path,) = folder.iterdir()
    path.rename(folder / f"{canvas('b').key}.kept")
    assert KeptStore(folder).find(canvas("b").key) is None


def test_more_tiles_replace_fewer_and_never_the_other_way_round(folder):
    few, more = canvas("a", Rect(0, 0, 50, 50)), canvas("a", Rect(0, 0, 50, 50), Rect(50, 0, 50, 50))
    for given in (few, more, few):
        kept_in(folder, given)
    assert KeptStore(folder).find(few.key).tiles == more.tiles


def test_forgetting_removes_all_and_what_is_being_written(folder, monkeypatch):
    kept_in(folder, canvas("a"), canvas("b"))
    go, begun = threading.Event(), threading.Event()
    write = kept_store.write_kept

    def waits(file, kept):
        begun.set()
        assert go.wait(20)
        write(file, kept)

    monkeypatch.setattr(kept_store, "write_kept", waits)
    store = KeptStore(folder)
    store.keep(canvas("c"))()
    assert begun.wait(20)
    assert store.forget() >= 2 * canvas("a").bytes
    go.set()
    store.close()
    assert names(folder) == []
    assert store.find(canvas("c").key) is None


def test_half_written_files_of_dead_daemons_go_and_those_of_living_ones_stay(folder):
    folder.mkdir()
    for name, age in (("old", PART_LIFE_S + 60), ("new", 0)):
        part = folder / f".{name}.part"
        part.write_bytes(b"half")
        then = part.stat().st_mtime - age
        os.utime(part, (then, then))
    (folder / "a stranger's.txt").write_text("stays")
    KeptStore(folder)
    assert names(folder) == [".new.part", "a stranger's.txt"]


def test_a_disk_that_is_too_slow_holds_no_memory(folder, monkeypatch):
    go = threading.Event()
    monkeypatch.setattr(KeptStore, "_room", lambda store, kept: go.wait(20))
    monkeypatch.setattr(kept_store, "PENDING_BYTES_MOST", 2 * canvas("a").bytes)
    store = KeptStore(folder)
    for name in "abc":
        store.keep(canvas(name))()
    store.keep(replace(canvas("b"), tiles={**canvas("b").tiles, 7: ()}))()  # in place of the one that waits
    assert store.find(canvas("c").key) is None
    go.set()
    store.close()
    assert names(folder) == ["a", "b"]
    assert 7 in KeptStore(folder).find(canvas("b").key).tiles
