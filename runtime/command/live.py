"""Cameras and streams: the newest frame, read by a thread.

The thread puts each frame into one slot, where the next frame replaces it. A replaced frame counts as
dropped. Where no more frames come, the device is opened again, several times.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

import cv2
import numpy as np

from ..images import SourceError
from .sources import Source, SourceFrame

RETRY_S = 60.0  # for so long a camera without frames is opened again
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 8.0  # between two attempts; each pause is twice the one before
CLOSE_S = 12.0  # a read of a device ends within 10 s; a thread whose read doesn't is left behind


class Device(NamedTuple):
    """An opened camera or stream.

    Attributes:
        read: Blocks until the next frame and gives `(True, frame)`; `(False, None)` where no more come.
        release: Gives the device back.
    """

    read: Callable[[], tuple[bool, np.ndarray | None]]
    release: Callable[[], None]


class Live(Source):
    """A camera or a stream: it gives the newest frame and drops the ones before.

    A thread reads the device from the start of the iteration to `close`. A frame is `uint8`, BGR, gray or
    BGRA; one of another kind ends the iteration.

    Attributes:
        waiting: A function that is called about five times a second while no frame comes; where it gives
            False, the iteration ends. None: no such function.
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
        """Takes an opened device.

        Args:
            name: The device's name in lines for people.
            read: As in `Device`.
            release: As in `Device`; called by `close` after the last read has ended.
            reopen: Opens the device again where no more frames come, or raises `SourceError`. It is called
                after pauses of 0.5, 1, 2, 4, 8, 8 ... seconds, each with a line to `announce`. None: the
                iteration ends at once.
            retry_s: For so many seconds the device is opened again.
            frame_rate: The device's frames per second, where it says so.
            announce: Gets each line for the user at once.
            clock: Gives seconds.
            pause: Waits so many seconds. None: until then, or until `close`.
        """
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
        self._slot: SourceFrame | None = None
        self._error: Exception | None = None
        self._ended = self._closing = False
        self._thread = threading.Thread(target=self._fill, name=f"ferkit reads {name}", daemon=True)

    def __iter__(self) -> Iterator[SourceFrame]:
        """Yields the newest frame, again and again.

        Raises:
            SourceError: No frame came at all.
        """
        taken = 0
        self._thread.start()
        while True:
            with self._changed:
                # Short waits: on Windows an endless one can't be interrupted.
                self._changed.wait_for(lambda: self._slot is not None or self._ended, 0.2)
                frame, self._slot = self._slot, None
                if frame is None and self._ended:
                    break
            if frame is not None:
                taken += 1
                yield frame
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
        """Ends the thread and gives the device back."""
        with self._changed:
            self._closing = self._ended = True
            self._changed.notify_all()
        if self._thread.ident is not None:
            self._thread.join(CLOSE_S)
            if self._thread.is_alive():
                return  # the driver hangs; to release a device during a read would crash
        if self._release:
            self._release()
            self._release = None

    def _fill(self) -> None:
        """Puts frame after frame into the slot, in a thread of its own."""
        start = self._clock()
        index = 0
        while not self._closing:
            try:
                pixels = self._in_bgr(self._next_frame())
            except Exception as error:  # of a driver, where none is expected
                pixels, self._error = None, error
            if not self._put(pixels, index, self._clock() - start if pixels is not None else 0.0):
                return
            index += 1

    def _put(self, pixels: np.ndarray | None, index: int, time_s: float) -> bool:
        """Puts a frame into the slot; None is the end. Returns whether to go on."""
        with self._changed:
            if pixels is None:
                self._ended = True
            else:
                self.dropped += self._slot is not None
                self._slot = SourceFrame(self.name, index, time_s, pixels)
            self._changed.notify_all()
            return not self._ended

    def _next_frame(self) -> np.ndarray | None:
        """Returns the device's next frame, or the first after it was opened again; None at the end."""
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
            except Exception as error:  # of a driver
                self._error = error
                continue
            frame = self._read_frame()
            if frame is not None:
                self._tell(f"{self.name}: back after {self._clock() - lost_s:.1f} s.")
                return frame
        return None

    def _read_frame(self) -> np.ndarray | None:
        """Returns the device's next frame; None, and keeps the error, where it gives none."""
        try:
            read, frame = self._read()
        except Exception as error:  # for the thread that iterates
            self._error = error
            return None
        self._error = None
        return frame if read and frame is not None and frame.size else None

    def _in_bgr(self, frame: np.ndarray | None) -> np.ndarray | None:
        """Returns the frame as BGR; None, and keeps the error, for another kind: opening again won't help."""
        try:
            return None if frame is None else bgr_frame(frame)
        except ValueError as error:
            self._error = error
            return None

    def _wait(self, seconds: float) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._closing, seconds)


def bgr_frame(frame: np.ndarray) -> np.ndarray:
    """Returns a device's frame as `uint8` BGR `(height, width, 3)`; an alpha channel is left out.

    Args:
        frame: `uint8`: gray `(height, width)` or `(height, width, 1)`, BGR `(height, width, 3)`, BGRA
            `(height, width, 4)`.

    Raises:
        ValueError: The frame is of another kind.
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
