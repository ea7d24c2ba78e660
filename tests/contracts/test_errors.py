"""Every error class has a status of its own, and comes back from it as itself."""

import grpc
import pytest

from safelight import errors
from safelight.client.status import from_status
from safelight.server.door import error_metadata
from safelight.wire import STATUS_CODES


def subclasses(kind):
    for child in kind.__subclasses__():
        yield child
        yield from subclasses(child)


CROSSING = [k for k in subclasses(errors.SafelightError) if not issubclass(k, errors.LocalError)]


class Status(grpc.RpcError):
    """What a call raises for an error that the server aborted with."""

    def __init__(self, error):
        self._error = error

    def code(self):
        return STATUS_CODES[type(self._error)]

    def details(self):
        return self._error.message

    def trailing_metadata(self):
        return error_metadata(self._error)


def test_every_class_that_crosses_has_a_code_and_no_two_share_one():
    assert set(STATUS_CODES) == set(CROSSING)
    assert len(set(STATUS_CODES.values())) == len(STATUS_CODES)


@pytest.mark.parametrize("kind", CROSSING)
def test_error_crosses_and_comes_back(kind):
    sent = kind("what, which value, what to do", "SOME_REASON", details={"value": "7"})
    back = from_status(Status(sent))
    assert (type(back), back.message, back.reason, back.details) == (
        kind,
        sent.message,
        sent.reason,
        sent.details,
    )


def test_every_class_is_in_the_tree_of_the_docstring():
    tree = errors.__doc__
    assert [k.__name__ for k in subclasses(errors.SafelightError) if k.__name__ not in tree] == []


def test_local_errors_have_no_code():
    assert not [k for k in STATUS_CODES if issubclass(k, errors.LocalError)]
