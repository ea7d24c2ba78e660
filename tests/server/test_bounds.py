"""Whatever a header says and whatever bytes come: a word for the client, no harm for the daemon."""

import math
import random
import threading
from types import SimpleNamespace

import grpc
import psutil
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from safelight import errors, wire
from safelight.client.status import our_errors
from safelight.v1 import restoration_pb2 as rpb
from safelight.v1 import settings_pb2 as spb
from tests.fakes.waiting import until
from tests.server.test_restore import band, header, refused
from tests.server.works import document, settings, whole

MUTATIONS = 2000
GROWTH_BYTES = 20 << 20
EXPECTED = (errors.InvalidRequest, errors.NotFound, errors.NotReady, errors.TooMuch)
INT32 = [0, 1, -1, 7, 8, 9, 4096, 1 << 24, (1 << 24) + 1, 2**31 - 1, -(2**31)]
INT64 = [*INT32, 2**63 - 1, -(2**63)]
DOUBLES = [0.0, -0.0, 1.0, -1.0, 0.3, 4.0, 1e-300, 1e300, math.inf, -math.inf, math.nan]

int32 = st.sampled_from(INT32) | st.integers(-(2**31), 2**31 - 1)
int64 = st.sampled_from(INT64) | st.integers(-(2**63), 2**63 - 1)
double = st.sampled_from(DOUBLES) | st.floats()
text = st.text(st.characters(exclude_categories=["Cs"]), max_size=100)
rects = st.builds(spb.Rect, x_px=int32, y_px=int32, width_px=int32, height_px=int32)
values = st.one_of(
    st.builds(spb.SettingValue, bool_value=st.booleans()),
    st.builds(spb.SettingValue, int_value=int64),
    st.builds(spb.SettingValue, float_value=double),
    st.builds(spb.SettingValue, text_value=text),
    st.just(spb.SettingValue()),
)
names = (
    st.sampled_from([*(s.name for s in wire.settings.COMMON), "amount", "pause", "seed", "pipeline"]) | text
)
pipelines = st.sampled_from(["identity", "brighten", "compact", "absent", "", "..", "con", "a" * 65]) | text
job_settings = st.builds(
    spb.RestoreSettings,
    pipeline=pipelines,
    output_scale=st.sampled_from([1, 2, 4]) | int32,
    seed=st.just(42) | int64,
    values=st.dictionaries(names, values, max_size=4),
)
formats = st.builds(
    rpb.PixelFormat,
    colour_channel_count=st.sampled_from([1, 3]) | int32,
    alpha=st.booleans(),
    sample_type=st.integers(0, 4),
    linear=st.booleans(),
)
GOOD = header().header
fields = {
    "document": st.builds(spb.Size, width_px=int32, height_px=int32),
    "sent": rects,
    "region": rects,
    "format": formats,
    "icc_profile": st.binary(max_size=300),
    "masked": st.booleans(),
    "settings": job_settings,
    "result_kind": st.integers(0, 9),
    "job_class": st.integers(0, 9),
    "previews": st.booleans(),
    "title": text,
    "keep_alive_s": double,
}
some_fields = st.lists(st.sampled_from(sorted(fields)), min_size=1, max_size=4, unique=True).flatmap(
    lambda chosen: st.fixed_dictionaries({name: fields[name] for name in chosen})
)


def answered(client, frames):
    """Nothing, or the error that the stream ended with."""
    try:
        with our_errors():
            for _ in client._restoration.Restore(iter(frames), timeout=30):
                pass
    except errors.SafelightError as error:
        return error
    return None


@hypothesis_settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(changes=some_fields)
def test_whatever_a_header_says_the_answer_is_a_word(client, changes):
    error = answered(client, [header(**changes)])  # no band follows: also a good one is refused
    assert isinstance(error, EXPECTED), error
    assert error.reason != "UNKNOWN"
    assert len(error.message) < 1600


@hypothesis_settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(start=int32, end=int32, count=st.sampled_from([0, 1, 24, 191, 192, 193, 5000]))
def test_whatever_a_band_says_the_answer_is_a_word(client, start, end, count):
    error = answered(client, [header(), band(start, end, count)])
    if (start, end, count) != (0, 8, 192):
        assert isinstance(error, errors.InvalidRequest), error


EXACT = {
    "keep-alive NaN": ({"keep_alive_s": math.nan}, "KEEP_ALIVE"),
    "keep-alive infinite": ({"keep_alive_s": math.inf}, "KEEP_ALIVE"),
    "keep-alive of centuries": ({"keep_alive_s": 1e300}, "KEEP_ALIVE"),
    "a row wider than a frame": (
        {
            "document": spb.Size(width_px=1 << 20, height_px=8),
            "sent": spb.Rect(width_px=1 << 20, height_px=1),
            "region": spb.Rect(width_px=8, height_px=1),
            "format": rpb.PixelFormat(colour_channel_count=3, alpha=True, sample_type=rpb.SAMPLE_TYPE_U8),
        },
        "ROW_TOO_WIDE",
    ),
    "a result row wider than a frame": (
        {
            "document": spb.Size(width_px=300_000, height_px=8),
            "sent": spb.Rect(width_px=300_000, height_px=8),
            "region": spb.Rect(width_px=300_000, height_px=8),
            "settings": spb.RestoreSettings(pipeline="identity", output_scale=4),
        },
        "ROW_TOO_WIDE",
    ),
    "a result of too many pixels": (
        {
            "document": spb.Size(width_px=8000, height_px=8000),
            "sent": spb.Rect(width_px=8000, height_px=8000),
            "region": spb.Rect(width_px=8000, height_px=8000),
            "settings": spb.RestoreSettings(pipeline="identity", output_scale=4),
        },
        "TOO_MANY_PIXELS",
    ),
    "a name of a megabyte": (
        {
            "settings": spb.RestoreSettings(
                pipeline="identity",
                output_scale=1,
                values={"x" * (1 << 20): spb.SettingValue(bool_value=True)},
            )
        },
        "UNKNOWN_SETTING",
    ),
    "a choice of a megabyte": (
        {
            "settings": spb.RestoreSettings(
                pipeline="identity",
                output_scale=1,
                values={"precision": spb.SettingValue(text_value="é" * (1 << 20))},
            )
        },
        "SETTING_OUT_OF_RANGE",
    ),
    "a pipeline of a megabyte": (
        {"settings": spb.RestoreSettings(pipeline="a" * (1 << 20), output_scale=1)},
        "PIPELINE_ID",
    ),
}


@pytest.mark.parametrize(("changes", "reason"), EXACT.values(), ids=EXACT)
def test_what_is_out_of_bounds_is_named(client, changes, reason):
    error = refused(client, [header(**changes)])
    assert (type(error), error.reason) == (errors.InvalidRequest, reason)


PATHS = [
    "../identity", "/etc/passwd", "identity/../broken", "nul\0", "C:\\x", "\\\\host\\share", "ｉdentity", "identity\n",
]  # fmt: skip


@pytest.mark.parametrize("path", PATHS)
def test_a_path_is_no_pipeline(client, path):
    message = wire.settings_to_proto(settings())
    message.pipeline = path
    assert refused(client, [header(settings=message)]).reason == "PIPELINE_ID"
    for call in (client.load, client.unload):
        with pytest.raises(errors.InvalidRequest) as raised:
            call(path)
        assert raised.value.reason == "PIPELINE_ID"


def test_memory_that_others_have_announced_counts(client, monkeypatch):
    """Each of the documents fits alone; of three only one is taken, though not a byte of it has come."""
    memory = SimpleNamespace(available=10 * 10**9, total=10 * 10**9)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: memory)
    side = 20_000  # 6.4 GB
    large = header(
        document=spb.Size(width_px=side, height_px=side),
        sent=spb.Rect(width_px=side, height_px=side),
        region=spb.Rect(width_px=8, height_px=8),
        format=rpb.PixelFormat(colour_channel_count=3, alpha=True, sample_type=rpb.SAMPLE_TYPE_F32),
    )
    ending = threading.Event()

    def frames():
        yield large
        ending.wait()

    calls = [client._restoration.Restore(frames()) for _ in range(3)]
    try:
        until(lambda: sum(call.done() for call in calls) == 2)
        for call in calls:
            if call.done():
                with pytest.raises(errors.TooMuch) as raised, our_errors():
                    next(call)
                assert raised.value.reason == "HOST_MEMORY"
    finally:
        ending.set()
        for call in calls:
            call.cancel()


# -- bytes -----------------------------------------------------------------------------------------


def mutated(message, dice):
    """Bits flipped, bytes cut out, doubled or replaced."""
    raw = bytearray(message)
    for _ in range(dice.randint(1, 6)):
        place = dice.randrange(len(raw) or 1)
        match dice.randrange(4):
            case 0 if raw:
                raw[place] ^= 1 << dice.randrange(8)
            case 1:
                del raw[place : place + dice.randint(1, 8)]
            case 2:
                raw[place:place] = raw[place : place + dice.randint(1, 16)]
            case _:
                raw[place : place + 4] = dice.randbytes(4)
    return bytes(raw)


def test_mutated_bytes_leave_the_daemon_alive(daemon):
    dice = random.Random(20240607)
    seeds = [header().SerializeToString(), band(0, 8).SerializeToString()]
    stub = daemon.client._channel.stream_stream("/safelight.v1.Restoration/Restore")
    daemon.client.restore(whole(document()), settings())
    codes, memory = set(), daemon.memory_bytes
    for _ in range(MUTATIONS // 20):
        calls = []
        for _ in range(20):
            frames = [mutated(seed, dice) if dice.random() < 0.7 else seed for seed in seeds]
            calls.append(stub(iter(frames), timeout=30))
        codes |= {code_of(call) for call in calls}
    assert grpc.StatusCode.INVALID_ARGUMENT in codes
    assert not codes & {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED}
    assert daemon.process.poll() is None
    assert daemon.memory_bytes - memory < GROWTH_BYTES
    daemon.client.restore(whole(document()), settings())


def test_fields_of_a_newer_client_are_passed_over(daemon):
    unknown = b"\xf8\x7f\x07"  # field 2047, a number
    stub = daemon.client._channel.stream_stream("/safelight.v1.Restoration/Restore")
    frames = [frame.SerializeToString() + unknown for frame in (header(), band(0, 8))]
    assert code_of(stub(iter(frames), timeout=30)) is grpc.StatusCode.OK


def code_of(call):
    try:
        list(call)
    except grpc.RpcError as error:
        return error.code()
    return grpc.StatusCode.OK


def test_a_bomb_of_zeros_is_refused_before_it_is_unpacked(daemon):
    memory = daemon.memory_bytes
    stub = daemon.client._channel.stream_stream("/safelight.v1.Restoration/Restore")
    call = stub(iter([bytes(100 << 20)]), compression=grpc.Compression.Gzip, timeout=60)
    assert code_of(call) is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert daemon.memory_bytes - memory < GROWTH_BYTES


def test_metadata_beyond_its_limit_is_refused(daemon):
    call = daemon.client._channel.stream_stream("/safelight.v1.Restoration/Restore")(
        iter([b""]), metadata=[("large", "x" * 20_000)], timeout=30
    )
    assert code_of(call) is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert daemon.client.pipelines()
