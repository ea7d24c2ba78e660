"""The one error that a person is told. Standard library only."""

from __future__ import annotations

from collections.abc import Mapping


class SafelightError(Exception):
    """`reason` is a stable UPPER_SNAKE_CASE word, `message` one sentence for a person, `details` what it speaks of."""

    def __init__(self, reason: str, message: str, details: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.details = dict(details or {})
