"""Kept results and patches through a real daemon."""

import json
import threading

import numpy as np
import pytest

from safelight import errors
from safelight.client import connection
from safelight.geometry import Rect
from tests.fakes.daemon import serving, short_folder
from tests.fakes.waiting import until
from tests.server.works import document, settings, whole

PATCH = Rect(20, 30, 24, 16)


@pytest.fixture
def folder():
    with short_folder() as made:
        yield made


@pytest.fixture
def client(folder):
    with serving(folder, kept_folder=folder / "kept") as found:
        yield found


@pytest.fixture
def picture():
    return document(200, 180) // 2 + 60


def network(client, pixels, chosen, **options):
    """What the report says, and the pixels."""
    restored = client.restore(whole(pixels), chosen, **options)
    return restored.report["network"], restored.pixels


def test_the_same_pixels_again_run_no_network(client, picture):
    own = {"amount": 0.08}
    _, first = network(client, picture, settings("brighten", own=own))
    heard = []
    again = client.restore(
        whole(picture), settings("brighten", own=own, strength=0.5), on_progress=heard.append
    )
    assert again.report["network"] == "kept"
    assert not heard
    change = (again.pixels.astype(int) - picture).mean() / (first.astype(int) - picture).mean()
    assert change == pytest.approx(0.5, abs=0.02)
    assert network(client, picture, settings("brighten", own={"amount": 0.04}))[0] == "computed"


def test_a_patch_comes_back_alone_and_is_a_part_of_the_whole(client, picture):
    chosen = settings("brighten", own={"amount": 0.08}, output_scale=2)
    state, patch = network(client, picture, chosen, patch=PATCH)
    assert state == "computed"
    assert network(client, picture, chosen, patch=PATCH)[0] == "kept"
    state, result = network(client, picture, chosen)
    assert state == "completed"
    assert np.array_equal(patch, result[PATCH.times(2).slices])


def test_a_patch_must_lie_in_the_region(client, picture):
    with pytest.raises(errors.InvalidRequest, match="the patch 150,30,80,16 reaches outside the region"):
        client.restore(whole(picture), settings(), patch=Rect(150, 30, 80, 16))


def test_a_focus_anywhere_changes_nothing(client, picture):
    results = [
        network(client, picture, settings(), focus=focus, keep=False)[1]
        for focus in [(0, 0), (199, 0), (-(2**31), 2**31 - 1)]
    ]
    assert np.array_equal(results[0], picture)
    assert all(np.array_equal(results[0], other) for other in results)


def test_kept_results_outlive_the_daemon(folder, picture):
    for expected in ("computed", "kept"):
        with serving(folder, kept_folder=folder / "kept") as client:
            assert network(client, picture, settings())[0] == expected


def test_no_pipeline_is_loaded_for_a_kept_result(client, picture):
    client.restore(whole(picture), settings(), keep_alive_s=0.0)
    until(lambda: not client.state().residents)
    assert network(client, picture, settings(strength=0.3))[0] == "kept"
    assert not client.state().residents


KEEP = {
    "interactive": ({}, {}, True),
    "batch": ({"batch": True}, {}, False),
    "batch, kept": ({"batch": True}, {"keep": True}, True),
    "interactive, not kept": ({}, {"keep": False}, False),
}


@pytest.mark.parametrize(("work", "options", "kept"), KEEP.values(), ids=KEEP)
def test_what_is_kept_is_the_clients_say(client, folder, picture, work, options, kept):
    client.restore(whole(picture, **work), settings(), **options)
    again = client.restore(whole(picture, batch=True), settings())
    assert (again.report["network"] == "kept") is kept


def test_keep_false_does_not_take_what_is_kept_either(client, picture):
    client.restore(whole(picture), settings())
    assert network(client, picture, settings(), keep=False)[0] == "computed"


def test_the_state_tells_what_is_kept_and_it_can_be_forgotten(client, folder, picture):
    client.restore(whole(picture), settings("brighten"))
    until(lambda: client.state().kept_result_count == 1)
    state = client.state()
    assert state.kept_bytes >= picture.size * 2
    assert state.kept_bytes_limit == 2 << 30
    assert client.forget_kept() == state.kept_bytes
    assert client.state().kept_result_count == 0
    assert not list((folder / "kept").glob("*.kept"))
    assert network(client, picture, settings("brighten"))[0] == "computed"


def test_a_daemon_told_to_keep_nothing_keeps_nothing(folder, picture):
    with serving(folder, kept_folder=folder / "kept", kept_bytes_most=0) as client:
        for _ in range(2):
            assert network(client, picture, settings())[0] == "computed"
        assert client.forget_kept() == 0
        assert client.state().kept_bytes_limit == 0


def test_a_cancelled_jobs_tiles_are_there_for_the_next(client):
    pixels = document(600, 600)
    cancelling = threading.Event()
    chosen = settings("tortoise", own={"pause": 0.02})
    with pytest.raises(errors.Cancelled):
        client.restore(
            whole(pixels),
            chosen,
            on_progress=lambda p: cancelling.set() if p.tile_count_done >= 3 else None,
            cancelling=cancelling,
        )
    patch = client.restore(whole(pixels), chosen, patch=Rect(0, 0, 8, 8))
    assert patch.report["network"] == "kept"


def test_the_handshake_says_what_is_there(client):
    assert {"kept", "patches"} <= set(connection.handshake(client._channel).capabilities)


def test_the_report_is_json_with_what_was_kept(client, picture):
    report = client.restore(whole(picture), settings()).report
    again = client.restore(whole(picture), settings()).report
    assert json.dumps(again["plan"]) == json.dumps(report["plan"])
    assert again["network_time"] == report["network_time"]
    assert again["checkpoints"] == {"fake.safetensors": "0" * 64}
