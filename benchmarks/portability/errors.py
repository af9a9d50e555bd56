"""The error of a runtime that can't be had on this machine."""

from __future__ import annotations

from benchmarks.errors import BenchmarkError


class UnavailableError(BenchmarkError):
    """A runtime can't be had here.

    Attributes:
        reason: Why, and what to do where something can be done; without a full stop.
    """

    def __init__(self, reason: str) -> None:
        """Keeps the reason."""
        self.reason = reason
        super().__init__(reason)
