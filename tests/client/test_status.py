"""What a client makes of statuses that no daemon of ours has put a reason on."""

import grpc
import pytest

from safelight import errors
from safelight.client.status import from_status, our_errors


class Status(grpc.RpcError):
    """As grpc raises it."""

    def __init__(self, code, text="Socket closed", metadata=()):
        self._code, self._text, self._metadata = code, text, metadata

    def code(self):
        return self._code

    def details(self):
        return self._text

    def trailing_metadata(self):
        return self._metadata


BARE = {
    "killed daemon": (grpc.StatusCode.UNAVAILABLE, errors.Unavailable, "DAEMON_GONE"),
    "cancelled here": (grpc.StatusCode.CANCELLED, errors.Cancelled, "CANCELLED"),
    "no answer in time": (grpc.StatusCode.DEADLINE_EXCEEDED, errors.TooSlow, "NO_ANSWER"),
    "older daemon": (grpc.StatusCode.UNIMPLEMENTED, errors.NotReady, "PROTOCOL_MISMATCH"),
    "message too large": (grpc.StatusCode.RESOURCE_EXHAUSTED, errors.TooMuch, "TOO_MUCH"),
    "anything else": (grpc.StatusCode.UNKNOWN, errors.InternalError, "INTERNAL"),
}


@pytest.mark.parametrize(("code", "kind", "reason"), BARE.values(), ids=BARE)
def test_a_status_without_reason_becomes_an_error_with_one(code, kind, reason):
    error = from_status(Status(code))
    assert (type(error), error.reason) == (kind, reason)
    assert error.message


def test_a_status_without_a_word_gets_one():
    assert "INTERNAL" in from_status(Status(grpc.StatusCode.INTERNAL, "")).message


@pytest.mark.parametrize("raw", [b"no json", b"[1]", b"", b"\xff"])
def test_details_that_are_none_are_empty(raw):
    metadata = (("safelight-reason", "X"), ("safelight-details-bin", raw))
    error = from_status(Status(grpc.StatusCode.NOT_FOUND, "who", metadata))
    assert (type(error), error.reason, error.details) == (errors.NotFound, "X", {})


def test_other_exceptions_pass():
    with pytest.raises(KeyError), our_errors():
        raise KeyError("mine")
