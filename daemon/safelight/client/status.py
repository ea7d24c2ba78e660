"""gRPC statuses back to our errors."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import grpc

from safelight.errors import Cancelled, InternalError, NotReady, SafelightError, TooSlow, Unavailable
from safelight.wire import DETAILS_KEY, REASON_KEY, STATUS_CODES

_CLASSES = {code: kind for kind, code in STATUS_CODES.items()}
GONE = (
    "the connection to the daemon broke (it ended or was killed): run the command again, it starts a new one"
)


def from_status(error: Any) -> SafelightError:
    """The error that the daemon raised; without its reason, what the transport's own status means."""
    metadata = dict(error.trailing_metadata() or ())
    text = error.details() or f"the daemon answered {error.code().name} without a word: see its log"
    reason = metadata.get(REASON_KEY)
    if reason is None:
        return _of_the_transport(error.code(), text)
    kind = _CLASSES.get(error.code(), InternalError)
    return kind(text, reason, details=_details(metadata.get(DETAILS_KEY)))


def _of_the_transport(code: grpc.StatusCode, text: str) -> SafelightError:
    details = {"transport": text[:300]}
    match code:
        case grpc.StatusCode.UNAVAILABLE:
            return Unavailable(GONE, "DAEMON_GONE", details=details)
        case grpc.StatusCode.CANCELLED:
            return Cancelled("the job was cancelled", "CANCELLED", details=details)
        case grpc.StatusCode.DEADLINE_EXCEEDED:
            return TooSlow("the daemon did not answer in time: try again", "NO_ANSWER", details=details)
        case grpc.StatusCode.UNIMPLEMENTED:
            return NotReady(
                "the daemon does not know this call: upgrade the daemon", "PROTOCOL_MISMATCH", details=details
            )
    return _CLASSES.get(code, InternalError)(text, details=details)


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
