"""Who may come in: the token interceptor; and errors on their way out."""

from __future__ import annotations

import hmac
import json
import logging
from collections.abc import Awaitable, Callable
from typing import Any

import grpc

from safelight.errors import InternalError, SafelightError
from safelight.wire import DETAILS_KEY, MESSAGE_BYTES, REASON_KEY, STATUS_CODES

log = logging.getLogger(__name__)

PING_EVERY_MS = 10_000  # a frozen or unplugged client is noticed within this
PING_TIMEOUT_MS = 4_000  # ... plus this; grpc.keepalive_timeout_ms has no effect in grpcio 1.85 (measured)
STREAMS_PER_CONNECTION = (
    128  # above the daemon's own limit of jobs, which refuses with a word; grpc lets wait
)
# A status travels in metadata, of which grpc takes 8 KiB; a byte beyond ASCII takes three there.
MESSAGE_BYTES_MOST, DETAILS_BYTES_MOST = 1500, 2048

SERVER_OPTIONS: list[tuple[str, int]] = [
    ("grpc.so_reuseport", 0),  # else a second daemon shares the port without any error
    ("grpc.max_receive_message_length", MESSAGE_BYTES),
    ("grpc.max_send_message_length", MESSAGE_BYTES),
    ("grpc.max_concurrent_streams", STREAMS_PER_CONNECTION),
    ("grpc.keepalive_time_ms", PING_EVERY_MS),
    ("grpc.http2.ping_timeout_ms", PING_TIMEOUT_MS),
    ("grpc.http2.min_ping_interval_without_data_ms", 5_000),
    ("grpc.keepalive_permit_without_calls", 1),
]


class TokenInterceptor(grpc.aio.ServerInterceptor):  # type: ignore[misc]
    """Refuses every call without the token, before its body is read."""

    def __init__(self, token: str) -> None:
        self._expected = f"Bearer {token}".encode()

    async def intercept_service(
        self, continuation: Callable[[Any], Awaitable[Any]], handler_call_details: Any
    ) -> Any:
        if self._allowed(handler_call_details.invocation_metadata):
            return await continuation(handler_call_details)
        return _REFUSAL

    def _allowed(self, metadata: Any) -> bool:
        given = [value for key, value in metadata or () if key == "authorization"]
        if len(given) != 1:
            return False
        value = given[0].encode() if isinstance(given[0], str) else given[0]
        return hmac.compare_digest(value, self._expected)


async def _refuse(request_or_iterator: Any, context: Any) -> None:
    await context.abort(
        grpc.StatusCode.UNAUTHENTICATED,
        "this daemon wants its token: use the one in its runtime folder",
        trailing_metadata=((REASON_KEY, "UNAUTHENTICATED"),),
    )


_REFUSAL = grpc.stream_stream_rpc_method_handler(_refuse)
"""For calls of every kind, since on the wire all are streams: no message is read, so none is parsed."""


def error_metadata(error: SafelightError) -> tuple[tuple[str, str | bytes], ...]:
    details = json.dumps(error.details).encode()
    return (
        (REASON_KEY, error.reason),
        (DETAILS_KEY, details if len(details) <= DETAILS_BYTES_MOST else b"{}"),
    )


def told(error: Exception, what: str) -> SafelightError:
    """The error as a client is told: anything that is not ours is logged and becomes our bug. It holds on to
    no frame, and so to no pixels, while it is sent to somebody who may not be listening."""
    if isinstance(error, SafelightError):
        return type(error)(error.message, error.reason, details=error.details)
    log.error("%s failed", what, exc_info=error)
    return InternalError(
        f"the daemon failed at {what} ({type(error).__name__}): safelight doctor shows its log, please report it"
    )


async def abort(context: Any, failure: Exception, what: str = "a call") -> None:
    """Ends a call with the status of `failure`."""
    error = told(failure, what)
    code = STATUS_CODES[_mapped(type(error))]
    await context.abort(code, _clipped(error.message), trailing_metadata=error_metadata(error))


def _clipped(message: str) -> str:
    raw = message.encode()
    return message if len(raw) <= MESSAGE_BYTES_MOST else raw[:MESSAGE_BYTES_MOST].decode(errors="ignore")


def _mapped(kind: type[SafelightError]) -> type[SafelightError]:
    return next((k for k in kind.__mro__ if k in STATUS_CODES), InternalError)
