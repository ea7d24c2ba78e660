"""The bridge's session by itself: order, errors, documents and records. With the plug-in: tests/plugin."""

import io

import pytest

from safelight.client.bridge import PROTOCOL, Session
from safelight.client.bridge_commands import Commands
from safelight.client.bridge_estimate import Rates
from safelight.client.bridge_framing import FramingError, read_frame, write_frame
from safelight.imaging.record import broken_seal, operations_in
from tests.fakes.waiting import until

HELLO = {"id": 1, "command": "hello", "protocol": PROTOCOL}


class NoDaemon:
    """A daemon that must not be needed."""

    def __call__(self, **_):
        raise AssertionError("this request must not need a daemon")


def answers(tmp_path, *requests, aside=None, inline=None):
    """What the bridge writes for these requests (header, or header and payload)."""
    inbox, outbox = io.BytesIO(), io.BytesIO()
    for request in requests:
        write_frame(inbox, *(request if isinstance(request, tuple) else (request,)))
    inbox.seek(0)
    commands = Commands(Rates(tmp_path / "rates.json"), NoDaemon())
    Session(inbox, outbox, commands.aside | (aside or {}), commands.inline | (inline or {})).run()
    outbox.seek(0)
    found = []
    while (frame := read_frame(outbox)) is not None:
        found.append(frame.header)
    return found


def test_nothing_is_done_before_hello(tmp_path):
    (answer,) = answers(tmp_path, {"id": 3, "command": "pipelines"})
    assert (answer["id"], answer["event"], answer["reason"]) == (3, "error", "HELLO_MISSING")


def test_hello_tells_version_and_capabilities(tmp_path):
    (answer,) = answers(tmp_path, HELLO)
    assert answer["protocol"] == PROTOCOL
    assert "layers" in answer["capabilities"]


@pytest.mark.parametrize(
    ("protocol", "do"), [(PROTOCOL - 1, "safelight gimp install"), (PROTOCOL + 1, "upgrade")]
)
def test_another_protocol_is_told_which_side_to_upgrade(tmp_path, protocol, do):
    refused, still = answers(tmp_path, {**HELLO, "protocol": protocol}, {"id": 2, "command": "pipelines"})
    assert refused["reason"] == "PROTOCOL_MISMATCH"
    assert do in refused["message"]
    assert still["reason"] == "HELLO_MISSING"


def test_a_request_that_is_not_known_asks_for_a_newer_safelight(tmp_path):
    answer = answers(tmp_path, HELLO, {"id": 2, "command": "paint"})[1]
    assert answer["reason"] == "PROTOCOL_MISMATCH"


def test_a_request_without_id_ends_the_session(tmp_path):
    with pytest.raises(FramingError):
        answers(tmp_path, {"command": "hello"})


def test_a_fault_of_ours_becomes_an_answer(tmp_path):
    def faulty(call):
        raise ZeroDivisionError("oops")

    answer = answers(tmp_path, HELLO, {"id": 2, "command": "faulty"}, inline={"faulty": faulty})[1]
    assert (answer["reason"], "oops" in answer["message"]) == ("INTERNAL", True)


def document(**changes):
    return {
        "id": 2, "command": "document", "key": "a", "document": [4, 3], "sent": [0, 0, 4, 3],
        "region": [1, 1, 2, 2], "channels": 1, "alpha": False, "sample": "u8", "masked": True, **changes,
    }  # fmt: skip


def rows(plane, *values):
    return {"id": 2, "command": "rows", "plane": plane}, bytes(values)


def test_a_document_is_answered_with_its_last_row(tmp_path):
    sent = [rows("mask", 9, 9, 9, 9), rows("pixels", *range(8)), rows("pixels", *range(8, 12))]
    _, answer = answers(tmp_path, HELLO, document(), *sent)
    assert answer == {"id": 2, "event": "result", "key": "a"}


def test_forgetting_a_document_says_whether_it_was_there(tmp_path):
    sent = [rows("mask", 9, 9, 9, 9), rows("pixels", *range(12))]
    forget = [{"id": n, "command": "forget", "key": "a"} for n in (3, 4)]
    found = answers(tmp_path, HELLO, document(), *sent, *forget)
    assert [a["was_there"] for a in found[-2:]] == [True, False]


WRONG = {
    "region outside": (document(region=[3, 0, 2, 2]), "REGION_OUTSIDE"),
    "empty region": (document(region=[1, 1, 0, 2]), "REGION_OUTSIDE"),
    "sent outside": (document(sent=[0, 0, 9, 3]), "REGION_OUTSIDE"),
    "samples of another kind": (document(sample="u32"), "PIXEL_FORMAT"),
    "no numbers": (document(region="all"), "REQUEST_INCOMPLETE"),
    "too many pixels": (
        document(document=[40000, 40000], sent=[0, 0, 40000, 40000]),
        "TOO_MANY_PIXELS",
    ),
}


@pytest.mark.parametrize(("announced", "reason"), WRONG.values(), ids=WRONG)
def test_a_document_that_cannot_be_is_refused(tmp_path, announced, reason):
    assert answers(tmp_path, HELLO, announced)[1]["reason"] == reason


@pytest.mark.parametrize(("plane", "count"), [("pixels", 13), ("mask", 5), ("alpha", 1)])
def test_rows_that_do_not_fit_are_refused(tmp_path, plane, count):
    found = answers(tmp_path, HELLO, document(), rows(plane, *range(count)))
    assert found[1]["reason"] == "ROWS_MISPLACED"


def record(**fields):
    return {"id": 2, "command": "record", "operation": {"pipeline": "compact"}, "generative": False, **fields}


def test_the_first_operation_makes_a_record(tmp_path):
    answer = answers(tmp_path, HELLO, record())[1]
    (entry,) = operations_in(answer["record"])
    assert (entry["pipeline"], entry["generative"]) == ("compact", False)
    assert broken_seal([entry]) is None
    assert answer["source_type"].endswith("algorithmicallyEnhanced")


def test_operations_are_appended_and_generative_stays(tmp_path):
    first = answers(tmp_path, HELLO, record(generative=True))[1]
    then = answers(tmp_path, HELLO, record(record=first["record"], source_type=first["source_type"]))[1]
    assert [o["generative"] for o in operations_in(then["record"])] == [True, False]
    assert then["source_type"].endswith("compositeWithTrainedAlgorithmicMedia")


def test_a_damaged_record_is_not_written_over(tmp_path):
    assert answers(tmp_path, HELLO, record(record="{"))[1]["reason"] == "RECORD_DAMAGED"


def test_cancel_reaches_the_request_it_names(tmp_path):
    ended = []

    def waits(call):
        ended.append(call.cancelling.wait(20))

    requests = [HELLO, {"id": 2, "command": "waits"}, {"id": 3, "command": "cancel", "target": 2}]
    found = answers(tmp_path, *requests, aside={"waits": waits})
    until(lambda: ended == [True])
    assert found[1] == {"id": 3, "event": "result", "was_running": True}
