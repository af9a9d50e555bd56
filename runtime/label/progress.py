"""The progress of `ferkit label`: files, faces, errors and the time left."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable
from contextlib import suppress

from ..command.progress import PROGRESS_S, bar, clock_text
from ..command.terminal import CLEAR_LINE, say, terminal_text
from .on_ray import Status

LOG_S = 60.0  # between two lines where standard error is no terminal
FIRST_ERRORS = 5  # are named in the summary


class LabelProgress:
    """Counts what is done, and keeps one line about it on a terminal; elsewhere it says a line a minute.

    Attributes:
        files: The number of files so far.
        faces: The number of their faces.
        errors: The number of files with an error.
    """

    def __init__(self, total: int, *, on_terminal: bool, clock: Callable[[], float] = time.monotonic) -> None:
        """Starts the clock.

        Args:
            total: The number of files to label.
            on_terminal: Whether standard error is a terminal.
            clock: Gives seconds.
        """
        self.files = self.faces = self.errors = 0
        self._total = total
        self._on_terminal = on_terminal
        self._clock = clock
        self._start = self._said = clock()
        self._first_errors: list[tuple[str, str]] = []

    def count(self, status: Status) -> None:
        """Counts a part."""
        self.files += status.files
        self.faces += status.faces
        self.errors += len(status.errors)
        self._first_errors += status.errors[: FIRST_ERRORS - len(self._first_errors)]
        now = self._clock()
        if now - self._said < (PROGRESS_S if self._on_terminal else LOG_S):
            return
        self._said = now
        if not self._on_terminal:
            say(self.line())
            return
        line = terminal_text(self.line())[: shutil.get_terminal_size().columns - 1]
        with suppress(OSError):  # the terminal was closed
            print(f"{CLEAR_LINE}{line}", end="", file=sys.stderr, flush=True)

    def line(self) -> str:
        """Returns the line of now."""
        rate = self._rate()
        left = f", {clock_text((self._total - self.files) / rate)} left" if rate else ""
        return (
            f"{bar(self.files / self._total)} {self.files / self._total:4.0%}, {self.files:,} of "
            f"{self._total:,} files, {self.faces:,} faces, {self.errors:,} errors, {rate:.1f} files/s{left}"
        )

    def summary(self) -> list[str]:
        """Returns the lines at the end; they name the first errors."""
        lines = [
            f"{self.files:,} of {self._total:,} files, {self.faces:,} faces, {self.errors:,} errors in "
            f"{clock_text(self._clock() - self._start)} ({self._rate():.1f} files/s)"
        ]
        lines += [f"{path}: {error}" for path, error in self._first_errors]
        if self.errors > len(self._first_errors):
            lines.append(f"and {self.errors - len(self._first_errors):,} more: the column `error` has them")
        return lines

    def _rate(self) -> float:
        seconds = self._clock() - self._start
        return self.files / seconds if seconds > 0 else 0.0
