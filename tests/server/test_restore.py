"""Jobs through a real daemon on a Unix socket, with pipelines of plain arithmetic."""

import threading

import numpy as np
import pytest

from safelight import errors, wire
from safelight.client.status import our_errors
from safelight.geometry import Rect, Size
from safelight.v1 import restoration_pb2 as rpb
from tests.fakes.waiting import until
from tests.server.works import document, settings, whole

ACTIVE = (rpb.JOB_STATE_QUEUED, rpb.JOB_STATE_RUNNING)


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_identity_gives_back_every_bit(client, dtype, channels):
    pixels = document(channels=channels, dtype=dtype)
    restored = client.restore(whole(pixels), settings())
    assert restored.pixels.dtype == dtype
    assert np.array_equal(restored.pixels, pixels)


def test_a_wide_document_travels_in_several_bands(client):
    pixels = document(2000, 700)
    assert pixels.nbytes > 4 * wire.BAND_BYTES
    assert np.array_equal(client.restore(whole(pixels), settings()).pixels, pixels)


def test_only_the_region_comes_back(client):
    pixels = document()
    region = Rect(10, 20, 30, 40)
    restored = client.restore(whole(pixels, region=region), settings())
    assert np.array_equal(restored.pixels, pixels[region.slices])


def test_output_scale_enlarges_the_region(client):
    restored = client.restore(whole(document(), region=Rect(8, 8, 33, 21)), settings(output_scale=2))
    assert restored.pixels.shape == (42, 66, 3)


def test_outside_the_mask_nothing_changes_inside_it_does(client):
    pixels = document() // 2
    mask = np.zeros(pixels.shape[:2], np.uint8)
    mask[20:60, 30:70] = 255
    work = whole(pixels, mask=mask)
    restored = client.restore(work, settings("brighten", feather=0.0, own={"amount": 0.08})).pixels
    assert np.array_equal(restored[mask == 0], pixels[mask == 0])
    assert (restored[mask == 255] > pixels[mask == 255]).all()


def test_progress_rises_to_the_end_and_names_its_stage(client):
    heard = []
    client.restore(whole(document(300, 200)), settings(), on_progress=heard.append)
    fractions = [p.fraction for p in heard]
    assert fractions == sorted(fractions)
    assert heard[-1].stage == "decode"
    assert heard[-1].tile_count_done == heard[-1].tile_count > 1


def test_previews_come_when_asked_for(client):
    heard = []
    client.restore(whole(document(300, 200)), settings(), on_preview=heard.append)
    assert heard
    assert all(len(p.data) == p.rect.width_px * p.rect.height_px * 3 for p in heard)


def test_the_report_says_what_was_done(client):
    report = client.restore(whole(document()), settings(seed=7, precision="fp32")).report
    assert report["pipeline"] == "identity"
    assert report["settings"]["seed"] == 7
    assert report["precision"] == "fp32"
    assert report["checkpoints"] == {"fake.safetensors": "0" * 64}
    assert {"prepare", "decode", "finish"} <= report["stages_s"].keys()


def test_the_same_job_twice_gives_the_same_bits(client):
    chosen = settings("compact", output_scale=2, precision="fp32", grain=0.5)
    first, second = (client.restore(whole(document(90, 70)), chosen) for _ in range(2))
    assert np.array_equal(first.pixels, second.pixels)


def test_cancel_ends_a_job_within_a_tile(client):
    cancelling = threading.Event()
    with pytest.raises(errors.Cancelled):
        client.restore(
            whole(document(600, 600)),
            settings("tortoise", own={"pause": 0.02}),
            on_progress=lambda p: cancelling.set() if p.tile_count_done >= 1 else None,
            cancelling=cancelling,
        )
    assert_no_job_left(client)


def test_cancel_by_id_from_another_client(client):
    with pytest.raises(errors.Cancelled) as raised:
        client.restore(
            whole(document(600, 600)), settings("tortoise", own={"pause": 0.02}), on_accepted=client.cancel
        )
    assert raised.value.reason == "CANCELLED"
    assert_no_job_left(client)


def assert_no_job_left(client):
    until(lambda: not [job for job in client.jobs() if job.progress.state in ACTIVE])


def header(**changes):
    settings_message = wire.settings_to_proto(settings())
    fields = {
        "document": wire.size_to_proto(Size(8, 8)),
        "sent": wire.rect_to_proto(Rect(0, 0, 8, 8)),
        "region": wire.rect_to_proto(Rect(0, 0, 8, 8)),
        "format": rpb.PixelFormat(colour_channel_count=3, sample_type=rpb.SAMPLE_TYPE_U8),
        "settings": settings_message,
    }
    return rpb.RestoreRequest(header=rpb.RestoreHeader(**{**fields, **changes}))


def band(start, end, count=None):
    data = bytes((end - start) * 24 if count is None else count)
    return rpb.RestoreRequest(pixels=rpb.Band(start_row=start, end_row=end, data=data))


def mask_band(start, end):
    return rpb.RestoreRequest(mask=rpb.Band(start_row=start, end_row=end, data=bytes((end - start) * 8)))


def with_settings(**changes):
    message = wire.settings_to_proto(settings())
    for name, value in changes.items():
        if name in ("pipeline", "output_scale", "seed"):
            setattr(message, name, value)
        else:
            message.values[name].CopyFrom(wire.value_to_proto(value))
    return header(settings=message)


def rect(x, y, width, height):
    return wire.rect_to_proto(Rect(x, y, width, height))


BIG = 2**31 - 1
REFUSED = {
    "no header": ([band(0, 8)], "HEADER_MISSING"),
    "nothing": ([], "HEADER_MISSING"),
    "two headers": ([header(), header()], "FRAME_MISPLACED"),
    "empty document": ([header(document=wire.size_to_proto(Size(0, 8)))], "SIZE_OUT_OF_RANGE"),
    "negative document": ([header(document=wire.size_to_proto(Size(8, -8)))], "SIZE_OUT_OF_RANGE"),
    "huge document side": ([header(document=wire.size_to_proto(Size(BIG, 8)))], "SIZE_OUT_OF_RANGE"),
    "sent outside": ([header(sent=rect(1, 0, 8, 8))], "REGION_OUTSIDE"),
    "sent overflowing": ([header(sent=rect(BIG, BIG, BIG, BIG))], "REGION_OUTSIDE"),
    "region empty": ([header(region=rect(2, 2, 0, 3))], "REGION_EMPTY"),
    "region negative": ([header(region=rect(2, 2, -1, 3))], "REGION_EMPTY"),
    "region outside": ([header(region=rect(4, 4, 5, 4))], "REGION_OUTSIDE"),
    "two colour channels": (
        [header(format=rpb.PixelFormat(colour_channel_count=2, sample_type=1))],
        "PIXEL_FORMAT",
    ),
    "no sample type": ([header(format=rpb.PixelFormat(colour_channel_count=3))], "PIXEL_FORMAT"),
    "unknown sample type": (
        [header(format=rpb.PixelFormat(colour_channel_count=3, sample_type=9))],
        "PIXEL_FORMAT",
    ),
    "profile of rubbish": ([header(icc_profile=b"\xff" * 200)], "PROFILE_NOT_SUPPORTED"),
    "pipeline path": ([with_settings(pipeline="../../etc/passwd")], "PIPELINE_ID"),
    "pipeline empty": ([with_settings(pipeline="")], "PIPELINE_ID"),
    "scale 3": ([with_settings(output_scale=3)], "SCALE_NOT_OFFERED"),
    "scale 0": ([with_settings(output_scale=0)], "SCALE_NOT_OFFERED"),
    "seed negative": ([with_settings(seed=-1)], "SEED_OUT_OF_RANGE"),
    "strength 1.1": ([with_settings(strength=1.1)], "SETTING_OUT_OF_RANGE"),
    "strength NaN": ([with_settings(strength=float("nan"))], "SETTING_OUT_OF_RANGE"),
    "strength text": ([with_settings(strength="much")], "SETTING_OUT_OF_RANGE"),
    "working scale 1e9": ([with_settings(working_scale=1e9)], "SETTING_OUT_OF_RANGE"),
    "working scale 0.01": ([with_settings(working_scale=0.01)], "SETTING_OUT_OF_RANGE"),
    "unknown setting": ([with_settings(strenght=1.0)], "UNKNOWN_SETTING"),
    "too many settings": ([with_settings(**{f"s{i}": 1.0 for i in range(99)})], "TOO_MANY_SETTINGS"),
    "band begins late": ([header(), band(1, 8)], "BAND_MISPLACED"),
    "band twice": ([header(), band(0, 4), band(0, 4)], "BAND_MISPLACED"),
    "band backwards": ([header(), band(0, 0, 0)], "BAND_MISPLACED"),
    "band too far": ([header(), band(0, 9)], "BAND_MISPLACED"),
    "band too short": ([header(), band(0, 8, 191)], "BAND_MISPLACED"),
    "band too long": ([header(), band(0, 8, 193)], "BAND_MISPLACED"),
    "band missing": ([header(), band(0, 4)], "BANDS_MISSING"),
    "mask not announced": ([header(), band(0, 8), mask_band(0, 8)], "FRAME_MISPLACED"),
    "mask too early": ([header(masked=True), band(0, 4), mask_band(0, 8)], "FRAME_MISPLACED"),
    "mask missing": ([header(masked=True), band(0, 8)], "BANDS_MISSING"),
}


def refused(client, frames):
    with pytest.raises(errors.SafelightError) as raised, our_errors():
        for _ in client._restoration.Restore(iter(frames)):
            pass
    return raised.value


@pytest.mark.parametrize(("frames", "reason"), REFUSED.values(), ids=REFUSED)
def test_bad_frames_are_refused_with_their_reason(client, frames, reason):
    error = refused(client, frames)
    assert (type(error), error.reason) == (errors.InvalidRequest, reason)


def test_too_many_pixels_are_refused_before_anything_is_allocated(client):
    before = client.state().process_memory_bytes
    size = wire.size_to_proto(Size(30_000, 30_000))
    whole_rect = rect(0, 0, 30_000, 30_000)
    error = refused(client, [header(document=size, sent=whole_rect, region=whole_rect)])
    assert error.reason == "TOO_MANY_PIXELS"
    assert client.state().process_memory_bytes - before < 8 << 20


def test_unknown_pipeline_offers_the_nearest(client):
    error = refused(client, [with_settings(pipeline="compct")])
    assert type(error) is errors.NotFound
    assert "compact" in error.message


def test_pipeline_without_files_says_so(client):
    error = refused(client, [with_settings(pipeline="absent")])
    assert (type(error), error.reason) == (errors.NotReady, "CHECKPOINT_MISSING")


def test_a_network_that_gives_nan_delivers_nothing(client):
    with pytest.raises(errors.Unrestorable):
        client.restore(whole(document()), settings("broken"))


def test_the_daemon_still_works_after_all_that(client):
    pixels = document()
    assert np.array_equal(client.restore(whole(pixels), settings()).pixels, pixels)
    assert_no_job_left(client)
