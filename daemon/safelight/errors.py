"""Everything Safelight raises on purpose.

    SafelightError
    ├── InvalidRequest          a setting, size or frame is wrong: change the request
    ├── NotFound                no such pipeline or job: ask for another
    ├── NotReady                checkpoint missing or damaged, licence not accepted, other protocol version
    ├── Unauthenticated         no token or a wrong one
    ├── TooMuch                 the queue is full, or the job does not fit: wait, or make it smaller
    ├── Unavailable             the daemon is gone, stopping, or could not be started: try again
    ├── Cancelled               somebody cancelled the job
    ├── TooSlow                 the other side stopped sending or reading
    ├── Unrestorable            the network's output failed every check and every retry
    ├── InternalError           our bug
    └── LocalError              never crosses the process border
        ├── InputFileError      cannot be read as a picture
        └── OutputFileError     cannot be written

Classes say what a caller can do; `reason` is the stable machine-readable word (UPPER_SNAKE_CASE) and
`details` carries the values the message speaks of, as text.
"""

from __future__ import annotations

from collections.abc import Mapping


class SafelightError(Exception):
    """`message` is one sentence for a person: what is wrong, with which value, and what to do."""

    default_reason = "ERROR"

    def __init__(
        self, message: str, reason: str | None = None, *, details: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.reason = reason or self.default_reason
        self.details: dict[str, str] = dict(details or {})


class InvalidRequest(SafelightError):
    default_reason = "INVALID_REQUEST"


class NotFound(SafelightError):
    default_reason = "NOT_FOUND"


class NotReady(SafelightError):
    default_reason = "NOT_READY"


class Unauthenticated(SafelightError):
    default_reason = "UNAUTHENTICATED"


class TooMuch(SafelightError):
    default_reason = "TOO_MUCH"


class Unavailable(SafelightError):
    default_reason = "UNAVAILABLE"


class Cancelled(SafelightError):
    default_reason = "CANCELLED"


class TooSlow(SafelightError):
    default_reason = "TOO_SLOW"


class Unrestorable(SafelightError):
    default_reason = "UNRESTORABLE"


class InternalError(SafelightError):
    default_reason = "INTERNAL"


class LocalError(SafelightError):
    default_reason = "LOCAL"


class InputFileError(LocalError):
    default_reason = "INPUT_FILE"


class OutputFileError(LocalError):
    default_reason = "OUTPUT_FILE"
