"""An annotated video, which can be played however the run ends."""

from __future__ import annotations

import math
import shutil
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType

import cv2
import numpy as np

from .outputs import OutputError, atomic_file, removed, writing
from .sources import USUAL_FRAME_RATE

if sys.platform != "win32":
    import resource


# A video file's suffix: a codec that OpenCV's own packages write without a further one.
VIDEO_CODECS = {".mp4": "mp4v", ".avi": "MJPG"}
LONGEST_STILL_S = 60.0  # a longer gap between two frames is cut to this


# A live source needs time for its labels: the time that repeated frames take makes the next gap longer.
ENCODING_SHARE = 0.5  # the largest share of the time between two frames
MOST_BEHIND_S = 1.0  # encoding may be late by so much and catch up; the rest is cut out
TRIAL_S = 0.5  # for measuring the encoding: the shortest time counts, as other programs may be at work

# A video's index is written last and needs room: buffers, and less than 64 bytes per frame.
ROOM_BYTES, ROOM_BYTES_PER_FRAME = 2**20, 64


class VideoFile:
    """A video file that is written frame by frame inside a `with`; it can be played however that ends.

    All frames get the size of the first, without a last odd row or column: MPEG-4 has even sizes.

    A live source doesn't wait. Frames that come faster than the frame rate are left out. The rate is lowered
    where encoding would take more than half of the time. Where encoding becomes slower later, time is
    cut out of the video: otherwise repeated frames would make the next gap longer, and so on.

    Attributes:
        path: The file.
        frames: The number of frames in it so far.
    """

    def __init__(
        self,
        path: Path,
        *,
        frame_rate: float | None,
        keep_time: bool = False,
        live: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Takes the path and how frames follow each other.

        Args:
            path: The file, `.mp4` or `.avi`.
            frame_rate: Frames per second; None: `USUAL_FRAME_RATE`.
            keep_time: Whether a frame is repeated until the next one's time, but for at most 60 s. Then
                frames at uneven times play at their true speed.
            live: Whether the source doesn't wait; keeps the time as well.
            clock: Gives seconds, by which encoding is timed.

        Raises:
            OutputError: The suffix is another.
        """
        if path.suffix.lower() not in VIDEO_CODECS:
            raise OutputError(f"expected a video file ending in {' or '.join(VIDEO_CODECS)}.", path=path)
        self.path = path
        self.frames = 0
        self._frame_rate = frame_rate or USUAL_FRAME_RATE
        self._keep_time = keep_time or live
        self._live = live
        self._clock = clock
        self._start_s = self._last_s = 0.0
        self._last_image = np.empty(0, np.uint8)
        self._writer: cv2.VideoWriter | None = None
        self._first_shape: tuple[int, ...] = ()
        self._size = (0, 0)
        self._whole = atomic_file(path)

    def __enter__(self) -> VideoFile:
        """Prepares a temporary name; the file is begun with the first frame.

        Raises:
            OutputError: It can't be written.
        """
        self._part = self._whole.__enter__()
        try:
            str(self._part).encode()
        except UnicodeEncodeError:  # which would end the process, in OpenCV 4.14
            raise OutputError("expected a name in UTF-8. Name another file.", path=self.path) from None
        if self._part.exists() and not self._part.is_file():
            raise OutputError("expected the name of a file, as a video needs one.", path=self.path)
        return self

    def write(self, image: np.ndarray, time_s: float) -> None:
        """Adds a frame.

        Args:
            image: `uint8` BGR `(height, width, 3)`.
            time_s: Its time in seconds from any start.

        Raises:
            OutputError: It can't be written. There is still room for what makes the frames so far a video.
        """
        if self._writer is None:
            self._writer = self._open(image)
            self._start_s = self._last_s = time_s
        self.fill(time_s)
        self._last_image = self._fitted(image)
        # A live video leaves out a frame that comes too early; a gap may repeat it later.
        if not self._live or self.frames <= self._number(time_s):
            self._add(self._last_image)

    def fill(self, time_s: float) -> None:
        """Repeats the last frame until just before a time in seconds, if there is one.

        `write` does it as well. Called before it, a Ctrl-C need not wait until a long gap is filled.

        Raises:
            OutputError: As in `write`.
        """
        if self._writer is None or not self._keep_time:
            return
        gap_s = time_s - self._last_s
        self._start_s += max(0.0, gap_s - LONGEST_STILL_S)
        self._last_s = time_s
        due = self._number(time_s)
        begin_s = self._clock()
        while self.frames < due:
            if self._live and self._clock() - begin_s >= ENCODING_SHARE * gap_s:
                break
            self._add(self._last_image)
        behind_s = (due - self.frames) / self._frame_rate
        self._start_s += max(0.0, behind_s - MOST_BEHIND_S)

    def _number(self, time_s: float) -> int:
        """Returns the number of the file's frame, from 0, at a source's time in seconds."""
        return round((time_s - self._start_s) * self._frame_rate)

    def _add(self, image: np.ndarray) -> None:
        assert self._writer is not None
        self._check_room()
        self._writer.write(image)
        self.frames += 1

    def _fitted(self, image: np.ndarray) -> np.ndarray:
        """Returns a copy of a frame in the video's size."""
        if image.shape == self._first_shape:
            image = image[: self._size[1], : self._size[0]]
        if (image.shape[1], image.shape[0]) != self._size:
            image = cv2.resize(image, self._size, interpolation=cv2.INTER_AREA)
        return np.array(image, order="C")

    def _open(self, image: np.ndarray) -> cv2.VideoWriter:
        self._first_shape = image.shape
        height, width = image.shape[:2]
        self._size = (max(2, width & ~1), max(2, height & ~1))
        self._check_room()
        with writing(self.path), self._part.open("wb"):
            pass  # the file system says why it fails, OpenCV only that it does
        if self._live:
            self._frame_rate = self._reachable_rate(self._fitted(image))
        return self._new_writer()

    def _new_writer(self) -> cv2.VideoWriter:
        codec = cv2.VideoWriter.fourcc(*VIDEO_CODECS[self.path.suffix.lower()])
        writer = cv2.VideoWriter(str(self._part), codec, self._frame_rate, self._size)
        if not writer.isOpened():
            if not self._part.exists():  # it was made a moment ago
                raise removed(self.path)
            self._part.unlink()
            width, height = self._size
            raise OutputError(
                f"the video can't be written: {self.path.suffix} doesn't take {width}x{height} "
                f"at {self._frame_rate:g} frames/s. Try {' or '.join(VIDEO_CODECS)}, or a smaller image.",
                path=self.path,
            )
        return writer

    def _reachable_rate(self, image: np.ndarray) -> float:
        """Returns the source's frame rate, or the whole one at which encoding takes its share of the time."""
        writer, encoding_s = self._new_writer(), math.inf
        trial_end_s = self._clock() + TRIAL_S
        while encoding_s * self._frame_rate > ENCODING_SHARE:
            begin_s = self._clock()
            writer.write(image)
            end_s = self._clock()
            encoding_s = min(encoding_s, end_s - begin_s)
            if end_s >= trial_end_s:
                break
        writer.release()  # the file is begun again, at this rate
        return min(self._frame_rate, max(1.0, ENCODING_SHARE / max(encoding_s, 1e-9) // 1))

    def _check_room(self) -> None:
        # OpenCV's writer doesn't report a full disk, and an .mp4 without its index can't be played.
        needed = ROOM_BYTES + ROOM_BYTES_PER_FRAME * self.frames + 6 * self._size[0] * self._size[1]
        if room_bytes(self._part) < needed:
            raise OutputError(
                f"the disk is full: the video ends after {self.frames} frames. Free some room "
                "there, or save elsewhere.",
                path=self.path,
            )

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Finishes the video and gives it its name.

        Raises:
            OutputError: It was removed, can't be played, or lacks frames.
        """
        trouble = None
        if self._writer is not None:
            self._writer.release()
            trouble = self._trouble()
            if self.frames:
                kind = error = traceback = None
        self._whole.__exit__(kind, error, traceback)
        if trouble:
            raise trouble

    def _trouble(self) -> OutputError | None:
        """Returns what is wrong with the written video; None where nothing is.

        One that can't be played is removed. It happens on a disk with a quota, which shows more room than it
        gives.
        """
        capture = cv2.VideoCapture(str(self._part))
        whole = capture.isOpened() and capture.get(cv2.CAP_PROP_FRAME_COUNT) >= self.frames
        playable = whole or (capture.isOpened() and capture.grab())
        capture.release()
        if whole or not self.frames:
            return None
        if not self._part.exists():
            return removed(self.path)
        if playable:
            return OutputError(
                f"ends before its {self.frames} frames: is the disk full? Free some room there.",
                path=self.path,
            )
        self._part.unlink(missing_ok=True)
        return OutputError(
            "the video can't be played and is not kept: is the disk full? Free some room there.",
            path=self.path,
        )


def room_bytes(path: Path) -> int:
    """Returns how many bytes a file may still grow, by the disk and by the limit on the size of files."""
    with suppress(OSError):
        room = shutil.disk_usage(path.parent).free
        if sys.platform != "win32":
            limit = resource.getrlimit(resource.RLIMIT_FSIZE)[0]
            if limit != resource.RLIM_INFINITY:
                room = min(room, limit - (path.stat().st_size if path.exists() else 0))
        return room
    return sys.maxsize  # a file system that doesn't say
