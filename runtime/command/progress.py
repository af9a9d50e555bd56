"""The progress of a run: frames, faces, frames per second, and one line about them on a terminal."""

from __future__ import annotations

import shutil
import sys
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress

from .sources import Source
from .terminal import CLEAR_LINE, terminal_text

PROGRESS_S = 0.5  # between two updates of the line
RATE_FRAMES = 30  # the shown frame rate is the mean of so many
BAR = 24  # letters


class Progress:
    """Counts frames and faces, and keeps one line about them on a terminal.

    Where the number of frames is known, the line has a bar, a percentage and the time that is left.

    Attributes:
        frames: The number of frames so far.
        faces: The number of faces so far.
    """

    def __init__(
        self, source: Source, *, on_terminal: bool, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Starts the clock.

        Args:
            source: Where the frames come from.
            on_terminal: Whether to show the line.
            clock: Gives seconds.
        """
        self.frames = self.faces = 0
        self._source = source
        self._on_terminal = on_terminal
        self._clock = clock
        self._start = self._said = clock()
        self._times: deque[float] = deque(maxlen=RATE_FRAMES + 1)

    def count(self, faces: int) -> None:
        """Counts a frame with so many faces."""
        self.frames += 1
        self.faces += faces
        now = self._clock()
        self._times.append(now)
        if self._on_terminal and now - self._said >= PROGRESS_S:
            self._said = now
            # A line wider than the terminal would stay above the next one.
            line = terminal_text(self.line())[: shutil.get_terminal_size().columns - 1]
            with suppress(OSError):  # the terminal was closed
                print(f"{CLEAR_LINE}{line}", end="", file=sys.stderr, flush=True)

    def end(self) -> None:
        """Clears the line."""
        if self._on_terminal:
            with suppress(OSError):
                print(CLEAR_LINE, end="", file=sys.stderr, flush=True)

    def seconds(self) -> float:
        """Returns the seconds since the start."""
        return self._clock() - self._start

    def frame_rate(self) -> float:
        """Returns frames per second, the mean of the last ones."""
        if len(self._times) < 2 or self._times[-1] <= self._times[0]:
            return 0.0
        return (len(self._times) - 1) / (self._times[-1] - self._times[0])

    def line(self) -> str:
        """Returns the line of now."""
        rate, total = self.frame_rate(), self._source.frame_count
        if not total:
            return f"{self._source.name}: frame {self.frames}, {rate:.1f} frames/s{self._dropped()}"
        done = min(1.0, self.frames / total)
        left = f", {clock_text((total - self.frames) / rate)} left" if rate and self.frames < total else ""
        return f"{bar(done)} {done:4.0%}, frame {self.frames} of {total}, {rate:.1f} frames/s{left}"

    def summary(self) -> str:
        """Returns a line about the whole run."""
        seconds = self.seconds()
        rate = self.frames / seconds if seconds > 0 else 0.0
        return (
            f"{self._source.name}: {self.frames} frames{self._dropped()}, {self.faces} faces "
            f"in {seconds:.1f} s ({rate:.1f} frames/s)"
        )

    def _dropped(self) -> str:
        return f", {self._source.dropped} dropped" if self._source.kind == "live" else ""


def bar(done: float) -> str:
    """Returns a bar of 24 letters for a share from 0 to 1; of ASCII where the terminal knows no blocks."""
    full, empty = "█░" if "utf" in (getattr(sys.stderr, "encoding", None) or "").lower() else "#."
    filled = round(done * BAR)
    return full * filled + empty * (BAR - filled)


def clock_text(seconds: float) -> str:
    """Returns a time as minutes and seconds, or hours, minutes and seconds: 0:07, 12:30, 1:02:03."""
    whole = round(seconds)
    hours, minutes = divmod(whole // 60, 60)
    return f"{hours}:{minutes:02}:{whole % 60:02}" if hours else f"{minutes}:{whole % 60:02}"
