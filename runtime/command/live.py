"""Cameras and streams: the newest frame, read by a thread.

The thread reads into one slot, which the next frame replaces. What was never taken out counts as dropped.
Where no frames come any more the device is opened again and again, for a while.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

import cv2
import numpy as np

from ..images import SourceError
from .sources import Sample, Source

RETRY_S = 60.0  # for so long a camera that gives no frames any more is opened anew
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 8.0  # between two attempts; each is twice the one before
CLOSE_S = 12.0  # a device's read ends within its own 10 s; one that doesn't is left behind


class Device(NamedTuple):
    """An opened camera or stream: `read` is as `Live` takes it, `release` gives it back."""

    read: Callable[[], tuple[bool, np.ndarray | None]]
    release: Callable[[], None]


class Live(Source):
    """A camera or a stream: the newest frame, the ones before it dropped.

    `read` blocks until the next frame and gives `(True, frame)`, or `(False, None)` once there are no more;
    it runs in a thread from the start of the iteration to `close`, which waits for it and then calls
    `release`. A frame is `uint8`, BGR, gray or BGRA; one of another kind ends the iteration.

    Where there are no more frames, `reopen` is asked for the device anew after 0.5, 1, 2, 4, 8, 8 ...
    seconds, until `retry_s` seconds have gone by; each attempt is announced. It raises `SourceError` where
    it can't. None ends the iteration at once. `clock` gives seconds, `pause` lets so many pass (None: waits,
    but for `close`).

    `waiting` may be set to a function that is called about five times a second while no frame comes; where
    it gives False the iteration ends.
    """

    kind = "live"

    def __init__(
        self,
        name: str,
        read: Callable[[], tuple[bool, np.ndarray | None]],
        *,
        release: Callable[[], None] | None = None,
        reopen: Callable[[], Device] | None = None,
        retry_s: float = RETRY_S,
        frame_rate: float | None = None,
        announce: Callable[[str], None] | None = None,
        clock: Callable[[], float] = time.monotonic,
        pause: Callable[[float], None] | None = None,
    ) -> None:
        super().__init__(name, announce)
        self.frame_rate = frame_rate
        self.waiting: Callable[[], bool] | None = None
        self._read = read
        self._release = release
        self._reopen = reopen
        self._retry_s = retry_s
        self._clock = clock
        self._pause = pause or self._wait
        self._changed = threading.Condition()
        self._slot: Sample | None = None
        self._error: Exception | None = None
        self._ended = self._closing = False
        self._thread = threading.Thread(target=self._fill, name=f"ferkit reads {name}", daemon=True)

    def __iter__(self) -> Iterator[Sample]:
        taken = 0
        self._thread.start()
        while True:
            with self._changed:
                # In short waits, because a wait without an end can't be interrupted on Windows.
                self._changed.wait_for(lambda: self._slot is not None or self._ended, 0.2)
                sample, self._slot = self._slot, None
                if sample is None and self._ended:
                    break
            if sample is not None:
                taken += 1
                yield sample
            elif self.waiting is not None and not self.waiting():
                return
        if self._closing:
            return
        reason = " ".join(str(self._error).split()) if self._error else ""  # OpenCV's have several lines
        if taken:
            self._fail(
                f"{self.name}: no more frames came after {taken + self.dropped}{reason and f': {reason}'}."
            )
        elif reason:
            raise SourceError(f"can't be read: {reason}.", path=self.name) from self._error
        else:
            raise SourceError("opened, but no frame came.", path=self.name)

    def close(self) -> None:
        with self._changed:
            self._closing = self._ended = True
            self._changed.notify_all()
        if self._thread.ident is not None:
            self._thread.join(CLOSE_S)
            if self._thread.is_alive():
                return  # a driver that hangs; to release a device while it is read would crash
        if self._release:
            self._release()
            self._release = None

    def _fill(self) -> None:
        start = self._clock()
        index = 0
        while not self._closing:
            try:
                frame = self._in_bgr(self._next_frame())
            except Exception as error:  # a driver's, which raises where none is expected to
                frame, self._error = None, error
            with self._changed:
                if frame is None:
                    self._ended = True
                else:
                    if self._slot is not None:
                        self.dropped += 1
                    self._slot = Sample(self.name, index, self._clock() - start, frame)
                self._changed.notify_all()
                if self._ended:
                    return
            index += 1

    def _next_frame(self) -> np.ndarray | None:
        """The device's next frame, or the first of the device opened anew; None where there are no more."""
        frame = self._read_frame()
        if frame is not None or self._reopen is None or self._retry_s <= 0:
            return frame
        lost_s, pause_s = self._clock(), FIRST_PAUSE_S
        while not self._closing and (left_s := self._retry_s - (self._clock() - lost_s)) > 0:
            pause_s = min(pause_s, left_s)
            self._tell(
                f"{self.name}: no frames come; trying again in {pause_s:.1f} s, for {left_s:.0f} s more."
            )
            if self._release:
                self._release()
                self._release = None
            self._pause(pause_s)
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
            if self._closing:
                break
            try:
                self._read, self._release = self._reopen()
            except SourceError:
                continue
            except Exception as error:  # handed on, as that of a read
                self._error = error
                continue
            frame = self._read_frame()
            if frame is not None:
                self._tell(f"{self.name}: back after {self._clock() - lost_s:.1f} s.")
                return frame
        return None

    def _read_frame(self) -> np.ndarray | None:
        """The device's next frame; None, and the error kept, where it gives none."""
        try:
            read, frame = self._read()
        except Exception as error:  # handed on to the thread that iterates
            self._error = error
            return None
        self._error = None
        return frame if read and frame is not None and frame.size else None

    def _in_bgr(self, frame: np.ndarray | None) -> np.ndarray | None:
        """The frame as BGR; None, and the error kept, for one of another kind: its device works as it is."""
        try:
            return None if frame is None else bgr_frame(frame)
        except ValueError as error:
            self._error = error
            return None

    def _wait(self, seconds: float) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._closing, seconds)


def bgr_frame(frame: np.ndarray) -> np.ndarray:
    """A device's frame as `uint8` BGR `(height, width, 3)`, from BGR, gray or BGRA, whose alpha is left out.

    Gray is `(height, width)` or `(height, width, 1)`. Raises `ValueError` for any other.
    """
    channels = frame.shape[2] if frame.ndim == 3 else 1
    if frame.dtype != np.uint8 or frame.ndim not in (2, 3) or channels not in (1, 3, 4):
        raise ValueError(
            "expected frames of uint8 (height, width) or (height, width, 1, 3 or 4), got "
            f"{frame.dtype} {frame.shape}. Set the device to a format that OpenCV decodes, such as MJPG"
        )
    if channels == 3:
        return frame
    return cv2.cvtColor(frame, cv2.COLOR_GRAY2BGR if channels == 1 else cv2.COLOR_BGRA2BGR)
