"""gRPC statuses back to our errors."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import grpc

from safelight.errors import InternalError, SafelightError, Unavailable
from safelight.wire import DETAILS_KEY, REASON_KEY, STATUS_CODES

_CLASSES = {code: kind for kind, code in STATUS_CODES.items()}
GONE = (
    "the connection to the daemon broke (it ended or was killed): run the command again, it starts a new one"
)


def from_status(error: Any) -> SafelightError:
    """The error that the daemon raised, or Unavailable when the transport failed."""
    metadata = dict(error.trailing_metadata() or ())
    kind = _CLASSES.get(error.code(), InternalError)
    message = error.details() or f"the daemon answered {error.code().name} without a word: see its log"
    reason = metadata.get(REASON_KEY)
    if reason is None and error.code() is grpc.StatusCode.UNAVAILABLE:
        return Unavailable(GONE, "DAEMON_GONE", details={"transport": message[:300]})
    return kind(message, reason, details=_details(metadata.get(DETAILS_KEY)))


def _details(raw: bytes | str | None) -> dict[str, str]:
    try:
        found = json.loads(raw or b"{}")
    except ValueError:
        return {}
    return {str(k): str(v) for k, v in found.items()} if isinstance(found, dict) else {}


@contextmanager
def our_errors() -> Iterator[None]:
    """Translates what a call raises."""
    try:
        yield
    except grpc.RpcError as error:
        raise from_status(error) from None
